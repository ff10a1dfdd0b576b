//! Mints: one at a time for each distinct grant, shared by all who ask, and reused for a while.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use quick_cache::sync::Cache;

use crate::config::Reuse;
use crate::minted::{GrantKey, Kept, Minted};
use crate::problem::Failure;

/// How an answer came about, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// The platform was asked for this caller.
    Minted,
    /// The platform was being asked by somebody else for the same grant.
    Shared,
    /// Another replica's answer was still good.
    Fleet,
    /// An earlier answer was still good.
    Reused,
    /// An earlier answer was past its share of the lifetime, but the platform gave no new one.
    Stale,
}

impl How {
    pub(crate) const ALL: [Self; 5] = [Self::Minted, Self::Shared, Self::Fleet, Self::Reused, Self::Stale];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Minted => "minted",
            Self::Shared => "shared",
            Self::Fleet => "fleet",
            Self::Reused => "reused",
            Self::Stale => "stale",
        }
    }
}

type Outcome = Result<Arc<Minted>, Failure>;

/// A mint under way.
struct Flight {
    /// Tells it from a later one for the same grant.
    number: u64,
    outcome: Shared<BoxFuture<'static, Outcome>>,
}

/// The tokens in use, and the mints under way.
#[derive(Clone)]
pub(crate) struct Minter {
    inner: Arc<Inner>,
}

struct Inner {
    kept: Cache<GrantKey, Arc<Minted>>,
    flights: Mutex<HashMap<GrantKey, Flight>>,
    last_number: AtomicU64,
    reuse: Reuse,
    /// How long a caller who could have a still-valid token waits for a fresh one.
    patience: Duration,
}

const PATIENCE: Duration = Duration::from_secs(1);

impl Minter {
    pub(crate) fn new(reuse: Reuse) -> Self {
        let kept = Cache::new(reuse.max_entries);
        let (flights, last_number) = (Mutex::default(), AtomicU64::default());
        Self { inner: Arc::new(Inner { kept, flights, last_number, reuse, patience: PATIENCE }) }
    }

    /// Gives a token for the grant: a kept one, one that is being minted, or a new one from `mint`.
    /// `max_age`: no token that was minted longer ago than this. `mint` gets the number of its flight, and
    /// the greatest age of what it may find elsewhere.
    ///
    /// A mint goes on when its callers have left, so that whoever asks next has use of it.
    pub(crate) async fn token<F>(
        &self,
        key: GrantKey,
        max_age: Option<Duration>,
        mint: impl Fn(u64, Option<Duration>) -> F,
    ) -> (Result<Kept, Failure>, How)
    where
        F: Future<Output = Result<Minted, Failure>> + Send + 'static,
    {
        let kept = self.inner.kept(&key, max_age);
        if let Some(kept) = kept.as_ref().filter(|kept| self.inner.is_fresh(kept)) {
            if self.inner.is_due_for_renewal(kept) {
                // Nobody waits for it: its task goes on by itself.
                drop(self.join_or_start(key, Some(self.inner.renewal_age(kept)), mint));
            }
            return (Ok(kept.clone()), How::Reused);
        }
        let Some(kept) = kept else { return self.minted(key, max_age, mint).await };
        let minted = self.minted(key, max_age, mint);
        let Ok((minted, how)) = tokio::time::timeout(self.inner.patience, minted).await else {
            return (Ok(Kept::new(kept.minted)), How::Stale);
        };
        let kept = Kept::new(kept.minted);
        if minted.is_err() && !kept.is_over() { (Ok(kept), How::Stale) } else { (minted, how) }
    }

    /// A token from the mint that is under way, or else from a new one.
    async fn minted<F>(
        &self,
        key: GrantKey,
        max_age: Option<Duration>,
        mint: impl Fn(u64, Option<Duration>) -> F,
    ) -> (Result<Kept, Failure>, How)
    where
        F: Future<Output = Result<Minted, Failure>> + Send + 'static,
    {
        let start = Instant::now();
        loop {
            let (flight, how) = match self.join_or_start(key, max_age, &mint) {
                Joined::Flight(flight, how) => (flight, how),
                Joined::Landed(minted) => return (Ok(minted), How::Shared),
            };
            let minted = flight.await.map(Kept::new);
            // Whoever started it may have been content with an older token of another replica.
            let is_too_old = |it: &Kept| {
                it.minted.is_by_another_replica
                    && max_age.is_some_and(|max_age| it.age() > max_age.saturating_add(start.elapsed()))
            };
            if how == How::Minted || !minted.as_ref().is_ok_and(is_too_old) {
                return (minted, how);
            }
        }
    }

    /// Forgets the grant's token, so that the next caller gets a new one. Who waits for one still gets
    /// it, but it is not kept.
    pub(crate) fn forget(&self, key: &GrantKey) {
        let mut flights = self.inner.flights();
        flights.remove(key);
        self.inner.kept.remove(key);
    }

