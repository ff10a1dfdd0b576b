//! Believes signed tokens of one issuer. The algorithm follows from the issuer's key, never from
//! the token, so that neither `none` nor a public key taken for an HMAC secret gets anywhere.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::jwks::{KeySet, VerificationKey};
use crate::ask::Ask;
use crate::claims::Claims;
use crate::config::Jwt;
use crate::problem::Failure;

/// A longer token is refused unread.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Verifies tokens of one issuer for one audience.
#[derive(Debug)]
pub(crate) struct JwtVerifier {
    cookie: Option<String>,
    issuer: String,
    audience: Vec<String>,
    leeway: Duration,
    keys: Arc<KeySet>,
}

impl JwtVerifier {
    pub(super) fn new(config: &Jwt) -> Result<Self, reqwest::Error> {
        Ok(Self {
            cookie: config.cookie.clone(),
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            leeway: config.leeway,
            keys: Arc::new(KeySet::new(config)?),
        })
    }

    pub(super) async fn claims(&self, ask: Ask<'_>) -> Result<Claims, Failure> {
        let refused = |reason| {
            tracing::info!(request_id = ask.trail.request_id(), reason, "refused a caller's token");
            Failure::not_signed_in()
        };
        let token = self.find(ask.headers).map_err(refused)?.ok_or_else(Failure::not_signed_in)?;
        let header = decode_header(token).map_err(|error| refused(reason(&error)))?;
        if header.crit.is_some() {
            return Err(refused("it has a critical header parameter"));
        }
        let key = self.keys.find(header.kid.as_deref(), header.alg).await?;
        let key = key.ok_or_else(|| refused("the issuer has no key of its id and algorithm"))?;
        verify(token, &key, &self.issuer, &self.audience, self.leeway).map_err(refused)
    }

    /// The token in the configured cookie, or else in the `Authorization` header.
    fn find<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a str>, &'static str> {
        let token = match &self.cookie {
            Some(name) => cookie(headers, name)?,
            None => bearer(headers),
        };
        match token {
            Some(token) if token.len() > MAX_TOKEN_BYTES => Err("it is longer than 16 KiB"),
            token => Ok(token),
        }
    }
}

fn verify(
    token: &str,
    key: &VerificationKey,
    issuer: &str,
    audience: &[String],
    leeway: Duration,
) -> Result<Claims, &'static str> {
    let mut validation = Validation::new(key.algorithm);
    validation.leeway = leeway.as_secs();
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.set_issuer(&[issuer]);
    validation.set_audience(audience);
    decode::<Map<String, Value>>(token, &key.key, &validation)
        .map(|decoded| Claims::new(decoded.claims))
        .map_err(|error| reason(&error))
}

#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz_verify(token: &str, key: &VerificationKey) -> Result<Claims, &'static str> {
    verify(token, key, "https://issuer.example", &["relay".to_owned()], Duration::ZERO)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A cookie that comes twice is refused: one of the two may have been planted by a subdomain.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, &'static str> {
    let pairs = headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let texts = pairs.filter_map(|pair| str::from_utf8(pair).ok()?.trim().split_once('='));
    let mut found = texts.filter(|(key, _)| *key == name).map(|(_, value)| value);
    match (found.next(), found.next()) {
        (token, None) => Ok(token),
        _ => Err("its cookie comes twice"),
    }
}

/// The library's errors name what is wrong, not the token.
fn reason(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::ImmatureSignature => "it is not valid yet",
        ErrorKind::InvalidIssuer => "it is of another issuer",
        ErrorKind::InvalidAudience => "it is for another audience",
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => "its algorithm is not allowed",
        ErrorKind::MissingRequiredClaim(_) => "it lacks exp, iss or aud",
        _ => "it is no token that can be read",
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: &'static str, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn one_bearer_token_is_found() {
        assert_eq!(bearer(&headers("authorization", &["bearer abc"])), Some("abc"));
        for values in [&[][..], &["Basic abc"], &["abc"], &["Bearer a", "Bearer b"]] {
            assert_eq!(bearer(&headers("authorization", values)), None, "{values:?}");
        }
    }

    #[test]
    fn one_cookie_of_the_name_is_found() {
        let find = |values: &[&'static str]| {
            cookie(&headers("cookie", values), "sid").map(|it| it.map(str::to_owned))
        };
        assert_eq!(find(&["a=1; sid=abc=; b=2"]), Ok(Some("abc=".to_owned())));
        assert_eq!(find(&["a=1", "sid=abc"]), Ok(Some("abc".to_owned())));
        let mut beside = headers("cookie", &[]);
        beside.insert(COOKIE, HeaderValue::from_bytes("name=José; sid=abc; n=\u{e9}".as_bytes()).unwrap());
        assert_eq!(cookie(&beside, "sid"), Ok(Some("abc")), "browsers send other cookies in UTF-8");
        for values in [&[][..], &["xsid=1"], &["SID=1"]] {
            assert_eq!(find(values), Ok(None), "{values:?}");
        }
        for values in [&["sid=1; sid=2"][..], &["sid=1", "sid=2"]] {
            assert!(find(values).is_err(), "{values:?}");
        }
    }
}
