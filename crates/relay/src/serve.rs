//! The relay as a server: two listeners, reload, and an end that loses no request.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum_server::accept::DefaultAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::{Config, ConfigError, Environment, Limits, Log, Tls};
use crate::connections::BoundedAcceptor;
use crate::relay::StartError;
use crate::router::Relay;
use crate::watch::FileWatch;

/// How often the configuration and certificate files are looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(2);
/// The most headers of a request, and the most bytes of them together.
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 32 * 1024;
const MAX_STREAMS_PER_CONNECTION: u32 = 128;
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);

/// Why the server ended before it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration cannot be put to work.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The certificate or its key cannot be used.
    #[error("cannot use tls.certificate with tls.key: {0}")]
    Tls(io::Error),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address of the configuration.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The system refused a signal handler.
    #[error("cannot handle signals: {0}")]
    Signals(io::Error),
}

/// Serves until SIGTERM or SIGINT, then finishes what is in flight. `path` is read again when it
/// changes and at SIGHUP.
///
/// # Errors
/// [`ServeError`] if the relay cannot start, or a listener breaks.
pub async fn serve(config: Config, path: PathBuf, environment: Environment) -> Result<(), ServeError> {
    let mut signals = Signals::new().map_err(ServeError::Signals)?;
    let (address, operations_address) = (config.listen, config.operations_listen);
    let (limits, tls) = (config.limits.clone(), config.tls.clone());
    let fixed = Fixed::of(&config);
    let relay = Relay::new(config)?;
    let certificate = match &tls {
        None => None,
        Some(tls) => {
            Some(RustlsConfig::from_pem_file(&tls.certificate, &tls.key).await.map_err(ServeError::Tls)?)
        }
    };

    let public = Handle::new();
    let operations = Handle::new();
    let public_server =
        listen_public(address, relay.clone(), limits.clone(), certificate.clone(), public.clone());
    let operations_server =
        listen_operations(operations_address, relay.operations_router(), operations.clone());
    let mut public_server = tokio::spawn(public_server);
    let mut operations_server = tokio::spawn(operations_server);
    announce("listening for callers", &public).await;
    announce("listening for operators", &operations).await;

    let mut files = Files { path, fixed, environment, relay: relay.clone(), tls, certificate };
    let mut config_watch = FileWatch::new([files.path.clone()]);
    let mut tls_watch =
        FileWatch::new(files.tls.iter().flat_map(|tls| [tls.certificate.clone(), tls.key.clone()]));
    let mut interval = tokio::time::interval(WATCH_INTERVAL);
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => break,
            _ = signals.interrupt.recv() => break,
            _ = signals.hang_up.recv() => {
                files.reload_config();
                files.reload_certificate().await;
            }
            _ = interval.tick() => {
                if config_watch.changed() {
                    files.reload_config();
                }
                if tls_watch.changed() {
                    files.reload_certificate().await;
                }
            }
            ended = &mut public_server => return flatten(ended, address),
            ended = &mut operations_server => return flatten(ended, operations_address),
        }
    }

    tracing::info!("told to stop; finishing what is in flight");
    relay.drain();
    public.graceful_shutdown(Some(limits.shutdown_timeout));
    let ended = flatten(public_server.await, address);
    operations.graceful_shutdown(Some(Duration::ZERO));
    tracing::info!("stopped");
    ended
}

/// What a running server cannot change.
#[derive(PartialEq)]
struct Fixed {
    addresses: [SocketAddr; 2],
    base_path: String,
    tls: Option<Tls>,
    log: Log,
    connections: (usize, usize, Duration, Duration),
}

impl Fixed {
    fn of(config: &Config) -> Self {
        let limits = &config.limits;
        Self {
            addresses: [config.listen, config.operations_listen],
            base_path: config.base_path.clone(),
            tls: config.tls.clone(),
            log: config.log.clone(),
            connections: (
                limits.max_connections,
                limits.max_connections_per_address,
                limits.header_timeout,
                limits.shutdown_timeout,
            ),
        }
    }

    fn differs_from(&self, config: &Config) -> bool {
        *self != Self::of(config)
    }
}

struct Files {
    path: PathBuf,
    fixed: Fixed,
    environment: Environment,
    relay: Relay,
    tls: Option<Tls>,
    certificate: Option<RustlsConfig>,
}

impl Files {
    /// A faulty file leaves the old configuration in force.
    fn reload_config(&mut self) {
        let reloaded: Result<(), Box<dyn std::error::Error>> = Config::load(&self.path, &self.environment)
            .map_err(|error: ConfigError| error.into())
            .and_then(|config| {
                if self.fixed.differs_from(&config) {
                    tracing::warn!(
                        "a key that is fixed at start has changed; it takes a restart to follow it"
                    );
                }
                self.relay.reload(config).map_err(Into::into)
            });
        self.relay.metrics().reloaded(reloaded.is_ok());
        match reloaded {
            Ok(()) => tracing::info!("took the configuration file as it is now"),
            Err(error) => {
                tracing::error!(%error, "the configuration file has a fault; the old one stays in force");
            }
        }
    }

    async fn reload_certificate(&self) {
        let (Some(tls), Some(certificate)) = (&self.tls, &self.certificate) else { return };
        match certificate.reload_from_pem_file(&tls.certificate, &tls.key).await {
            Ok(()) => tracing::info!("took the certificate as it is now"),
            Err(error) => {
                tracing::error!(%error, "the new certificate has a fault; the old one stays in use");
            }
        }
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

fn flatten(
    ended: Result<io::Result<()>, tokio::task::JoinError>,
    address: SocketAddr,
) -> Result<(), ServeError> {
    ended
        .unwrap_or_else(|panic| Err(io::Error::other(panic)))
        .map_err(|error| ServeError::Listen { address, error })
}

async fn announce(what: &'static str, handle: &Handle<SocketAddr>) {
    if let Some(address) = handle.listening().await {
        tracing::info!(%address, "{what}");
    }
}

async fn listen_public(
    address: SocketAddr,
    relay: Relay,
    limits: Limits,
    certificate: Option<RustlsConfig>,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    let bounded =
        BoundedAcceptor::new(limits.max_connections, limits.max_connections_per_address, relay.clone());
    let mut server = axum_server::bind(address).handle(handle).first_request_timeout(limits.header_timeout);
    let http = server.http_builder();
    http.http1()
        .header_read_timeout(limits.header_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_BYTES);
    http.http2()
        .max_header_list_size(MAX_HEADER_BYTES as u32)
        .max_concurrent_streams(MAX_STREAMS_PER_CONNECTION)
        .keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(limits.header_timeout);
    let service = relay.app().into_make_service_with_connect_info::<SocketAddr>();
    match certificate {
        None => server.acceptor(bounded).serve(service).await,
        Some(certificate) => {
            let acceptor =
                RustlsAcceptor::new(certificate).handshake_timeout(limits.header_timeout).acceptor(bounded);
            server.acceptor(acceptor).serve(service).await
        }
    }
}

async fn listen_operations(address: SocketAddr, app: Router, handle: Handle<SocketAddr>) -> io::Result<()> {
    let server: Server<SocketAddr, DefaultAcceptor> = axum_server::bind(address);
    server.handle(handle).serve(app.into_make_service()).await
}
