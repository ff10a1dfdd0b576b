//! A platform that is running, and the calls that most tests make.

use std::future::pending;
use std::time::Duration;

use qrvey_sandbox::platform::{self, Credentials, Platform, PlatformOptions, Secret, TokenFormat};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Searched for in whatever the platform shows.
pub(crate) const API_KEY: &str = "canary-api-key-77";
/// Likewise.
pub(crate) const ADMIN_USERNAME: &str = "canary-admin-77";
/// Likewise.
pub(crate) const ACCESS_KEY: &str = "canary-access-key-77";

/// The platform's customer in these tests.
pub(crate) fn credentials() -> Credentials {
    Credentials {
        api_key: Secret::new(API_KEY),
        appid: "orders-app".into(),
        userid: "builder".into(),
        admin_username: Secret::new(ADMIN_USERNAME),
        admin_access_key: Secret::new(ACCESS_KEY),
    }
}

/// Row-level security for one tenant.
pub(crate) fn tenant(name: &str) -> Value {
    json!([{"dataset_id": "*", "record_permissions": [{"security_name": "tenant", "values": [name]}]}])
}

pub(crate) struct Running {
    pub(crate) origin: String,
    pub(crate) client: Client,
}

impl Running {
    pub(crate) async fn start() -> Self {
        let platform = Platform::new(PlatformOptions {
            credentials: credentials(),
            token_format: TokenFormat::Opaque,
            default_lifetime: Duration::from_secs(600),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(platform::serve(platform.unwrap(), listener, pending()));
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { origin, client }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.client.post(format!("{}{path}", self.origin)).json(body).send().await.unwrap()
    }

    pub(crate) async fn login(&self, more: &Value) -> Response {
        let mut body = json!({"userid": "builder", "appid": "orders-app"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let request = self.client.post(format!("{}/devapi/v4/core/login/token", self.origin));
        request.header("x-api-key", API_KEY).json(&body).send().await.unwrap()
    }

    /// A Composer token.
    pub(crate) async fn token(&self, more: &Value) -> String {
        let response = self.login(more).await;
        assert_eq!(response.status(), 200);
        let answer: Value = response.json().await.unwrap();
        answer["token"].as_str().unwrap().to_owned()
    }

    /// A Composer token that sees one tenant's rows.
    pub(crate) async fn tenant_token(&self, name: &str) -> String {
        self.token(&json!({"clientid": name, "version": "2", "permissions": tenant(name)})).await
    }

    pub(crate) async fn query(&self, token: &str, query: &Value) -> Response {
        let request = self.client.post(format!("{}/data/v1/query", self.origin));
        request.header("x-qv-token", token).json(query).send().await.unwrap()
    }

    pub(crate) async fn log(&self) -> Value {
        let response = self.client.get(format!("{}/_sandbox/log", self.origin)).send().await.unwrap();
        response.json().await.unwrap()
    }

    pub(crate) async fn faults(&self, faults: Value) {
        let response = self.post("/_sandbox/faults", &json!({ "faults": faults })).await;
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
    }
}
