//! What is done around every answer: an id for the request, headers for the answer, and a word on
//! how it ended in log and metrics.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use qrvey_auth_wire::ProblemCode;

use crate::limiter::Limiter;
use crate::metrics::{InFlight, Metrics};
use crate::route::Route;
use crate::service::Answer;
use crate::trace::{TraceParent, Trail};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// On every answer; HSTS is the edge's business.
pub(crate) const SECURITY_HEADERS: [(HeaderName, HeaderValue); 5] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Whether one more line may tell of what anybody can cause as often as he likes: such must not fill a
/// disk. The metrics count all of it.
pub(crate) fn is_worth_a_line() -> bool {
    static LINES: LazyLock<Rationed> = LazyLock::new(Rationed::new);
    let left_out = LINES.admit(Instant::now());
    if let Some(left_out @ 1..) = left_out {
        tracing::warn!(left_out, "requests without a limit came too often for a line each");
    }
    left_out.is_some()
}

const LINES_PER_MINUTE: u32 = 600;

/// So many lines a minute, and one that tells how many there were besides.
struct Rationed {
    lines: Limiter<()>,
    notices: Limiter<()>,
    left_out: AtomicU64,
}

impl Rationed {
    fn new() -> Self {
        Self {
            lines: Limiter::per_minute(LINES_PER_MINUTE),
            notices: Limiter::per_minute(1),
            left_out: AtomicU64::new(0),
        }
    }

    /// `None`: no line. Otherwise how many lines before it are to be told of as left out.
    fn admit(&self, now: Instant) -> Option<u64> {
        if self.lines.admit((), now).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let is_to_tell = self.left_out.load(Ordering::Relaxed) > 0 && self.notices.admit((), now).is_ok();
        Some(if is_to_tell { self.left_out.swap(0, Ordering::Relaxed) } else { 0 })
    }
}

/// A request under way.
pub(crate) struct Observation<'a> {
    pub trail: Trail,
    pub route: Route,
    pub method: &'static str,
    pub start: Instant,
    metrics: &'a Metrics,
    has_ended: bool,
    /// It was answered before any limit counted it.
    pub has_no_limit: bool,
    _in_flight: InFlight<'a>,
}

impl<'a> Observation<'a> {
    pub(crate) fn start(metrics: &'a Metrics, head: &Parts, route: Route) -> Self {
        let trace = head.headers.get("traceparent").and_then(|it| TraceParent::parse(it.to_str().ok()?));
        Self {
            trail: Trail::new(trace),
            route,
            method: method(&head.method),
            start: Instant::now(),
            metrics,
            has_ended: false,
            has_no_limit: false,
            _in_flight: metrics.request_starts(),
        }
    }

    /// `code` is that of the problem, if the answer is one.
    pub(crate) fn end(mut self, answer: &mut Answer, code: Option<ProblemCode>) {
        if let Ok(id) = HeaderValue::from_str(self.trail.request_id()) {
            answer.headers_mut().insert(REQUEST_ID, id);
        }
        let took = self.start.elapsed();
        self.metrics.request_ends(self.route, code, took);
        self.has_ended = true;
        let has_no_limit = self.has_no_limit
            || self.method == "OPTIONS"
            || matches!(code, Some(ProblemCode::RateLimited | ProblemCode::Forbidden));
        if has_no_limit && !is_worth_a_line() {
            return;
        }
        tracing::info!(
            request_id = self.trail.request_id(),
            trace_id = self.trail.trace_id(),
            method = self.method,
            route = self.route.name(),
            status = answer.status().as_u16(),
            outcome = code.map_or("ok", ProblemCode::as_str),
            milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
    }
}

impl Drop for Observation<'_> {
    /// Whoever asked has left before there was an answer.
    fn drop(&mut self) {
        if !self.has_ended {
            self.metrics.request_aborted(self.route);
        }
    }
}

/// A name from a fixed list: a method could be any word.
fn method(method: &Method) -> &'static str {
    match method.as_str() {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn lines_are_bounded_and_it_is_told_once_a_minute_how_many_were_left_out() {
        let (lines, start) = (Rationed::new(), Instant::now());
        let admit = |seconds| lines.admit(start + Duration::from_secs(seconds));
        let admitted = |seconds, count| (0..count).filter_map(|_| admit(seconds)).collect::<Vec<_>>();
        assert_eq!(admitted(0, 1_000), [0; 600]);
        assert_eq!(admitted(1, 100)[..3], [400, 0, 0]);
        assert!(admitted(30, 1_000).iter().all(|left_out| *left_out == 0), "it was told a moment ago");
        assert_eq!(admitted(61, 2)[..], [90 + 710, 0]);
    }
}
