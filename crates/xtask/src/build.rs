//! From Rust to the npm package: cargo → wasm-bindgen → wasm-opt → esbuild → dist/.

use std::fs;

use anyhow::Result;

use crate::run::{root, step};
use crate::{bindings, embed, size};

pub(crate) const COMPILED: &str = "target/wasm32-unknown-unknown/wasm/qrvey_auth.wasm";
pub(crate) const BOUND: &str = "target/bindgen/qrvey_auth_bg.wasm";
pub(crate) const WASM: &str = "target/bindgen/qrvey_auth.wasm";

/// Builds the npm package into `dist/`.
pub(crate) fn package() -> Result<()> {
    step(
        "compiling the module to WebAssembly",
        "cargo",
        [
            "rustc",
            "--quiet",
            "--package=qrvey-auth",
            "--lib",
            "--crate-type=cdylib",
            "--profile=wasm",
            "--target=wasm32-unknown-unknown",
            "--",
            "-Clink-arg=--emit-relocs",
        ],
    )?;
    println!("• generating its JavaScript bindings");
    bindings::generate()?;
    step(
        "optimising it for size",
        "node_modules/.bin/wasm-opt",
        [
            BOUND,
            "--output",
            WASM,
            "-Oz",
            "--converge",
            "--strip-debug",
            "--strip-producers",
            "--strip-target-features",
        ],
    )?;
    embed::placeholder()?;
    step(
        "bundling dist/",
        "node_modules/.bin/esbuild",
        [
            "js/index.js",
            "--bundle",
            "--format=esm",
            "--target=es2022",
            "--minify",
            "--legal-comments=none",
            "--log-level=warning",
            "--outfile=dist/index.js",
        ],
    )?;
    embed::into("dist/index.js")?;
    fs::copy(root().join("js/index.d.ts"), root().join("dist/index.d.ts"))?;
    size::report()
}
