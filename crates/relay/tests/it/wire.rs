//! The wire contract of design.md §4, request by request.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    ACCESS_KEY, ADMIN, ADMIN_USERNAME, API_KEY, COOKIE, DEFAULT_PROFILE, TOKEN, World, outcome, refusal,
};

fn both() -> String {
    format!("{DEFAULT_PROFILE}{ADMIN}")
}

#[tokio::test]
async fn a_signed_in_user_gets_both_tokens() {
    let world = World::new().await;
    let relay = world.relay(&both()).await;
    let (status, answer) = outcome(relay.composer()).await;
    assert_eq!(status, 200);
    assert_eq!((&answer["token"], &answer["domain"]), (&json!(TOKEN), &json!("https://public.example")));
    let seconds = answer["expires_in"].as_u64().unwrap();
    assert!((595..600).contains(&seconds) || seconds == 600, "{seconds}");
    let (status, answer) = outcome(relay.admin()).await;
    assert_eq!((status, answer), (200, json!({ "token": TOKEN, "domain": "https://public.example" })));

    let requests = world.platform.received_requests().await.unwrap();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].headers["x-api-key"], API_KEY);
    assert_eq!(requests[1].url.path(), "/api/admin/v6/login");
    assert!(!requests[1].headers.contains_key("x-api-key"));
    let body: Value = requests[1].body_json().unwrap();
    assert_eq!(body, json!({ "username": ADMIN_USERNAME, "accessKey": ACCESS_KEY }));
}

