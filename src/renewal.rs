//! When to renew a watched token: ahead of its end while all is well, with backoff while it is not.

use crate::backoff;
use crate::error::Code;
use crate::lifetime::Deadline;

/// The share of its lifetime after which a token is renewed, and what chance adds to it, so that the
/// tabs and users of one page do not all come at once. A relay hands out a token it holds for the
/// first 80 % of its life, so asking sooner would often bring the same token again.
const SHARE: f64 = 0.8;
const SHARE_JITTER: f64 = 0.1;
/// However short tokens live, no more renewals than one in this time, in milliseconds.
const FLOOR_MS: f64 = 500.0;
/// While renewal fails, an event that promises better luck (online, visible) is followed up at once,
/// but not more often than this, in milliseconds.
const PATIENCE_MS: f64 = 1_000.0;

/// What is to be done about a watched token, and when to look again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Step {
    Renew,
    /// Nothing for so many milliseconds.
    Wait(f64),
    /// Nothing until somebody asks.
    Rest,
}

/// The renewal of one watched token. Times are those of the page's [`crate::clock::Clock`].
#[derive(Debug)]
pub(crate) struct Renewal {
    deadline: Option<Deadline>,
    renew_at_ms: Option<f64>,
    failures: u32,
    tried_at_ms: f64,
    is_over_told: bool,
}

impl Renewal {
    /// A renewal of a token that has just been received. `random` is a number from 0 up to 1.
    pub(crate) fn of(deadline: Option<Deadline>, now_ms: f64, random: f64) -> Self {
        let mut renewal =
            Self { deadline, renew_at_ms: None, failures: 0, tried_at_ms: now_ms, is_over_told: false };
        renewal.receive(deadline, now_ms, random);
        renewal
    }

    /// Takes the token that has come in the place of another. One that is over at once is no better than
    /// a failure, and is followed up no sooner.
    pub(crate) fn receive(&mut self, deadline: Option<Deadline>, now_ms: f64, random: f64) {
        self.deadline = deadline;
        self.is_over_told = false;
        if deadline.is_some_and(|deadline| deadline.left_ms(now_ms) < FLOOR_MS) {
            self.back_off(None, now_ms, random);
            return;
        }
        self.failures = 0;
        self.renew_at_ms = deadline.map(|deadline| {
            let share = SHARE + SHARE_JITTER * random;
            (deadline.ends_ms - deadline.lifetime_ms * (1.0 - share)).max(now_ms + FLOOR_MS)
        });
    }

    pub(crate) fn step(&self, now_ms: f64) -> Step {
        let over_at_ms = self.deadline.filter(|_| !self.is_over_told).map(|deadline| deadline.ends_ms);
        match self.renew_at_ms {
            Some(at_ms) if at_ms <= now_ms => Step::Renew,
            Some(at_ms) => Step::Wait(
                over_at_ms.filter(|over| *over > now_ms).map_or(at_ms, |over| over.min(at_ms)) - now_ms,
            ),
            None => over_at_ms.map_or(Step::Rest, |over_at_ms| Step::Wait((over_at_ms - now_ms).max(0.0))),
        }
    }

    /// A renewal failed. Returns the milliseconds until the next try; `None` if there will be none,
    /// because nothing that this page can do alone would change the answer.
    pub(crate) fn failed(
        &mut self,
        code: Code,
        retry_after_s: Option<f64>,
        now_ms: f64,
        random: f64,
    ) -> Option<f64> {
        if code.is_final() {
            self.renew_at_ms = None;
            return None;
        }
        Some(self.back_off(retry_after_s, now_ms, random))
    }

    fn back_off(&mut self, retry_after_s: Option<f64>, now_ms: f64, random: f64) -> f64 {
        // Its first two steps were the retries within the call that failed.
        let delay_ms = backoff::delay_ms(self.failures + 2, retry_after_s, random).max(FLOOR_MS);
        self.failures += 1;
        self.tried_at_ms = now_ms;
        self.renew_at_ms = Some(now_ms + delay_ms);
        delay_ms
    }

    /// The page became visible or came online: a renewal that failed may succeed now.
    pub(crate) fn encourage(&mut self, now_ms: f64) {
        if self.failures > 0 && self.renew_at_ms.is_some() && now_ms >= self.tried_at_ms + PATIENCE_MS {
            self.renew_at_ms = Some(now_ms);
        }
    }

    /// Somebody asks for what may have been given up.
    pub(crate) fn resume(&mut self, now_ms: f64, random: f64) {
        if self.renew_at_ms.is_none() {
            self.receive(self.deadline, now_ms, random);
        }
    }

