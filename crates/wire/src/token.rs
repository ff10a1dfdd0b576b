use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest token that either side accepts, in bytes.
pub const MAX_TOKEN_BYTES: usize = 48 * 1024;

/// A Qrvey security token. `Debug` is redacted and there is no `Display`; [`Token::expose`] is the
/// one way to the text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Token(String);

/// Why a text is no token. Says nothing of the text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// The text is empty.
    Empty,
    /// The text is longer than [`MAX_TOKEN_BYTES`].
    TooLong,
    /// The text has a character that could not stand in an HTTP header: white space, a control
    /// character or anything beyond ASCII. An error page taken for a token ends here.
    Character,
}

impl Token {
    /// Takes a text for a token if it could travel in an HTTP header: 1 to [`MAX_TOKEN_BYTES`]
    /// visible ASCII characters.
    ///
    /// # Errors
    /// [`TokenError`] says which rule the text breaks.
    pub fn parse(text: impl Into<String>) -> Result<Self, TokenError> {
        let text = text.into();
        if text.is_empty() {
            Err(TokenError::Empty)
        } else if text.len() > MAX_TOKEN_BYTES {
            Err(TokenError::TooLong)
        } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Err(TokenError::Character)
        } else {
            Ok(Self(text))
        }
    }

    /// The token's text, for the one place that hands it on.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

impl TryFrom<String> for Token {
    type Error = TokenError;

    fn try_from(text: String) -> Result<Self, TokenError> {
        Self::parse(text)
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the token is empty",
            Self::TooLong => "the token is too long",
            Self::Character => "the token has a character that no token has",
        })
    }
}

impl std::error::Error for TokenError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn debug_is_redacted() {
        let token = Token::parse("canary-token").unwrap();
        assert_eq!(format!("{token:?}"), "Token([redacted])");
        let answer = crate::TokenAnswer { token, expires_in: Some(1), grant: None, domain: None };
        assert!(!format!("{answer:#?}").contains("canary"));
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_refused() {
        assert_eq!(Token::parse(""), Err(TokenError::Empty));
        assert_eq!(Token::parse("<html> oops"), Err(TokenError::Character));
        assert_eq!(Token::parse("a\r\nX-Evil:1"), Err(TokenError::Character));
        assert_eq!(Token::parse("tökén"), Err(TokenError::Character));
        assert!(Token::parse("a".repeat(MAX_TOKEN_BYTES)).is_ok());
        assert_eq!(Token::parse("a".repeat(MAX_TOKEN_BYTES + 1)), Err(TokenError::TooLong));
    }

    proptest! {
        #[test]
        fn parsing_keeps_the_text_and_errors_never_quote_it(text in "\\PC{1,40}") {
            match Token::parse(text.clone()) {
                Ok(token) => prop_assert_eq!(token.expose(), text),
                Err(error) => prop_assert!(text.len() < 4 || !error.to_string().contains(&text)),
            }
        }
    }
}
