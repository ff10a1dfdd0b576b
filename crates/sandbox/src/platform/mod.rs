//! The stand-in Qrvey platform, on an origin of its own.

mod admin;
mod assets;
mod assistant;
mod caller;
mod clock;
mod connection;
mod control;
mod credentials;
mod data;
mod downloads;
mod faults;
mod forms;
mod jose;
mod journal;
mod launchers;
pub mod lifetime;
mod login;
mod personal;
mod query;
mod redact;
mod refusal;
mod rls;
mod rows;
mod token;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, Method, header};
use axum::{Router, middleware};
use tokio::net::TcpListener;
use tower_http::cors::{Any, CorsLayer};

pub use caller::TOKEN_HEADER;
pub use credentials::{Credentials, Secret};
pub use forms::FORM_HASH;
pub use token::TokenFormat;

/// How a platform is to be.
#[derive(Debug, Clone)]
pub struct PlatformOptions {
    /// What the login calls are checked against.
    pub credentials: Credentials,
    /// The form of its tokens.
    pub token_format: TokenFormat,
    /// How long tokens live whose login call does not say.
    pub default_lifetime: Duration,
}

/// A running platform's state.
pub struct Platform {
    credentials: Credentials,
    token_format: TokenFormat,
    default_lifetime: Duration,
    clock: Arc<clock::Clock>,
    mint: token::TokenMint,
    datasets: Vec<rows::Dataset>,
    personal: personal::Personal,
    downloads: downloads::Downloads,
    form_answers: AtomicU64,
    faults: faults::Faults,
    journal: journal::Journal,
    redactor: redact::Redactor,
}

impl Platform {
    /// A platform with keys of its own.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn new(options: PlatformOptions) -> io::Result<Arc<Self>> {
        let PlatformOptions { credentials, token_format, default_lifetime } = options;
        let clock = Arc::new(clock::Clock::default());
        Ok(Arc::new(Self {
            mint: token::TokenMint::new(clock.clone(), token_format).map_err(io::Error::other)?,
            clock,
            token_format,
            default_lifetime,
            datasets: rows::datasets(),
            personal: personal::Personal::default(),
            downloads: downloads::Downloads::default(),
            form_answers: AtomicU64::new(0),
            faults: faults::Faults::default(),
            journal: journal::Journal::default(),
            redactor: redact::Redactor::new(&credentials),
            credentials,
        }))
    }
}

/// Everything the platform answers. The layers, from the outside: the journal; CORS, which answers
/// preflights itself; the faults; the routes.
fn router(platform: Arc<Platform>) -> Router {
    let misbehave = || middleware::from_fn_with_state(platform.clone(), faults::misbehave);
    // The login calls are for servers: no CORS, so that no page can make them with a stolen key.
    let for_servers = Router::new().merge(login::routes()).merge(admin::login_routes()).layer(misbehave());
    let for_browsers = Router::new()
        .merge(admin::api_routes())
        .merge(data::routes())
        .merge(personal::routes())
        .merge(downloads::routes())
        .merge(forms::routes())
        .merge(assistant::routes())
        .merge(control::routes())
        .fallback(launchers::serve)
        .layer(misbehave())
        .layer(cors());
    for_servers
        .merge(for_browsers)
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(platform.clone(), journal::record))
        .with_state(platform)
}

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, HeaderName::from_static(TOKEN_HEADER)])
        .expose_headers([
            header::CONTENT_DISPOSITION,
            header::RETRY_AFTER,
            HeaderName::from_static("x-total-rows"),
        ])
        .max_age(Duration::from_secs(600))
}

/// Serves until `shutdown` resolves.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    platform: Arc<Platform>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service = router(platform).into_make_service_with_connect_info::<connection::Connection>();
    axum::serve(connection::CuttableListener(listener), service).with_graceful_shutdown(shutdown).await
}
