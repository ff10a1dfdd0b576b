//! What one caller, one address and one connection may take, and that the others do not notice.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{join_all, select_all};
use futures_util::stream::FuturesUnordered;
use reqwest::header::HeaderValue;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::identity::with_identity;
use crate::program::{Folder, Served};
use crate::support::{COOKIE, DEFAULT_PROFILE, RunningRelay, World, h2c, outcome, refusal, until};

#[tokio::test]
async fn identities_have_limits_of_their_own() {
    let world = World::new().await;
    let relay = world.relay(&format!("{DEFAULT_PROFILE}[limits]\nrequests_per_minute = 2\n")).await;
    for _ in 0..2 {
        assert_eq!(outcome(relay.composer()).await.0, 200);
    }
    let refused = relay.composer().send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "rate_limited");
}

#[tokio::test]
async fn addresses_have_limits_before_anybody_is_asked() {
    let world = World::new().await;
    let limits = "trusted_proxies = [\"127.0.0.1\"]\n";
    let toml = format!(
        "{limits}{}",
        world.toml(&format!("{DEFAULT_PROFILE}[limits]\nrequests_per_minute_per_address = 2\n"))
    );
    let relay = RunningRelay::start(&toml).await;
    let from = |address: &str| {
        relay
            .client
            .post(relay.url("/qrvey/composer-token"))
            .json(&json!({}))
            .header("x-forwarded-for", address)
    };
    for address in ["2001:db8::1", "2001:db8::2"] {
        assert_eq!(refusal(from(address)).await.0, 401);
    }
    assert_eq!(refusal(from("2001:db8::3")).await, (429, "rate_limited".into()));
    assert_eq!(refusal(from("2001:db8:0:1::3")).await.0, 401);
    assert_eq!(
        world.host.received_requests().await.unwrap().len(),
        0,
        "nobody without credentials is asked about"
    );
}

#[tokio::test]
async fn one_noisy_caller_takes_nothing_from_the_others() {
    let world = World::new().await;
    let identity = "mode = \"header\"\ntrusted_proxies = [\"127.0.0.1\"]\n\
                    claims = { sub = \"x-user\", tenants = { header = \"x-tenants\", separator = \",\" } }";
    let toml = with_identity(&world, identity) + "[limits]\nrequests_per_minute = 30\n";
    let relay = RunningRelay::start(&format!("trusted_proxies = [\"127.0.0.1\"]\n{toml}")).await;
    let ask = |user: &str, address: &str| {
        let request = relay.composer().header("x-user", user).header("x-tenants", "aurora");
        outcome(request.header("x-forwarded-for", address))
    };
    let noise = join_all((0..500).map(|_| ask("noisy", "198.51.100.1")));
    let quiet = async {
        let mut statuses = Vec::new();
        for number in 0..20 {
            statuses.push(ask(&format!("quiet-{}", number % 2), "198.51.100.2").await.0);
        }
        statuses
    };
    let (noise, quiet) = tokio::join!(noise, quiet);
    assert_eq!(quiet, [200; 20]);
    let served = noise.iter().filter(|(status, _)| *status == 200).count();
    let refused = noise.iter().filter(|(status, _)| *status == 429).count();
    assert!((30..40).contains(&served) && served + refused == 500, "{served} {refused}");
}

