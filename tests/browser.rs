//! The glue between Rust and the page, inside a real browser: what needs no server.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test")]

use js_sys::{Function, JSON, Object, Promise, Reflect};
use qrvey_auth::{Client, start};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Connects the module to a page whose `fetch` is `body`, and gives a client with `defaults`.
fn client(defaults: &str, fetch: &str) -> Client {
    let host = eval(
        "({ error: (details, cause) => Object.assign(new Error(details.message, { cause }), details), panicked() {}, tell() {}, takeTurn: async () => {}, send: async (request) => fetch(request) })",
    );
    start(host.unchecked_into());
    let script =
        ["globalThis.asked = []; globalThis.fetch = async (request) => { asked.push(request); ", fetch, "}"];
    eval(&script.concat());
    Client::new(&eval(&["(", defaults, ")"].concat()), Function::new_no_args(""))
}

fn eval(script: &str) -> JsValue {
    js_sys::eval(script).unwrap()
}

fn text(value: &JsValue, key: &str) -> String {
    let value = Reflect::get(value, &key.into()).unwrap();
    value.as_string().unwrap_or_else(|| String::from(JSON::stringify(&value).unwrap()))
}

async fn settle(answer: Result<JsValue, JsValue>) -> Result<JsValue, JsValue> {
    match answer?.dyn_into::<Promise>() {
        Ok(promise) => JsFuture::from(promise).await,
        Err(at_once) => Ok(at_once),
    }
}

const TOKEN: &str = "return new Response('{\"token\":\"T\",\"expires_in\":60}')";

#[wasm_bindgen_test]
async fn a_token_is_a_promise_first_and_at_hand_afterwards() {
    let client = client("{}", TOKEN);
    let first = client.composer(&JsValue::UNDEFINED, false).unwrap();
    assert!(first.is_instance_of::<Promise>());
    assert_eq!(settle(Ok(first)).await.unwrap(), "T");
    assert_eq!(client.composer(&JsValue::UNDEFINED, false).unwrap(), "T");
    client.clear();
    assert!(client.composer(&JsValue::UNDEFINED, false).unwrap().is_instance_of::<Promise>());
}

#[wasm_bindgen_test]
async fn the_request_is_the_wire_contract() {
    let client = client("{ profile: 'a\"b' }", TOKEN);
    settle(client.composer(&JsValue::UNDEFINED, false)).await.unwrap();
    let request: web_sys::Request = eval("asked[0]").unchecked_into();
    assert_eq!(request.method(), "POST");
    assert!(request.url().ends_with("/qrvey/composer-token"), "{}", request.url());
    assert_eq!(request.headers().get("content-type").unwrap().as_deref(), Some("application/json"));
    let body = JsFuture::from(request.text().unwrap()).await.unwrap();
    assert_eq!(body, r#"{"profile":"a\"b"}"#);
}

#[wasm_bindgen_test]
fn wrong_options_are_named_at_once() {
    let client = client("{}", TOKEN);
    for (options, key) in
        [("{ nonsense: 1 }", "nonsense"), ("{ timeoutMs: [] }", "timeoutMs"), ("{ relay: {} }", "relay")]
    {
        let error = client.composer(&eval(&["(", options, ")"].concat()), false).unwrap_err();
        assert_eq!(text(&error, "code"), "invalid_options");
        assert!(text(&error, "message").contains(key), "{}", text(&error, "message"));
    }
}

#[wasm_bindgen_test]
async fn a_problem_document_becomes_an_error() {
    let script = "return new Response('{\"code\":\"rate_limited\",\"request_id\":\"r 1\"}', { status: 429, headers: { 'retry-after': '7' } })";
    let client = client("{ retries: 0 }", script);
    let error = settle(client.admin(&JsValue::UNDEFINED)).await.unwrap_err();
    assert_eq!(text(&error, "code"), "rate_limited");
    assert_eq!(text(&error, "retryAfter"), "7");
    assert_eq!(text(&error, "retryable"), "true");
    assert!(Reflect::get(&error, &"requestId".into()).unwrap().is_undefined(), "an id with a space is no id");
}

#[wasm_bindgen_test]
async fn a_details_answer_holds_what_is_known_and_no_more() {
    let client = client("{ detailedResponse: true }", "return new Response('{\"token\":\"a.b.c.d.e\"}')");
    let detailed = settle(client.composer(&JsValue::UNDEFINED, false)).await.unwrap();
    assert_eq!(Object::keys(detailed.unchecked_ref::<Object>()).length(), 1);
    assert_eq!(text(&detailed, "token"), "a.b.c.d.e");
}

#[wasm_bindgen_test]
async fn an_abort_passes_the_reason_on_and_removes_its_listener() {
    let client = client("{}", "return new Promise(() => {})");
    let controller = eval(
        "(() => { const c = new AbortController(); let n = 0; const s = c.signal;
          const { addEventListener: a, removeEventListener: r } = s;
          s.addEventListener = function (...x) { n += 1; return a.apply(this, x) };
          s.removeEventListener = function (...x) { n -= 1; return r.apply(this, x) };
          return { signal: s, abort: () => c.abort(Symbol.for('mine')), listeners: () => n } })()",
    );
    let options = Object::new();
    Reflect::set(&options, &"signal".into(), &Reflect::get(&controller, &"signal".into()).unwrap()).unwrap();
    let answer = client.composer(&options, false);
    let abort: Function = Reflect::get(&controller, &"abort".into()).unwrap().unchecked_into();
    abort.call0(&controller).unwrap();
    let reason = settle(answer).await.unwrap_err();
    assert_eq!(reason, eval("Symbol.for('mine')"));
    let listeners: Function = Reflect::get(&controller, &"listeners".into()).unwrap().unchecked_into();
    assert_eq!(listeners.call0(&controller).unwrap(), 0);
}
