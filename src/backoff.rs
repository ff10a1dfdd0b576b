//! How long to wait before asking a relay again.

const BASE_MS: f64 = 300.0;
const CAP_MS: f64 = 20_000.0;

/// Milliseconds to wait before retry number `retry` (from 0): exponential with full jitter, and
/// never sooner than the relay's `Retry-After`.
///
/// `random` is a number from 0 up to 1.
pub(crate) fn delay_ms(retry: u32, retry_after_s: Option<f64>, random: f64) -> f64 {
    let ceiling = (BASE_MS * 2_f64.powi(retry.min(16).cast_signed())).min(CAP_MS);
    let jittered = ceiling * random;
    // Many clients told the same Retry-After must not come back in the same instant.
    retry_after_s.map_or(jittered, |seconds| seconds * 1_000.0 + jittered)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn grows_to_a_cap() {
        let longest = |retry| delay_ms(retry, None, 1.0);
        assert_eq!(longest(0), 300.0);
        assert_eq!(longest(3), 2_400.0);
        assert_eq!(longest(30), CAP_MS);
        assert_eq!(longest(u32::MAX), CAP_MS);
    }

    proptest! {
        #[test]
        fn jitter_is_full_and_retry_after_is_a_floor(
            retry in any::<u32>(), seconds in 0.0..1e5_f64, random in 0.0..1.0_f64,
        ) {
            let free = delay_ms(retry, None, random);
            prop_assert!((0.0..=CAP_MS).contains(&free));
            let told = delay_ms(retry, Some(seconds), random);
            prop_assert!(told >= seconds * 1_000.0 && told <= seconds * 1_000.0 + CAP_MS);
        }
    }
}
