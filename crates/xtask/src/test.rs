//! Every test of the repository, suite by suite.

use std::fs;

use anyhow::{Context, Result, bail, ensure};

use crate::run::{command, root, step, succeed};
use crate::{build, neighbours, setup};

struct Suite {
    name: &'static str,
    /// Fails with what has to be installed first.
    needs: fn() -> Result<()>,
    /// Whether it runs what is in `dist/` before the real servers.
    needs_all_built: bool,
    run: fn() -> Result<()>,
}

const SUITES: [Suite; 6] = [
    Suite { name: "rust", needs: || Ok(()), needs_all_built: false, run: rust },
    Suite { name: "neighbours", needs: neighbours::programs, needs_all_built: false, run: neighbours::test },
    Suite { name: "wasm", needs: chromium, needs_all_built: false, run: wasm },
    Suite { name: "e2e", needs: chromium, needs_all_built: true, run: e2e },
    Suite { name: "firefox", needs: || setup::firefox().map(drop), needs_all_built: true, run: firefox },
    Suite { name: "consumers", needs: chromium, needs_all_built: true, run: consumers },
];

fn chromium() -> Result<()> {
    setup::chromium().map(drop)
}

/// Runs the suites with the given names, or all.
pub(crate) fn suites(names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !SUITES.iter().any(|suite| suite.name == **name)) {
        bail!("there is no suite \"{unknown}\": choose from {}", SUITES.map(|suite| suite.name).join(", "));
    }
    let mut chosen = Vec::from(SUITES);
    chosen.retain(|suite| names.is_empty() || names.iter().any(|wanted| wanted == suite.name));
    // All at once and before the first has run: a whole run takes ten minutes.
    let mut missing: Vec<String> =
        chosen.iter().filter_map(|suite| (suite.needs)().err()).map(|error| error.to_string()).collect();
    missing.dedup();
    ensure!(missing.is_empty(), "{}", missing.join("\n✗ "));
    if chosen.iter().any(|suite| suite.needs_all_built) {
        build::package()?;
        servers()?;
    }
    chosen.iter().try_for_each(|suite| (suite.run)())
}

/// Unit, property and integration tests of every crate.
fn rust() -> Result<()> {
    step("Rust tests", "cargo", ["test", "--workspace", "--exclude", "xtask"])
}

/// The module's glue, inside a real browser.
fn wasm() -> Result<()> {
    println!("• WebAssembly tests in Chromium");
    let runner = format!("{} wasm-test-runner", std::env::current_exe()?.display());
    wasm_tests("CHROMIUM", &setup::chromium()?, &runner)
}

/// End to end: the built package, the relay and the sandbox in Chromium.
fn e2e() -> Result<()> {
    println!("• end-to-end tests in Chromium");
    node("CHROMIUM", &setup::chromium()?, &["tests/e2e", "tests/embed"])
}

/// The package and the module's glue in Firefox.
fn firefox() -> Result<()> {
    println!("• the package in Firefox");
    node("FIREFOX", &setup::firefox()?, &["tests/firefox"])?;
    println!("• WebAssembly tests in Firefox");
    let runner = format!("node {}", root().join("tests/firefox/wasm-test-runner.mjs").display());
    wasm_tests("FIREFOX", &setup::firefox()?, &runner)
}

/// The packed tarball in small real applications.
fn consumers() -> Result<()> {
    println!("• the packed tarball in real applications, each installed from the npm registry");
    node("CHROMIUM", &setup::chromium()?, &["tests/consumers"])
}

fn servers() -> Result<()> {
    step(
        "building the sandbox and the relay",
        "cargo",
        ["build", "--package=qrvey-sandbox", "--package=qrvey-relay"],
    )
}

/// Runs every `*.test.mjs` of these folders. Each file has a browser and servers of its own: more than
/// two at once only wait for each other.
fn node(variable: &str, browser: &str, folders: &[&str]) -> Result<()> {
    let mut files = Vec::new();
    for folder in folders {
        for entry in fs::read_dir(root().join(folder)).with_context(|| format!("no {folder}"))? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(".test.mjs") {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut test = command("node", ["--test", "--test-concurrency=2"]);
    test.args(files).env(variable, browser);
    succeed(test)
}

fn wasm_tests(variable: &str, browser: &str, runner: &str) -> Result<()> {
    let mut test = command(
        "cargo",
        ["test", "--package=qrvey-auth", "--test=browser", "--target=wasm32-unknown-unknown"],
    );
    test.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner).env(variable, browser);
    succeed(test)
}

/// Runs the benchmarks with the given names, or all.
pub(crate) fn benchmarks(names: &[String]) -> Result<()> {
    let all = ["module", "relay"];
    if let Some(unknown) = names.iter().find(|name| !all.contains(&name.as_str())) {
        bail!("there is no benchmark \"{unknown}\": choose from {}", all.join(", "));
    }
    for name in all.into_iter().filter(|name| names.is_empty() || names.iter().any(|wanted| wanted == name)) {
        println!("• benchmark: {name}");
        let mut bench = command("node", [format!("bench/{name}/run.mjs")]);
        bench.env("CHROMIUM", setup::chromium()?);
        succeed(bench)?;
    }
    Ok(())
}

/// Takes the place of `wasm-bindgen-test-runner`, in the version that `Cargo.lock` names.
pub(crate) fn wasm_runner(arguments: Vec<String>) -> Result<()> {
    let arguments = std::iter::once("wasm-bindgen-test-runner".to_owned()).chain(arguments);
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(arguments)
}
