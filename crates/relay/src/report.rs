use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use crate::claims::Claims;

/// What a command found, in plain words, and whether all of it is good.
#[derive(Debug)]
pub struct Report {
    /// For people to read. Holds no secret and no token.
    pub text: String,
    /// The command's exit status.
    pub is_good: bool,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { text: String::new(), is_good: true }
    }

    pub(crate) fn good(&mut self, line: impl AsRef<str>) {
        self.line("ok      ", line.as_ref());
    }

    pub(crate) fn note(&mut self, line: impl AsRef<str>) {
        self.line("note    ", line.as_ref());
    }

    pub(crate) fn bad(&mut self, line: impl AsRef<str>, advice: &str) {
        self.is_good = false;
        self.line("FAILED  ", line.as_ref());
        if !advice.is_empty() {
            self.line("        ", advice);
        }
    }

    fn line(&mut self, mark: &str, line: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{mark}{line}");
    }
}

/// Reads the claims of an example user.
pub(crate) fn read_claims(path: &Path) -> Result<Claims, String> {
    let text = fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let claims = serde_json::from_slice::<Map<String, Value>>(&text)
        // Not the parser's text, which quotes what is there instead: perhaps a token.
        .map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("{}:{line}:{column}: this is not a JSON object of claims", path.display())
        })?;
    Ok(Claims::new(claims))
}
