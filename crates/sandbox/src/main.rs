//! `qrvey-sandbox`: the stand-in platform and the demo host application.

use std::error::Error;
use std::future::Future;
use std::io::{self, IsTerminal as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use qrvey_relay::Environment;
use qrvey_sandbox::host::{self, HostOptions, Mode};
use qrvey_sandbox::platform::{
    self, Credentials, FORM_HASH, Platform, PlatformOptions, TokenFormat, lifetime,
};
use qrvey_sandbox::settings::{self, RealInstance, RelayOverrides, Variables};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What is still running this long after a signal is cut off.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(2);

/// A stand-in Qrvey platform and the demo host application, for development and tests.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Host application and platform. With QRVEY_DOMAIN, QRVEY_API_KEY, QRVEY_APP_ID and QRVEY_USER_ID
    /// set, the host application alone, before that real instance.
    Demo {
        #[command(flatten)]
        host: HostArgs,
        /// Where the platform listens; port 0 picks a free one.
        #[arg(long, default_value = "127.0.0.1:4200")]
        platform_listen: SocketAddr,
        #[command(flatten)]
        tokens: TokenArgs,
    },
    /// The platform alone.
    Platform {
        /// Where it listens; port 0 picks a free one.
        #[arg(long, default_value = "127.0.0.1:4200")]
        listen: SocketAddr,
        #[command(flatten)]
        tokens: TokenArgs,
    },
    /// The host application alone, before the instance that QRVEY_DOMAIN and its like name.
    Host {
        #[command(flatten)]
        host: HostArgs,
        /// How long tokens are to live: "30s", "10m".
        #[arg(long, value_parser = lifetime_text)]
        expires_in: Option<String>,
    },
}

#[derive(Args)]
struct HostArgs {
    /// Where the host application listens; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
    /// The page's files.
    #[arg(long, default_value = "www")]
    www: PathBuf,
    /// The built npm package.
    #[arg(long, default_value = "dist")]
    dist: PathBuf,
    /// A configuration of the relay other than the built-in one.
    #[arg(long)]
    relay_config: Option<PathBuf>,
}

#[derive(Args)]
struct TokenArgs {
    /// How long tokens are to live: "30s", "10m".
    #[arg(long, value_parser = lifetime_text)]
    expires_in: Option<String>,
    /// Whether tokens can be read by those who hold them.
    #[arg(long, value_enum, default_value = "opaque")]
    token_format: TokenFormat,
}

