//! Where configuration comes from, and how a fault in it is traced back to key, file and line.

use std::fmt;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::Environment;

/// Why a configuration was refused: the key, the file and line (or the variable), and what to do.
/// Never quotes a value of a key the relay does not know, nor a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {}{message}", self.key_prefix())]
pub struct ConfigError {
    place: Place,
    key: Option<String>,
    message: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    File(String),
    Line { file: String, line: usize, column: usize },
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => f.write_str(file),
            Self::Line { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

impl ConfigError {
    pub(crate) fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self { place: Place::File(file.to_owned()), key: None, message: message.into() }
    }

    pub(crate) fn of_variable(name: &str, message: impl Into<String>) -> Self {
        Self { place: Place::Variable(name.to_owned()), key: None, message: message.into() }
    }

    /// The dotted key at fault, where there is one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    fn key_prefix(&self) -> String {
        self.key.as_ref().map(|key| format!("`{key}`: ")).unwrap_or_default()
    }
}

/// A fault found while checking; [`read`] makes a [`ConfigError`] of it.
#[derive(Debug)]
pub(crate) enum Fault {
    At(Range<usize>, String),
    Nowhere(String),
    Elsewhere(ConfigError),
}

impl Fault {
    pub(crate) fn nowhere(message: impl Into<String>) -> Self {
        Self::Nowhere(message.into())
    }
}

impl From<ConfigError> for Fault {
    fn from(error: ConfigError) -> Self {
        Self::Elsewhere(error)
    }
}

/// Shorthand for a fault at a spanned value.
pub(crate) trait Blame {
    fn fault(&self, message: impl Into<String>) -> Fault;
}

impl<T> Blame for Spanned<T> {
    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::At(self.span(), message.into())
    }
}

/// Reads the file's text with the environment's overrides laid over it, and hands the result to
/// `check`, whose faults come back with key and place.
///
/// An override's spans lie beyond the end of the file's text, so that one number says which source
/// a value came from.
pub(crate) fn read<T: DeserializeOwned, R>(
    file: &str,
    text: &str,
    environment: &Environment,
    check: impl FnOnce(T) -> Result<R, Fault>,
) -> Result<R, ConfigError> {
    let mut sources = Sources { file, text, variables: Vec::new(), table: DeTable::default() };
    let mut end = text.len() + 1;
    let mut overrides = Vec::new();
    for (name, path, raw) in environment.overrides() {
        let padding = "\n".repeat(end);
        let range = end..end + VALUE_KEY.len() + raw.len() + 1;
        overrides.push((path, range.clone(), format!("{padding}{VALUE_KEY}{raw}"), raw));
        end = range.end;
        sources.variables.push((range, name));
    }
    let parsed = DeTable::parse(text).map_err(|error| sources.explain_toml(&error))?;
    let (span, mut table) = (parsed.span(), parsed.into_inner());
    for ((path, range, padded, raw), (_, name)) in overrides.iter().zip(&sources.variables) {
        override_value(padded, raw, range)
            .and_then(|value| lay_over(&mut table, path, value, range))
            .map_err(|message| ConfigError::of_variable(name, message))?;
    }
    sources.table = table.clone();
    T::deserialize(toml::Deserializer::from(Spanned::new(span, table)))
        .map_err(|error| sources.explain_toml(&error))
        .and_then(|raw| check(raw).map_err(|fault| sources.explain(fault)))
}

struct Sources<'a> {
    file: &'a str,
    text: &'a str,
    variables: Vec<(Range<usize>, &'a str)>,
    /// A copy that keeps keys and spans after the values were taken.
    table: DeTable<'a>,
}

