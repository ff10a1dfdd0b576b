//! Asks the host application who is signed in, with the caller's own credentials and nothing else
//! of the request.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use moka::future::Cache;
use qrvey_auth_wire::ProblemCode;
use reqwest::header::ACCEPT;
use reqwest::{Client, Response};
use sha2::{Digest, Sha256};
use url::Url;

use crate::ask::Ask;
use crate::claims::Claims;
use crate::config::Forward;
use crate::http::{self, BodyError};
use crate::json;
use crate::principal::Principal;
use crate::problem::Failure;

/// The most that is read of the host application's answer, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
const MAX_KEPT: u64 = 50_000;
const RETRY_SOON: Duration = Duration::from_secs(2);

/// The host application's own word on who is signed in.
#[derive(Debug)]
pub(crate) struct HostApplication {
    http: Client,
    url: Url,
    /// Principals by the hash of the credentials that they sent.
    kept: Option<Cache<[u8; 32], Arc<Principal>>>,
}

/// The caller's credentials, as sent.
struct Credentials {
    cookie: Option<HeaderValue>,
    authorization: Option<HeaderValue>,
}

impl HostApplication {
    pub(super) fn new(config: &Forward) -> Result<Self, reqwest::Error> {
        let http =
            http::client(config.url.as_str(), config.timeout).connect_timeout(config.timeout).build()?;
        let kept = (!config.cache_ttl.is_zero())
            .then(|| Cache::builder().max_capacity(MAX_KEPT).time_to_live(config.cache_ttl).build());
        Ok(Self { http, url: config.url.clone(), kept })
    }

    pub(super) async fn principal(&self, ask: Ask<'_>) -> Result<Arc<Principal>, Failure> {
        let credentials = Credentials::of(ask.headers)?;
        let Some(kept) = &self.kept else { return self.ask(credentials, ask).await };
        let key = credentials.key();
        if let Some(principal) = kept.get(&key).await {
            return Ok(principal);
        }
        // Asks at once for equal credentials are one; a refusal is shared with them, never kept.
        kept.try_get_with(key, self.ask(credentials, ask)).await.map_err(|failure| *failure)
    }

    pub(super) async fn forget(&self, ask: Ask<'_>) {
        if let (Some(kept), Ok(credentials)) = (&self.kept, Credentials::of(ask.headers)) {
            kept.invalidate(&credentials.key()).await;
        }
    }

    async fn ask(&self, credentials: Credentials, ask: Ask<'_>) -> Result<Arc<Principal>, Failure> {
        let mut request = self.http.get(self.url.clone()).header(ACCEPT, "application/json");
        request = request.header("x-request-id", ask.trail.request_id());
        if let Some(trace) = ask.trail.child_trace() {
            request = request.header("traceparent", trace);
        }
        for (name, value) in [(COOKIE, credentials.cookie), (AUTHORIZATION, credentials.authorization)] {
            if let Some(mut value) = value {
                value.set_sensitive(true);
                request = request.header(name, value);
            }
        }
        let unavailable = |reason: &str| {
            let request_id = ask.trail.request_id();
            tracing::warn!(request_id, reason, "cannot learn from identity.url who is signed in");
            unavailable()
        };
        let response = request.send().await.map_err(|error| unavailable(&without_url(error)))?;
        match response.status() {
            status if status.is_success() => match read(response).await {
                Ok(claims) => Ok(Arc::new(Principal::new(claims))),
                Err(reason) => Err(unavailable(&reason)),
            },
            // A redirect leads to a page to sign in at.
            status if status == StatusCode::UNAUTHORIZED || status.is_redirection() => {
                Err(Failure::not_signed_in())
            }
            StatusCode::FORBIDDEN => Err(Failure::not_entitled()),
            status => Err(unavailable(&format!("status {}", status.as_u16()))),
        }
    }
}

impl Credentials {
    /// Takes the credentials out of a request. Without any, there is nothing to ask.
    fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        let mut authorization = headers.get_all(AUTHORIZATION).iter();
        let first = authorization.next().cloned();
        if authorization.next().is_some() {
            return Err(Failure::invalid(
                StatusCode::BAD_REQUEST,
                "There is more than one Authorization header.",
            ));
        }
        // HTTP/2 may split the cookies over several headers (RFC 9113 §8.2.3).
        let cookies: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
        let cookie = match cookies.as_slice() {
            [] => None,
            some => {
                Some(HeaderValue::from_bytes(&some.join(&b"; "[..])).map_err(|_| Failure::not_signed_in())?)
            }
        };
        if cookie.is_none() && first.is_none() {
            return Err(Failure::not_signed_in());
        }
        Ok(Self { cookie, authorization: first })
    }

    /// A hash, so that what is kept does not hold the credentials themselves.
    fn key(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for value in [&self.cookie, &self.authorization] {
            let bytes = value.as_ref().map_or(&[][..], HeaderValue::as_bytes);
            hash.update([u8::from(value.is_some())]);
            hash.update(bytes.len().to_be_bytes());
            hash.update(bytes);
        }
        hash.finalize().into()
    }
}

async fn read(response: Response) -> Result<Claims, String> {
    let body = http::read_body(response, MAX_ANSWER_BYTES).await.map_err(|error| match error {
        BodyError::TooLarge => "the answer is larger than 64 KiB".to_owned(),
        BodyError::Broken(error) => without_url(error),
    })?;
    json::object(&body).map(Claims::new).map_err(|_| "the answer is not a JSON object".to_owned())
}

fn without_url(error: reqwest::Error) -> String {
    let error = error.without_url();
    if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        "cannot connect".to_owned()
    } else {
        error.to_string()
    }
}

fn unavailable() -> Failure {
    Failure::new(
        ProblemCode::UpstreamUnavailable,
        "The application that knows who is signed in cannot be reached. Try again later.",
    )
    .retry_after(RETRY_SOON)
}
