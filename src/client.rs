//! A client: the tokens of one set of defaults, and the promises that hand them out.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use js_sys::{Function, JsString};
use qrvey_auth_wire::TokenKind;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use crate::backoff;
use crate::error::{self, AuthError, Code};
use crate::flight::{Flight, Ticket};
use crate::host::{self, AbortController, Sleep};
use crate::lifetime::{Deadline, lifetime_ms};
use crate::object::{object, value};
use crate::options::{Call, TokenOptions};
use crate::relay;
use crate::store::{Issued, Store};
use crate::tabs;
use crate::watch::Watch;

type Landing = error::Result<Rc<Issued<JsString>>>;

/// Tokens are kept for each client apart; a page has one by default.
#[wasm_bindgen]
pub struct Client {
    inner: Rc<Inner>,
}

pub(crate) struct Inner {
    /// A mistake in the defaults is reported by each call that would use them.
    defaults: RefCell<error::Result<TokenOptions>>,
    /// The calls that the defaults alone make, resolved once: Composer and admin.
    plain: [RefCell<Option<Rc<Call>>>; 2],
    store: RefCell<Store<JsString, Landing>>,
    watches: RefCell<Vec<Rc<Watch>>>,
    next_id: Cell<u32>,
    /// Fires an event on the JavaScript client: type and detail.
    fire: Function,
}

#[wasm_bindgen]
impl Client {
    /// A client with these defaults, which are `TokenOptions`, that calls `fire` with the type and
    /// the detail of each of its events.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(defaults: &JsValue, fire: Function) -> Self {
        let inner = Inner {
            defaults: RefCell::new(TokenOptions::parse(defaults)),
            plain: Default::default(),
            store: RefCell::new(Store::new()),
            watches: RefCell::default(),
            next_id: Cell::new(0),
            fire,
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

    /// A Composer token: at once if one is held, else a promise. Options that are whole say all that
    /// there is to say: the defaults are not looked at.
    ///
    /// # Errors
    /// Throws what the promise would reject with, where that is known at once.
    pub fn composer(&self, options: &JsValue, are_whole: bool) -> Result<JsValue, JsValue> {
        self.token(TokenKind::Composer, options, are_whole)
    }

    /// An Admin Center token, as [`Client::composer`].
    ///
    /// # Errors
    /// As [`Client::composer`].
    pub fn admin(&self, options: &JsValue) -> Result<JsValue, JsValue> {
        self.token(TokenKind::Admin, options, false)
    }

    /// Calls `callback` with the details of the token at hand and of each that follows, and with the
    /// detail and the type of each event about them, until `signal` aborts. The promise settles with
    /// the first token.
    ///
    /// # Errors
    /// As [`Client::composer`].
    pub fn watch(
        &self,
        is_admin: bool,
        callback: Function,
        options: &JsValue,
        are_whole: bool,
    ) -> Result<JsValue, JsValue> {
        let kind = if is_admin { TokenKind::Admin } else { TokenKind::Composer };
        let call = self.inner.call(kind, options, are_whole)?;
        let first = token(&self.inner, &call)?;
        let inner = Rc::clone(&self.inner);
        Ok(host::promise(async move {
            let first = match first {
                Answer::Held(issued) => issued,
                Answer::Asked(ticket) => wait(&call, ticket).await?,
            };
            // A callback may clear the tokens, which is to end what it is called for.
            watch(&inner, call, &first, callback.clone());
            callback.call1(&JsValue::UNDEFINED, &describe(&first))
        }))
    }

    /// To be called when the page becomes visible, comes online or resumes.
    pub fn wake(&self) {
        for watch in &*self.inner.watches.borrow() {
            watch.encourage();
        }
    }

    /// To be called with what another tab told.
    pub fn told(&self, message: &JsValue) {
        tabs::adopt(&self.inner, message);
    }

    /// Forgets every token, and ends every request under way and every watch for everybody.
    pub fn clear(&self) {
        let signed_out = || {
            AuthError::new(
                Code::NotSignedIn,
                "the tokens were cleared since: the user has signed out; ask or embed anew for the user of now",
            )
        };
        let flights = self.inner.store.borrow_mut().clear();
        for flight in flights {
            flight.cancel(Err(signed_out()));
        }
        for watch in self.inner.watches.take() {
            watch.end(&self.inner, signed_out());
        }
    }
}

impl Client {
    /// Brings a token that is newer than the one at hand to the store and to all who watch it.
    pub(crate) async fn renew(inner: &Rc<Inner>, call: &Rc<Call>) -> error::Result<()> {
        match depart(call, board(inner, call)).await {
            Ok(_) => Ok(()),
            Err(Departure::Failed(error)) => Err(error),
            // A signal ends the watch, and with it the task that renews.
            Err(Departure::Aborted(_)) => Ok(()),
        }
    }
}

impl Inner {
    /// What is left of a token that should have been renewed and could not be.
    fn last_resort(&self, call: &Call) -> Option<Rc<Issued<JsString>>> {
        let insists = call.force_refresh || call.min_lifetime_ms.is_some();
        if insists || call.is_aborted() {
            return None;
        }
        self.store.borrow().fresh(&call.key, host::now_ms(), Some(0.0)).cloned()
    }

