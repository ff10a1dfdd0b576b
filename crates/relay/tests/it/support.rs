use std::io::{Read, Seek};
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use qrvey_relay::{Config, Environment, Relay};
use reqwest::{Client, ClientBuilder, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// Looked for wherever they must not be.
pub(crate) const API_KEY: &str = "canary-api-key";
pub(crate) const ADMIN_USERNAME: &str = "canary-admin-name";
pub(crate) const ACCESS_KEY: &str = "canary-access-key";
pub(crate) const TOKEN: &str = "canary-token.of.the-platform";
pub(crate) const COOKIE: &str = "session=canary-cookie";
pub(crate) const REDIS_PASSWORD: &str = "canary-redis-password";
pub(crate) const FLEET_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const TENANT: &str = "canary-tenant";

pub(crate) const COMPOSER_LOGIN: &str = "/devapi/v4/core/login/token";

pub(crate) fn environment() -> Environment {
    Environment::from_iter([
        ("QRVEY_API_KEY", API_KEY),
        ("QRVEY_ADMIN_USERNAME", ADMIN_USERNAME),
        ("QRVEY_ADMIN_ACCESS_KEY", ACCESS_KEY),
        ("QRVEY_FLEET_KEY", FLEET_KEY),
        ("QRVEY_FLEET_REDIS_PASSWORD", REDIS_PASSWORD),
    ])
}

/// A platform that gives the canary token, and a host application with one signed-in user.
pub(crate) struct World {
    pub platform: MockServer,
    pub host: MockServer,
}

impl World {
    pub(crate) async fn new() -> Self {
        let (platform, host) = (MockServer::start().await, MockServer::start().await);
        Mock::given(method("POST"))
            .and(path(COMPOSER_LOGIN))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "token": TOKEN })))
            .with_priority(10)
            .mount(&platform)
            .await;
        for admin_login in ["/api/admin/v6/login", "/admin/api/v5/login", "/login"] {
            Mock::given(method("POST"))
                .and(path(admin_login))
                .respond_with(
                    ResponseTemplate::new(200).set_body_json(json!({ "status": true, "token": TOKEN })),
                )
                .with_priority(10)
                .mount(&platform)
                .await;
        }
        Mock::given(wiremock::matchers::header("cookie", COOKIE))
            .respond_with(ResponseTemplate::new(200).set_body_json(claims()))
            .with_priority(10)
            .mount(&host)
            .await;
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(401))
            .with_priority(20)
            .mount(&host)
            .await;
        Self { platform, host }
    }

    /// A configuration of this world; `rest` follows the `[identity]` section.
    pub(crate) fn toml(&self, rest: &str) -> String {
        toml_for(&self.platform.uri(), &self.host.uri(), rest)
    }

    pub(crate) async fn relay(&self, rest: &str) -> RunningRelay {
        RunningRelay::start(&self.toml(rest)).await
    }

    /// The bodies of all requests that reached the platform.
    pub(crate) async fn minted(&self) -> Vec<Value> {
        let requests = self.platform.received_requests().await.unwrap();
        requests.iter().map(|request| request.body_json().unwrap()).collect()
    }

    /// From now on the platform gives a token whenever it is told to, and not before.
    pub(crate) async fn hold_mints(&self) -> mpsc::Sender<()> {
        let (release, released) = mpsc::channel();
        let held = Mock::given(method("POST")).respond_with(Held(Mutex::new(released)));
        held.with_priority(1).mount(&self.platform).await;
        release
    }
}

struct Held(Mutex<mpsc::Receiver<()>>);

impl Respond for Held {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        self.0.lock().unwrap().recv().unwrap();
        ResponseTemplate::new(200).set_body_json(json!({ "token": TOKEN }))
    }
}

pub(crate) fn claims() -> Value {
    json!({
        "sub": "ada",
        "tenant": TENANT,
        "tenants": [TENANT, "second"],
        "roles": ["analyst", "qrvey-admin"],
        "level": 7,
    })
}

pub(crate) fn toml_for(platform: &str, host: &str, rest: &str) -> String {
    format!(
        r#"
allowed_origins = ["https://app.example"]

[qrvey]
domain = "{platform}"
public_domain = "https://public.example"

[identity]
mode = "forward"
url = "{host}/session"
timeout = "1m"

{rest}
"#
    )
}

