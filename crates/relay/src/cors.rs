//! What lets pages of listed origins read answers and send credentials.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

const TRUE: HeaderValue = HeaderValue::from_static("true");
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after, x-request-id");

/// What a preflight asks for; it is the same for each.
const OF_PREFLIGHTS: [(HeaderName, HeaderValue); 3] = [
    (ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, DELETE")),
    (
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("content-type, authorization, cache-control, traceparent, tracestate"),
    ),
    (ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600")),
];

/// Marks an answer, whatever it says: a page must be able to read why it was refused. That answers
/// vary by origin stands in all of them.
pub(crate) fn mark(answer: &mut HeaderMap, request: &HeaderMap, allowed: &[HeaderValue], is_preflight: bool) {
    let Some(origin) = request.get(ORIGIN).filter(|origin| allowed.contains(origin)) else { return };
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
    if is_preflight {
        answer.extend(OF_PREFLIGHTS);
    } else {
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}