    fn watch(&self, key: &str) -> Option<Rc<Watch>> {
        self.watches.borrow().iter().find(|watch| watch.call.key == key).cloned()
    }

    pub(crate) fn watches(&self) -> Vec<Rc<Watch>> {
        self.watches.borrow().clone()
    }

    /// Keeps a token that another tab has fetched.
    pub(crate) fn adopt(&self, key: &str, issued: &Rc<Issued<JsString>>) {
        self.store.borrow_mut().adopt(key, Rc::clone(issued));
    }

    /// Fires an event on the JavaScript client, which reports what a listener throws.
    pub(crate) fn fire(&self, event: &JsValue, detail: &JsValue) {
        let _ = self.fire.call2(&JsValue::UNDEFINED, event, detail);
    }

    fn call(&self, kind: TokenKind, options: &JsValue, are_whole: bool) -> error::Result<Rc<Call>> {
        // Parsed before anything is borrowed: a getter of the page may throw through this function.
        let parsed = if options.is_undefined() { None } else { Some(TokenOptions::parse(options)?) };
        let none;
        let defaults = self.defaults.borrow();
        let defaults = if are_whole {
            none = Ok(TokenOptions::default());
            &none
        } else {
            &*defaults
        };
        let defaults = defaults.as_ref().map_err(Clone::clone)?;
        if let Some(options) = parsed {
            return options.resolve(defaults, kind).map(Rc::new);
        }
        let [composer, admin] = &self.plain;
        let plain = if kind == TokenKind::Composer { composer } else { admin };
        if let Some(call) = &*plain.borrow() {
            return Ok(Rc::clone(call));
        }
        let call = Rc::new(TokenOptions::default().resolve(defaults, kind)?);
        plain.replace(Some(Rc::clone(&call)));
        Ok(call)
    }
}

impl Client {
    fn token(&self, kind: TokenKind, options: &JsValue, are_whole: bool) -> Result<JsValue, JsValue> {
        let call = self.inner.call(kind, options, are_whole)?;
        match token(&self.inner, &call)? {
            Answer::Held(issued) => Ok(answer(&call, &issued)),
            Answer::Asked(ticket) => {
                let inner = Rc::clone(&self.inner);
                Ok(host::promise(async move {
                    match wait(&call, ticket).await {
                        Ok(issued) => Ok(answer(&call, &issued)),
                        // The old token stays in use until it is really over.
                        Err(error) => match inner.last_resort(&call) {
                            Some(issued) => Ok(answer(&call, &issued)),
                            None => Err(error),
                        },
                    }
                }))
            }
        }
    }
}

/// A token at hand, or a place on the flight that fetches one.
enum Answer {
    Held(Rc<Issued<JsString>>),
    Asked(Ticket<Landing>),
}

fn token(inner: &Rc<Inner>, call: &Rc<Call>) -> Result<Answer, JsValue> {
    if let Some(signal) = call.signal.as_ref().filter(|signal| signal.aborted()) {
        return Err(signal.reason());
    }
    if !call.force_refresh {
        let store = inner.store.borrow();
        if let Some(issued) = store.fresh(&call.key, host::now_ms(), call.min_lifetime_ms) {
            return Ok(Answer::Held(Rc::clone(issued)));
        }
    }
    Ok(Answer::Asked(board(inner, call)))
}

/// A place on the flight under way for this call, or on a new one.
fn board(inner: &Rc<Inner>, call: &Rc<Call>) -> Ticket<Landing> {
    let under_way = inner.store.borrow().flight(&call.key, call.force_refresh).cloned();
    under_way.unwrap_or_else(|| take_off(inner, call)).join()
}

/// How a caller leaves a flight without a token.
enum Departure {
    Failed(Box<AuthError>),
    /// By its own signal, with this reason.
    Aborted(JsValue),
}

async fn wait(call: &Call, ticket: Ticket<Landing>) -> Result<Rc<Issued<JsString>>, JsValue> {
    depart(call, ticket).await.map_err(|departure| match departure {
        Departure::Failed(error) => error.into(),
        Departure::Aborted(reason) => reason,
    })
}

/// Waits for the flight as long as the caller wants to.
async fn depart(call: &Call, ticket: Ticket<Landing>) -> Result<Rc<Issued<JsString>>, Departure> {
    let mut ticket = pin!(ticket);
    let mut timeout = pin!(Sleep::new(call.timeout_ms));
    let mut aborted = call.signal.as_ref().map(Aborted::new);
    poll_fn(|context| {
        if let Some(signal) = aborted.as_mut().and_then(|aborted| aborted.poll(context)) {
            return Poll::Ready(Err(Departure::Aborted(signal.reason())));
        }
        if let Poll::Ready(landing) = ticket.as_mut().poll(context) {
            return Poll::Ready(landing.map_err(Departure::Failed));
        }
        timeout.as_mut().poll(context).map(|()| {
            Err(Departure::Failed(AuthError::new(
                Code::Timeout,
                "the relay did not answer within the option \"timeoutMs\": is it, or what it asks, overloaded or hanging?",
            )))
        })
    })
    .await
}

/// Adds a caller to those who watch its key, until its signal aborts.
fn watch(inner: &Rc<Inner>, call: Rc<Call>, held: &Rc<Issued<JsString>>, callback: Function) {
    let id = inner.next_id.get();
    inner.next_id.set(id + 1);
    let watch = inner.watch(&call.key).unwrap_or_else(|| {
        let watch = Watch::new(&call, held);
        inner.watches.borrow_mut().push(Rc::clone(&watch));
        host::spawn(Rc::clone(&watch).keep_fresh(Rc::clone(inner)));
        watch
    });
    watch.add(id, callback);
    watch.resume();
    if call.signal.is_some() {
        let inner = Rc::clone(inner);
        host::spawn(async move {
            let mut aborted = call.signal.as_ref().map(Aborted::new);
            poll_fn(|context| match aborted.as_mut().and_then(|aborted| aborted.poll(context)) {
                Some(_) => Poll::Ready(()),
                None => Poll::Pending,
            })
            .await;
            if watch.remove(id) {
                inner.watches.borrow_mut().retain(|other| !Rc::ptr_eq(other, &watch));
                watch.stop();
            }
        });
    }
}

/// Starts the request that the callers of one key share.
fn take_off(inner: &Rc<Inner>, call: &Rc<Call>) -> Rc<Flight<Landing>> {
    let controller = AbortController::new();
    let signal = controller.signal();
    let flight = Flight::new(call.force_refresh, move || controller.abort());
    inner.store.borrow_mut().take_off(&call.key, Rc::clone(&flight));
    let (inner, call, returned) = (Rc::clone(inner), Rc::clone(call), Rc::clone(&flight));
    host::spawn(async move {
        let landing = fetch(&call, &signal, &flight).await;
        let is_current =
            inner.store.borrow_mut().touch_down(&call.key, &flight, landing.as_ref().ok().cloned());
        flight.land(landing.clone());
        if let (true, Ok(issued)) = (is_current, &landing) {
            inner.watch(&call.key).inspect(|watch| watch.deliver(&inner, issued));
            if call.share_tabs {
                tabs::announce(issued).inspect(host::tell);
            }
        }
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
                    grant: answer.grant,
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

fn answer(call: &Call, issued: &Issued<JsString>) -> JsValue {
    if call.detailed { describe(issued) } else { issued.token.clone().into() }
}

/// A token as a `DetailedToken`.
pub(crate) fn describe(issued: &Issued<JsString>) -> JsValue {
    object(&[
        ("token", issued.token.clone().into()),
        ("expiresAt", value(expires_at(issued.deadline))),
        ("domain", value(issued.domain.as_deref())),
    ])
}

/// The end of a token by the browser's own clock, in milliseconds since the epoch.
pub(crate) fn expires_at(deadline: Option<Deadline>) -> Option<f64> {
    deadline.map(|deadline| (host::wall_ms() + deadline.left_ms(host::now_ms())).floor())
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
