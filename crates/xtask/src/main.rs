//! Everything that builds, starts and tests qrvey-auth; `npm run …` calls it through `run.mjs`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod bindings;
mod build;
mod embed;
mod lint;
mod neighbours;
mod run;
mod setup;
mod size;
mod sweep;
mod test;

#[derive(Parser)]
#[command(about = "Build steps of qrvey-auth")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the npm package into dist/.
    Build,
    /// Build everything, then serve the demo page against the stand-in platform.
    Start {
        /// Handed on to `qrvey-sandbox demo`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run every test.
    Test {
        /// Only the suites with these names: rust, neighbours, wasm, e2e, firefox, consumers.
        suites: Vec<String>,
    },
    /// Run benchmarks, which print ratios against peers.
    Bench {
        /// Only those with these names: module, relay.
        names: Vec<String>,
    },
    /// Check formats and lints.
    Lint,
    /// Print the sizes of dist/ and fail above the budget.
    Size,
    /// Run wasm-bindgen tests; `cargo test` calls this for the wasm32 target.
    #[command(hide = true)]
    WasmTestRunner {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Build => {
            setup::all()?;
            build::package()
        }
        Command::Start { arguments } => {
            setup::all()?;
            build::package()?;
            run::step(
                "building the sandbox and the relay",
                "cargo",
                ["build", "--package", "qrvey-sandbox"],
            )?;
            println!("• starting the demo; Ctrl+C ends it");
            run::exec("target/debug/qrvey-sandbox", [vec!["demo".to_owned()], arguments].concat())
        }
        Command::Test { suites } => {
            setup::all()?;
            test::suites(&suites)
        }
        Command::Bench { names } => {
            setup::all()?;
            build::package()?;
            test::benchmarks(&names)
        }
        Command::Lint => {
            setup::all()?;
            build::package()?;
            lint::all()
        }
        Command::Size => size::report(),
        Command::WasmTestRunner { arguments } => test::wasm_runner(arguments),
    }
}
