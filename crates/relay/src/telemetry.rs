//! Logs on standard error, as text or JSON lines.

use std::io;
use std::panic;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

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
    let lines = Lines::to(io::stderr())?;
    // A second call, as tests make it, leaves the first in force.
    let lines_of_log = tracing_subscriber::fmt::layer()
        .event_format(LineFormat(config.log.format))
        .with_writer(lines.clone());
    let _ = tracing_subscriber::registry().with(lines_of_log).with(config.log.filter.clone()).try_init();
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