/// What comes back to these bytes, on a connection of its own.
async fn answer_to(served: &Served, request: &str) -> String {
    let mut stream = TcpStream::connect(served.address()).await.unwrap();
    // The other side may hang up before it has read everything.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn headers_are_bounded_in_number_and_in_size() {
    let world = World::new().await;
    let served = Served::start(&Folder::with(&world.toml(DEFAULT_PROFILE))).await;
    let request = |more: &str| {
        format!(
            "POST /qrvey/composer-token HTTP/1.1\r\nhost: x\r\ncookie: {COOKIE}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: 2\r\n{more}\r\n{{}}"
        )
    };
    assert!(answer_to(&served, &request("")).await.starts_with("HTTP/1.1 200"));
    assert!(answer_to(&served, &request(&"a: b\r\n".repeat(50))).await.starts_with("HTTP/1.1 200"));
    for (what, more) in [
        ("in number", "a: b\r\n".repeat(100)),
        ("in size", format!("a: {}\r\n", "b".repeat(100_000))),
        ("in the size of them all", format!("a: {}\r\n", "b".repeat(1_500)).repeat(40)),
    ] {
        let answer = answer_to(&served, &request(&more)).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{what}: {answer}");
    }
    let long =
        answer_to(&served, &request("").replace("POST /", &format!("POST /{}", "a".repeat(100_000)))).await;
    assert!(long.is_empty() || long.starts_with("HTTP/1.1 4"), "{long}");
    let h2c = h2c().build().unwrap();
    let large = h2c.post(format!("{}/qrvey/composer-token", served.public)).header("cookie", COOKIE);
    let large = large.header("a", "b".repeat(40_000)).json(&json!({})).send().await;
    assert!(large.map_or(true, |answer| answer.status() == 431));
    assert_eq!(world.minted().await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_like_all_else() {
    let world = World::new().await;
    let served = Served::start(&Folder::with(&world.toml(DEFAULT_PROFILE))).await;
    let like = answer_to(&served, "GET /qrvey/other HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let headers = |answer: &str| {
        let (head, _) = answer.split_once("\r\n\r\n").unwrap();
        let value_differs = ["x-request-id", "content-length", "date"];
        let lines = head.lines().skip(1).map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), if value_differs.contains(&name) { String::new() } else { value.to_owned() })
        });
        lines.collect::<BTreeMap<_, _>>()
    };
    let many = format!("GET /qrvey/other HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(100));
    for (request, status) in [("nonsense\r\n\r\n", 400), (many.as_str(), 431)] {
        let answer = answer_to(&served, request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert_eq!(headers(&answer), headers(&like));
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        assert!(answer.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{answer}");
        let problem: Value = serde_json::from_str(body).unwrap();
        assert_eq!((&problem["code"], &problem["status"]), (&json!("invalid_request"), &json!(status)));
        served.logged(problem["request_id"].as_str().unwrap()).await;
    }
    let counted = r#"qrvey_relay_requests_total{route="other",outcome="invalid_request"} 3"#;
    assert!(served.metrics().await.contains(counted));
}

#[tokio::test]
async fn connections_are_bounded_and_their_places_come_back() {
    let world = World::new().await;
    let limits = "[limits]\nmax_connections_per_address = 5\n";
    let served = Served::start(&Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{limits}")))).await;
    let mut held = Vec::new();
    for _ in 0..6 {
        held.push(TcpStream::connect(served.address()).await.unwrap());
    }
    // Whichever of them comes last is hung up on, and it alone.
    let mut ends: Vec<_> = held
        .into_iter()
        .map(|mut stream| Box::pin(async move { stream.read(&mut [0; 1]).await.unwrap_or(0) }))
        .collect();
    for (is_hung_up, patience_ms) in [(true, 10_000), (false, 500)] {
        let patience = Duration::from_millis(patience_ms);
        let end = tokio::time::timeout(patience, select_all(ends.iter_mut())).await;
        assert_eq!(end.is_ok(), is_hung_up);
        if let Ok((_, index, _)) = end {
            drop(ends.remove(index));
        }
    }
    ends.pop();
    until("the place comes back", Duration::from_secs(2), async || {
        let request = served.composer().header("connection", "close").send().await;
        request.is_ok_and(|answer| answer.status() == 200)
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_not_taken_keeps_its_place() {
    let world = World::new().await;
    let limits = "[limits]\nmax_connections_per_address = 3\n";
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{limits}")));
    // Nothing of an answer may be sent, or its first byte.
    for window in [0, 1] {
        let served = Served::start(&folder).await;
        let h2c = h2c().http2_initial_stream_window_size(window).build().unwrap();
        let ask = async || served.composer_by(&h2c).send().await.unwrap();
        let mut untaken = Vec::new();
        for _ in 0..3 {
            let answer = ask().await;
            assert_eq!(answer.status(), 200);
            untaken.push(answer);
        }
        assert_eq!(ask().await.status(), 503, "with a window of {window}");
        if window > 0 {
            untaken.pop().unwrap().bytes().await.unwrap();
            until("its place comes back when it is taken", Duration::from_secs(20), async || {
                ask().await.status() == 200
            })
            .await;
        }
        drop(untaken);
        until("the places come back", Duration::from_secs(20), async || {
            let both = [ask(), ask()];
            join_all(both).await.into_iter().all(|answer| answer.status() == 200)
        })
        .await;
    }
}

#[tokio::test]
async fn an_answer_that_is_never_taken_gives_its_place_back() {
    let world = World::new().await;
    let limits = "[limits]\nmax_connections_per_address = 1\nheader_timeout = \"1s\"\n";
    let served = Served::start(&Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{limits}")))).await;
    let h2c = h2c().http2_initial_stream_window_size(1).build().unwrap();
    let _untaken = served.composer_by(&h2c).send().await.unwrap();
    until("another connection is served", Duration::from_secs(20), async || {
        served.composer().send().await.is_ok_and(|answer| answer.status() == 200)
    })
    .await;
}

#[tokio::test]
async fn requests_side_by_side_on_one_connection_are_bounded_like_connections() {
    let world = World::new().await;
    let limits = "[limits]\nmax_connections_per_address = 3\n";
    let served = Served::start(&Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{limits}")))).await;
    let h2c = h2c().build().unwrap();
    let ask = || served.composer_by(&h2c);
    assert_eq!(ask().send().await.unwrap().status(), 200);
    let mut stalled: FuturesUnordered<_> = (0..5)
        .map(|_| {
            let body = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
            ask().body(reqwest::Body::wrap_stream(body)).send()
        })
        .collect();
    for _ in 0..2 {
        let refused = stalled.next().await.unwrap().unwrap();
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (503, &HeaderValue::from(1))
        );
        assert_eq!(refused.json::<Value>().await.unwrap()["code"], "upstream_unavailable");
    }
    let metrics = served.metrics().await;
    let counted = r#"qrvey_relay_connections_refused_total{limit="max_connections_per_address"} 2"#;
    assert!(metrics.contains(counted), "{metrics}");
    drop(stalled);
    until("the places come back", Duration::from_secs(2), async || {
        let both = join_all([ask().send(), ask().send()]).await;
        both.into_iter().all(|answer| answer.is_ok_and(|answer| answer.status() == 200))
    })
    .await;
}

#[tokio::test]
async fn what_anybody_can_cause_does_not_fill_the_log() {
    let world = World::new().await;
    let limits =
        "max_connections_per_address = 1\nrequests_per_minute_per_address = 1\nbody_timeout = \"10m\"\n";
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}[limits]\n{limits}")));
    let served = Served::start(&folder).await;
    let h2c = h2c().build().unwrap();
    let url = format!("{}/qrvey/composer-token", served.public);
    // The lines that are allowed flow back, but not as fast as anybody can ask.
    let flood = async |times: usize, request: &dyn Fn() -> RequestBuilder| {
        for _ in 0..times {
            request().send().await.unwrap();
        }
    };
    flood(1_000, &|| h2c.request(Method::OPTIONS, &url)).await;
    let foreign = || h2c.get(&url).header("origin", "https://evil.example");
    flood(300, &foreign).await;
    let body = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let stalled = h2c.post(&url).header("content-type", "application/json");
    let stalled = tokio::spawn(stalled.body(reqwest::Body::wrap_stream(body)).send());
    until("the only place is taken", Duration::from_secs(20), async || {
        served.metrics().await.contains("qrvey_relay_requests_in_flight 1\n")
    })
    .await;
    flood(300, &foreign).await;
    stalled.abort();
    until("the place comes back", Duration::from_secs(20), async || {
        served.metrics().await.contains("qrvey_relay_requests_in_flight 0\n")
    })
    .await;
    flood(300, &|| h2c.get(&url)).await;
    let lines = |word: &str| served.hold_log_secret().lines().filter(|line| line.contains(word)).count();
    until("it is told of lines that were left out", Duration::from_secs(20), async || {
        flood(1, &foreign).await;
        lines("left_out") > 0
    })
    .await;
    for (word, asked) in [
        (r#""status":200"#, 1_000),
        (r#""status":403"#, 300),
        ("foreign origin", 300),
        (r#""status":503"#, 300),
        (r#""status":429"#, 300),
    ] {
        assert!(lines(word) < asked, "each of {asked} with {word} has a line");
    }
}
