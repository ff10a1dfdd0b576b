//! Errors as callers see them: `application/problem+json` with a fixed text each, so that no
//! secret, token or claim can end up in one.

use std::time::Duration;

use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use qrvey_auth_wire::{Problem, ProblemCode};

use crate::route::Route;
use crate::service::{self, Answer};

/// What a caller is told went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub code: ProblemCode,
    pub status: StatusCode,
    pub detail: &'static str,
    pub retry_after: Option<Duration>,
    /// Where the method alone was wrong: the route, which knows the right one.
    route: Option<Route>,
}

impl Failure {
    pub(crate) fn new(code: ProblemCode, detail: &'static str) -> Self {
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { code, status, detail, retry_after: None, route: None }
    }

    /// A request that is not one of the contract, with the status that says how.
    pub(crate) fn invalid(status: StatusCode, detail: &'static str) -> Self {
        Self { status, ..Self::new(ProblemCode::InvalidRequest, detail) }
    }

    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    pub(crate) fn nothing_here() -> Self {
        Self::invalid(StatusCode::NOT_FOUND, "There is nothing at this path.")
    }

    pub(crate) fn method_not_allowed(route: Route) -> Self {
        let failure = Self::invalid(StatusCode::METHOD_NOT_ALLOWED, "This path does not take this method.");
        Self { route: Some(route), ..failure }
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

    pub(crate) fn overloaded() -> Self {
        Self::new(
            ProblemCode::UpstreamUnavailable,
            "The relay has no place for more requests. Try again later.",
        )
        .retry_after(Duration::from_secs(1))
    }

    pub(crate) fn internal() -> Self {
        Self::new(ProblemCode::Internal, "The relay failed. Its log has the request id.")
    }

    /// The answer that says so.
    pub(crate) fn render(self, request_id: &str) -> Answer {
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.to_owned(),
            code: self.code,
            request_id: request_id.to_owned(),
        };
        // A problem is made of texts and numbers, which always serialize.
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut answer = service::answer(self.status, body.into());
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"host application\""));
        }
        if let Some(route) = self.route {
            headers.insert(ALLOW, HeaderValue::from_static(route.allow()));
        }
        answer
    }
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
}
