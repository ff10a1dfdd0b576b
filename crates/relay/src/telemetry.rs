//! Logs on standard error, as text or JSON lines.

use std::io;
use std::panic;

use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::line_format::LineFormat;
use crate::lines::Lines;

/// Writes the last lines of the log when it is dropped, if they are taken within a second.
#[must_use = "the last lines are written when it is dropped"]
pub struct Log(Lines);

/// Sets the process's log up as the configuration says.
///
/// # Errors
/// If the system gives no thread for it.
pub fn init(config: &Config) -> io::Result<Log> {
    let filter = EnvFilter::try_new(&config.log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = Lines::to(io::stderr())?;
    // A second call, as tests make it, leaves the first in force.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .event_format(LineFormat(config.log.format))
        .with_writer(lines.clone())
        .try_init();
    // A panic's message may quote what was being worked on; its place says enough.
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "the relay has a fault: it panicked");
    }));
    Ok(Log(lines))
}

impl Drop for Log {
    fn drop(&mut self) {
        self.0.flush();
    }
}
