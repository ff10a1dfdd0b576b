//! The relay itself: who asks, may they, what may they see; then a token for exactly that.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use qrvey_auth_wire::{DEFAULT_PROFILE, ProblemCode, TokenAnswer};
use sha2::{Digest, Sha256};
use tracing::Instrument;

use crate::claims::{ClaimPath, Claims, Scalar};
use crate::config::Config;
use crate::fleet::{Fleet, FleetError, Turn};
use crate::grant::Grant;
use crate::identity::{Caller, Identity};
use crate::limiter::{Limiter, counted_address};
use crate::metrics::{Gauges, Metrics};
use crate::mint::{How, Minter};
use crate::minted::{GrantKey, Kind, Minted};
use crate::moment::Moment;
use crate::problem::Failure;
use crate::trace::TraceParent;
use crate::upstream::{Upstream, UpstreamError, admin_body};

/// Why the relay cannot start with a configuration that is right in itself.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The TLS library or the system's root certificates cannot be used.
    #[error("cannot set up the HTTP client: {0}")]
    HttpClient(#[from] reqwest::Error),
    /// What replicas are to share cannot be set up.
    #[error(transparent)]
    Fleet(#[from] FleetError),
}

/// One configuration at work.
pub(crate) struct Engine {
    pub config: Config,
    identity: Identity,
    upstream: Upstream,
    minter: Minter,
    fleet: Option<Fleet>,
    metrics: Arc<Metrics>,
    per_identity: Arc<Limiter<[u8; 32]>>,
    per_address: Arc<Limiter<IpAddr>>,
}

/// A request as far as the engine needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub headers: &'a HeaderMap,
    pub peer: Option<IpAddr>,
    /// The peer, or whom a trusted proxy speaks for.
    pub address: Option<IpAddr>,
    pub request_id: &'a str,
    pub trace: Option<&'a TraceParent>,
}

impl<'a> Ask<'a> {
    fn caller(self) -> Caller<'a> {
        Caller { headers: self.headers, peer: self.peer, request_id: self.request_id, trace: self.trace }
    }
}

/// What is minted: everything that the platform is told, and for how long it holds.
struct Order {
    kind: Kind,
    body: Vec<u8>,
    lifetime: Option<Duration>,
}

impl Engine {
    pub(crate) fn new(config: Config, metrics: Arc<Metrics>) -> Result<Self, StartError> {
        let identity = Identity::new(&config.identity)?;
        if identity.is_anonymous() {
            tracing::warn!(
                "identity.mode is \"anonymous\": whoever can reach this relay gets a token, without signing in"
            );
        }
        Ok(Self {
            upstream: Upstream::new(&config.platform, &config.limits)?,
            minter: Minter::new(config.reuse),
            per_identity: Arc::new(Limiter::per_minute(config.limits.requests_per_minute)),
            per_address: Arc::new(Limiter::per_minute(config.limits.requests_per_minute_per_address)),
            fleet: config.fleet.as_ref().map(Fleet::new).transpose()?,
            identity,
            metrics,
            config,
        })
    }

    /// Another configuration, with whatever of this one's state still holds under it.
    pub(crate) fn succeeded_by(&self, config: Config) -> Result<Self, StartError> {
        let mut next = Self::new(config, Arc::clone(&self.metrics))?;
        if next.config.platform == self.config.platform && next.config.reuse == self.config.reuse {
            next.minter = self.minter.clone();
        }
        let (old, new) = (&self.config.limits, &next.config.limits);
        if old.requests_per_minute == new.requests_per_minute {
            next.per_identity = Arc::clone(&self.per_identity);
        }
        if old.requests_per_minute_per_address == new.requests_per_minute_per_address {
            next.per_address = Arc::clone(&self.per_address);
        }
        Ok(next)
    }

    /// Counts a request against its address, before anything is done for it.
    pub(crate) async fn admit_address(&self, address: Option<IpAddr>) -> Result<(), Failure> {
        let Some(address) = address.map(counted_address) else { return Ok(()) };
        self.per_address.admit(address).map_err(rate_limited)?;
        let limit = self.config.limits.requests_per_minute_per_address;
        self.admit_by_fleet("address", address.to_string().as_bytes(), limit).await
    }

