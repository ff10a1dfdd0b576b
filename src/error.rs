//! What can go wrong, as a stable code and a sentence that says what to do.

use std::borrow::Cow;

use qrvey_auth_wire::ProblemCode;
use wasm_bindgen::JsValue;

/// The stable `code` of a `QrveyAuthError`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    InvalidOptions,
    NotSignedIn,
    Forbidden,
    UnknownProfile,
    RateLimited,
    RelayUnreachable,
    RelayError,
    UpstreamUnavailable,
    InvalidResponse,
    Timeout,
    UnsupportedEnvironment,
}

impl Code {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidOptions => "invalid_options",
            Self::NotSignedIn => "not_signed_in",
            Self::Forbidden => "forbidden",
            Self::UnknownProfile => "unknown_profile",
            Self::RateLimited => "rate_limited",
            Self::RelayUnreachable => "relay_unreachable",
            Self::RelayError => "relay_error",
            Self::UpstreamUnavailable => "upstream_unavailable",
            Self::InvalidResponse => "invalid_response",
            Self::Timeout => "timeout",
            Self::UnsupportedEnvironment => "unsupported_environment",
        }
    }

    /// Whether the same call may succeed later with nothing changed on this side.
    pub(crate) const fn retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::RelayUnreachable | Self::UpstreamUnavailable | Self::Timeout)
    }

    /// Whether asking again is pointless until a person or the page has done something.
    pub(crate) const fn is_final(self) -> bool {
        matches!(
            self,
            Self::InvalidOptions
                | Self::NotSignedIn
                | Self::Forbidden
                | Self::UnknownProfile
                | Self::UnsupportedEnvironment
        )
    }
}

pub(crate) type Result<T> = std::result::Result<T, Box<AuthError>>;

/// The module's one error, boxed because it is rare and large. Never holds a token or any part of an answer's body.
#[derive(Debug, Clone)]
pub(crate) struct AuthError {
    pub(crate) code: Code,
    pub(crate) message: Cow<'static, str>,
    pub(crate) status: Option<u16>,
    /// Seconds that the relay asks to wait.
    pub(crate) retry_after_s: Option<f64>,
    pub(crate) request_id: Option<String>,
    /// What the browser threw.
    pub(crate) cause: Option<JsValue>,
}

impl AuthError {
    pub(crate) fn new(code: Code, message: &'static str) -> Box<Self> {
        Self::with(code, Cow::Borrowed(message))
    }

    fn with(code: Code, message: Cow<'static, str>) -> Box<Self> {
        Box::new(Self { code, message, status: None, retry_after_s: None, request_id: None, cause: None })
    }

    pub(crate) fn invalid_option(key: &str, problem: &str) -> Box<Self> {
        Self::with(Code::InvalidOptions, Cow::Owned(["option \"", key, "\" ", problem].concat()))
    }

    pub(crate) fn caused_by(mut self: Box<Self>, cause: JsValue) -> Box<Self> {
        self.cause = Some(cause);
        self
    }

    /// The error for an answer with a failing `status`. `problem` is the code in its problem+json
    /// body, if it has one: a 404 alone may come from any server in between.
    pub(crate) fn from_status(status: u16, problem: Option<&str>) -> Box<Self> {
        let (code, message) = match status {
            401 => (
                Code::NotSignedIn,
                "nobody is signed in, says the relay (401): sign in to the application and ask again",
            ),
            403 => (
                Code::Forbidden,
                "the relay refuses this user, or this page's origin (403): its log names the rule; see `require` and `allowed_origins`",
            ),
            404 if problem == Some(ProblemCode::UnknownProfile.as_str()) => (
                Code::UnknownProfile,
                "the relay has no such profile (404): compare the option \"profile\" with [profiles] in its configuration; admin tokens need its [admin] section",
            ),
            404 => (
                Code::RelayError,
                "there is no relay at this address (404): check the option \"relay\", and the relay's base_path",
            ),
            429 => (Code::RateLimited, "too many requests (429): ask again after `retryAfter` seconds"),
            502..=504 => (
                Code::UpstreamUnavailable,
                "the Qrvey platform cannot be reached by the relay, or fails: try again later; the relay's log says more",
            ),
            0 | 300..=399 => (
                Code::RelayError,
                "the relay answered with a redirect, often to a sign-in page: a token endpoint must answer itself",
            ),
            _ => (Code::RelayError, "the relay could not serve the request: its log has the reason"),
        };
        let mut error = Self::new(code, message);
        error.status = (status != 0).then_some(status);
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_of_the_relay_has_its_code() {
        let code =
            |problem: ProblemCode| AuthError::from_status(problem.status(), Some(problem.as_str())).code;
        assert_eq!(
            ProblemCode::ALL.map(code),
            [
                Code::RelayError,
                Code::NotSignedIn,
                Code::Forbidden,
                Code::UnknownProfile,
                Code::RateLimited,
                Code::RelayError,
                Code::UpstreamUnavailable,
                Code::UpstreamUnavailable,
                Code::UpstreamUnavailable,
            ]
        );
    }

    #[test]
    fn a_404_of_some_other_server_is_no_unknown_profile() {
        assert_eq!(AuthError::from_status(404, None).code, Code::RelayError);
    }

    #[test]
    fn a_redirect_has_no_status_to_tell() {
        let error = AuthError::from_status(0, None);
        assert_eq!((error.code, error.status), (Code::RelayError, None));
        assert!(!error.code.retryable());
    }
}
