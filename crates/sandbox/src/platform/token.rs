//! What a token says, and how long it is believed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clock::Clock;
use super::jose::Jose;

/// Which of the two tokens it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TokenKind {
    /// For widgets and the Composer API.
    Composer,
    /// For the Admin Center.
    Admin,
}

/// The form of the tokens that are minted from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum TokenFormat {
    /// Encrypted (JWE): nobody but the platform can read the claims.
    Opaque,
    /// Signed (JWT): anybody can read the claims.
    Readable,
}

/// Whom a token stands for and what it lets through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Grant {
    /// Which token.
    pub(crate) kind: TokenKind,
    /// The platform user that minted it.
    pub(crate) userid: String,
    /// The application that it opens; absent in an Admin Center token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) appid: Option<String>,
    /// The end user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) clientid: Option<String>,
    /// Row-level security, as the login call gave it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(crate) permissions: Value,
    /// The pages, charts, metrics, summaries and datasets it is limited to, as given.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(crate) asset_permissions: Value,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    #[serde(flatten)]
    grant: Grant,
    iat: i64,
    exp: i64,
    /// `exp` is in whole seconds; tests count in milliseconds.
    expires_at_ms: i64,
    epoch: u64,
    /// Makes two tokens of one grant differ.
    jti: u64,
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenRefusal {
    /// There is none.
    #[error("the request has no token in `authorization` or `x-qv-token`")]
    Missing,
    /// It is not one of this platform's, or of the other kind.
    #[error("the token is not valid here")]
    Invalid,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// It was minted before the last revocation.
    #[error("the token has been revoked")]
    Revoked,
}

impl TokenRefusal {
    /// The stable name in the platform's answers.
    #[must_use]
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Invalid => "token_invalid",
            Self::Expired => "token_expired",
            Self::Revoked => "token_revoked",
        }
    }
}

/// Mints tokens and opens them again.
pub(super) struct TokenMint {
    jose: Jose,
    clock: Arc<Clock>,
    readable: AtomicBool,
    epoch: AtomicU64,
    serial: AtomicU64,
}

impl TokenMint {
    pub(super) fn new(clock: Arc<Clock>, format: TokenFormat) -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mint = Self {
            jose: Jose::generate()?,
            clock,
            readable: AtomicBool::new(false),
            epoch: AtomicU64::new(0),
            serial: AtomicU64::new(0),
        };
        mint.set_format(format);
        Ok(mint)
    }

    pub(super) fn set_format(&self, format: TokenFormat) {
        self.readable.store(format == TokenFormat::Readable, Ordering::Relaxed);
    }

    /// From now on no token that has been minted so far is believed. Returns the new epoch.
    pub(super) fn revoke_all(&self) -> u64 {
        self.epoch.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// A token for `grant`; `None` only if the cryptography library fails.
    pub(super) fn mint(&self, grant: Grant, lifetime: Duration) -> Option<String> {
        let now_ms = self.clock.now_ms();
        let expires_at_ms = now_ms.saturating_add(i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX));
        let claims = Claims {
            grant,
            iat: now_ms / 1_000,
            exp: expires_at_ms / 1_000,
            expires_at_ms,
            epoch: self.epoch(),
            jti: self.serial.fetch_add(1, Ordering::Relaxed),
        };
        let claims = serde_json::to_vec(&claims).ok()?;
        if self.readable.load(Ordering::Relaxed) {
            Some(self.jose.sign(&claims))
        } else {
            self.jose.encrypt(&claims).ok()
        }
    }

    /// What a token of this kind grants now.
    pub(super) fn open(&self, token: &str, kind: TokenKind) -> Result<Grant, TokenRefusal> {
        let claims = self.jose.open(token).ok_or(TokenRefusal::Invalid)?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| TokenRefusal::Invalid)?;
        if claims.grant.kind != kind {
            Err(TokenRefusal::Invalid)
        } else if claims.epoch != self.epoch() {
            Err(TokenRefusal::Revoked)
        } else if self.clock.now_ms() >= claims.expires_at_ms {
            Err(TokenRefusal::Expired)
        } else {
            Ok(claims.grant)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn mint() -> (TokenMint, Arc<Clock>) {
        let clock = Arc::new(Clock::default());
        (TokenMint::new(clock.clone(), TokenFormat::Opaque).unwrap(), clock)
    }

    fn grant() -> Grant {
        Grant {
            kind: TokenKind::Composer,
            userid: "builder".into(),
            appid: Some("orders-app".into()),
            clientid: Some("ada".into()),
            permissions: serde_json::json!([{"dataset_id": "*", "record_permissions": []}]),
            asset_permissions: Value::Null,
        }
    }

    #[test]
    fn a_grant_survives_both_forms() {
        let (mint, _) = mint();
        for format in [TokenFormat::Opaque, TokenFormat::Readable] {
            mint.set_format(format);
            let token = mint.mint(grant(), MINUTE).unwrap();
            assert_eq!(mint.open(&token, TokenKind::Composer), Ok(grant()));
            assert_eq!(mint.open(&token, TokenKind::Admin), Err(TokenRefusal::Invalid));
        }
    }

    #[test]
    fn it_expires_to_the_millisecond_by_the_clock() {
        let (mint, clock) = mint();
        let token = mint.mint(grant(), MINUTE).unwrap();
        clock.advance_ms(59_000);
        assert!(mint.open(&token, TokenKind::Composer).is_ok());
        clock.advance_ms(1_000);
        assert_eq!(mint.open(&token, TokenKind::Composer), Err(TokenRefusal::Expired));
    }

    #[test]
    fn revocation_ends_what_was_minted_before_it_and_nothing_else() {
        let (mint, _) = mint();
        let before = mint.mint(grant(), MINUTE).unwrap();
        mint.revoke_all();
        let after = mint.mint(grant(), MINUTE).unwrap();
        assert_eq!(mint.open(&before, TokenKind::Composer), Err(TokenRefusal::Revoked));
        assert!(mint.open(&after, TokenKind::Composer).is_ok());
    }

    #[test]
    fn two_tokens_of_one_grant_differ() {
        let (mint, _) = mint();
        mint.set_format(TokenFormat::Readable);
        assert_ne!(mint.mint(grant(), MINUTE), mint.mint(grant(), MINUTE));
    }
}