    /// Whether the token has just ended with no other in its place; true once.
    pub(crate) fn is_over(&mut self, now_ms: f64) -> bool {
        let is_over = self.deadline.is_some_and(|deadline| deadline.left_ms(now_ms) <= 0.0);
        is_over && !std::mem::replace(&mut self.is_over_told, true)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn minute() -> Renewal {
        Renewal::of(Some(Deadline::new(0.0, 60_000.0)), 0.0, 0.5)
    }

    #[test]
    fn renews_at_a_jittered_share_of_the_lifetime() {
        let at = |random| match Renewal::of(Some(Deadline::new(0.0, 100_000.0)), 0.0, random).step(0.0) {
            Step::Wait(ms) => ms,
            step => panic!("{step:?}"),
        };
        assert!((at(0.0) - 80_000.0).abs() < 1.0);
        assert!((at(1.0) - 90_000.0).abs() < 1.0);
        assert_eq!(minute().step(51_000.1), Step::Renew);
    }

    #[test]
    fn an_unknown_lifetime_is_never_renewed_by_time() {
        assert_eq!(Renewal::of(None, 0.0, 0.5).step(1e12), Step::Rest);
    }

    #[test]
    fn a_refusal_ends_it_and_the_end_of_the_token_is_told_once() {
        let mut renewal = minute();
        assert_eq!(renewal.failed(Code::NotSignedIn, None, 51_000.0, 0.5), None);
        renewal.encourage(55_000.0);
        assert_eq!(renewal.step(55_000.0), Step::Wait(5_000.0));
        assert!(!renewal.is_over(59_999.0));
        assert!(renewal.is_over(60_000.0));
        assert!(!renewal.is_over(60_001.0));
        assert_eq!(renewal.step(60_001.0), Step::Rest);
    }

    #[test]
    fn a_failure_backs_off_and_good_news_shorten_the_wait() {
        let mut renewal = minute();
        let delay = renewal.failed(Code::RelayUnreachable, Some(30.0), 51_000.0, 0.0).unwrap();
        assert_eq!(delay, 30_000.0);
        assert_eq!(renewal.step(51_000.0), Step::Wait(9_000.0), "the token's end comes first");
        renewal.encourage(51_500.0);
        assert_ne!(renewal.step(51_500.0), Step::Renew, "too soon after the last try");
        renewal.encourage(52_000.0);
        assert_eq!(renewal.step(52_000.0), Step::Renew);
    }

    #[test]
    fn tokens_that_are_over_at_once_are_followed_up_ever_more_slowly_until_one_lasts() {
        for lifetime_ms in [0.0, 1.0, FLOOR_MS] {
            let token = |now| Some(Deadline::new(now - 5.0, lifetime_ms));
            let (mut now, mut renewals) = (0.0, 0);
            let mut renewal = Renewal::of(token(now), now, 0.5);
            while now < 3_600_000.0 {
                match renewal.step(now) {
                    Step::Wait(ms) => now += ms,
                    step => {
                        assert_eq!(step, Step::Renew);
                        renewals += 1;
                        renewal.receive(token(now), now, 0.5);
                    }
                }
                renewal.is_over(now);
            }
            assert!((300..400).contains(&renewals), "{renewals} in an hour");
            renewal.receive(Some(Deadline::new(now, 60_000.0)), now, 0.5);
            assert_eq!(renewal.step(now), Step::Wait(51_000.0));
            renewal.encourage(now + PATIENCE_MS);
            assert_ne!(renewal.step(now + PATIENCE_MS), Step::Renew);
        }
    }

    #[test]
    fn good_news_do_not_hurry_a_token_that_is_well() {
        let mut renewal = minute();
        renewal.encourage(10_000.0);
        assert_ne!(renewal.step(10_000.0), Step::Renew);
    }

    proptest! {
        #[test]
        fn never_a_hot_loop(
            lifetimes in prop::collection::vec(0.0..5e3_f64, 1..30), random in 0.0..1.0_f64, fails in any::<bool>(),
        ) {
            let (mut now, mut renewals) = (0.0, 0_u32);
            let mut renewal = Renewal::of(Some(Deadline::new(now, lifetimes[0])), now, random);
            for lifetime in lifetimes.iter().cycle().take(200) {
                match renewal.step(now) {
                    Step::Renew if fails => {
                        renewals += 1;
                        renewal.failed(Code::RelayUnreachable, None, now, random);
                    }
                    Step::Renew => {
                        renewals += 1;
                        renewal.receive(Some(Deadline::new(now, *lifetime)), now, random);
                    }
                    Step::Wait(ms) => {
                        prop_assert!(ms > 0.0 || renewal.is_over(now));
                        now += ms;
                        renewal.is_over(now);
                    }
                    Step::Rest => break,
                }
            }
            prop_assert!(f64::from(renewals) <= now / FLOOR_MS + 1.0, "{renewals} in {now} ms");
        }

        #[test]
        fn renews_before_the_end_of_a_token_that_lives_long_enough(
            lifetime in 6_000.0..4e10_f64, random in 0.0..1.0_f64,
        ) {
            let renewal = Renewal::of(Some(Deadline::new(0.0, lifetime)), 0.0, random);
            prop_assert!(matches!(renewal.step(0.0), Step::Wait(ms) if ms <= lifetime * 0.901));
        }
    }
}
