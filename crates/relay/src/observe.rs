//! The outermost layer: gives each request an id, each answer its headers and each error its body,
//! and says once, in log and metrics, how it ended.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::Response;
use qrvey_auth_wire::{ADMIN_TOKEN_PATH, COMPOSER_TOKEN_PATH};
use tracing::Instrument;
use uuid::Uuid;

use crate::problem::{self, Failure};
use crate::router::{Relay, TOKENS_PATH};
use crate::trace::TraceParent;

/// Names a request in the log; made here, for a caller's own could be anything.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// On every answer; HSTS is the edge's business.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 5] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

pub(crate) async fn observe(State(relay): State<Relay>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let in_flight = relay.metrics().request_starts();
    let id = Uuid::new_v4().simple().to_string();
    let route = route(request.uri());
    let method = method(&request);
    let trace =
        request.headers().get("traceparent").and_then(|value| TraceParent::parse(value.to_str().ok()?));
    let trace_id = trace.as_ref().map(TraceParent::trace_id);
    let span = tracing::info_span!("request", request_id = %id, trace_id);
    if let Some(trace) = trace {
        request.extensions_mut().insert(trace);
    }
    request.extensions_mut().insert(RequestId(id.clone()));
    let response = next.run(request).instrument(span.clone()).await;
    let mut response = problem::render(response, &id);
    secure(&mut response);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let outcome = response.extensions().get::<Failure>().map_or("ok", |failure| failure.code.as_str());
    let took = start.elapsed();
    relay.metrics().request_ends(route, outcome, took);
    drop(in_flight);
    span.in_scope(|| {
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(method, route, status = response.status().as_u16(), outcome, milliseconds, "answered");
    });
    response
}

/// Puts the headers on that every answer has.
pub(crate) fn secure(response: &mut Response) {
    for (name, value) in &SECURITY_HEADERS {
        response.headers_mut().insert(name, value.clone());
    }
}

/// A name from a fixed list: a path could hold anything, a token included.
fn route(uri: &Uri) -> &'static str {
    let path = uri.path();
    [COMPOSER_TOKEN_PATH, ADMIN_TOKEN_PATH, TOKENS_PATH]
        .into_iter()
        .find(|known| path.ends_with(known))
        .map_or("other", |known| known.trim_start_matches('/'))
}

fn method(request: &Request) -> &'static str {
    match request.method().as_str() {
        "POST" => "POST",
        "GET" => "GET",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "DELETE" => "DELETE",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        _ => "other",
    }
}
