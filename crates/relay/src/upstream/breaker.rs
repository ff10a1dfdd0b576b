use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Leaves an ill platform alone: after some outages in a row nobody asks it for a while, then one
/// caller tries, and the answer to that decides.
#[derive(Debug)]
pub(crate) struct Breaker {
    failures_to_open: usize,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed {
        failures: usize,
    },
    Open {
        until: Instant,
    },
    /// One caller is trying.
    Probing,
}

/// The right to ask once. Dropped without a word, as when a caller is cancelled, it counts as a
/// failure of a probe and as nothing otherwise.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
    is_told: bool,
}

impl Breaker {
    pub(crate) fn new(failures_to_open: usize, pause: Duration) -> Self {
        Self { failures_to_open, pause, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    /// Asks for the right to ask.
    ///
    /// # Errors
    /// How long to leave the platform alone.
    pub(crate) fn attempt(&self) -> Result<Attempt<'_>, Duration> {
        let mut state = self.state();
        let is_probe = match *state {
            State::Closed { .. } => false,
            State::Probing => return Err(self.pause),
            State::Open { until } => match until.checked_duration_since(Instant::now()) {
                Some(wait) if !wait.is_zero() => return Err(wait),
                _ => {
                    *state = State::Probing;
                    true
                }
            },
        };
        Ok(Attempt { breaker: self, is_probe, is_told: false })
    }

    pub(crate) fn is_open(&self) -> bool {
        !matches!(*self.state(), State::Closed { .. })
    }

    fn open(&self) -> State {
        State::Open { until: Instant::now() + self.pause }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The platform was well, whether or not it liked the request.
    pub(crate) fn succeeded(mut self) {
        self.is_told = true;
        let mut state = self.breaker.state();
        if self.is_probe || matches!(*state, State::Closed { .. }) {
            *state = State::Closed { failures: 0 };
        }
    }

    /// The platform was ill.
    pub(crate) fn failed(mut self) {
        self.is_told = true;
        let mut state = self.breaker.state();
        *state = match *state {
            State::Closed { failures } if failures + 1 < self.breaker.failures_to_open => {
                State::Closed { failures: failures + 1 }
            }
            State::Closed { .. } => self.breaker.open(),
            State::Probing if self.is_probe => self.breaker.open(),
            unchanged => unchanged,
        };
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.is_probe && !self.is_told {
            *self.breaker.state() = self.breaker.open();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    const PAUSE: Duration = Duration::from_secs(5);

    fn opened() -> Breaker {
        let breaker = Breaker::new(2, PAUSE);
        breaker.attempt().unwrap().failed();
        assert!(!breaker.is_open());
        breaker.attempt().unwrap().failed();
        assert!(breaker.is_open());
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_between_failures_keeps_it_closed() {
        let breaker = Breaker::new(2, PAUSE);
        for _ in 0..5 {
            breaker.attempt().unwrap().failed();
            breaker.attempt().unwrap().succeeded();
        }
        assert!(!breaker.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn while_open_everybody_is_told_to_wait() {
        let breaker = opened();
        assert!(breaker.attempt().unwrap_err() <= PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_pause_one_caller_tries_and_decides() {
        let breaker = opened();
        sleep(PAUSE).await;
        let probe = breaker.attempt().unwrap();
        assert!(breaker.attempt().is_err(), "only one");
        probe.failed();
        assert!(breaker.attempt().is_err(), "open again");
        sleep(PAUSE).await;
        breaker.attempt().unwrap().succeeded();
        assert!(breaker.attempt().is_ok() && !breaker.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_vanishes_does_not_block_for_ever() {
        let breaker = opened();
        sleep(PAUSE).await;
        drop(breaker.attempt().unwrap());
        assert!(breaker.attempt().is_err());
        sleep(PAUSE).await;
        assert!(breaker.attempt().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_failure_of_an_old_attempt_does_not_disturb_the_probe() {
        let breaker = Breaker::new(1, PAUSE);
        let (first, second) = (breaker.attempt().unwrap(), breaker.attempt().unwrap());
        first.failed();
        sleep(PAUSE).await;
        let probe = breaker.attempt().unwrap();
        second.failed();
        probe.succeeded();
        assert!(!breaker.is_open());
    }
}
