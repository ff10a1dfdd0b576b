//! The platform's clock, which tests can move.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// As far as the clock can be moved; times around here still fit into an `i64` with room for arithmetic.
const MAX_OFFSET_MS: i64 = 100 * 366 * 86_400_000;

/// The system's wall clock plus an offset.
#[derive(Debug, Default)]
pub(super) struct Clock {
    offset_ms: AtomicI64,
}

impl Clock {
    /// Milliseconds since the Unix epoch, by this clock.
    #[must_use]
    pub(super) fn now_ms(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX).saturating_add(self.offset_ms())
    }

    /// How far this clock stands ahead of the system's.
    #[must_use]
    pub(super) fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    /// Moves the clock, a century at the most; a negative number moves it back. Returns the new offset.
    pub(super) fn advance_ms(&self, by_ms: i64) -> i64 {
        let moved = |offset_ms: i64| offset_ms.saturating_add(by_ms).clamp(-MAX_OFFSET_MS, MAX_OFFSET_MS);
        let before =
            self.offset_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |offset| Some(moved(offset)));
        before.map_or_else(|offset| offset, moved)
    }

    /// Back to the system's time.
    pub(super) fn reset(&self) {
        self.offset_ms.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_and_comes_back() {
        let clock = Clock::default();
        let before_ms = clock.now_ms();
        assert_eq!(clock.advance_ms(3_600_000), 3_600_000);
        assert!((3_600_000..3_605_000).contains(&(clock.now_ms() - before_ms)));
        assert_eq!(clock.advance_ms(-7_200_000), -3_600_000);
        assert!(clock.now_ms() < before_ms);
        clock.reset();
        assert_eq!(clock.offset_ms(), 0);
        for far in [i64::MAX, i64::MIN, i64::MIN, i64::MAX, i64::MAX] {
            assert_eq!(clock.advance_ms(far).abs().min(MAX_OFFSET_MS), clock.offset_ms().abs());
        }
    }
}
