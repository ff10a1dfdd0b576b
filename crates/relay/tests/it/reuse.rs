use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use wiremock::matchers::{header, method};
use wiremock::{Mock, ResponseTemplate};

use crate::support::{ADMIN, COMPOSER_LOGIN, COOKIE, DEFAULT_PROFILE, TOKEN, World, outcome, refusal, until};

const UNLIMITED: &str =
    "[limits]\nrequests_per_minute = 0\nrequests_per_minute_per_address = 0\nupstream_timeout = \"1m\"\n";

async fn platform_answers(world: &World, template: ResponseTemplate) {
    Mock::given(method("POST")).respond_with(template).with_priority(1).mount(&world.platform).await;
}

fn slow_token(delay: Duration) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "token": TOKEN })).set_delay(delay)
}

#[tokio::test]
async fn a_thousand_equal_requests_at_once_are_one_mint() {
    let world = World::new().await;
    platform_answers(&world, slow_token(Duration::from_millis(300))).await;
    let relay = world.relay(&format!("{DEFAULT_PROFILE}{UNLIMITED}")).await;
    let answers = join_all((0..1_000).map(|_| outcome(relay.composer()))).await;
    assert!(answers.iter().all(|(status, answer)| *status == 200 && answer["token"] == TOKEN));
    assert_eq!(world.minted().await.len(), 1);
}

#[tokio::test]
async fn an_admin_token_is_shared_while_it_is_minted_and_never_kept() {
    let world = World::new().await;
    platform_answers(&world, slow_token(Duration::from_millis(300))).await;
    let relay = world.relay(&format!("{ADMIN}{UNLIMITED}")).await;
    let answers = join_all((0..50).map(|_| outcome(relay.admin()))).await;
    assert!(answers.iter().all(|(status, answer)| *status == 200 && answer.get("expires_in").is_none()));
    assert_eq!(world.minted().await.len(), 1);
    assert_eq!(outcome(relay.admin()).await.0, 200);
    assert_eq!(world.minted().await.len(), 2);
}

#[tokio::test]
async fn a_kept_token_says_what_is_left_of_it_and_goes_after_its_share() {
    let world = World::new().await;
    let relay = world.relay(&DEFAULT_PROFILE.replace("10m", "5s")).await;
    let first = outcome(relay.composer()).await.1["expires_in"].as_u64().unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let second = outcome(relay.composer()).await.1["expires_in"].as_u64().unwrap();
    assert!(first >= 4 && second < first, "{first} {second}");
    assert_eq!(world.minted().await.len(), 1);
    tokio::time::sleep(Duration::from_millis(2_700)).await;
    assert_eq!(outcome(relay.composer()).await.0, 200);
    assert_eq!(world.minted().await.len(), 2);
}

