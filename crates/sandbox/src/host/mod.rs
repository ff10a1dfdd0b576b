//! The demo host application: signs users in, serves the page, and mounts the relay.

mod page;
mod session;
mod users;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::{Json, Router, routing};
use qrvey_relay::{Config, ConfigError, Environment, StartError};
use serde::Serialize;
use tokio::net::TcpListener;

pub use users::{USERS, User};

/// Whether the widgets and their data are the stand-in's or come from Qrvey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The stand-in platform of this crate.
    Sandbox,
    /// A real Qrvey instance.
    Real,
}

/// How a host application is to be.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// The page's files.
    pub www: PathBuf,
    /// The built npm package.
    pub dist: PathBuf,
    /// What kind of platform stands behind it.
    pub mode: Mode,
    /// The platform's origin.
    pub domain: String,
    /// The relay's configuration and what it is called in errors.
    pub relay_toml: String,
    /// The name of `relay_toml` in errors.
    pub relay_toml_name: String,
    /// Secrets and overrides for the relay.
    pub environment: Environment,
}

/// Why the host application could not start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The relay's configuration is wrong.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The relay could not start.
    #[error("{0}")]
    Relay(#[from] StartError),
    /// The platform's address cannot stand in a header.
    #[error("the platform's address cannot stand in the content security policy")]
    Domain(#[from] axum::http::header::InvalidHeaderValue),
}

#[derive(Clone, Serialize)]
struct Info {
    mode: Mode,
    domain: String,
}

/// Everything the host application answers.
///
/// # Errors
/// [`HostError`] if the relay's configuration is not accepted.
pub fn router(options: HostOptions) -> Result<Router, HostError> {
    let HostOptions { www, dist, mode, domain, relay_toml, relay_toml_name, environment } = options;
    let relay = qrvey_relay::router(Config::from_toml(&relay_toml, &relay_toml_name, &environment)?)?;
    let info = Info { mode, domain: domain.clone() };
    let app = page::files(&www, &dist)
        .route("/api/users", routing::get(async || Json(USERS)))
        .route("/api/info", routing::get(async move || Json(info.clone())))
        .merge(session::routes())
        .merge(relay);
    Ok(page::with_headers(app, &domain)?)
}

/// Serves a router, with the peer's address for the relay, until `shutdown` resolves.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    app: Router,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(shutdown).await
}
