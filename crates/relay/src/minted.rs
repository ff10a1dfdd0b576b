//! A token that the platform gave, and the name of the grant that it was given for.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use qrvey_auth_wire::Token;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest, Sha256};

use crate::moment::Moment;

/// Which of the two tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Composer,
    Admin,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Composer => "composer",
            Self::Admin => "admin",
        }
    }
}

/// Names a grant: a hash over its kind and the exact bytes that go to the platform, so that two
/// callers share an entry only if their grants are equal in every byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct GrantKey([u8; 32]);

impl GrantKey {
    pub(crate) fn new(kind: Kind, body: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(kind.as_str()).chain_update([0]).chain_update(body);
        Self(hash.finalize().into())
    }

    /// A name of the grant for browsers: the same from every replica that holds the secret, and
    /// without the secret no help in guessing what the grant holds.
    pub(crate) fn public_name(&self, secret: &SecretString) -> String {
        let secret = Sha256::digest(secret.expose_secret());
        let name = Sha256::new().chain_update("grant").chain_update(secret).chain_update(self.0).finalize();
        name.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    #[cfg(feature = "fleet")]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A token that the platform gave.
#[derive(Debug)]
pub(crate) struct Minted {
    pub token: Token,
    /// Before the request went out, so that the lifetime is never overestimated.
    pub asked: Moment,
    /// `None`: unknown, so never reused.
    pub lifetime: Option<Duration>,
    pub is_by_another_replica: bool,
    uses: AtomicU32,
    is_being_renewed: AtomicBool,
}

impl Minted {
    pub(crate) fn new(token: Token, asked: Moment, lifetime: Option<Duration>) -> Self {
        Self {
            token,
            asked,
            lifetime,
            is_by_another_replica: false,
            uses: AtomicU32::new(0),
            is_being_renewed: AtomicBool::new(false),
        }
    }

    pub(crate) fn by_another_replica(token: Token, asked: Moment, lifetime: Duration) -> Self {
        Self { is_by_another_replica: true, ..Self::new(token, asked, Some(lifetime)) }
    }

    /// Whole seconds left now; `Some(0)` is over.
    pub(crate) fn seconds_left(&self) -> Option<u64> {
        self.lifetime.map(|lifetime| lifetime.saturating_sub(self.asked.elapsed()).as_secs())
    }

    pub(crate) fn is_over(&self) -> bool {
        self.seconds_left() == Some(0)
    }

    /// How often it has been handed out again, this time included.
    pub(crate) fn count_use(&self) -> u32 {
        self.uses.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// True once: for whoever is to renew it in the background.
    pub(crate) fn claim_renewal(&self) -> bool {
        !self.is_being_renewed.swap(true, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(body: &str) -> GrantKey {
        GrantKey::new(Kind::Composer, body.as_bytes())
    }

    #[test]
    fn keys_are_equal_only_for_equal_bytes_of_an_equal_kind() {
        assert_eq!(key("a"), key("a"));
        assert_ne!(key("a"), key("b"));
        assert_ne!(key("a"), GrantKey::new(Kind::Admin, b"a"));
    }

    #[test]
    fn the_public_name_is_the_same_for_the_same_grant_and_secret_only() {
        let secret = SecretString::from("secret");
        let name = key("a").public_name(&secret);
        assert_eq!(name, key("a").public_name(&secret));
        assert_ne!(name, key("b").public_name(&secret));
        assert_ne!(name, key("a").public_name(&SecretString::from("other")));
        assert!(name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn a_token_is_over_in_its_last_second() {
        let token = || Token::parse("t").unwrap();
        let aged = |seconds| Moment::now().earlier(Duration::from_secs(seconds));
        let minute = Some(Duration::from_secs(60));
        assert_eq!(Minted::new(token(), aged(10), minute).seconds_left(), Some(49));
        assert!(!Minted::new(token(), aged(58), minute).is_over());
        assert!(Minted::new(token(), aged(60), minute).is_over());
        assert!(!Minted::new(token(), aged(1_000_000), None).is_over(), "an unknown lifetime is not over");
    }

    #[test]
    fn debug_is_redacted() {
        let minted = Minted::new(Token::parse("canary").unwrap(), Moment::now(), None);
        assert!(!format!("{minted:?}").contains("canary"));
    }
}
