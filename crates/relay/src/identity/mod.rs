//! Who is asking. Each mode turns a request into claims, or into a refusal.

mod forward;
mod header;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderMap;

use crate::claims::Claims;
use crate::config::{HeaderNames, IdentityConfig};
use crate::problem::Failure;
use forward::HostApplication;

/// The service that knows who is asking.
#[derive(Debug)]
pub(crate) enum Identity {
    Forward(HostApplication),
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
}

impl Identity {
    pub(crate) fn new(config: &IdentityConfig) -> Result<Self, reqwest::Error> {
        Ok(match config {
            IdentityConfig::Forward(forward) => Self::Forward(HostApplication::new(forward)?),
            IdentityConfig::Header(names) => Self::Header(names.clone()),
            IdentityConfig::Anonymous(claims) => Self::Anonymous(Arc::new(claims.clone())),
        })
    }

    /// The caller's claims.
    pub(crate) async fn claims(&self, caller: Caller<'_>) -> Result<Arc<Claims>, Failure> {
        match self {
            Self::Forward(host) => host.claims(caller).await,
            Self::Header(names) => header::claims(names, caller).map(Arc::new),
            Self::Anonymous(claims) => Ok(Arc::clone(claims)),
        }
    }

    /// Whether callers can be told apart at all.
    pub(crate) fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous(_))
    }
}