    /// Whether this flight is still the grant's, which was not forgotten meanwhile.
    pub(crate) fn is_under_way(&self, key: &GrantKey, number: u64) -> bool {
        is_current(&self.inner.flights(), key, number)
    }

    /// How many tokens are kept. Those that are over go, if others have not taken their place yet.
    pub(crate) fn kept(&self) -> usize {
        self.inner.kept.retain(|_, minted| !Kept::new(Arc::clone(minted)).is_over());
        self.inner.kept.len()
    }

    fn join_or_start<F>(
        &self,
        key: GrantKey,
        max_age: Option<Duration>,
        mint: impl FnOnce(u64, Option<Duration>) -> F,
    ) -> Joined
    where
        F: Future<Output = Result<Minted, Failure>> + Send + 'static,
    {
        let mut flights = self.inner.flights();
        if let Some(flight) = flights.get(&key) {
            return Joined::Flight(flight.outcome.clone(), How::Shared);
        }
        // Looked at once more under the lock: a flight may have landed since.
        if let Some(kept) = self.inner.kept(&key, max_age).filter(|kept| self.inner.is_fresh(kept)) {
            return Joined::Landed(kept);
        }
        // A task of its own, so that it neither stops with its first caller nor waits to be polled.
        let number = self.inner.last_number.fetch_add(1, Ordering::Relaxed);
        let task = tokio::spawn(Arc::clone(&self.inner).land(key, number, mint(number, max_age)));
        let outcome = task.map(|joined| joined.unwrap_or_else(|_| Err(Failure::internal()))).boxed().shared();
        flights.insert(key, Flight { number, outcome: outcome.clone() });
        Joined::Flight(outcome, How::Minted)
    }
}

enum Joined {
    Flight(Shared<BoxFuture<'static, Outcome>>, How),
    Landed(Kept),
}

/// A kept token asked for at least so often is renewed before its share of the lifetime is over.
const USES_WORTH_RENEWAL: u32 = 3;
/// Of the share, the percentage after which that is done.
const RENEWAL_PERCENT: u32 = 75;

impl Inner {
    fn kept(&self, key: &GrantKey, max_age: Option<Duration>) -> Option<Kept> {
        let kept = self.kept.get(key).map(Kept::new)?;
        let is_young = max_age.is_none_or(|max_age| kept.age() <= max_age);
        (is_young && !kept.is_over()).then_some(kept)
    }

    fn is_fresh(&self, kept: &Kept) -> bool {
        kept.age() < self.share(kept)
    }

    fn share(&self, kept: &Kept) -> Duration {
        self.reuse.share_of(kept.minted.lifetime.unwrap_or_default())
    }

    /// Says yes once for each token, so that a failing renewal is not tried at every request.
    fn is_due_for_renewal(&self, kept: &Kept) -> bool {
        kept.minted.count_use() >= USES_WORTH_RENEWAL
            && kept.age() >= self.renewal_age(kept)
            && kept.minted.claim_renewal()
    }

