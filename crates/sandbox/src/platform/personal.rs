//! What each end user keeps on the platform: saved views, drafts, automations (End User
//! Personalization). Needs a `clientid` in the token.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing};
use serde_json::Value;

use super::Platform;
use super::caller::Caller;
use super::data::json_body;
use super::refusal::Refusal;

const MAX_BYTES: usize = 64 * 1024;
const MAX_ENTRIES: usize = 2_000;

/// Documents by end user and name.
#[derive(Default)]
pub(super) struct Personal(Mutex<BTreeMap<(String, String), Value>>);

impl Personal {
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new().route("/data/v1/personal/{name}", routing::get(read).put(write))
}

async fn read(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let key = (caller.clientid()?.to_owned(), name);
    let documents = platform.personal.0.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Json(documents.get(&key).cloned().unwrap_or_default()))
}

async fn write(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    Path(name): Path<String>,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let key = (caller.clientid()?.to_owned(), name);
    let document = json_body(body)?;
    if document.to_string().len() > MAX_BYTES {
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the document is too large"));
    }
    let mut documents = platform.personal.0.lock().unwrap_or_else(PoisonError::into_inner);
    if documents.len() >= MAX_ENTRIES && !documents.contains_key(&key) {
        return Err(Refusal::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "full",
            "the stand-in keeps no more documents",
        ));
    }
    documents.insert(key, document);
    Ok(StatusCode::NO_CONTENT)
}
