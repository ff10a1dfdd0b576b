//! The page's files and the headers they go out with.

use std::path::Path;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, header::InvalidHeaderValue};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// `www/` at the root and the built npm package at `/qrvey-auth`.
pub(super) fn files(www: &Path, dist: &Path) -> Router {
    Router::new().nest_service("/qrvey-auth", ServeDir::new(dist)).fallback_service(ServeDir::new(www))
}

/// Puts the headers on every answer that has none of its own.
pub(super) fn with_headers(router: Router, domain: &str) -> Result<Router, InvalidHeaderValue> {
    let policy = HeaderValue::from_str(&content_security_policy(domain))?;
    let fixed = |name, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    Ok(router
        .layer(SetResponseHeaderLayer::if_not_present(CONTENT_SECURITY_POLICY, policy))
        .layer(fixed(CACHE_CONTROL, "no-cache"))
        .layer(fixed(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(REFERRER_POLICY, "same-origin")))
}

/// What the widgets are documented to need, and `'wasm-unsafe-eval'` for the module.
fn content_security_policy(domain: &str) -> String {
    let socket = domain.replacen("http", "ws", 1);
    [
        "default-src 'self'".to_owned(),
        format!("script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' {domain}"),
        format!("connect-src 'self' {domain} {socket}"),
        "worker-src 'self' blob:".to_owned(),
        format!("style-src 'self' 'unsafe-inline' {domain}"),
        format!("img-src 'self' data: {domain}"),
        format!("font-src 'self' data: {domain}"),
        "object-src 'none'".to_owned(),
        "base-uri 'self'".to_owned(),
        "form-action 'self'".to_owned(),
        "frame-ancestors 'self'".to_owned(),
    ]
    .join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_platform_and_its_sockets() {
        let policy = content_security_policy("https://tenant.example");
        assert!(
            policy.contains("connect-src 'self' https://tenant.example wss://tenant.example;"),
            "{policy}"
        );
        assert!(
            policy.contains("script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' https://tenant.example;")
        );
        assert!(!policy.contains("'unsafe-eval'"));
    }
}
