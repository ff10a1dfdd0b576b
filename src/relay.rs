//! One request to a relay and the reading of its answer.

use gloo_net::http::Response;
use js_sys::JSON;
use qrvey_auth_wire::{Token, TokenAnswer};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestCache, RequestRedirect};

use crate::error::{AuthError, Code, Result};
use crate::host;
use crate::lifetime::JwtTimes;
use crate::object::{member, read};
use crate::options::Call;

/// Asks once.
///
/// # Errors
/// Every failure as an [`AuthError`]; whether to ask again is the caller's decision.
pub(crate) async fn ask(call: &Call, signal: &AbortSignal) -> Result<TokenAnswer> {
    let request = request(call, signal)?;
    // A replaced `fetch` may give what is no response.
    let response = host::send(&request, &call.headers).await.map_err(unreachable_relay)?;
    let response: web_sys::Response =
        response.dyn_into().map_err(|_| invalid_response("fetch gave something that is no Response"))?;
    let response = Response::from(response);
    let (ok, status, headers) = (response.ok(), response.status(), response.headers());
    // Not gloo-net's `text()`: it panics on a body that fails with anything but an `Error`.
    let body = JsFuture::from(web_sys::Response::from(response).text().map_err(unreachable_relay)?).await;
    let json = match &body {
        Ok(text) => text.as_string().and_then(|text| JSON::parse(&text).ok()),
        Err(_) if !ok => None,
        Err(cause) => return Err(unreachable_relay(cause.clone())),
    };
    if ok { read_answer(status, json) } else { Err(read_error(status, &headers, json)) }
}

fn request(call: &Call, signal: &AbortSignal) -> Result<web_sys::Request> {
    let unusable = |cause: JsValue| {
        if call.url.starts_with('/') && !host::has_location() {
            AuthError::new(
                Code::UnsupportedEnvironment,
                "there is no page here for the relay's relative URL to start from: ask in the browser, or set \"relay\" to an absolute URL",
            )
        } else {
            AuthError::invalid_option("relay", "is no URL that can be requested (nor is \"endpoint\", if set)")
        }
        .caused_by(cause)
    };
    let headers = Headers::new().map_err(unusable)?;
    for name in ["content-type", "accept"] {
        headers.set(name, "application/json").map_err(unusable)?;
    }
    let init = web_sys::RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers);
    init.set_credentials(call.credentials);
    // A forced refresh tells the relay, by the header `Cache-Control: max-age=0`, not to answer
    // with a token it holds.
    init.set_cache(if call.force_refresh { RequestCache::NoCache } else { RequestCache::Default });
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(signal));
    init.set_body(&call.body.as_str().into());
    web_sys::Request::new_with_str_and_init(&call.url, &init).map_err(unusable)
}

fn read_answer(status: u16, json: Option<JsValue>) -> Result<TokenAnswer> {
    json.and_then(|json| parse_answer(&json)).ok_or_else(|| {
        let mut error = invalid_response(
            "the answer is no JSON with a usable \"token\": is something else, such as the app's HTML fallback, served at the relay's address?",
        );
        error.status = Some(status);
        error
    })
}

fn parse_answer(json: &JsValue) -> Option<TokenAnswer> {
    Some(TokenAnswer {
        token: Token::parse(read::<String>(json, "token").ok()??).ok()?,
        expires_in: read(json, "expires_in").ok()?,
        grant: read(json, "grant").ok()?,
        domain: read(json, "domain").ok()?,
    })
}

fn read_error(status: u16, headers: &gloo_net::http::Headers, json: Option<JsValue>) -> Box<AuthError> {
    let problem = json.unwrap_or_default();
    let code = member(&problem, "code").as_string();
    let mut error = AuthError::from_status(status, code.as_deref());
    error.retry_after_s = headers.get("retry-after").and_then(|value| retry_after_s(&value));
    let request_id = member(&problem, "request_id").as_string();
    error.request_id =
        request_id.filter(|id| id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_graphic()));
    error
}

/// `Retry-After` in seconds from now: a number, or an HTTP date.
fn retry_after_s(value: &str) -> Option<f64> {
    let seconds = value
        .trim()
        .parse::<u32>()
        .map_or_else(|_| (js_sys::Date::parse(value) - host::wall_ms()) / 1_000.0, f64::from);
    (!seconds.is_nan()).then_some(seconds.max(0.0))
}

/// The times of a readable token (a signed JWT); `None` for opaque ones, which are the normal case.
pub(crate) fn jwt_times(token: &str) -> Option<JwtTimes> {
    let (_, rest) = token.split_once('.')?;
    let (payload, signature) = rest.split_once('.')?;
    if signature.contains('.') {
        return None;
    }
    let claims = JSON::parse(&host::atob(&payload.replace('-', "+").replace('_', "/")).ok()?).ok()?;
    Some(JwtTimes { exp_s: member(&claims, "exp").as_f64()?, iat_s: member(&claims, "iat").as_f64()? })
}

fn unreachable_relay(cause: JsValue) -> Box<AuthError> {
    AuthError::new(
        Code::RelayUnreachable,
        "the relay cannot be reached: offline, not running, a wrong address, or the page's connect-src or CORS forbids it",
    )
    .caused_by(cause)
}

fn invalid_response(message: &'static str) -> Box<AuthError> {
    AuthError::new(Code::InvalidResponse, message)
}
