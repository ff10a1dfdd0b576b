//! The relay as a server: two listeners, reload, and an end that loses no request.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

use crate::certificate::Certificate;
use crate::config::{Config, ConfigError, Environment, Limits, Log, Tls};
use crate::listen::listen;
use crate::metrics::Reload;
use crate::relay::StartError;
use crate::router::Relay;
use crate::watch::FileWatch;

/// How often the configuration and certificate files are looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(2);

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
    let limits = config.limits.clone();
    let fixed = Fixed::of(&config);
    let certificate = config.tls.clone().map(Certificate::load).transpose().map_err(ServeError::Tls)?;
    let certificate = certificate.map(Arc::new);
    let relay = Relay::new(config)?;
    allow_open_files(&limits);

    let socket = bind(address, "listening for callers").await?;
    let operations_socket = bind(operations_address, "listening for operators").await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let mut callers = tokio::spawn(listen(socket, relay.clone(), limits, certificate.clone(), stopped));
    let operations = axum::serve(operations_socket, relay.operations_router());
    let mut operations = tokio::spawn(operations.into_future());

    let mut files = Files { path, fixed, environment, relay: relay.clone(), certificate };
    let mut config_watch = FileWatch::new(files.environment.secret_files().chain([files.path.clone()]));
    let mut tls_watch = FileWatch::new(files.certificate.iter().flat_map(|certificate| certificate.files()));
    let mut interval = tokio::time::interval(WATCH_INTERVAL);
    // Two looks at once, after a pause of the machine, would not tell a file at rest.
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => break,
            _ = signals.interrupt.recv() => break,
            _ = signals.hang_up.recv() => {
                files.reload_config();
                files.reload_certificate();
            }
            _ = interval.tick() => {
                if config_watch.changed() {
                    files.reload_config();
                }
                if tls_watch.changed() {
                    files.reload_certificate();
                }
            }
            ended = &mut callers => return flatten(ended.map(Ok), address),
            ended = &mut operations => return flatten(ended, operations_address),
        }
    }

    tracing::info!("told to stop; finishing what is in flight");
    relay.drain();
    drop(stop);
    let ended = callers.await;
    operations.abort();
    tracing::info!("stopped");
    flatten(ended.map(Ok), address)
}

/// What the process opens besides connections: listeners, the log, files that are read again.
const OTHER_FILES: usize = 64;

/// A process may often open 1 024 files, which is less than the connections it is to hold.
fn allow_open_files(limits: &Limits) {
    let needed = limits.max_connections + limits.upstream_concurrency + OTHER_FILES;
    let allowed = rlimit::increase_nofile_limit(u64::try_from(needed).unwrap_or(u64::MAX));
    let allowed = allowed.map_or(0, |allowed| usize::try_from(allowed).unwrap_or(usize::MAX));
    if allowed < needed {
        tracing::warn!(
            allowed,
            needed,
            "the system allows fewer open files than limits.max_connections needs: raise the hard limit (LimitNOFILE, ulimit -Hn)"
        );
    }
}

async fn bind(address: SocketAddr, what: &'static str) -> Result<TcpListener, ServeError> {
    let failed = |error| ServeError::Listen { address, error };
    let socket = TcpListener::bind(address).await.map_err(failed)?;
    tracing::info!(address = %socket.local_addr().map_err(failed)?, "{what}");
    Ok(socket)
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
    certificate: Option<Arc<Certificate>>,
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
        self.relay.metrics().reloaded(&Reload::configuration(reloaded.is_ok()));
        match reloaded {
            Ok(()) => tracing::info!("took the configuration file as it is now"),
            Err(error) => {
                tracing::error!(%error, "the configuration file has a fault; the old one stays in force");
            }
        }
    }

    fn reload_certificate(&self) {
        let Some(certificate) = &self.certificate else { return };
        let reloaded = certificate.reload();
        self.relay.metrics().reloaded(&Reload::certificate(reloaded.is_ok()));
        match reloaded {
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
