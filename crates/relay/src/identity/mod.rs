//! Who is asking. Each mode turns a request into claims, or into a refusal.

mod forward;
mod header;
mod jwks;
mod jwt;

use std::sync::Arc;

use crate::ask::Ask;
use crate::config::{IdentityConfig, Jwt};
use crate::principal::Principal;
use crate::problem::Failure;
use forward::HostApplication;
use header::TrustedHeaders;
use jwt::JwtVerifier;

/// The service that knows who is asking.
#[derive(Debug)]
pub(crate) enum Identity {
    Forward(HostApplication),
    Jwt(JwtVerifier),
    Header(TrustedHeaders),
    Anonymous(Arc<Principal>),
}

impl Identity {
    pub(crate) fn new(config: &IdentityConfig) -> Result<Self, reqwest::Error> {
        Ok(match config {
            IdentityConfig::Forward(forward) => Self::Forward(HostApplication::new(forward)?),
            IdentityConfig::Jwt(jwt) => Self::Jwt(JwtVerifier::new(jwt)?),
            IdentityConfig::Header(names) => Self::Header(TrustedHeaders::new(names.clone())),
            IdentityConfig::Anonymous(claims) => Self::Anonymous(Arc::new(Principal::new(claims.clone()))),
        })
    }

    pub(crate) async fn principal(&self, ask: Ask<'_>) -> Result<Arc<Principal>, Failure> {
        match self {
            Self::Forward(host) => host.principal(ask).await,
            Self::Jwt(verifier) => verifier.claims(ask).await.map(|claims| Arc::new(Principal::new(claims))),
            Self::Header(headers) => headers.principal(ask),
            Self::Anonymous(everyone) => Ok(Arc::clone(everyone)),
        }
    }

    /// Forgets what was kept of the caller, as at sign-out.
    pub(crate) async fn forget(&self, ask: Ask<'_>) {
        if let Self::Forward(host) = self {
            host.forget(ask).await;
        }
    }

    /// Whether callers can be told apart at all.
    pub(crate) fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous(_))
    }
}

/// How many usable keys the issuer has, for `check`.
pub(crate) async fn fetch_keys(config: &Jwt) -> Result<usize, &'static str> {
    let keys = jwks::KeySet::new(config).map_err(|_| "the HTTP client cannot be set up")?;
    keys.fetch().await.map(|keys| keys.len())
}

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz_jwt(token: &[u8], keys: &[u8]) {
    let (Some(keys), Ok(token)) = (jwks::parse(keys), std::str::from_utf8(token)) else { return };
    for key in keys {
        assert!(jwt::fuzz_verify(token, &key).is_err(), "a stranger's token was believed");
    }
}

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz_cookie(headers: &axum::http::HeaderMap) {
    let _ = jwt::cookie(headers, "sid");
}
