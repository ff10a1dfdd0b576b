//! Rate limits: so many requests a minute for each key, all of them at once if need be.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many keys are remembered at least, and twice as many at most; beyond that, the ones not seen
/// for longest start afresh.
const ROOM_FOR_KEYS: usize = 100_000;
/// A full bucket; and after this long without a request every bucket is full again.
const MINUTE: Duration = Duration::from_secs(60);

/// One bucket for each key, bounded in number.
pub(crate) struct Limiter<K> {
    /// The time in which one request's worth flows back; `None`: there is no limit.
    interval: Option<Duration>,
    room: usize,
    buckets: Mutex<Buckets<K>>,
}

/// When each key's bucket is full again (GCRA's theoretical arrival time). A key is carried over when
/// it is seen, so what is left in `older` has not been seen since the last turn.
struct Buckets<K> {
    recent: HashMap<K, Instant>,
    older: HashMap<K, Instant>,
    turned: Instant,
}

impl<K: Hash + Eq> Limiter<K> {
    /// Zero means no limit.
    pub(crate) fn per_minute(requests: u32) -> Self {
        Self::with_room_for(ROOM_FOR_KEYS, requests)
    }

    fn with_room_for(room: usize, requests: u32) -> Self {
        let buckets = Buckets { recent: HashMap::new(), older: HashMap::new(), turned: Instant::now() };
        Self { interval: MINUTE.checked_div(requests), room, buckets: Mutex::new(buckets) }
    }

    /// Counts a request that came in at `now`.
    ///
    /// # Errors
    /// How long to wait, if there were too many.
    pub(crate) fn admit(&self, key: K, now: Instant) -> Result<(), Duration> {
        let Some(interval) = self.interval else { return Ok(()) };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full_again = buckets.find(key, now, self.room);
        let next = (*full_again).max(now) + interval;
        match next.checked_duration_since(now + MINUTE) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                *full_again = next;
                Ok(())
            }
        }
    }
}

impl<K: Hash + Eq> Buckets<K> {
    fn find(&mut self, key: K, now: Instant, room: usize) -> &mut Instant {
        if self.recent.len() >= room || now.saturating_duration_since(self.turned) > MINUTE {
            self.older = mem::take(&mut self.recent);
            self.turned = now;
        }
        let Self { recent, older, .. } = self;
        recent.entry(key).or_insert_with_key(|key| older.remove(key).unwrap_or(now))
    }
}

/// The address that is counted: one IPv6 customer has a whole /64.
pub(crate) fn counted_address(address: IpAddr) -> IpAddr {
    const CUSTOMER_MASK: u128 = !(u64::MAX as u128);
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & CUSTOMER_MASK)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_noisy_key_does_not_slow_another() {
        let (limiter, now) = (Limiter::per_minute(3), Instant::now());
        assert!((0..3).all(|_| limiter.admit("noisy", now).is_ok()));
        assert_eq!(limiter.admit("noisy", now), Err(Duration::from_secs(20)));
        assert_eq!(limiter.admit("quiet", now), Ok(()));
    }

    #[test]
    fn what_was_waited_for_has_flowed_back() {
        let (limiter, now) = (Limiter::per_minute(3_000), Instant::now());
        assert!((0..3_000).all(|_| limiter.admit("a", now).is_ok()));
        let wait = limiter.admit("a", now).unwrap_err();
        assert_eq!(limiter.admit("a", now + wait), Ok(()));
        assert_eq!(limiter.admit("a", now + wait), Err(wait));
    }

    #[test]
    fn thousands_of_keys_are_told_apart() {
        let (limiter, now) = (Limiter::per_minute(1), Instant::now());
        assert!((0..5_000).all(|key| limiter.admit(key, now).is_ok()));
        assert!((0..5_000).all(|key| limiter.admit(key, now).is_err()));
    }

    #[test]
    fn however_many_keys_come_memory_is_bounded_and_newcomers_are_counted() {
        let (limiter, now) = (Limiter::with_room_for(1_000, 1), Instant::now());
        assert!((0..20_000).all(|key| limiter.admit(key, now).is_ok()));
        let remembered = |limiter: &Limiter<i32>| {
            let buckets = limiter.buckets.lock().unwrap();
            buckets.recent.len() + buckets.older.len()
        };
        assert!(remembered(&limiter) <= 2_000);
        // However often the others had come before.
        assert!((0..3).all(|_| (19_000..20_000).all(|key| limiter.admit(key, now).is_err())));
        assert!(limiter.admit(20_000, now).is_ok());
        assert!(limiter.admit(20_000, now).is_err());
        assert!(remembered(&limiter) <= 2_000);
    }

    #[test]
    fn zero_switches_the_limit_off() {
        let (limiter, now) = (Limiter::per_minute(0), Instant::now());
        assert!((0..1000).all(|_| limiter.admit("anyone", now).is_ok()));
    }

    #[test]
    fn ipv6_is_counted_by_its_64_bit_prefix() {
        let counted = |text: &str| counted_address(text.parse().unwrap()).to_string();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("2001:db8:1:3::1"), "2001:db8:1:3::");
        assert_eq!(counted("192.0.2.7"), "192.0.2.7");
        assert_eq!(counted("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
