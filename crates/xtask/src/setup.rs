//! What a build needs beside Rust and Node, installed where it can be.

use std::fs;

use anyhow::{Context, Result, bail, ensure};

use crate::run::{command, root, step};

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Installs the wasm target and the npm packages if they are missing.
pub(crate) fn all() -> Result<()> {
    wasm_target()?;
    npm_packages()
}

fn wasm_target() -> Result<()> {
    let sysroot = command("rustc", ["--print", "sysroot"]).output().context("cannot run rustc")?;
    let sysroot = String::from_utf8(sysroot.stdout)?;
    let installed = fs::exists(format!("{}/lib/rustlib/{WASM_TARGET}/lib", sysroot.trim()))?;
    if installed {
        return Ok(());
    }
    step("adding Rust's WebAssembly target", "rustup", ["target", "add", WASM_TARGET]).with_context(|| {
        format!(
            "the target {WASM_TARGET} is missing, and rustup could not add it: install it as your Rust came"
        )
    })
}

/// `npm ci` leaves a copy of the lock file behind: as long as it is newer than ours, nothing is to do.
fn npm_packages() -> Result<()> {
    let modified = |path: &str| fs::metadata(root().join(path)).and_then(|file| file.modified());
    let wanted = modified("package-lock.json").context("package-lock.json is missing")?;
    if modified("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted) {
        return Ok(());
    }
    step("installing npm packages", "npm", ["ci", "--no-fund", "--no-audit"]).context(
        "npm says above why; it needs the npm registry, or a cache that holds what package-lock.json names",
    )
}

/// Where a Chromium that tests can drive is.
pub(crate) fn chromium() -> Result<String> {
    let places = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ];
    browser("Chromium", "chromium chromium-driver", &places)
}

/// Where a Firefox that tests can drive is.
pub(crate) fn firefox() -> Result<String> {
    let places =
        ["/usr/bin/firefox-esr", "/usr/bin/firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"];
    browser("Firefox", "firefox-esr", &places)
}

fn browser(name: &str, debian: &str, places: &[&str]) -> Result<String> {
    let variable = name.to_uppercase();
    if let Ok(path) = std::env::var(&variable) {
        ensure!(fs::exists(&path)?, "{variable} says {path}, where nothing is");
        return Ok(path);
    }
    match places.iter().find(|place| fs::exists(place).unwrap_or(false)) {
        Some(place) => Ok((*place).to_owned()),
        None => bail!(
            "these tests need {name}: install it (Debian: apt-get install {debian}), or set {variable} to its path"
        ),
    }
}
