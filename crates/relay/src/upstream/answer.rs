use std::time::Duration;

use qrvey_auth_wire::Token;
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};
use serde::Deserialize;

use super::{UpstreamError, transport};
use crate::http::{self, BodyError};
use crate::json;

/// The most that is read of an answer, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

#[derive(Deserialize)]
struct TokenBody {
    /// The admin logins' own word for success.
    status: Option<bool>,
    token: String,
}

/// Takes the token out of the platform's answer, or says why there is none.
pub(super) async fn token(
    response: Response,
    refused: impl Fn(u16) -> UpstreamError,
) -> Result<Token, UpstreamError> {
    let status = response.status();
    match status {
        _ if status.is_success() => read(response).await.and_then(|body| parse(&body)),
        _ if status.is_redirection() => Err(UpstreamError::Redirect(status.as_u16())),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(refused(status.as_u16())),
        StatusCode::TOO_MANY_REQUESTS => Err(UpstreamError::RateLimited(retry_after(&response))),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Err(UpstreamError::Unavailable(status.as_u16(), retry_after(&response)))
        }
        _ => Err(UpstreamError::Status(status.as_u16())),
    }
}

async fn read(response: Response) -> Result<Vec<u8>, UpstreamError> {
    http::read_body(response, MAX_ANSWER_BYTES).await.map_err(|error| match error {
        BodyError::TooLarge => UpstreamError::TooLarge,
        BodyError::Broken(error) => transport(&error),
    })
}

pub(super) fn parse(body: &[u8]) -> Result<Token, UpstreamError> {
    let body: TokenBody = json::object(body).map_err(|_| UpstreamError::NotAToken)?;
    if body.status == Some(false) {
        return Err(UpstreamError::NotAToken);
    }
    Token::parse(body.token).map_err(UpstreamError::BadToken)
}

/// Seconds only: the other form, a date, would trust the platform's clock.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use qrvey_auth_wire::TokenError;

    use super::*;

    #[test]
    fn a_token_is_taken_out_strictly() {
        assert_eq!(parse(br#"{"token":"abc","more":1}"#).unwrap().expose(), "abc");
        assert_eq!(parse(br#"{"status":true,"token":"abc"}"#).unwrap().expose(), "abc");
        for bad in [
            &b""[..],
            b"<html>",
            b"[true,\"abc\"]",
            b"{\"token\":42}",
            b"{\"token\":null}",
            b"{\"status\":false,\"token\":\"abc\"}",
            b"{\"token\":\"a\",\"token\":\"b\"}",
            b"\x1f\x8b\x08\x00",
        ] {
            assert_eq!(parse(bad), Err(UpstreamError::NotAToken), "{bad:?}");
        }
        assert_eq!(parse(br#"{"token":""}"#), Err(UpstreamError::BadToken(TokenError::Empty)));
        assert_eq!(parse(br#"{"token":"a b"}"#), Err(UpstreamError::BadToken(TokenError::Character)));
    }
}
