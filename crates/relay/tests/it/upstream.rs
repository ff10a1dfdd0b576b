//! Platforms that fail in every way: each costs a caller bounded time and memory and gets a clear
//! answer.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use axum::body::Body;
use axum::http;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use qrvey_relay::{Config, Relay};
use reqwest::header::HeaderValue;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime;
use tokio::time::timeout;
use tower::ServiceExt;
use wiremock::matchers::method;
use wiremock::{Mock, ResponseTemplate};

use crate::identity::{ANONYMOUS, with_identity};
use crate::support::{
    ADMIN, API_KEY, DEFAULT_PROFILE, RunningRelay, TOKEN, World, environment, outcome, refusal, toml_for,
};

const SHORT: &str = "[limits]\nupstream_timeout = \"500ms\"\n";
/// Longer than that, and shorter than whoever keeps a caller waiting.
const BOUNDED: Duration = Duration::from_secs(10);

fn error(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

async fn platform_answers(template: ResponseTemplate) -> (u16, String) {
    let world = World::new().await;
    Mock::given(method("POST")).respond_with(template).with_priority(1).mount(&world.platform).await;
    let relay = world.relay(&format!("{DEFAULT_PROFILE}{ADMIN}")).await;
    let refused = refusal(relay.composer()).await;
    assert_eq!(refusal(relay.admin()).await, refused, "both endpoints fail alike");
    refused
}

/// A platform that does this with every connection.
async fn raw_platform<F>(answer: impl Fn(TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            tokio::spawn(answer(stream));
        }
    });
    url
}

async fn raw_answer(answer: &'static [u8]) -> (u16, String) {
    let world = World::new().await;
    let platform = raw_platform(move |mut stream| async move {
        let _ = stream.write_all(answer).await;
        let _ = stream.shutdown().await;
    })
    .await;
    let relay = RunningRelay::start(&toml_for(&platform, &world.host.uri(), DEFAULT_PROFILE)).await;
    refusal(relay.composer()).await
}

