//! What the module needs of the page around it: clocks, timers, `fetch`, the error class.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::clock::{Clock, Reading};
use crate::error::AuthError;
use crate::object::{object, value};

#[wasm_bindgen]
extern "C" {
    /// The JavaScript side of the module, given once to [`start`].
    pub type Host;

    /// Makes a `QrveyAuthError`.
    #[wasm_bindgen(method, structural)]
    fn error(this: &Host, details: &JsValue, cause: &JsValue) -> JsValue;

    /// Called once, after a panic: this instance is lost.
    #[wasm_bindgen(method, structural)]
    fn panicked(this: &Host, file: &str, line: u32);

    /// Resolves, to what ends the turn, when no other tab is at work under this name; or when it has
    /// waited long enough.
    #[wasm_bindgen(method, structural, js_name = takeTurn)]
    fn take_turn(this: &Host, name: &str) -> js_sys::Promise;

    /// Fetches; its headers are these, or what a function gives, over those of the request.
    #[wasm_bindgen(method, structural)]
    fn send(this: &Host, request: &web_sys::Request, headers: &JsValue) -> js_sys::Promise;

    /// Tells the other tabs.
    #[wasm_bindgen(method, structural)]
    fn tell(this: &Host, message: &JsValue);

    /// Looked up once: in a browser the global is a getter that costs twice the reading.
    #[wasm_bindgen(thread_local_v2, js_name = performance)]
    static PERFORMANCE: Performance;
    type Performance;
    #[wasm_bindgen(method)]
    fn now(this: &Performance) -> f64;
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;
    #[wasm_bindgen(js_namespace = Math, js_name = random)]
    pub(crate) fn random() -> f64;

    /// Not web-sys', whose constructor may throw: this one is there, or the instance is not started.
    pub(crate) type AbortController;
    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> AbortController;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn signal(this: &AbortController) -> web_sys::AbortSignal;
    #[wasm_bindgen(method)]
    pub(crate) fn abort(this: &AbortController);

    #[wasm_bindgen(catch)]
    pub(crate) fn atob(base64: &str) -> Result<String, JsValue>;

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, delay_ms: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);

    #[wasm_bindgen(thread_local_v2, js_name = location)]
    static LOCATION: Option<JsValue>;
}

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
    static CLOCK: RefCell<Clock> = RefCell::new(Clock::new(reading()));
}

/// Connects the instance to its page. To be called once, before anything else.
#[wasm_bindgen]
pub fn start(host: Host) {
    HOST.set(Some(host));
    std::panic::set_hook(Box::new(|panic| {
        // The place and not the payload: a payload could quote data.
        let (file, line) = panic.location().map_or(("", 0), |at| (at.file(), at.line()));
        HOST.with_borrow(|host| host.iter().for_each(|host| host.panicked(file, line)));
    }));
}

/// A future of one type for all: each other type would bring a copy of what turns it into a promise.
pub(crate) fn promise(future: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> JsValue {
    let future: Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>> = Box::pin(future);
    wasm_bindgen_futures::future_to_promise(future).into()
}

/// Runs a future in the background; see [`promise`] for why it is boxed.
pub(crate) fn spawn(future: impl Future<Output = ()> + 'static) {
    let future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(future);
    wasm_bindgen_futures::spawn_local(future);
}

fn reading() -> Reading {
    Reading { monotonic_ms: PERFORMANCE.with(Performance::now), wall_ms: date_now() }
}

/// Milliseconds on the clock that deadlines are measured by.
pub(crate) fn now_ms() -> f64 {
    CLOCK.with_borrow_mut(|clock| clock.advance(reading()))
}

/// The browser's own idea of the time, in milliseconds since the epoch; for people, not decisions.
pub(crate) fn wall_ms() -> f64 {
    date_now()
}

/// Whether relative addresses have a page or worker to start from.
pub(crate) fn has_location() -> bool {
    LOCATION.with(Option::is_some)
}

impl From<Box<AuthError>> for JsValue {
    fn from(error: Box<AuthError>) -> Self {
        let details = object(&[
            ("code", value(error.code.as_str())),
            ("message", value(&*error.message)),
            ("status", value(error.status)),
            ("retryable", value(error.code.retryable())),
            ("retryAfter", value(error.retry_after_s)),
            ("requestId", value(error.request_id)),
        ]);
        let cause = error.cause.unwrap_or_default();
        HOST.with_borrow(|host| host.as_ref().map_or_else(Self::default, |host| host.error(&details, &cause)))
    }
}

/// Fetches, with the headers of a [`Call`](crate::options::Call) over those of the request.
pub(crate) fn send(request: &web_sys::Request, headers: &JsValue) -> JsFuture {
    asked(&|host| host.send(request, headers))
}

/// Waits until no other tab works under this name; what it returns is for [`end_turn`].
pub(crate) async fn take_turn(name: &str) -> JsValue {
    asked(&|host| host.take_turn(name)).await.unwrap_or_default()
}

fn asked(ask: &dyn Fn(&Host) -> js_sys::Promise) -> JsFuture {
    let nothing = || js_sys::Promise::resolve(&JsValue::UNDEFINED);
    HOST.with_borrow(|host| host.as_ref().map_or_else(nothing, ask)).into()
}

pub(crate) fn end_turn(turn: &JsValue) {
    if let Some(end) = turn.dyn_ref::<js_sys::Function>() {
        let _ = end.call0(&JsValue::UNDEFINED);
    }
}

/// Tells the other tabs of the origin.
pub(crate) fn tell(message: &JsValue) {
    HOST.with_borrow(|host| host.iter().for_each(|host| host.tell(message)));
}

/// `setTimeout` takes a 32-bit number and fires at once for anything longer.
const LONGEST_TIMEOUT_MS: f64 = 2_147_483_647.0;

/// A timer as a future; dropping it clears the timer.
pub(crate) struct Sleep {
    ends_ms: f64,
    timer: Option<(JsValue, Closure<dyn FnMut()>)>,
    waker: Rc<RefCell<Option<Waker>>>,
    fired: Rc<Cell<bool>>,
}

impl Sleep {
    pub(crate) fn new(delay_ms: f64) -> Self {
        Self { ends_ms: now_ms() + delay_ms, timer: None, waker: Rc::default(), fired: Rc::default() }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.waker.replace(Some(context.waker().clone()));
        if self.timer.is_some() && !self.fired.replace(false) {
            return Poll::Pending;
        }
        let left_ms = self.ends_ms - now_ms();
        if left_ms <= 0.0 {
            return Poll::Ready(());
        }
        let (fired, waker) = (Rc::clone(&self.fired), Rc::clone(&self.waker));
        let callback = Closure::new(move || {
            fired.set(true);
            if let Some(waker) = waker.take() {
                waker.wake();
            }
        });
        // One more millisecond, because timers may fire a fraction of one early.
        let id = set_timeout(callback.as_ref(), (left_ms.ceil() + 1.0).min(LONGEST_TIMEOUT_MS));
        self.timer = Some((id, callback));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some((id, _)) = &self.timer {
            clear_timeout(id);
        }
    }
}
