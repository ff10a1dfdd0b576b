//! The WebAssembly instance as a JavaScript string, one character for each byte.
//!
//! Compressed with brotli it weighs 6 % more than the bytes themselves; base64 weighs 32 % more,
//! because it hides from the compressor where bytes begin. Only ASCII is written, so that a page in
//! another encoding reads the same string.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Result, ensure};

use crate::build::Instance;
use crate::run::root;

/// What stands in the bundle until the instance takes its place.
const PLACEHOLDER: &str = "\"the WebAssembly instance\"";

/// Writes the module that the scripts import the instance from.
pub(crate) fn placeholder(instance: &Instance) -> Result<()> {
    let script = format!("export default {PLACEHOLDER};\n");
    Ok(fs::write(root().join(format!("target/bindgen/{}.embedded.js", instance.name)), script)?)
}

/// Puts the instance into its bundle.
pub(crate) fn into(instance: &Instance) -> Result<()> {
    let bundle = instance.bundle;
    let path = root().join(bundle);
    let script = fs::read_to_string(&path)?;
    ensure!(script.matches(PLACEHOLDER).count() == 1, "{bundle} has no one place for the instance");
    let wasm = fs::read(root().join(instance.wasm()))?;
    Ok(fs::write(path, script.replace(PLACEHOLDER, &literal(&wasm)))?)
}

/// A control character that WebAssembly has little use for.
const RARE: u8 = 31;

fn literal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    text.push('"');
    for &byte in bytes {
        // HTML turns a NUL in an inline script into something else, and NUL is the commonest byte of
        // all: it changes places with a rare one. `js/bytes.js` changes them back.
        match if byte == 0 || byte == RARE { RARE - byte } else { byte } {
            0 => text.push_str("\\x00"),
            byte @ (b'"' | b'\\') => text.extend(['\\', char::from(byte)]),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            byte @ 0x7f.. => drop(write!(text, "\\x{byte:02x}")),
            byte => text.push(char::from(byte)),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_a_character_of_its_own_and_none_ends_the_string() {
        let all: Vec<u8> = (0..=255).collect();
        let text = literal(&all);
        assert!(text.is_ascii());
        assert!(!text.contains(['\0', '\n', '\r']));
        assert!(text.starts_with("\"\u{1f}"), "NUL stands as 31");
        assert!(text.contains("\\\"") && text.contains("\\\\") && text.ends_with("\\xff\""));
    }
}
