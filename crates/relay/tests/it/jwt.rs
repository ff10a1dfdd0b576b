use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
};
use axum::Router;
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use qrvey_relay::Config;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::identity::with_identity;
use crate::support::{RunningRelay, World, environment, outcome, refusal, until};

const SOON: Duration = Duration::from_secs(20);

fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn sign(header: &Value, claims: &Value, signature: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", base64(header.to_string()), base64(claims.to_string()));
    let signature = base64(signature(message.as_bytes()));
    format!("{message}.{signature}")
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn claims() -> Value {
    json!({
        "iss": "https://issuer.example", "aud": "relay", "exp": now() + 300, "nbf": now() - 1,
        "sub": "ada", "tenants": ["aurora"],
    })
}

fn with(key: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[key] = value;
    claims
}

struct Issuer {
    server: MockServer,
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

impl Issuer {
    async fn new() -> Self {
        let this = Self {
            server: MockServer::start().await,
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            ed: Ed25519KeyPair::generate().unwrap(),
        };
        this.publish(&json!([this.rsa_jwk(), this.ec_jwk(), this.ed_jwk("ed")])).await;
        this
    }

    async fn publish(&self, keys: &Value) {
        self.server.reset().await;
        let set = ResponseTemplate::new(200).set_body_json(json!({ "keys": keys }));
        Mock::given(path("/jwks")).respond_with(set).mount(&self.server).await;
    }

    fn rsa_jwk(&self) -> Value {
        let public = self.rsa.public_key();
        let (n, e) = (
            public.modulus().big_endian_without_leading_zero(),
            public.exponent().big_endian_without_leading_zero(),
        );
        json!({ "kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256", "n": base64(n), "e": base64(e) })
    }

    fn ec_jwk(&self) -> Value {
        // An uncompressed point: 0x04, then both coordinates.
        let point = self.ec.public_key().as_ref();
        json!({ "kty": "EC", "crv": "P-256", "kid": "ec", "x": base64(&point[1..33]), "y": base64(&point[33..]) })
    }

    fn ed_jwk(&self, id: &str) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": base64(self.ed.public_key()) })
    }

    fn rs256(&self, claims: &Value) -> String {
        sign(&json!({ "alg": "RS256", "kid": "rsa" }), claims, |message| {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            self.rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        })
    }

    fn es256(&self, claims: &Value) -> String {
        sign(&json!({ "alg": "ES256", "kid": "ec" }), claims, |message| {
            self.ec.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
        })
    }

    fn eddsa_with(&self, header: &Value, claims: &Value) -> String {
        sign(header, claims, |message| self.ed.sign(message).as_ref().to_vec())
    }

    fn eddsa(&self, claims: &Value) -> String {
        self.eddsa_with(&json!({ "alg": "EdDSA", "kid": "ed" }), claims)
    }

    async fn asked(&self) -> usize {
        self.server.received_requests().await.unwrap().len()
    }

    async fn relay(&self, world: &World, more: &str) -> RunningRelay {
        Self::relay_of(&format!("{}/jwks", self.server.uri()), world, more).await
    }

    async fn relay_of(jwks_url: &str, world: &World, more: &str) -> RunningRelay {
        RunningRelay::start(&toml_of(jwks_url, world, more)).await
    }
}

fn toml_of(jwks_url: &str, world: &World, more: &str) -> String {
    let identity = format!(
        "mode = \"jwt\"\nissuer = \"https://issuer.example\"\naudience = \"relay\"\njwks_url = \"{jwks_url}\"\n{more}\n"
    );
    with_identity(world, &identity)
}

async fn status(relay: &RunningRelay, token: &str) -> u16 {
    outcome(relay.composer().header("authorization", format!("Bearer {token}"))).await.0
}

#[tokio::test]
async fn tokens_of_all_three_algorithms_are_believed() {
    let (world, issuer) = (World::new().await, Issuer::new().await);
    let relay = issuer.relay(&world, "").await;
    for token in [issuer.rs256(&claims()), issuer.es256(&claims()), issuer.eddsa(&claims())] {
        assert_eq!(status(&relay, &token).await, 200);
    }
    assert_eq!(issuer.asked().await, 1, "the keys are kept");
    assert_eq!(world.minted().await[0]["clientid"], "ada");
    let list = with("aud", json!(["other", "relay"]));
    assert_eq!(status(&relay, &issuer.eddsa(&list)).await, 200);
}

#[tokio::test]
async fn whatever_is_not_a_right_token_is_401() {
    let (world, issuer) = (World::new().await, Issuer::new().await);
    let relay = issuer.relay(&world, "leeway = \"10s\"").await;
    let good = issuer.eddsa(&claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let mut without_exp = claims();
    without_exp.as_object_mut().unwrap().remove("exp");
    // The classic: the public key, which everybody knows, as the secret of an HMAC.
    let hmac_with = |secret: &[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        sign(&json!({ "alg": "HS256", "kid": "rsa" }), &claims(), |message| {
            hmac::sign(&key, message).as_ref().to_vec()
        })
    };
    let modulus = issuer.rsa.public_key().modulus().big_endian_without_leading_zero().to_vec();
    let other = Ed25519KeyPair::generate().unwrap();
    let by_another_key =
        sign(&json!({ "alg": "EdDSA", "kid": "ed" }), &claims(), |it| other.sign(it).as_ref().to_vec());
    let none = sign(&json!({ "alg": "none" }), &claims(), |_| Vec::new());
    let none_upper = sign(&json!({ "alg": "NONE", "kid": "ed" }), &claims(), |_| Vec::new());
    let tokens = [
        ("expired", issuer.eddsa(&with("exp", json!(now() - 20)))),
        ("no expiry", issuer.eddsa(&without_exp)),
        ("an expiry that is no number", issuer.eddsa(&with("exp", json!("never")))),
        ("not valid yet", issuer.eddsa(&with("nbf", json!(now() + 60)))),
        ("another issuer", issuer.eddsa(&with("iss", json!("https://issuer.example.evil")))),
        ("no issuer", issuer.eddsa(&with("iss", Value::Null))),
        ("another audience", issuer.eddsa(&with("aud", json!("other")))),
        ("no audience", issuer.eddsa(&with("aud", Value::Null))),
        ("no signature", format!("{message}.")),
        ("another signature", format!("{message}.{}", base64([0; 64]))),
        ("two parts", message.to_owned()),
        ("five parts", format!("{message}.{signature}.a.b")),
        ("another key", by_another_key),
        ("alg none", none),
        ("alg NONE", none_upper),
        ("HMAC with the public modulus", hmac_with(&modulus)),
        ("HMAC with the published key", hmac_with(issuer.rsa_jwk()["n"].as_str().unwrap().as_bytes())),
        (
            "the algorithm of another key",
            issuer.eddsa_with(&json!({ "alg": "EdDSA", "kid": "rsa" }), &claims()),
        ),
        (
            "an algorithm that is not listed",
            issuer.eddsa_with(&json!({ "alg": "ES384", "kid": "ec" }), &claims()),
        ),
        (
            "a critical extension",
            issuer.eddsa_with(&json!({ "alg": "EdDSA", "kid": "ed", "crit": ["x"], "x": 1 }), &claims()),
        ),
        ("a key id that is no text", issuer.eddsa_with(&json!({ "alg": "EdDSA", "kid": ["ed"] }), &claims())),
        ("an expiry beyond all numbers", issuer.eddsa(&with("exp", json!(1e300)))),
        ("a beginning that is no number", issuer.eddsa(&with("nbf", json!("0")))),
        ("a beginning beyond all numbers", issuer.eddsa(&with("nbf", json!(u64::MAX)))),
        ("an audience among other things", issuer.eddsa(&with("aud", json!(["relay", 5])))),
        ("claims that are no object", issuer.eddsa(&json!(["ada"]))),
        ("garbage", "garbage".to_owned()),
        ("nothing", String::new()),
        ("too long", format!("{good}{}", "a".repeat(17_000))),
    ];
    for (what, token) in tokens {
        let request = relay.composer().header("authorization", format!("Bearer {token}"));
        assert_eq!(refusal(request).await, (401, "not_signed_in".into()), "{what}");
    }
    assert_eq!(refusal(relay.composer()).await, (401, "not_signed_in".into()));
    assert_eq!(world.minted().await.len(), 0);
    // Clocks that differ by less than the leeway do no harm.
    assert_eq!(status(&relay, &issuer.eddsa(&with("exp", json!(now() - 5)))).await, 200);
    assert_eq!(status(&relay, &issuer.eddsa(&with("nbf", json!(now() + 5)))).await, 200);
}

#[tokio::test]
async fn an_unknown_key_id_fetches_the_keys_again_but_not_at_will() {
    let (world, issuer) = (World::new().await, Issuer::new().await);
    let relay = issuer.relay(&world, "").await;
    let with_id = |id: &str| issuer.eddsa_with(&json!({ "alg": "EdDSA", "kid": id }), &claims());
    for number in 0..20 {
        assert_eq!(status(&relay, &with_id(&format!("made-up-{number}"))).await, 401);
    }
    assert_eq!(issuer.asked().await, 1);
    assert_eq!(status(&relay, &with_id("ed")).await, 200);
}

#[tokio::test]
async fn a_reload_keeps_the_keys_of_the_same_issuer() {
    let (world, issuer) = (World::new().await, Issuer::new().await);
    let url = format!("{}/jwks", issuer.server.uri());
    let relay = Issuer::relay_of(&url, &world, "").await;
    assert_eq!(status(&relay, &issuer.eddsa(&claims())).await, 200);
    issuer.server.reset().await;
    let reload = |toml: &str| {
        relay.relay.reload(Config::from_toml(toml, "relay.toml", &environment()).unwrap()).unwrap();
    };
    let toml = toml_of(&url, &world, "");
    reload(&toml.replace("appid = \"app\"", "appid = \"other\""));
    assert_eq!(status(&relay, &issuer.eddsa(&claims())).await, 200);
    assert_eq!(world.minted().await[1]["appid"], "other");
    reload(&toml.replace("/jwks", "/other"));
    assert_eq!(status(&relay, &issuer.eddsa(&claims())).await, 503, "another issuer, other keys");
}

#[tokio::test]
async fn an_issuer_that_cannot_be_asked_is_503() {
    let (world, issuer) = (World::new().await, Issuer::new().await);
    for bad in [ResponseTemplate::new(500), ResponseTemplate::new(200).set_body_string("<html>")] {
        issuer.server.reset().await;
        Mock::given(path("/jwks")).respond_with(bad).mount(&issuer.server).await;
        let relay = issuer.relay(&world, "").await;
        let request = relay.composer().header("authorization", format!("Bearer {}", issuer.eddsa(&claims())));
        assert_eq!(refusal(request).await, (503, "upstream_unavailable".into()));
    }
    issuer.server.reset().await;
    let hang = ResponseTemplate::new(200).set_delay(Duration::from_secs(30));
    Mock::given(path("/jwks")).respond_with(hang).mount(&issuer.server).await;
    let relay = issuer.relay(&world, "timeout = \"200ms\"").await;
    let request = relay.composer().header("authorization", format!("Bearer {}", issuer.eddsa(&claims())));
    assert_eq!(refusal(request).await.0, 503);
}

#[tokio::test]
async fn a_caller_who_leaves_while_the_keys_are_fetched_keeps_them_from_nobody() {
    let (world, issuer) = (World::new().await, Issuer::new().await);
    let (asked, release) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let keys = json!({ "keys": [issuer.ed_jwk("ed")] }).to_string();
    let answer = {
        let (asked, release) = (Arc::clone(&asked), Arc::clone(&release));
        move || async move {
            asked.fetch_add(1, Ordering::SeqCst);
            release.acquire().await.unwrap().forget();
            keys
        }
    };
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(socket, Router::new().route("/", get(answer))).await.unwrap() });
    let relay = Issuer::relay_of(&url, &world, "timeout = \"1m\"").await;
    let token = issuer.eddsa(&claims());
    let ask = relay.composer().header("authorization", format!("Bearer {token}"));
    let leaving = tokio::spawn(ask.send());
    until("the issuer is asked", SOON, async || asked.load(Ordering::SeqCst) == 1).await;
    leaving.abort();
    let aborted = r#"requests_total{route="composer-token",outcome="aborted"} 1"#;
    until("it is seen that the caller left", SOON, async || relay.metrics().await.contains(aborted)).await;
    release.add_permits(1);
    assert_eq!(status(&relay, &token).await, 200);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_configured_cookie_is_the_only_source() {
    let (world, issuer) = (World::new().await, Issuer::new().await);
    let relay = issuer.relay(&world, "cookie = \"sid\"").await;
    let token = issuer.rs256(&claims());
    let post = || relay.client.post(relay.url("/qrvey/composer-token")).json(&json!({}));
    assert_eq!(outcome(post().header("cookie", format!("a=b; sid={token}"))).await.0, 200);
    assert_eq!(outcome(post().header("authorization", format!("Bearer {token}"))).await.0, 401);
    assert_eq!(outcome(post().header("cookie", format!("sid=planted; sid={token}"))).await.0, 401);
}
