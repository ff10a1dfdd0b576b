//! Formats and lints of every language in the tree.

use anyhow::Result;

use crate::run::step;

/// Checks everything; changes nothing.
pub(crate) fn all() -> Result<()> {
    step("cargo fmt", "cargo", ["fmt", "--all", "--check"])?;
    let native = ["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    step("clippy, native", "cargo", native)?;
    let alone = [
        "clippy",
        "--quiet",
        "--package=qrvey-relay",
        "--no-default-features",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ];
    step("clippy, the relay without its fleet", "cargo", alone)?;
    let wasm = [
        "clippy",
        "--quiet",
        "--package=qrvey-auth",
        "--lib",
        "--test=browser",
        "--target=wasm32-unknown-unknown",
        "--",
        "--deny",
        "warnings",
    ];
    step("clippy, WebAssembly", "cargo", wasm)?;
    step("biome", "node_modules/.bin/biome", ["ci", "--error-on-warnings"])?;
    step("tsc", "node_modules/.bin/tsc", ["--project", "tests/types"])
}
