use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};

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
