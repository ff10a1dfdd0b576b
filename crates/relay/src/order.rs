//! What happens when it is settled what a caller gets: a token that is there already, that another
//! replica has, or that the platform is asked for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use qrvey_auth_wire::TokenKind;

use crate::fleet::{Fleet, Turn};
use crate::mint::How;
use crate::minted::{FreshToken, GrantKey, Minted};
use crate::moment::Moment;
use crate::problem::Failure;
use crate::relay::Engine;
use crate::trace::Trail;
use crate::upstream::UpstreamError;

/// What is minted: everything that the platform is told, and for how long it holds.
#[derive(Clone)]
pub(crate) struct Order {
    pub kind: TokenKind,
    pub key: GrantKey,
    pub body: Bytes,
    pub lifetime: Option<Duration>,
    /// No token that was minted longer ago than this.
    pub max_age: Option<Duration>,
    /// Of the request that is the first to ask.
    pub trail: Trail,
}

impl Engine {
    /// The body of the answer with the token that is ordered, wherever it comes from.
    pub(crate) async fn fill(self: &Arc<Self>, order: Order) -> Result<Bytes, Failure> {
        let (kind, key, max_age) = (order.kind, order.key, order.max_age);
        let mint = |number, max_age| {
            let order = Order { max_age, ..order.clone() };
            Arc::clone(self).mint_for_keeping(order, number)
        };
        let (outcome, how) = self.minter.token(key, max_age, mint).await;
        let kept = outcome?;
        let how = if how == How::Minted && kept.minted.is_by_another_replica { How::Fleet } else { how };
        self.metrics.token_given(kind, how);
        Ok(kept.answer())
    }

    async fn mint_for_keeping(self: Arc<Self>, order: Order, number: u64) -> Result<Minted, Failure> {
        // Nobody knows how long an admin token lives, so there is no renewal for tabs to share.
        let api_key = self.config.api_key.as_ref().filter(|_| order.kind == TokenKind::Composer);
        let grant = api_key.map(|api_key| order.key.public_name(&api_key.current()));
        let fresh = self.mint_once_in_fleet(order, number).await?;
        Ok(Minted::new(fresh, grant, self.config.platform.public_domain.clone()))
    }

    /// Mints, unless another replica has just done so or is at it.
    async fn mint_once_in_fleet(&self, order: Order, number: u64) -> Result<FreshToken, Failure> {
        // An admin token's lifetime is unknown, so it is never kept, here or elsewhere.
        let Some(fleet) = self.fleet.as_ref().filter(|_| order.lifetime.is_some()) else {
            return self.mint(order).await;
        };
        let (key, max_age) = (order.key, order.max_age);
        if let Some(fresh) = self.shared_by_fleet(fleet, &key, max_age).await {
            return Ok(fresh);
        }
        let turn = fleet.take_turn(&key, self.config.limits.upstream_timeout).await;
        let shared = match turn {
            Turn::First => None,
            Turn::AfterAnother => self.shared_by_fleet(fleet, &key, max_age).await,
        };
        let result = match shared {
            Some(fresh) => Ok(fresh),
            None => {
                let fresh = self.mint(order).await;
                if let Ok(fresh) = &fresh {
                    fleet.share(&key, fresh).await;
                    // Whoever has signed out meanwhile wants nothing of it kept.
                    if !self.minter.is_under_way(&key, number) {
                        fleet.forget(&key).await;
                    }
                }
                fresh
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
    ) -> Option<FreshToken> {
        let shared = fleet.find(key).await?;
        let is_young = shared.age < self.config.reuse.share_of(shared.lifetime)
            && max_age.is_none_or(|max_age| shared.age <= max_age);
        is_young.then(|| FreshToken {
            token: shared.token,
            asked: Moment::now().earlier(shared.age),
            lifetime: Some(shared.lifetime),
            is_by_another_replica: true,
        })
    }

    async fn mint(&self, order: Order) -> Result<FreshToken, Failure> {
        let in_flight = self.metrics.mint_starts();
        let (start, asked) = (Instant::now(), Moment::now());
        let result = match (order.kind, &self.config.api_key) {
            (TokenKind::Composer, Some(api_key)) => {
                self.upstream.composer_token(&api_key.current(), order.body).await
            }
            (TokenKind::Composer, None) => return Err(Failure::internal()),
            (TokenKind::Admin, _) => self.upstream.admin_token(order.body).await,
        };
        drop(in_flight);
        self.metrics.mint_ends(order.kind, result.as_ref().err().copied(), start.elapsed());
        match result {
            Ok(token) => {
                Ok(FreshToken { token, asked, lifetime: order.lifetime, is_by_another_replica: false })
            }
            Err(error) => {
                let (request_id, kind) = (order.trail.request_id(), order.kind.as_str());
                match error {
                    UpstreamError::Refused { credential, .. } => {
                        tracing::error!(request_id, kind, credential, %error, "the platform refused a credential");
                    }
                    _ => tracing::warn!(request_id, kind, %error, "the platform gave no token"),
                }
                Err(error.into())
            }
        }
    }
}
