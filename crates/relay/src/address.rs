use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The other end of the connection, if the server tells.
pub(crate) fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip().to_canonical())
}

/// The caller's address: the peer's, or, where that is a trusted proxy, the last address of
/// `X-Forwarded-For` that is not one. What stands before that is hearsay.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, trusted_proxies: &[IpNet]) -> IpAddr {
    let is_proxy = |address: &IpAddr| trusted_proxies.iter().any(|network| network.contains(address));
    if !is_proxy(&peer) {
        return peer;
    }
    let values = headers.get_all(FORWARDED_FOR).iter().rev();
    let mut nearest = peer;
    for hop in values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b',')) {
        let Some(address) = address(hop) else { break };
        nearest = address.to_canonical();
        if !is_proxy(&nearest) {
            break;
        }
    }
    nearest
}

/// An address as proxies write it: some add the port.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(hop).ok()?.trim();
    text.parse().or_else(|_| text.parse().map(|with_port: SocketAddr| with_port.ip())).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client_of(peer: &str, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
        }
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        client(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn only_a_proxy_speaks_for_somebody_else() {
        assert_eq!(client_of("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client_of("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client_of("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(client_of("10.0.0.1", &["203.0.113.9", "198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn a_garbled_header_says_no_more_than_the_last_good_hop() {
        assert_eq!(client_of("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client_of("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(client_of("10.0.0.1", &["198.51.100.7, nonsense, 10.0.0.2"]), "10.0.0.2");
        let mut headers = HeaderMap::new();
        headers.insert(FORWARDED_FOR, HeaderValue::from_bytes(b"\xff, 198.51.100.7").unwrap());
        let proxy = "10.0.0.1".parse().unwrap();
        let networks = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(
            client(proxy, &headers, &networks).to_string(),
            "198.51.100.7",
            "what a caller wrote before"
        );
    }

    #[test]
    fn some_proxies_write_the_port_too() {
        assert_eq!(client_of("10.0.0.1", &["203.0.113.9, 198.51.100.7:50123"]), "198.51.100.7");
        assert_eq!(client_of("10.0.0.1", &["[2001:db8::1]:443, 10.0.0.2:80"]), "2001:db8::1");
    }
}
