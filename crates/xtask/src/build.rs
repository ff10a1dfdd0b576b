//! From Rust to the npm package: cargo → wasm-bindgen → wasm-opt → esbuild → dist/.

use std::fs;

use anyhow::Result;

use crate::run::{root, step};
use crate::{bindings, embed, size};

/// A crate that becomes a WebAssembly instance inside a bundle.
pub(crate) struct Instance {
    package: &'static str,
    /// The name of its library, and of all files made from it.
    pub(crate) name: &'static str,
    script: &'static str,
    pub(crate) bundle: &'static str,
    /// Modules of the package that the bundle shares with others instead of holding them.
    external: &'static [&'static str],
}

/// What every page loads that asks for a token.
pub(crate) const CLIENT: Instance = Instance {
    package: "qrvey-auth",
    name: "qrvey_auth",
    script: "js/index.js",
    bundle: "dist/index.js",
    external: &["./embed.js"],
};

/// What a page loads in addition with its first widget.
pub(crate) const WIDGETS: Instance = Instance {
    package: "qrvey-auth-widgets",
    name: "qrvey_auth_widgets",
    script: "js/embed.js",
    bundle: "dist/embed.js",
    external: &["./index.js"],
};

/// The ways in for frameworks, each an entry point of its own.
const WAYS_IN: [&str; 3] = ["element", "react", "vue"];

impl Instance {
    pub(crate) fn compiled(&self) -> String {
        format!("target/wasm32-unknown-unknown/wasm/{}.wasm", self.name)
    }

    pub(crate) fn bound(&self) -> String {
        format!("target/bindgen/{}_bg.wasm", self.name)
    }

    pub(crate) fn wasm(&self) -> String {
        format!("target/bindgen/{}.wasm", self.name)
    }

    fn build(&self) -> Result<()> {
        step(
            &format!("compiling {} to WebAssembly", self.package),
            "cargo",
            [
                "rustc",
                "--quiet",
                &format!("--package={}", self.package),
                "--lib",
                "--crate-type=cdylib",
                "--profile=wasm",
                "--target=wasm32-unknown-unknown",
                "--",
                "-Clink-arg=--emit-relocs",
            ],
        )?;
        println!("• generating its JavaScript bindings");
        bindings::generate(self)?;
        step(
            "optimising it for size",
            "node_modules/.bin/wasm-opt",
            [
                &self.bound(),
                "--output",
                &self.wasm(),
                "-Oz",
                "--converge",
                "--strip-debug",
                "--strip-producers",
                "--strip-target-features",
            ],
        )?;
        embed::placeholder(self)?;
        bundle(self.script, self.bundle, self.external)?;
        embed::into(self)
    }
}

/// Builds the npm package into `dist/`.
pub(crate) fn package() -> Result<()> {
    CLIENT.build()?;
    WIDGETS.build()?;
    for name in WAYS_IN {
        bundle(&format!("js/{name}.js"), &format!("dist/{name}.js"), &["./index.js", "react", "vue"])?;
    }
    for name in ["index", "embed"].into_iter().chain(WAYS_IN) {
        let declarations = format!("{name}.d.ts");
        fs::copy(root().join("js").join(&declarations), root().join("dist").join(&declarations))?;
    }
    size::report()
}

fn bundle(script: &str, bundle: &str, external: &[&str]) -> Result<()> {
    let fixed = [
        script,
        "--bundle",
        "--format=esm",
        "--target=es2022",
        "--minify",
        "--legal-comments=none",
        "--log-level=warning",
    ];
    let outfile = format!("--outfile={bundle}");
    let external = external.iter().map(|module| format!("--external:{module}"));
    let arguments = fixed.into_iter().map(str::to_owned).chain([outfile]).chain(external);
    step(&format!("bundling {bundle}"), "node_modules/.bin/esbuild", arguments)
}
