//! Believes the headers of a proxy that has authenticated the caller, and of nobody else.

use std::sync::Arc;

use axum::http::HeaderName;
use quick_cache::sync::Cache;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::ask::Ask;
use crate::claims::Claims;
use crate::config::{ClaimHeader, HeaderNames};
use crate::principal::Principal;
use crate::problem::Failure;

const MAX_KNOWN: usize = 10_000;

#[derive(Debug)]
pub(crate) struct TrustedHeaders {
    names: HeaderNames,
    /// Principals by the hash of the headers that name them. Nothing in it goes stale, for all of it
    /// follows from the headers.
    known: Cache<[u8; 32], Arc<Principal>>,
}

impl TrustedHeaders {
    pub(super) fn new(names: HeaderNames) -> Self {
        Self { names, known: Cache::new(MAX_KNOWN) }
    }

    pub(super) fn principal(&self, ask: Ask<'_>) -> Result<Arc<Principal>, Failure> {
        let is_trusted = |peer| self.names.trusted_proxies.iter().any(|network| network.contains(&peer));
        // An IPv4 peer of a dual-stack socket comes as a mapped IPv6 address.
        if !ask.peer.is_some_and(|peer| is_trusted(peer.to_canonical())) {
            tracing::warn!(
                request_id = ask.trail.request_id(),
                peer = ask.peer.map(tracing::field::display),
                "refused identity headers from a peer that is not in identity.trusted_proxies"
            );
            return Err(Failure::not_signed_in());
        }
        let mut hash = Sha256::new();
        let mut has_any = false;
        for source in self.names.claims.values() {
            let text = single(ask, &source.header)?;
            has_any |= text.is_some();
            hash.update([u8::from(text.is_some())]);
            hash.update(text.unwrap_or_default().len().to_be_bytes());
            hash.update(text.unwrap_or_default());
        }
        if !has_any {
            return Err(Failure::not_signed_in());
        }
        let key: [u8; 32] = hash.finalize().into();
        if let Some(principal) = self.known.get(&key) {
            return Ok(principal);
        }
        let principal = Arc::new(Principal::new(self.claims(ask)?));
        self.known.insert(key, Arc::clone(&principal));
        Ok(principal)
    }

    fn claims(&self, ask: Ask<'_>) -> Result<Claims, Failure> {
        let mut claims = Map::new();
        for (claim, source) in &self.names.claims {
            if let Some(text) = single(ask, &source.header)? {
                claims.insert(claim.clone(), value(source, text));
            }
        }
        Ok(Claims::new(claims))
    }
}

fn value(source: &ClaimHeader, text: &str) -> Value {
    match &source.separator {
        None => Value::from(text),
        Some(separator) => text.split(separator.as_str()).map(|item| Value::from(item.trim())).collect(),
    }
}

/// The header's text. A header that comes twice is refused: one of the two may be the caller's own.
fn single<'a>(ask: Ask<'a>, name: &HeaderName) -> Result<Option<&'a str>, Failure> {
    let mut values = ask.headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes()).ok().map(str::trim);
    match (values.next(), text) {
        (None, Some("")) => Ok(None),
        (None, Some(text)) => Ok(Some(text)),
        _ => {
            tracing::warn!(
                request_id = ask.trail.request_id(),
                header = %name,
                "refused an identity header that comes twice or is not UTF-8"
            );
            Err(Failure::not_signed_in())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Instant;

    use axum::http::{HeaderMap, HeaderValue};
    use qrvey_auth_wire::ProblemCode;
    use serde_json::json;

    use super::*;
    use crate::trace::Trail;

    fn names() -> HeaderNames {
        let header = |name: &'static str, separator: Option<&str>| ClaimHeader {
            header: HeaderName::from_static(name),
            separator: separator.map(str::to_owned),
        };
        HeaderNames {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            claims: [
                ("sub".to_owned(), header("x-user", None)),
                ("roles".to_owned(), header("x-roles", Some(","))),
            ]
            .into(),
        }
    }

    fn ask(peer: Option<&str>, headers: &[(&'static str, &'static str)]) -> Result<Claims, ProblemCode> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let peer = peer.map(|peer| peer.parse::<IpAddr>().unwrap());
        let headers = TrustedHeaders::new(names());
        let ask = || {
            headers.principal(Ask {
                came: Instant::now(),
                headers: &map,
                peer,
                address: peer,
                trail: &Trail::new(None),
            })
        };
        let claims = |principal: Arc<Principal>| principal.claims().clone();
        let (first, again) = (ask().map(claims), ask().map(claims));
        assert_eq!(first, again);
        first.map_err(|failure| failure.code)
    }

    fn expected(value: &Value) -> Claims {
        Claims::new(value.as_object().unwrap().clone())
    }

    #[test]
    fn a_trusted_proxy_is_believed() {
        let claims = ask(Some("10.1.2.3"), &[("x-user", "ada"), ("x-roles", "analyst, viewer")]);
        assert_eq!(claims, Ok(expected(&json!({ "sub": "ada", "roles": ["analyst", "viewer"] }))));
        assert!(ask(Some("::ffff:10.1.2.3"), &[("x-user", "ada")]).is_ok());
    }

    #[test]
    fn nobody_else_is() {
        for peer in [Some("192.0.2.1"), Some("::1"), None] {
            assert_eq!(ask(peer, &[("x-user", "ada")]), Err(ProblemCode::NotSignedIn));
        }
    }

    #[test]
    fn a_header_that_is_absent_empty_or_doubled_says_nothing() {
        assert_eq!(ask(Some("10.1.2.3"), &[]), Err(ProblemCode::NotSignedIn));
        assert_eq!(ask(Some("10.1.2.3"), &[("x-user", " ")]), Err(ProblemCode::NotSignedIn));
        assert_eq!(
            ask(Some("10.1.2.3"), &[("x-user", "ada"), ("x-user", "root")]),
            Err(ProblemCode::NotSignedIn)
        );
    }
}
