//! Every test of the repository, suite by suite.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::run::{command, root, step, succeed};
use crate::{build, neighbours, setup};

/// Its name, and what runs it.
type Suite = (&'static str, fn() -> Result<()>);

const SUITES: [Suite; 6] = [
    ("rust", rust),
    ("neighbours", neighbours::test),
    ("wasm", wasm),
    ("e2e", e2e),
    ("firefox", firefox),
    ("consumers", consumers),
];

/// The suites that run what is in `dist/` before the real servers.
const NEED_ALL_BUILT: [&str; 3] = ["e2e", "firefox", "consumers"];

/// Runs the suites with the given names, or all.
pub(crate) fn suites(names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !SUITES.iter().any(|(known, _)| known == name)) {
        bail!("there is no suite \"{unknown}\": choose from {}", SUITES.map(|(name, _)| name).join(", "));
    }
    let chosen = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    if NEED_ALL_BUILT.into_iter().any(chosen) {
        build::package()?;
        servers()?;
    }
    SUITES.into_iter().filter(|(name, _)| chosen(name)).try_for_each(|(_, run)| run())
}

/// Unit, property and integration tests of every crate.
fn rust() -> Result<()> {
    step("Rust tests", "cargo", ["test", "--workspace", "--exclude", "xtask"])
}

/// The module's glue, inside a real browser.
fn wasm() -> Result<()> {
    println!("• WebAssembly tests in Chromium");
    setup::chromium()?;
    wasm_tests(&format!("{} wasm-test-runner", std::env::current_exe()?.display()))
}

/// End to end: the built package, the relay and the sandbox in Chromium.
fn e2e() -> Result<()> {
    println!("• end-to-end tests in Chromium");
    node(&["tests/e2e", "tests/embed"])
}

/// The package and the module's glue in Firefox.
fn firefox() -> Result<()> {
    setup::firefox()?;
    println!("• the package in Firefox");
    node(&["tests/firefox"])?;
    println!("• WebAssembly tests in Firefox");
    let runner = format!("node {}", root().join("tests/firefox/wasm-test-runner.mjs").display());
    wasm_tests(&runner)
}

/// The packed tarball in small real applications.
fn consumers() -> Result<()> {
    println!("• the packed tarball in real applications, each installed from the npm registry");
    node(&["tests/consumers"])
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
fn node(folders: &[&str]) -> Result<()> {
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
    test.args(files).env("CHROMIUM", setup::chromium()?);
    succeed(test)
}

fn wasm_tests(runner: &str) -> Result<()> {
    let mut test = command(
        "cargo",
        ["test", "--package=qrvey-auth", "--test=browser", "--target=wasm32-unknown-unknown"],
    );
    test.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner);
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
