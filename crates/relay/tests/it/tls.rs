use std::net::SocketAddr;
use std::time::Duration;

use axum::routing::post;
use axum::{Json, Router};
use axum_server::tls_rustls::RustlsConfig;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::authority::Authority;
use crate::program::{Folder, Served};
use crate::support::{
    COMPOSER_LOGIN, COOKIE, DEFAULT_PROFILE, FLEET_KEY, RunningRelay, TOKEN, World, outcome, refusal,
    toml_for,
};

async fn tls_platform(authority: &Authority) -> String {
    let (certificate, key) = authority.certificate_for("localhost");
    let config = RustlsConfig::from_pem(certificate.into_bytes(), key.into_bytes()).await.unwrap();
    let app = Router::new().route(COMPOSER_LOGIN, post(|| async { Json(json!({ "token": TOKEN })) }));
    let handle = axum_server::Handle::new();
    let server =
        axum_server::bind_rustls(SocketAddr::from(([127, 0, 0, 1], 0)), config).handle(handle.clone());
    tokio::spawn(server.serve(app.into_make_service()));
    format!("https://localhost:{}", handle.listening().await.unwrap().port())
}

#[tokio::test]
async fn the_platforms_certificate_is_checked() {
    let (world, authority) = (World::new().await, Authority::new());
    let platform = tls_platform(&authority).await;
    let toml = toml_for(&platform, &world.host.uri(), DEFAULT_PROFILE);
    let stranger = RunningRelay::start(&toml).await;
    assert_eq!(refusal(stranger.composer()).await, (503, "upstream_unavailable".into()));

    let folder = Folder::with("");
    std::fs::write(folder.path("ca.pem"), &authority.pem).unwrap();
    let ca_file = format!("[qrvey]\nca_file = \"{}\"", folder.path("ca.pem").display());
    let trusting = RunningRelay::start(&toml.replace("[qrvey]", &ca_file)).await;
    assert_eq!(outcome(trusting.composer()).await.0, 200);
}

#[tokio::test]
async fn it_serves_tls_and_takes_a_new_certificate_while_it_runs() {
    let (world, first, second) = (World::new().await, Authority::new(), Authority::new());
    let toml =
        world.toml(&format!("{DEFAULT_PROFILE}[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n"));
    let folder = Folder::with(&toml);
    let install = |authority: &Authority| {
        let (certificate, key) = authority.certificate_for("localhost");
        std::fs::write(folder.path("cert.pem"), certificate).unwrap();
        std::fs::write(folder.path("key.pem"), key).unwrap();
    };
    install(&first);
    let served = Served::start(&folder).await;
    let url = served.public.replace("http://127.0.0.1", "https://localhost") + "/qrvey/composer-token";
    let ask = |authority: &Authority| {
        authority.client().post(&url).header("cookie", COOKIE).json(&json!({})).send()
    };
    let answer = ask(&first).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_2));
    assert!(ask(&second).await.is_err());
    std::fs::write(folder.path("cert.pem"), "garbage").unwrap();
    served.signal("-HUP").await;
    served.logged("the old one stays in use").await;
    let none = r#"reloads_total{of="certificate",outcome="refused"} 0"#;
    assert!(!served.metrics().await.contains(none));
    assert!(ask(&first).await.is_ok());
    // No signal: the change is noticed.
    install(&second);
    served.logged("took the certificate").await;
    assert!(ask(&second).await.is_ok());
    assert!(ask(&first).await.is_err());
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_waited_for_no_longer_than_headers() {
    let world = World::new().await;
    let tls = "[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n[limits]\nheader_timeout = \"1s\"\n";
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{tls}")));
    let (certificate, key) = Authority::new().certificate_for("localhost");
    std::fs::write(folder.path("cert.pem"), certificate).unwrap();
    std::fs::write(folder.path("key.pem"), key).unwrap();
    let served = Served::start(&folder).await;
    for start in [&b""[..], b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(served.address()).await.unwrap();
        stream.write_all(start).await.unwrap();
        let mut answer = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
        assert!(end.is_ok() && !answer.starts_with(b"HTTP"), "{start:?}");
    }
}

#[tokio::test]
async fn check_finds_what_would_keep_serve_from_starting() {
    let (world, authority) = (World::new().await, Authority::new());
    let sections =
        "[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n[fleet]\nredis = \"redis://127.0.0.1:1\"\n";
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{sections}")));
    let (certificate, key) = authority.certificate_for("localhost");
    std::fs::write(folder.path("cert.pem"), certificate).unwrap();
    std::fs::write(folder.path("key.pem"), key).unwrap();
    std::fs::write(folder.path("fleet-key"), FLEET_KEY).unwrap();
    let variables = [("QRVEY_FLEET_KEY_FILE", "fleet-key")];
    assert_eq!(folder.run_with(&["check"], &variables).await.0, 0);
    std::fs::write(folder.path("key.pem"), authority.certificate_for("localhost").1).unwrap();
    std::fs::write(folder.path("fleet-key"), "c2hvcnQ=").unwrap();
    let (status, text) = folder.run_with(&["check"], &variables).await;
    assert_eq!(status, 1, "{text}");
    for fault in
        ["FAILED  cannot use tls.certificate with tls.key", "FAILED  QRVEY_FLEET_KEY must be 32 random"]
    {
        assert!(text.contains(fault), "{text}");
    }
}
