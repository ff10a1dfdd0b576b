//! What stands in Redis tells nothing to who reads it there: names are keyed hashes, tokens are
//! sealed and bound to their name.

use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use qrvey_auth_wire::Token;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::FleetError;
use crate::config::Secret;

const KEY_BYTES: usize = 32;

/// One fleet key at work.
pub(super) struct Sealer {
    name: hmac::Key,
    seal: RandomizedNonceKey,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    token: Token,
    lifetime_ms: u64,
}

impl Sealer {
    pub(super) fn new(secret: &Secret) -> Result<Self, FleetError> {
        let fault = || FleetError::Key(secret.name());
        let key = BASE64_STANDARD.decode(secret.current().expose_secret()).map_err(|_| fault())?;
        if key.len() != KEY_BYTES {
            return Err(fault());
        }
        // A key for each purpose, so that neither says anything of the other.
        let fleet_key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let derived = |purpose: &str| hmac::sign(&fleet_key, purpose.as_bytes());
        Ok(Self {
            name: hmac::Key::new(hmac::HMAC_SHA256, derived("name").as_ref()),
            seal: RandomizedNonceKey::new(&AES_256_GCM, derived("seal").as_ref()).map_err(|_| fault())?,
        })
    }

    /// The name of something in Redis.
    pub(super) fn name(&self, what: &str, key: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.name);
        context.update(what.as_bytes());
        context.update(&[0]);
        context.update(key);
        base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(context.sign().as_ref())
    }

    pub(super) fn seal(&self, name: &str, token: &Token, lifetime: Duration) -> Option<Vec<u8>> {
        let lifetime_ms = u64::try_from(lifetime.as_millis()).ok()?;
        let mut text = serde_json::to_vec(&Sealed { token: token.clone(), lifetime_ms }).ok()?;
        let nonce = self.seal.seal_in_place_append_tag(Aad::from(name), &mut text).ok()?;
        Some([nonce.as_ref().as_slice(), &text].concat())
    }

    pub(super) fn open(&self, name: &str, sealed: &[u8]) -> Option<(Token, Duration)> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let text = self.seal.open_in_place(nonce, Aad::from(name), &mut text).ok()?;
        let Sealed { token, lifetime_ms } = serde_json::from_slice(text).ok()?;
        Some((token, Duration::from_millis(lifetime_ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    const MINUTE: Duration = Duration::from_secs(60);

    fn sealer(key: &str) -> Result<Sealer, FleetError> {
        let environment = Environment::from_iter([("QRVEY_FLEET_KEY", key)]);
        Sealer::new(&Secret::find("QRVEY_FLEET_KEY", &environment).unwrap().unwrap())
    }

    fn of_byte(byte: u8) -> Sealer {
        sealer(&BASE64_STANDARD.encode([byte; KEY_BYTES])).unwrap()
    }

    #[test]
    fn a_token_comes_back_under_its_own_name_and_key_only() {
        let (ours, other) = (of_byte(1), of_byte(2));
        let token = Token::parse("canary-token").unwrap();
        let sealed = ours.seal("a", &token, MINUTE).unwrap();
        assert_eq!(ours.open("a", &sealed), Some((token.clone(), MINUTE)));
        assert!(!String::from_utf8_lossy(&sealed).contains("canary"));
        assert_eq!(ours.open("b", &sealed), None);
        assert_eq!(other.open("a", &sealed), None);
        assert_ne!(ours.seal("a", &token, MINUTE).unwrap(), sealed, "a new nonce each time");
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(ours.open("a", &changed), None);
        }
        assert_eq!(ours.open("a", &sealed[..5]), None);
    }

    #[test]
    fn names_are_keyed_and_kept_apart() {
        let (ours, other) = (of_byte(1), of_byte(2));
        assert_ne!(ours.name("token", b"a"), other.name("token", b"a"));
        assert_ne!(ours.name("token", b"a"), ours.name("turn", b"a"));
        assert_eq!(ours.name("token", b"a"), of_byte(1).name("token", b"a"));
    }

    #[test]
    fn a_weak_key_is_refused() {
        for key in ["short", "c2hvcnQ=", &BASE64_STANDARD.encode([0; 31])] {
            let error = sealer(key).err().map(|error| error.to_string());
            assert!(error.is_some_and(|error| error.contains("QRVEY_FLEET_KEY") && !error.contains(key)));
        }
    }
}
