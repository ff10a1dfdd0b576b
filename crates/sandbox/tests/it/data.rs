use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::running::{Running, tenant};

async fn rows(running: &Running, token: &str, query: Value) -> Vec<Value> {
    let response = running.query(token, &query).await;
    assert_eq!(response.status(), 200);
    let answer: Value = response.json().await.unwrap();
    answer["rows"].as_array().unwrap().clone()
}

#[tokio::test]
async fn each_tenant_sees_its_own_rows() {
    let running = Running::start().await;
    for name in ["aurora", "basalt"] {
        let token = running.tenant_token(name).await;
        for dataset in ["orders", "tickets"] {
            let rows = rows(&running, &token, json!({"dataset": dataset, "limit": 500})).await;
            assert!(rows.len() > 40 && rows.iter().all(|row| row["tenant"] == name), "{name} {dataset}");
        }
    }
}

#[tokio::test]
async fn nested_rules_reach_the_rows() {
    let running = Running::start().await;
    let permissions = json!([{"dataset_id": ["orders"], "record_permissions": [
        {"security_name": "tenant", "values": ["aurora"]},
        {"operator": "OR", "record_permissions": [
            {"security_name": "status", "values": ["Open"]},
            {"security_name": "amount", "validation_type": "GREATER_THAN", "values": [2000]},
        ]},
    ]}]);
    let token = running.token(&json!({"version": "2", "permissions": permissions})).await;
    let rows = rows(&running, &token, json!({"dataset": "orders", "limit": 500})).await;
    assert!(rows.len() > 10 && rows.len() < 132);
    let allowed = |row: &Value| {
        row["tenant"] == "aurora" && (row["status"] == "Open" || row["amount"].as_f64().unwrap() > 2000.0)
    };
    assert!(rows.iter().all(allowed));
}

#[tokio::test]
async fn a_token_is_needed_in_one_of_the_headers() {
    let running = Running::start().await;
    let token = running.tenant_token("aurora").await;
    let ask = |name: &'static str, value: String| {
        let request = running.client.get(format!("{}/data/v1/pages", running.origin));
        async move { request.header(name, value).send().await.unwrap().status().as_u16() }
    };
    assert_eq!(ask("x-qv-token", token.clone()).await, 200);
    assert_eq!(ask("authorization", token.clone()).await, 200);
    assert_eq!(ask("authorization", format!("Bearer {token}")).await, 200);
    assert_eq!(ask("authorization", "Bearer nonsense".into()).await, 401);
    assert_eq!(ask("x-other", token).await, 401);
}

#[tokio::test]
async fn tokens_end_by_the_clock_and_by_revocation() {
    let running = Running::start().await;
    let query = json!({"dataset": "orders", "limit": 1});
    let token = running.token(&json!({"expiresIn": "30s"})).await;
    assert_eq!(running.query(&token, &query).await.status(), 200);
    running.post("/_sandbox/clock", &json!({"advance_ms": 30_000})).await;
    let expired = running.query(&token, &query).await;
    assert_eq!(expired.status(), 401);
    assert_eq!(expired.json::<Value>().await.unwrap()["error"], "token_expired");
    let token = running.tenant_token("aurora").await;
    running.post("/_sandbox/revoke", &json!({})).await;
    let revoked = running.query(&token, &query).await;
    assert_eq!(revoked.json::<Value>().await.unwrap()["error"], "token_revoked");
}

#[tokio::test]
async fn a_readable_token_can_be_read() {
    let running = Running::start().await;
    running.post("/_sandbox/faults", &json!({"token_format": "readable"})).await;
    let token = running.token(&json!({"expiresIn": "10m"})).await;
    assert!(token.starts_with("eyJraWQiOi") && token.split('.').count() == 3);
    assert_eq!(running.query(&token, &json!({"dataset": "orders"})).await.status(), 200);
}

#[tokio::test]
async fn asset_permissions_narrow_pages_and_datasets() {
    let running = Running::start().await;
    let assets = json!({
        "pages": {"page_ids": ["sales"]},
        "metrics": {"metric_ids": []},
        "datasets": {"dataset_ids": ["orders"]},
    });
    let token = running.token(&json!({"asset_permissions": assets})).await;
    let request =
        running.client.get(format!("{}/data/v1/pages", running.origin)).header("x-qv-token", &token);
    let pages: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(pages["pages"].as_array().unwrap().len(), 1);
    let items = pages["pages"][0]["items"].as_array().unwrap();
    assert!(items.len() == 4 && items.iter().all(|item| item["type"] != "METRIC"));
    assert_eq!(running.query(&token, &json!({"dataset": "tickets"})).await.status(), 403);
}

#[tokio::test]
async fn an_export_streams_the_tenants_rows() {
    let running = Running::start().await;
    let token = running.tenant_token("basalt").await;
    let body = json!({"query": {"dataset": "tickets"}, "format": "csv", "pace_ms": 20});
    let request = running.client.post(format!("{}/data/v1/export", running.origin));
    let started = Instant::now();
    let mut response = request.header("x-qv-token", token).json(&body).send().await.unwrap();
    assert_eq!(response.headers()["x-total-rows"], "48");
    let (mut first_at, mut text) = (None, String::new());
    while let Some(chunk) = response.chunk().await.unwrap() {
        first_at.get_or_insert_with(|| started.elapsed());
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(started.elapsed() - first_at.unwrap() > Duration::from_millis(100), "it came at once");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 49);
    assert!(lines[1..].iter().all(|line| line.contains("basalt")) && !text.contains("aurora"));
}

