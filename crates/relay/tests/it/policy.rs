//! What reaches the platform: the policy with the caller's claims, and nothing of the browser's.

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use serde_json::{Value, json};
use wiremock::matchers::header;
use wiremock::{Mock, ResponseTemplate};

use crate::support::{API_KEY, COOKIE, DEFAULT_PROFILE, TENANT, World, outcome, refusal};

const EVERYTHING: &str = r#"
[profiles.default]
userid = { claim = "sub" }
appid = "app"
clientid = { claim = ["org", "id"] }
expires_in = { claim = "lifetime" }
org_id = "org:0"
dashboard_id = "d1"
pageid = "p1"
qrveyid = "q1"
feature_permission = { export = true, owner = { claim = "sub" }, list = [1, { claim = "level" }], groups = { claim = "tenants" } }
styles = { theme = "dark" }
require = { claim = "roles", contains = "analyst" }

[profiles.default.asset_permissions]
pages = { page_ids = ["page", { claim = "sub" }] }
summaries = { question_ids = { claim = "tenants" } }

[[profiles.default.permissions]]
dataset_id = "*"
operator = "OR"
record_permissions = [
  { security_name = "tenant", values = { claim = "tenants" } },
  { operator = "AND", record_permissions = [
    { security_name = "level", validation_type = "LESS_THAN_OR_EQUAL", values = [{ claim = "level" }, 3, true], group_value = 1 },
    { security_name = "note", validation_type = "IS_NOT_EMPTY" },
    { record_permissions = [{ security_name = "deep", validation_type = { claim = "how" }, values = ["x"] }] },
  ] },
]

[[profiles.default.permissions]]
dataset_id = ["a", { claim = "sub" }]
record_permissions = [{ security_name = "all", values = ["*"] }]
"#;

async fn signed_in_as(world: &World, claims: Value) {
    let answer = ResponseTemplate::new(200).set_body_json(claims);
    Mock::given(header("cookie", COOKIE)).respond_with(answer).with_priority(1).mount(&world.host).await;
}

#[tokio::test]
async fn the_platform_gets_exactly_the_policy_with_the_claims_put_in() {
    let world = World::new().await;
    let relay = world.relay(EVERYTHING).await;
    signed_in_as(
        &world,
        json!({
            "sub": "ada", "org": { "id": "org-1" }, "lifetime": "30s", "tenants": ["aurora", "basalt"],
            "level": 7, "how": "START_WITH", "roles": ["analyst"],
            "permissions": [{ "dataset_id": "*" }], "appid": "other", "{ claim = \"sub\" }": "x",
        }),
    )
    .await;
    assert_eq!(outcome(relay.composer()).await.0, 200);
    let expected = json!({
        "userid": "ada", "appid": "app", "clientid": "org-1", "expiresIn": "30s", "orgId": "org:0", "version": "2",
        "dashboardId": "d1", "pageid": "p1", "qrveyid": "q1",
        "featurePermission": { "export": true, "owner": "ada", "list": [1, 7], "groups": ["aurora", "basalt"] },
        "styles": { "theme": "dark" },
        "asset_permissions": {
            "pages": { "page_ids": ["page", "ada"] },
            "summaries": { "question_ids": ["aurora", "basalt"] },
        },
        "permissions": [
            {
                "dataset_id": "*", "operator": "OR", "record_permissions": [
                    { "security_name": "tenant", "values": ["aurora", "basalt"] },
                    { "operator": "AND", "record_permissions": [
                        { "security_name": "level", "validation_type": "LESS_THAN_OR_EQUAL",
                          "values": [7, 3, true], "group_value": 1 },
                        { "security_name": "note", "validation_type": "IS_NOT_EMPTY", "values": [] },
                        { "record_permissions": [
                            { "security_name": "deep", "validation_type": "START_WITH", "values": ["x"] },
                        ] },
                    ] },
                ],
            },
            { "dataset_id": ["a", "ada"], "record_permissions": [{ "security_name": "all", "values": ["*"] }] },
        ],
    });
    assert_eq!(world.minted().await, [expected]);
}

