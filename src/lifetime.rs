//! How long a token may be used, decided without trusting anybody's wall clock.

/// The part of a token's lifetime that is kept back by default, in milliseconds, so that a request
/// made with the token still arrives in time; a fifth of the lifetime where that is shorter.
const DEFAULT_MARGIN_MS: f64 = 10_000.0;
const DEFAULT_MARGIN_SHARE: f64 = 0.2;

/// The two times of a readable token that matter here, in seconds since the epoch by the
/// clock of whoever minted it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct JwtTimes {
    pub(crate) exp_s: f64,
    pub(crate) iat_s: f64,
}

/// A token's whole lifetime in milliseconds, from the best source there is: the relay's word, else
/// the difference of a readable token's own times, else what the caller says of the relay.
pub(crate) fn lifetime_ms(
    expires_in_s: Option<u64>,
    jwt: Option<JwtTimes>,
    assumed_ms: Option<f64>,
) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 seconds precision is of no interest")]
    let stated = expires_in_s.map(|seconds| seconds as f64 * 1_000.0);
    let readable = jwt.map(|times| (times.exp_s - times.iat_s) * 1_000.0).filter(|ms| *ms > 0.0);
    stated.or(readable).or(assumed_ms).filter(|ms| ms.is_finite())
}

/// When a token ends, on the page's [`crate::clock::Clock`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Deadline {
    /// The clock's milliseconds at which the token is over.
    pub(crate) ends_ms: f64,
    /// The whole lifetime in milliseconds.
    pub(crate) lifetime_ms: f64,
}

impl Deadline {
    /// Counts the lifetime from the moment the request was sent, since the relay's answer may have
    /// travelled for any part of the time between.
    pub(crate) fn new(sent_ms: f64, lifetime_ms: f64) -> Self {
        Self { ends_ms: sent_ms + lifetime_ms, lifetime_ms }
    }

    pub(crate) fn left_ms(&self, now_ms: f64) -> f64 {
        self.ends_ms - now_ms
    }

    /// Whether the token is to be handed out at `now_ms` to a caller who needs it for
    /// `min_lifetime_ms`; `None` asks for the default margin.
    pub(crate) fn serves(&self, now_ms: f64, min_lifetime_ms: Option<f64>) -> bool {
        let margin =
            min_lifetime_ms.unwrap_or_else(|| DEFAULT_MARGIN_MS.min(self.lifetime_ms * DEFAULT_MARGIN_SHARE));
        let left = self.left_ms(now_ms);
        left > 0.0 && left >= margin
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_relay_is_believed_before_the_token_and_the_token_before_the_caller() {
        let jwt = Some(JwtTimes { exp_s: 1_000.0, iat_s: 400.0 });
        assert_eq!(lifetime_ms(Some(540), jwt, Some(7.0)), Some(540_000.0));
        assert_eq!(lifetime_ms(None, jwt, Some(7.0)), Some(600_000.0));
        assert_eq!(lifetime_ms(None, None, Some(7.0)), Some(7.0));
        assert_eq!(lifetime_ms(None, None, None), None);
    }

    #[test]
    fn a_token_that_ends_before_it_begins_has_no_lifetime_of_its_own() {
        let backwards = Some(JwtTimes { exp_s: 1.0, iat_s: 2.0 });
        assert_eq!(lifetime_ms(None, backwards, None), None);
    }

    #[test]
    fn the_default_margin_leaves_short_lives_usable() {
        let second = Deadline::new(0.0, 1_000.0);
        assert!(second.serves(799.0, None));
        assert!(!second.serves(801.0, None));
        let hour = Deadline::new(0.0, 3_600_000.0);
        assert!(hour.serves(3_589_000.0, None));
        assert!(!hour.serves(3_591_000.0, None));
    }

    proptest! {
        #[test]
        fn nothing_serves_after_its_end(
            sent in 0.0..1e12_f64, lifetime in 0.0..4e10_f64, late in 0.0..1e12_f64,
            min in prop::option::of(0.0..1e9_f64),
        ) {
            let deadline = Deadline::new(sent, lifetime);
            prop_assert!(!deadline.serves(deadline.ends_ms + late, min));
        }

        #[test]
        fn asking_for_more_never_gets_less(
            lifetime in 1.0..4e10_f64, share in 0.0..1.0_f64, a in 0.0..1e9_f64, b in 0.0..1e9_f64,
        ) {
            let (deadline, now) = (Deadline::new(0.0, lifetime), lifetime * share);
            if deadline.serves(now, Some(a.max(b))) {
                prop_assert!(deadline.serves(now, Some(a.min(b))));
            }
        }
    }
}
