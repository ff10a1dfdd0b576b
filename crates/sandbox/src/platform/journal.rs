//! The journal of what reached the platform, for tests to read: `GET /_sandbox/log`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use super::Platform;
use super::faults::{FaultApplied, FaultKind, Target};
use super::redact::Redacted;
use super::refusal::Refusal;
use super::token::TokenKind;

/// Older entries make room for newer ones.
const MAX_ENTRIES: usize = 5_000;
/// The platform refuses larger bodies.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Put into a response's extensions by whoever minted a token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Minted(pub(super) TokenKind);

/// One request.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Entry {
    id: u64,
    at_ms: i64,
    target: Target,
    method: String,
    path: String,
    header_names: Vec<String>,
    body: Value,
    secret_in: Vec<String>,
    token_in: Vec<String>,
    /// Absent until the answer's head has been sent, for ever if it never was.
    status: Option<u16>,
    minted: Option<TokenKind>,
    fault: Option<FaultKind>,
}

/// How often tokens have been minted.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Mints {
    /// Composer tokens.
    pub(crate) composer: u64,
    /// Admin Center tokens.
    pub(crate) admin: u64,
}

/// How often each target has been aimed at; the entries are bounded, these are not.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Requests {
    login: u64,
    admin: u64,
    data: u64,
    launcher: u64,
}

#[derive(Default)]
struct Inner {
    next_id: u64,
    requests: Requests,
    entries: VecDeque<Entry>,
    mints: Mints,
}

/// What `GET /_sandbox/log` answers.
#[derive(Debug, Serialize)]
pub(super) struct Log {
    pub(super) mints: Mints,
    pub(super) entries: Vec<Entry>,
}

/// The requests since the start or the last reset.
#[derive(Default)]
pub(super) struct Journal(Mutex<Inner>);

impl Journal {
    pub(super) fn log(&self, after_id: Option<u64>, target: Option<Target>) -> Log {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |entry: &&Entry| {
            after_id.is_none_or(|id| entry.id > id) && target.is_none_or(|target| entry.target == target)
        };
        Log { mints: inner.mints, entries: inner.entries.iter().filter(wanted).cloned().collect() }
    }

    pub(super) fn clear(&self) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.entries.clear();
        inner.mints = Mints::default();
        inner.requests = Requests::default();
    }

    pub(super) fn mints(&self) -> Mints {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).mints
    }

    pub(super) fn requests(&self) -> Requests {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).requests
    }

    fn arrival(&self, at_ms: i64, target: Target, method: String, seen: Redacted) -> u64 {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.next_id += 1;
        let id = inner.next_id;
        match target {
            Target::Login => inner.requests.login += 1,
            Target::Admin => inner.requests.admin += 1,
            Target::Data => inner.requests.data += 1,
            Target::Launcher => inner.requests.launcher += 1,
        }
        if inner.entries.len() == MAX_ENTRIES {
            inner.entries.pop_front();
        }
        let Redacted { path, header_names, body, secret_in, token_in } = seen;
        inner.entries.push_back(Entry {
            id,
            at_ms,
            target,
            method,
            path,
            header_names,
            body,
            secret_in,
            token_in,
            status: None,
            minted: None,
            fault: None,
        });
        id
    }

    fn answer(&self, id: u64, response: &Response) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minted = response.extensions().get::<Minted>().map(|minted| minted.0);
        match minted {
            Some(TokenKind::Composer) => inner.mints.composer += 1,
            Some(TokenKind::Admin) => inner.mints.admin += 1,
            None => {}
        }
        if let Some(entry) = inner.entries.iter_mut().rev().find(|entry| entry.id == id) {
            entry.status = Some(response.status().as_u16());
            entry.minted = minted;
            entry.fault = response.extensions().get::<FaultApplied>().map(|fault| fault.0);
        }
    }
}

/// Middleware: writes each request down as it comes in, and what was answered.
pub(super) async fn record(State(platform): State<Arc<Platform>>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/_sandbox/") {
        return next.run(request).await;
    }
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large")
            .into_response();
    };
    let path_and_query = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let seen = platform.redactor.request(path_and_query, &head.headers, &body);
    let (method, path) = (head.method.to_string(), seen.path.clone());
    let target = Target::of(head.uri.path());
    let id = platform.journal.arrival(platform.clock.now_ms(), target, method.clone(), seen);
    let response = next.run(Request::from_parts(head, Body::from(body))).await;
    platform.journal.answer(id, &response);
    let (status, elapsed_ms) = (response.status().as_u16(), started.elapsed().as_millis());
    tracing::info!(%method, %path, status, elapsed_ms = %elapsed_ms, "platform request");
    response
}
