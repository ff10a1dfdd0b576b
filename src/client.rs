//! A client: the tokens of one set of defaults, and the promises that hand them out.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use js_sys::JsString;
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{future_to_promise, spawn_local};
use web_sys::{AbortController, AbortSignal};

use crate::backoff;
use crate::error::{self, AuthError, Code};
use crate::flight::{Flight, Ticket};
use crate::host::{self, Sleep};
use crate::lifetime::{Deadline, lifetime_ms};
use crate::options::{Call, Kind, TokenOptions};
use crate::relay;
use crate::store::{Issued, Store};

type Landing = error::Result<Rc<Issued<JsString>>>;

/// Tokens are kept for each client apart; a page has one by default.
#[wasm_bindgen]
pub struct Client {
    inner: Rc<Inner>,
}

struct Inner {
    /// A mistake in the defaults is reported by each call that would use them.
    defaults: RefCell<error::Result<TokenOptions>>,
    /// The calls that the defaults alone make, resolved once: Composer and admin.
    plain: [RefCell<Option<Rc<Call>>>; 2],
    store: RefCell<Store<JsString, Landing>>,
}

#[wasm_bindgen]
impl Client {
    /// A client with these defaults, which are `TokenOptions`.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(defaults: &JsValue) -> Self {
        let inner = Inner {
            defaults: RefCell::new(TokenOptions::parse(defaults)),
            plain: Default::default(),
            store: RefCell::new(Store::new()),
        };
        Self { inner: Rc::new(inner) }
    }

    /// Replaces the defaults for calls to come; what is held or under way stays.
    pub fn configure(&self, defaults: &JsValue) {
        drop(self.inner.defaults.replace(TokenOptions::parse(defaults)));
        for plain in &self.inner.plain {
            plain.take();
        }
    }

    /// A Composer token: at once if one is held, else a promise.
    ///
    /// # Errors
    /// Throws what the promise would reject with, where that is known at once.
    pub fn composer(&self, options: &JsValue) -> Result<JsValue, JsValue> {
        token(&self.inner, Kind::Composer, options)
    }

    /// An Admin Center token, as [`Client::composer`].
    ///
    /// # Errors
    /// As [`Client::composer`].
    pub fn admin(&self, options: &JsValue) -> Result<JsValue, JsValue> {
        token(&self.inner, Kind::Admin, options)
    }

    /// Forgets every token, and ends every request under way for everybody who waits for it.
    pub fn clear(&self) {
        let flights = self.inner.store.borrow_mut().clear();
        for flight in flights {
            flight.cancel(Err(AuthError::new(
                Code::NotSignedIn,
                "the tokens were cleared while this call was waiting: the user has signed out",
            )));
        }
    }
}

impl Inner {
    fn call(&self, kind: Kind, options: &JsValue) -> error::Result<Rc<Call>> {
        // Parsed before anything is borrowed: a getter of the page may throw through this function.
        let parsed = if options.is_undefined() { None } else { Some(TokenOptions::parse(options)?) };
        let defaults = self.defaults.borrow();
        let defaults = defaults.as_ref().map_err(Clone::clone)?;
        if let Some(options) = parsed {
            return options.resolve(defaults, kind).map(Rc::new);
        }
        let [composer, admin] = &self.plain;
        let plain = if kind == Kind::Composer { composer } else { admin };
        if let Some(call) = &*plain.borrow() {
            return Ok(Rc::clone(call));
        }
        let call = Rc::new(TokenOptions::default().resolve(defaults, kind)?);
        plain.replace(Some(Rc::clone(&call)));
        Ok(call)
    }
}

fn token(inner: &Rc<Inner>, kind: Kind, options: &JsValue) -> Result<JsValue, JsValue> {
    let call = inner.call(kind, options)?;
    if let Some(signal) = call.signal.as_ref().filter(|signal| signal.aborted()) {
        return Err(signal.reason());
    }
    if !call.force_refresh {
        let store = inner.store.borrow();
        if let Some(issued) = store.fresh(&call.key, host::now_ms(), call.min_lifetime_ms) {
            return Ok(answer(&call, issued));
        }
    }
    let under_way = inner.store.borrow().flight(&call.key).cloned();
    let flight = under_way.unwrap_or_else(|| take_off(inner, &call));
    let waiting = wait(call, flight.join());
    Ok(future_to_promise(waiting).into())
}

