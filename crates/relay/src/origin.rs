//! Cross-site safety: a foreign page gets no token, whatever cookies its visitor has.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};

/// Says whether a browser may read this request's answer, judged by what only a browser can set.
///
/// `Sec-Fetch-Site` comes first: unlike `Host`, no proxy rewrites it. A request without it and
/// without `Origin` comes from no page at all; it still has to be authenticated.
pub(crate) fn is_allowed(headers: &HeaderMap, uri: &Uri, allowed_origins: &[HeaderValue]) -> bool {
    let (Ok(origin), Ok(site)) = (single(headers, &ORIGIN), single(headers, &SEC_FETCH_SITE)) else {
        return false;
    };
    let is_listed = origin.is_some_and(|origin| allowed_origins.contains(origin));
    match (site.map(HeaderValue::as_bytes), origin) {
        (Some(b"same-origin"), _) | (None, None) => true,
        (Some(b"none"), None) => true,
        (Some(_), _) => is_listed,
        (None, Some(origin)) => is_listed || is_of_host(origin, headers, uri),
    }
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(()),
    }
}

/// Whether the origin is the host that was asked. The scheme is not compared, for a proxy in front
/// may have ended TLS.
fn is_of_host(origin: &HeaderValue, headers: &HeaderMap, uri: &Uri) -> bool {
    let host = headers
        .get(HOST)
        .map(HeaderValue::as_bytes)
        .or_else(|| uri.authority().map(|it| it.as_str().as_bytes()));
    let (Some(host), Ok(origin)) = (host, origin.to_str()) else { return false };
    let of_origin = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    of_origin.is_some_and(|of_origin| of_origin.as_bytes().eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        map.insert(HOST, HeaderValue::from_static("app.example:8443"));
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        is_allowed(
            &map,
            &Uri::from_static("/qrvey/composer-token"),
            &[HeaderValue::from_static("https://other.example")],
        )
    }

    #[test]
    fn the_own_origin_and_listed_ones_may_ask() {
        assert!(allowed(&[("origin", "https://app.example:8443"), ("sec-fetch-site", "same-origin")]));
        assert!(allowed(&[("origin", "https://app.example:8443")]));
        assert!(allowed(&[("origin", "https://other.example"), ("sec-fetch-site", "cross-site")]));
        assert!(allowed(&[("origin", "https://other.example")]));
        assert!(allowed(&[]), "no browser");
        // A proxy that rewrites Host must not lock the own page out.
        assert!(allowed(&[("origin", "https://public.example"), ("sec-fetch-site", "same-origin")]));
    }

    #[test]
    fn every_other_page_may_not() {
        for headers in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
            &[("origin", "https://app.example:8443"), ("sec-fetch-site", "cross-site")],
            &[("origin", "https://sub.app.example:8443"), ("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "null")],
            &[("origin", "null"), ("sec-fetch-site", "none")],
            &[("origin", "https://app.example")],
            &[("origin", "https://app.example:8443.evil.example")],
            &[("origin", "https://other.example.evil.example")],
            &[("origin", "HTTPS://OTHER.EXAMPLE")],
            &[("origin", "https://other.example"), ("origin", "https://evil.example")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[("origin", "")],
        ] {
            assert!(!allowed(headers), "{headers:?}");
        }
    }
}
