//! One renewal for all tabs of an origin: the tab that renews tells the others, in memory.
//!
//! Two users in two tabs can never get each other's token: a tab adopts one only for a grant that it
//! has had from the relay itself, by its own credentials, and the relay gives equal grants only to
//! those to whom it would give the same token. Without a grant, as from relays of other makes, tabs
//! share nothing.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use crate::client::Inner;
use crate::host;
use crate::lifetime::Deadline;
use crate::store::Issued;

/// The longest time that a message may have been under way, in milliseconds: a tab that was frozen
/// gets old ones when it thaws. Tabs of one machine have one wall clock, which may still be set.
const LATE_MS: f64 = 5_000.0;

/// What one tab tells the others about a token that it has fetched.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Renewed {
    grant: String,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    token: js_sys::JsString,
    left_ms: f64,
    lifetime_ms: f64,
    posted_at_ms: f64,
}

/// The message for the other tabs, if the token is one to share.
pub(crate) fn announce(issued: &Issued<js_sys::JsString>) -> Option<JsValue> {
    let (grant, deadline) = (issued.grant.as_ref()?, issued.deadline?);
    let renewed = Renewed {
        grant: grant.clone(),
        token: issued.token.clone(),
        left_ms: deadline.left_ms(host::now_ms()),
        lifetime_ms: deadline.lifetime_ms,
        posted_at_ms: host::wall_ms(),
    };
    serde_wasm_bindgen::to_value(&renewed).ok()
}

/// Takes another tab's message: hands the token to those who watch the same grant.
pub(crate) fn adopt(inner: &Inner, message: JsValue) {
    let Ok(renewed) = serde_wasm_bindgen::from_value::<Renewed>(message) else { return };
    let late_ms = host::wall_ms() - renewed.posted_at_ms;
    if !(0.0..=LATE_MS).contains(&late_ms) {
        return;
    }
    let now_ms = host::now_ms();
    let deadline = Deadline { ends_ms: now_ms + renewed.left_ms - late_ms, lifetime_ms: renewed.lifetime_ms };
    for watch in inner.watches() {
        let held = watch.held();
        let is_news =
            held.deadline.is_none_or(|held| held.ends_ms < deadline.ends_ms) && held.token != renewed.token;
        if watch.call.share_tabs && is_news && held.grant.as_ref() == Some(&renewed.grant) {
            let issued = Rc::new(Issued {
                token: renewed.token.clone(),
                deadline: Some(deadline),
                grant: held.grant.clone(),
                domain: held.domain.clone(),
            });
            inner.adopt(&watch.call.key, &issued);
            watch.deliver(inner, &issued);
        }
    }
}
