use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// Prefix of the variables that set a configuration key: `QRVEY_RELAY__LIMITS__MAX_BODY`.
const OVERRIDE_PREFIX: &str = "QRVEY_RELAY__";

/// The environment variables that a configuration may use, apart from the process so that tests and
/// host applications can give their own. `Debug` shows names only, for the values hold secrets.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process; those that are not UTF-8 are left out.
    #[must_use]
    pub fn from_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable; an empty one counts as unset.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The files that secrets come from.
    pub(crate) fn secret_files(&self) -> impl Iterator<Item = PathBuf> {
        let is_file = |name: &str| name.starts_with("QRVEY_") && name.ends_with("_FILE");
        self.0.iter().filter(move |(name, _)| is_file(name)).map(|(_, path)| PathBuf::from(path))
    }

    /// The variables that override a key of the file: name, path of the key, raw value. An empty one does not.
    pub(crate) fn overrides(&self) -> impl Iterator<Item = (&str, Vec<String>, &str)> {
        self.0.iter().filter(|(_, value)| !value.is_empty()).filter_map(|(name, value)| {
            let path = name.strip_prefix(OVERRIDE_PREFIX)?;
            Some((name.as_str(), path.split("__").map(str::to_ascii_lowercase).collect(), value.as_str()))
        })
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_value() {
        let environment = Environment::from_iter([("QRVEY_API_KEY", "canary")]);
        assert_eq!(format!("{environment:?}"), r#"{"QRVEY_API_KEY"}"#);
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        assert_eq!(Environment::from_iter([("QRVEY_API_KEY", "")]).get("QRVEY_API_KEY"), None);
    }
}
