//! What the login calls are checked against.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;

/// A secret: `Debug` is redacted and there is no `Display`; [`Secret::expose`] is the one way to the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// `prefix` and 24 random bytes.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn random(prefix: &str) -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut bytes = [0; 24];
        aws_lc_rs::rand::fill(&mut bytes)?;
        Ok(Self(format!("{prefix}{}", BASE64URL.encode(bytes))))
    }

    /// The text, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in constant time.
    #[must_use]
    pub fn is(&self, other: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.0.as_bytes(), other).is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// The one customer of this platform.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// For `x-api-key`.
    pub api_key: Secret,
    /// The application's id; no secret.
    pub appid: String,
    /// The platform user's id; no secret.
    pub userid: String,
    /// The Admin Center's user.
    pub admin_username: Secret,
    /// The Admin Center's key.
    pub admin_access_key: Secret,
}

impl Credentials {
    /// The secrets among them.
    #[must_use]
    pub fn secrets(&self) -> [&Secret; 3] {
        [&self.api_key, &self.admin_username, &self.admin_access_key]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_redacted() {
        let credentials = Credentials {
            api_key: Secret::new("canary-1"),
            appid: "orders-app".into(),
            userid: "builder".into(),
            admin_username: Secret::new("canary-2"),
            admin_access_key: Secret::new("canary-3"),
        };
        let debug = format!("{credentials:#?}");
        assert!(debug.contains("orders-app") && !debug.contains("canary"), "{debug}");
    }

    #[test]
    fn random_secrets_differ() {
        let secret = Secret::random("key-").unwrap();
        assert!(secret.expose().starts_with("key-") && secret.expose().len() == 36);
        assert_ne!(secret, Secret::random("key-").unwrap());
        assert!(secret.is(secret.expose().as_bytes()) && !secret.is(b"key-"));
    }
}
