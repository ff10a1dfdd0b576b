//! The stand-in platform and the host application, over real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in tests a panic is the report"
)]

mod admin;
mod data;
mod faults;
mod host;
mod launchers;
mod login;
mod process;
mod running;