    async fn admit_by_fleet(&self, what: &str, key: &[u8], per_minute: u32) -> Result<(), Failure> {
        match &self.fleet {
            Some(fleet) => fleet.admit(what, key, per_minute).await.map_err(rate_limited),
            None => Ok(()),
        }
    }

    /// A Composer token of a profile.
    pub(crate) async fn composer_token(
        self: &Arc<Self>,
        ask: Ask<'_>,
        profile: Option<&str>,
    ) -> Result<TokenAnswer, Failure> {
        let claims = self.identify(ask).await?;
        let order = self.composer_order(profile.unwrap_or(DEFAULT_PROFILE), &claims)?;
        self.fill(order, max_age(ask.headers)).await
    }

    /// An Admin Center token.
    pub(crate) async fn admin_token(self: &Arc<Self>, ask: Ask<'_>) -> Result<TokenAnswer, Failure> {
        let claims = self.identify(ask).await?;
        let order = self.admin_order(&claims)?;
        self.fill(order, max_age(ask.headers)).await
    }

    /// Forgets every token that the caller could have been given.
    pub(crate) async fn forget_tokens(&self, ask: Ask<'_>) -> Result<(), Failure> {
        let claims = self.identify(ask).await?;
        for profile in self.config.profiles.values() {
            if let Ok(grant) = Grant::new(profile, self.config.platform.spelling, &claims) {
                let key = GrantKey::new(Kind::Composer, &grant.body);
                self.minter.forget(&key);
                if let Some(fleet) = &self.fleet {
                    fleet.forget(&key).await;
                }
            }
        }
        self.identity.forget(ask.caller()).await;
        Ok(())
    }

    /// What the metrics say of this moment.
    pub(crate) fn gauges(&self) -> Gauges {
        Gauges {
            kept_tokens: self.minter.kept(),
            is_platform_left_alone: self.upstream.is_left_alone(),
            is_fleet_up: self.fleet.as_ref().is_some_and(Fleet::is_up),
        }
    }

    async fn identify(&self, ask: Ask<'_>) -> Result<Arc<Claims>, Failure> {
        let start = Instant::now();
        let caller = ask.caller();
        let claims = self.identity.claims(caller).await;
        self.metrics.identified(start.elapsed());
        let claims = claims?;
        if let Some(key) = self.identity_key(&claims, ask.address) {
            self.per_identity.admit(key).map_err(rate_limited)?;
            self.admit_by_fleet("identity", &key, self.config.limits.requests_per_minute).await?;
        }
        Ok(claims)
    }

    /// Whom a request is counted against: the `sub` claim, or all claims where there is none.
    /// Anonymous visitors share their claims, so they are counted by address.
    fn identity_key(&self, claims: &Claims, address: Option<IpAddr>) -> Option<[u8; 32]> {
        let bytes = if self.identity.is_anonymous() {
            counted_address(address?).to_string().into_bytes()
        } else {
            match claims.read::<Scalar>(&ClaimPath::top_level("sub")) {
                Ok(subject) => serde_json::Value::from(subject).to_string().into_bytes(),
                Err(_) => claims.canonical_bytes(),
            }
        };
        Some(Sha256::digest(bytes).into())
    }

    fn composer_order(&self, profile: &str, claims: &Claims) -> Result<Order, Failure> {
        let (name, profile) =
            self.config.profiles.get_key_value(profile).ok_or_else(Failure::unknown_profile)?;
        let grant = Grant::new(profile, self.config.platform.spelling, claims).map_err(|refusal| {
            tracing::info!(profile = %name, reason = %refusal, "refused a Composer token");
            Failure::not_entitled()
        })?;
        Ok(Order { kind: Kind::Composer, body: grant.body, lifetime: Some(grant.lifetime.duration()) })
    }

    fn admin_order(&self, claims: &Claims) -> Result<Order, Failure> {
        let Some(admin) = &self.config.admin else {
            return Err(Failure::new(ProblemCode::UnknownProfile, "The relay gives no admin tokens."));
        };
        if !admin.require.is_met(claims) {
            tracing::info!(reason = "admin.require is not met", "refused an admin token");
            return Err(Failure::not_entitled());
        }
        let body = admin_body(&admin.username.current(), &admin.access_key.current());
        Ok(Order { kind: Kind::Admin, body, lifetime: None })
    }

