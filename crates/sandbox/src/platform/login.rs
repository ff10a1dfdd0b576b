//! `POST /devapi/v4/core/login/token`: a Composer token for whoever has the API key.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json, Router, routing};
use serde_json::{Map, Value, json};

use super::journal::Minted;
use super::refusal::Refusal;
use super::rls::Policy;
use super::token::{Grant, TokenKind};
use super::{Platform, assets, lifetime};

/// Where the documentation says it is.
pub(super) const PATH: &str = "/devapi/v4/core/login/token";

/// Each key with its other documented spelling, if it has one.
const KEYS: [(&str, &str); 13] = [
    ("userid", "userId"),
    ("appid", "appId"),
    ("clientid", "clientId"),
    ("expiresIn", "expiresIn"),
    ("orgId", "orgId"),
    ("version", "version"),
    ("permissions", "permissions"),
    ("asset_permissions", "asset_permissions"),
    ("featurePermission", "featurePermission"),
    ("dashboardId", "dashboardId"),
    ("pageid", "pageid"),
    ("qrveyid", "qrveyid"),
    ("styles", "styles"),
];
const STRINGS: [&str; 9] =
    ["userid", "appid", "clientid", "expiresIn", "orgId", "version", "dashboardId", "pageid", "qrveyid"];

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new().route(PATH, routing::post(login))
}

async fn login(
    State(platform): State<Arc<Platform>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    check_api_key(&platform, &headers)?;
    let request = LoginRequest::parse(&body)?;
    if request.grant.userid != platform.credentials.userid {
        return Err(Refusal::bad_request("`userid` is no user of this platform"));
    }
    if request.grant.appid.as_ref() != Some(&platform.credentials.appid) {
        return Err(Refusal::bad_request("`appid` is no application of this platform"));
    }
    let lifetime = request.lifetime.unwrap_or(platform.default_lifetime);
    let token = platform.mint.mint(request.grant, lifetime).ok_or_else(Refusal::internal)?;
    Ok((Extension(Minted(TokenKind::Composer)), Json(json!({ "token": token }))).into_response())
}

fn check_api_key(platform: &Platform, headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get("x-api-key") {
        None => Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "api_key_missing",
            "the header `x-api-key` is missing",
        )),
        Some(key) if platform.credentials.api_key.is(key.as_bytes()) => Ok(()),
        Some(_) => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "api_key_wrong",
            "the header `x-api-key` holds no valid key",
        )),
    }
}

#[derive(Debug)]
struct LoginRequest {
    grant: Grant,
    /// How long the token is to live; `None` leaves it to the platform.
    lifetime: Option<Duration>,
}

impl LoginRequest {
    fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let body: Value =
            serde_json::from_slice(body).map_err(|_| Refusal::bad_request("the body is no JSON"))?;
        let Value::Object(body) = body else {
            return Err(Refusal::bad_request("the body must be a JSON object"));
        };
        let mut body = one_spelling(body)?;
        for key in STRINGS {
            if body.get(key).is_some_and(|value| value.as_str().is_none_or(str::is_empty)) {
                return Err(Refusal::bad_request(format!("`{key}` must be a string that is not empty")));
            }
        }
        let lifetime = match body.get("expiresIn").and_then(Value::as_str) {
            None => None,
            Some(text) => Some(lifetime::parse(text).ok_or_else(|| {
                Refusal::bad_request(
                    "`expiresIn` must be a whole number and a unit: \"30s\", \"10m\", \"1w\"",
                )
            })?),
        };
        for key in ["featurePermission", "styles"] {
            if body.get(key).is_some_and(|value| !value.is_object()) {
                return Err(Refusal::bad_request(format!("`{key}` must be an object")));
            }
        }
        let permissions = body.remove("permissions").unwrap_or_default();
        Policy::parse(&permissions).map_err(|error| Refusal::bad_request(error.to_string()))?;
        if !permissions.is_null() && body.get("version") != Some(&json!("2")) {
            return Err(Refusal::bad_request("`permissions` need `version` to be \"2\""));
        }
        let asset_permissions = body.remove("asset_permissions").unwrap_or_default();
        assets::Assets::parse(&asset_permissions).map_err(Refusal::bad_request)?;
        let mut text =
            |key: &str| body.get_mut(key).and_then(|value| Some(value.take().as_str()?.to_owned()));
        let required = |key: &str, value: Option<String>| {
            value.ok_or_else(|| Refusal::bad_request(format!("`{key}` is missing")))
        };
        let grant = Grant {
            kind: TokenKind::Composer,
            userid: required("userid", text("userid"))?,
            appid: Some(required("appid", text("appid"))?),
            clientid: text("clientid"),
            permissions,
            asset_permissions,
        };
        Ok(Self { grant, lifetime })
    }
}

