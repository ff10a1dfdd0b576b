//! Errors as callers see them: `application/problem+json` with a fixed text each, so that no
//! secret, token or claim can end up in one.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{
    ALLOW, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TRANSFER_ENCODING, WWW_AUTHENTICATE,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use qrvey_auth_wire::{Problem, ProblemCode};

/// What a caller is told went wrong.
///
/// As a response it travels in the extensions; [`render`] writes the body once the request id is
/// known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub code: ProblemCode,
    pub status: StatusCode,
    pub detail: &'static str,
    pub retry_after: Option<Duration>,
}

impl Failure {
    pub(crate) fn new(code: ProblemCode, detail: &'static str) -> Self {
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { code, status, detail, retry_after: None }
    }

    /// A request that is not one of the contract, with the status that says how.
    pub(crate) fn invalid(status: StatusCode, detail: &'static str) -> Self {
        Self { code: ProblemCode::InvalidRequest, status, detail, retry_after: None }
    }

    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    pub(crate) fn not_signed_in() -> Self {
        Self::new(ProblemCode::NotSignedIn, "Nobody is signed in. Sign in to the application and try again.")
    }

    pub(crate) fn not_entitled() -> Self {
        Self::new(ProblemCode::Forbidden, "This account is not entitled to the token that was asked for.")
    }

    pub(crate) fn unknown_profile() -> Self {
        Self::new(ProblemCode::UnknownProfile, "The relay has no such profile.")
    }

    pub(crate) fn internal() -> Self {
        Self::new(ProblemCode::Internal, "The relay failed. Its log has the request id.")
    }

    /// What to say of a status that a library answered with.
    fn of_status(status: StatusCode) -> Self {
        let detail = match status {
            StatusCode::NOT_FOUND => "There is nothing at this path.",
            StatusCode::METHOD_NOT_ALLOWED => "This path does not take this method.",
            StatusCode::PAYLOAD_TOO_LARGE => "The body is too large.",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "The body must be application/json.",
            StatusCode::REQUEST_TIMEOUT => "The request did not arrive in time.",
            _ if status.is_server_error() => return Self { status, ..Self::internal() },
            _ => "The request is not one that the relay understands.",
        };
        Self::invalid(status, detail)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Gives every error answer its problem body, whoever made the answer: a handler, a layer or axum.
pub(crate) fn render(response: Response, request_id: &str) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    let failure = parts.extensions.get::<Failure>().copied().unwrap_or_else(|| Failure::of_status(status));
    let problem = Problem {
        kind: "about:blank".to_owned(),
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        status: status.as_u16(),
        detail: failure.detail.to_owned(),
        code: failure.code,
        request_id: request_id.to_owned(),
    };
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.remove(TRANSFER_ENCODING);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(wait) = failure.retry_after {
        parts.headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    if status == StatusCode::UNAUTHORIZED {
        parts.headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"host application\""));
    }
    if status != StatusCode::METHOD_NOT_ALLOWED {
        parts.headers.remove(ALLOW);
    }
    // A problem is made of texts and numbers, which always serialize.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    parts.extensions.insert(failure);
    Response::from_parts(parts, Body::from(body))
}

/// Rounded up, so that whoever comes back then is not early.
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_rounded_up_to_whole_seconds() {
        assert_eq!(whole_seconds(Duration::ZERO), 1);
        assert_eq!(whole_seconds(Duration::from_millis(1_001)), 2);
        assert_eq!(whole_seconds(Duration::from_secs(3)), 3);
    }

    #[test]
    fn every_error_status_becomes_a_problem_and_no_other_does() {
        for status in (100..600).filter_map(|code| StatusCode::from_u16(code).ok()) {
            let rendered = render(status.into_response(), "r1");
            let is_problem =
                rendered.headers().get(CONTENT_TYPE).is_some_and(|it| it == "application/problem+json");
            assert_eq!(is_problem, status.as_u16() >= 400, "{status}");
            assert_eq!(rendered.status(), status);
        }
    }
}