    async fn fill(self: &Arc<Self>, order: Order, max_age: Option<Duration>) -> Result<TokenAnswer, Failure> {
        let kind = order.kind;
        let key = GrantKey::new(kind, &order.body);
        // Nobody knows how long an admin token lives, so there is no renewal for tabs to share.
        let api_key = self.config.api_key.as_ref().filter(|_| kind == Kind::Composer);
        let grant = api_key.map(|api_key| key.public_name(&api_key.current()));
        let mint = || Arc::clone(self).mint_once_in_fleet(key, max_age, order).in_current_span();
        let (outcome, how) = self.minter.token(key, max_age, mint).await;
        let minted = outcome?;
        let how = if how == How::Minted && minted.is_by_another_replica { How::Fleet } else { how };
        self.metrics.token_given(kind, how);
        Ok(TokenAnswer {
            token: minted.token.clone(),
            expires_in: minted.seconds_left(),
            grant,
            domain: Some(self.config.platform.public_domain.clone()),
        })
    }

    /// Mints, unless another replica has just done so or is at it.
    async fn mint_once_in_fleet(
        self: Arc<Self>,
        key: GrantKey,
        max_age: Option<Duration>,
        order: Order,
    ) -> Result<Minted, Failure> {
        // An admin token's lifetime is unknown, so it is never kept, here or elsewhere.
        let Some(fleet) = self.fleet.as_ref().filter(|_| order.lifetime.is_some()) else {
            return self.mint(order).await;
        };
        if let Some(minted) = self.shared_by_fleet(fleet, &key, max_age).await {
            return Ok(minted);
        }
        let turn = fleet.take_turn(&key, self.config.limits.upstream_timeout).await;
        let shared = match turn {
            Turn::First => None,
            Turn::AfterAnother => self.shared_by_fleet(fleet, &key, max_age).await,
        };
        let result = match shared {
            Some(minted) => Ok(minted),
            None => {
                let minted = self.mint(order).await;
                if let Ok(minted) = &minted {
                    fleet.share(&key, minted).await;
                }
                minted
            }
        };
        fleet.end_turn(&key).await;
        result
    }

    async fn shared_by_fleet(
        &self,
        fleet: &Fleet,
        key: &GrantKey,
        max_age: Option<Duration>,
    ) -> Option<Minted> {
        let shared = fleet.find(key).await?;
        let is_young = shared.age < self.config.reuse.share_of(shared.lifetime)
            && max_age.is_none_or(|max_age| shared.age <= max_age);
        let asked = Moment::now().earlier(shared.age);
        is_young.then(|| Minted::by_another_replica(shared.token, asked, shared.lifetime))
    }

    async fn mint(self: &Arc<Self>, order: Order) -> Result<Minted, Failure> {
        let in_flight = self.metrics.mint_starts();
        let (start, asked) = (Instant::now(), Moment::now());
        let result = match (order.kind, &self.config.api_key) {
            (Kind::Composer, Some(api_key)) => {
                self.upstream.composer_token(&api_key.current(), order.body).await
            }
            (Kind::Composer, None) => return Err(Failure::internal()),
            (Kind::Admin, _) => self.upstream.admin_token(order.body).await,
        };
        drop(in_flight);
        self.metrics.mint_ends(order.kind, result.as_ref().err().copied(), start.elapsed());
        match result {
            Ok(token) => Ok(Minted::new(token, asked, order.lifetime)),
            Err(error) => {
                let kind = order.kind.as_str();
                match error {
                    UpstreamError::Refused { credential, .. } => {
                        tracing::error!(kind, credential, %error, "the platform refused a credential");
                    }
                    _ => tracing::warn!(kind, %error, "the platform gave no token"),
                }
                Err(error.into())
            }
        }
    }
}

fn rate_limited(wait: Duration) -> Failure {
    Failure::new(ProblemCode::RateLimited, "Too many requests. Wait as long as Retry-After says.")
        .retry_after(wait)
}

/// `Cache-Control: max-age=5` of a request asks for a token that is no older than that, as after
/// the platform has revoked the one in hand. `no-cache` is ignored: browsers add it by themselves.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all("cache-control").iter().filter_map(|value| value.to_str().ok());
    let mut directives = values.flat_map(|value| value.split(','));
    let seconds = directives.find_map(|directive| directive.trim().strip_prefix("max-age=")?.parse().ok())?;
    Some(Duration::from_secs(seconds))
}
