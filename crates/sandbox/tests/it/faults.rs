use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::running::{API_KEY, Running};

const HANG: Duration = Duration::from_millis(300);

fn login(running: &Running) -> RequestBuilder {
    let body = json!({"userid": "builder", "appid": "orders-app"});
    running
        .client
        .post(format!("{}/devapi/v4/core/login/token", running.origin))
        .header("x-api-key", API_KEY)
        .json(&body)
}

async fn with(fault: Value) -> (Running, RequestBuilder) {
    let running = Running::start().await;
    running.faults(json!([fault])).await;
    let request = login(&running);
    (running, request)
}

#[tokio::test]
async fn a_status_comes_with_its_retry_after_as_often_as_asked() {
    let (running, request) =
        with(json!({"target": "login", "kind": "status", "status": 429, "retry_after": 7, "count": 1})).await;
    let first = request.send().await.unwrap();
    assert_eq!(
        (first.status(), &first.headers()["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &"7".parse().unwrap())
    );
    assert_eq!(login(&running).send().await.unwrap().status(), 200);
    let log = running.log().await;
    assert_eq!(log["entries"][0]["fault"], "status");
    assert_eq!(log["entries"][1]["fault"], Value::Null);
}

#[tokio::test]
async fn a_delay_still_answers() {
    let (_running, request) = with(json!({"target": "login", "kind": "delay", "delay_ms": 150})).await;
    let started = Instant::now();
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert!(started.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_hang_never_answers_and_is_in_the_log() {
    let (running, request) = with(json!({"target": "login", "kind": "hang"})).await;
    assert!(request.timeout(HANG).send().await.unwrap_err().is_timeout());
    assert_eq!(running.log().await["entries"][0]["status"], Value::Null);
}

#[tokio::test]
async fn a_stall_sends_half_a_body() {
    let (_running, request) = with(json!({"target": "login", "kind": "stall"})).await;
    let response = request.timeout(HANG).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    let (_running, request) = with(json!({"target": "login", "kind": "reset"})).await;
    let error = request.send().await.unwrap_err();
    assert!(format!("{error:?}").contains("ConnectionReset"), "{error:?}");
}

#[tokio::test]
async fn wrong_answers_are_wrong_in_the_way_that_was_asked_for() {
    let answer = async |fault: Value| {
        let (_running, request) = with(fault).await;
        let response = request.send().await.unwrap();
        let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        (response.status().as_u16(), kind.unwrap_or_default(), response.bytes().await.unwrap())
    };
    let (status, kind, body) = answer(json!({"target": "login", "kind": "garbage"})).await;
    assert_eq!((status, kind.as_str()), (200, "application/json"));
    assert!(serde_json::from_slice::<Value>(&body).is_err());
    let (status, kind, _) = answer(json!({"target": "login", "kind": "html"})).await;
    assert!(status == 200 && kind.starts_with("text/html"));
    let (status, _, body) = answer(json!({"target": "login", "kind": "no_content"})).await;
    assert!(status == 204 && body.is_empty());
    let (_, _, body) = answer(json!({"target": "login", "kind": "wrong_type"})).await;
    assert!(serde_json::from_slice::<Value>(&body).unwrap()["token"].is_object());
    let (_, _, body) = answer(json!({"target": "login", "kind": "huge", "bytes": 3_000_000})).await;
    assert!(body.len() > 3_000_000);
}

#[tokio::test]
async fn a_redirect_points_elsewhere() {
    let (_running, request) = with(
        json!({"target": "login", "kind": "redirect", "location": "http://127.0.0.1:9/x", "status": 302}),
    )
    .await;
    let response = request.send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["location"]),
        (302, &"http://127.0.0.1:9/x".parse().unwrap())
    );
}

#[tokio::test]
async fn a_gzip_bomb_is_small_on_the_wire() {
    let (_running, request) =
        with(json!({"target": "login", "kind": "gzip_bomb", "bytes": 30_000_000})).await;
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let packed = response.bytes().await.unwrap();
    assert!(packed.len() < 60_000, "{}", packed.len());
    let mut unpacked = std::io::sink();
    let mut decoder = flate2::read::MultiGzDecoder::new(&packed[..]);
    assert!(std::io::copy(&mut decoder, &mut unpacked).unwrap() > 30_000_000);
}

#[tokio::test]
async fn a_fault_in_the_data_can_be_read_by_pages_of_other_origins() {
    let running = Running::start().await;
    running.faults(json!([{"target": "data", "kind": "status", "status": 503}])).await;
    let request = running
        .client
        .get(format!("{}/data/v1/pages", running.origin))
        .header("origin", "https://host.example");
    let response = request.send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["access-control-allow-origin"]),
        (503, &"*".parse().unwrap())
    );
}

#[tokio::test]
async fn unknown_switches_are_refused_by_name() {
    let running = Running::start().await;
    let response =
        running.post("/_sandbox/faults", &json!({"faults": [{"target": "login", "kind": "explode"}]})).await;
    assert_eq!(response.status(), 400);
    assert!(response.text().await.unwrap().contains("explode"));
}

#[tokio::test]
async fn a_reset_of_the_sandbox_starts_anew() {
    let running = Running::start().await;
    running.faults(json!([{"target": "login", "kind": "html"}])).await;
    running.post("/_sandbox/clock", &json!({"advance_ms": 1_000_000})).await;
    assert_eq!(running.post("/_sandbox/reset", &json!({})).await.status(), 200);
    let stats = running.client.get(format!("{}/_sandbox/stats", running.origin)).send().await.unwrap();
    let stats: Value = stats.json().await.unwrap();
    assert_eq!((&stats["requests"]["login"], &stats["clock_offset_ms"]), (&json!(0), &json!(0)));
    running.tenant_token("aurora").await;
}