/// The body under the first spelling of each key. Keys that are not documented are left out, with a
/// word in the log, since the documentation does not say that they are refused.
fn one_spelling(body: Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let mut known = Map::new();
    for (spelling, value) in body {
        let Some((key, _)) =
            KEYS.iter().find(|(first, second)| [*first, *second].contains(&spelling.as_str()))
        else {
            // Not quoted: it could be anything, a secret that was pasted included.
            tracing::warn!("login body has a key that is not documented");
            continue;
        };
        if known.insert((*key).to_owned(), value).is_some() {
            return Err(Refusal::bad_request(format!("`{key}` is given twice, in two spellings")));
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &Value) -> Result<LoginRequest, Refusal> {
        LoginRequest::parse(body.to_string().as_bytes())
    }

    #[test]
    fn both_spellings_are_read() {
        for body in [
            json!({"userid": "u", "appid": "a", "clientid": "c", "expiresIn": "10m"}),
            json!({"userId": "u", "appId": "a", "clientId": "c", "expiresIn": "10m"}),
        ] {
            let request = parse(&body).unwrap();
            assert_eq!((request.grant.userid.as_str(), request.grant.appid.as_deref()), ("u", Some("a")));
            assert_eq!(request.grant.clientid.as_deref(), Some("c"));
            assert_eq!(request.lifetime, Some(Duration::from_secs(600)));
        }
    }

    #[test]
    fn permissions_travel_unchanged() {
        let permissions = json!([{"dataset_id": "*", "record_permissions": [
            {"security_name": "tenant", "values": ["aurora"]},
        ]}]);
        let body = json!({"userid": "u", "appid": "a", "version": "2", "permissions": permissions});
        assert_eq!(parse(&body).unwrap().grant.permissions, permissions);
    }

    #[test]
    fn each_mistake_is_named() {
        let with = |key: &str, value: Value| {
            let mut body = json!({"userid": "u", "appid": "a"});
            body[key] = value;
            body
        };
        let rule =
            json!([{"dataset_id": "*", "record_permissions": [{"security_name": "t", "values": ["a"]}]}]);
        let cases = [
            (json!([]), "must be a JSON object"),
            (json!({"appid": "a"}), "`userid` is missing"),
            (json!({"userid": "u"}), "`appid` is missing"),
            (with("userid", json!(7)), "`userid` must be a string"),
            (with("userId", json!("u")), "`userid` is given twice"),
            (with("clientid", json!("")), "`clientid` must be a string"),
            (with("expiresIn", json!("10 minutes")), "`expiresIn` must be"),
            (with("expiresIn", json!(600)), "`expiresIn` must be"),
            (with("permissions", rule.clone()), "need `version` to be \"2\""),
            (with("permissions", json!([{"dataset_id": "*"}])), "permissions[0].record_permissions"),
            (with("asset_permissions", json!({"chart": {}})), "asset_permissions"),
            (with("styles", json!("dark")), "`styles` must be an object"),
        ];
        for (body, expected) in cases {
            let refusal = parse(&body).unwrap_err();
            assert!(refusal.message().contains(expected), "{body}: {}", refusal.message());
        }
        let mut as_number = with("permissions", rule);
        as_number["version"] = json!(2);
        assert!(parse(&as_number).is_err());
        assert!(LoginRequest::parse(b"<html>").unwrap_err().message().contains("no JSON"));
    }

    #[test]
    fn what_is_not_documented_has_no_effect() {
        let request = parse(&json!({"userid": "u", "appid": "a", "profile": "x"})).unwrap();
        assert_eq!(request.grant.permissions, Value::Null);
    }
}
