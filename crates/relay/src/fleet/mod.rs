//! What replicas share when they are told to: tokens, the right to mint, and rate limits. Redis is
//! a convenience, never a condition: without it, each replica works alone.

#[cfg(not(feature = "fleet"))]
mod absent;
#[cfg(feature = "fleet")]
mod seal;
#[cfg(feature = "fleet")]
mod store;

use std::time::Duration;

use qrvey_auth_wire::Token;

#[cfg(not(feature = "fleet"))]
pub(crate) use absent::Fleet;
#[cfg(feature = "fleet")]
pub(crate) use store::Fleet;

use crate::config::Secret;

/// How to reach the others.
#[derive(Debug)]
#[cfg_attr(not(feature = "fleet"), expect(dead_code, reason = "checked all the same, then refused"))]
pub(crate) struct FleetConfig {
    /// Without a password; that is a secret of its own.
    pub redis: String,
    /// PEM certificates that alone are trusted for `rediss://`; the system's where absent.
    pub ca_file: Option<Vec<u8>>,
    /// Begins every key, so that several fleets can share a Redis.
    pub namespace: String,
    /// What Redis may cost a caller at each question.
    pub timeout: Duration,
    pub password: Option<Secret>,
    pub key: Secret,
    /// The key before, for the time in which some replicas still use it.
    pub previous_key: Option<Secret>,
}

/// Why the fleet cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The program was built without the feature.
    #[error("this build has no [fleet]: build it with the feature `fleet`, which is on by default")]
    Absent,
    /// The address is none.
    #[error("fleet.redis is not an address such as rediss://redis.example:6379")]
    Address,
    /// A key is too short or not base64.
    #[error("{0} must be 32 random bytes in base64, as `openssl rand -base64 32` prints them")]
    Key(&'static str),
}

/// A token that another replica minted.
#[derive(Debug)]
pub(crate) struct SharedToken {
    pub token: Token,
    pub age: Duration,
    pub lifetime: Duration,
}

/// The right to mint. It is given back with [`Fleet::end_turn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "fleet"), expect(dead_code, reason = "without a fleet nobody takes turns"))]
pub(crate) enum Turn {
    First,
    /// Another replica had it until now, and perhaps left a token.
    AfterAnother,
}
