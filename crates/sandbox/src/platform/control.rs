//! The hands that tests put on the platform, below `/_sandbox/`. Nothing here shows a token or a key.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Query, State};
use axum::{Json, Router, routing};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Platform;
use super::data::json_body;
use super::faults::{Fault, Target};
use super::journal::Log;
use super::refusal::Refusal;
use super::token::TokenFormat;

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/_sandbox/log", routing::get(log))
        .route("/_sandbox/stats", routing::get(stats))
        .route("/_sandbox/revoke", routing::post(revoke))
        .route("/_sandbox/clock", routing::post(clock))
        .route("/_sandbox/faults", routing::post(faults))
        .route("/_sandbox/reset", routing::post(reset))
}

#[derive(Deserialize)]
struct LogFilter {
    /// Only entries after this one.
    after: Option<u64>,
    target: Option<Target>,
}

async fn log(State(platform): State<Arc<Platform>>, Query(filter): Query<LogFilter>) -> Json<Log> {
    Json(platform.journal.log(filter.after, filter.target))
}

async fn stats(State(platform): State<Arc<Platform>>) -> Json<Value> {
    Json(json!({
        "mints": platform.journal.mints(),
        "requests": platform.journal.requests(),
        "epoch": platform.mint.epoch(),
        "clock_offset_ms": platform.clock.offset_ms(),
        "now_ms": platform.clock.now_ms(),
    }))
}

async fn revoke(State(platform): State<Arc<Platform>>) -> Json<Value> {
    Json(json!({ "epoch": platform.mint.revoke_all() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: i64,
}

async fn clock(
    State(platform): State<Arc<Platform>>,
    body: Result<Json<Advance>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    let offset_ms = platform.clock.advance_ms(json_body(body)?.advance_ms);
    Ok(Json(json!({ "clock_offset_ms": offset_ms, "now_ms": platform.clock.now_ms() })))
}

/// What is named is set; what is not stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switches {
    faults: Option<Vec<Fault>>,
    token_format: Option<TokenFormat>,
}

async fn faults(
    State(platform): State<Arc<Platform>>,
    body: Result<Json<Switches>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    let switches = json_body(body)?;
    if let Some(format) = switches.token_format {
        platform.mint.set_format(format);
    }
    let on = switches.faults.as_ref().map(Vec::len);
    if let Some(faults) = switches.faults {
        platform.faults.set(faults);
    }
    Ok(Json(json!({ "faults": on })))
}

/// Back to how it started. Tokens that were revoked stay so.
async fn reset(State(platform): State<Arc<Platform>>) -> Json<Value> {
    platform.faults.set(Vec::new());
    platform.mint.set_format(platform.token_format);
    platform.clock.reset();
    platform.personal.clear();
    platform.downloads.clear();
    platform.journal.clear();
    Json(json!({ "reset": true }))
}