fn lifetime_text(text: &str) -> Result<String, String> {
    match lifetime::parse(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("a whole number and a unit (s, m, h, d, w) are expected, such as 30s or 10m".to_owned()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = std::env::var("RUST_LOG").ok().and_then(|filter| filter.parse().ok());
    let filter = filter.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines =
        tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    tracing_subscriber::registry().with(lines).with(filter).init();
    let variables: Variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    match run(Cli::parse().command, &variables).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command, variables: &Variables) -> Result<(), Box<dyn Error>> {
    let stop = stop_signal()?;
    match command {
        Command::Platform { listen, tokens } => {
            let credentials = settings::sandbox_credentials(variables)?;
            let (appid, userid) = (credentials.appid.clone(), credentials.userid.clone());
            let platform = StandIn::bind(listen, credentials, &tokens).await?;
            let ready = json!({ "ready": true, "platform": platform.origin, "appid": appid, "userid": userid, "form": FORM_HASH });
            announce(&ready);
            within_limit(stop.clone(), platform.serve(stop)).await
        }
        Command::Host { host, expires_in } => {
            let Some(real) = settings::real_instance(variables)? else {
                return Err("`host` needs QRVEY_DOMAIN, QRVEY_API_KEY, QRVEY_APP_ID and QRVEY_USER_ID".into());
            };
            real_host(&host, &real, expires_in.as_deref(), variables, stop).await
        }
        Command::Demo { host, platform_listen, tokens } => match settings::real_instance(variables)? {
            Some(real) => real_host(&host, &real, tokens.expires_in.as_deref(), variables, stop).await,
            None => demo(&host, platform_listen, &tokens, variables, stop).await,
        },
    }
}

async fn demo(
    args: &HostArgs,
    platform_listen: SocketAddr,
    tokens: &TokenArgs,
    variables: &Variables,
    stop: watch::Receiver<bool>,
) -> Result<(), Box<dyn Error>> {
    let credentials = settings::sandbox_credentials(variables)?;
    let platform = StandIn::bind(platform_listen, credentials.clone(), tokens).await?;
    let listener = bind(args.listen).await?;
    let origin = origin(&listener)?;
    let relay = relay_config(args)?;
    let overrides = RelayOverrides {
        profiles: settings::profile_names(&relay.text),
        domain: &platform.origin,
        identity_url: &format!("{origin}/session"),
        appid: &credentials.appid,
        userid: &credentials.userid,
        expires_in: tokens.expires_in.as_deref(),
    };
    let secrets = [
        ("QRVEY_API_KEY", credentials.api_key.expose()),
        ("QRVEY_ADMIN_USERNAME", credentials.admin_username.expose()),
        ("QRVEY_ADMIN_ACCESS_KEY", credentials.admin_access_key.expose()),
    ];
    let environment = overrides.environment(variables, secrets);
    let app = host::router(host_options(args, relay, Mode::Sandbox, &platform.origin, environment))?;
    announce(&json!({
        "ready": true, "mode": Mode::Sandbox, "host": origin, "platform": platform.origin,
        "appid": credentials.appid, "userid": credentials.userid, "form": FORM_HASH,
    }));
    let serving = async {
        tokio::try_join!(platform.serve(stop.clone()), host::serve(app, listener, stopped(stop.clone())))
            .map(|_| ())
    };
    within_limit(stop.clone(), serving).await
}

async fn real_host(
    args: &HostArgs,
    real: &RealInstance,
    expires_in: Option<&str>,
    variables: &Variables,
    stop: watch::Receiver<bool>,
) -> Result<(), Box<dyn Error>> {
    let listener = bind(args.listen).await?;
    let origin = origin(&listener)?;
    let mut relay = relay_config(args)?;
    if !real.has_admin {
        relay.text = settings::without_admin(&relay.text)?;
    }
    let overrides = RelayOverrides {
        profiles: settings::profile_names(&relay.text),
        domain: &real.domain,
        identity_url: &format!("{origin}/session"),
        appid: &real.appid,
        userid: &real.userid,
        expires_in,
    };
    let secrets = variables.iter().filter(|(name, _)| name.starts_with("QRVEY_"));
    let secrets = secrets.map(|(name, value)| (name.as_str(), value.as_str()));
    let environment = overrides.environment(variables, secrets);
    let app = host::router(host_options(args, relay, Mode::Real, &real.domain, environment))?;
    announce(&json!({ "ready": true, "mode": Mode::Real, "host": origin, "platform": real.domain }));
    within_limit(stop.clone(), host::serve(app, listener, stopped(stop))).await
}

/// The relay's configuration and where it stands.
struct RelayConfig {
    text: String,
    name: String,
}

fn relay_config(args: &HostArgs) -> io::Result<RelayConfig> {
    Ok(match &args.relay_config {
        Some(path) => RelayConfig { text: std::fs::read_to_string(path)?, name: path.display().to_string() },
        None => RelayConfig {
            text: include_str!("../demo/relay.toml").to_owned(),
            name: "crates/sandbox/demo/relay.toml".to_owned(),
        },
    })
}

fn host_options(
    args: &HostArgs,
    relay: RelayConfig,
    mode: Mode,
    domain: &str,
    environment: Environment,
) -> HostOptions {
    HostOptions {
        www: args.www.clone(),
        dist: args.dist.clone(),
        mode,
        domain: domain.to_owned(),
        relay_toml: relay.text,
        relay_toml_name: relay.name,
        environment,
    }
}

/// A platform that is bound and not yet serving.
struct StandIn {
    platform: std::sync::Arc<Platform>,
    listener: TcpListener,
    origin: String,
}

impl StandIn {
    async fn bind(
        listen: SocketAddr,
        credentials: Credentials,
        tokens: &TokenArgs,
    ) -> Result<Self, Box<dyn Error>> {
        let default_lifetime = tokens.expires_in.as_deref().and_then(lifetime::parse);
        let platform = Platform::new(PlatformOptions {
            credentials,
            token_format: tokens.token_format,
            default_lifetime: default_lifetime.unwrap_or(Duration::from_secs(3_600)),
        })?;
        let listener = bind(listen).await?;
        Ok(Self { origin: origin(&listener)?, platform, listener })
    }

    async fn serve(self, stop: watch::Receiver<bool>) -> io::Result<()> {
        platform::serve(self.platform, self.listener, stopped(stop)).await
    }
}

async fn bind(listen: SocketAddr) -> Result<TcpListener, Box<dyn Error>> {
    TcpListener::bind(listen).await.map_err(|error| {
        let advice = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "; end the program that has it, or give another address with --listen or --platform-listen"
            }
            _ => "",
        };
        format!("cannot listen on {listen}: {error}{advice}").into()
    })
}

/// The origin at which this machine reaches the listener.
fn origin(listener: &TcpListener) -> io::Result<String> {
    let mut address = listener.local_addr()?;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    Ok(format!("http://{address}"))
}

/// The one line on stdout, for whoever started this.
fn announce(ready: &Value) {
    println!("{ready}");
}

/// Turns true at SIGINT or SIGTERM.
fn stop_signal() -> io::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        sender.send_replace(true);
    });
    Ok(receiver)
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is the end as well.
    let _ = stop.wait_for(|stopped| *stopped).await;
}

/// Hanging answers do not hold the end up.
async fn within_limit(
    stop: watch::Receiver<bool>,
    serving: impl Future<Output = io::Result<()>>,
) -> Result<(), Box<dyn Error>> {
    tokio::select! {
        served = serving => Ok(served?),
        () = async { stopped(stop).await; tokio::time::sleep(SHUTDOWN_LIMIT).await } => Ok(()),
    }
}
