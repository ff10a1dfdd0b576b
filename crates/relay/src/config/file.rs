//! The configuration file as written, before its values are checked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::template::Template;

pub(crate) type Written<T> = Option<Spanned<T>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub listen: Written<String>,
    pub operations_listen: Written<String>,
    pub base_path: Written<String>,
    #[serde(default)]
    pub allowed_origins: Vec<Spanned<String>>,
    #[serde(default)]
    pub trusted_proxies: Vec<Spanned<String>>,
    pub qrvey: Qrvey,
    pub identity: Spanned<Identity>,
    #[serde(default)]
    pub profiles: BTreeMap<Spanned<String>, Spanned<Profile>>,
    pub admin: Option<Admin>,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub reuse: Reuse,
    pub fleet: Option<Fleet>,
    pub tls: Option<Tls>,
    #[serde(default)]
    pub log: Log,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fleet {
    pub redis: Spanned<String>,
    pub namespace: Written<String>,
    pub ca_file: Written<PathBuf>,
    pub timeout: Written<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Qrvey {
    pub domain: Spanned<String>,
    pub public_domain: Written<String>,
    pub admin_domain: Written<String>,
    pub admin_login: Written<String>,
    pub spelling: Written<String>,
    pub ca_file: Written<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    pub mode: Spanned<String>,
    // forward
    pub url: Written<String>,
    pub timeout: Written<String>,
    pub cache_ttl: Written<String>,
    pub insecure_http: Written<bool>,
    // jwt
    pub issuer: Written<String>,
    pub audience: Written<Template>,
    pub jwks_url: Written<String>,
    pub cookie: Written<String>,
    pub leeway: Written<String>,
    // header
    pub trusted_proxies: Written<Vec<Spanned<String>>>,
    // header (claim = header name) and anonymous (claim = value)
    pub claims: Written<BTreeMap<String, Spanned<Template>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    pub userid: Spanned<Template>,
    pub appid: Spanned<Template>,
    pub clientid: Written<Template>,
    pub expires_in: Written<Template>,
    pub org_id: Written<Template>,
    pub version: Written<Template>,
    pub dashboard_id: Written<Template>,
    pub pageid: Written<Template>,
    pub qrveyid: Written<Template>,
    pub permissions: Written<Vec<Spanned<Permission>>>,
    pub asset_permissions: Option<AssetPermissions>,
    pub feature_permission: Written<Template>,
    pub styles: Written<Template>,
    pub require: Written<Require>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Admin {
    pub require: Spanned<Require>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Require {
    pub claim: Spanned<Template>,
    pub contains: Written<Template>,
    pub equals: Written<Template>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Permission {
    pub dataset_id: Spanned<Template>,
    pub operator: Written<Template>,
    pub record_permissions: Spanned<Vec<Spanned<Record>>>,
}

/// A rule (`security_name`, …) or a group (`record_permissions`, …).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub security_name: Written<Template>,
    pub values: Written<Template>,
    pub validation_type: Written<Template>,
    pub group_value: Written<Template>,
    pub operator: Written<Template>,
    pub record_permissions: Option<Spanned<Vec<Spanned<Record>>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssetPermissions {
    pub pages: Option<PageIds>,
    pub charts: Option<ChartIds>,
    pub metrics: Option<MetricIds>,
    pub summaries: Option<QuestionIds>,
    pub datasets: Option<DatasetIds>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageIds {
    pub page_ids: Spanned<Template>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChartIds {
    pub chart_ids: Spanned<Template>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricIds {
    pub metric_ids: Spanned<Template>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuestionIds {
    pub question_ids: Spanned<Template>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DatasetIds {
    pub dataset_ids: Spanned<Template>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    pub requests_per_minute: Written<u32>,
    pub requests_per_minute_per_address: Written<u32>,
    pub upstream_timeout: Written<String>,
    pub upstream_connect_timeout: Written<String>,
    pub upstream_concurrency: Written<u32>,
    pub upstream_queue: Written<u32>,
    pub breaker_failures: Written<u32>,
    pub breaker_pause: Written<String>,
    pub max_body: Written<String>,
    pub max_token_lifetime: Written<String>,
    pub max_connections: Written<u32>,
    pub max_connections_per_address: Written<u32>,
    pub header_timeout: Written<String>,
    pub body_timeout: Written<String>,
    pub shutdown_timeout: Written<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Reuse {
    pub lifetime_percent: Written<u32>,
    pub max_entries: Written<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    pub format: Written<String>,
    pub filter: Written<String>,
}
