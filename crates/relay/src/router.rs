//! The relay as axum routes, for callers and for operators.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower::service_fn;

use crate::address;
use crate::config::{Config, IdentityConfig};
use crate::metrics::Metrics;
use crate::observe::SECURITY_HEADERS;
use crate::relay::{Engine, StartError};

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
    shared: Arc<Shared>,
}

struct Shared {
    engine: ArcSwap<Engine>,
    metrics: Arc<Metrics>,
    is_draining: AtomicBool,
    base_path: String,
}

impl Relay {
    /// Makes a relay of a configuration.
    ///
    /// # Errors
    /// [`StartError`] if the HTTP client cannot be set up.
    pub fn new(config: Config) -> Result<Self, StartError> {
        let base_path = config.base_path.clone();
        let metrics = Arc::new(Metrics::new());
        let engine = ArcSwap::from_pointee(Engine::new(config, Arc::clone(&metrics))?);
        Ok(Self {
            shared: Arc::new(Shared { engine, metrics, is_draining: AtomicBool::new(false), base_path }),
        })
    }

    /// Puts another configuration to work. Requests under way finish with the one they began with;
    /// listeners, `base_path`, `[tls]` and `[log]` stay as they are.
    ///
    /// # Errors
    /// [`StartError`] if it cannot be put to work; the old one stays in force.
    pub fn reload(&self, config: Config) -> Result<(), StartError> {
        let next = self.engine().succeeded_by(config)?;
        self.shared.engine.store(Arc::new(next));
        Ok(())
    }

    /// From now on `/readyz` says that no more requests are wanted.
    pub(crate) fn drain(&self) {
        self.shared.is_draining.store(true, Ordering::Relaxed);
    }

    /// The public routes below `base_path`.
    pub fn router(&self) -> Router {
        let base_path = self.base_path();
        let relay = self.clone();
        let service = service_fn(move |request: Request| {
            let relay = relay.clone();
            async move {
                let peer = address::peer(request.extensions());
                Ok::<_, Infallible>(relay.answer(peer, request).await)
            }
        });
        Router::new()
            .route_service(base_path, service.clone())
            .route_service(&format!("{base_path}/"), service.clone())
            .route_service(&format!("{base_path}/{{*path}}"), service)
    }

    /// `/healthz`, `/readyz` and `/metrics`, for a port that only operators reach.
    pub fn operations_router(&self) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .layer(map_response(async |mut response: Response| {
                response.headers_mut().extend(SECURITY_HEADERS);
                response
            }))
            .with_state(self.clone())
    }

    pub(crate) fn engine(&self) -> Arc<Engine> {
        self.shared.engine.load_full()
    }

    pub(crate) fn base_path(&self) -> &str {
        &self.shared.base_path
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
        &self.shared.metrics
    }
}

#[cfg(test)]
impl Relay {
    /// A relay for tests, with these keys at the top of its configuration.
    pub(crate) fn anonymous(keys: &str) -> Self {
        const REST: &str = r#"
            [qrvey]
            domain = "https://tenant.example"
            [identity]
            mode = "anonymous"
            [profiles.default]
            userid = "u"
            appid = "a"
        "#;
        let environment = crate::config::Environment::from_iter([("QRVEY_API_KEY", "k")]);
        let config = Config::from_toml(&[keys, REST].concat(), "relay.toml", &environment).unwrap();
        Self::new(config).unwrap()
    }
}

async fn ready(State(relay): State<Relay>) -> (StatusCode, &'static str) {
    if relay.shared.is_draining.load(Ordering::Relaxed) {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}

async fn metrics(State(relay): State<Relay>) -> Response {
    let text = relay.metrics().render(relay.engine().gauges());
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}
