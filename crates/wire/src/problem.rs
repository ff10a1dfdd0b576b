use serde::{Deserialize, Serialize};

/// The body of every error, `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A URI that names the kind of problem; `about:blank` where the status says it all.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in a few words, the same for each occurrence.
    pub title: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// What happened this time and what to do about it. Never quotes a secret, a token or a claim.
    pub detail: String,
    /// The stable, machine-readable name of the problem.
    pub code: ProblemCode,
    /// Finds this request in the relay's log.
    pub request_id: String,
}

/// The stable names of what can go wrong at the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// 400, 404 (no such path), 405, 413, 415: the request is not one of this contract.
    InvalidRequest,
    /// 401: nobody is signed in to the host application.
    NotSignedIn,
    /// 403: signed in, but not entitled, or asked from a foreign site.
    Forbidden,
    /// 404: the relay has no such profile, or no admin section.
    UnknownProfile,
    /// 429: too many requests; `Retry-After` says when to come back.
    RateLimited,
    /// 500: a fault in the relay itself.
    Internal,
    /// 502: the platform refused, or answered what cannot be understood.
    UpstreamError,
    /// 503: the platform, or the service that knows who is signed in, cannot be reached now.
    UpstreamUnavailable,
    /// 504: the platform did not answer in time.
    UpstreamTimeout,
}

impl ProblemCode {
    /// Every code, in the order of its status.
    pub const ALL: [Self; 9] = [
        Self::InvalidRequest,
        Self::NotSignedIn,
        Self::Forbidden,
        Self::UnknownProfile,
        Self::RateLimited,
        Self::Internal,
        Self::UpstreamError,
        Self::UpstreamUnavailable,
        Self::UpstreamTimeout,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::NotSignedIn => "not_signed_in",
            Self::Forbidden => "forbidden",
            Self::UnknownProfile => "unknown_profile",
            Self::RateLimited => "rate_limited",
            Self::Internal => "internal",
            Self::UpstreamError => "upstream_error",
            Self::UpstreamUnavailable => "upstream_unavailable",
            Self::UpstreamTimeout => "upstream_timeout",
        }
    }

    /// The HTTP status that goes with the code; [`Self::InvalidRequest`] also travels with 404,
    /// 405, 413 and 415.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::NotSignedIn => 401,
            Self::Forbidden => 403,
            Self::UnknownProfile => 404,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::UpstreamError => 502,
            Self::UpstreamUnavailable => 503,
            Self::UpstreamTimeout => 504,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_one_that_serde_writes() {
        for code in ProblemCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!((400..600).contains(&code.status()));
        }
    }

    #[test]
    fn a_problem_has_the_members_of_rfc_9457() {
        let problem = Problem {
            kind: "about:blank".into(),
            title: "Not signed in".into(),
            status: 401,
            detail: "Sign in and try again.".into(),
            code: ProblemCode::NotSignedIn,
            request_id: "r1".into(),
        };
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(json["type"], "about:blank");
        assert_eq!(json["code"], "not_signed_in");
        assert_eq!(serde_json::from_value::<Problem>(json).unwrap(), problem);
    }
}
