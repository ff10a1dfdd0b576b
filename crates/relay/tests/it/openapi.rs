//! The description against the code: every documented answer is provoked, every answer is as
//! documented, and nothing else is answered.

use std::collections::BTreeSet;
use std::time::Duration;

use qrvey_auth_wire::ProblemCode;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use wiremock::matchers::method;
use wiremock::{Mock, ResponseTemplate};

use crate::support::{ADMIN, DEFAULT_PROFILE, RunningRelay, World};

fn document() -> Value {
    serde_yaml_ng::from_str(include_str!("../../openapi.yaml")).unwrap()
}

/// Follows a `$ref` within the document.
fn resolve<'a>(document: &'a Value, node: &'a Value) -> &'a Value {
    match node["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => node,
    }
}

fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut schema = resolve(document, schema).clone();
    schema["components"] = document["components"].clone();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

/// Sends a request and holds the answer against the operation's description.
async fn hold(document: &Value, path: &str, request: RequestBuilder) -> (String, u16) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    // Another method than the documented one is answered as that path describes 405.
    let operation = &document["paths"][path].as_object().unwrap().values().next().unwrap();
    let described = &operation["responses"][status.to_string()];
    assert!(!described.is_null(), "{path} answers {status}, which is not described");
    let described = resolve(document, described);
    for (name, header) in described["headers"].as_object().unwrap() {
        let text = response.headers().get(name).unwrap_or_else(|| panic!("{path} {status}: no {name}"));
        let text = text.to_str().unwrap();
        let value = text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number));
        let schema = &resolve(document, header)["schema"];
        assert!(validator(document, schema).is_valid(&value), "{path} {status}: {name} is {text}");
    }
    let Some(content) = described["content"].as_object() else {
        assert!(response.text().await.unwrap().is_empty());
        return (path.to_owned(), status);
    };
    let (media_type, content) = content.iter().next().unwrap();
    assert_eq!(response.headers()["content-type"], media_type.as_str());
    let body: Value = response.json().await.unwrap();
    let result = validator(document, &content["schema"]).validate(&body).map_err(|error| error.to_string());
    assert_eq!(result, Ok(()), "{path} {status}: {body}");
    if status >= 400 {
        let code = body["code"].as_str().unwrap();
        let description = described["description"].as_str().unwrap();
        assert!(
            description.contains(&format!("`{code}`")),
            "{path} {status}: {code} is not in {description}"
        );
    }
    (path.to_owned(), status)
}

#[test]
fn the_codes_are_those_of_the_contract() {
    let codes: Vec<_> = ProblemCode::ALL.map(|code| json!(code.as_str())).into();
    assert_eq!(document()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"], json!(codes));
}

#[tokio::test]
async fn every_described_answer_is_given_as_described() {
    let document = document();
    let mut seen = BTreeSet::new();
    let rest =
        format!("{DEFAULT_PROFILE}{ADMIN}[limits]\nbody_timeout = \"300ms\"\nupstream_timeout = \"400ms\"\n");
    let world = World::new().await;
    let relay = world.relay(&rest).await;
    let delete = || relay.client.delete(relay.url("/qrvey/tokens"));
    for path in ["/composer-token", "/admin-token"] {
        let post = || relay.post(&format!("/qrvey{path}"));
        let bare = relay.client.post(relay.url(&format!("/qrvey{path}")));
        let stalled = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
        for request in [
            post(),
            post().body("{\"x\":1}"),
            bare.json(&json!({})),
            post().header("origin", "https://evil.example"),
            relay.client.request(Method::PUT, relay.url(&format!("/qrvey{path}"))),
            post().body(reqwest::Body::wrap_stream(stalled)),
            post().body(vec![b' '; 100_000]),
            post().header("content-type", "text/plain"),
        ] {
            seen.insert(hold(&document, path, request).await);
        }
    }
    for request in [
        delete().header("cookie", crate::support::COOKIE),
        delete(),
        delete().header("authorization", "a").header("authorization", "b"),
        delete().header("origin", "null"),
        relay.post("/qrvey/tokens"),
    ] {
        seen.insert(hold(&document, "/tokens", request).await);
    }

    for (template, limit) in [
        (ResponseTemplate::new(401), ""),
        (ResponseTemplate::new(503), ""),
        (ResponseTemplate::new(200).set_delay(Duration::from_secs(10)), ""),
        (ResponseTemplate::new(401), "requests_per_minute_per_address = 1\n"),
    ] {
        let world = World::new().await;
        Mock::given(method("POST")).respond_with(template).with_priority(1).mount(&world.platform).await;
        let relay = world.relay(&format!("{rest}{limit}")).await;
        for path in ["/composer-token", "/admin-token"] {
            let post = || relay.post(&format!("/qrvey{path}"));
            seen.insert(hold(&document, path, post()).await);
            if !limit.is_empty() {
                seen.insert(hold(&document, path, post()).await);
                let sign_out = relay.client.delete(relay.url("/qrvey/tokens"));
                seen.insert(hold(&document, "/tokens", sign_out).await);
            }
        }
    }
    let gone = RunningRelay::start(&crate::support::toml_for(
        "http://127.0.0.1:1",
        "http://127.0.0.1:1",
        DEFAULT_PROFILE,
    ))
    .await;
    let sign_out = gone.client.delete(gone.url("/qrvey/tokens")).header("cookie", "a=b");
    seen.insert(hold(&document, "/tokens", sign_out).await);
    seen.insert(hold(&document, "/composer-token", relay.composer().body("{\"profile\":\"other\"}")).await);
    let closed = world.relay(DEFAULT_PROFILE).await;
    seen.insert(hold(&document, "/admin-token", closed.admin()).await);

    for (path, operations) in document["paths"].as_object().unwrap() {
        for status in
            operations.as_object().unwrap().values().next().unwrap()["responses"].as_object().unwrap().keys()
        {
            let status: u16 = status.parse().unwrap();
            // A fault of the relay cannot be provoked from outside; the router's own test does. Headers beyond
            // the limits are refused by the program's listener, which is not here; limits.rs does that.
            let is_seen = [431, 500].contains(&status) || seen.contains(&(path.clone(), status));
            assert!(is_seen, "{path} {status} is described and was never answered");
        }
    }
}

#[test]
fn the_requests_described_are_the_requests_taken() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    for (schema, taken, refused) in [
        (
            "ComposerRequest",
            &[json!({}), json!({ "profile": "a" }), json!({ "profile": null })][..],
            json!({ "x": 1 }),
        ),
        ("AdminRequest", &[json!({})], json!({ "profile": "a" })),
    ] {
        let validator = validator(&document, &schemas[schema]);
        assert!(taken.iter().all(|body| validator.is_valid(body)));
        assert!(!validator.is_valid(&refused));
    }
}