#[tokio::test]
async fn a_still_valid_token_is_served_while_the_platform_is_down() {
    let world = World::new().await;
    let relay = world
        .relay(&format!("{}[reuse]\nlifetime_percent = 20\n", DEFAULT_PROFILE.replace("10m", "5s")))
        .await;
    assert_eq!(outcome(relay.composer()).await.0, 200);
    platform_answers(&world, ResponseTemplate::new(503)).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let (status, answer) = outcome(relay.composer()).await;
    assert_eq!(status, 200);
    assert!(answer["expires_in"].as_u64().unwrap() <= 3);
    assert!(relay.metrics().await.contains(r#"source="stale"} 1"#));
    // It is not served for a moment longer than it lives.
    tokio::time::sleep(Duration::from_millis(3_900)).await;
    assert_eq!(refusal(relay.composer()).await, (503, "upstream_unavailable".into()));
}

#[tokio::test]
async fn a_platform_that_hangs_does_not_hold_up_who_could_have_a_valid_token() {
    let world = World::new().await;
    let relay = world.relay(&format!("{DEFAULT_PROFILE}[reuse]\nlifetime_percent = 1\n")).await;
    assert_eq!(outcome(relay.composer()).await.0, 200);
    platform_answers(&world, slow_token(Duration::from_secs(60))).await;
    // 1 % of ten minutes is six seconds: a wanted age has the same effect at once, but forbids the kept token.
    let start = std::time::Instant::now();
    let fresh = relay.composer().header("cache-control", "max-age=0").timeout(Duration::from_millis(500));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(fresh.send().await.is_err(), "a caller who wants a fresh token waits for it");
    assert_eq!(outcome(relay.composer()).await.0, 200);
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn refusals_are_never_kept() {
    let world = World::new().await;
    let relay = world.relay(DEFAULT_PROFILE).await;
    let once = Mock::given(method("POST")).respond_with(ResponseTemplate::new(401)).up_to_n_times(1);
    once.with_priority(1).mount(&world.platform).await;
    assert_eq!(refusal(relay.composer()).await, (502, "upstream_error".into()));
    assert_eq!(outcome(relay.composer()).await.0, 200);
}

#[tokio::test]
async fn other_claims_are_another_grant() {
    let world = World::new().await;
    let toml = world.toml(DEFAULT_PROFILE).replace("[identity]", "[identity]\ncache_ttl = \"0s\"");
    let relay = crate::support::RunningRelay::start(&toml).await;
    assert_eq!(outcome(relay.composer()).await.0, 200);
    let changed = json!({ "sub": "ada", "tenants": ["third"], "roles": [] });
    let answer = ResponseTemplate::new(200).set_body_json(changed);
    Mock::given(header("cookie", COOKIE)).respond_with(answer).with_priority(1).mount(&world.host).await;
    assert_eq!(outcome(relay.composer()).await.0, 200);
    let minted = world.minted().await;
    assert_eq!(minted.len(), 2);
    assert_ne!(minted[0], minted[1]);
}

#[tokio::test]
async fn a_caller_can_ask_for_a_younger_token_and_browsers_own_headers_do_not() {
    let world = World::new().await;
    let relay = world.relay(DEFAULT_PROFILE).await;
    for (cache_control, mints) in
        [("no-cache", 1), ("max-age=5", 1), ("no-store, max-age=0", 2), ("max-age=5", 2)]
    {
        assert_eq!(outcome(relay.composer().header("cache-control", cache_control)).await.0, 200);
        // A token's age is counted from before it was asked for.
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(world.minted().await.len(), mints, "{cache_control}");
    }
}

#[tokio::test]
async fn sign_out_drops_the_callers_tokens() {
    let world = World::new().await;
    let relay = world.relay(DEFAULT_PROFILE).await;
    let sign_out = || relay.client.delete(relay.url("/qrvey/tokens")).header("cookie", COOKIE);
    assert_eq!(outcome(relay.composer()).await.0, 200);
    assert_eq!(refusal(sign_out().header("origin", "https://evil.example")).await.0, 403);
    assert_eq!(outcome(relay.composer()).await.0, 200);
    assert_eq!(world.minted().await.len(), 1);
    assert_eq!(outcome(sign_out()).await.0, 204);
    assert_eq!(outcome(relay.composer()).await.0, 200);
    assert_eq!(world.minted().await.len(), 2);
    assert_eq!(refusal(relay.client.delete(relay.url("/qrvey/tokens"))).await.0, 401);
}

#[tokio::test]
async fn a_mint_goes_on_when_its_caller_has_left() {
    let world = World::new().await;
    platform_answers(&world, slow_token(Duration::from_millis(400))).await;
    let relay = world.relay(DEFAULT_PROFILE).await;
    assert!(relay.composer().timeout(Duration::from_millis(100)).send().await.is_err());
    assert_eq!(outcome(relay.composer()).await.0, 200);
    assert_eq!(world.minted().await.len(), 1);
    let requests = world.platform.received_requests().await.unwrap();
    assert_eq!(requests[0].url.path(), COMPOSER_LOGIN);
}

#[tokio::test]
async fn a_request_that_its_caller_leaves_is_counted() {
    let world = World::new().await;
    let release = world.hold_mints().await;
    let relay = world.relay(&format!("{DEFAULT_PROFILE}{UNLIMITED}")).await;
    let left = tokio::spawn(relay.composer().send());
    let counted = async |line: &str| {
        let within = Duration::from_secs(20);
        until(line, within, async || relay.metrics().await.lines().any(|it| it == line)).await;
    };
    counted("qrvey_relay_upstream_in_flight 1").await;
    left.abort();
    counted(r#"qrvey_relay_requests_total{route="composer-token",outcome="aborted"} 1"#).await;
    counted("qrvey_relay_requests_in_flight 0").await;
    release.send(()).unwrap();
    assert_eq!(outcome(relay.composer()).await.0, 200);
    counted(r#"qrvey_relay_requests_total{route="composer-token",outcome="aborted"} 1"#).await;
}

#[tokio::test]
async fn a_reload_keeps_what_still_holds() {
    let world = World::new().await;
    let relay = world.relay(DEFAULT_PROFILE).await;
    assert_eq!(outcome(relay.composer()).await.0, 200);
    let reload = |rest: &str| {
        let config =
            qrvey_relay::Config::from_toml(&world.toml(rest), "relay.toml", &crate::support::environment());
        relay.relay.reload(config.unwrap()).unwrap();
    };
    reload(&format!("{DEFAULT_PROFILE}{ADMIN}"));
    assert_eq!(outcome(relay.composer()).await.0, 200);
    assert_eq!(world.minted().await.len(), 1);
    assert_eq!(outcome(relay.admin()).await.0, 200);
    reload(&DEFAULT_PROFILE.replace("\"app\"", "\"other-app\""));
    assert_eq!(outcome(relay.composer()).await.0, 200);
    assert_eq!(world.minted().await.last().unwrap()["appid"], "other-app");
    assert_eq!(refusal(relay.admin()).await.0, 404);
}
