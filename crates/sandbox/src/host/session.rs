//! Sign-in, sign-out, and who is signed in. Sessions live in memory under random ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;
use serde_json::json;
use tower_http::csrf::CsrfLayer;

use super::users::User;
use crate::platform::Secret;

const COOKIE: &str = "qrvey_demo_session";
const LIFETIME: Duration = Duration::from_secs(12 * 3_600);
const MAX_SESSIONS: usize = 10_000;

struct Session {
    user: User,
    since: Instant,
}

/// Who is signed in, by session id.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Session>>);

impl Sessions {
    /// A new session's id; `None` if there is no room or no randomness.
    fn begin(&self, user: User, now: Instant) -> Option<String> {
        let id = Secret::random("").ok()?.expose().to_owned();
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MAX_SESSIONS {
            sessions.retain(|_, session| now.duration_since(session.since) < LIFETIME);
        }
        if sessions.len() >= MAX_SESSIONS {
            return None;
        }
        sessions.insert(id.clone(), Session { user, since: now });
        Some(id)
    }

    fn user(&self, id: &str, now: Instant) -> Option<User> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get(id)?;
        (now.duration_since(session.since) < LIFETIME).then_some(session.user)
    }

    fn end(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// `/session`; requests from foreign pages that would change something get 403.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/session", routing::get(who).post(sign_in).delete(sign_out))
        .with_state(Arc::new(Sessions::default()))
        .layer(CsrfLayer::new())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    user: String,
}

async fn sign_in(
    State(sessions): State<Arc<Sessions>>,
    jar: CookieJar,
    body: Result<Json<SignIn>, JsonRejection>,
) -> Response {
    let user = match body {
        Ok(Json(sign_in)) => User::find(&sign_in.user),
        Err(rejection) => return error(rejection.status(), &rejection.body_text()),
    };
    let Some(user) = user else {
        return error(StatusCode::BAD_REQUEST, "there is no such user; GET /api/users lists them");
    };
    // A fresh id at each sign-in, so that an id planted before is worth nothing.
    if let Some(old) = jar.get(COOKIE) {
        sessions.end(old.value());
    }
    let Some(id) = sessions.begin(user, Instant::now()) else {
        return error(StatusCode::SERVICE_UNAVAILABLE, "there are too many sessions");
    };
    (jar.add(session_cookie(id)), no_store(), Json(user.claims())).into_response()
}

async fn sign_out(State(sessions): State<Arc<Sessions>>, jar: CookieJar) -> Response {
    if let Some(cookie) = jar.get(COOKIE) {
        sessions.end(cookie.value());
    }
    (jar.remove(session_cookie(String::new())), no_store(), StatusCode::NO_CONTENT).into_response()
}

async fn who(State(sessions): State<Arc<Sessions>>, jar: CookieJar) -> Response {
    let user = jar.get(COOKIE).and_then(|cookie| sessions.user(cookie.value(), Instant::now()));
    match user {
        Some(user) => (no_store(), Json(user.claims())).into_response(),
        None => error(StatusCode::UNAUTHORIZED, "nobody is signed in"),
    }
}

/// Not `Secure`, since the demo is served by http on loopback.
fn session_cookie(id: String) -> Cookie<'static> {
    Cookie::build((COOKIE, id)).path("/").http_only(true).same_site(SameSite::Lax).build()
}

const fn no_store() -> [(header::HeaderName, &'static str); 1] {
    [(header::CACHE_CONTROL, "no-store")]
}

fn error(status: StatusCode, message: &str) -> Response {
    (status, no_store(), Json(json!({ "error": message }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> User {
        User::find("ada").unwrap()
    }

    #[test]
    fn a_session_begins_ends_and_runs_out() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let (one, two) = (sessions.begin(ada(), now).unwrap(), sessions.begin(ada(), now).unwrap());
        assert_ne!(one, two);
        assert_eq!(sessions.user(&one, now), Some(ada()));
        assert_eq!(sessions.user(&one, now + LIFETIME), None);
        sessions.end(&one);
        assert_eq!(sessions.user(&one, now), None);
        assert_eq!(sessions.user(&two, now), Some(ada()));
    }

    #[test]
    fn there_is_a_bound_and_old_sessions_make_room() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        for _ in 0..MAX_SESSIONS {
            sessions.begin(ada(), now).unwrap();
        }
        assert_eq!(sessions.begin(ada(), now), None);
        assert!(sessions.begin(ada(), now + LIFETIME).is_some());
    }
}
