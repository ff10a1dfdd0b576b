use std::net::SocketAddr;

use axum::routing::post;
use axum::{Json, Router};
use axum_server::tls_rustls::RustlsConfig;
use rcgen::{CertificateParams, Issuer, KeyPair};
use reqwest::{Certificate, Client};
use serde_json::json;

use crate::program::{Folder, Served};
use crate::support::{
    COMPOSER_LOGIN, COOKIE, DEFAULT_PROFILE, RunningRelay, TOKEN, World, outcome, refusal, toml_for,
};

/// An authority of the test's own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Certificate and key for `localhost`.
    fn certificate(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn client(&self) -> Client {
        let root = Certificate::from_pem(self.pem.as_bytes()).unwrap();
        Client::builder().no_proxy().tls_certs_only([root]).pool_max_idle_per_host(0).build().unwrap()
    }
}

async fn tls_platform(authority: &Authority) -> String {
    let (certificate, key) = authority.certificate();
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
        let (certificate, key) = authority.certificate();
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
    assert!(ask(&first).await.is_ok());
    install(&second);
    served.signal("-HUP").await;
    served.logged("took the certificate").await;
    assert!(ask(&second).await.is_ok());
    assert!(ask(&first).await.is_err());
}
