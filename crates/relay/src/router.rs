//! The routes, and all middleware in one place so that its order can be read.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use qrvey_auth_wire::{ADMIN_TOKEN_PATH, AdminRequest, COMPOSER_TOKEN_PATH, ComposerRequest, ProblemCode};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::address;
use crate::config::{Config, IdentityConfig};
use crate::contract;
use crate::metrics::Metrics;
use crate::observe::{self, RequestId, observe};
use crate::origin;
use crate::problem::Failure;
use crate::relay::{Ask, Engine, StartError};
use crate::trace::TraceParent;

/// Path below the base at which a signed-in caller's kept tokens are dropped.
pub(crate) const TOKENS_PATH: &str = "/tokens";

const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(600);

/// The public routes below `base_path`, to be merged into a host's axum app.
///
/// Serve the app with [`axum::Router::into_make_service_with_connect_info`] for
/// [`std::net::SocketAddr`]: without the peer's address there are no limits by address, and
/// `identity.mode = "header"` believes nobody.
///
/// # Errors
/// [`StartError`] if the HTTP client cannot be set up.
pub fn router(config: Config) -> Result<Router, StartError> {
    Ok(Relay::new(config)?.router())
}

/// A relay with its routes for callers and for operators. Clones share everything.
#[derive(Clone)]
pub struct Relay {
    engine: Arc<ArcSwap<Engine>>,
    metrics: Arc<Metrics>,
    draining: Arc<AtomicBool>,
}

impl Relay {
    /// Makes a relay of a configuration.
    ///
    /// # Errors
    /// [`StartError`] if the HTTP client cannot be set up.
    pub fn new(config: Config) -> Result<Self, StartError> {
        let metrics = Arc::new(Metrics::new());
        let engine = Engine::new(config, Arc::clone(&metrics))?;
        Ok(Self { engine: Arc::new(ArcSwap::from_pointee(engine)), metrics, draining: Arc::default() })
    }

    /// Puts another configuration to work. Requests under way finish with the one they began with;
    /// listeners, `base_path`, `[tls]` and `[log]` stay as they are.
    ///
    /// # Errors
    /// [`StartError`] if it cannot be put to work; the old one stays in force.
    pub fn reload(&self, config: Config) -> Result<(), StartError> {
        let next = self.engine().succeeded_by(config)?;
        self.engine.store(Arc::new(next));
        Ok(())
    }

    /// From now on `/readyz` says that no more requests are wanted.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// The public routes below `base_path`.
    pub fn router(&self) -> Router {
        let routes = Router::new()
            .route(COMPOSER_TOKEN_PATH, post(composer_token))
            .route(ADMIN_TOKEN_PATH, post(admin_token))
            .route(TOKENS_PATH, delete(forget_tokens))
            .fallback(nothing_here);
        Router::new().nest(&self.engine().config.base_path, self.layered(routes))
    }

    /// As [`Relay::router`], and problem answers for every other path: an app of its own.
    pub(crate) fn app(&self) -> Router {
        self.router().fallback_service(self.layered(Router::new().fallback(nothing_here)))
    }

    /// `/healthz`, `/readyz` and `/metrics`, for a port that only operators reach.
    pub fn operations_router(&self) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .layer(map_response(async |mut response: Response| {
                observe::secure(&mut response);
                response
            }))
            .with_state(self.clone())
    }

    pub(crate) fn engine(&self) -> Arc<Engine> {
        self.engine.load_full()
    }

    /// Whether connections from this address bring other people's requests.
    pub(crate) fn is_proxy(&self, address: IpAddr) -> bool {
        let engine = self.engine();
        let of_identity = match &engine.config.identity {
            IdentityConfig::Header(names) => names.trusted_proxies.as_slice(),
            _ => &[],
        };
        let mut networks = engine.config.trusted_proxies.iter().chain(of_identity);
        networks.any(|network| network.contains(&address))
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// From the inside out; a request meets them in the opposite order.
    fn layered(&self, routes: Router<Self>) -> Router {
        routes
            .layer(from_fn_with_state(self.clone(), guard))
            .layer(CatchPanicLayer::custom(|_| Failure::internal().into_response()))
            .layer(self.cors())
            .layer(from_fn_with_state(self.clone(), observe))
            .with_state(self.clone())
    }

    /// Lets pages of the listed origins read answers and send credentials; answers preflights.
    fn cors(&self) -> CorsLayer {
        let relay = self.clone();
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(move |origin, _| {
                relay.engine().config.allowed_origins.contains(origin)
            }))
            .allow_credentials(true)
            .allow_methods([Method::POST, Method::DELETE])
            .allow_headers([
                CONTENT_TYPE,
                AUTHORIZATION,
                CACHE_CONTROL,
                HeaderName::from_static("traceparent"),
                HeaderName::from_static("tracestate"),
            ])
            .expose_headers([RETRY_AFTER, HeaderName::from_static("x-request-id")])
            .max_age(PREFLIGHT_MAX_AGE)
    }
}

