//! Checks profiles and requirements against what the platform documents, and compiles them.

use std::time::Duration;

use toml::Spanned;

use super::file;
use super::source::{Blame, Fault};
use super::template::{Template, claim_path};
use crate::claims::Scalar;
use crate::grant::ROW_LEVEL_SECURITY_VERSION;
use crate::lifetime::Lifetime;
use crate::policy::{
    AssetIds, Datasets, ListSetting, OneOrMany, Operator, Permission, Profile, Record, Requirement, Rule,
    Setting, Test, Tree, ValidationType,
};

/// The lifetime that is asked for when a profile names none.
const DEFAULT_LIFETIME: &str = "10m";

pub(super) fn profile(written: &file::Profile, max_lifetime: Duration) -> Result<Profile, Fault> {
    let permissions = written.permissions.as_ref().map(permissions).transpose()?.unwrap_or_default();
    Ok(Profile {
        require: written.require.as_ref().map(requirement).transpose()?,
        userid: text(&written.userid)?,
        appid: text(&written.appid)?,
        clientid: optional(&written.clientid, text)?,
        expires_in: lifetime(written.expires_in.as_ref(), max_lifetime)?,
        org_id: optional(&written.org_id, text)?,
        version: version(written.version.as_ref(), !permissions.is_empty())?,
        dashboard_id: optional(&written.dashboard_id, text)?,
        pageid: optional(&written.pageid, text)?,
        qrveyid: optional(&written.qrveyid, text)?,
        permissions,
        asset_permissions: written.asset_permissions.as_ref().map(assets).transpose()?.unwrap_or_default(),
        feature_permission: written.feature_permission.as_ref().map(|it| tree(it.get_ref())),
        styles: written.styles.as_ref().map(|it| tree(it.get_ref())),
        max_lifetime,
    })
}

pub(super) fn requirement(written: &Spanned<file::Require>) -> Result<Requirement, Fault> {
    let require = written.get_ref();
    let claim = claim_path(require.claim.get_ref()).map_err(|message| require.claim.fault(message))?;
    let plain = |value: &Spanned<Template>| match value.get_ref() {
        Template::Scalar(scalar) => Ok(scalar.clone()),
        other => Err(value.fault(format!("expected a text, a number or true/false, not {}", other.kind()))),
    };
    let test = match (&require.contains, &require.equals) {
        (Some(value), None) => Test::Contains(plain(value)?),
        (None, Some(value)) => Test::Equals(plain(value)?),
        _ => return Err(written.fault("a requirement has either `contains` or `equals`")),
    };
    Ok(Requirement { claim, test })
}

fn optional<T>(
    written: &file::Written<Template>,
    compile: impl Fn(&Spanned<Template>) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    written.as_ref().map(compile).transpose()
}

fn text(written: &Spanned<Template>) -> Result<Setting<String>, Fault> {
    match written.get_ref() {
        Template::Scalar(Scalar::Text(text)) if text.trim().is_empty() => {
            Err(written.fault("must not be empty"))
        }
        Template::Scalar(Scalar::Text(text)) => Ok(Setting::Fixed(text.clone())),
        Template::Claim(path) => Ok(Setting::Claim(path.clone())),
        other => Err(written.fault(format!("expected a text or {{ claim = \"…\" }}, not {}", other.kind()))),
    }
}

fn scalar(written: &Spanned<Template>) -> Result<Setting<Scalar>, Fault> {
    match written.get_ref() {
        Template::Scalar(scalar) => Ok(Setting::Fixed(scalar.clone())),
        Template::Claim(path) => Ok(Setting::Claim(path.clone())),
        other => Err(written.fault(format!(
            "expected a text, a number, true/false or {{ claim = \"…\" }}, not {}",
            other.kind()
        ))),
    }
}

fn list<T>(
    written: &Spanned<Template>,
    item: impl Fn(&Spanned<Template>) -> Result<Setting<T>, Fault>,
) -> Result<ListSetting<T>, Fault> {
    match written.get_ref() {
        Template::List(items) if items.is_empty() => Err(written.fault("must not be empty")),
        Template::List(items) => Ok(ListSetting::Fixed(items.iter().map(item).collect::<Result<_, _>>()?)),
        Template::Claim(path) => Ok(ListSetting::Claim(path.clone())),
        other => Err(written.fault(format!("expected a list or {{ claim = \"…\" }}, not {}", other.kind()))),
    }
}

