//! The relay over real sockets, in front of platforms and host applications good and bad.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking, in its helpers too"
)]

mod authority;
mod config;
mod crowd;
mod deploy;
#[cfg(feature = "fleet")]
mod fleet;
mod identity;
mod jwt;
mod limits;
mod migration;
mod openapi;
mod policy;
mod program;
mod proxies;
mod reuse;
mod schemathesis;
mod secrecy;
mod smuggling;
mod support;
mod tls;
mod upstream;
mod wire;
