use serde_json::{Value, json};

use crate::running::{API_KEY, Running};

const PATH: &str = "/devapi/v4/core/login/token";

#[tokio::test]
async fn a_token_is_answered_as_documented() {
    let running = Running::start().await;
    let answer: Value =
        running.login(&json!({"expiresIn": "10m", "clientid": "ada"})).await.json().await.unwrap();
    let token = answer["token"].as_str().unwrap();
    assert!(token.starts_with("eyJraWQiOi") && token.split('.').count() == 5);
    assert_eq!(answer.as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn the_key_is_asked_for_and_checked() {
    let running = Running::start().await;
    let body = json!({"userid": "builder", "appid": "orders-app"});
    let missing = running.post(PATH, &body).await;
    assert_eq!(missing.status(), 401);
    let request = running.client.post(format!("{}{PATH}", running.origin)).header("x-api-key", "wrong");
    let wrong = request.json(&body).send().await.unwrap();
    assert_eq!(wrong.status(), 403);
    let error: Value = wrong.json().await.unwrap();
    assert_eq!((&error["status"], &error["error"]), (&json!(false), &json!("api_key_wrong")));
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let running = Running::start().await;
    for (more, expected) in [
        (json!({"userid": "somebody"}), "no user"),
        (json!({"appid": "other-app"}), "no application"),
        (json!({"expiresIn": "soon"}), "`expiresIn`"),
        (json!({"permissions": [{"dataset_id": "*"}], "version": "2"}), "record_permissions: is missing"),
    ] {
        let response = running.login(&more).await;
        assert_eq!(response.status(), 400, "{more}");
        let error: Value = response.json().await.unwrap();
        assert!(error["message"].as_str().unwrap().contains(expected), "{more}: {error}");
    }
}

#[tokio::test]
async fn no_page_can_call_it() {
    let running = Running::start().await;
    let request = running.client.request(reqwest::Method::OPTIONS, format!("{}{PATH}", running.origin));
    let preflight = request
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-api-key")
        .send()
        .await
        .unwrap();
    assert!(preflight.headers().get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn the_journal_says_where_the_key_stood_and_never_what_it_is() {
    let running = Running::start().await;
    running.tenant_token("aurora").await;
    let stray = running.post(&format!("{PATH}?key={API_KEY}"), &json!({"note": API_KEY})).await;
    assert_eq!(stray.status(), 401);
    let log = running.log().await;
    assert_eq!(log["mints"], json!({"composer": 1, "admin": 0}));
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries[0]["secret_in"], json!(["header:x-api-key"]));
    assert_eq!((&entries[0]["status"], &entries[0]["minted"]), (&json!(200), &json!("composer")));
    assert_eq!(entries[0]["body"]["clientid"], "aurora");
    assert_eq!(entries[1]["secret_in"], json!(["path", "body:note"]));
    let text = log.to_string();
    assert!(!text.contains("canary") && !text.contains("eyJraWQiOi"), "{text}");
}
