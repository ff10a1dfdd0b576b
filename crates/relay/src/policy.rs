//! Policy as checked at start: who may have a token, and what stands in it. [`crate::grant`] puts a
//! caller's claims into it.

use std::time::Duration;

use serde_json::Value;

use crate::claims::{ClaimError, ClaimFault, ClaimPath, Claims, FromClaim, Scalar};
use crate::lifetime::Lifetime;

/// A value of the policy: written out, or a claim that replaces it whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Setting<T> {
    Fixed(T),
    Claim(ClaimPath),
}

impl<T: FromClaim + Clone> Setting<T> {
    pub(crate) fn resolve(&self, claims: &Claims) -> Result<T, ClaimError> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Claim(path) => claims.read(path),
        }
    }
}

/// A list of the policy: written out with settings in it, or a claim that is the list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ListSetting<T> {
    Fixed(Vec<Setting<T>>),
    Claim(ClaimPath),
}

impl<T: FromClaim + Clone> ListSetting<T> {
    pub(crate) fn resolve(&self, claims: &Claims) -> Result<Vec<T>, ClaimError> {
        match self {
            Self::Fixed(items) => items.iter().map(|item| item.resolve(claims)).collect(),
            Self::Claim(path) => claims.read(path),
        }
    }
}

/// What a Composer token is for: the body of the platform call, with claims still to be put in.
#[derive(Debug)]
pub(crate) struct Profile {
    pub require: Option<Requirement>,
    pub userid: Setting<String>,
    pub appid: Setting<String>,
    pub clientid: Option<Setting<String>>,
    pub expires_in: Setting<Lifetime>,
    pub org_id: Option<Setting<String>>,
    pub version: Option<Setting<String>>,
    pub dashboard_id: Option<Setting<String>>,
    pub pageid: Option<Setting<String>>,
    pub qrveyid: Option<Setting<String>>,
    pub permissions: Vec<Permission>,
    pub asset_permissions: Vec<AssetIds>,
    pub feature_permission: Option<Tree>,
    pub styles: Option<Tree>,
    /// No token lives longer, whatever a claim asks for.
    pub max_lifetime: Duration,
}

/// The assets of one kind that a token opens.
#[derive(Debug)]
pub(crate) struct AssetIds {
    /// Such as `pages`.
    pub kind: &'static str,
    /// The name of the list, such as `page_ids`.
    pub key: &'static str,
    pub ids: ListSetting<String>,
}

/// A condition on one claim.
#[derive(Debug)]
pub(crate) struct Requirement {
    pub claim: ClaimPath,
    pub test: Test,
}

#[derive(Debug)]
pub(crate) enum Test {
    Contains(Scalar),
    Equals(Scalar),
}

impl Requirement {
    /// Whether the caller meets the condition. A claim of another shape does not.
    pub(crate) fn is_met(&self, claims: &Claims) -> bool {
        match &self.test {
            Test::Contains(wanted) => claims
                .read::<Vec<RawValue>>(&self.claim)
                .is_ok_and(|items| items.iter().any(|RawValue(item)| *item == Value::from(wanted.clone()))),
            Test::Equals(wanted) => claims
                .read::<RawValue>(&self.claim)
                .is_ok_and(|RawValue(it)| it == Value::from(wanted.clone())),
        }
    }
}

/// A claim that is only compared: nothing of it travels on, so nothing in it is refused.
struct RawValue(Value);

impl FromClaim for RawValue {
    fn from_claim(value: &Value) -> Result<Self, ClaimFault> {
        Ok(Self(value.clone()))
    }
}

/// Row-level security for some datasets.
#[derive(Debug)]
pub(crate) struct Permission {
    pub dataset_id: Datasets,
    pub operator: Option<Setting<Operator>>,
    pub records: Vec<Record>,
}

