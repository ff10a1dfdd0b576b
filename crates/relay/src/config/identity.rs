use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::HeaderName;
use ipnet::IpNet;
use serde_json::{Map, Value};
use toml::Spanned;
use url::Url;

use super::address;
use super::file;
use super::limits;
use super::source::{Blame, Fault};
use super::template::Template;
use crate::claims::{Claims, Scalar};

/// How the relay learns who is asking. There is no default.
#[derive(Debug)]
pub(crate) enum IdentityConfig {
    Forward(Forward),
    Jwt(Jwt),
    Header(HeaderNames),
    Anonymous(Claims),
}

/// The host application is asked, with the caller's own credentials.
#[derive(Debug, Clone)]
pub(crate) struct Forward {
    pub url: Url,
    pub timeout: Duration,
    /// How long an answer is believed without asking again; zero for not at all.
    pub cache_ttl: Duration,
}

/// The caller has a token of an issuer that both sides trust.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Jwt {
    pub issuer: String,
    pub audience: Vec<String>,
    pub jwks_url: Url,
    /// The cookie that the token is in; the `Authorization` header if absent.
    pub cookie: Option<String>,
    pub leeway: Duration,
    pub timeout: Duration,
}

/// A proxy in front has authenticated the caller and says so in headers.
#[derive(Debug, Clone)]
pub(crate) struct HeaderNames {
    pub trusted_proxies: Vec<IpNet>,
    pub claims: BTreeMap<String, ClaimHeader>,
}

/// The header that a claim comes in; with a separator, the claim is a list.
#[derive(Debug, Clone)]
pub(crate) struct ClaimHeader {
    pub header: HeaderName,
    pub separator: Option<String>,
}

const MODES: [&str; 4] = ["forward", "jwt", "header", "anonymous"];
const MAX_CACHE_TTL: Duration = Duration::from_secs(60);
const MAX_LEEWAY: Duration = Duration::from_secs(300);
const MAX_TIMEOUT: Duration = Duration::from_secs(60);

impl IdentityConfig {
    pub(super) fn compile(written: &Spanned<file::Identity>) -> Result<Self, Fault> {
        let identity = written.get_ref();
        let mode = identity.mode.get_ref().as_str();
        if !MODES.contains(&mode) {
            return Err(identity.mode.fault(format!("expected one of {}", MODES.join(", "))));
        }
        identity.refuse_strays(mode)?;
        match mode {
            "forward" => Ok(Self::Forward(Forward {
                url: match &identity.url {
                    Some(url) => address::private_url(
                        url,
                        identity.insecure_http.as_ref().is_some_and(|it| *it.get_ref()),
                    )?,
                    None => return Err(written.fault("mode = \"forward\" needs `url`")),
                },
                timeout: limits::duration(&identity.timeout, 2_000, MAX_TIMEOUT)?,
                cache_ttl: limits::duration_or_zero(&identity.cache_ttl, 2_000, MAX_CACHE_TTL)?,
            })),
            "jwt" => jwt(written).map(Self::Jwt),
            "header" => header_names(written).map(Self::Header),
            _ => match &identity.claims {
                None => Ok(Self::Anonymous(Claims::default())),
                Some(claims) => {
                    let plain =
                        claims.get_ref().iter().map(|(name, value)| Ok((name.clone(), plain_value(value)?)));
                    Ok(Self::Anonymous(Claims::new(plain.collect::<Result<Map<_, _>, Fault>>()?)))
                }
            },
        }
    }
}

impl file::Identity {
    /// A key of another mode is a mistake, not a spare.
    fn refuse_strays(&self, mode: &str) -> Result<(), Fault> {
        let keys = [
            ("`url`", self.url.as_ref().map(Spanned::span), &["forward"][..]),
            ("`timeout`", self.timeout.as_ref().map(Spanned::span), &["forward", "jwt"]),
            ("`cache_ttl`", self.cache_ttl.as_ref().map(Spanned::span), &["forward"]),
            ("`issuer`", self.issuer.as_ref().map(Spanned::span), &["jwt"]),
            ("`audience`", self.audience.as_ref().map(Spanned::span), &["jwt"]),
            ("`jwks_url`", self.jwks_url.as_ref().map(Spanned::span), &["jwt"]),
            ("`cookie`", self.cookie.as_ref().map(Spanned::span), &["jwt"]),
            ("`leeway`", self.leeway.as_ref().map(Spanned::span), &["jwt"]),
            ("`insecure_http`", self.insecure_http.as_ref().map(Spanned::span), &["forward"]),
            ("`trusted_proxies`", self.trusted_proxies.as_ref().map(Spanned::span), &["header"]),
            ("`claims`", self.claims.as_ref().map(Spanned::span), &["header", "anonymous"]),
        ];
        for (key, span, modes) in keys {
            if let Some(span) = span.filter(|_| !modes.contains(&mode)) {
                let modes = modes.join(" or ");
                return Err(Fault::At(span, format!("{key} goes with mode = {modes} only")));
            }
        }
        Ok(())
    }
}

