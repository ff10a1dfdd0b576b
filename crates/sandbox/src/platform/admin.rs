//! The Admin Center: its login in three generations, and one call that needs its token.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json, Router, routing};
use serde_json::{Value, json};

use super::Platform;
use super::journal::Minted;
use super::refusal::Refusal;
use super::token::{Grant, TokenKind, TokenRefusal};

/// The current path, the one before 8.5, and that of an old standalone Admin Center.
pub(super) const LOGIN_PATHS: [&str; 3] = ["/api/admin/v6/login", "/admin/api/v5/login", "/login"];
/// Answers 200 to a valid Admin Center token; the path is this stand-in's own.
pub(super) const STATUS_PATH: &str = "/api/admin/v6/status";

pub(super) fn login_routes() -> Router<Arc<Platform>> {
    LOGIN_PATHS.iter().fold(Router::new(), |router, path| router.route(path, routing::post(login)))
}

pub(super) fn api_routes() -> Router<Arc<Platform>> {
    Router::new().route(STATUS_PATH, routing::get(status))
}

async fn login(State(platform): State<Arc<Platform>>, body: Bytes) -> Result<Response, Refusal> {
    let body: Value =
        serde_json::from_slice(&body).map_err(|_| Refusal::bad_request("the body is no JSON"))?;
    let text = |key: &str| {
        let value = body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        value.ok_or_else(|| Refusal::bad_request(format!("`{key}` must be a string that is not empty")))
    };
    let (username, access_key) = (text("username")?, text("accessKey")?);
    let credentials = &platform.credentials;
    // Both are compared whatever the first says, so that the time tells nothing.
    let known = credentials.admin_username.is(username.as_bytes())
        & credentials.admin_access_key.is(access_key.as_bytes());
    if !known {
        let message = "`username` and `accessKey` are not those of an administrator";
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, "credentials_wrong", message));
    }
    let grant = Grant {
        kind: TokenKind::Admin,
        userid: "administrator".into(),
        appid: None,
        clientid: None,
        permissions: Value::Null,
        asset_permissions: Value::Null,
    };
    let token = platform.mint.mint(grant, platform.default_lifetime).ok_or_else(Refusal::internal)?;
    Ok((Extension(Minted(TokenKind::Admin)), Json(json!({ "status": true, "token": token }))).into_response())
}

async fn status(State(platform): State<Arc<Platform>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    platform.mint.open(token.ok_or(TokenRefusal::Missing)?, TokenKind::Admin)?;
    Ok(Json(json!({ "status": true, "servers": [{ "name": "stand-in", "healthy": true }] })).into_response())
}