#[tokio::test]
async fn claims_that_do_not_fit_are_403_and_reach_nobody() {
    let good = json!({
        "sub": "ada", "org": { "id": "org-1" }, "lifetime": "30s", "tenants": ["aurora"], "level": 7,
        "how": "EQUAL", "roles": ["analyst"],
    });
    for (claim, bad) in [
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!("*")),
        ("sub", json!(7)),
        ("org", json!("org-1")),
        ("org", json!({})),
        ("lifetime", json!("2w")),
        ("lifetime", json!("soon")),
        ("lifetime", json!(30)),
        ("tenants", json!([])),
        ("tenants", json!("aurora")),
        ("tenants", json!(["aurora", "*"])),
        ("tenants", json!(["aurora", null])),
        ("tenants", json!([["aurora"]])),
        ("tenants", json!([{ "claim": "sub" }])),
        ("level", json!("*")),
        ("level", json!([7])),
        ("how", json!("EXPLODE")),
        ("roles", json!(["viewer"])),
        ("roles", json!("analyst")),
    ] {
        let world = World::new().await;
        let relay = world.relay(EVERYTHING).await;
        let mut claims = good.clone();
        claims[claim] = bad.clone();
        signed_in_as(&world, claims).await;
        assert_eq!(refusal(relay.composer()).await, (403, "forbidden".into()), "{claim} = {bad}");
        assert_eq!(world.minted().await.len(), 0, "{claim} = {bad}");
    }
}

#[tokio::test]
async fn version_9_spells_its_keys_in_camel_case() {
    let world = World::new().await;
    let toml = world.toml(DEFAULT_PROFILE).replace("[qrvey]", "[qrvey]\nspelling = \"camel\"");
    let relay = crate::support::RunningRelay::start(&toml).await;
    assert_eq!(outcome(relay.composer()).await.0, 200);
    let body = &world.minted().await[0];
    assert_eq!(
        (&body["userId"], &body["appId"], &body["clientId"]),
        (&json!("composer"), &json!("app"), &json!("ada"))
    );
    assert!(body.get("userid").is_none());
}

/// What a visitor might try: headers, query, body.
fn tries() -> impl Strategy<Value = (Vec<(String, String)>, String, Value)> {
    let name = prop_oneof![
        Just("x-api-key".to_owned()),
        Just("x-forwarded-for".to_owned()),
        Just("x-user".to_owned()),
        Just("user-agent".to_owned()),
        Just("x-request-id".to_owned()),
        Just("traceparent".to_owned()),
        Just("accept-encoding".to_owned()),
        Just("forwarded".to_owned()),
        "x-[a-z]{1,10}",
    ];
    let canary = "BROWSER[a-zA-Z0-9]{0,12}";
    let headers = proptest::collection::vec((name, canary), 0..6);
    let keys = prop_oneof![
        Just("profile"),
        Just("clientid"),
        Just("permissions"),
        Just("domain"),
        Just("url"),
        Just("userid"),
        Just("expiresIn"),
        Just("__proto__"),
    ];
    let body = proptest::collection::btree_map(keys, canary.prop_map(Value::from), 0..3)
        .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Value>());
    (headers, "(\\?BROWSER[a-z]{1,8}=1)?", body)
}

#[test]
fn nothing_the_browser_sends_reaches_the_platform() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (world, relay) = runtime.block_on(async {
        let world = World::new().await;
        // No reuse, so that every accepted request is a mint.
        let limits = "[limits]\nrequests_per_minute = 0\nrequests_per_minute_per_address = 0\n[reuse]\nlifetime_percent = 0\n";
        let relay = world.relay(&format!("{DEFAULT_PROFILE}{limits}")).await;
        (world, relay)
    });
    let accepted = AtomicUsize::new(0);
    proptest!(ProptestConfig::with_cases(128), |((headers, query, body) in tries())| {
        let answer = runtime.block_on(async {
            let mut request = relay.post(&format!("/qrvey/composer-token{query}")).body(body.to_string());
            for (name, value) in &headers {
                request = request.header(name, value);
            }
            outcome(request).await.0
        });
        let only_profile = body.as_object().unwrap().keys().all(|key| key == "profile");
        let expected = match (only_profile, body.get("profile")) {
            (false, _) => 400,
            (true, None) => 200,
            (true, Some(_)) => 404,
        };
        prop_assert_eq!(answer, expected);
        accepted.fetch_add(usize::from(answer == 200), Ordering::Relaxed);
    });
    let requests = runtime.block_on(world.platform.received_requests()).unwrap();
    let accepted = accepted.into_inner();
    assert_eq!(requests.len(), accepted);
    assert!(accepted > 10);
    for request in requests {
        let seen =
            format!("{:?} {} {:?}", request.url, String::from_utf8_lossy(&request.body), request.headers);
        assert!(!seen.contains("BROWSER") && !seen.contains(COOKIE), "{seen}");
        let mut names: Vec<_> = request.headers.keys().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        assert_eq!(names, ["accept", "content-length", "content-type", "host", "user-agent", "x-api-key"]);
        assert_eq!(request.headers["x-api-key"], API_KEY);
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let expected = json!({
            "userid": "composer", "appid": "app", "clientid": "ada", "expiresIn": "10m", "version": "2",
            "permissions": [{ "dataset_id": "*", "record_permissions":
                [{ "security_name": "tenant", "values": [TENANT, "second"] }] }],
        });
        assert_eq!(body, expected);
    }
}
