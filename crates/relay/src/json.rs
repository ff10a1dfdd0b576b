use serde::de::{DeserializeOwned, Error as _};

/// Reads a JSON object into a struct. Serde would also take an array of its fields, which no side
/// of the contract means.
pub(crate) fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => serde_json::from_slice(bytes),
        _ => Err(serde_json::Error::custom("not an object")),
    }
}

#[cfg(test)]
mod tests {
    use qrvey_auth_wire::ComposerRequest;

    use super::*;

    #[test]
    fn only_an_object_is_an_object() {
        let parse = |text: &str| object::<ComposerRequest>(text.as_bytes());
        assert_eq!(parse(" \n{\"profile\":\"a\"} ").unwrap().profile.as_deref(), Some("a"));
        for text in [
            "",
            "[]",
            "[\"a\"]",
            "null",
            "\"a\"",
            "{}{}",
            "{\"profile\":\"a\",\"profile\":\"b\"}",
            "{'profile':1}",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