#[derive(Debug)]
pub(crate) enum Datasets {
    /// One dataset, `*` for all, or a claim that is a text or a list of texts.
    One(Setting<OneOrMany>),
    Many(Vec<Setting<String>>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl FromClaim for OneOrMany {
    fn from_claim(value: &Value) -> Result<Self, ClaimFault> {
        if value.is_array() {
            Vec::from_claim(value).map(Self::Many)
        } else {
            String::from_claim(value).map(Self::One)
        }
    }
}

#[derive(Debug)]
pub(crate) enum Record {
    Rule(Rule),
    Group { operator: Option<Setting<Operator>>, records: Vec<Record> },
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub security_name: Setting<String>,
    pub values: ListSetting<Scalar>,
    pub validation_type: Option<Setting<ValidationType>>,
    pub group_value: Option<Setting<Scalar>>,
}

/// Any value of the platform's that has no documented shape, with claims anywhere in it.
#[derive(Debug)]
pub(crate) enum Tree {
    Leaf(Scalar),
    List(Vec<Tree>),
    Table(Vec<(String, Tree)>),
    /// A text, number or true/false, or a list of them.
    Claim(ClaimPath),
}

/// A set of words that the platform knows, each spelt as the platform spells it.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($variant),+ }

        impl $name {
            pub(crate) const WORDS: &[&str] = &[$($word),+];

            pub(crate) fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }

            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromClaim for $name {
            fn from_claim(value: &Value) -> Result<Self, ClaimFault> {
                Self::parse(&String::from_claim(value)?).ok_or(ClaimFault::NotA($what))
            }
        }
    };
}

words! {
    /// How the rules of a group are joined.
    Operator, "an operator" { And = "AND", Or = "OR" }
}

words! {
    /// How a rule compares a column with its values.
    ValidationType, "a validation type" {
        Equal = "EQUAL",
        NotEqual = "NOT_EQUAL",
        Contain = "CONTAIN",
        NotContain = "NOT_CONTAIN",
        StartWith = "START_WITH",
        NotStartWith = "NOT_START_WITH",
        EndWith = "END_WITH",
        NotEndWith = "NOT_END_WITH",
        GreaterThan = "GREATER_THAN",
        GreaterThanOrEqual = "GREATER_THAN_OR_EQUAL",
        LessThan = "LESS_THAN",
        LessThanOrEqual = "LESS_THAN_OR_EQUAL",
        Range = "RANGE",
        NotRange = "NOT_RANGE",
        Between = "BETWEEN",
        Date = "DATE",
        IsEmpty = "IS_EMPTY",
        IsNotEmpty = "IS_NOT_EMPTY",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn met(test: Test, claim: Value) -> bool {
        let claims = Claims::new([("roles".to_owned(), claim)].into_iter().collect());
        Requirement { claim: ClaimPath::top_level("roles"), test }.is_met(&claims)
    }

    #[test]
    fn contains_looks_for_a_whole_item_of_a_list() {
        let analyst = || Test::Contains(Scalar::Text("analyst".into()));
        assert!(met(analyst(), json!(["viewer", "analyst"])));
        assert!(!met(analyst(), json!(["not-an-analyst"])));
        assert!(!met(analyst(), json!("analyst")));
        assert!(!met(analyst(), json!("an analyst")));
        assert!(!met(analyst(), json!([])));
        assert!(!met(analyst(), Value::Null));
        assert!(!met(analyst(), json!({ "analyst": true })));
    }

    #[test]
    fn equals_compares_value_and_type() {
        assert!(met(Test::Equals(Scalar::Flag(true)), json!(true)));
        assert!(!met(Test::Equals(Scalar::Flag(true)), json!("true")));
        assert!(!met(Test::Equals(Scalar::Text("1".into())), json!(1)));
    }

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for word in ValidationType::WORDS {
            assert_eq!(ValidationType::parse(word).map(ValidationType::as_str), Some(*word));
        }
        assert_eq!(ValidationType::WORDS.len(), 18);
        assert_eq!(Operator::parse("and"), None);
    }
}
