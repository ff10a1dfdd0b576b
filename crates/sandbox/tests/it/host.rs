//! Page → host → relay → platform, with the binary as it is.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::process::{Process, command};
use crate::running::{ACCESS_KEY, ADMIN_USERNAME, API_KEY};

fn start(more: &[&str]) -> Process {
    let mut demo = command();
    demo.args(["demo", "--listen", "127.0.0.1:0", "--platform-listen", "127.0.0.1:0"])
        .args(more)
        .env("QRVEY_SANDBOX_API_KEY", API_KEY)
        .env("QRVEY_SANDBOX_ADMIN_USERNAME", ADMIN_USERNAME)
        .env("QRVEY_SANDBOX_ADMIN_ACCESS_KEY", ACCESS_KEY)
        .env("RUST_LOG", "debug");
    Process::start(&mut demo)
}

/// A browser that is signed in.
async fn signed_in(process: &Process, user: &str) -> Client {
    let client = Client::builder().cookie_store(true).build().unwrap();
    let response =
        client.post(process.url("host", "/session")).json(&json!({ "user": user })).send().await.unwrap();
    assert_eq!(response.status(), 200);
    client
}

async fn ask(client: &Client, process: &Process, path: &str) -> (StatusCode, Value) {
    let response = client.post(process.url("host", path)).json(&json!({})).send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_signed_in_user_gets_a_token_for_the_own_tenants_rows() {
    let process = start(&["--expires-in", "30s"]);
    for (user, tenant) in [("ada", "aurora"), ("cleo", "basalt")] {
        let client = signed_in(&process, user).await;
        let (status, answer) = ask(&client, &process, "/qrvey/composer-token").await;
        assert_eq!(status, 200, "{answer}");
        assert!(answer["expires_in"].as_u64().unwrap() <= 30);
        assert_eq!(answer["domain"], process.ready["platform"]);
        let query = json!({"dataset": "orders", "aggregate": "count", "measure": "order_id"});
        let request = client.post(process.url("platform", "/data/v1/query")).json(&query);
        let token = answer["token"].as_str().unwrap();
        let rows: Value = request.header("x-qv-token", token).send().await.unwrap().json().await.unwrap();
        assert_eq!(rows["tenants"], json!([tenant]));
    }
}

#[tokio::test]
async fn who_may_what_is_the_servers_to_say() {
    let process = start(&[]);
    let stranger = Client::new();
    assert_eq!(ask(&stranger, &process, "/qrvey/composer-token").await.0, 401);
    let ada = signed_in(&process, "ada").await;
    assert_eq!(ask(&ada, &process, "/qrvey/admin-token").await.0, 403);
    let attention =
        ada.post(process.url("host", "/qrvey/composer-token")).json(&json!({"profile": "attention"}));
    assert_eq!(attention.send().await.unwrap().status(), 403);
    let bo = signed_in(&process, "bo").await;
    let (status, answer) = ask(&bo, &process, "/qrvey/admin-token").await;
    assert_eq!(status, 200, "{answer}");
    let attention =
        bo.post(process.url("host", "/qrvey/composer-token")).json(&json!({"profile": "attention"}));
    assert_eq!(attention.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_session_begins_and_ends() {
    let process = start(&[]);
    let client = signed_in(&process, "ada").await;
    let who = async || client.get(process.url("host", "/session")).send().await.unwrap();
    let claims: Value = who().await.json().await.unwrap();
    assert_eq!((&claims["sub"], &claims["tenants"]), (&json!("ada"), &json!(["aurora"])));
    assert_eq!(client.delete(process.url("host", "/session")).send().await.unwrap().status(), 204);
    assert_eq!(who().await.status(), 401);
    let unknown = client.post(process.url("host", "/session")).json(&json!({"user": "mallory"}));
    assert_eq!(unknown.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn foreign_pages_cannot_sign_anybody_in_or_out() {
    let process = start(&[]);
    let client = signed_in(&process, "ada").await;
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let request =
            client.post(process.url("host", "/session")).header(name, value).json(&json!({"user": "bo"}));
        assert_eq!(request.send().await.unwrap().status(), 403, "{name}");
        let request = client.delete(process.url("host", "/session")).header(name, value);
        assert_eq!(request.send().await.unwrap().status(), 403, "{name}");
    }
    assert_eq!(client.get(process.url("host", "/session")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn pages_go_out_with_the_documented_policy() {
    let process = start(&[]);
    let response = reqwest::get(process.url("host", "/api/info")).await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let platform = process.ready["platform"].as_str().unwrap();
    assert!(
        policy.contains(&format!("script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' {platform}")),
        "{policy}"
    );
    let info: Value = response.json().await.unwrap();
    assert_eq!(info, json!({"mode": "sandbox", "domain": platform}));
    let users: Value = reqwest::get(process.url("host", "/api/users")).await.unwrap().json().await.unwrap();
    assert_eq!(users[2]["tenantName"], "Basalt Industrial");
}

#[tokio::test]
async fn nothing_that_is_written_holds_a_key_or_a_token() {
    let process = start(&[]);
    let bo = signed_in(&process, "bo").await;
    ask(&bo, &process, "/qrvey/composer-token").await;
    ask(&bo, &process, "/qrvey/admin-token").await;
    let switches = json!({"faults": [{"target": "login", "kind": "status", "status": 403}]});
    bo.post(process.url("platform", "/_sandbox/faults")).json(&switches).send().await.unwrap();
    let (_, problem) = ask(&signed_in(&process, "ada").await, &process, "/qrvey/composer-token").await;
    let journal =
        bo.get(process.url("platform", "/_sandbox/log")).send().await.unwrap().text().await.unwrap();
    let ready = process.ready.to_string();
    let (is_success, log) = process.stop();
    assert!(is_success && log.contains("platform request"));
    for written in [problem.to_string(), journal, ready, log] {
        assert!(!written.contains("canary") && !written.contains("eyJraWQiOi"), "{written}");
    }
}
