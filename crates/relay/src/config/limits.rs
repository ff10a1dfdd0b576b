use std::str::FromStr;
use std::time::Duration;

use toml::Spanned;

use super::file::{self, Written};
use super::source::{Blame, Fault};

/// What a caller, a connection and the platform may cost.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Limits {
    pub requests_per_minute: u32,
    pub requests_per_minute_per_address: u32,
    pub upstream_timeout: Duration,
    pub upstream_connect_timeout: Duration,
    pub upstream_concurrency: usize,
    pub upstream_queue: usize,
    /// Outages in a row after which the platform is left alone for [`Self::breaker_pause`].
    pub breaker_failures: usize,
    pub breaker_pause: Duration,
    pub max_body_bytes: usize,
    pub max_token_lifetime: Duration,
    /// Further requests at once on a connection of HTTP/2 count as connections.
    pub max_connections: usize,
    pub max_connections_per_address: usize,
    pub header_timeout: Duration,
    pub body_timeout: Duration,
    pub shutdown_timeout: Duration,
}

/// Less is surely a slip.
const MIN_DURATION: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_WAIT: Duration = Duration::from_secs(60 * 60);
const MAX_BODY_BYTES: u64 = 1024 * 1024;

impl Limits {
    pub(super) fn compile(written: &file::Limits) -> Result<Self, Fault> {
        let upstream_timeout = duration(&written.upstream_timeout, 5_000, MAX_WAIT)?;
        let limits = Self {
            requests_per_minute: plain(&written.requests_per_minute, 60),
            requests_per_minute_per_address: plain(&written.requests_per_minute_per_address, 600),
            upstream_timeout,
            upstream_connect_timeout: connect_timeout(&written.upstream_connect_timeout, upstream_timeout)?,
            upstream_concurrency: positive(&written.upstream_concurrency, 64)?,
            upstream_queue: plain(&written.upstream_queue, 256) as usize,
            breaker_failures: positive(&written.breaker_failures, 5)?,
            breaker_pause: duration(&written.breaker_pause, 5_000, MAX_WAIT)?,
            max_body_bytes: bytes(&written.max_body, 16 * 1024)?,
            max_token_lifetime: duration_or(&written.max_token_lifetime, DAY, 7 * DAY)?,
            max_connections: positive(&written.max_connections, 2_000)?,
            max_connections_per_address: positive(&written.max_connections_per_address, 200)?,
            header_timeout: duration(&written.header_timeout, 10_000, MAX_WAIT)?,
            body_timeout: duration(&written.body_timeout, 10_000, MAX_WAIT)?,
            shutdown_timeout: duration(&written.shutdown_timeout, 30_000, MAX_WAIT)?,
        };
        Ok(limits)
    }
}

/// A part of the time for the whole answer.
fn connect_timeout(written: &Written<String>, upstream_timeout: Duration) -> Result<Duration, Fault> {
    let timeout = duration(written, 2_000, MAX_WAIT)?;
    match written {
        Some(written) if timeout > upstream_timeout => {
            Err(written.fault("must not be above limits.upstream_timeout, which holds for the whole answer"))
        }
        _ => Ok(timeout.min(upstream_timeout)),
    }
}

fn plain(written: &Written<u32>, default: u32) -> u32 {
    written.as_ref().map_or(default, |written| *written.get_ref())
}

pub(super) fn positive(written: &Written<u32>, default: u32) -> Result<usize, Fault> {
    match (plain(written, default), written) {
        (0, Some(written)) => Err(written.fault("must be above 0")),
        (number, _) => Ok(number as usize),
    }
}

pub(super) fn duration(written: &Written<String>, default_ms: u64, max: Duration) -> Result<Duration, Fault> {
    duration_or(written, Duration::from_millis(default_ms), max)
}

pub(super) fn duration_or(
    written: &Written<String>,
    default: Duration,
    max: Duration,
) -> Result<Duration, Fault> {
    let Some(written) = written else { return Ok(default) };
    let duration = parse_duration(written)?;
    if !(MIN_DURATION..=max).contains(&duration) {
        let max = humantime::format_duration(max);
        return Err(written.fault(format!("must be at least 1ms and at most {max}")));
    }
    Ok(duration)
}

/// As [`duration`], with zero for "not at all".
pub(super) fn duration_or_zero(
    written: &Written<String>,
    default_ms: u64,
    max: Duration,
) -> Result<Duration, Fault> {
    match written {
        Some(written) if parse_duration(written)?.is_zero() => Ok(Duration::ZERO),
        written => duration(written, default_ms, max),
    }
}

fn parse_duration(written: &Spanned<String>) -> Result<Duration, Fault> {
    humantime::parse_duration(written.get_ref())
        .map_err(|_| written.fault("expected a duration such as \"500ms\", \"5s\" or \"24h\""))
}

fn bytes(written: &Written<String>, default: usize) -> Result<usize, Fault> {
    let Some(written) = written else { return Ok(default) };
    let size = bytesize::ByteSize::from_str(written.get_ref())
        .map_err(|_| written.fault("expected a size such as \"16KiB\""))?
        .as_u64();
    if size == 0 || size > MAX_BODY_BYTES {
        return Err(written.fault("must be above 0 and at most 1MiB"));
    }
    usize::try_from(size).map_err(|_| written.fault("is too large"))
}
