//! Who is asking. Each mode turns a request into claims, or into a refusal.

mod forward;
mod header;
mod jwks;
mod jwt;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderMap;

use crate::claims::Claims;
use crate::config::{HeaderNames, IdentityConfig, Jwt};
use crate::problem::Failure;
use crate::trace::TraceParent;
use forward::HostApplication;
use jwt::JwtVerifier;

/// The service that knows who is asking.
#[derive(Debug)]
pub(crate) enum Identity {
    Forward(HostApplication),
    Jwt(JwtVerifier),
    Header(HeaderNames),
    Anonymous(Arc<Claims>),
}

/// What a request says of its caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub headers: &'a HeaderMap,
    /// The other end of the connection; unknown if the host application does not tell.
    pub peer: Option<IpAddr>,
    pub request_id: &'a str,
    /// The trace that the request is part of, as `traceparent` says.
    pub trace: Option<&'a TraceParent>,
}

impl Identity {
    pub(crate) fn new(config: &IdentityConfig) -> Result<Self, reqwest::Error> {
        Ok(match config {
            IdentityConfig::Forward(forward) => Self::Forward(HostApplication::new(forward)?),
            IdentityConfig::Jwt(jwt) => Self::Jwt(JwtVerifier::new(jwt)?),
            IdentityConfig::Header(names) => Self::Header(names.clone()),
            IdentityConfig::Anonymous(claims) => Self::Anonymous(Arc::new(claims.clone())),
        })
    }

    /// The caller's claims.
    pub(crate) async fn claims(&self, caller: Caller<'_>) -> Result<Arc<Claims>, Failure> {
        match self {
            Self::Forward(host) => host.claims(caller).await,
            Self::Jwt(verifier) => verifier.claims(caller).await.map(Arc::new),
            Self::Header(names) => header::claims(names, caller).map(Arc::new),
            Self::Anonymous(claims) => Ok(Arc::clone(claims)),
        }
    }

    /// Forgets what was kept of the caller, as at sign-out.
    pub(crate) async fn forget(&self, caller: Caller<'_>) {
        if let Self::Forward(host) = self {
            host.forget(caller).await;
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
