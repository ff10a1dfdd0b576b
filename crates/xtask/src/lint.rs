//! Formats and lints of every language in the tree.

use anyhow::Result;

use crate::run::step;

const CLIPPY: [&str; 3] = ["clippy", "--quiet", "--all-targets"];

/// Checks everything; changes nothing.
pub(crate) fn all() -> Result<()> {
    step("cargo fmt", "cargo", ["fmt", "--all", "--check"])?;
    let native = CLIPPY.into_iter().chain(["--workspace", "--", "--deny", "warnings"]);
    step("clippy, native", "cargo", native)?;
    let wasm = CLIPPY.into_iter().chain([
        "--package=qrvey-auth",
        "--target=wasm32-unknown-unknown",
        "--",
        "--deny",
        "warnings",
    ]);
    step("clippy, WebAssembly", "cargo", wasm)?;
    step("biome", "node_modules/.bin/biome", ["ci", "--error-on-warnings"])?;
    step("tsc", "node_modules/.bin/tsc", ["--project", "tests/types"])
}
