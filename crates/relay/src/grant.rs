//! A grant: a profile with one caller's claims put in, as the exact bytes that go to the platform.

use serde_json::{Map, Value, json};

use crate::claims::{ClaimError, Claims, Scalar};
use crate::lifetime::Lifetime;
use crate::policy::{AssetIds, Datasets, OneOrMany, Operator, Permission, Profile, Record, Setting, Tree};

/// The largest body that is sent to the platform, in bytes; the platform's tokens grow with it.
const MAX_GRANT_BYTES: usize = 128 * 1024;

/// Row-level security is the platform's version 2 of permissions.
pub(crate) const ROW_LEVEL_SECURITY_VERSION: &str = "2";

/// How the platform's version spells `userid`, `appid` and `clientid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// `userid`, as documented up to version 8.
    Lower,
    /// `userId`, as documented for version 9.
    Camel,
}

/// What one caller gets of one profile.
#[derive(Debug)]
pub(crate) struct Grant {
    /// JSON with its keys in order, so that equal grants are equal in every byte.
    pub body: Vec<u8>,
    pub lifetime: Lifetime,
}

/// Why a caller gets nothing of a profile. For the log; names claims, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the profile's `require` is not met")]
    NotEntitled,
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error("the lifetime that a claim asks for is above limits.max_token_lifetime")]
    LifetimeTooLong,
    #[error("the caller's claims make the grant larger than 128 KiB")]
    TooLarge,
}

impl Grant {
    /// Puts the caller's claims into the profile.
    pub(crate) fn new(profile: &Profile, spelling: Spelling, claims: &Claims) -> Result<Self, Refusal> {
        if profile.require.as_ref().is_some_and(|require| !require.is_met(claims)) {
            return Err(Refusal::NotEntitled);
        }
        Self::without_requirement(profile, spelling, claims)
    }

    /// As [`Grant::new`], whether or not the caller is entitled to it.
    pub(crate) fn without_requirement(
        profile: &Profile,
        spelling: Spelling,
        claims: &Claims,
    ) -> Result<Self, Refusal> {
        let lifetime = profile.expires_in.resolve(claims)?;
        if lifetime.duration() > profile.max_lifetime {
            return Err(Refusal::LifetimeTooLong);
        }
        let (userid, appid, clientid) = match spelling {
            Spelling::Lower => ("userid", "appid", "clientid"),
            Spelling::Camel => ("userId", "appId", "clientId"),
        };
        let mut body = Map::new();
        let texts = [
            (userid, Some(&profile.userid)),
            (appid, Some(&profile.appid)),
            (clientid, profile.clientid.as_ref()),
            ("orgId", profile.org_id.as_ref()),
            ("version", profile.version.as_ref()),
            ("dashboardId", profile.dashboard_id.as_ref()),
            ("pageid", profile.pageid.as_ref()),
            ("qrveyid", profile.qrveyid.as_ref()),
        ];
        for (key, setting) in texts {
            if let Some(setting) = setting {
                body.insert(key.to_owned(), setting.resolve(claims)?.into());
            }
        }
        body.insert("expiresIn".to_owned(), lifetime.as_str().into());
        if !profile.permissions.is_empty() {
            let permissions = profile.permissions.iter().map(|it| permission(it, claims));
            body.insert("permissions".to_owned(), permissions.collect::<Result<Value, _>>()?);
        }
        if !profile.asset_permissions.is_empty() {
            let mut assets = Map::new();
            for AssetIds { kind, key, ids } in &profile.asset_permissions {
                assets.insert((*kind).to_owned(), json!({ *key: ids.resolve(claims)? }));
            }
            body.insert("asset_permissions".to_owned(), assets.into());
        }
        for (key, written) in
            [("featurePermission", &profile.feature_permission), ("styles", &profile.styles)]
        {
            if let Some(written) = written {
                body.insert(key.to_owned(), tree(written, claims)?);
            }
        }
        let body = Value::from(body).to_string().into_bytes();
        if body.len() > MAX_GRANT_BYTES { Err(Refusal::TooLarge) } else { Ok(Self { body, lifetime }) }
    }
}

fn permission(permission: &Permission, claims: &Claims) -> Result<Value, ClaimError> {
    let dataset_id = match &permission.dataset_id {
        Datasets::One(one) => match one.resolve(claims)? {
            OneOrMany::One(id) => Value::from(id),
            OneOrMany::Many(ids) => Value::from(ids),
        },
        Datasets::Many(ids) => ids.iter().map(|id| id.resolve(claims)).collect::<Result<Vec<_>, _>>()?.into(),
    };
    let mut group = group(permission.operator.as_ref(), &permission.records, claims)?;
    group.insert("dataset_id".to_owned(), dataset_id);
    Ok(group.into())
}

fn group(
    operator: Option<&Setting<Operator>>,
    records: &[Record],
    claims: &Claims,
) -> Result<Map<String, Value>, ClaimError> {
    let mut group = Map::new();
    if let Some(operator) = operator {
        group.insert("operator".to_owned(), operator.resolve(claims)?.as_str().into());
    }
    let records = records.iter().map(|it| record(it, claims)).collect::<Result<Value, _>>()?;
    group.insert("record_permissions".to_owned(), records);
    Ok(group)
}

fn record(record: &Record, claims: &Claims) -> Result<Value, ClaimError> {
    let rule = match record {
        Record::Group { operator, records } => {
            return Ok(group(operator.as_ref(), records, claims)?.into());
        }
        Record::Rule(rule) => rule,
    };
    let mut fields = Map::new();
    fields.insert("security_name".to_owned(), rule.security_name.resolve(claims)?.into());
    fields.insert("values".to_owned(), rule.values.resolve(claims)?.into());
    if let Some(validation_type) = &rule.validation_type {
        fields.insert("validation_type".to_owned(), validation_type.resolve(claims)?.as_str().into());
    }
    if let Some(group_value) = &rule.group_value {
        fields.insert("group_value".to_owned(), group_value.resolve(claims)?.into());
    }
    Ok(fields.into())
}

fn tree(node: &Tree, claims: &Claims) -> Result<Value, ClaimError> {
    Ok(match node {
        Tree::Leaf(scalar) => scalar.clone().into(),
        Tree::List(items) => items.iter().map(|item| tree(item, claims)).collect::<Result<Value, _>>()?,
        Tree::Table(entries) => {
            let entries = entries.iter().map(|(key, item)| Ok((key.clone(), tree(item, claims)?)));
            Value::Object(entries.collect::<Result<_, ClaimError>>()?)
        }
        Tree::Claim(path) => match claims.read::<Vec<Scalar>>(path) {
            Ok(list) => list.into(),
            Err(error) if error.is_not_a_list() => claims.read::<Scalar>(path)?.into(),
            Err(error) => return Err(error),
        },
    })
}