fn jwt(written: &Spanned<file::Identity>) -> Result<Jwt, Fault> {
    let identity = written.get_ref();
    let (Some(issuer), Some(audience), Some(jwks_url)) =
        (&identity.issuer, &identity.audience, &identity.jwks_url)
    else {
        return Err(written.fault("mode = \"jwt\" needs `issuer`, `audience` and `jwks_url`"));
    };
    let text = |written: &Spanned<String>| match written.get_ref().trim() {
        "" => Err(written.fault("must not be empty")),
        _ => Ok(written.get_ref().clone()),
    };
    Ok(Jwt {
        issuer: text(issuer)?,
        audience: audiences(audience)?,
        jwks_url: address::private_url(jwks_url, false)?,
        cookie: identity.cookie.as_ref().map(text).transpose()?,
        leeway: limits::duration_or_zero(&identity.leeway, 30_000, MAX_LEEWAY)?,
        timeout: limits::duration(&identity.timeout, 2_000, MAX_TIMEOUT)?,
    })
}

/// One audience, or a list of which a token must name one.
fn audiences(written: &Spanned<Template>) -> Result<Vec<String>, Fault> {
    match written.get_ref() {
        Template::Scalar(Scalar::Text(audience)) if !audience.trim().is_empty() => Ok(vec![audience.clone()]),
        Template::List(items) if !items.is_empty() => {
            items.iter().map(audiences).collect::<Result<Vec<_>, _>>().map(|lists| lists.concat())
        }
        _ => Err(written.fault("expected an audience, or a list of audiences")),
    }
}

fn header_names(written: &Spanned<file::Identity>) -> Result<HeaderNames, Fault> {
    let identity = written.get_ref();
    let (Some(proxies), Some(claims)) = (&identity.trusted_proxies, &identity.claims) else {
        return Err(written.fault("mode = \"header\" needs `trusted_proxies` and `claims`"));
    };
    if proxies.get_ref().is_empty() {
        return Err(proxies.fault("must not be empty: nobody could ask"));
    }
    if claims.get_ref().is_empty() {
        return Err(claims.fault("must not be empty: nothing would say who asks"));
    }
    Ok(HeaderNames {
        trusted_proxies: address::proxies(proxies.get_ref())?,
        claims: claims.get_ref().iter().map(claim_header).collect::<Result<_, _>>()?,
    })
}

/// `"x-user"`, or `{ header = "x-roles", separator = "," }`.
fn claim_header((claim, written): (&String, &Spanned<Template>)) -> Result<(String, ClaimHeader), Fault> {
    let text = |template: &Template| match template {
        Template::Scalar(Scalar::Text(text)) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    let mut separator = None;
    let header = match written.get_ref() {
        Template::Table(entries) => {
            let mut header = None;
            for (key, value) in entries {
                match key.as_str() {
                    "header" => header = text(value.get_ref()),
                    "separator" => separator = text(value.get_ref()),
                    _ => return Err(value.fault("expected the keys `header` and `separator`")),
                }
            }
            header.filter(|_| separator.is_some())
        }
        one => text(one),
    };
    let header = header.and_then(|name| HeaderName::try_from(name).ok()).ok_or_else(|| {
        written
            .fault("expected the name of a header, or { header = \"x-roles\", separator = \",\" } for a list")
    })?;
    Ok((claim.clone(), ClaimHeader { header, separator }))
}

fn plain_value(written: &Spanned<Template>) -> Result<Value, Fault> {
    match written.get_ref() {
        Template::Scalar(scalar) => Ok(scalar.clone().into()),
        Template::List(items) => items.iter().map(plain_value).collect(),
        Template::Table(entries) => {
            let entries = entries.iter().map(|(key, value)| Ok((key.clone(), plain_value(value)?)));
            Ok(Value::Object(entries.collect::<Result<_, Fault>>()?))
        }
        Template::Claim(_) => Err(written.fault("an anonymous visitor's claims are written out")),
    }
}