#[tokio::test]
async fn every_answer_has_its_headers_and_every_error_its_problem() {
    let world = World::new().await;
    let relay = world.relay(&both()).await;
    let answers = [
        (200, "", relay.composer()),
        (400, "invalid_request", relay.composer().body("{")),
        (401, "not_signed_in", relay.client.post(relay.url("/qrvey/composer-token")).json(&json!({}))),
        (403, "forbidden", relay.composer().header("origin", "https://evil.example")),
        (404, "unknown_profile", relay.composer().body(r#"{"profile":"other"}"#)),
        (404, "invalid_request", relay.post("/qrvey/other")),
        (405, "invalid_request", relay.client.get(relay.url("/qrvey/composer-token"))),
        (413, "invalid_request", relay.composer().body(vec![b' '; 1_000_000])),
        (415, "invalid_request", relay.composer().header("content-type", "text/plain")),
    ];
    for (status, code, request) in answers {
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{code}");
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("cache-control").as_deref(), Some("no-store"));
        assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"));
        assert!(header("content-security-policy").unwrap().contains("default-src 'none'"));
        assert!(header("vary").unwrap().to_lowercase().contains("origin"));
        assert_eq!(header("allow").as_deref(), (status == 405).then_some("POST, OPTIONS"));
        assert_eq!(header("www-authenticate").is_some(), status == 401);
        let request_id = header("x-request-id").unwrap();
        if status >= 400 {
            assert_eq!(header("content-type").as_deref(), Some("application/problem+json"));
            let problem: Value = response.json().await.unwrap();
            assert_eq!(problem["code"], code);
            assert_eq!(problem["status"], status);
            assert_eq!(problem["request_id"], request_id);
            assert!(
                problem["type"].is_string() && problem["title"].is_string() && problem["detail"].is_string()
            );
        } else {
            assert_eq!(header("content-type").as_deref(), Some("application/json"));
        }
    }
}

#[tokio::test]
async fn only_the_documented_body_is_taken() {
    let world = World::new().await;
    let relay = world.relay(&both()).await;
    for body in [
        "",
        "null",
        "[]",
        "[\"default\"]",
        "{\"profile\":1}",
        "{\"profile\":\"default\",\"profile\":\"default\"}",
        "{\"profile\":\"default\",\"clientid\":\"someone-else\"}",
        "{\"permissions\":[]}",
        "{} {}",
        "\u{feff}{}",
    ] {
        assert_eq!(refusal(relay.composer().body(body)).await, (400, "invalid_request".into()), "{body}");
    }
    assert_eq!(refusal(relay.admin().body(r#"{"username":"root"}"#)).await, (400, "invalid_request".into()));
    let gzip = relay.composer().header("content-encoding", "gzip");
    assert_eq!(refusal(gzip).await, (415, "invalid_request".into()));
    assert_eq!(world.minted().await.len(), 0);
    assert_eq!(outcome(relay.composer().body(r#"{"profile":"default"}"#)).await.0, 200);
    let charset = relay.composer().header("content-type", "application/json; charset=utf-8");
    // reqwest appends a second header, which is refused; the first must go.
    assert_eq!(refusal(charset).await.0, 415);
}

#[tokio::test]
async fn a_large_body_is_refused_whether_or_not_it_is_announced() {
    let world = World::new().await;
    let relay = world.relay(&both()).await;
    let chunks = futures_util::stream::iter((0..64).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1024])));
    let streamed = relay.composer().body(reqwest::Body::wrap_stream(chunks));
    assert_eq!(refusal(streamed).await, (413, "invalid_request".into()));
}

#[tokio::test]
async fn cross_site_requests_get_no_token_and_listed_origins_do() {
    let world = World::new().await;
    let relay = world.relay(&both()).await;
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let response = relay.composer().header(name, value).send().await.unwrap();
        assert_eq!(response.status(), 403, "{name}: {value}");
        assert!(!response.headers().contains_key("access-control-allow-origin"));
    }
    assert_eq!(world.minted().await.len(), 0);
    let own = format!("http://{}", relay.address);
    assert_eq!(outcome(relay.composer().header("origin", own)).await.0, 200);
    let listed =
        relay.composer().header("origin", "https://app.example").header("sec-fetch-site", "cross-site");
    let response = listed.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["access-control-allow-origin"], "https://app.example");
    assert_eq!(response.headers()["access-control-allow-credentials"], "true");
    // A refusal must be readable too, or the page cannot tell why.
    let refused = relay.composer().header("origin", "https://app.example").body("{").send().await.unwrap();
    assert_eq!(refused.headers()["access-control-allow-origin"], "https://app.example");
}

#[tokio::test]
async fn preflights_are_answered_for_listed_origins_only() {
    let world = World::new().await;
    let relay = world.relay(&both()).await;
    let preflight = |origin: &str| {
        relay
            .client
            .request(Method::OPTIONS, relay.url("/qrvey/composer-token"))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type")
            .send()
    };
    let listed = preflight("https://app.example").await.unwrap();
    assert!(listed.status().is_success());
    assert_eq!(listed.headers()["access-control-allow-origin"], "https://app.example");
    assert!(listed.headers()["access-control-allow-methods"].to_str().unwrap().contains("POST"));
    assert!(listed.headers()["access-control-allow-headers"].to_str().unwrap().contains("content-type"));
    assert_eq!(listed.headers()["access-control-allow-credentials"], "true");
    assert_eq!(listed.headers()["access-control-max-age"], "600");
    assert!(listed.headers()["vary"].to_str().unwrap().contains("origin"));
    assert_eq!(listed.headers()["x-content-type-options"], "nosniff");
    let foreign = preflight("https://evil.example").await.unwrap();
    assert!(!foreign.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn without_an_admin_section_there_is_no_admin_endpoint() {
    let world = World::new().await;
    let relay = world.relay(DEFAULT_PROFILE).await;
    assert_eq!(refusal(relay.admin()).await, (404, "unknown_profile".into()));
}

#[tokio::test]
async fn metrics_tell_outcomes_and_no_secret() {
    let world = World::new().await;
    let relay = world.relay(&both()).await;
    for request in [relay.composer(), relay.composer(), relay.admin(), relay.composer().body("{")] {
        outcome(request).await;
    }
    let metrics = relay.metrics().await;
    for line in [
        r#"qrvey_relay_requests_total{route="composer-token",outcome="ok"} 2"#,
        r#"qrvey_relay_requests_total{route="composer-token",outcome="invalid_request"} 1"#,
        r#"qrvey_relay_mints_total{kind="composer",outcome="ok"} 1"#,
        r#"qrvey_relay_tokens_total{kind="composer",source="reused"} 1"#,
        r#"qrvey_relay_tokens_total{kind="admin",source="minted"} 1"#,
        "qrvey_relay_requests_in_flight 0",
    ] {
        assert!(metrics.contains(line), "{line} not in\n{metrics}");
    }
    assert!(!metrics.contains("canary"), "{metrics}");
    let readme = include_str!("../../README.md");
    for name in metrics.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()) {
        assert!(readme.contains(&format!("`{name}")), "{name} is not in the README");
    }
    for path in ["/healthz", "/readyz"] {
        let answer = relay.client.get(relay.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers()["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn a_host_app_keeps_its_own_routes_and_fallback() {
    let world = World::new().await;
    let config =
        qrvey_relay::Config::from_toml(&world.toml(&both()), "relay.toml", &crate::support::environment());
    let app = axum::Router::new()
        .route("/", axum::routing::get(|| async { "host" }))
        .fallback(|| async { (axum::http::StatusCode::NOT_FOUND, "the host's own") })
        .merge(qrvey_relay::router(config.unwrap()).unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let client = crate::support::plain_client();
    let text = |url: String| async { client.get(url).send().await.unwrap().text().await.unwrap() };
    assert_eq!(text(format!("{base}/")).await, "host");
    assert_eq!(text(format!("{base}/elsewhere")).await, "the host's own");
    assert!(text(format!("{base}/qrvey/elsewhere")).await.contains("invalid_request"));
    // Without ConnectInfo the relay works, only without limits by address.
    let request =
        client.post(format!("{base}/qrvey/composer-token")).header("cookie", COOKIE).json(&json!({}));
    assert_eq!(outcome(request).await.0, 200);
}
