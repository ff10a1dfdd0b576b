#![doc = include_str!("../README.md")]

mod address;
pub mod check;
mod claims;
mod config;
mod connections;
mod contract;
pub mod explain;
mod fleet;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod grant;
mod http;
mod identity;
mod json;
mod lifetime;
mod limiter;
mod metrics;
mod mint;
mod minted;
mod moment;
mod observe;
mod origin;
mod policy;
mod problem;
mod relay;
/// What the commands print.
pub mod report;
mod router;
pub mod serve;
pub mod telemetry;
mod trace;
mod upstream;
mod watch;

pub use config::{Config, ConfigError, Environment};
pub use fleet::FleetError;
pub use relay::StartError;
pub use router::{Relay, router};
