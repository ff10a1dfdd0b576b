//! The wire contract between the `qrvey-auth` browser module and `qrvey-relay`: paths, requests,
//! answers and errors, in one place so that the two sides cannot drift apart.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST {base}/composer-token` | [`ComposerRequest`] | [`TokenAnswer`] or [`Problem`] |
//! | `POST {base}/admin-token` | [`AdminRequest`] | [`TokenAnswer`] or [`Problem`] |

mod problem;
mod token;

pub use problem::{Problem, ProblemCode};
pub use token::{MAX_TOKEN_BYTES, Token, TokenError};

use serde::{Deserialize, Serialize};

/// Where a relay is mounted unless its configuration says otherwise.
pub const DEFAULT_BASE_PATH: &str = "/qrvey";
/// Path below the base that answers Composer tokens.
pub const COMPOSER_TOKEN_PATH: &str = "/composer-token";
/// Path below the base that answers Admin Center tokens.
pub const ADMIN_TOKEN_PATH: &str = "/admin-token";
/// The profile that is meant when a request names none.
pub const DEFAULT_PROFILE: &str = "default";

/// Which of the platform's two tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenKind {
    /// For a widget and one user.
    Composer,
    /// For the Admin Center.
    Admin,
}

impl TokenKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Composer, Self::Admin];

    /// Its name in keys, metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Composer => "composer",
            Self::Admin => "admin",
        }
    }
}

/// Body of `POST {base}/composer-token`. The choice of a configured profile is all that a browser
/// may say; any other key is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComposerRequest {
    /// Name of a profile in the relay's configuration; [`DEFAULT_PROFILE`] if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// Body of `POST {base}/admin-token`: an empty object; any key is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminRequest {}

/// The 200 answer of both endpoints, always sent with `Cache-Control: no-store`.
///
/// Readers ignore keys they do not know, so that a relay may add some, and so that a plain
/// `{"token": "…"}` from a relay of another make is understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// The token for a widget's `qvToken`.
    pub token: Token,
    /// Whole seconds left **at the time of the answer** (as in RFC 6749 §5.1); absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// Opaque; equal in two answers only if the relay would give both callers the same token. Tabs of
    /// one user know by it that they may share a renewal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// Origin of the Qrvey platform that browsers are to talk to, without a trailing slash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_may_name_a_profile_and_nothing_else() {
        let parse = serde_json::from_str::<ComposerRequest>;
        assert_eq!(parse("{}").unwrap(), ComposerRequest { profile: None });
        assert_eq!(parse(r#"{"profile":"sales"}"#).unwrap().profile.as_deref(), Some("sales"));
        let refused = parse(r#"{"profile":"sales","clientid":"someone-else"}"#).unwrap_err();
        assert!(refused.to_string().contains("`clientid`"), "{refused}");
        assert!(serde_json::from_str::<AdminRequest>(r#"{"username":"root"}"#).is_err());
    }

    #[test]
    fn an_answer_of_a_plain_relay_is_understood() {
        let answer: TokenAnswer = serde_json::from_str(r#"{"status":true,"token":"abc"}"#).unwrap();
        assert_eq!(answer.token.expose(), "abc");
        assert_eq!((answer.expires_in, answer.grant, answer.domain), (None, None, None));
    }

    #[test]
    fn what_is_unknown_is_left_out() {
        let answer =
            TokenAnswer { token: Token::parse("abc").unwrap(), expires_in: None, grant: None, domain: None };
        assert_eq!(serde_json::to_string(&answer).unwrap(), r#"{"token":"abc"}"#);
        assert_eq!(serde_json::to_string(&ComposerRequest::default()).unwrap(), "{}");
    }

    #[test]
    fn negative_and_fractional_lifetimes_are_no_lifetimes() {
        for bad in ["-1", "1.5", "\"60\"", "1e400"] {
            let text = format!(r#"{{"token":"abc","expires_in":{bad}}}"#);
            assert!(serde_json::from_str::<TokenAnswer>(&text).is_err(), "{bad}");
        }
    }
}
