use serde_json::{Value, json};

use crate::running::{ACCESS_KEY, ADMIN_USERNAME, Running};

#[tokio::test]
async fn three_generations_of_login_give_a_token_that_works() {
    let running = Running::start().await;
    for path in ["/api/admin/v6/login", "/admin/api/v5/login", "/login"] {
        let response =
            running.post(path, &json!({"username": ADMIN_USERNAME, "accessKey": ACCESS_KEY})).await;
        assert_eq!(response.status(), 200, "{path}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["status"], true);
        let status = running.client.get(format!("{}/api/admin/v6/status", running.origin));
        let status = status.header("authorization", answer["token"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(status.status(), 200);
    }
    let log = running.log().await;
    assert_eq!(log["mints"]["admin"], 3);
    assert_eq!(log["entries"][0]["secret_in"], json!(["body:accessKey", "body:username"]));
    assert!(!log.to_string().contains("canary"));
}

#[tokio::test]
async fn wrong_or_missing_credentials_are_refused() {
    let running = Running::start().await;
    let login = async |body: Value| running.post("/api/admin/v6/login", &body).await.status();
    assert_eq!(login(json!({"username": ADMIN_USERNAME, "accessKey": "wrong"})).await, 401);
    assert_eq!(login(json!({"username": "wrong", "accessKey": ACCESS_KEY})).await, 401);
    assert_eq!(login(json!({"username": ADMIN_USERNAME})).await, 400);
}

#[tokio::test]
async fn the_two_tokens_do_not_stand_in_for_each_other() {
    let running = Running::start().await;
    let composer = running.tenant_token("aurora").await;
    let status = running.client.get(format!("{}/api/admin/v6/status", running.origin));
    assert_eq!(status.header("authorization", composer).send().await.unwrap().status(), 401);
    let body = json!({"username": ADMIN_USERNAME, "accessKey": ACCESS_KEY});
    let admin: Value = running.post("/login", &body).await.json().await.unwrap();
    let query = json!({"dataset": "orders"});
    assert_eq!(running.query(admin["token"].as_str().unwrap(), &query).await.status(), 401);
}
