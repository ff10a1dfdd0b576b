//! HTTP from the relay to others: the platform, the host application, the issuer of keys.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};

/// An HTTP client as the relay wants every one: no redirects, no proxies of the environment, a time
/// limit for the whole answer. Bodies are never unpacked.
pub(crate) fn client(url: &str, timeout: Duration) -> ClientBuilder {
    let client = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .user_agent(concat!("qrvey-relay/", env!("CARGO_PKG_VERSION")))
        .timeout(timeout);
    // Reading the system's certificates is most of the time that a start takes.
    if url.starts_with("http://") { client.tls_certs_only([]) } else { client }
}

/// Why a body was not read to its end.
#[derive(Debug)]
pub(crate) enum BodyError {
    TooLarge,
    Broken(reqwest::Error),
}

/// Reads a body of at most so many bytes; of a larger one no more than that is held.
pub(crate) async fn read_body(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len() + chunk.len() > max_bytes {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
