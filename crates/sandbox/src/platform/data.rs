//! The data API that the widgets draw from. Its paths are this stand-in's own; that every call
//! carries the token in a header is the platform's.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::query::{Query, named};
use super::refusal::Refusal;
use super::rows::{Cell, Dataset};
use super::{Platform, assets};

/// How many rows travel in one piece of an export.
const ROWS_PER_CHUNK: usize = 6;

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/data/v1/pages", routing::get(pages))
        .route("/data/v1/query", routing::post(query))
        .route("/data/v1/export", routing::post(export))
}

/// A JSON body, with the platform's own error where it is none.
pub(super) fn json_body<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Refusal> {
    body.map(|Json(value)| value).map_err(|rejection| {
        let status = match rejection.status() {
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            other => other,
        };
        Refusal::new(status, "bad_request", rejection.body_text())
    })
}

async fn pages(caller: Caller) -> Json<Value> {
    Json(json!({ "title": "Business review", "pages": assets::pages(&caller.assets) }))
}

async fn query(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    body: Result<Json<Query>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    let query = json_body(body)?;
    let (dataset, visible) = caller.rows(&platform, &query.dataset)?;
    query.answer(dataset, visible).map(Json)
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ExportFormat {
    #[default]
    Csv,
    Ndjson,
}

#[derive(Deserialize)]
struct ExportRequest {
    query: Query,
    #[serde(default)]
    format: ExportFormat,
    /// Pause before each piece, so that an export takes a person's time.
    #[serde(default = "default_pace_ms")]
    pace_ms: u64,
}

const fn default_pace_ms() -> u64 {
    120
}

async fn export(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    body: Result<Json<ExportRequest>, JsonRejection>,
) -> Result<Response, Refusal> {
    let ExportRequest { query, format, pace_ms } = json_body(body)?;
    let (dataset, visible) = caller.rows(&platform, &query.dataset)?;
    let rows = query.select(dataset, visible)?;
    Ok(stream_rows(dataset, &rows, format, Duration::from_millis(pace_ms)))
}

/// The rows piece by piece; the token is looked at once, when the stream begins.
pub(super) fn stream_rows(
    dataset: &Dataset,
    rows: &[&[Cell]],
    format: ExportFormat,
    pace: Duration,
) -> Response {
    let (mime, extension) = match format {
        ExportFormat::Csv => ("text/csv; charset=utf-8", "csv"),
        ExportFormat::Ndjson => ("application/x-ndjson", "ndjson"),
    };
    let mut chunks: Vec<Bytes> = Vec::new();
    if let ExportFormat::Csv = format {
        chunks.push(Bytes::from(dataset.columns.join(",") + "\r\n"));
    }
    chunks.extend(rows.chunks(ROWS_PER_CHUNK).map(|rows| {
        let lines = rows.iter().map(|row| match format {
            ExportFormat::Csv => row.iter().map(csv_field).collect::<Vec<_>>().join(",") + "\r\n",
            ExportFormat::Ndjson => format!("{}\n", named(dataset, row)),
        });
        Bytes::from(lines.collect::<String>())
    }));
    let headers = [
        (header::CONTENT_TYPE, mime.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.{extension}\"", dataset.id)),
        (header::HeaderName::from_static("x-total-rows"), rows.len().to_string()),
    ];
    let paced = stream::iter(chunks).then(move |chunk| async move {
        tokio::time::sleep(pace).await;
        Ok::<_, Infallible>(chunk)
    });
    (headers, Body::from_stream(paced)).into_response()
}

/// RFC 4180: quoted where needed, with quotes doubled.
fn csv_field(cell: &Cell) -> String {
    let text = cell.to_text();
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_fields_are_quoted_where_needed() {
        assert_eq!(csv_field(&Cell::Text("a,b".into())), "\"a,b\"");
        assert_eq!(csv_field(&Cell::Text("a\"b".into())), "\"a\"\"b\"");
        assert_eq!(csv_field(&Cell::Number(1.5)), "1.5");
        assert_eq!(csv_field(&Cell::Empty), "");
    }
}
