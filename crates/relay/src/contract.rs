//! Reads a request of the wire contract, and nothing that is not one.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::BoxError;
use axum::body::HttpBody;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::json;
use crate::problem::Failure;

/// Reads the JSON object of a body.
pub(crate) async fn read<T, B>(
    headers: &HeaderMap,
    body: B,
    max_bytes: usize,
    timeout: Duration,
) -> Result<T, Failure>
where
    T: DeserializeOwned,
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    if !is_json(headers) || headers.contains_key(CONTENT_ENCODING) {
        return Err(Failure::invalid(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body must be sent as Content-Type: application/json, without Content-Encoding.",
        ));
    }
    let too_large = Failure::invalid(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large.");
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > max_bytes) {
        return Err(too_large);
    }
    let bytes = match within(timeout, whole(Limited::new(body, max_bytes))).await {
        Some(Ok(bytes)) => bytes,
        Some(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large),
        Some(Err(_)) => return Err(Failure::invalid(StatusCode::BAD_REQUEST, "The body broke off.")),
        None => {
            return Err(Failure::invalid(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time."));
        }
    };
    json::object(&bytes).map_err(|_| {
        Failure::invalid(
            StatusCode::BAD_REQUEST,
            "The body must be a JSON object with the documented keys, each at most once, and no other.",
        )
    })
}

/// All of a body. One that comes in one piece is not copied; pieces are, and not collected as they are,
/// for a byte that comes alone would hold the whole buffer that it was read into.
async fn whole<B: HttpBody<Data = Bytes, Error = BoxError>>(body: B) -> Result<Bytes, BoxError> {
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
        if body.is_end_stream() {
            break;
        }
    }
    Ok(if rest.is_empty() { first } else { [first, rest.freeze()].concat().into() })
}

/// Waits for a future, but no longer than that. Unlike Tokio's, this sets no timer for what is there
/// on the second look, as a body is that came in with its head.
async fn within<F: Future>(timeout: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut looks = 0;
    let early = poll_fn(|context| {
        looks += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if looks > 1 => Poll::Ready(None),
            Poll::Pending => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    });
    match early.await {
        Some(output) => Some(output),
        None => tokio::time::timeout(timeout, future).await.ok(),
    }
}

/// `application/json`, alone or with `charset=utf-8`: a page can send nothing of the kind across
/// sites without the relay's consent.
fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(Ok(value)), None) = (values.next().map(|value| value.to_str()), values.next()) else {
        return false;
    };
    let (essence, parameter) = match value.split_once(';') {
        None => (value, None),
        Some((essence, parameter)) => (essence, Some(parameter.trim())),
    };
    let is_utf8 = |parameter: &str| {
        parameter.eq_ignore_ascii_case("charset=utf-8") || parameter.eq_ignore_ascii_case("charset=\"utf-8\"")
    };
    essence.trim().eq_ignore_ascii_case("application/json") && parameter.is_none_or(is_utf8)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_json_is_json() {
        let check = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_TYPE, HeaderValue::from_static(value));
            }
            is_json(&headers)
        };
        assert!(check(&["application/json"]));
        assert!(check(&["Application/JSON; charset=UTF-8"]));
        for bad in [
            &[][..],
            &["text/plain"],
            &["application/json-patch+json"],
            &["text/plain; application/json"],
            &["application/json, text/plain"],
            &["application/json; charset=utf-16"],
            &["application/json", "text/plain"],
            &[""],
        ] {
            assert!(!check(bad), "{bad:?}");
        }
    }
}
