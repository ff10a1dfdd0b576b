//! The relay itself: who asks, may they, what may they see; then a token for exactly that.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use axum::http::header::CACHE_CONTROL;
use bytes::Bytes;
use qrvey_auth_wire::{DEFAULT_PROFILE, ProblemCode, TokenKind};
use sha2::{Digest, Sha256};

use crate::ask::Ask;
use crate::config::{Config, IdentityConfig};
use crate::fleet::{Fleet, FleetError};
use crate::grant::{Grant, Refusal};
use crate::identity::Identity;
use crate::limiter::{Limiter, counted_address};
use crate::metrics::{Gauges, Metrics};
use crate::mint::Minter;
use crate::minted::GrantKey;
use crate::order::Order;
use crate::policy::Profile;
use crate::principal::{KnownGrant, Principal};
use crate::problem::Failure;
use crate::upstream::{Upstream, admin_body};

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
    pub upstream: Arc<Upstream>,
    pub minter: Minter,
    pub fleet: Option<Fleet>,
    pub metrics: Arc<Metrics>,
    identity: Arc<Identity>,
    per_identity: Arc<Limiter<[u8; 32]>>,
    per_address: Arc<Limiter<IpAddr>>,
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
            upstream: Arc::new(Upstream::new(&config.platform, &config.limits)?),
            minter: Minter::new(config.reuse),
            per_identity: Arc::new(Limiter::per_minute(config.limits.requests_per_minute)),
            per_address: Arc::new(Limiter::per_minute(config.limits.requests_per_minute_per_address)),
            fleet: config.fleet.as_ref().map(Fleet::new).transpose()?,
            identity: Arc::new(identity),
            metrics,
            config,
        })
    }

    /// Another configuration, with whatever of this one's state still holds under it.
    pub(crate) fn succeeded_by(&self, config: Config) -> Result<Self, StartError> {
        let mut next = Self::new(config, Arc::clone(&self.metrics))?;
        let (old, new) = (&self.config.limits, &next.config.limits);
        if next.config.platform == self.config.platform {
            if next.config.reuse == self.config.reuse {
                next.minter = self.minter.clone();
            }
            if old == new {
                next.upstream = Arc::clone(&self.upstream);
            }
        }
        // What the other modes keep of callers follows from the profiles too.
        if let (IdentityConfig::Jwt(old), IdentityConfig::Jwt(new)) =
            (&self.config.identity, &next.config.identity)
            && old == new
        {
            next.identity = Arc::clone(&self.identity);
        }
        if old.requests_per_minute == new.requests_per_minute {
            next.per_identity = Arc::clone(&self.per_identity);
        }
        if old.requests_per_minute_per_address == new.requests_per_minute_per_address {
            next.per_address = Arc::clone(&self.per_address);
        }
        Ok(next)
    }

    /// Counts a request against its address, before anything is done for it.
    pub(crate) async fn admit_address(&self, ask: Ask<'_>) -> Result<(), Failure> {
        let Some(address) = ask.address.map(counted_address) else { return Ok(()) };
        self.per_address.admit(address, ask.came).map_err(rate_limited)?;
        let Some(fleet) = &self.fleet else { return Ok(()) };
        let limit = self.config.limits.requests_per_minute_per_address;
        fleet.admit("address", address.to_string().as_bytes(), limit).await.map_err(rate_limited)
    }

    /// The body of the answer with a Composer token of a profile.
    pub(crate) async fn composer_token(
        self: &Arc<Self>,
        ask: Ask<'_>,
        profile: Option<&str>,
    ) -> Result<Bytes, Failure> {
        let principal = self.identify(ask).await?;
        let name = profile.unwrap_or(DEFAULT_PROFILE);
        let profile = self.config.profiles.get(name).ok_or_else(Failure::unknown_profile)?;
        let grant = self.grant(&principal, name, profile).map_err(|refusal| {
            let request_id = ask.trail.request_id();
            tracing::info!(request_id, profile = name, reason = %refusal, "refused a Composer token");
            Failure::not_entitled()
        })?;
        self.fill(Order {
            kind: TokenKind::Composer,
            key: grant.key,
            body: grant.body.clone(),
            lifetime: Some(grant.lifetime),
            max_age: max_age(ask.headers),
            trail: *ask.trail,
        })
        .await
    }

    /// The body of the answer with an Admin Center token.
    pub(crate) async fn admin_token(self: &Arc<Self>, ask: Ask<'_>) -> Result<Bytes, Failure> {
        let principal = self.identify(ask).await?;
        let Some(admin) = &self.config.admin else {
            return Err(Failure::new(ProblemCode::UnknownProfile, "The relay gives no admin tokens."));
        };
        if !admin.require.is_met(principal.claims()) {
            let request_id = ask.trail.request_id();
            tracing::info!(request_id, reason = "admin.require is not met", "refused an admin token");
            return Err(Failure::not_entitled());
        }
        let body = admin_body(&admin.username.current(), &admin.access_key.current());
        self.fill(Order {
            kind: TokenKind::Admin,
            key: GrantKey::new(TokenKind::Admin, &self.config.platform.admin_domain, &body),
            body,
            lifetime: None,
            max_age: max_age(ask.headers),
            trail: *ask.trail,
        })
        .await
    }

    /// Forgets every token that the caller could have been given.
    pub(crate) async fn forget_tokens(&self, ask: Ask<'_>) -> Result<(), Failure> {
        let principal = self.identify(ask).await?;
        for (name, profile) in &self.config.profiles {
            if let Ok(grant) = self.grant(&principal, name, profile) {
                self.minter.forget(&grant.key);
                if let Some(fleet) = &self.fleet {
                    fleet.forget(&grant.key).await;
                }
            }
        }
        self.identity.forget(ask).await;
        Ok(())
    }

    fn grant(
        &self,
        principal: &Principal,
        name: &str,
        profile: &Profile,
    ) -> Result<Arc<KnownGrant>, Refusal> {
        principal.grant(name, || {
            let Grant { body, lifetime } =
                Grant::new(profile, self.config.platform.spelling, principal.claims())?;
            let key = GrantKey::new(TokenKind::Composer, &self.config.platform.domain, &body);
            Ok(KnownGrant { key, body: body.into_boxed_slice().into(), lifetime: lifetime.duration() })
        })
    }

    /// What the metrics say of this moment.
    pub(crate) fn gauges(&self) -> Gauges {
        Gauges {
            kept_tokens: self.minter.kept(),
            is_platform_left_alone: self.upstream.is_left_alone(),
            is_fleet_up: self.fleet.as_ref().is_some_and(Fleet::is_up),
        }
    }

    async fn identify(&self, ask: Ask<'_>) -> Result<Arc<Principal>, Failure> {
        let start = Instant::now();
        let principal = self.identity.principal(ask).await;
        self.metrics.identified(start.elapsed());
        let principal = principal?;
        if let Some(key) = self.identity_key(&principal, ask.address) {
            self.per_identity.admit(key, ask.came).map_err(rate_limited)?;
            if let Some(fleet) = &self.fleet {
                let limit = self.config.limits.requests_per_minute;
                fleet.admit("identity", &key, limit).await.map_err(rate_limited)?;
            }
        }
        Ok(principal)
    }

    /// Anonymous visitors are one principal, so they are counted by address.
    fn identity_key(&self, principal: &Principal, address: Option<IpAddr>) -> Option<[u8; 32]> {
        if !self.identity.is_anonymous() {
            return Some(principal.counted_as());
        }
        Some(Sha256::digest(counted_address(address?).to_string()).into())
    }
}

fn rate_limited(wait: Duration) -> Failure {
    Failure::new(ProblemCode::RateLimited, "Too many requests. Wait as long as Retry-After says.")
        .retry_after(wait)
}

/// `Cache-Control: max-age=5` of a request asks for a token that is no older than that, as after
/// the platform has revoked the one in hand. `no-cache` is ignored: browsers add it by themselves.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut directives = values.flat_map(|value| value.split(','));
    let seconds = directives.find_map(|directive| directive.trim().strip_prefix("max-age=")?.parse().ok())?;
    Some(Duration::from_secs(seconds))
}