    fn renewal_age(&self, kept: &Kept) -> Duration {
        self.share(kept) * RENEWAL_PERCENT / 100
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<GrantKey, Flight>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn land(
        self: Arc<Self>,
        key: GrantKey,
        number: u64,
        mint: impl Future<Output = Result<Minted, Failure>> + Send,
    ) -> Outcome {
        // Removed on every way out, a panic of the mint included.
        let landing = Landing { inner: &self, key, number };
        let outcome = mint.await.map(Arc::new);
        if let Ok(minted) = &outcome
            && minted.lifetime.is_some()
            && self.reuse.lifetime_percent > 0
        {
            let flights = self.flights();
            // Whoever has signed out meanwhile wants nothing of it kept.
            if is_current(&flights, &key, number) {
                self.kept.insert(key, Arc::clone(minted));
            }
        }
        drop(landing);
        outcome
    }
}

/// Whether this flight is the grant's, and neither forgotten nor followed by another.
fn is_current(flights: &HashMap<GrantKey, Flight>, key: &GrantKey, number: u64) -> bool {
    flights.get(key).is_some_and(|flight| flight.number == number)
}

struct Landing<'a> {
    inner: &'a Inner,
    key: GrantKey,
    number: u64,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        let mut flights = self.inner.flights();
        if is_current(&flights, &self.key, self.number) {
            flights.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use qrvey_auth_wire::{Token, TokenKind};

    use super::*;
    use crate::minted::FreshToken;
    use crate::moment::Moment;

    const LIFETIME: Duration = Duration::from_secs(100);

    /// Counts mints, each of which is as old as told.
    struct Platform {
        mints: Arc<AtomicUsize>,
        age: Duration,
    }

    impl Platform {
        fn new(age: Duration) -> Self {
            Self { mints: Arc::default(), age }
        }

        async fn ask(&self, minter: &Minter, key: GrantKey) -> (Result<Kept, Failure>, How) {
            let (mints, asked) = (Arc::clone(&self.mints), Moment::now().earlier(self.age));
            let mint = move |_, _| {
                let mints = Arc::clone(&mints);
                async move {
                    let number = mints.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    Ok(minted(&format!("t{number}"), asked, false))
                }
            };
            minter.token(key, None, mint).await
        }

        fn mints(&self) -> usize {
            self.mints.load(Ordering::SeqCst)
        }
    }

    fn minted(token: &str, asked: Moment, is_by_another_replica: bool) -> Minted {
        let token = Token::parse(token).unwrap();
        let fresh = FreshToken { token, asked, lifetime: Some(LIFETIME), is_by_another_replica };
        Minted::new(fresh, None, "https://tenant.example".to_owned())
    }

    fn minter() -> Minter {
        Minter::new(Reuse { lifetime_percent: 80, max_entries: 100 })
    }

    fn key(body: &str) -> GrantKey {
        GrantKey::new(TokenKind::Composer, "https://a", body.as_bytes())
    }

    #[tokio::test]
    async fn a_token_is_reused_for_its_share_and_no_longer() {
        for (age, mints) in [(0, 1), (79, 1), (81, 2)] {
            let (minter, platform) = (minter(), Platform::new(Duration::from_secs(age)));
            for _ in 0..2 {
                platform.ask(&minter, key("a")).await.0.unwrap();
            }
            assert_eq!(platform.mints(), mints, "{age} s old");
        }
    }

    #[tokio::test]
    async fn a_popular_token_is_renewed_in_the_background_once() {
        let (minter, platform) = (minter(), Platform::new(Duration::from_secs(70)));
        for _ in 0..6 {
            platform.ask(&minter, key("a")).await.0.unwrap();
            tokio::task::yield_now().await;
        }
        assert_eq!(platform.mints(), 2, "asked and renewed");
        let young = Platform::new(Duration::from_secs(10));
        for _ in 0..10 {
            young.ask(&minter, key("b")).await.0.unwrap();
        }
        assert_eq!(young.mints(), 1);
    }

    #[tokio::test]
    async fn however_many_grants_are_asked_for_only_so_many_tokens_are_kept() {
        let (minter, platform) = (minter(), Platform::new(Duration::ZERO));
        for number in 0..5_000 {
            assert!(platform.ask(&minter, key(&number.to_string())).await.0.is_ok());
        }
        assert!(minter.kept() <= 100);
        assert!(minter.inner.flights().is_empty());
    }

    #[tokio::test]
    async fn a_token_that_is_forgotten_while_it_is_minted_is_not_kept() {
        let (minter, platform) = (minter(), Platform::new(Duration::ZERO));
        let mut first = Box::pin(platform.ask(&minter, key("a")));
        assert!(first.as_mut().now_or_never().is_none());
        minter.forget(&key("a"));
        assert!(first.await.0.is_ok(), "who asked before still gets it");
        let second = platform.ask(&minter, key("a")).await.0.unwrap();
        assert_eq!(platform.mints(), 2);
        let third = platform.ask(&minter, key("a")).await.0.unwrap();
        assert!(Arc::ptr_eq(&second.minted, &third.minted));
        // Nor does the earlier one take the later one's place.
        let mut fourth = Box::pin(platform.ask(&minter, key("b")));
        assert!(fourth.as_mut().now_or_never().is_none());
        minter.forget(&key("b"));
        let mut fifth = Box::pin(platform.ask(&minter, key("b")));
        assert!(fifth.as_mut().now_or_never().is_none());
        let (fourth, fifth) = (fourth.await.0.unwrap(), fifth.await.0.unwrap());
        assert!(!Arc::ptr_eq(&fourth.minted, &fifth.minted));
        let sixth = platform.ask(&minter, key("b")).await.0.unwrap();
        assert!(Arc::ptr_eq(&fifth.minted, &sixth.minted) && platform.mints() == 4);
        assert!(minter.inner.flights().is_empty());
    }

    #[tokio::test]
    async fn who_wants_a_young_token_is_not_content_with_an_old_one_of_another_replica() {
        let (minter, max_age) = (minter(), Some(Duration::ZERO));
        let asked = Moment::now().earlier(Duration::from_secs(50));
        let find = move |_, _| async move {
            tokio::task::yield_now().await;
            Ok(minted("found", asked, true))
        };
        let mut content = Box::pin(minter.token(key("a"), None, find));
        assert!(content.as_mut().now_or_never().is_none());
        let mint = |_, _| async { Ok(minted("new", Moment::now(), false)) };
        let (forced, how) = minter.token(key("a"), max_age, mint).await;
        assert_eq!((forced.unwrap().age() < LIFETIME / 10, how), (true, How::Minted));
        assert!(content.await.0.unwrap().age() > LIFETIME / 10);
    }

    #[tokio::test]
    async fn a_mint_that_panics_fails_and_the_next_works() {
        let minter = minter();
        let failing = |_, _| async { panic!("a deliberate fault") };
        let (outcome, _) = minter.token(key("a"), None, failing).await;
        assert_eq!(outcome.unwrap_err(), Failure::internal());
        let platform = Platform::new(Duration::ZERO);
        assert!(platform.ask(&minter, key("a")).await.0.is_ok());
    }
}