#[tokio::test]
async fn what_a_user_keeps_belongs_to_the_clientid() {
    let running = Running::start().await;
    let url = format!("{}/data/v1/personal/draft", running.origin);
    let (ada, bo) = (running.tenant_token("aurora").await, running.tenant_token("basalt").await);
    let put =
        running.client.put(&url).header("x-qv-token", &ada).json(&json!({"title": "Mine"})).send().await;
    assert_eq!(put.unwrap().status(), 204);
    let get = async |token: &str| {
        let response = running.client.get(&url).header("x-qv-token", token).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    assert_eq!(get(&ada).await, (200, json!({"title": "Mine"})));
    assert_eq!(get(&bo).await, (200, Value::Null));
    let nobody = running.token(&json!({"version": "2", "permissions": tenant("aurora")})).await;
    assert_eq!(get(&nobody).await.0, 403);
}

#[tokio::test]
async fn a_download_takes_its_time_and_gives_a_file() {
    let running = Running::start().await;
    let token = running.tenant_token("aurora").await;
    let url = format!("{}/data/v1/downloads", running.origin);
    let body = json!({"name": "Open orders", "query": {"dataset": "orders", "filters": [{"column": "status", "values": ["Open"]}]}});
    let started = running.client.post(&url).header("x-qv-token", &token).json(&body).send().await.unwrap();
    assert_eq!(started.status(), 201);
    let job: Value = started.json().await.unwrap();
    let file = async || {
        let request = running.client.get(format!("{url}/{}/file", job["id"])).header("x-qv-token", &token);
        request.send().await.unwrap()
    };
    assert_eq!(file().await.status(), 409);
    running.post("/_sandbox/clock", &json!({"advance_ms": 5_000})).await;
    let text = file().await.text().await.unwrap();
    assert_eq!(text.lines().count() as u64, job["rows"].as_u64().unwrap() + 1);
}

#[tokio::test]
async fn a_download_that_cannot_be_leaves_the_others_in_sight() {
    let running = Running::start().await;
    let token = running.tenant_token("aurora").await;
    let url = format!("{}/data/v1/downloads", running.origin);
    let names = async |token: &str| {
        let response = running.client.get(&url).header("x-qv-token", token).send().await.unwrap();
        let list: Value = response.json().await.unwrap();
        let jobs = list["jobs"].as_array().unwrap();
        jobs.iter().map(|job| job["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let wrong = json!({"name": "Wrong", "query": {"dataset": "orders", "filters": [{"column": "weight", "values": []}]}});
    let refused = running.client.post(&url).header("x-qv-token", &token).json(&wrong).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(names(&token).await, ["Orders of the year", "Support tickets"]);
    let orders_only =
        json!({"clientid": "dan", "asset_permissions": {"datasets": {"dataset_ids": ["orders"]}}});
    assert_eq!(names(&running.token(&orders_only).await).await, ["Orders of the year"]);
    for far in [i64::MAX, i64::MIN, i64::MIN] {
        running.post("/_sandbox/clock", &json!({"advance_ms": far})).await;
        assert_eq!(names(&running.tenant_token("aurora").await).await.len(), 2, "{far}");
    }
}

#[tokio::test]
async fn the_assistant_answers_word_by_word_about_the_tenants_rows() {
    let running = Running::start().await;
    let token = running.tenant_token("basalt").await;
    let request = running.client.post(format!("{}/data/v1/assistant", running.origin));
    let body = json!({"question": "Which region brings most?"});
    let text = request.header("authorization", format!("Bearer {token}")).json(&body).send().await.unwrap();
    let lines: Vec<Value> =
        text.text().await.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 10 && lines.last().unwrap()["done"] == true);
    let line = lines.iter().find(|line| line.get("rows").is_some()).unwrap();
    assert_eq!(line["query"]["measure"], "amount", "what the figures count");
    let figures = line["rows"].as_array().unwrap();
    assert!(figures.iter().all(|figure| figure["tenants"] == json!(["basalt"])));
}

#[tokio::test]
async fn a_form_needs_no_token() {
    let running = Running::start().await;
    let url = format!("/forms/v1/{}", qrvey_sandbox::platform::FORM_HASH);
    let form = running.client.get(format!("{}{url}", running.origin)).send().await.unwrap();
    assert_eq!(form.status(), 200);
    let answers = format!("{url}/answers");
    assert_eq!(running.post(&answers, &json!({"rating": "Great"})).await.status(), 400);
    assert_eq!(running.post(&answers, &json!({"order": "AU-1000", "rating": "Great"})).await.status(), 201);
}

#[tokio::test]
async fn pages_of_other_origins_may_ask() {
    let running = Running::start().await;
    let request =
        running.client.request(reqwest::Method::OPTIONS, format!("{}/data/v1/query", running.origin));
    let preflight = request
        .header("origin", "https://host.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,x-qv-token,content-type")
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
    let allowed = preflight.headers()["access-control-allow-headers"].to_str().unwrap().to_lowercase();
    assert!(allowed.contains("authorization") && allowed.contains("x-qv-token"), "{allowed}");
}
