//! The relay as a program: `serve`, `check` and `explain`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use qrvey_relay::report::Report;
use qrvey_relay::{Config, Environment, check, explain, serve, telemetry};

/// The same whatever C library the program is built for; `.cargo/config.toml` says how it is set.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The trusted server relay between browsers and Qrvey.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Secrets come from QRVEY_API_KEY, QRVEY_ADMIN_USERNAME and \
QRVEY_ADMIN_ACCESS_KEY, or from the files that the same names with _FILE point at.\nEvery key of the \
configuration can be set by environment too: QRVEY_RELAY__LIMITS__REQUESTS_PER_MINUTE=120."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve tokens to signed-in browsers.
    Serve {
        #[command(flatten)]
        source: Source,
    },
    /// Ask the platform for both tokens, and say what works and what does not.
    Check {
        #[command(flatten)]
        source: Source,
        /// A JSON file with the claims of an example user; made up where absent.
        #[arg(long, value_name = "FILE")]
        claims: Option<PathBuf>,
    },
    /// Print exactly what would be sent to the platform for a user, secrets redacted.
    Explain {
        #[command(flatten)]
        source: Source,
        /// A JSON file with the claims of the user.
        #[arg(long, value_name = "FILE")]
        claims: PathBuf,
        /// One profile only.
        #[arg(long)]
        profile: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
struct Source {
    /// The configuration file.
    #[arg(long, value_name = "FILE", env = "QRVEY_RELAY_CONFIG", default_value = "relay.toml")]
    config: PathBuf,
}

/// A configuration that cannot be used, as opposed to a check that failed.
const EXIT_CONFIGURATION: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let command = Arguments::parse().command;
    let environment = Environment::from_process();
    let path = command.source().config.clone();
    let config = match Config::load(&path, &environment) {
        Ok(config) => config,
        Err(error) => return fail(&error, EXIT_CONFIGURATION),
    };
    match command {
        Command::Serve { .. } => {
            let _log = match telemetry::init(&config) {
                Ok(log) => log,
                Err(error) => return fail(&error, 1),
            };
            match serve::serve(config, path, environment).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(&error, 1),
            }
        }
        Command::Check { claims, .. } => report(&check::check(&config, claims.as_deref()).await),
        Command::Explain { claims, profile, .. } => {
            report(&explain::explain(&config, &claims, profile.as_deref()))
        }
    }
}

impl Command {
    fn source(&self) -> &Source {
        match self {
            Self::Serve { source } | Self::Check { source, .. } | Self::Explain { source, .. } => source,
        }
    }
}

#[expect(clippy::print_stderr, reason = "the program's own message to the person who started it")]
fn fail(error: &dyn std::error::Error, code: u8) -> ExitCode {
    eprintln!("qrvey-relay: {error}");
    ExitCode::from(code)
}

#[expect(clippy::print_stdout, reason = "the answer that the command was asked for")]
fn report(report: &Report) -> ExitCode {
    println!("{}", report.text.trim_end());
    if report.is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
