//! `TokenOptions`: parsed, not trusted, and resolved into one [`Call`].

use qrvey_auth_wire::{ADMIN_TOKEN_PATH, COMPOSER_TOKEN_PATH, DEFAULT_BASE_PATH, TokenKind};
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Headers, RequestCredentials};

use crate::error::{AuthError, Code, Result};
use crate::object::{self, member};

const DEFAULT_TIMEOUT_MS: f64 = 10_000.0;
const DEFAULT_RETRIES: f64 = 2.0;
const MOST_RETRIES: f64 = 10.0;

/// Each key with what its value must be.
const KEYS: [(&str, &str); 14] = [
    ("relay", "must be a string: the relay's base URL"),
    ("endpoint", "must be a string: the full URL of a token endpoint"),
    ("body", "must be an object, and goes with \"endpoint\" only"),
    ("profile", "must be a string: the name of a profile in the relay's configuration"),
    ("headers", "must be headers as fetch takes them, or a function for them"),
    ("credentials", "must be \"same-origin\", \"include\" or \"omit\""),
    ("timeoutMs", "must be a positive number of milliseconds"),
    ("retries", "must be a whole number from 0 to 10"),
    ("signal", "must be an AbortSignal"),
    ("forceRefresh", "must be true or false"),
    ("minLifetimeMs", "must be a number of milliseconds, 0 or more"),
    ("lifetimeMs", "must be a positive number of milliseconds"),
    ("shareTabs", "must be true or false"),
    ("detailedResponse", "must be true or false"),
];

/// The options as a page gives them, per call or as a client's defaults.
#[derive(Debug, Clone, Default)]
pub(crate) struct TokenOptions {
    relay: Option<String>,
    endpoint: Option<String>,
    body: JsValue,
    profile: Option<String>,
    headers: JsValue,
    credentials: Option<String>,
    timeout_ms: Option<f64>,
    retries: Option<f64>,
    signal: JsValue,
    force_refresh: Option<bool>,
    min_lifetime_ms: Option<f64>,
    lifetime_ms: Option<f64>,
    share_tabs: Option<bool>,
    detailed_response: Option<bool>,
}

impl TokenOptions {
    /// Reads the options of a page.
    ///
    /// # Errors
    /// `invalid_options`, naming the key that is unknown or has a value of the wrong type.
    pub(crate) fn parse(options: &JsValue) -> Result<Self> {
        if options.is_undefined() || options.is_null() {
            return Ok(Self::default());
        }
        if !options.is_object() {
            return Err(AuthError::new(Code::InvalidOptions, "the options must be an object"));
        }
        for key in js_sys::Object::keys(options.unchecked_ref::<js_sys::Object>()) {
            let key = key.as_string().unwrap_or_default();
            if !KEYS.iter().any(|(known, _)| *known == key) {
                return Err(unknown_key(&key));
            }
        }
        // Key by key rather than as one struct: serde does not say at which key it stumbles, and reading
        // a struct of this size weighs 1 KB more.
        let parsed = Self {
            relay: read(options, "relay")?,
            endpoint: read(options, "endpoint")?,
            body: member(options, "body"),
            profile: read(options, "profile")?,
            headers: member(options, "headers"),
            credentials: read(options, "credentials")?,
            timeout_ms: read(options, "timeoutMs")?,
            retries: read(options, "retries")?,
            signal: member(options, "signal"),
            force_refresh: read(options, "forceRefresh")?,
            min_lifetime_ms: read(options, "minLifetimeMs")?,
            lifetime_ms: read(options, "lifetimeMs")?,
            share_tabs: read(options, "shareTabs")?,
            detailed_response: read(options, "detailedResponse")?,
        };
        parsed.checked()
    }

    fn checked(self) -> Result<Self> {
        let positive = |ms: Option<f64>| ms.is_none_or(|ms| ms.is_finite() && ms > 0.0);
        let wrong = if !positive(self.timeout_ms) {
            "timeoutMs"
        } else if !positive(self.lifetime_ms) {
            "lifetimeMs"
        } else if !self.min_lifetime_ms.is_none_or(|ms| ms.is_finite() && ms >= 0.0) {
            "minLifetimeMs"
        } else if !self
            .retries
            .is_none_or(|retries| (0.0..=MOST_RETRIES).contains(&retries) && retries.fract() == 0.0)
        {
            "retries"
        } else if given(&self.body) && !(self.body.is_object() && self.endpoint.is_some()) {
            "body"
        } else if given(&self.signal) && !self.signal.has_type::<AbortSignal>() {
            "signal"
        } else if given(&self.headers) && !(self.headers.is_object() || self.headers.is_function()) {
            "headers"
        } else if self.credentials.as_deref().is_some_and(|name| credentials_named(name).is_none()) {
            "credentials"
        } else {
            return Ok(self);
        };
        Err(invalid(wrong))
    }

