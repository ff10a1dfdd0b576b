//! Requests that two parsers could read differently must not be read at all.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::program::{Folder, Served};
use crate::support::{COOKIE, DEFAULT_PROFILE, World};

async fn send(served: &Served, request: &str) -> String {
    let mut stream = TcpStream::connect(served.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The relay may keep a good connection open; what came until then is the answer.
    let _ = tokio::time::timeout(Duration::from_millis(400), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn request(headers: &str, body: &str) -> String {
    format!(
        "POST /qrvey/composer-token HTTP/1.1\r\nhost: x\r\ncookie: {COOKIE}\r\ncontent-type: application/json\r\n{headers}\r\n{body}"
    )
}

#[tokio::test]
async fn ambiguous_requests_are_refused() {
    let world = World::new().await;
    let served = Served::start(&Folder::with(&world.toml(DEFAULT_PROFILE))).await;
    let smuggled = "DELETE /qrvey/tokens HTTP/1.1\r\nhost: x\r\n\r\n";
    for (what, headers, body) in [
        ("two lengths", "content-length: 2\r\ncontent-length: 40\r\n", format!("{{}}{smuggled}")),
        ("a list of lengths", "content-length: 2, 40\r\n", format!("{{}}{smuggled}")),
        ("a signed length", "content-length: +2\r\n", "{}".to_owned()),
        ("an unknown coding", "transfer-encoding: xchunked\r\n", "2\r\n{}\r\n0\r\n\r\n".to_owned()),
        ("chunked not last", "transfer-encoding: chunked, identity\r\n", "2\r\n{}\r\n0\r\n\r\n".to_owned()),
        ("a chunk size that is none", "transfer-encoding: chunked\r\n", "0x2\r\n{}\r\n0\r\n\r\n".to_owned()),
        ("a space before the colon", "content-length : 2\r\n", "{}".to_owned()),
        ("a folded header", "x: a\r\n b\r\ncontent-length: 2\r\n", "{}".to_owned()),
        ("a null in a header", "x: a\0b\r\ncontent-length: 2\r\n", "{}".to_owned()),
        ("many headers", &"a: b\r\n".repeat(500), "{}".to_owned()),
    ] {
        let answer = send(&served, &request(headers, &body)).await;
        assert!(!answer.contains(" 200 ") && !answer.contains(" 204 "), "{what}: {answer}");
    }
    assert_eq!(world.minted().await.len(), 0);
    // Length and chunks at once: the length is ignored, as RFC 9112 §6.3 wants, and the connection ends.
    let both = request("content-length: 7\r\ntransfer-encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n");
    let answer = send(&served, &format!("{both}{smuggled}")).await;
    assert!(answer.matches("HTTP/1.1").count() <= 1, "{answer}");
}

#[tokio::test]
async fn nobody_is_let_past_a_proxy_by_a_change_of_protocol() {
    let world = World::new().await;
    let served = Served::start(&Folder::with(&world.toml(DEFAULT_PROFILE))).await;
    for upgrade in ["h2c", "websocket"] {
        let headers = format!(
            "connection: upgrade, http2-settings\r\nupgrade: {upgrade}\r\nhttp2-settings: AAMAAABkAAQAAP__\r\ncontent-length: 2\r\n"
        );
        let answer = send(&served, &request(&headers, "{}")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    for method in ["CONNECT", "TRACE"] {
        let answer = send(&served, &request("content-length: 2\r\n", "{}").replacen("POST", method, 1)).await;
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    }
}
