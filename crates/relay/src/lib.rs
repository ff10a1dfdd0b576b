#![doc = include_str!("../README.md")]

mod activity;
mod address;
mod ask;
mod certificate;
pub mod check;
mod claims;
mod config;
mod connections;
mod contract;
mod cors;
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
mod line_format;
mod lines;
mod listen;
mod metrics;
mod mint;
mod minted;
mod moment;
mod observe;
mod order;
mod origin;
mod policy;
mod principal;
mod problem;
mod relay;
/// What the commands print.
pub mod report;
mod route;
mod router;
pub mod serve;
mod service;
mod stamp;
pub mod telemetry;
mod trace;
mod unreadable;
mod upstream;
mod watch;

pub use config::{Config, ConfigError, Environment};
pub use fleet::FleetError;
pub use relay::StartError;
pub use router::{Relay, router};