    /// The request that these options mean, with `defaults` where they say nothing.
    ///
    /// # Errors
    /// `invalid_options` for headers or a body that cannot be sent.
    pub(crate) fn resolve(self, defaults: &Self, kind: TokenKind) -> Result<Call> {
        if kind == TokenKind::Admin && self.profile.is_some() {
            return Err(AuthError::invalid_option("profile", "has no meaning for an admin token"));
        }
        let relay = if self.relay.is_some() { &Self::default() } else { defaults };
        let endpoint = self.endpoint.or_else(|| relay.endpoint.clone());
        let body = if self.body.is_object() { self.body } else { relay.body.clone() };
        let profile_named = self.profile.or_else(|| defaults.profile.clone());

        let (url, body) = if let Some(endpoint) = endpoint {
            let text = if body.is_object() {
                stringify(&body).ok_or_else(|| invalid("body"))?
            } else {
                "{}".to_owned()
            };
            (endpoint, text)
        } else {
            let base = self.relay.or_else(|| defaults.relay.clone());
            let base = base.as_deref().unwrap_or(DEFAULT_BASE_PATH).trim_end_matches('/');
            let path = if kind == TokenKind::Composer { COMPOSER_TOKEN_PATH } else { ADMIN_TOKEN_PATH };
            let body = match &profile_named {
                Some(profile) if kind == TokenKind::Composer => composer_body(profile),
                _ => "{}".to_owned(),
            };
            ([base, path].concat(), body)
        };

        let headers = if given(&self.headers) { self.headers } else { defaults.headers.clone() };
        let (headers, headers_key) = if headers.is_object() {
            let headers = Headers::new_with_headers(headers.unchecked_ref())
                .map_err(|cause| invalid("headers").caused_by(cause))?;
            let key = stringify(&js_sys::Array::from(&headers)).unwrap_or_default();
            (headers.into(), key)
        } else {
            let key = if given(&headers) { "()" } else { "" };
            (headers, key.to_owned())
        };
        let credentials = self.credentials.as_deref().or(defaults.credentials.as_deref());
        let credentials = credentials.unwrap_or("same-origin");
        let signal = if self.signal.is_object() { self.signal } else { defaults.signal.clone() };

        Ok(Call {
            kind,
            profile: if kind == TokenKind::Composer { profile_named } else { None },
            key: [kind.as_str(), credentials, &url, "\n", &body, &headers_key].concat(),
            url,
            body,
            headers,
            credentials: credentials_named(credentials).unwrap_or(RequestCredentials::SameOrigin),
            timeout_ms: self.timeout_ms.or(defaults.timeout_ms).unwrap_or(DEFAULT_TIMEOUT_MS),
            retries: self.retries.or(defaults.retries).unwrap_or(DEFAULT_RETRIES),
            signal: signal.dyn_into().ok(),
            force_refresh: self.force_refresh.or(defaults.force_refresh).unwrap_or(false),
            min_lifetime_ms: self.min_lifetime_ms.or(defaults.min_lifetime_ms),
            lifetime_ms: self.lifetime_ms.or(defaults.lifetime_ms),
            share_tabs: self.share_tabs.or(defaults.share_tabs).unwrap_or(true),
            detailed: self.detailed_response.or(defaults.detailed_response).unwrap_or(false),
        })
    }
}

/// One call with everything decided.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) kind: TokenKind,
    pub(crate) profile: Option<String>,
    /// Calls with the same key may share one request and one token: it holds all that could make
    /// the relay answer differently.
    pub(crate) key: String,
    pub(crate) url: String,
    pub(crate) body: String,
    /// `Headers`, a function that gives those of each request, or nothing.
    pub(crate) headers: JsValue,
    pub(crate) credentials: RequestCredentials,
    pub(crate) timeout_ms: f64,
    /// A whole number from 0 to 10.
    pub(crate) retries: f64,
    pub(crate) signal: Option<AbortSignal>,
    pub(crate) force_refresh: bool,
    pub(crate) min_lifetime_ms: Option<f64>,
    pub(crate) lifetime_ms: Option<f64>,
    pub(crate) share_tabs: bool,
    pub(crate) detailed: bool,
}

impl Call {
    pub(crate) fn is_aborted(&self) -> bool {
        self.signal.as_ref().is_some_and(AbortSignal::aborted)
    }
}

fn given(value: &JsValue) -> bool {
    !value.is_undefined() && !value.is_null()
}

fn credentials_named(name: &str) -> Option<RequestCredentials> {
    match name {
        "same-origin" => Some(RequestCredentials::SameOrigin),
        "include" => Some(RequestCredentials::Include),
        "omit" => Some(RequestCredentials::Omit),
        _ => None,
    }
}

fn composer_body(profile: &str) -> String {
    let profile = js_sys::JSON::stringify(&profile.into()).map(String::from).unwrap_or_default();
    ["{\"profile\":", &profile, "}"].concat()
}

/// `undefined` is what `JSON.stringify` makes of a function, and of an object whose `toJSON` says so.
fn stringify(value: &JsValue) -> Option<String> {
    js_sys::JSON::stringify(value).ok().and_then(|text| text.as_string())
}

fn unknown_key(key: &str) -> Box<AuthError> {
    let mut problem = "is unknown; there are:".to_owned();
    for (known, _) in KEYS {
        problem.push(' ');
        problem.push_str(known);
    }
    AuthError::invalid_option(key, &problem)
}

fn invalid(key: &str) -> Box<AuthError> {
    let expected =
        KEYS.iter().find(|(known, _)| *known == key).map_or("is invalid", |(_, expected)| expected);
    AuthError::invalid_option(key, expected)
}

/// The value of an option, in the type that it must have.
fn read<T: DeserializeOwned>(options: &JsValue, key: &str) -> Result<Option<T>> {
    object::read(options, key).map_err(|cause| invalid(key).caused_by(cause))
}