/// Waits for the flight as long as the caller wants to.
async fn wait(call: Rc<Call>, ticket: Ticket<Landing>) -> Result<JsValue, JsValue> {
    let mut ticket = pin!(ticket);
    let mut timeout = pin!(Sleep::new(call.timeout_ms));
    let mut aborted = call.signal.as_ref().map(Aborted::new);
    poll_fn(|context| {
        if let Poll::Ready(landing) = ticket.as_mut().poll(context) {
            return Poll::Ready(landing.map(|issued| answer(&call, &issued)).map_err(JsValue::from));
        }
        if let Some(signal) = aborted.as_mut().and_then(|aborted| aborted.poll(context)) {
            return Poll::Ready(Err(signal.reason()));
        }
        timeout.as_mut().poll(context).map(|()| {
            Err(AuthError::new(
                Code::Timeout,
                "the relay did not answer within the option \"timeoutMs\": is it, or what it asks, overloaded or hanging?",
            )
            .into())
        })
    })
    .await
}

/// Starts the request that the callers of one key share.
fn take_off(inner: &Rc<Inner>, call: &Rc<Call>) -> Rc<Flight<Landing>> {
    let controller = Rc::new(AbortController::new().ok());
    let abandoned = Rc::clone(&controller);
    let flight = Flight::new(move || {
        if let Some(controller) = &*abandoned {
            controller.abort();
        }
    });
    inner.store.borrow_mut().take_off(&call.key, Rc::clone(&flight));
    let (inner, call, returned) = (Rc::clone(inner), Rc::clone(call), Rc::clone(&flight));
    spawn_local(async move {
        let landing = match &*controller {
            Some(controller) => fetch(&call, &controller.signal(), &flight).await,
            None => Err(AuthError::new(Code::UnsupportedEnvironment, "AbortController is missing here")),
        };
        inner.store.borrow_mut().touch_down(&call.key, &flight, landing.as_ref().ok().cloned());
        flight.land(landing);
    });
    returned
}

/// Asks the relay, and asks again where that may help.
async fn fetch(call: &Call, signal: &AbortSignal, flight: &Flight<Landing>) -> Landing {
    let started_ms = host::now_ms();
    let mut retry = 0;
    loop {
        let sent_ms = host::now_ms();
        let error = match relay::ask(call, signal).await {
            Ok(answer) => {
                let jwt =
                    answer.expires_in.is_none().then(|| relay::jwt_times(answer.token.expose())).flatten();
                let lifetime_ms = lifetime_ms(answer.expires_in, jwt, call.lifetime_ms);
                return Ok(Rc::new(Issued {
                    token: answer.token.expose().into(),
                    deadline: lifetime_ms.map(|lifetime_ms| Deadline::new(sent_ms, lifetime_ms)),
                    domain: answer.domain,
                }));
            }
            Err(error) => error,
        };
        let delay_ms = backoff::delay_ms(retry, error.retry_after_s, host::random());
        let out_of_time = host::now_ms() + delay_ms >= started_ms + call.timeout_ms;
        if !error.code.retryable() || f64::from(retry) >= call.retries || out_of_time {
            return Err(error);
        }
        Sleep::new(delay_ms).await;
        if !flight.is_open() {
            return Err(error);
        }
        retry += 1;
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DetailedToken<'a> {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    token: JsString,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
}

fn answer(call: &Call, issued: &Issued<JsString>) -> JsValue {
    if !call.detailed {
        return issued.token.clone().into();
    }
    let left_ms = issued.deadline.map(|deadline| deadline.left_ms(host::now_ms()));
    let detailed = DetailedToken {
        token: issued.token.clone(),
        expires_at: left_ms.map(|left_ms| (host::wall_ms() + left_ms).floor()),
        domain: issued.domain.as_deref(),
    };
    serde_wasm_bindgen::to_value(&detailed).unwrap_or_default()
}

/// The caller's signal as something to wait for; dropping it removes the listener.
struct Aborted<'a> {
    signal: &'a AbortSignal,
    listener: Option<Closure<dyn FnMut()>>,
}

impl<'a> Aborted<'a> {
    fn new(signal: &'a AbortSignal) -> Self {
        Self { signal, listener: None }
    }

    fn poll(&mut self, context: &std::task::Context<'_>) -> Option<&'a AbortSignal> {
        if self.signal.aborted() {
            return Some(self.signal);
        }
        if self.listener.is_none() {
            let waker = context.waker().clone();
            let listener = Closure::new(move || waker.wake_by_ref());
            let _ = self.signal.add_event_listener_with_callback("abort", listener.as_ref().unchecked_ref());
            self.listener = Some(listener);
        }
        None
    }
}

impl Drop for Aborted<'_> {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            let _ =
                self.signal.remove_event_listener_with_callback("abort", listener.as_ref().unchecked_ref());
        }
    }
}
