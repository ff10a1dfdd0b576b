//! Answers every request with one constant token: what `bench/relay` holds the relay against, and a
//! stand-in for the platform that costs next to nothing.
//!
//! `constant 127.0.0.1:4300`

use std::io;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// As long as an encrypted token of the sandbox with one row-level-security rule.
const TOKEN_LENGTH: usize = 720;

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4300".to_owned());
    let body = format!(r#"{{"token":"eyJraWQiOi{}"}}"#, "A".repeat(TOKEN_LENGTH));
    let body: &'static str = Box::leak(body.into_boxed_str());
    let app = Router::new()
        .fallback(move || async move { ([(CONTENT_TYPE, "application/json")], body).into_response() });
    axum::serve(tokio::net::TcpListener::bind(address).await?, app).await
}
