//! Objects of JavaScript, member by member. serde-wasm-bindgen reads and writes the values; whole
//! structs would bring a table of their member names along, 1.5 KB of it.

use js_sys::{Object, Reflect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

/// A member as it is; `undefined` if there is none, or if reading it throws.
pub(crate) fn member(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &key.into()).unwrap_or_default()
}

/// A member in the type that it must have; `None` for `undefined` and `null`.
///
/// # Errors
/// What reading it throws, or why it is of another type.
pub(crate) fn read<T: DeserializeOwned>(object: &JsValue, key: &str) -> Result<Option<T>, JsValue> {
    Ok(serde_wasm_bindgen::from_value(Reflect::get(object, &key.into())?)?)
}

/// A value for JavaScript.
pub(crate) fn value<T: Serialize>(value: T) -> JsValue {
    serde_wasm_bindgen::to_value(&value).unwrap_or_default()
}

/// An object with these members, less those that are `undefined`.
pub(crate) fn object(members: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (key, value) in members {
        if !value.is_undefined() {
            let _ = Reflect::set(&object, &(*key).into(), value);
        }
    }
    object.into()
}
