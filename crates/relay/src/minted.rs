//! A token that the platform gave, and the name of the grant that it was given for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use qrvey_auth_wire::{Token, TokenAnswer, TokenKind};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest, Sha256};

use crate::moment::Moment;

/// Names a grant: a hash over its kind, the platform and the exact bytes that go there, so that two
/// callers share an entry only if their grants are equal in every byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct GrantKey([u8; 32]);

impl GrantKey {
    /// `domain` is the platform's origin.
    pub(crate) fn new(kind: TokenKind, domain: &str, body: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(kind.as_str()).chain_update([0]);
        let hash = hash.chain_update(domain).chain_update([0]).chain_update(body);
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

/// A token that the platform gave, to this replica or to another.
#[derive(Debug)]
pub(crate) struct FreshToken {
    pub token: Token,
    /// Before the request went out, so that the lifetime is never overestimated.
    pub asked: Moment,
    /// `None`: unknown, so never reused.
    pub lifetime: Option<Duration>,
    pub is_by_another_replica: bool,
}

/// A token as it is kept: in the answer that it is given out with.
#[derive(Debug)]
pub(crate) struct Minted {
    answer: AnswerText,
    asked: Moment,
    pub lifetime: Option<Duration>,
    pub is_by_another_replica: bool,
    uses: AtomicU32,
    is_being_renewed: AtomicBool,
}

impl Minted {
    pub(crate) fn new(fresh: FreshToken, grant: Option<String>, domain: String) -> Self {
        let FreshToken { token, asked, lifetime, is_by_another_replica } = fresh;
        Self {
            answer: AnswerText::new(&TokenAnswer { token, expires_in: None, grant, domain: Some(domain) }),
            asked,
            lifetime,
            is_by_another_replica,
            uses: AtomicU32::new(0),
            is_being_renewed: AtomicBool::new(false),
        }
    }

    /// The body of an answer that is given at this age.
    fn answer_at(&self, age: Duration) -> Bytes {
        self.answer.with(self.seconds_left_at(age))
    }

    /// Whole seconds; `Some(0)` is over.
    fn seconds_left_at(&self, age: Duration) -> Option<u64> {
        self.lifetime.map(|lifetime| lifetime.saturating_sub(age).as_secs())
    }

    fn is_over_at(&self, age: Duration) -> bool {
        self.seconds_left_at(age) == Some(0)
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

/// A token as it is at one look: its clocks are read once for all that is decided by its age.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub minted: Arc<Minted>,
    age: Duration,
}

impl Kept {
    pub(crate) fn new(minted: Arc<Minted>) -> Self {
        Self { age: minted.asked.elapsed(), minted }
    }

    pub(crate) fn age(&self) -> Duration {
        self.age
    }

    /// The body of the answer that gives it out.
    pub(crate) fn answer(&self) -> Bytes {
        self.minted.answer_at(self.age)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.minted.is_over_at(self.age)
    }
}

/// A [`TokenAnswer`], written once. Only the seconds left change from one time to the next.
struct AnswerText(Bytes);

impl AnswerText {
    fn new(answer: &TokenAnswer) -> Self {
        // Texts always serialize.
        Self(serde_json::to_vec(answer).unwrap_or_default().into_boxed_slice().into())
    }

    fn with(&self, expires_in: Option<u64>) -> Bytes {
        let (Some(seconds), Some(open)) = (expires_in, self.0.strip_suffix(b"}")) else {
            return self.0.clone();
        };
        let mut digits = itoa::Buffer::new();
        [open, br#","expires_in":"#, digits.format(seconds).as_bytes(), b"}"].concat().into()
    }
}

impl fmt::Debug for AnswerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerText([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(body: &str) -> GrantKey {
        GrantKey::new(TokenKind::Composer, "https://a", body.as_bytes())
    }

    #[test]
    fn keys_are_equal_only_for_equal_bytes_of_an_equal_kind() {
        assert_eq!(key("a"), key("a"));
        assert_ne!(key("a"), key("b"));
        assert_ne!(key("a"), GrantKey::new(TokenKind::Admin, "https://a", b"a"));
        assert_ne!(key("a"), GrantKey::new(TokenKind::Composer, "https://b", b"a"));
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

    fn minted(lifetime: Option<u64>) -> Minted {
        let fresh = FreshToken {
            token: Token::parse("canary").unwrap(),
            asked: Moment::now(),
            lifetime: lifetime.map(Duration::from_secs),
            is_by_another_replica: false,
        };
        Minted::new(fresh, Some("g".to_owned()), "https://tenant.example".to_owned())
    }

    #[test]
    fn a_token_is_over_in_its_last_second() {
        let (minute, seconds) = (minted(Some(60)), Duration::from_secs);
        assert_eq!(minute.seconds_left_at(Duration::from_millis(10_001)), Some(49));
        assert!(!minute.is_over_at(seconds(59)));
        assert!(minute.is_over_at(seconds(60)));
        assert!(!minted(None).is_over_at(seconds(1_000_000)), "an unknown lifetime is not over");
    }

    #[test]
    fn an_answer_tells_the_seconds_left_where_they_are_known() {
        let read = |minted: &Minted| {
            serde_json::from_slice::<TokenAnswer>(&minted.answer_at(Duration::from_secs(10))).unwrap()
        };
        let known = read(&minted(Some(u64::MAX)));
        assert_eq!(known.expires_in, Some(u64::MAX - 10));
        assert_eq!(read(&minted(None)), TokenAnswer { expires_in: None, ..known });
    }

    #[test]
    fn debug_is_redacted() {
        assert!(!format!("{:?}", minted(None)).contains("canary"));
    }
}