#[tokio::test]
async fn answers_that_are_no_token() {
    let upstream_error = error(502, "upstream_error");
    let html = ResponseTemplate::new(200).set_body_raw("<html>maintenance</html>", "text/html");
    assert_eq!(platform_answers(html).await, upstream_error);
    assert_eq!(platform_answers(ResponseTemplate::new(204)).await, upstream_error);
    for body in [
        json!({}),
        json!([TOKEN]),
        json!({ "token": 42 }),
        json!({ "token": "" }),
        json!({ "token": "two words" }),
        json!({ "token": "a".repeat(50_000) }),
        json!({ "status": false, "token": TOKEN }),
        json!(TOKEN),
    ] {
        assert_eq!(
            platform_answers(ResponseTemplate::new(200).set_body_json(&body)).await,
            upstream_error,
            "{body}"
        );
    }
    // A gzip bomb is 48 bytes that are no JSON: nothing is ever unpacked.
    let bomb = ResponseTemplate::new(200)
        .insert_header("content-encoding", "gzip")
        .set_body_raw(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff".to_vec(), "application/json");
    assert_eq!(platform_answers(bomb).await, upstream_error);
}

#[tokio::test]
async fn statuses_have_their_meaning() {
    for (status, expected) in [
        (400, error(502, "upstream_error")),
        (401, error(502, "upstream_error")),
        (403, error(502, "upstream_error")),
        (404, error(502, "upstream_error")),
        (429, error(503, "upstream_unavailable")),
        (500, error(502, "upstream_error")),
        (502, error(503, "upstream_unavailable")),
        (503, error(503, "upstream_unavailable")),
        (504, error(503, "upstream_unavailable")),
    ] {
        // The body would give the key away if it were passed on.
        let echo =
            ResponseTemplate::new(status).set_body_json(json!({ "headers": { "x-api-key": API_KEY } }));
        assert_eq!(platform_answers(echo).await, expected, "{status}");
    }
}

#[tokio::test]
async fn when_to_come_back_is_the_platforms_word_within_reason() {
    let world = World::new().await;
    let relay = world.relay(DEFAULT_PROFILE).await;
    for (status, said, expected) in
        [(429, "7", "7"), (503, "7", "7"), (503, "0", "1"), (503, "86400", "300"), (503, "soon", "5")]
    {
        let busy = ResponseTemplate::new(status).insert_header("retry-after", said);
        let busy = Mock::given(method("POST")).respond_with(busy).up_to_n_times(1).with_priority(1);
        busy.mount(&world.platform).await;
        let answer = relay.composer().send().await.unwrap();
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()["retry-after"], expected, "{status} {said}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_key_goes_nowhere_else() {
    let other = World::new().await;
    for status in [301, 302, 307, 308] {
        let to = format!("{}{}", other.platform.uri(), crate::support::COMPOSER_LOGIN);
        let redirect = ResponseTemplate::new(status).insert_header("location", to);
        assert_eq!(platform_answers(redirect).await, error(502, "upstream_error"));
    }
    assert_eq!(other.platform.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_platform_that_hangs_costs_the_time_limit() {
    let world = World::new().await;
    let hang = ResponseTemplate::new(200).set_delay(3 * BOUNDED);
    Mock::given(method("POST")).respond_with(hang).with_priority(1).mount(&world.platform).await;
    let relay = world.relay(&format!("{DEFAULT_PROFILE}{ADMIN}{SHORT}")).await;
    for request in [relay.composer(), relay.admin()] {
        let refused = timeout(BOUNDED, refusal(request)).await;
        assert_eq!(refused.unwrap(), error(504, "upstream_timeout"));
    }
}

#[tokio::test]
async fn an_answer_that_trickles_costs_the_time_limit_too() {
    let world = World::new().await;
    let platform = raw_platform(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{").await;
        while stream.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let relay =
        RunningRelay::start(&toml_for(&platform, &world.host.uri(), &format!("{DEFAULT_PROFILE}{SHORT}")))
            .await;
    let refused = timeout(BOUNDED, refusal(relay.composer())).await;
    assert_eq!(refused.unwrap(), error(504, "upstream_timeout"));
}

#[tokio::test]
async fn a_huge_answer_is_read_no_further_than_its_limit() {
    let world = World::new().await;
    let platform = raw_platform(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 52428800\r\n\r\n").await;
        let chunk = vec![b'{'; 64 * 1024];
        for sent in 0..800 {
            if stream.write_all(&chunk).await.is_err() {
                return;
            }
            assert!(sent < 700, "somebody read 45 MB");
        }
    })
    .await;
    let relay = RunningRelay::start(&toml_for(&platform, &world.host.uri(), DEFAULT_PROFILE)).await;
    assert_eq!(refusal(relay.composer()).await, error(502, "upstream_error"));
}

#[tokio::test]
async fn a_platform_that_takes_no_connection_costs_the_time_limit_for_that() {
    let world = World::new().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    // Nobody accepts: once its queue is full, the system answers no further connection.
    let mut queued = Vec::new();
    while let Ok(stream) = timeout(Duration::from_millis(300), TcpStream::connect(address)).await {
        queued.push(stream.unwrap());
    }
    let limits = "[limits]\nupstream_timeout = \"30s\"\nupstream_connect_timeout = \"300ms\"\n";
    let rest = format!("{DEFAULT_PROFILE}{limits}");
    let relay = RunningRelay::start(&toml_for(&format!("http://{address}"), &world.host.uri(), &rest)).await;
    let refused = timeout(BOUNDED, refusal(relay.composer())).await;
    assert_eq!(refused.unwrap(), error(503, "upstream_unavailable"));
}

#[tokio::test]
async fn connections_are_kept_and_a_request_that_was_sent_is_never_sent_again() {
    let world = World::new().await;
    let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (Arc::clone(&connections), Arc::clone(&requests));
    let platform = raw_platform(move |mut stream| {
        let (connections, requests) = (Arc::clone(&counts.0), Arc::clone(&counts.1));
        async move {
            connections.fetch_add(1, Ordering::Relaxed);
            let body = format!("{{\"token\":\"{TOKEN}\"}}");
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            // The fourth request is read, and then the connection dies.
            while requests.fetch_add(1, Ordering::Relaxed) < 3 {
                stream.write_all(answer.as_bytes()).await.unwrap();
                if stream.read(&mut [0; 4096]).await.unwrap_or_default() == 0 {
                    return;
                }
            }
        }
    })
    .await;
    let rest = format!("{DEFAULT_PROFILE}[reuse]\nlifetime_percent = 0\n");
    let relay = RunningRelay::start(&toml_for(&platform, &world.host.uri(), &rest)).await;
    for _ in 0..3 {
        assert_eq!(outcome(relay.composer()).await.0, 200);
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
    assert_eq!(refusal(relay.composer()).await, error(502, "upstream_error"));
    assert_eq!(requests.load(Ordering::Relaxed), 4, "a mint may have happened: it must not be repeated");
}

#[tokio::test]
async fn connections_that_break() {
    assert_eq!(raw_answer(b"").await, error(502, "upstream_error"));
    assert_eq!(raw_answer(b"SSH-2.0-OpenSSH_9.9\r\n").await, error(502, "upstream_error"));
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"token\":";
    assert_eq!(raw_answer(half).await, error(502, "upstream_error"));
    // A reset, as of a machine that has forgotten the connection.
    let world = World::new().await;
    let platform = raw_platform(|stream| async move { stream.set_zero_linger().unwrap() }).await;
    let relay = RunningRelay::start(&toml_for(&platform, &world.host.uri(), DEFAULT_PROFILE)).await;
    assert_eq!(refusal(relay.composer()).await, error(502, "upstream_error"));
}

#[tokio::test]
async fn a_platform_that_is_gone_is_503_with_retry_after() {
    let world = World::new().await;
    let relay =
        RunningRelay::start(&toml_for("http://127.0.0.1:1", &world.host.uri(), DEFAULT_PROFILE)).await;
    let response = relay.composer().send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn a_kept_connection_that_died_meanwhile_is_not_noticed_by_callers() {
    let world = World::new().await;
    let body = format!("{{\"token\":\"{TOKEN}\"}}");
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let platform = raw_platform(move |mut stream| {
        let answer = answer.clone();
        async move {
            let _ = stream.write_all(answer.as_bytes()).await;
            // Closed without a word, as an idle timeout or a restart does.
            let _ = stream.shutdown().await;
        }
    })
    .await;
    let rest = format!("{DEFAULT_PROFILE}[reuse]\nlifetime_percent = 0\n");
    let relay = RunningRelay::start(&toml_for(&platform, &world.host.uri(), &rest)).await;
    for pause_ms in [10, 20, 40] {
        assert_eq!(outcome(relay.composer()).await.0, 200);
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
    }
}

/// Reads one request to its end and answers it with a token.
fn answer_one(stream: &mut std::net::TcpStream) {
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).unwrap();
        assert!(length > 0, "hung up in the middle of a request");
        request.extend_from_slice(&bytes[..length]);
    }
    let body = format!("{{\"token\":\"{TOKEN}\"}}");
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
}

#[test]
fn what_a_dying_connection_has_not_sent_is_sent_once_on_another() {
    // News of sockets are looked for after each task.
    let runtime = runtime::Builder::new_current_thread().enable_all().event_interval(1).build().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let ((close, told), (closed, is_closed)) = (mpsc::channel(), mpsc::channel());
    let platform = std::thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        answer_one(&mut first);
        told.recv().unwrap();
        drop(first);
        closed.send(()).unwrap();
        answer_one(&mut listener.accept().unwrap().0);
    });
    runtime.block_on(async move {
        let world = World::new().await;
        let toml = with_identity(&world, ANONYMOUS).replace(&world.platform.uri(), &url);
        let toml = toml + "[reuse]\nlifetime_percent = 0\n";
        let config = Config::from_toml(&toml, "relay.toml", &environment()).unwrap();
        let router = Relay::new(config).unwrap().router();
        let ask = async || {
            let json = ("content-type", "application/json");
            let request = http::Request::post("/qrvey/composer-token").header(json.0, json.1);
            router.clone().oneshot(request.body(Body::from("{}")).unwrap()).await.unwrap().status()
        };
        assert_eq!(ask().await, 200);
        tokio::time::sleep(Duration::from_millis(100)).await;
        close.send(()).unwrap();
        is_closed.recv().unwrap();
        // Next comes this task, then the end of the connection is there to be seen, then the mint hands its
        // request to the connection, and then the connection looks.
        tokio::spawn(async {});
        assert_eq!(ask().await, 200);
    });
    platform.join().unwrap();
}

#[tokio::test]
async fn who_finds_the_queue_full_is_told_to_come_back() {
    let world = World::new().await;
    let release = world.hold_mints().await;
    let profiles: String = ["a", "b", "c", "d"]
        .map(|name| format!("[profiles.{name}]\nuserid = \"u\"\nappid = \"{name}\"\n"))
        .concat();
    let relay =
        world.relay(&format!("{profiles}[limits]\nupstream_concurrency = 1\nupstream_queue = 1\n")).await;
    let ask =
        async |name: &str| relay.composer().body(format!("{{\"profile\":\"{name}\"}}")).send().await.unwrap();
    let mut answers: FuturesUnordered<_> = ["a", "b", "c", "d"].map(ask).into_iter().collect();
    for _ in 0..2 {
        let refused = answers.next().await.unwrap();
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (503, &HeaderValue::from(1))
        );
    }
    for _ in 0..2 {
        release.send(()).unwrap();
    }
    for _ in 0..2 {
        assert_eq!(answers.next().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn every_admin_login_is_spoken() {
    for (login, path) in
        [("v6", "/api/admin/v6/login"), ("v5", "/admin/api/v5/login"), ("standalone", "/login")]
    {
        let world = World::new().await;
        let other = World::new().await;
        let setting =
            format!("[qrvey]\nadmin_login = \"{login}\"\nadmin_domain = \"{}\"", other.platform.uri());
        let relay = RunningRelay::start(&world.toml(ADMIN).replace("[qrvey]", &setting)).await;
        assert_eq!(outcome(relay.admin()).await.0, 200);
        let requests = other.platform.received_requests().await.unwrap();
        assert_eq!(requests[0].url.path(), path);
        assert_eq!(world.minted().await.len(), 0);
    }
}

#[tokio::test]
async fn a_platform_that_is_down_is_left_alone_for_a_while() {
    let world = World::new().await;
    let down = Mock::given(method("POST")).respond_with(ResponseTemplate::new(503)).up_to_n_times(3);
    down.with_priority(1).mount(&world.platform).await;
    let limits = "[limits]\nbreaker_failures = 3\nbreaker_pause = \"3s\"\n";
    let relay = world.relay(&format!("{DEFAULT_PROFILE}{ADMIN}{limits}")).await;
    for _ in 0..10 {
        assert_eq!(refusal(relay.composer()).await, error(503, "upstream_unavailable"));
    }
    assert_eq!(world.platform.received_requests().await.unwrap().len(), 3);
    let metrics = relay.metrics().await;
    for line in [
        "qrvey_relay_platform_left_alone 1",
        r#"qrvey_relay_mints_total{kind="composer",outcome="unavailable"} 3"#,
        r#"qrvey_relay_mints_total{kind="composer",outcome="left_alone"} 7"#,
        r#"qrvey_relay_upstream_seconds_count{kind="composer"} 3"#,
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line} is not in {metrics}");
    }
    let config = Config::from_toml(
        &world.toml(&format!("{}{ADMIN}{limits}", DEFAULT_PROFILE.replace("10m", "9m"))),
        "relay.toml",
        &environment(),
    );
    relay.relay.reload(config.unwrap()).unwrap();
    assert_eq!(refusal(relay.composer()).await, error(503, "upstream_unavailable"));
    assert_eq!(world.minted().await.len(), 3, "a new policy does not make the platform well");
    // Another login may well be up.
    assert_eq!(outcome(relay.admin()).await.0, 200);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(outcome(relay.composer()).await.0, 200);
    assert!(relay.metrics().await.contains("qrvey_relay_platform_left_alone 0"));
}