impl Sources<'_> {
    fn explain_toml(&self, error: &toml::de::Error) -> ConfigError {
        // The parser's text alone: its full display quotes the line, and with it perhaps a secret.
        let message = without_value(error.message());
        self.explain(
            error
                .span()
                .map_or_else(|| Fault::nowhere(message.clone()), |span| Fault::At(span, message.clone())),
        )
    }

    /// Traces a fault back to its key and its place.
    fn explain(&self, fault: Fault) -> ConfigError {
        let (span, message) = match fault {
            Fault::At(span, message) => (span, message),
            Fault::Nowhere(message) => return ConfigError::of_file(self.file, message),
            Fault::Elsewhere(error) => return error,
        };
        let mut path = Vec::new();
        let key = find_key(&self.table, span.start, &mut path).then(|| path.join(".").replace(".[", "["));
        let variable = self.variables.iter().find(|(range, _)| range.contains(&span.start));
        let place = match variable {
            Some((_, name)) => Place::Variable((*name).to_owned()),
            None => {
                let before = self.text.get(..span.start).unwrap_or(self.text);
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
                Place::Line { file: self.file.to_owned(), line, column }
            }
        };
        ConfigError { place, key, message }
    }
}

/// What serde says of a value of the wrong type, without the value: it may be a secret in a wrong place.
fn without_value(message: &str) -> String {
    match message.rsplit_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid ") => {
            let found = found.split(" \"").next().unwrap_or_default().split(" `").next().unwrap_or_default();
            format!("{found}, expected {expected}")
        }
        _ => message.to_owned(),
    }
}

/// Finds the deepest key whose name or value covers the offset.
fn find_key(table: &DeTable<'_>, offset: usize, path: &mut Vec<String>) -> bool {
    table.iter().any(|(key, value)| {
        path.push(key.get_ref().to_string());
        let found = find_in_value(value, offset, path) || key.span().contains(&offset);
        if !found {
            path.pop();
        }
        found
    })
}

fn find_in_value(value: &Spanned<DeValue<'_>>, offset: usize, path: &mut Vec<String>) -> bool {
    let inside = match value.get_ref() {
        DeValue::Table(table) => find_key(table, offset, path),
        DeValue::Array(array) => array.iter().enumerate().any(|(index, item)| {
            path.push(format!("[{index}]"));
            let found = find_in_value(item, offset, path);
            if !found {
                path.pop();
            }
            found
        }),
        _ => false,
    };
    inside || value.span().contains(&offset)
}

/// What makes a TOML document of an override's value.
const VALUE_KEY: &str = "v = ";

/// Reads an override as a TOML value, or else as plain text. A claim that lacks its closing brace is not
/// such: as a text it would be the same for every caller.
fn override_value<'a>(
    padded: &'a str,
    raw: &'a str,
    range: &Range<usize>,
) -> Result<Spanned<DeValue<'a>>, String> {
    let value = match DeTable::parse(padded).map(Spanned::into_inner) {
        Ok(mut table) if table.len() == 1 => table.remove("v"),
        _ => None,
    };
    match value {
        Some(value) => Ok(value),
        None if raw.trim_start().starts_with(['{', '"', '\'']) => {
            Err("starts like a TOML value, but is none".to_owned())
        }
        None => Ok(Spanned::new(range.clone(), DeValue::String(raw.into()))),
    }
}

fn lay_over<'a>(
    table: &mut DeTable<'a>,
    path: &'a [String],
    value: Spanned<DeValue<'a>>,
    range: &Range<usize>,
) -> Result<(), String> {
    let Some((first, rest)) = path.split_first() else { return Ok(()) };
    if first.is_empty() {
        return Err("names no configuration key".to_owned());
    }
    let key = Spanned::new(range.clone(), first.as_str().into());
    if rest.is_empty() {
        // Removed first, so that the key's place is the variable's and no longer the file's.
        table.remove(first.as_str());
        table.insert(key, value);
        return Ok(());
    }
    let below =
        table.entry(key).or_insert_with(|| Spanned::new(range.clone(), DeValue::Table(DeTable::default())));
    match below.get_mut() {
        DeValue::Table(below) => lay_over(below, rest, value, range),
        _ => Err(format!("`{first}` holds a value, not a table")),
    }
}
