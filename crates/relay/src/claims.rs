//! Claims: what the identity service says of the caller. They are data, never text to splice into.

use std::fmt;

use serde_json::{Map, Number, Value};

/// What is known of the caller. `Debug` shows names only, for the values are personal data.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Claims(Map<String, Value>);

/// Where in the claims a value stands: a top-level name, or a list of names that leads further
/// down. A dot in a name is part of the name, for names such as `https://host.example/tenant` are
/// common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClaimPath(Vec<String>);

/// A value that stands alone: what a row-level-security rule compares with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Text(String),
    Number(Number),
    Flag(bool),
}

/// Why a claim cannot be used. Names the claim, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("claim {path} {fault}")]
pub(crate) struct ClaimError {
    path: ClaimPath,
    fault: ClaimFault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClaimFault {
    #[error("is missing")]
    Missing,
    #[error("is empty")]
    Empty,
    #[error("is not {0}")]
    NotA(&'static str),
    /// Only the policy may open everything.
    #[error("is the wildcard `*`, which only the policy may write")]
    Wildcard,
    #[error("is a number above 2^53, which cannot be told from its neighbours in JSON: make it a text")]
    Inexact,
}

impl Claims {
    pub(crate) fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// Finds a claim and reads it as one type; `null` counts as missing.
    pub(crate) fn read<T: FromClaim>(&self, path: &ClaimPath) -> Result<T, ClaimError> {
        let blame = |fault| ClaimError { path: path.clone(), fault };
        let value = self.find(path).ok_or(ClaimFault::Missing).map_err(blame)?;
        T::from_claim(value).map_err(blame)
    }

    fn find(&self, path: &ClaimPath) -> Option<&Value> {
        let (first, rest) = path.0.split_first()?;
        rest.iter()
            .try_fold(self.0.get(first)?, |value, name| value.get(name))
            .filter(|value| !value.is_null())
    }

    /// Puts a made-up value where a claim was missing, of the type that was wanted there.
    pub(crate) fn insert_sample(&mut self, error: &ClaimError) {
        let sample = match error.fault {
            ClaimFault::NotA(A_LIST) => Value::from(vec![SAMPLE]),
            ClaimFault::NotA("a lifetime") => Value::from("10m"),
            ClaimFault::NotA("an operator") => Value::from("AND"),
            ClaimFault::NotA("a validation type") => Value::from("EQUAL"),
            _ => Value::from(SAMPLE),
        };
        let Some((last, parents)) = error.path.0.split_last() else { return };
        let parent = parents.iter().try_fold(&mut self.0, |map, name| {
            map.entry(name.as_str()).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
        });
        if let Some(parent) = parent {
            parent.insert(last.clone(), sample);
        }
    }

    /// The exact bytes of all claims, for hashing.
    pub(crate) fn canonical_bytes(&self) -> Vec<u8> {
        // A map of JSON values always serializes, and its keys are in order.
        serde_json::to_vec(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl ClaimPath {
    /// A path of one or more non-empty names.
    pub(crate) fn new(names: Vec<String>) -> Option<Self> {
        (!names.is_empty() && names.iter().all(|name| !name.is_empty())).then_some(Self(names))
    }

    pub(crate) fn top_level(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0.join("` > `"))
    }
}

impl ClaimError {
    pub(crate) fn is_not_a_list(&self) -> bool {
        self.fault == ClaimFault::NotA(A_LIST)
    }
}

const A_LIST: &str = "a list";
const SAMPLE: &str = "qrvey-relay-check";

/// A type that a claim can be read as, whole: nothing is converted, cut or joined.
pub(crate) trait FromClaim: Sized {
    fn from_claim(value: &Value) -> Result<Self, ClaimFault>;
}

impl FromClaim for String {
    fn from_claim(value: &Value) -> Result<Self, ClaimFault> {
        let text = value.as_str().ok_or(ClaimFault::NotA("a text"))?;
        // The platform is JavaScript, to which a byte order mark is white space too.
        match text.trim_matches(|it: char| it.is_whitespace() || it == '\u{feff}') {
            "" => Err(ClaimFault::Empty),
            "*" => Err(ClaimFault::Wildcard),
            _ => Ok(text.to_owned()),
        }
    }
}

impl FromClaim for Scalar {
    fn from_claim(value: &Value) -> Result<Self, ClaimFault> {
        match value {
            Value::String(_) => String::from_claim(value).map(Self::Text),
            Value::Number(number) => Self::number(number.clone()),
            Value::Bool(flag) => Ok(Self::Flag(*flag)),
            _ => Err(ClaimFault::NotA("a text, a number or true/false")),
        }
    }
}

impl Scalar {
    /// A whole number above 2^53 may be the id of one tenant and be read as that of another: here
    /// above 2^64, and by the platform, which is JavaScript, from there on.
    pub(crate) fn number(number: Number) -> Result<Self, ClaimFault> {
        const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;
        let is_exact = number.as_f64().is_some_and(|number| number.abs() <= MAX_SAFE_INTEGER);
        if is_exact { Ok(Self::Number(number)) } else { Err(ClaimFault::Inexact) }
    }
}

impl<T: FromClaim> FromClaim for Vec<T> {
    fn from_claim(value: &Value) -> Result<Self, ClaimFault> {
        match value.as_array().ok_or(ClaimFault::NotA(A_LIST))?.as_slice() {
            [] => Err(ClaimFault::Empty),
            items => items.iter().map(T::from_claim).collect(),
        }
    }
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Text(text) => Self::String(text),
            Scalar::Number(number) => Self::Number(number),
            Scalar::Flag(flag) => Self::Bool(flag),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        match value {
            Value::Object(map) => Claims::new(map),
            other => panic!("not an object: {other}"),
        }
    }

    fn read<T: FromClaim>(value: &Value) -> Result<T, ClaimFault> {
        claims(json!({ "c": value })).read(&ClaimPath::top_level("c")).map_err(|error| error.fault)
    }

    #[test]
    fn a_claim_keeps_its_type_and_is_never_converted() {
        assert_eq!(read::<String>(&json!("ada")), Ok("ada".into()));
        assert_eq!(read::<Scalar>(&json!(7)), Ok(Scalar::Number(7.into())));
        assert_eq!(read::<String>(&json!(7)), Err(ClaimFault::NotA("a text")));
        assert_eq!(read::<Vec<Scalar>>(&json!("aurora")), Err(ClaimFault::NotA("a list")));
        assert_eq!(read::<String>(&json!(["aurora"])), Err(ClaimFault::NotA("a text")));
        assert!(read::<Scalar>(&json!({ "claim": "x" })).is_err());
    }

    #[test]
    fn a_number_that_could_be_taken_for_another_is_refused() {
        for number in ["9007199254740993", "-9007199254740992", "18446744073709551617", "1e300"] {
            let number: Value = serde_json::from_str(number).unwrap();
            assert_eq!(read::<Scalar>(&number), Err(ClaimFault::Inexact), "{number}");
        }
        for number in ["9007199254740991", "-9007199254740991", "0.1", "1.5e3"] {
            let number: Value = serde_json::from_str(number).unwrap();
            assert!(read::<Scalar>(&number).is_ok(), "{number}");
        }
    }

    #[test]
    fn what_is_absent_or_empty_is_refused() {
        assert_eq!(read::<String>(&Value::Null), Err(ClaimFault::Missing));
        assert_eq!(read::<String>(&json!(" \u{feff}")), Err(ClaimFault::Empty));
        assert_eq!(read::<Vec<Scalar>>(&json!([])), Err(ClaimFault::Empty));
        assert_eq!(read::<Vec<Scalar>>(&json!(["a", ""])), Err(ClaimFault::Empty));
    }

    #[test]
    fn a_wildcard_from_a_claim_is_refused_wherever_it_stands() {
        for wildcard in [json!("*"), json!(" *\n"), json!("\u{feff}*\u{a0}")] {
            assert_eq!(read::<String>(&wildcard.clone()), Err(ClaimFault::Wildcard));
            assert_eq!(read::<Vec<Scalar>>(&json!(["a", wildcard])), Err(ClaimFault::Wildcard));
        }
    }

    #[test]
    fn a_path_leads_down_and_a_dot_is_part_of_a_name() {
        let claims = claims(json!({ "realm": { "roles": ["a"] }, "realm.roles": ["b"] }));
        let roles = |names: &[&str]| {
            let path = ClaimPath::new(names.iter().map(|name| (*name).to_owned()).collect()).unwrap();
            claims.read::<Vec<String>>(&path).ok()
        };
        assert_eq!(roles(&["realm", "roles"]), Some(vec!["a".to_owned()]));
        assert_eq!(roles(&["realm.roles"]), Some(vec!["b".to_owned()]));
        assert_eq!(roles(&["realm", "groups"]), None);
    }

    #[test]
    fn debug_and_errors_show_no_value() {
        let claims = claims(json!({ "sub": ["canary"] }));
        assert_eq!(format!("{claims:?}"), r#"{"sub"}"#);
        let error = claims.read::<String>(&ClaimPath::top_level("sub")).unwrap_err();
        assert_eq!(error.to_string(), "claim `sub` is not a text");
        assert!(!format!("{error:?}").contains("canary"));
    }
}
