//! What a page has to load, and the budget for it.

use std::fs;
use std::io::Write as _;

use anyhow::{Context, Result, bail};

use crate::build::{CLIENT, WIDGETS};
use crate::run::root;

/// The most that a page may have to load for its first token: brotli quality 11, KB of 1 000 bytes.
const BUDGET_BYTES: usize = 30_000;

const FILES: [(&str, &str); 4] = [
    ("the WebAssembly alone", "target/bindgen/qrvey_auth.wasm"),
    ("all a page loads", CLIENT.bundle),
    ("the same for widgets", "target/bindgen/qrvey_auth_widgets.wasm"),
    ("more with a widget", WIDGETS.bundle),
];

/// Prints the sizes of what was built.
///
/// # Errors
/// If what a page loads is above the budget.
pub(crate) fn report() -> Result<()> {
    println!("{:>24} {:>10} {:>10} {:>10}", "bytes", "raw", "gzip", "brotli");
    let mut loaded = 0;
    for (name, path) in FILES {
        let bytes =
            fs::read(root().join(path)).with_context(|| format!("{path} is missing: run `npm run build`"))?;
        let (gzip, brotli) = (gzip(&bytes)?, brotli(&bytes)?);
        println!("{name:>24} {:>10} {gzip:>10} {brotli:>10}", bytes.len());
        if path == CLIENT.bundle {
            loaded = brotli;
        }
    }
    if loaded > BUDGET_BYTES {
        bail!("dist/index.js has {loaded} bytes (brotli), above the budget of {BUDGET_BYTES}");
    }
    Ok(())
}

fn gzip(bytes: &[u8]) -> Result<usize> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

fn brotli(mut bytes: &[u8]) -> Result<usize> {
    let mut out = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut bytes, &mut out, &parameters)?;
    Ok(out.len())
}
