//! What `cargo fuzz` throws bytes at; the tests throw a few.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, Uri};
use qrvey_auth_wire::ComposerRequest;
use serde_json::{Map, Value};

use crate::claims::Claims;
use crate::config::{Config, ConfigError, Environment};
use crate::grant::Grant;
use crate::trace::TraceParent;
use crate::{address, identity, json, origin, upstream};

fn environment() -> Environment {
    Environment::from_iter([
        ("QRVEY_API_KEY", "canary-key"),
        ("QRVEY_ADMIN_USERNAME", "canary-name"),
        ("QRVEY_ADMIN_ACCESS_KEY", "canary-access"),
    ])
}

/// A request's body.
pub fn wire(bytes: &[u8]) {
    if let Ok(request) = json::object::<ComposerRequest>(bytes) {
        let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let keys = value.as_object().map(Map::len);
        assert!(keys.is_some_and(|keys| keys <= 1), "more than a profile was taken: {request:?}");
    }
}

/// A configuration file.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Config::from_toml(text, "relay.toml", &environment()) {
        Ok(config) => assert!(!format!("{config:?}").contains("canary")),
        Err(error) => assert!(text.contains("canary") || !error.to_string().contains("canary")),
    }
}

/// A caller's claims, put into a policy that uses them everywhere.
pub fn claims(bytes: &[u8]) {
    static CONFIG: LazyLock<Config> = LazyLock::new(|| {
        Config::from_toml(include_str!("../fuzz/policy.toml"), "policy.toml", &environment())
            .unwrap_or_else(|error| faulty_policy(&error))
    });
    let Ok(claims) = serde_json::from_slice::<Map<String, Value>>(bytes) else { return };
    let Some(profile) = CONFIG.profiles.get("default") else { return };
    let claims = Claims::new(claims);
    if let Ok(grant) = Grant::new(profile, CONFIG.platform.spelling, &claims) {
        let body: Value = serde_json::from_slice(&grant.body).unwrap_or_default();
        assert_eq!(
            body.get("appid").and_then(Value::as_str),
            Some("app"),
            "a claim changed what the policy wrote out"
        );
        assert_no_wildcard(&body);
    }
}

#[expect(clippy::panic, reason = "a faulty policy would make the fuzzing worthless")]
fn faulty_policy(error: &ConfigError) -> Config {
    panic!("{error}");
}

fn assert_no_wildcard(value: &Value) {
    match value {
        Value::String(text) => assert_ne!(text.trim(), "*", "a claim opened everything"),
        Value::Array(items) => items.iter().for_each(assert_no_wildcard),
        Value::Object(entries) => entries.values().for_each(assert_no_wildcard),
        _ => {}
    }
}

/// A signed token and a key set of strangers.
pub fn jwt(bytes: &[u8]) {
    let (token, keys) = bytes.split_at(bytes.len() / 2);
    identity::fuzz_jwt(token, keys);
}

/// The platform's answer.
pub fn answer(bytes: &[u8]) {
    upstream::fuzz_answer(bytes);
}

/// Headers that browsers, proxies and tracers set.
pub fn headers(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    let names = ["origin", "host", "sec-fetch-site", "cookie", "x-forwarded-for"];
    for (name, value) in names.into_iter().zip(bytes.split(|byte| *byte == b'\n')) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
    }
    origin::is_allowed(&headers, &Uri::from_static("/"), &[]);
    identity::fuzz_cookie(&headers);
    let proxy = IpAddr::from(Ipv4Addr::LOCALHOST);
    address::client(proxy, &headers, &[proxy.into()]);
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Some(trace) = TraceParent::parse(text)
    {
        assert!(TraceParent::parse(&trace.child()).is_some());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// Bytes that nobody meant, or a seed with a few of its bytes replaced, taken out or doubled.
    fn bytes(seeds: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
        let changes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 0..8);
        let changed = (prop::sample::select(seeds), changes).prop_map(|(seed, changes)| {
            let mut bytes = seed.to_vec();
            for (index, byte, change) in changes.into_iter().filter(|_| !seed.is_empty()) {
                let index = index.index(bytes.len().max(1));
                match change {
                    0 if index < bytes.len() => bytes[index] = byte,
                    1 if index < bytes.len() => drop(bytes.remove(index)),
                    _ => bytes.insert(index.min(bytes.len()), byte),
                }
            }
            bytes
        });
        prop_oneof![changed, proptest::collection::vec(any::<u8>(), 0..300)]
    }

    macro_rules! targets {
        ($($target:ident: $($seed:literal),+;)+) => {$(
            #[test]
            fn $target() {
                const SEEDS: &[&[u8]] =
                    &[$(include_bytes!(concat!("../fuzz/seeds/", stringify!($target), "/", $seed))),+];
                proptest!(|(bytes in bytes(SEEDS))| super::$target(&bytes));
            }
        )+};
    }

    targets! {
        wire: "profile", "nothing";
        claims: "fitting", "wildcards";
        config: "jwt.toml", "header.toml";
        jwt: "eddsa";
        answer: "admin", "refused";
        headers: "own", "trace";
    }
}
