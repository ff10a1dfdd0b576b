//! Reading `permissions` strictly, with the path of whatever is wrong in the error.

use serde_json::{Map, Value};

use super::{DatasetIds, DateGroup, Entry, Group, Operator, Policy, RecordRule, Rule, ValidationType};

/// Groups nested deeper than this are a mistake.
const MAX_DEPTH: usize = 8;

/// What is wrong with `permissions`, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub(crate) struct PolicyError {
    path: String,
    problem: String,
}

fn error(path: &str, problem: impl Into<String>) -> PolicyError {
    PolicyError { path: path.into(), problem: problem.into() }
}

pub(super) fn policy(permissions: &Value) -> Result<Policy, PolicyError> {
    if permissions.is_null() {
        return Ok(Policy::default());
    }
    let entries = array(permissions, "permissions")?
        .iter()
        .enumerate()
        .map(|(index, value)| entry(value, &format!("permissions[{index}]")))
        .collect::<Result<_, _>>()?;
    Ok(Policy { entries })
}

fn entry(value: &Value, path: &str) -> Result<Entry, PolicyError> {
    let members = object(value, path, &["dataset_id", "operator", "record_permissions"])?;
    let dataset_id = members.get("dataset_id").ok_or_else(|| error(path, "`dataset_id` is missing"))?;
    Ok(Entry {
        datasets: dataset_ids(dataset_id, &format!("{path}.dataset_id"))?,
        group: group(members, path, 0)?,
    })
}

fn dataset_ids(value: &Value, path: &str) -> Result<DatasetIds, PolicyError> {
    let named = |id: &Value| match id.as_str() {
        Some("") | None => Err(error(path, "must be a string, an array of strings, or \"*\"")),
        Some(id) => Ok(id.to_owned()),
    };
    match value {
        Value::String(all) if all == "*" => Ok(DatasetIds::All),
        Value::Array(ids) if !ids.is_empty() => {
            let ids = ids.iter().map(named).collect::<Result<Vec<_>, _>>()?;
            Ok(if ids.iter().any(|id| id == "*") { DatasetIds::All } else { DatasetIds::These(ids) })
        }
        _ => Ok(DatasetIds::These(vec![named(value)?])),
    }
}

fn group(members: &Map<String, Value>, path: &str, depth: usize) -> Result<Group, PolicyError> {
    if depth > MAX_DEPTH {
        return Err(error(path, format!("groups nest deeper than {MAX_DEPTH}")));
    }
    let operator = match members.get("operator").map(Value::as_str) {
        None | Some(Some("AND")) => Operator::And,
        Some(Some("OR")) => Operator::Or,
        Some(_) => return Err(error(&format!("{path}.operator"), "must be \"AND\" or \"OR\"")),
    };
    let path = format!("{path}.record_permissions");
    let rules = members.get("record_permissions").ok_or_else(|| error(&path, "is missing"))?;
    let rules = array(rules, &path)?;
    if rules.is_empty() {
        return Err(error(&path, "must not be empty"));
    }
    let rules = rules
        .iter()
        .enumerate()
        .map(|(index, value)| rule(value, &format!("{path}[{index}]"), depth))
        .collect::<Result<_, _>>()?;
    Ok(Group { operator, rules })
}

fn rule(value: &Value, path: &str, depth: usize) -> Result<Rule, PolicyError> {
    if value.get("record_permissions").is_some() {
        let members = object(value, path, &["operator", "record_permissions"])?;
        return Ok(Rule::Group(group(members, path, depth + 1)?));
    }
    let members = object(value, path, &["security_name", "values", "validation_type", "group_value"])?;
    let security_name = match members.get("security_name").and_then(Value::as_str) {
        None | Some("") => {
            return Err(error(&format!("{path}.security_name"), "must be a string that is not empty"));
        }
        Some(name) => name.to_owned(),
    };
    let validation_type =
        validation_type(members.get("validation_type"), &format!("{path}.validation_type"))?;
    let values = values(members.get("values"), validation_type, &format!("{path}.values"))?;
    let group_value = date_group(members.get("group_value"), &format!("{path}.group_value"))?;
    Ok(Rule::Record(RecordRule { security_name, values, validation_type, group_value }))
}

fn validation_type(value: Option<&Value>, path: &str) -> Result<ValidationType, PolicyError> {
    let Some(value) = value else { return Ok(ValidationType::default()) };
    let found = ValidationType::ALL.iter().find(|(name, _)| value.as_str() == Some(name));
    found.map(|(_, kind)| *kind).ok_or_else(|| {
        let names: Vec<&str> = ValidationType::ALL.iter().map(|(name, _)| *name).collect();
        error(path, format!("must be one of {}", names.join(", ")))
    })
}

fn values(value: Option<&Value>, kind: ValidationType, path: &str) -> Result<Vec<String>, PolicyError> {
    use ValidationType as V;
    let values = match value {
        None if matches!(kind, V::IsEmpty | V::IsNotEmpty) => return Ok(Vec::new()),
        None => return Err(error(path, "is missing")),
        Some(value) => array(value, path)?,
    };
    let values: Vec<String> = values
        .iter()
        .map(|value| match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(truth) => Ok(truth.to_string()),
            _ => Err(error(path, "must hold strings, numbers or booleans")),
        })
        .collect::<Result<_, _>>()?;
    match kind {
        V::IsEmpty | V::IsNotEmpty => {}
        V::Range | V::NotRange | V::Between if values.len() != 2 => {
            return Err(error(path, "must hold the two ends of the range"));
        }
        _ if values.is_empty() => return Err(error(path, "must not be empty")),
        _ => {}
    }
    if kind != V::Equal && values.iter().any(|value| value == "*") {
        return Err(error(path, "the value \"*\" goes with the validation type EQUAL only"));
    }
    Ok(values)
}

fn date_group(value: Option<&Value>, path: &str) -> Result<Option<DateGroup>, PolicyError> {
    match value.map(Value::as_str) {
        None => Ok(None),
        Some(Some("year")) => Ok(Some(DateGroup::Year)),
        Some(Some("month")) => Ok(Some(DateGroup::Month)),
        Some(Some("day")) => Ok(Some(DateGroup::Day)),
        Some(_) => Err(error(path, "must be \"year\", \"month\" or \"day\"")),
    }
}

fn array<'a>(value: &'a Value, path: &str) -> Result<&'a [Value], PolicyError> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| error(path, "must be an array"))
}

fn object<'a>(value: &'a Value, path: &str, known: &[&str]) -> Result<&'a Map<String, Value>, PolicyError> {
    let members = value.as_object().ok_or_else(|| error(path, "must be an object"))?;
    match members.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(error(path, format!("`{unknown}` is not a documented key"))),
        None => Ok(members),
    }
}
