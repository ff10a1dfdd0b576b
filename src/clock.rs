//! A clock for deadlines that no wrong or jumping clock of the machine can break.

/// What the two clocks of a page say at one moment, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reading {
    /// `performance.now()`: never jumps, but stands still while some machines sleep.
    pub(crate) monotonic_ms: f64,
    /// `Date.now()`: goes on through sleep, but people and time servers set it.
    pub(crate) wall_ms: f64,
}

/// Time that has passed since the first reading, on the side of caution: between two readings it
/// advances by whichever clock advanced more.
///
/// A wall clock that is days wrong does no harm, because only differences count. Sleep is seen by
/// the wall clock. A wall clock set back is ignored, one set forward ends tokens early, once.
#[derive(Debug)]
pub(crate) struct Clock {
    last: Reading,
    elapsed_ms: f64,
}

impl Clock {
    pub(crate) const fn new(first: Reading) -> Self {
        Self { last: first, elapsed_ms: 0.0 }
    }

    /// Takes a new reading and returns the milliseconds since the first one.
    pub(crate) fn advance(&mut self, now: Reading) -> f64 {
        let monotonic = now.monotonic_ms - self.last.monotonic_ms;
        let wall = now.wall_ms - self.last.wall_ms;
        // `max` also drops a NaN, which a page that tampers with its clocks can produce.
        self.elapsed_ms += monotonic.max(wall).max(0.0);
        self.last = now;
        self.elapsed_ms
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR_MS: f64 = 3_600_000.0;

    fn reading(monotonic_ms: f64, wall_ms: f64) -> Reading {
        Reading { monotonic_ms, wall_ms }
    }

    #[test]
    fn sleep_is_seen_though_the_monotonic_clock_stands_still() {
        let mut clock = Clock::new(reading(1_000.0, 5_000.0));
        assert_eq!(clock.advance(reading(1_001.0, 5_000.0 + 8.0 * HOUR_MS)), 8.0 * HOUR_MS);
    }

    #[test]
    fn a_wall_clock_set_back_is_ignored_and_does_not_hide_later_sleep() {
        let mut clock = Clock::new(reading(0.0, 0.0));
        assert_eq!(clock.advance(reading(1_000.0, -48.0 * HOUR_MS)), 1_000.0);
        let woken = clock.advance(reading(1_500.0, -40.0 * HOUR_MS));
        assert_eq!(woken, 1_000.0 + 8.0 * HOUR_MS);
    }

    proptest! {
        #[test]
        fn never_behind_the_truth_while_one_clock_tells_it(
            steps in prop::collection::vec((0.0..1e7_f64, any::<bool>(), -2e8..2e8_f64), 1..40),
            offset in -2e8..2e8_f64,
        ) {
            let (mut truth, mut now) = (0.0, reading(17.0, offset));
            let mut clock = Clock::new(now);
            let mut before = 0.0;
            for (step, wall_tells, lie) in steps {
                truth += step;
                now = if wall_tells {
                    reading(now.monotonic_ms, now.wall_ms + step)
                } else {
                    reading(now.monotonic_ms + step, now.wall_ms + step.min(lie))
                };
                let elapsed = clock.advance(now);
                prop_assert!(elapsed >= truth - 1e-3, "{elapsed} is behind {truth}");
                prop_assert!(elapsed >= before);
                before = elapsed;
            }
        }
    }
}
