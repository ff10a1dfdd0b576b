//! Callers who want a fresh token for as long as they watch, and the task that sees to it.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use js_sys::{Function, JsString};
use wasm_bindgen::JsValue;

use crate::client::{Client, Inner, describe, expires_at};
use crate::error::AuthError;
use crate::host::{self, AbortController, Sleep};
use crate::lifetime::Deadline;
use crate::object::{object, value};
use crate::options::Call;
use crate::renewal::{Renewal, Step};
use crate::store::Issued;

/// The longest wait between two looks at the clock, in milliseconds: timers stand still while some
/// machines sleep, and nothing tells a visible page that it has slept.
const LOOK_AGAIN_MS: f64 = 30_000.0;

/// All who watch the tokens of one key.
pub(crate) struct Watch {
    /// Its signal is that of the watch itself, which aborts when the last caller has left.
    pub(crate) call: Rc<Call>,
    controller: AbortController,
    callbacks: RefCell<Vec<(u32, Function)>>,
    /// The token that was delivered last.
    held: RefCell<Rc<Issued<JsString>>>,
    renewal: RefCell<Renewal>,
    woken: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Watch {
    pub(crate) fn new(call: &Call, held: &Rc<Issued<JsString>>) -> Rc<Self> {
        let controller = AbortController::new();
        // What renews for all of them must not end with the one who happened to come first.
        let call = Call { signal: Some(controller.signal()), force_refresh: false, ..call.clone() };
        let renewal = Renewal::of(held.deadline, host::now_ms(), host::random());
        Rc::new(Self {
            call: Rc::new(call),
            controller,
            callbacks: RefCell::default(),
            held: RefCell::new(Rc::clone(held)),
            renewal: RefCell::new(renewal),
            woken: Cell::new(false),
            waker: RefCell::default(),
        })
    }

    /// The token that was delivered last.
    pub(crate) fn held(&self) -> Rc<Issued<JsString>> {
        Rc::clone(&self.held.borrow())
    }

    pub(crate) fn add(&self, id: u32, callback: Function) {
        self.callbacks.borrow_mut().push((id, callback));
    }

    /// Removes a caller; true if it was the last.
    pub(crate) fn remove(&self, id: u32) -> bool {
        let mut callbacks = self.callbacks.borrow_mut();
        callbacks.retain(|(known, _)| *known != id);
        callbacks.is_empty()
    }

    /// Takes a token that has arrived for the key, and hands it to everybody.
    pub(crate) fn deliver(&self, inner: &Inner, issued: &Rc<Issued<JsString>>) {
        self.renewal.borrow_mut().receive(issued.deadline, host::now_ms(), host::random());
        let before = self.held.replace(Rc::clone(issued));
        // A relay that holds a token answers with the same one, whose end alone may be news.
        if before.token != issued.token {
            self.emit(inner, "renewed", issued.deadline, None, None);
            self.tell(&describe(issued), &JsValue::UNDEFINED);
        }
        self.wake();
    }

    /// Tells of the token, to the client's listeners and to all who watch it.
    fn emit(
        &self,
        inner: &Inner,
        event: &str,
        deadline: Option<Deadline>,
        error: Option<Box<AuthError>>,
        retry_in_ms: Option<f64>,
    ) {
        let detail = object(&[
            ("kind", value(self.call.kind.as_str())),
            ("profile", value(self.call.profile.as_deref())),
            ("expiresAt", value(expires_at(deadline))),
            ("error", error.map(JsValue::from).unwrap_or_default()),
            ("retryInMs", value(retry_in_ms)),
        ]);
        let event = event.into();
        inner.fire(&event, &detail);
        self.tell(&detail, &event);
    }

    fn tell(&self, detail: &JsValue, event: &JsValue) {
        // A callback may watch or leave while it is called.
        let callbacks = self.callbacks.borrow().clone();
        for (_, callback) in callbacks {
            // The JavaScript side reports what a callback throws.
            let _ = callback.call2(&JsValue::UNDEFINED, detail, event);
        }
    }

    /// Makes the task look again.
    pub(crate) fn wake(&self) {
        self.woken.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Somebody more wants the token: what has been given up is taken up again.
    pub(crate) fn resume(&self) {
        self.renewal.borrow_mut().resume(host::now_ms(), host::random());
        self.wake();
    }

    pub(crate) fn encourage(&self) {
        self.renewal.borrow_mut().encourage(host::now_ms());
        self.wake();
    }

    /// Ends the watch for everybody.
    pub(crate) fn end(&self, inner: &Inner, error: Box<AuthError>) {
        self.stop();
        self.emit(inner, "failed", None, Some(error), None);
    }

    /// Ends what is done for the watch.
    pub(crate) fn stop(&self) {
        self.controller.abort();
        self.wake();
    }

    /// Keeps the token fresh until nobody watches any more.
    pub(crate) async fn keep_fresh(self: Rc<Self>, inner: Rc<Inner>) {
        loop {
            if self.call.is_aborted() {
                return;
            }
            let now_ms = host::now_ms();
            if self.renewal.borrow_mut().is_over(now_ms) {
                let deadline = self.held.borrow().deadline;
                self.emit(&inner, "expired", deadline, None, None);
            }
            let step = self.renewal.borrow().step(now_ms);
            match step {
                Step::Renew => self.renew(&inner).await,
                Step::Wait(ms) => self.sleep(Some(ms.min(LOOK_AGAIN_MS))).await,
                Step::Rest => self.sleep(None).await,
            }
        }
    }

    async fn renew(&self, inner: &Rc<Inner>) {
        let deadline = self.held.borrow().deadline;
        if deadline.is_some_and(|deadline| deadline.left_ms(host::now_ms()) > 0.0) {
            self.emit(inner, "expiring", deadline, None, None);
        }
        let grant = self.held().grant.clone().filter(|_| self.call.share_tabs);
        let turn = match grant {
            Some(grant) => Some(host::take_turn(&grant).await),
            None => None,
        };
        // While this tab waited for its turn, another may have brought the token.
        if self.renewal.borrow().step(host::now_ms()) == Step::Renew {
            self.ask(inner, deadline).await;
        }
        turn.inspect(host::end_turn);
    }

    async fn ask(&self, inner: &Rc<Inner>, deadline: Option<Deadline>) {
        // A success is delivered to this watch like any other token of its key.
        if let Err(error) = Client::renew(inner, &self.call).await {
            let delay_ms = self.renewal.borrow_mut().failed(
                error.code,
                error.retry_after_s,
                host::now_ms(),
                host::random(),
            );
            self.emit(inner, "failed", deadline, Some(error), delay_ms);
        }
    }

    async fn sleep(&self, ms: Option<f64>) {
        let mut timer = pin!(ms.map(Sleep::new));
        poll_fn(|context| {
            if self.woken.replace(false) {
                return Poll::Ready(());
            }
            self.waker.replace(Some(context.waker().clone()));
            timer.as_mut().as_pin_mut().map_or(Poll::Pending, |timer| timer.poll(context))
        })
        .await;
    }
}