/// Turns foreign pages and noisy addresses away before anything is done for them.
async fn guard(State(relay): State<Relay>, request: Request, next: Next) -> Result<Response, Failure> {
    let engine = relay.engine();
    if !origin::is_allowed(request.headers(), request.uri(), &engine.config.allowed_origins) {
        tracing::info!("refused a request from a foreign origin");
        return Err(Failure::new(
            ProblemCode::Forbidden,
            "This page's origin may not ask the relay. The operator can list it in allowed_origins.",
        ));
    }
    let peer = address::peer(request.extensions());
    let client = peer.map(|peer| address::client(peer, request.headers(), &engine.config.trusted_proxies));
    engine.admit_address(client).await?;
    Ok(next.run(request).await)
}

async fn composer_token(State(relay): State<Relay>, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let engine = relay.engine();
    let wanted: ComposerRequest = read(&engine, &parts, body).await?;
    answer(&engine.composer_token(ask(&engine, &parts), wanted.profile.as_deref()).await?)
}

async fn admin_token(State(relay): State<Relay>, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let engine = relay.engine();
    let AdminRequest {} = read(&engine, &parts, body).await?;
    answer(&engine.admin_token(ask(&engine, &parts)).await?)
}

async fn forget_tokens(State(relay): State<Relay>, request: Request) -> Result<StatusCode, Failure> {
    let (parts, _) = request.into_parts();
    let engine = relay.engine();
    engine.forget_tokens(ask(&engine, &parts)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn nothing_here() -> StatusCode {
    StatusCode::NOT_FOUND
}

async fn ready(State(relay): State<Relay>) -> (StatusCode, &'static str) {
    if relay.draining.load(Ordering::Relaxed) {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}

async fn metrics(State(relay): State<Relay>) -> Response {
    let text = relay.metrics().render(relay.engine().gauges());
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}

async fn read<T: serde::de::DeserializeOwned>(
    engine: &Engine,
    parts: &Parts,
    body: Body,
) -> Result<T, Failure> {
    let limits = &engine.config.limits;
    contract::read(&parts.headers, body, limits.max_body_bytes, limits.body_timeout).await
}

fn ask<'a>(engine: &Engine, parts: &'a Parts) -> Ask<'a> {
    let peer = address::peer(&parts.extensions);
    Ask {
        headers: &parts.headers,
        peer,
        address: peer.map(|peer| address::client(peer, &parts.headers, &engine.config.trusted_proxies)),
        request_id: parts.extensions.get::<RequestId>().map_or("", |RequestId(id)| id),
        trace: parts.extensions.get::<TraceParent>(),
    }
}

fn answer(answer: &qrvey_auth_wire::TokenAnswer) -> Result<Response, Failure> {
    let body = serde_json::to_vec(answer).map_err(|_| Failure::internal())?;
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt;

    use super::*;
    use crate::config::Environment;

    const CONFIG: &str = r#"
        [qrvey]
        domain = "https://tenant.example"
        [identity]
        mode = "anonymous"
        [profiles.default]
        userid = "u"
        appid = "a"
    "#;

    #[tokio::test]
    async fn a_panic_is_a_problem_like_any_other_and_tells_nothing() {
        let environment = Environment::from_iter([("QRVEY_API_KEY", "k")]);
        let relay = Relay::new(Config::from_toml(CONFIG, "relay.toml", &environment).unwrap()).unwrap();
        let panics = get(|| async {
            if true {
                panic!("canary");
            }
        });
        let app = relay.layered(Router::new().route("/", panics));
        let response = app.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let problem: qrvey_auth_wire::Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem.code, ProblemCode::Internal);
        assert!(!problem.request_id.is_empty() && !problem.detail.contains("canary"));
    }
}
