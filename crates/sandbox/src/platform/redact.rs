//! Takes secrets and tokens out of what the journal keeps, and remembers where they stood.

use axum::http::HeaderMap;
use serde_json::Value;

use super::credentials::Credentials;

/// How each of the platform's tokens starts.
const TOKEN_START: &str = "eyJraWQiOi";
/// Members whose value is never shown, right or wrong.
const SECRET_KEYS: [&str; 5] = ["accessKey", "apiKey", "x-api-key", "password", "username"];
/// Longer texts are cut.
const MAX_TEXT_CHARS: usize = 2_000;

/// Knows the texts to look for.
pub(super) struct Redactor {
    secrets: Vec<String>,
}

/// A request without its secrets.
#[derive(Debug, PartialEq)]
pub(super) struct Redacted {
    pub(super) path: String,
    pub(super) header_names: Vec<String>,
    pub(super) body: Value,
    /// Where a secret of the platform's customer stood: `header:x-api-key`, `path`, `body:accessKey`.
    pub(super) secret_in: Vec<String>,
    /// Where a token stood, named alike.
    pub(super) token_in: Vec<String>,
}

impl Redactor {
    pub(super) fn new(credentials: &Credentials) -> Self {
        Self { secrets: credentials.secrets().map(|secret| secret.expose().to_owned()).into() }
    }

    pub(super) fn request(&self, path_and_query: &str, headers: &HeaderMap, body: &[u8]) -> Redacted {
        let mut seen = Redacted {
            path: String::new(),
            header_names: headers.keys().map(|name| name.as_str().to_owned()).collect(),
            body: Value::Null,
            secret_in: Vec::new(),
            token_in: Vec::new(),
        };
        seen.path = self.text(path_and_query, "path", &mut seen);
        for (name, value) in headers {
            self.text(&String::from_utf8_lossy(value.as_bytes()), &format!("header:{name}"), &mut seen);
        }
        seen.body = match serde_json::from_slice(body) {
            Ok(body) => self.json(body, "body", &mut seen),
            Err(_) if body.is_empty() => Value::Null,
            Err(_) => Value::String(self.text(&String::from_utf8_lossy(body), "body", &mut seen)),
        };
        seen
    }

    /// Names the top-level member in which a secret or token stands, however deep.
    fn json(&self, value: Value, place: &str, seen: &mut Redacted) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text, place, seen)),
            Value::Array(items) => items.into_iter().map(|item| self.json(item, place, seen)).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(key, value)| {
                    let key = self.text(&key, place, seen);
                    let place = if place == "body" { format!("body:{key}") } else { place.to_owned() };
                    let mut value = self.json(value, &place, seen);
                    if SECRET_KEYS.contains(&key.as_str()) {
                        value = Value::from("[secret]");
                    }
                    (key, value)
                })
                .collect(),
            other => other,
        }
    }

    fn text(&self, text: &str, place: &str, seen: &mut Redacted) -> String {
        let note = |places: &mut Vec<String>| {
            if !places.iter().any(|known| known == place) {
                places.push(place.to_owned());
            }
        };
        let mut text = text.to_owned();
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                note(&mut seen.secret_in);
                text = text.replace(secret.as_str(), "[secret]");
            }
        }
        if text.contains(TOKEN_START) {
            note(&mut seen.token_in);
            text = without_tokens(&text);
        }
        match text.char_indices().nth(MAX_TEXT_CHARS) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text,
        }
    }
}

fn without_tokens(text: &str) -> String {
    let mut pieces = text.split(TOKEN_START);
    let mut clean = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        clean.push_str("[token]");
        clean.push_str(piece.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_.".contains(c)));
    }
    clean
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;
    use crate::platform::credentials::Secret;

    fn redactor() -> Redactor {
        Redactor::new(&Credentials {
            api_key: Secret::new("canary-api"),
            appid: "a".into(),
            userid: "u".into(),
            admin_username: Secret::new("canary-root"),
            admin_access_key: Secret::new("canary-access"),
        })
    }

    #[test]
    fn secrets_leave_only_their_place_behind() {
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", HeaderValue::from_static("canary-api"));
        headers.insert("authorization", HeaderValue::from_static("Bearer eyJraWQiOiJ4In0..a.b.c"));
        let body = br#"{"username":"canary-root","nested":{"deep":["canary-api!"]},"userid":"u"}"#;
        let seen = redactor().request("/login?k=canary-access", &headers, body);
        assert_eq!(seen.secret_in, ["path", "header:x-api-key", "body:nested", "body:username"]);
        assert_eq!(seen.token_in, ["header:authorization"]);
        assert_eq!(seen.body["nested"]["deep"][0], "[secret]!");
        assert_eq!(seen.body["userid"], "u");
        assert!(!format!("{seen:?}").contains("canary"));
    }

    #[test]
    fn wrong_credentials_are_not_shown_either() {
        let seen = redactor().request("/login", &HeaderMap::new(), br#"{"accessKey":"guess"}"#);
        assert_eq!(seen.body["accessKey"], "[secret]");
        assert!(seen.secret_in.is_empty());
    }

    #[test]
    fn a_token_is_cut_out_of_a_text() {
        assert_eq!(without_tokens("a eyJraWQiOiJ4.y-_z, eyJraWQiOiJ4"), "a [token], [token]");
    }

    proptest! {
        #[test]
        fn no_body_gets_a_secret_through(before in "\\PC{0,20}", after in "\\PC{0,20}", json in any::<bool>()) {
            let text = format!("{before}canary-access{after}");
            let body = if json { serde_json::json!({ "x": [{ "y": text }] }).to_string() } else { text };
            let seen = redactor().request("/", &HeaderMap::new(), body.as_bytes());
            let shown = format!("{seen:?}");
            prop_assert!(!shown.contains("canary-access"));
            prop_assert_eq!(seen.secret_in.len(), 1);
        }
    }
}
