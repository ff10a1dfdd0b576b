//! Every test of the repository, suite by suite.

use anyhow::{Result, bail};

use crate::run::{command, step, succeed};
use crate::{build, setup};

/// Its name, and what runs it.
type Suite = (&'static str, fn() -> Result<()>);

const SUITES: [Suite; 3] = [("rust", rust), ("wasm", wasm), ("js", js)];

/// Runs the suites with the given names, or all.
pub(crate) fn suites(names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !SUITES.iter().any(|(known, _)| known == name)) {
        bail!("there is no suite \"{unknown}\": choose from {}", SUITES.map(|(name, _)| name).join(", "));
    }
    for (name, run) in SUITES {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            run()?;
        }
    }
    Ok(())
}

/// Unit, property and integration tests of every crate.
fn rust() -> Result<()> {
    step("Rust tests", "cargo", ["test", "--workspace", "--exclude", "xtask"])
}

/// The module's glue, inside a real browser.
fn wasm() -> Result<()> {
    println!("• WebAssembly tests in Chromium");
    let runner = format!("{} wasm-test-runner", std::env::current_exe()?.display());
    let mut test = command(
        "cargo",
        ["test", "--package=qrvey-auth", "--test=browser", "--target=wasm32-unknown-unknown"],
    );
    test.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner);
    setup::chromium()?;
    succeed(test)
}

/// End to end: the built package, the relay and the sandbox in real browsers.
fn js() -> Result<()> {
    build::package()?;
    step(
        "building the sandbox and the relay",
        "cargo",
        ["build", "--package=qrvey-sandbox", "--package=qrvey-relay"],
    )?;
    println!("• end-to-end tests in Chromium");
    let mut test = command("node", ["--test", "tests/e2e/*.test.mjs"]);
    test.env("CHROMIUM", setup::chromium()?);
    succeed(test)
}

/// Takes the place of `wasm-bindgen-test-runner`, in the version that `Cargo.lock` names.
pub(crate) fn wasm_runner(arguments: Vec<String>) -> Result<()> {
    let arguments = std::iter::once("wasm-bindgen-test-runner".to_owned()).chain(arguments);
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(arguments)
}
