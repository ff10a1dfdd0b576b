use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use toml::Spanned;

use crate::claims::{ClaimPath, Scalar};

/// A value of the policy as written: plain, or `{ claim = "name" }` anywhere in it.
#[derive(Debug, Clone)]
pub(crate) enum Template {
    Scalar(Scalar),
    List(Vec<Spanned<Template>>),
    Table(Vec<(String, Spanned<Template>)>),
    Claim(ClaimPath),
}

impl Template {
    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Scalar(Scalar::Text(_)) => "a text",
            Self::Scalar(Scalar::Number(_)) => "a number",
            Self::Scalar(Scalar::Flag(_)) => "true/false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Claim(_) => "a claim",
        }
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TemplateVisitor)
    }
}

struct TemplateVisitor;

impl<'de> Visitor<'de> for TemplateVisitor {
    type Value = Template;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, number, true/false, list, table or { claim = \"name\" }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Template, E> {
        Ok(Template::Scalar(Scalar::Text(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Template, E> {
        Ok(Template::Scalar(Scalar::Flag(flag)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Template, E> {
        number(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Template, E> {
        number(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Template, E> {
        number(Number::from_f64(value).ok_or_else(|| E::custom("not a finite number"))?)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Template, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Template::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Template, A::Error> {
        let mut table = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key.starts_with("$__toml") {
                return Err(A::Error::custom("a date is written as text, in quotes"));
            }
            table.push((key, entries.next_value::<Spanned<Template>>()?));
        }
        if !table.iter().any(|(key, _)| key == "claim") {
            return Ok(Template::Table(table));
        }
        match table.as_slice() {
            [(_, path)] => claim_path(path.get_ref()).map(Template::Claim).map_err(A::Error::custom),
            _ => Err(A::Error::custom("`claim` stands alone: the claim replaces the whole value")),
        }
    }
}

fn number<E: Error>(number: Number) -> Result<Template, E> {
    let number = Scalar::number(number).map_err(|fault| E::custom(format_args!("the value {fault}")))?;
    Ok(Template::Scalar(number))
}

/// Reads the right-hand side of `claim = …`: a name, or a list of names that leads down.
pub(crate) fn claim_path(template: &Template) -> Result<ClaimPath, &'static str> {
    let text = |template: &Template| match template {
        Template::Scalar(Scalar::Text(name)) => Some(name.clone()),
        _ => None,
    };
    let names = match template {
        Template::List(items) => items.iter().map(|item| text(item.get_ref())).collect(),
        one => text(one).map(|name| vec![name]),
    };
    names.and_then(ClaimPath::new).ok_or("a claim is named by a text, or by a list of texts that leads down")
}
