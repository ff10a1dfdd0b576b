//! What `embed` is to put on a page: decided here, done in `js/embed.js`.
//!
//! An instance of its own, which travels in `dist/embed.js`: a page that asks for tokens and embeds
//! nothing does not pay for the catalogue.

mod catalogue;
mod plan;

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;

use catalogue::Widget;
use plan::{Given, Plan, Problem};

/// The default allocator for wasm32 is several times the size.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Checks `EmbedOptions` and says what is to be done: the members of `Planned` in `js/plan.js`.
///
/// # Errors
/// A text that names the key, or what a getter of the options threw.
#[wasm_bindgen]
pub fn plan(options: &JsValue) -> Result<Object, JsValue> {
    if !options.is_object() {
        return Err("the options must be an object".into());
    }
    let entries = entries(options)?;
    let settings = entries.iter().find(|(key, value)| key == "settings" && value.is_object());
    let settings = settings.map_or_else(|| Ok(Vec::new()), |(_, settings)| self::entries(settings))?;
    let plan = Plan::new(&described(&entries), &described(&settings))?;

    let [token, listeners, attributes] = [Object::new(), Object::new(), Object::new()];
    for (key, value) in &entries {
        if let Some(event) = plan::event_of(key) {
            put(&listeners, event, value);
        } else if plan.widget.attributes.contains(&key.as_str()) {
            put(&attributes, key, value);
        } else if !plan::is_own(key) {
            put(&token, key, value);
        }
    }
    let planned = Object::new();
    for (key, text) in [
        ("tag", Some(plan.widget.tag)),
        ("attribute", Some(plan.widget.attribute)),
        ("tokenKey", plan.token_key),
        ("module", plan.widget.launcher.module),
        ("classic", plan.widget.launcher.classic),
        ("renew", Some(plan.renew)),
        ("domain", plan.domain.as_deref()),
        ("widgetsUrl", plan.widgets_url.as_deref()),
        ("apiUrl", plan.api_url.as_deref()),
    ] {
        put(&planned, key, &text.into());
    }
    put(&planned, "settings", &renamed(plan.widget, &settings));
    put(&planned, "token", &token);
    put(&planned, "listeners", &listeners);
    put(&planned, "attributes", &attributes);
    Ok(planned)
}

type Entries = Vec<(String, JsValue)>;

/// The keys of an object and what they hold, `undefined` counting as absent.
fn entries(object: &JsValue) -> Result<Entries, JsValue> {
    let mut entries = Entries::new();
    for key in Object::keys(object.unchecked_ref::<Object>()) {
        let value = Reflect::get(object, &key)?;
        if !value.is_undefined() {
            entries.push((key.as_string().unwrap_or_default(), value));
        }
    }
    Ok(entries)
}

fn described(entries: &Entries) -> Vec<(String, Given)> {
    let describe = |(key, value): &(String, JsValue)| {
        let given = if let Some(text) = value.as_string() {
            Given::Text(text)
        } else if let Some(number) = value.as_f64() {
            Given::Number(number)
        } else if value.is_function() {
            Given::Function
        } else if value.is_object() {
            Given::Object
        } else {
            Given::Other
        };
        (key.clone(), given)
    };
    entries.iter().map(describe).collect()
}

fn renamed(widget: &Widget, settings: &Entries) -> Object {
    let renamed = Object::new();
    for (key, value) in settings {
        put(&renamed, plan::wanted(widget, key), value);
    }
    renamed
}

fn put(object: &Object, key: &str, value: &JsValue) {
    let _ = Reflect::set(object, &key.into(), value);
}

impl From<Problem> for JsValue {
    fn from(problem: Problem) -> Self {
        ["option \"", &problem.key, "\" ", &problem.says].concat().into()
    }
}
