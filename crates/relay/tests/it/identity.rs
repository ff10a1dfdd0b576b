use std::time::Duration;

use serde_json::json;
use wiremock::matchers::header;
use wiremock::{Mock, ResponseTemplate};

use crate::support::{ADMIN, COOKIE, DEFAULT_PROFILE, RunningRelay, World, outcome, refusal, toml_for};

async fn host_answers(template: ResponseTemplate) -> (u16, String) {
    let world = World::new().await;
    Mock::given(header("cookie", COOKIE)).respond_with(template).with_priority(1).mount(&world.host).await;
    let relay = world.relay(DEFAULT_PROFILE).await;
    let refused = refusal(relay.composer()).await;
    assert_eq!(world.minted().await.len(), 0);
    refused
}

#[tokio::test]
async fn only_cookie_and_authorization_reach_the_host_application() {
    let world = World::new().await;
    let relay = world.relay(DEFAULT_PROFILE).await;
    let request =
        relay.composer().header("authorization", "Bearer t").header("x-user", "root").header("x-other", "1");
    assert_eq!(outcome(request).await.0, 200);
    let asked = world.host.received_requests().await.unwrap();
    let mut names: Vec<_> = asked[0].headers.keys().map(|name| name.as_str().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["accept", "authorization", "cookie", "host", "user-agent", "x-request-id"]);
    assert_eq!(asked[0].headers["cookie"], COOKIE);
    assert_eq!(asked[0].method.as_str(), "GET");
    assert!(asked[0].body.is_empty());
}

#[tokio::test]
async fn what_the_host_application_says_decides() {
    let not_signed_in = (401, "not_signed_in".to_owned());
    let unavailable = (503, "upstream_unavailable".to_owned());
    assert_eq!(host_answers(ResponseTemplate::new(401)).await, not_signed_in);
    let to_login = ResponseTemplate::new(302).insert_header("location", "/login");
    assert_eq!(host_answers(to_login).await, not_signed_in);
    assert_eq!(host_answers(ResponseTemplate::new(403)).await, (403, "forbidden".into()));
    assert_eq!(host_answers(ResponseTemplate::new(500)).await, unavailable);
    assert_eq!(host_answers(ResponseTemplate::new(204)).await, unavailable);
    assert_eq!(host_answers(ResponseTemplate::new(200).set_body_string("<html>")).await, unavailable);
    assert_eq!(host_answers(ResponseTemplate::new(200).set_body_json(json!(["ada"]))).await, unavailable);
    let huge = json!({ "sub": "a".repeat(100_000) });
    assert_eq!(host_answers(ResponseTemplate::new(200).set_body_json(huge)).await, unavailable);
    // Signed in, but the claims that the profile needs are not there.
    assert_eq!(
        host_answers(ResponseTemplate::new(200).set_body_json(json!({}))).await,
        (403, "forbidden".into())
    );
}

#[tokio::test]
async fn a_host_application_that_hangs_or_is_gone_costs_its_time_limit() {
    let world = World::new().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(30));
    Mock::given(header("cookie", COOKIE)).respond_with(slow).with_priority(1).mount(&world.host).await;
    let toml = world.toml(DEFAULT_PROFILE).replace("timeout = \"1m\"", "timeout = \"200ms\"");
    let relay = RunningRelay::start(&toml).await;
    let refused = tokio::time::timeout(Duration::from_secs(10), refusal(relay.composer())).await;
    assert_eq!(refused.unwrap(), (503, "upstream_unavailable".into()));

    let gone =
        RunningRelay::start(&toml_for(&world.platform.uri(), "http://127.0.0.1:1", DEFAULT_PROFILE)).await;
    assert_eq!(refusal(gone.composer()).await, (503, "upstream_unavailable".into()));
}

/// An `[identity]` section in which everybody is one visitor.
pub(crate) const ANONYMOUS: &str =
    "mode = \"anonymous\"\nclaims = { sub = \"visitor\", tenants = [\"public\"] }";

pub(crate) fn with_identity(world: &World, identity: &str) -> String {
    let toml = world.toml(DEFAULT_PROFILE);
    let (start, end) = (toml.find("[identity]").unwrap(), toml.find("[profiles").unwrap());
    format!("{}[identity]\n{identity}\n{}", &toml[..start], &toml[end..])
}

