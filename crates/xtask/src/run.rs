//! Running other programs, and saying so.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// A command that is run in the repository's root.
pub(crate) fn command(program: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Says what it does, does it, and fails if the program fails.
pub(crate) fn step(
    what: &str,
    program: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<()> {
    println!("• {what}");
    succeed(command(program, arguments))
}

/// Runs a prepared command and fails if it fails.
pub(crate) fn succeed(mut command: Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot run {program}"))?;
    if !status.success() {
        bail!("{program} failed ({status})");
    }
    Ok(())
}

/// Becomes another program, so that signals reach it directly.
pub(crate) fn exec(program: &str, arguments: Vec<String>) -> Result<()> {
    let mut command = command(program, arguments);
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        Err(command.exec()).with_context(|| format!("cannot run {program}"))
    }
    #[cfg(not(unix))]
    succeed(command)
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}
