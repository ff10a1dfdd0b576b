use std::time::{Duration, Instant, SystemTime};

/// A point in time on two clocks: the monotonic one stands still while a machine sleeps, the wall
/// clock may be set. Whichever says that more time has passed is believed, for a token given out
/// too long is worse than one minted too early.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    monotonic: Instant,
    wall: SystemTime,
    /// What had passed already when the clocks were read.
    before: Duration,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self { monotonic: Instant::now(), wall: SystemTime::now(), before: Duration::ZERO }
    }

    /// Time since then.
    pub(crate) fn elapsed(&self) -> Duration {
        self.before + self.monotonic.elapsed().max(self.wall.elapsed().unwrap_or_default())
    }

    /// A moment so long before this one.
    pub(crate) fn earlier(self, by: Duration) -> Self {
        Self { before: self.before + by, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_counts_and_a_clock_set_back_does_no_harm() {
        let hour = Duration::from_secs(3600);
        assert!(Moment::now().earlier(hour).elapsed() >= hour);
        let ahead = Moment { wall: SystemTime::now() + hour, ..Moment::now() };
        assert!(ahead.elapsed() < hour);
        let passed = ahead.earlier(hour).elapsed();
        assert!((hour..2 * hour).contains(&passed), "what had passed before counts all the same");
    }
}
