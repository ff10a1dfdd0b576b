//! Secrets: from an environment variable, or from a file that may change while the relay runs.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use super::environment::Environment;
use super::source::ConfigError;
use crate::stamp::Stamp;

/// A larger file is surely not a key.
const MAX_SECRET_BYTES: u64 = 16 * 1024;

/// One credential. `Debug` shows where it comes from, never what it is.
pub(crate) struct Secret {
    name: &'static str,
    source: Source,
}

enum Source {
    Value(SecretString),
    File { path: PathBuf, last: Mutex<(Stamp, SecretString)> },
}

impl Secret {
    /// Takes the secret from the variable `name`, or from the file that `name_FILE` names.
    pub(crate) fn find(name: &'static str, environment: &Environment) -> Result<Option<Self>, ConfigError> {
        let file_variable = format!("{name}_FILE");
        let source = match (environment.get(name), environment.get(&file_variable)) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                return Err(ConfigError::of_variable(
                    name,
                    format!("set either {name} or {file_variable}, not both"),
                ));
            }
            (Some(value), None) => {
                let value = clean(value).map_err(|message| ConfigError::of_variable(name, message))?;
                Source::Value(value)
            }
            (None, Some(path)) => {
                let path = PathBuf::from(path);
                // The path is not quoted: someone may have put the secret itself there.
                let last = read(&path).map_err(|error| {
                    ConfigError::of_variable(&file_variable, format!("the file cannot be used: {error}"))
                })?;
                Source::File { path, last: Mutex::new(last) }
            }
        };
        Ok(Some(Self { name, source }))
    }

    /// As [`Secret::find`], for a secret that the configuration cannot do without.
    pub(crate) fn require(
        name: &'static str,
        needed_by: &str,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        Self::find(name, environment)?.ok_or_else(|| {
            ConfigError::of_variable(name, format!("is not set, nor is {name}_FILE; {needed_by} needs it"))
        })
    }

    /// The name of its variable, for messages.
    #[cfg(feature = "fleet")]
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The secret as it is now. A file that cannot be read any more leaves the last value in force.
    pub(crate) fn current(&self) -> SecretString {
        let (path, last) = match &self.source {
            Source::Value(value) => return value.clone(),
            Source::File { path, last } => (path, last),
        };
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if Stamp::of(path).is_ok_and(|now| now == last.0) {
            return last.1.clone();
        }
        match read(path) {
            Ok(fresh) => {
                if fresh.1.expose_secret() != last.1.expose_secret() {
                    tracing::info!(secret = self.name, "took a changed secret from its file");
                }
                *last = fresh;
            }
            Err(error) => {
                tracing::warn!(secret = self.name, %error, "cannot read the secret's file; the last value stays in force");
            }
        }
        last.1.clone()
    }
}

fn read(path: &PathBuf) -> io::Result<(Stamp, SecretString)> {
    let stamp = Stamp::of(path)?;
    if stamp.bytes > MAX_SECRET_BYTES {
        return Err(io::Error::other("the file is too large for a secret"));
    }
    let text = fs::read_to_string(path)?;
    Ok((stamp, clean(&text).map_err(io::Error::other)?))
}

/// Drops the line end and the byte order mark that editors leave; refuses what could not stand in a header.
fn clean(text: &str) -> Result<SecretString, &'static str> {
    let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']);
    if text.is_empty() {
        Err("is empty")
    } else if text.chars().any(char::is_control) {
        Err("has a line break or another control character in it")
    } else {
        Ok(SecretString::from(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match self.source {
            Source::Value(_) => "variable",
            Source::File { .. } => "file",
        };
        write!(f, "Secret({} from its {source}, [redacted])", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "QRVEY_API_KEY";

    fn find(variables: &[(&str, &str)]) -> Result<Option<Secret>, ConfigError> {
        Secret::find(NAME, &Environment::from_iter(variables.iter().copied()))
    }

    #[test]
    fn debug_is_redacted() {
        let secret = find(&[(NAME, "canary")]).unwrap().unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(QRVEY_API_KEY from its variable, [redacted])");
        assert!(!format!("{:?}", secret.current()).contains("canary"));
    }

    #[test]
    fn a_changed_file_is_read_again_and_a_broken_one_keeps_the_last_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "\u{feff}first\r\n").unwrap();
        let secret = find(&[("QRVEY_API_KEY_FILE", path.to_str().unwrap())]).unwrap().unwrap();
        assert_eq!(secret.current().expose_secret(), "first");
        fs::write(&path, "second, longer\n").unwrap();
        assert_eq!(secret.current().expose_secret(), "second, longer");
        fs::write(&path, "").unwrap();
        assert_eq!(secret.current().expose_secret(), "second, longer");
        fs::remove_file(&path).unwrap();
        assert_eq!(secret.current().expose_secret(), "second, longer");
        assert!(!format!("{secret:?}").contains("second"));
    }

    #[test]
    fn what_is_no_secret_is_refused_without_quoting_it() {
        let error = find(&[(NAME, "canary\nX-Evil: 1")]).unwrap_err().to_string();
        assert_eq!(
            error,
            "environment variable QRVEY_API_KEY: has a line break or another control character in it"
        );
        let both = find(&[(NAME, "canary"), ("QRVEY_API_KEY_FILE", "/nowhere")]).unwrap_err().to_string();
        assert!(both.contains("not both") && !both.contains("canary"));
        let misplaced = find(&[("QRVEY_API_KEY_FILE", "canary")]).unwrap_err().to_string();
        let place = "environment variable QRVEY_API_KEY_FILE: the file cannot be used: No such file";
        assert!(misplaced.starts_with(place) && !misplaced.contains("canary"), "{misplaced}");
        assert!(find(&[]).unwrap().is_none());
    }
}
