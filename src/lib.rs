//! `qrvey-auth`, the browser module: asks a trusted relay for Qrvey security tokens, keeps them in
//! memory only, and gives every caller of a page the same one until it is about to expire.
//!
//! The JavaScript API is described in `js/index.d.ts`; this crate is what stands behind it. The
//! files that decide ([`clock`], [`lifetime`], [`backoff`], [`renewal`], [`flight`], [`store`], [`error`]) need no
//! browser and are tested natively; [`options`], [`relay`], [`host`], [`watch`], [`tabs`] and
//! [`client`] touch the page.

mod backoff;
mod client;
mod clock;
mod error;
mod flight;
mod host;
mod lifetime;
mod object;
mod options;
mod relay;
mod renewal;
mod store;
mod tabs;
mod watch;

pub use client::Client;
pub use host::{Host, start};

/// The default allocator for wasm32 is several times the size, which every page would have to load.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
