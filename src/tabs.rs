//! One renewal for all tabs of an origin: the tab that renews tells the others, in memory.
//!
//! Two users in two tabs can never get each other's token: a tab adopts one only for a grant that it
//! has had from the relay itself, by its own credentials, and the relay gives equal grants only to
//! those to whom it would give the same token. Without a grant, as from relays of other makes, tabs
//! share nothing.

use std::rc::Rc;

use js_sys::JsString;
use wasm_bindgen::{JsCast, JsValue};

use crate::client::Inner;
use crate::host;
use crate::lifetime::Deadline;
use crate::object::{member, object, value};
use crate::store::Issued;

/// The longest time that a message may have been under way, in milliseconds: a tab that was frozen
/// gets old ones when it thaws. Tabs of one machine have one wall clock, which may still be set.
const LATE_MS: f64 = 5_000.0;

/// The message for the other tabs, if the token is one to share.
pub(crate) fn announce(issued: &Issued<JsString>) -> Option<JsValue> {
    let (grant, deadline) = (issued.grant.as_deref()?, issued.deadline?);
    Some(object(&[
        ("grant", value(grant)),
        ("token", issued.token.clone().into()),
        ("leftMs", value(deadline.left_ms(host::now_ms()))),
        ("lifetimeMs", value(deadline.lifetime_ms)),
        ("postedAtMs", value(host::wall_ms())),
    ]))
}

/// Takes another tab's message: hands the token to those who watch the same grant.
pub(crate) fn adopt(inner: &Inner, message: &JsValue) {
    let number = |key| member(message, key).as_f64().unwrap_or(f64::NAN);
    let (Some(grant), Ok(token)) =
        (member(message, "grant").as_string(), member(message, "token").dyn_into::<JsString>())
    else {
        return;
    };
    let late_ms = host::wall_ms() - number("postedAtMs");
    if !(0.0..=LATE_MS).contains(&late_ms) {
        return;
    }
    let now_ms = host::now_ms();
    let deadline =
        Deadline { ends_ms: now_ms + number("leftMs") - late_ms, lifetime_ms: number("lifetimeMs") };
    for watch in inner.watches() {
        let held = watch.held();
        let is_news = held.deadline.is_none_or(|held| held.ends_ms < deadline.ends_ms) && held.token != token;
        if watch.call.share_tabs && is_news && held.grant.as_ref() == Some(&grant) {
            let issued = Rc::new(Issued {
                token: token.clone(),
                deadline: Some(deadline),
                grant: held.grant.clone(),
                domain: held.domain.clone(),
            });
            inner.adopt(&watch.call.key, &issued);
            watch.deliver(inner, &issued);
        }
    }
}