fn word<T>(
    written: &Spanned<Template>,
    words: &[&str],
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Setting<T>, Fault> {
    let parsed = match written.get_ref() {
        Template::Claim(path) => return Ok(Setting::Claim(path.clone())),
        Template::Scalar(Scalar::Text(word)) => parse(word).map(Setting::Fixed),
        _ => None,
    };
    parsed
        .ok_or_else(|| written.fault(format!("expected one of {} or {{ claim = \"…\" }}", words.join(", "))))
}

fn lifetime(written: Option<&Spanned<Template>>, max: Duration) -> Result<Setting<Lifetime>, Fault> {
    let Some(written) = written else {
        return Lifetime::parse(DEFAULT_LIFETIME)
            .filter(|lifetime| lifetime.duration() <= max)
            .map(Setting::Fixed)
            .ok_or_else(|| {
                Fault::nowhere("limits.max_token_lifetime is below the default of expires_in, 10m")
            });
    };
    let lifetime = match written.get_ref() {
        Template::Claim(path) => return Ok(Setting::Claim(path.clone())),
        Template::Scalar(Scalar::Text(text)) => Lifetime::parse(text),
        _ => None,
    };
    let lifetime = lifetime.ok_or_else(|| written.fault(format!("expected {}", Lifetime::NOTATION)))?;
    if lifetime.duration() > max {
        return Err(written.fault(format!(
            "is longer than limits.max_token_lifetime, {}",
            humantime::format_duration(max)
        )));
    }
    Ok(Setting::Fixed(lifetime))
}

fn version(
    written: Option<&Spanned<Template>>,
    row_level_security: bool,
) -> Result<Option<Setting<String>>, Fault> {
    let two = || Setting::Fixed(ROW_LEVEL_SECURITY_VERSION.to_owned());
    match written {
        None => Ok(row_level_security.then(two)),
        Some(written) => match text(written)? {
            version if row_level_security && version != two() => {
                Err(written.fault("must be \"2\" where there are permissions; or leave it out"))
            }
            version => Ok(Some(version)),
        },
    }
}

fn permissions(written: &Spanned<Vec<Spanned<file::Permission>>>) -> Result<Vec<Permission>, Fault> {
    if written.get_ref().is_empty() {
        return Err(written.fault("must not be empty; leave it out for a token without row-level security"));
    }
    let compile = |permission: &file::Permission| {
        Ok(Permission {
            dataset_id: datasets(&permission.dataset_id)?,
            operator: optional(&permission.operator, operator)?,
            records: records(&permission.record_permissions)?,
        })
    };
    written.get_ref().iter().map(|permission| compile(permission.get_ref())).collect()
}

fn datasets(written: &Spanned<Template>) -> Result<Datasets, Fault> {
    match written.get_ref() {
        Template::List(items) if items.is_empty() => Err(written.fault("must not be empty")),
        Template::List(items) => Ok(Datasets::Many(items.iter().map(text).collect::<Result<_, _>>()?)),
        _ => Ok(Datasets::One(match text(written)? {
            Setting::Fixed(id) => Setting::Fixed(OneOrMany::One(id)),
            Setting::Claim(path) => Setting::Claim(path),
        })),
    }
}

fn operator(written: &Spanned<Template>) -> Result<Setting<Operator>, Fault> {
    word(written, Operator::WORDS, Operator::parse)
}

fn records(written: &Spanned<Vec<Spanned<file::Record>>>) -> Result<Vec<Record>, Fault> {
    if written.get_ref().is_empty() {
        return Err(written.fault("must not be empty: a group without rules would hide no row"));
    }
    written.get_ref().iter().map(record).collect()
}

fn record(written: &Spanned<file::Record>) -> Result<Record, Fault> {
    let record = written.get_ref();
    match (&record.security_name, &record.record_permissions) {
        (Some(security_name), None) => {
            if let Some(operator) = &record.operator {
                return Err(operator.fault("goes with a group, not with a single rule"));
            }
            Ok(Record::Rule(rule(written, record, security_name)?))
        }
        (None, Some(nested)) => {
            let stray = [&record.values, &record.validation_type, &record.group_value];
            if let Some(stray) = stray.into_iter().flatten().next() {
                return Err(stray.fault("goes with a rule that has a security_name, not with a group"));
            }
            Ok(Record::Group { operator: optional(&record.operator, operator)?, records: records(nested)? })
        }
        _ => Err(written
            .fault("expected a rule (security_name, values, …) or a group (operator, record_permissions)")),
    }
}

fn rule(
    whole: &Spanned<file::Record>,
    record: &file::Record,
    security_name: &Spanned<Template>,
) -> Result<Rule, Fault> {
    let parse = |written: &Spanned<Template>| word(written, ValidationType::WORDS, ValidationType::parse);
    let validation_type = optional(&record.validation_type, parse)?;
    let needs_no_values =
        matches!(validation_type, Some(Setting::Fixed(ValidationType::IsEmpty | ValidationType::IsNotEmpty)));
    let values = match &record.values {
        Some(values) => list(values, scalar)?,
        None if needs_no_values => ListSetting::Fixed(Vec::new()),
        None => return Err(whole.fault("a rule needs `values`")),
    };
    let equal = matches!(validation_type, None | Some(Setting::Fixed(ValidationType::Equal)));
    if let (ListSetting::Fixed(items), Some(written), false) = (&values, &record.values, equal) {
        let wildcard =
            |item: &Setting<Scalar>| matches!(item, Setting::Fixed(Scalar::Text(text)) if text == "*");
        if items.iter().any(wildcard) {
            return Err(written.fault("the value `*` goes with validation_type EQUAL only"));
        }
    }
    Ok(Rule {
        security_name: text(security_name)?,
        values,
        validation_type,
        group_value: optional(&record.group_value, scalar)?,
    })
}

fn assets(written: &file::AssetPermissions) -> Result<Vec<AssetIds>, Fault> {
    let kinds = [
        ("pages", "page_ids", written.pages.as_ref().map(|it| &it.page_ids)),
        ("charts", "chart_ids", written.charts.as_ref().map(|it| &it.chart_ids)),
        ("metrics", "metric_ids", written.metrics.as_ref().map(|it| &it.metric_ids)),
        ("summaries", "question_ids", written.summaries.as_ref().map(|it| &it.question_ids)),
        ("datasets", "dataset_ids", written.datasets.as_ref().map(|it| &it.dataset_ids)),
    ];
    let given = kinds.into_iter().filter_map(|(kind, key, ids)| Some((kind, key, ids?)));
    given.map(|(kind, key, ids)| Ok(AssetIds { kind, key, ids: list(ids, text)? })).collect()
}

fn tree(template: &Template) -> Tree {
    match template {
        Template::Scalar(scalar) => Tree::Leaf(scalar.clone()),
        Template::List(items) => Tree::List(items.iter().map(|item| tree(item.get_ref())).collect()),
        Template::Table(entries) => {
            Tree::Table(entries.iter().map(|(key, item)| (key.clone(), tree(item.get_ref()))).collect())
        }
        Template::Claim(path) => Tree::Claim(path.clone()),
    }
}
