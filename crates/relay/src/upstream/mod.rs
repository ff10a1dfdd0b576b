//! Calls to the platform: one fixed host, no redirects, bounded in time, size and number.

mod answer;
mod breaker;
mod slots;

use std::time::Duration;

use bytes::Bytes;
use qrvey_auth_wire::{ProblemCode, Token, TokenError};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Certificate, Client, Request};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::config::{Limits, Platform};
use crate::http;
use crate::problem::Failure;
use breaker::Breaker;
use slots::Slots;

pub(crate) const COMPOSER_PATH: &str = "/devapi/v4/core/login/token";
const API_KEY_HEADER: &str = "x-api-key";
/// An idle connection is closed by this side before most servers and balancers would.
const IDLE_TIMEOUT: Duration = Duration::from_secs(55);

/// The platform, as the relay speaks to it.
#[derive(Debug)]
pub(crate) struct Upstream {
    http: Client,
    /// Both logins, but for credentials and body.
    composer_login: Request,
    admin_login: Request,
    timeout: Duration,
    slots: Slots,
    composer_breaker: Breaker,
    admin_breaker: Breaker,
}

/// Why the platform gave no token. For the log; says nothing of what was sent or answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("too many requests to the platform wait already")]
    Busy,
    #[error("the platform was down a moment ago and is left alone for a while")]
    LeftAlone(Duration),
    #[error("cannot connect to the platform")]
    Connect,
    #[error("the platform did not answer within limits.upstream_timeout")]
    Timeout,
    #[error("the connection broke before the platform's answer was complete")]
    Broken,
    #[error("the platform refused {credential} (status {status})")]
    Refused { credential: &'static str, status: u16 },
    #[error("the platform redirects (status {0}); redirects are not followed")]
    Redirect(u16),
    #[error("the platform asks for fewer requests")]
    RateLimited(Option<Duration>),
    #[error("the platform is unavailable (status {0})")]
    Unavailable(u16, Option<Duration>),
    #[error("the platform answered with status {0}")]
    Status(u16),
    #[error("the platform's answer is larger than 64 KiB")]
    TooLarge,
    #[error("the platform's answer is not a JSON object with a token")]
    NotAToken,
    #[error("the token in the platform's answer is unusable: {0}")]
    BadToken(TokenError),
}

impl Upstream {
    pub(crate) fn new(platform: &Platform, limits: &Limits) -> Result<Self, reqwest::Error> {
        let is_plain = platform.domain.starts_with("http://") && platform.admin_domain.starts_with("http://");
        let some_url = if is_plain { &platform.domain } else { "https://" };
        let http = http::client(some_url, limits.upstream_timeout)
            .connect_timeout(limits.upstream_connect_timeout)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(limits.upstream_concurrency);
        let http = match &platform.extra_roots {
            Some(pem) => http.tls_certs_merge(Certificate::from_pem_bundle(pem)?),
            None => http,
        };
        let breaker = || Breaker::new(limits.breaker_failures, limits.breaker_pause);
        let http = http.build()?;
        let login = |domain: &str, path: &str| {
            let json = HeaderValue::from_static("application/json");
            http.post(format!("{domain}{path}")).header(CONTENT_TYPE, &json).header(ACCEPT, &json).build()
        };
        Ok(Self {
            composer_login: login(&platform.domain, COMPOSER_PATH)?,
            admin_login: login(&platform.admin_domain, platform.admin_login.path())?,
            http,
            timeout: limits.upstream_timeout,
            slots: Slots::new(limits.upstream_concurrency, limits.upstream_queue),
            composer_breaker: breaker(),
            admin_breaker: breaker(),
        })
    }

    /// Asks for a Composer token with exactly this body.
    pub(crate) async fn composer_token(
        &self,
        api_key: &SecretString,
        body: Bytes,
    ) -> Result<Token, UpstreamError> {
        let refused = |status| UpstreamError::Refused { credential: "QRVEY_API_KEY", status };
        let mut key = HeaderValue::from_str(api_key.expose_secret()).map_err(|_| refused(0))?;
        key.set_sensitive(true);
        let mut request = with_body(&self.composer_login, body);
        request.headers_mut().insert(API_KEY_HEADER, key);
        self.ask(&self.composer_breaker, request, refused).await
    }

    /// Asks for an Admin Center token with this body, made by [`admin_body`].
    pub(crate) async fn admin_token(&self, body: Bytes) -> Result<Token, UpstreamError> {
        let refused = |status| UpstreamError::Refused {
            credential: "QRVEY_ADMIN_USERNAME with QRVEY_ADMIN_ACCESS_KEY",
            status,
        };
        self.ask(&self.admin_breaker, with_body(&self.admin_login, body), refused).await
    }

    /// Whether one of the platform's logins is left alone for now.
    pub(crate) fn is_left_alone(&self) -> bool {
        self.composer_breaker.is_open() || self.admin_breaker.is_open()
    }

