//! The assistant behind Sidekick: answers about the caller's rows, word by word.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Platform;
use super::caller::Caller;
use super::data::json_body;
use super::query::Query;
use super::refusal::Refusal;

const WORD_PACE: Duration = Duration::from_millis(45);

#[derive(Deserialize)]
struct Question {
    question: String,
}

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new().route("/data/v1/assistant", routing::post(answer))
}

/// Lines of JSON: `{"text": "…"}` for each word, `{"query": {…}, "rows": […]}` for the figures, `{"done": true}`.
async fn answer(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    body: Result<Json<Question>, JsonRejection>,
) -> Result<Response, Refusal> {
    let question = json_body(body)?.question.to_lowercase();
    let subject = Subject::of(&question);
    let query: Query = serde_json::from_value(subject.query()).map_err(|_| Refusal::internal())?;
    let (dataset, visible) = caller.rows(&platform, &query.dataset)?;
    let figures = query.answer(dataset, visible)?;
    let rows = figures.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut lines: Vec<String> = subject
        .sentence(&rows)
        .split_inclusive(' ')
        .map(|word| json!({ "text": word }).to_string())
        .collect();
    lines.push(json!({ "query": subject.query(), "rows": rows }).to_string());
    lines.push(json!({ "done": true }).to_string());
    let paced = stream::iter(lines).then(|line| async move {
        tokio::time::sleep(WORD_PACE).await;
        Ok::<_, Infallible>(Bytes::from(line + "\n"))
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(paced)).into_response())
}

/// What a question is about, by the words in it.
struct Subject {
    dataset: &'static str,
    column: &'static str,
    aggregate: &'static str,
    measure: &'static str,
    noun: &'static str,
}

impl Subject {
    fn of(question: &str) -> Self {
        let asks = |words: &[&str]| words.iter().any(|word| question.contains(word));
        if asks(&["ticket", "support", "agent"]) {
            Self {
                dataset: "tickets",
                column: "agent",
                aggregate: "sum",
                measure: "hours",
                noun: "hours of support",
            }
        } else {
            let column = match () {
                () if asks(&["product", "sell", "item"]) => "product",
                () if asks(&["customer", "client", "buyer"]) => "customer",
                () if asks(&["month", "trend", "when"]) => "month",
                () => "region",
            };
            Self { dataset: "orders", column, aggregate: "sum", measure: "amount", noun: "revenue" }
        }
    }

    fn query(&self) -> Value {
        let Self { dataset, column, aggregate, measure, .. } = self;
        json!({ "dataset": dataset, "group_by": column, "aggregate": aggregate, "measure": measure })
    }

    fn sentence(&self, rows: &[Value]) -> String {
        let value = |row: &Value| row.get("value").and_then(Value::as_f64).unwrap_or_default();
        let total: f64 = rows.iter().map(value).sum();
        let best = rows.iter().max_by(|a, b| value(a).total_cmp(&value(b)));
        let Some(best) = best else { return "There are no rows that you may see.".into() };
        let key = best.get("key").and_then(Value::as_str).unwrap_or_default();
        let share_percent = if total > 0.0 { 100.0 * value(best) / total } else { 0.0 };
        format!(
            "Of all {noun} in the rows that you may see, {key} stands first among {count} with {share_percent:.0} % \
             of the whole. The figures by {column} follow.",
            noun = self.noun,
            count = rows.len(),
            column = self.column,
        )
    }
}
