//! Believes the headers of a proxy that has authenticated the caller, and of nobody else.

use axum::http::{HeaderMap, HeaderName};
use serde_json::{Map, Value};

use super::Caller;
use crate::claims::Claims;
use crate::config::HeaderNames;
use crate::problem::Failure;

pub(super) fn claims(names: &HeaderNames, caller: Caller<'_>) -> Result<Claims, Failure> {
    let is_trusted = |peer| names.trusted_proxies.iter().any(|network| network.contains(&peer));
    // An IPv4 peer of a dual-stack socket comes as a mapped IPv6 address.
    if !caller.peer.is_some_and(|peer| is_trusted(peer.to_canonical())) {
        tracing::warn!(
            peer = caller.peer.map(tracing::field::display),
            "refused identity headers from a peer that is not in identity.trusted_proxies"
        );
        return Err(Failure::not_signed_in());
    }
    let mut claims = Map::new();
    for (claim, source) in &names.claims {
        if let Some(text) = single(caller.headers, &source.header)? {
            let value = match &source.separator {
                None => Value::from(text),
                Some(separator) => {
                    text.split(separator.as_str()).map(|item| Value::from(item.trim())).collect()
                }
            };
            claims.insert(claim.clone(), value);
        }
    }
    if claims.is_empty() { Err(Failure::not_signed_in()) } else { Ok(Claims::new(claims)) }
}

/// The header's text. A header that comes twice is refused: one of the two may be the caller's own.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Failure> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes()).ok().map(str::trim);
    match (values.next(), text) {
        (None, Some("")) => Ok(None),
        (None, Some(text)) => Ok(Some(text)),
        _ => {
            tracing::warn!(header = %name, "refused an identity header that comes twice or is not UTF-8");
            Err(Failure::not_signed_in())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use axum::http::HeaderValue;
    use qrvey_auth_wire::ProblemCode;
    use serde_json::json;

    use super::*;
    use crate::config::ClaimHeader;

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
        let caller = Caller { headers: &map, peer, request_id: "r1", trace: None };
        claims(&names(), caller).map_err(|failure| failure.code)
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