    async fn ask(
        &self,
        breaker: &Breaker,
        request: Request,
        refused: impl Fn(u16) -> UpstreamError,
    ) -> Result<Token, UpstreamError> {
        let attempt = breaker.attempt().map_err(UpstreamError::LeftAlone)?;
        let result = self.ask_in_time(request, refused).await;
        match result {
            Err(error) if error.is_outage() => attempt.failed(),
            // Says nothing of the platform.
            Err(UpstreamError::Busy) => {}
            _ => attempt.succeeded(),
        }
        result
    }

    /// Waiting for a slot counts towards the time limit: it is the caller's time.
    async fn ask_in_time(
        &self,
        request: Request,
        refused: impl Fn(u16) -> UpstreamError,
    ) -> Result<Token, UpstreamError> {
        let mut has_slot = false;
        let ask = async {
            let _slot = self.slots.acquire().await.ok_or(UpstreamError::Busy)?;
            has_slot = true;
            let response = self.http.execute(request).await.map_err(|error| transport(&error))?;
            answer::token(response, refused).await
        };
        match tokio::time::timeout(self.timeout, ask).await {
            Ok(result) => result,
            Err(_) if has_slot => Err(UpstreamError::Timeout),
            Err(_) => Err(UpstreamError::Busy),
        }
    }
}

fn with_body(login: &Request, body: Bytes) -> Request {
    let mut request = Request::new(login.method().clone(), login.url().clone());
    *request.headers_mut() = login.headers().clone();
    *request.body_mut() = Some(body.into());
    request
}

/// The body of an admin login, credentials and all.
pub(crate) fn admin_body(username: &SecretString, access_key: &SecretString) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct AdminBody<'a> {
        username: &'a str,
        access_key: &'a str,
    }
    let body = AdminBody { username: username.expose_secret(), access_key: access_key.expose_secret() };
    // Two texts always serialize.
    serde_json::to_vec(&body).unwrap_or_default().into()
}

fn transport(error: &reqwest::Error) -> UpstreamError {
    if error.is_connect() {
        UpstreamError::Connect
    } else if error.is_timeout() {
        UpstreamError::Timeout
    } else {
        UpstreamError::Broken
    }
}

impl UpstreamError {
    /// Whether the platform is ill, as opposed to a well one that did not like the request.
    fn is_outage(self) -> bool {
        matches!(self, Self::Connect | Self::Timeout | Self::Broken | Self::Unavailable(..))
    }

    /// Whether the platform was asked at all.
    pub(crate) fn was_asked(self) -> bool {
        !matches!(self, Self::Busy | Self::LeftAlone(_))
    }

    /// The label in the metrics.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::LeftAlone(_) => "left_alone",
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::Refused { .. } => "refused",
            Self::Redirect(_) => "redirect",
            Self::RateLimited(_) => "rate_limited",
            Self::Unavailable(..) => "unavailable",
            Self::Status(_) => "status",
            Self::TooLarge => "too_large",
            Self::NotAToken | Self::BadToken(_) => "not_a_token",
        }
    }
}

const RETRY_SOON: Duration = Duration::from_secs(1);
const RETRY_LATER: Duration = Duration::from_secs(5);

impl From<UpstreamError> for Failure {
    fn from(error: UpstreamError) -> Self {
        let unavailable = |detail| Self::new(ProblemCode::UpstreamUnavailable, detail);
        match error {
            UpstreamError::Busy => {
                unavailable("The relay is at its limit of requests to the platform. Try again soon.")
                    .retry_after(RETRY_SOON)
            }
            UpstreamError::Connect => {
                unavailable("The platform cannot be reached. Try again later.").retry_after(RETRY_LATER)
            }
            UpstreamError::RateLimited(wait) => {
                unavailable("The platform asks for fewer requests. Try again later.")
                    .retry_after(wait.unwrap_or(RETRY_LATER))
            }
            UpstreamError::Unavailable(_, wait) => {
                unavailable("The platform is not available. Try again later.")
                    .retry_after(wait.unwrap_or(RETRY_LATER))
            }
            UpstreamError::LeftAlone(wait) => {
                unavailable("The platform is not available. Try again later.").retry_after(wait)
            }
            UpstreamError::Timeout => {
                Self::new(ProblemCode::UpstreamTimeout, "The platform did not answer in time. Try again.")
            }
            UpstreamError::Refused { .. } => Self::new(
                ProblemCode::UpstreamError,
                "The platform refused the relay's credentials. The operator finds the reason in the relay's log.",
            ),
            UpstreamError::Broken
            | UpstreamError::Redirect(_)
            | UpstreamError::Status(_)
            | UpstreamError::TooLarge
            | UpstreamError::NotAToken
            | UpstreamError::BadToken(_) => Self::new(
                ProblemCode::UpstreamError,
                "The platform's answer cannot be used. The operator finds the reason in the relay's log.",
            ),
        }
    }
}

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz_answer(bytes: &[u8]) {
    let _ = answer::parse(bytes);
}
