//! Canaries for everything that is secret: they are looked for in all that the relay writes.

use std::fs;
use std::path::Path;

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use wiremock::matchers::method;
use wiremock::{Mock, ResponseTemplate};

use crate::identity::{ANONYMOUS, with_identity};
use crate::program::{Folder, Served};
use crate::support::{ADMIN, COOKIE, DEFAULT_PROFILE, TENANT, TOKEN, World, h2c, plain_client};

/// Platforms and host applications that quote secrets back.
fn indiscretions() -> [ResponseTemplate; 5] {
    let location = "https://canary-host.example/canary-path?key=canary-query";
    [
        ResponseTemplate::new(403).set_body_json(json!({ "headers": { "x-api-key": "canary-api-key" } })),
        ResponseTemplate::new(500).set_body_string("canary-stack-trace"),
        ResponseTemplate::new(302).insert_header("location", location),
        ResponseTemplate::new(200).set_body_string("<p>canary-page</p>"),
        ResponseTemplate::new(200).set_body_json(json!({ "token": "canary token" })),
    ]
}

/// Every kind of request that has something secret in it; none of the errors may carry it on.
async fn use_it(world: &World, served: &Served) {
    let h2c = h2c().build().unwrap();
    for client in [plain_client(), h2c] {
        let with = |request: RequestBuilder| {
            request.header("cookie", COOKIE).header("authorization", "Bearer canary-bearer").json(&json!({}))
        };
        let url = |path: &str| format!("{}{path}", served.public);
        for path in ["/qrvey/composer-token", "/qrvey/admin-token"] {
            let answer = with(client.post(url(path))).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            assert!(answer.text().await.unwrap().contains(TOKEN), "it would be no test without a token");
        }
        for request in [
            with(client.post(url("/qrvey/composer-token"))).body("{\"canary-key\":1}"),
            with(client.post(url("/qrvey/composer-token"))).body("{\"profile\":\"canary-profile\"}"),
            with(client.post(url("/qrvey/composer-token"))).header("origin", "https://canary.example"),
            with(client.post(url("/qrvey/composer-token"))).header("traceparent", "00-canary"),
            with(client.get(url("/canary-path?token=canary-query"))),
            with(client.delete(url("/qrvey/tokens"))),
        ] {
            let text = request.send().await.unwrap().text().await.unwrap();
            assert!(text.contains(TOKEN) || !text.contains("canary"), "{text}");
        }
    }
    for answer in indiscretions() {
        for server in [&world.platform, &world.host] {
            let quoted = Mock::given(wiremock::matchers::any()).respond_with(answer.clone());
            quoted.up_to_n_times(1).with_priority(1).mount(server).await;
            let fresh =
                served.composer().header("authorization", somebody()).header("cache-control", "max-age=0");
            let refused = fresh.send().await.unwrap();
            assert!(refused.status().as_u16() >= 400, "it would be no test without an error");
            let text = refused.text().await.unwrap();
            assert!(!text.contains("canary"), "{text}");
        }
    }
}

/// Other credentials each time, so that nobody's claims are remembered.
fn somebody() -> String {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("Bearer canary-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn hold(log_format: &str) {
    let world = World::new().await;
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{ADMIN}")));
    let mut served = Served::start_with(&folder, &[("QRVEY_RELAY__LOG__FORMAT", log_format)]).await;
    use_it(&world, &served).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traced = served.composer().header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let request_id = traced.send().await.unwrap().headers()["x-request-id"].to_str().unwrap().to_owned();
    fs::write(folder.path("relay.toml"), "api_key = \"canary-misplaced\"").unwrap();
    served.signal("-HUP").await;
    served.logged("the old one stays in force").await;
    assert!(!served.metrics().await.contains("canary"));
    for file in ["cmdline", "comm"] {
        let shown = fs::read(Path::new("/proc").join(served.id().to_string()).join(file)).unwrap();
        assert!(!String::from_utf8_lossy(&shown).contains("canary"), "ps shows a secret");
    }
    served.signal("-TERM").await;
    assert!(served.ended().await);
    let log = served.hold_log_secret();
    assert!(log.lines().filter(|line| line.contains("answered")).count() >= 26, "{log}");
    let mut of_request = log.lines().filter(|line| line.contains(&request_id) && line.contains(trace));
    assert!(of_request.any(|line| line.contains("answered")), "{request_id} and {trace} not in {log}");
    assert!(!log.contains(TENANT) && !log.contains("\"ada\""), "claims in the log");
    let names = fs::read_dir(folder.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["relay.toml"], "it wrote a file");
}

#[tokio::test]
async fn nothing_secret_is_written_anywhere_even_at_trace_as_json() {
    hold("json").await;
}

#[tokio::test]
async fn nothing_secret_is_written_anywhere_even_at_trace_as_text() {
    hold("text").await;
}

#[tokio::test]
async fn a_refused_credential_is_named_in_the_log_and_not_shown() {
    let world = World::new().await;
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{ADMIN}")));
    let served = Served::start(&folder).await;
    let refused = ResponseTemplate::new(403);
    Mock::given(method("POST")).respond_with(refused).with_priority(1).mount(&world.platform).await;
    for (path, credential) in [
        ("composer-token", "\"QRVEY_API_KEY\""),
        ("admin-token", "QRVEY_ADMIN_USERNAME with QRVEY_ADMIN_ACCESS_KEY"),
    ] {
        let url = format!("{}/qrvey/{path}", served.public);
        let request = plain_client().post(url).header("cookie", COOKIE).json(&json!({}));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 502);
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "upstream_error");
        let line = served.logged(credential).await;
        assert!(line.contains("refused a credential") && line.contains("ERROR"), "{line}");
        assert!(line.contains(problem["request_id"].as_str().unwrap()), "{line}");
    }
    served.hold_log_secret();
}

#[tokio::test]
async fn what_an_operator_must_know_of_identities_is_said_in_the_log() {
    let world = World::new().await;
    let anonymous = Served::start(&Folder::with(&with_identity(&world, ANONYMOUS))).await;
    let line = anonymous.logged("whoever can reach this relay gets a token").await;
    assert!(line.contains("WARN"), "{line}");

    let identity = "mode = \"header\"\ntrusted_proxies = [\"10.0.0.0/8\"]\nclaims = { sub = \"x-user\" }";
    let header = Served::start(&Folder::with(&with_identity(&world, identity))).await;
    let forged = header.composer().header("x-user", "canary-user").send().await.unwrap();
    assert_eq!(forged.status(), 401);
    let line = header.logged("refused identity headers from a peer").await;
    assert!(line.contains("WARN") && line.contains("127.0.0.1"), "{line}");
    header.hold_log_secret();
}