pub(crate) const DEFAULT_PROFILE: &str = r#"
[profiles.default]
userid = "composer"
appid = "app"
clientid = { claim = "sub" }
expires_in = "10m"
[[profiles.default.permissions]]
dataset_id = "*"
record_permissions = [{ security_name = "tenant", values = { claim = "tenants" } }]
"#;

pub(crate) const ADMIN: &str = r#"
[admin]
require = { claim = "roles", contains = "qrvey-admin" }
"#;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks again and again until it holds, for about as long as that.
pub(crate) async fn until(what: &str, within: Duration, holds: impl AsyncFn() -> bool) {
    for _ in 0..within.as_millis() / PAUSE.as_millis() {
        if holds().await {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("not within {within:?}: {what}");
}

/// A port for a program that must be told one, and so leaves it free for a moment: one of those that Linux
/// gives to nobody who does not ask for it by number.
pub(crate) async fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).await.is_ok() {
            return port;
        }
    }
}

/// Starts what stands beside the relay, and comes back when it accepts connections on that port.
pub(crate) async fn neighbour(command: &mut Command, port: u16) -> Child {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let mut output = tempfile::tempfile().unwrap();
    command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output.try_clone().unwrap());
    let mut process = command.kill_on_drop(true).spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        let ended = process.try_wait().unwrap();
        if ended.is_some() || started.elapsed() > Duration::from_secs(60) {
            let mut said = String::new();
            output.rewind().unwrap();
            output.read_to_string(&mut said).unwrap();
            panic!("{name} does not listen on {port}, status {ended:?}: {said}");
        }
        tokio::time::sleep(PAUSE).await;
    }
    process
}

/// A client that reads no certificates, which takes longer than most tests.
pub(crate) fn plain_client() -> Client {
    plain().build().unwrap()
}

/// The same, of HTTP/2 from the first byte.
pub(crate) fn h2c() -> ClientBuilder {
    plain().http2_prior_knowledge()
}

fn plain() -> ClientBuilder {
    Client::builder().no_proxy().tls_certs_only([])
}

/// A relay on a port of its own.
pub(crate) struct RunningRelay {
    pub relay: Relay,
    pub address: SocketAddr,
    pub client: Client,
}

impl RunningRelay {
    pub(crate) async fn start(toml: &str) -> Self {
        Self::start_in(toml, &environment()).await
    }

    pub(crate) async fn start_in(toml: &str, environment: &Environment) -> Self {
        let config =
            Config::from_toml(toml, "relay.toml", environment).unwrap_or_else(|error| panic!("{error}"));
        Self::of(Relay::new(config).unwrap()).await
    }

    pub(crate) async fn of(relay: Relay) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = relay.router().merge(relay.operations_router());
        tokio::spawn(async move {
            axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await.unwrap();
        });
        Self { relay, address, client: plain_client() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A right request of the signed-in user.
    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client
            .post(self.url(path))
            .header("cookie", COOKIE)
            .header("content-type", "application/json")
            .body("{}")
    }

    pub(crate) fn composer(&self) -> RequestBuilder {
        self.post("/qrvey/composer-token")
    }

    pub(crate) fn admin(&self) -> RequestBuilder {
        self.post("/qrvey/admin-token")
    }

    pub(crate) async fn metrics(&self) -> String {
        self.client.get(self.url("/metrics")).send().await.unwrap().text().await.unwrap()
    }
}

/// The status and the JSON body of an answer; every answer is looked through for secrets.
pub(crate) async fn outcome(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = format!("{:?}", response.headers());
    let text = response.text().await.unwrap();
    for secret in [API_KEY, ADMIN_USERNAME, ACCESS_KEY, COOKIE, TENANT] {
        assert!(!text.contains(secret) && !headers.contains(secret), "{secret} in {headers} {text}");
    }
    assert!(status < 400 || !text.contains(TOKEN), "a token in an error: {text}");
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// The status and the problem code of a refused request.
pub(crate) async fn refusal(request: RequestBuilder) -> (u16, String) {
    let (status, problem) = outcome(request).await;
    (status, problem["code"].as_str().unwrap_or("no problem").to_owned())
}
