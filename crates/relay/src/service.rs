//! One request from its arrival to its answer: what is done around the work itself, in order.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};

use axum::BoxError;
use axum::body::HttpBody;
use axum::http::header::{CONTENT_TYPE, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::Full;
use qrvey_auth_wire::{AdminRequest, ComposerRequest, ProblemCode};
use serde::de::DeserializeOwned;

use crate::address;
use crate::ask::Ask;
use crate::contract;
use crate::cors;
use crate::observe::{Observation, SECURITY_HEADERS, is_worth_a_line};
use crate::origin;
use crate::problem::Failure;
use crate::relay::Engine;
use crate::route::Route;
use crate::router::Relay;

/// Every answer is small and made in one piece.
pub(crate) type Answer = Response<Full<Bytes>>;

impl Relay {
    /// Answers a request. Whatever goes wrong becomes a problem, a panic too.
    pub(crate) async fn answer<B>(&self, peer: Option<IpAddr>, request: Request<B>) -> Answer
    where
        B: HttpBody<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let (head, body) = request.into_parts();
        let route = Route::find(head.uri.path(), self.base_path());
        let observation = Observation::start(self.metrics(), &head, route);
        let trail = &observation.trail;
        let engine = self.engine();
        let proxies = &engine.config.trusted_proxies;
        let ask = Ask {
            came: observation.start,
            headers: &head.headers,
            peer,
            address: peer.map(|peer| address::client(peer, &head.headers, proxies)),
            trail,
        };
        let work = AssertUnwindSafe(work(&engine, &head, route, ask, body)).catch_unwind();
        let outcome = work.await.unwrap_or_else(|_| {
            tracing::error!(request_id = trail.request_id(), trace_id = trail.trace_id(), "it was a request");
            Err(Failure::internal())
        });
        self.finish(&engine, &head, observation, outcome)
    }

    /// Answers a request for which there is no place, without looking at it.
    pub(crate) fn turn_away<B>(&self, request: Request<B>) -> Answer {
        let (head, _) = request.into_parts();
        let route = Route::find(head.uri.path(), self.base_path());
        let mut observation = Observation::start(self.metrics(), &head, route);
        observation.has_no_limit = true;
        self.finish(&self.engine(), &head, observation, Err(Failure::overloaded()))
    }

    /// Answers what could not even be read.
    pub(crate) fn refuse(&self, failure: Failure) -> Answer {
        let (head, ()) = Request::new(()).into_parts();
        let mut observation = Observation::start(self.metrics(), &head, Route::Other);
        observation.method = "unreadable";
        observation.has_no_limit = true;
        self.finish(&self.engine(), &head, observation, Err(failure))
    }

    fn finish(
        &self,
        engine: &Engine,
        head: &Parts,
        observation: Observation<'_>,
        outcome: Result<Answer, Failure>,
    ) -> Answer {
        let code = outcome.as_ref().err().map(|failure| failure.code);
        let mut answer = outcome.unwrap_or_else(|failure| failure.render(observation.trail.request_id()));
        let is_preflight = head.method == Method::OPTIONS;
        cors::mark(answer.headers_mut(), &head.headers, &engine.config.allowed_origins, is_preflight);
        observation.end(&mut answer, code);
        answer
    }
}

async fn work<B>(
    engine: &Arc<Engine>,
    head: &Parts,
    route: Route,
    ask: Ask<'_>,
    body: B,
) -> Result<Answer, Failure>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    if head.method == Method::OPTIONS {
        return Ok(empty(StatusCode::OK));
    }
    // Foreign pages and noisy addresses are turned away before anything is done for them.
    if !origin::is_allowed(ask.headers, &head.uri, &engine.config.allowed_origins) {
        let (request_id, trace_id) = (ask.trail.request_id(), ask.trail.trace_id());
        if is_worth_a_line() {
            tracing::info!(request_id, trace_id, "refused a request from a foreign origin");
        }
        return Err(Failure::new(
            ProblemCode::Forbidden,
            "This page's origin may not ask the relay. The operator can list it in allowed_origins.",
        ));
    }
    engine.admit_address(ask).await?;
    match route {
        Route::Other => Err(Failure::nothing_here()),
        _ if head.method.as_str() != route.method() => Err(Failure::method_not_allowed(route)),
        Route::ComposerToken => {
            let wanted: ComposerRequest = read(engine, ask.headers, body).await?;
            engine
                .composer_token(ask, wanted.profile.as_deref())
                .await
                .map(|body| answer(StatusCode::OK, body))
        }
        Route::AdminToken => {
            let AdminRequest {} = read(engine, ask.headers, body).await?;
            engine.admin_token(ask).await.map(|body| answer(StatusCode::OK, body))
        }
        Route::Tokens => {
            engine.forget_tokens(ask).await?;
            Ok(empty(StatusCode::NO_CONTENT))
        }
    }
}

async fn read<T, B>(engine: &Engine, headers: &HeaderMap, body: B) -> Result<T, Failure>
where
    T: DeserializeOwned,
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let limits = &engine.config.limits;
    contract::read(headers, body, limits.max_body_bytes, limits.body_timeout).await
}

/// The headers of an answer in JSON, copied for each.
static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut headers = HeaderMap::with_capacity(USUAL_HEADERS);
    headers.extend(SECURITY_HEADERS);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(VARY, HeaderValue::from_static("origin"));
    headers
});

/// So many headers an answer has at most, nearly always.
const USUAL_HEADERS: usize = 12;

/// An answer in JSON.
pub(crate) fn answer(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    *answer.headers_mut() = HEADERS.clone();
    answer
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = answer(status, Bytes::new());
    answer.headers_mut().remove(CONTENT_TYPE);
    answer
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    /// A body that panics when it is read.
    struct Faulty;

    impl HttpBody for Faulty {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
            panic!("canary")
        }
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_like_any_other_and_tells_nothing() {
        let relay = Relay::anonymous("");
        let request = Request::post("/qrvey/composer-token").header("content-type", "application/json");
        let answer = relay.answer(None, request.body(Faulty).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let problem: qrvey_auth_wire::Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem.code, ProblemCode::Internal);
        assert!(!problem.request_id.is_empty() && !problem.detail.contains("canary"));
    }
}