#[tokio::test]
async fn headers_of_a_trusted_proxy_are_claims_and_those_of_others_are_nothing() {
    let world = World::new().await;
    let identity = |proxy: &str| {
        format!(
            r#"mode = "header"
            trusted_proxies = ["{proxy}"]
            claims = {{ sub = "x-user", tenants = {{ header = "x-tenants", separator = "," }} }}"#
        )
    };
    let trusted = RunningRelay::start(&with_identity(&world, &identity("127.0.0.0/8"))).await;
    let ask =
        |relay: &RunningRelay| relay.composer().header("x-user", "ada").header("x-tenants", "aurora, basalt");
    assert_eq!(outcome(ask(&trusted)).await.0, 200);
    let body = &world.minted().await[0];
    assert_eq!(body["clientid"], "ada");
    assert_eq!(body["permissions"][0]["record_permissions"][0]["values"], json!(["aurora", "basalt"]));
    assert_eq!(refusal(trusted.composer()).await, (401, "not_signed_in".into()));
    let other = RunningRelay::start(&with_identity(&world, &identity("10.0.0.0/8"))).await;
    assert_eq!(refusal(ask(&other)).await, (401, "not_signed_in".into()));
    // The cookie that would do in another mode is worth nothing here.
    assert_eq!(world.host.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn anonymous_visitors_share_the_written_claims_and_are_counted_by_address() {
    let world = World::new().await;
    let toml = with_identity(&world, ANONYMOUS) + "\n[limits]\nrequests_per_minute = 1\n";
    let relay = RunningRelay::start(&format!("trusted_proxies = [\"127.0.0.1\"]\n{toml}")).await;
    let from = |address: &str| relay.composer().header("x-forwarded-for", address);
    assert_eq!(outcome(from("198.51.100.1")).await.0, 200);
    assert_eq!(world.minted().await[0]["clientid"], "visitor");
    assert_eq!(refusal(from("198.51.100.1")).await.0, 429);
    assert_eq!(outcome(from("198.51.100.2")).await.0, 200);
}

#[tokio::test]
async fn the_admin_token_is_for_those_who_meet_its_requirement() {
    let world = World::new().await;
    let relay = world.relay(&ADMIN.replace("qrvey-admin", "somebody-else")).await;
    assert_eq!(refusal(relay.admin()).await, (403, "forbidden".into()));
    assert_eq!(refusal(relay.composer()).await, (404, "unknown_profile".into()));
    assert_eq!(world.minted().await.len(), 0);
}

#[tokio::test]
async fn who_is_signed_in_is_believed_for_a_moment_and_a_refusal_never() {
    let world = World::new().await;
    let toml = world.toml(DEFAULT_PROFILE).replace("[identity]", "[identity]\ncache_ttl = \"3s\"");
    let relay = RunningRelay::start(&toml).await;
    let asked = async || world.host.received_requests().await.unwrap().len();
    let refused =
        || relay.client.post(relay.url("/qrvey/composer-token")).header("cookie", "other").json(&json!({}));
    for _ in 0..3 {
        assert_eq!(refusal(refused()).await.0, 401);
    }
    assert_eq!(asked().await, 3);
    let at_once = futures_util::future::join_all((0..20).map(|_| outcome(relay.composer()))).await;
    assert!(at_once.iter().all(|(status, _)| *status == 200));
    assert_eq!(asked().await, 4);
    // The same cookie with another Authorization header is another caller.
    assert_eq!(outcome(relay.composer().header("authorization", "Bearer x")).await.0, 200);
    assert_eq!(asked().await, 5);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(outcome(relay.composer()).await.0, 200);
    assert_eq!(asked().await, 6);
    // Sign-out drops it at once.
    let sign_out = relay.client.delete(relay.url("/qrvey/tokens")).header("cookie", COOKIE);
    assert_eq!(outcome(sign_out).await.0, 204);
    assert_eq!(outcome(relay.composer()).await.0, 200);
    assert_eq!(asked().await, 7);
}

#[tokio::test]
async fn a_trace_goes_on_to_the_host_application_and_not_to_the_platform() {
    let world = World::new().await;
    let relay = world.relay(DEFAULT_PROFILE).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = relay.composer().header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    assert_eq!(outcome(request).await.0, 200);
    let at_host = world.host.received_requests().await.unwrap();
    let passed_on = at_host[0].headers["traceparent"].to_str().unwrap();
    assert!(passed_on.contains(trace) && !passed_on.contains("00f067aa0ba902b7"));
    assert!(!world.platform.received_requests().await.unwrap()[0].headers.contains_key("traceparent"));
}
