use std::net::IpAddr;
use std::time::Instant;

use axum::http::HeaderMap;

use crate::trace::Trail;

/// A request as far as it says who asks, and from where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub came: Instant,
    pub headers: &'a HeaderMap,
    /// The other end of the connection; unknown if the host application does not tell.
    pub peer: Option<IpAddr>,
    /// The peer, or whom a trusted proxy speaks for.
    pub address: Option<IpAddr>,
    pub trail: &'a Trail,
}
