//! URLs, origins and networks of the configuration.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderValue;
use ipnet::IpNet;
use toml::Spanned;
use url::{Host, Url};

use super::source::{Blame, Fault};

/// An origin such as `https://tenant.example`: no path, no trailing slash, `http://` only towards
/// loopback.
pub(super) fn origin(written: &Spanned<String>) -> Result<String, Fault> {
    let url = parse(written)?;
    let origin = url.origin().ascii_serialization();
    if *written.get_ref() != origin {
        return Err(written.fault(format!("expected an origin without path or trailing slash: {origin}")));
    }
    if url.scheme() == "https" || is_loopback(&url) {
        return Ok(origin);
    }
    Err(written.fault("must start with https:// (http:// is for loopback only)"))
}

/// An origin that pages may come from; any host may be on plain HTTP in development.
pub(super) fn page_origin(written: &Spanned<String>) -> Result<HeaderValue, Fault> {
    if written.get_ref().contains('*') {
        return Err(written.fault("origins are compared whole, so a wildcard fits none: list them"));
    }
    let origin = parse(written)?.origin().ascii_serialization();
    if *written.get_ref() != origin {
        return Err(written.fault(format!("expected an exact origin, such as {origin}")));
    }
    HeaderValue::from_str(&origin).map_err(|_| written.fault("expected an exact origin"))
}

/// A URL that gets the caller's credentials.
pub(super) fn private_url(written: &Spanned<String>, insecure_http: bool) -> Result<Url, Fault> {
    let url = parse(written)?;
    if url.scheme() == "https" || is_loopback(&url) || insecure_http {
        return Ok(url);
    }
    Err(written.fault("must start with https:// (http:// is for loopback, or with insecure_http = true)"))
}

fn parse(written: &Spanned<String>) -> Result<Url, Fault> {
    // The text is not quoted: someone may have put a password into it.
    let url =
        Url::parse(written.get_ref()).map_err(|error| written.fault(format!("expected a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(written.fault("expected a URL that starts with https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(written.fault("must not hold a user name or password"));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

pub(super) fn socket(written: &Spanned<String>) -> Result<SocketAddr, Fault> {
    written
        .get_ref()
        .parse()
        .map_err(|_| written.fault("expected an address and a port such as 127.0.0.1:4100"))
}

/// Networks of proxies such as `10.0.0.0/8`, or single addresses. What such a proxy says is believed.
pub(super) fn proxies<'a>(
    written: impl IntoIterator<Item = &'a Spanned<String>>,
) -> Result<Vec<IpNet>, Fault> {
    written.into_iter().map(proxy).collect()
}

fn proxy(written: &Spanned<String>) -> Result<IpNet, Fault> {
    let text = written.get_ref();
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    match network {
        Ok(network) if network.prefix_len() == 0 => {
            Err(written.fault("would believe every address there is; name the networks of the proxies"))
        }
        Ok(IpNet::V6(network)) if network.addr().to_ipv4_mapped().is_some() => {
            Err(written.fault("would fit no address: an IPv4 network is written as such, without ::ffff:"))
        }
        Ok(network) => Ok(network),
        Err(_) => Err(written.fault("expected a network such as 127.0.0.1/32")),
    }
}

/// A path such as `/qrvey`.
pub(super) fn base_path(written: &Spanned<String>) -> Result<String, Fault> {
    let text = written.get_ref();
    let segments_are_plain = text.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|segment| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            !segment.is_empty() && segment.bytes().all(plain) && segment != "." && segment != ".."
        })
    });
    if segments_are_plain {
        Ok(text.clone())
    } else {
        Err(written.fault("expected a path such as /qrvey, without a slash at its end"))
    }
}
