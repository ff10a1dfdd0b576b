//! Rate limits: so many requests a minute for each key, all of them at once if need be.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

/// How many keys are remembered; beyond that, the ones not seen for longest start afresh.
const MAX_KEYS: u64 = 100_000;
/// After this long without a request, every bucket is full again and need not be kept.
const FORGET_AFTER: Duration = Duration::from_secs(61);

/// One bucket for each key, bounded in number.
pub(crate) struct Limiter<K> {
    quota: Option<Quota>,
    buckets: Cache<K, Arc<DefaultDirectRateLimiter>>,
    clock: DefaultClock,
}

impl<K: Hash + Eq + Send + Sync + 'static> Limiter<K> {
    /// Zero means no limit.
    pub(crate) fn per_minute(requests: u32) -> Self {
        Self::with_room_for(MAX_KEYS, requests)
    }

    fn with_room_for(keys: u64, requests: u32) -> Self {
        Self {
            quota: NonZeroU32::new(requests).map(Quota::per_minute),
            buckets: Cache::builder()
                // The default policy would turn newcomers away while it is full, and so never count them.
                .eviction_policy(EvictionPolicy::lru())
                .max_capacity(keys)
                .time_to_idle(FORGET_AFTER)
                .build(),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// How long to wait, if there were too many.
    pub(crate) fn admit(&self, key: K) -> Result<(), Duration> {
        let Some(quota) = self.quota else { return Ok(()) };
        let bucket = self.buckets.get_with(key, || Arc::new(RateLimiter::direct(quota)));
        bucket.check().map_err(|refused| refused.wait_time_from(self.clock.now()))
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
        let limiter = Limiter::per_minute(3);
        assert!((0..3).all(|_| limiter.admit("noisy").is_ok()));
        let wait = limiter.admit("noisy").unwrap_err();
        assert!(wait > Duration::from_secs(15) && wait <= Duration::from_secs(20), "{wait:?}");
        assert!(limiter.admit("quiet").is_ok());
    }

    #[test]
    fn thousands_of_keys_are_told_apart() {
        let limiter = Limiter::per_minute(1);
        assert!((0..5_000).all(|key| limiter.admit(key).is_ok()));
        assert!((0..5_000).all(|key| limiter.admit(key).is_err()));
    }

    #[test]
    fn however_many_keys_come_memory_is_bounded_and_newcomers_are_counted() {
        let limiter = Limiter::with_room_for(1_000, 1);
        assert!((0..20_000).all(|key| limiter.admit(key).is_ok()));
        limiter.buckets.run_pending_tasks();
        assert!(limiter.buckets.entry_count() <= 1_000);
        // However often the others had come before.
        assert!((0..3).all(|_| (19_000..20_000).all(|key| limiter.admit(key).is_err())));
        assert!(limiter.admit(20_000).is_ok());
        assert!(limiter.admit(20_000).is_err());
    }

    #[test]
    fn zero_switches_the_limit_off() {
        let limiter = Limiter::per_minute(0);
        assert!((0..1000).all(|_| limiter.admit("anyone").is_ok()));
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
