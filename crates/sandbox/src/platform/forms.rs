//! Web forms: open to everybody who has the form's hash, without a token.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use serde_json::{Value, json};

use super::Platform;
use super::data::json_body;
use super::refusal::Refusal;

/// The hash of the one published form.
pub const FORM_HASH: &str = "feedback-5f3a91";

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/forms/v1/{hash}", routing::get(read))
        .route("/forms/v1/{hash}/answers", routing::post(answer))
}

async fn read(Path(hash): Path<String>) -> Result<Json<Value>, Refusal> {
    known(&hash)?;
    Ok(Json(form()))
}

async fn answer(
    State(platform): State<Arc<Platform>>,
    Path(hash): Path<String>,
    body: Result<Json<BTreeMap<String, Value>>, JsonRejection>,
) -> Result<Response, Refusal> {
    known(&hash)?;
    let answers = json_body(body)?;
    let form = form();
    for field in form.get("fields").and_then(Value::as_array).into_iter().flatten() {
        let name = field.get("name").and_then(Value::as_str).unwrap_or_default();
        let answered =
            answers.get(name).is_some_and(|value| value.as_str().is_none_or(|text| !text.trim().is_empty()));
        if field.get("required") == Some(&Value::Bool(true)) && !answered {
            return Err(Refusal::bad_request(format!("`{name}` is required")));
        }
    }
    let number = platform.form_answers.fetch_add(1, Ordering::Relaxed) + 1;
    Ok((StatusCode::CREATED, Json(json!({ "reference": format!("FB-{number:04}") }))).into_response())
}

fn known(hash: &str) -> Result<(), Refusal> {
    if hash == FORM_HASH { Ok(()) } else { Err(Refusal::not_found("there is no form with this hash")) }
}

fn form() -> Value {
    json!({
        "title": "How was your order?",
        "lead": "Two minutes, read by the people who packed it.",
        "fields": [
            { "name": "order", "label": "Order number", "kind": "text", "required": true, "hint": "As on the invoice" },
            { "name": "rating", "label": "How did it go?", "kind": "choice", "required": true,
              "choices": ["Great", "Fine", "Not good"] },
            { "name": "email", "label": "E-mail", "kind": "email", "required": false, "hint": "If we may answer" },
            { "name": "remarks", "label": "What should we know?", "kind": "long", "required": false },
        ],
    })
}
