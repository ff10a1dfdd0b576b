//! The trusted server relay between browsers and Qrvey.

mod address;
mod claims;
mod config;
mod contract;
mod grant;
mod identity;
mod json;
mod lifetime;
mod limiter;
mod metrics;
mod mint;
mod moment;
mod observe;
mod origin;
mod policy;
mod problem;
mod relay;
mod router;
mod upstream;

pub use config::{Config, ConfigError, Environment};
pub use relay::StartError;
pub use router::{Relay, router};
