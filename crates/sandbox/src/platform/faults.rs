//! Switches that make the platform misbehave: `POST /_sandbox/faults`.

use std::convert::Infallible;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::connection::Connection;
use super::{Platform, admin, login};

/// What a request is aimed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Target {
    /// The Composer login.
    Login,
    /// The Admin Center.
    Admin,
    /// The data that widgets draw.
    Data,
    /// Launcher scripts and the scripts they load.
    Launcher,
}

impl Target {
    /// The target that a path belongs to.
    #[must_use]
    pub(super) fn of(path: &str) -> Self {
        if path == login::PATH {
            Self::Login
        } else if admin::LOGIN_PATHS.contains(&path) || path == admin::STATUS_PATH {
            Self::Admin
        } else if path.starts_with("/data/") || path.starts_with("/forms/") {
            Self::Data
        } else {
            Self::Launcher
        }
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FaultKind {
    /// The right answer, late.
    Delay,
    /// No answer, ever.
    Hang,
    /// The head and half a body, then nothing more.
    Stall,
    /// An error answer with `status`.
    Status,
    /// Bytes that are no JSON, said to be JSON.
    Garbage,
    /// A page for people.
    Html,
    /// A body of `bytes`.
    Huge,
    /// A small body that unpacks to `bytes`.
    GzipBomb,
    /// The connection is reset.
    Reset,
    /// Somewhere else, please.
    Redirect,
    /// 204.
    NoContent,
    /// JSON of the wrong shape.
    WrongType,
}

/// One switch.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    target: Target,
    kind: FaultKind,
    /// How many requests it hits; absent: all.
    count: Option<u64>,
    /// Hits only paths that contain this.
    path: Option<String>,
    /// Time before anything else happens.
    #[serde(default)]
    delay_ms: u64,
    status: Option<u16>,
    /// Seconds or a date, sent as it is.
    retry_after: Option<Value>,
    location: Option<String>,
    bytes: Option<u64>,
}

/// Put into the response's extensions for the journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct FaultApplied(pub(super) FaultKind);

/// The switches that are on.
#[derive(Default)]
pub(super) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(super) fn set(&self, faults: Vec<Fault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// The first switch that this request hits; counted.
    fn take(&self, path: &str) -> Option<Fault> {
        // A switch must not lock out what switches it off.
        if path.starts_with("/_sandbox/") {
            return None;
        }
        let target = Target::of(path);
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hit = |fault: &Fault| {
            fault.target == target
                && fault.count != Some(0)
                && fault.path.as_ref().is_none_or(|part| path.contains(part))
        };
        let fault = faults.iter_mut().find(|fault| hit(fault))?;
        fault.count = fault.count.map(|count| count - 1);
        Some(fault.clone())
    }
}

/// Middleware: misbehaves if a switch says so.
pub(super) async fn misbehave(
    State(platform): State<Arc<Platform>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(fault) = platform.faults.take(request.uri().path()) else {
        return next.run(request).await;
    };
    tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    let response = match fault.kind {
        FaultKind::Delay => next.run(request).await,
        FaultKind::Hang => std::future::pending().await,
        FaultKind::Reset => {
            if let Some(ConnectInfo(connection)) = request.extensions().get::<ConnectInfo<Connection>>() {
                connection.cut();
            }
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        _ => fault.answer(),
    };
    (Extension(FaultApplied(fault.kind)), response).into_response()
}

const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];
const CHUNK_BYTES: u64 = 64 * 1024;

impl Fault {
    fn answer(&self) -> Response {
        let status = |default: u16| {
            let number = self.status.unwrap_or(default);
            StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
        };
        match self.kind {
            FaultKind::Status => {
                let body = r#"{"status":false,"error":"fault","message":"a switch of the sandbox is on"}"#;
                let mut response = (status(503), JSON, body).into_response();
                let retry_after = match &self.retry_after {
                    Some(Value::String(text)) => Some(text.clone()),
                    Some(other) => Some(other.to_string()),
                    None => None,
                };
                if let Some(value) = retry_after.and_then(|text| text.parse().ok()) {
                    response.headers_mut().insert(header::RETRY_AFTER, value);
                }
                response
            }
            FaultKind::Garbage => {
                (status(200), JSON, b"\x00\xff{]\xfe\"token\":\x80".as_slice()).into_response()
            }
            FaultKind::Html => {
                let page = "<!doctype html><title>Please wait</title><h1>We will be back soon</h1>";
                (status(200), [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
            }
            FaultKind::WrongType => {
                (status(200), JSON, r#"{"status":"yes","token":{"value":42},"rows":7}"#).into_response()
            }
            FaultKind::NoContent => StatusCode::NO_CONTENT.into_response(),
            FaultKind::Redirect => {
                let location = self.location.as_deref().unwrap_or("http://127.0.0.1:9/elsewhere");
                (status(307), [(header::LOCATION, location)]).into_response()
            }
            FaultKind::Huge => (status(200), JSON, huge(self.bytes.unwrap_or(50_000_000))).into_response(),
            FaultKind::GzipBomb => {
                let encoded = [(header::CONTENT_ENCODING, "gzip")];
                (status(200), JSON, encoded, gzip_bomb(self.bytes.unwrap_or(200_000_000))).into_response()
            }
            FaultKind::Stall => {
                let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{\"token\":\"eyJ"))]);
                (status(200), JSON, Body::from_stream(first.chain(stream::pending()))).into_response()
            }
            // Handled by the middleware, which has the request.
            FaultKind::Delay | FaultKind::Hang | FaultKind::Reset => {
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

fn repeated(first: Bytes, again: Bytes, times: u64) -> Body {
    let rest = stream::iter(0..times).map(move |_| again.clone());
    Body::from_stream(stream::iter([first]).chain(rest).map(Ok::<_, Infallible>))
}

fn huge(bytes: u64) -> Body {
    let filler = Bytes::from(vec![b'a'; CHUNK_BYTES as usize]);
    repeated(Bytes::from_static(b"{\"token\":\""), filler, bytes.div_ceil(CHUNK_BYTES))
}

/// Gzip allows any number of members one after the other, so one small member is sent many times.
fn gzip_bomb(bytes: u64) -> Body {
    const MEMBER_BYTES: u64 = 1_000_000;
    let member = |content: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        // Writing to a Vec does not fail.
        let written = encoder.write_all(content).and_then(|()| encoder.finish());
        Bytes::from(written.unwrap_or_default())
    };
    let filler = member(&vec![b'a'; MEMBER_BYTES as usize]);
    repeated(member(b"{\"token\":\""), filler, bytes.div_ceil(MEMBER_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: Value) -> Faults {
        let faults = Faults::default();
        faults.set(serde_json::from_value(json).unwrap());
        faults
    }

    #[test]
    fn a_switch_hits_its_target_and_counts_down() {
        let faults = faults(serde_json::json!([{"target": "login", "kind": "html", "count": 2}]));
        assert!(faults.take("/data/v1/query").is_none());
        assert!(faults.take(login::PATH).is_some());
        assert!(faults.take(login::PATH).is_some());
        assert!(faults.take(login::PATH).is_none());
    }

    #[test]
    fn a_switch_can_be_narrowed_to_a_path() {
        let faults = faults(serde_json::json!([{"target": "launcher", "kind": "status", "path": "app.js"}]));
        assert!(faults.take("/widgets-launcher/app.js").is_some());
        assert!(faults.take("/ai-widgets/ai-widgets/ai-widgets.esm.js").is_none());
    }

    #[test]
    fn unknown_switches_are_refused() {
        let parse = |json| serde_json::from_value::<Fault>(json);
        assert!(parse(serde_json::json!({"target": "login", "kind": "explode"})).is_err());
        assert!(parse(serde_json::json!({"target": "login", "kind": "hang", "times": 1})).is_err());
    }

    #[test]
    fn every_path_has_a_target() {
        assert_eq!(Target::of("/devapi/v4/core/login/token"), Target::Login);
        assert_eq!(Target::of("/api/admin/v6/login"), Target::Admin);
        assert_eq!(Target::of("/data/v1/query"), Target::Data);
        assert_eq!(Target::of("/widgets-launcher/app.js"), Target::Launcher);
    }
}
