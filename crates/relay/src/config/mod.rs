//! Configuration: read once, checked whole, and from then on only typed values.

mod address;
mod environment;
mod file;
mod identity;
mod limits;
mod policy;
mod secrets;
mod source;
mod template;

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::HeaderValue;
use ipnet::IpNet;
use toml::Spanned;
use tracing_subscriber::filter::{LevelFilter, Targets};
use url::Url;

pub use environment::Environment;
pub(crate) use identity::{ClaimHeader, Forward, HeaderNames, IdentityConfig, Jwt};
pub(crate) use limits::Limits;
pub(crate) use secrets::Secret;
pub use source::ConfigError;

use crate::fleet::FleetConfig;
use crate::grant::Spelling;
use crate::policy::{Profile, Requirement};
use file::Written;
use source::{Blame, Fault};

const MAX_FLEET_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_PROFILE_NAME_BYTES: usize = 64;

/// The relay's configuration, checked: see the crate's README for every key.
#[derive(Debug)]
pub struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) operations_listen: SocketAddr,
    pub(crate) base_path: String,
    pub(crate) allowed_origins: Vec<HeaderValue>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) platform: Platform,
    pub(crate) identity: IdentityConfig,
    pub(crate) profiles: BTreeMap<String, Profile>,
    pub(crate) api_key: Option<Secret>,
    pub(crate) admin: Option<Admin>,
    pub(crate) limits: Limits,
    pub(crate) reuse: Reuse,
    pub(crate) fleet: Option<FleetConfig>,
    pub(crate) tls: Option<Tls>,
    pub(crate) log: Log,
}

/// Files of the certificate chain and its key, both PEM.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Where the platform is and how it is spoken to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Platform {
    pub domain: String,
    pub public_domain: String,
    pub admin_domain: String,
    pub admin_login: AdminLogin,
    pub spelling: Spelling,
    /// PEM certificates that are trusted besides the system's.
    pub extra_roots: Option<Vec<u8>>,
}

/// Which of the platform's admin logins is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AdminLogin {
    V6,
    V5,
    Standalone,
}

impl AdminLogin {
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::V6 => "/api/admin/v6/login",
            Self::V5 => "/admin/api/v5/login",
            Self::Standalone => "/login",
        }
    }
}

/// Who may have an admin token, and the credentials for it.
#[derive(Debug)]
pub(crate) struct Admin {
    pub require: Requirement,
    pub username: Secret,
    pub access_key: Secret,
}

/// How long and how many answers of the platform are reused.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reuse {
    pub lifetime_percent: u32,
    pub max_entries: usize,
}

impl Reuse {
    /// For how much of its lifetime a token is handed out again.
    pub(crate) fn share_of(self, lifetime: Duration) -> Duration {
        lifetime * self.lifetime_percent / 100
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Log {
    pub format: LogFormat,
    pub filter: Targets,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Config {
    /// Reads a configuration from a file.
    ///
    /// # Errors
    /// [`ConfigError`] if the file cannot be read, or as [`Config::from_toml`].
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| {
            ConfigError::of_file(&name, format!("cannot read the configuration: {error}"))
        })?;
        Self::from_toml(&text, &name, environment)
    }

    /// Reads a configuration from TOML text; `source_name` stands in messages for the file.
    ///
    /// # Errors
    /// [`ConfigError`] names the key and the line (or the environment variable) of the first fault.
    pub fn from_toml(text: &str, source_name: &str, environment: &Environment) -> Result<Self, ConfigError> {
        source::read(source_name, text, environment, |file| Self::check(file, environment))
    }

    fn check(file: file::File, environment: &Environment) -> Result<Self, Fault> {
        let limits = Limits::compile(&file.limits)?;
        let profiles = profiles(&file.profiles, limits.max_token_lifetime)?;
        if profiles.is_empty() && file.admin.is_none() {
            return Err(Fault::nowhere(
                "has neither a [profiles.default] nor an [admin] section, so nobody could get a token",
            ));
        }
        let identity = IdentityConfig::compile(&file.identity)?;
        let admin = file.admin.as_ref().map(|admin| policy::requirement(&admin.require)).transpose()?;
        if let (Some(admin), IdentityConfig::Anonymous(_)) = (&file.admin, &identity) {
            return Err(admin.require.fault("admin tokens are never given to anonymous callers"));
        }
        let api_key = match profiles.is_empty() {
            true => None,
            false => Some(Secret::require("QRVEY_API_KEY", "every profile", environment)?),
        };
        let admin = match admin {
            None => None,
            Some(require) => Some(Admin {
                require,
                username: Secret::require("QRVEY_ADMIN_USERNAME", "[admin]", environment)?,
                access_key: Secret::require("QRVEY_ADMIN_ACCESS_KEY", "[admin]", environment)?,
            }),
        };
        let listen = socket(&file.listen, 4100)?;
        let operations_listen = socket(&file.operations_listen, 4101)?;
        if listen == operations_listen && listen.port() != 0 {
            let message = "listen and operations_listen must differ: operations are not for callers";
            let written = file.operations_listen.as_ref().or(file.listen.as_ref());
            return Err(written.map_or_else(|| Fault::nowhere(message), |written| written.fault(message)));
        }
        Ok(Self {
            listen,
            operations_listen,
            base_path: match &file.base_path {
                Some(written) => address::base_path(written)?,
                None => qrvey_auth_wire::DEFAULT_BASE_PATH.to_owned(),
            },
            allowed_origins: file
                .allowed_origins
                .iter()
                .map(address::page_origin)
                .collect::<Result<_, _>>()?,
            trusted_proxies: address::proxies(&file.trusted_proxies)?,
            platform: platform(&file.qrvey)?,
            identity,
            profiles,
            api_key,
            admin,
            reuse: reuse(&file.reuse)?,
            fleet: file.fleet.as_ref().map(|fleet| fleet_config(fleet, environment)).transpose()?,
            tls: file.tls.map(|tls| Tls { certificate: tls.certificate, key: tls.key }),
            log: log(&file.log)?,
            limits,
        })
    }
}

fn socket(written: &Written<String>, default_port: u16) -> Result<SocketAddr, Fault> {
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, default_port));
    written.as_ref().map_or(Ok(default), address::socket)
}

fn profiles(
    written: &BTreeMap<Spanned<String>, Spanned<file::Profile>>,
    max_lifetime: Duration,
) -> Result<BTreeMap<String, Profile>, Fault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let compile = |(name, profile): (&Spanned<String>, &Spanned<file::Profile>)| {
        let text = name.get_ref();
        if text.is_empty() || text.len() > MAX_PROFILE_NAME_BYTES || !text.bytes().all(plain) {
            return Err(name.fault("a profile's name has 1 to 64 letters, digits, `-` or `_`"));
        }
        Ok((text.clone(), policy::profile(profile.get_ref(), max_lifetime)?))
    };
    written.iter().map(compile).collect()
}

fn platform(written: &file::Qrvey) -> Result<Platform, Fault> {
    let domain = address::origin(&written.domain)?;
    let or_domain = |other: &Written<String>| other.as_ref().map_or(Ok(domain.clone()), address::origin);
    Ok(Platform {
        public_domain: or_domain(&written.public_domain)?,
        admin_domain: or_domain(&written.admin_domain)?,
        admin_login: one_of(
            &written.admin_login,
            &[("v6", AdminLogin::V6), ("v5", AdminLogin::V5), ("standalone", AdminLogin::Standalone)],
        )?,
        spelling: one_of(&written.spelling, &[("lower", Spelling::Lower), ("camel", Spelling::Camel)])?,
        extra_roots: written.ca_file.as_ref().map(ca_file).transpose()?,
        domain,
    })
}

fn ca_file(written: &Spanned<PathBuf>) -> Result<Vec<u8>, Fault> {
    let pem = fs::read(written.get_ref())
        .map_err(|error| written.fault(format!("cannot read the file: {error}")))?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(pem),
        _ => Err(written.fault("expected a file with PEM certificates")),
    }
}

fn fleet_config(written: &file::Fleet, environment: &Environment) -> Result<FleetConfig, Fault> {
    let redis = &written.redis;
    let url = Url::parse(redis.get_ref())
        .ok()
        .filter(|url| matches!(url.scheme(), "redis" | "rediss") && url.has_host());
    let url = url.ok_or_else(|| redis.fault("expected an address such as rediss://redis.example:6379"))?;
    if url.password().is_some() {
        return Err(redis.fault("must not hold a password: that is QRVEY_FLEET_REDIS_PASSWORD"));
    }
    // The Redis library reads `#insecure` as leave not to check the certificate.
    if url.fragment().is_some() || url.query().is_some() {
        return Err(redis.fault("must not hold a fragment or a query"));
    }
    let ca_file = match &written.ca_file {
        Some(ca_file) if url.scheme() != "rediss" => {
            return Err(ca_file.fault("goes with a rediss:// address only"));
        }
        ca_file => ca_file.as_ref().map(self::ca_file).transpose()?,
    };
    let namespace = written.namespace.as_ref().map_or("qrvey-relay", |namespace| namespace.get_ref());
    Ok(FleetConfig {
        redis: redis.get_ref().clone(),
        ca_file,
        namespace: namespace.to_owned(),
        timeout: limits::duration(&written.timeout, 150, MAX_FLEET_TIMEOUT)?,
        password: Secret::find("QRVEY_FLEET_REDIS_PASSWORD", environment)?,
        key: Secret::require("QRVEY_FLEET_KEY", "[fleet]", environment)?,
        previous_key: Secret::find("QRVEY_FLEET_PREVIOUS_KEY", environment)?,
    })
}

fn reuse(written: &file::Reuse) -> Result<Reuse, Fault> {
    let lifetime_percent = written.lifetime_percent.as_ref().map_or(80, |percent| *percent.get_ref());
    match &written.lifetime_percent {
        Some(percent) if lifetime_percent > 95 => Err(percent.fault("must be between 0 (no reuse) and 95")),
        _ => Ok(Reuse { lifetime_percent, max_entries: limits::positive(&written.max_entries, 10_000)? }),
    }
}

fn log(written: &file::Log) -> Result<Log, Fault> {
    let filter = match &written.filter {
        None => Targets::new().with_default(LevelFilter::INFO),
        Some(filter) => filter
            .get_ref()
            .parse()
            .map_err(|_| filter.fault("expected a filter such as \"info\" or \"info,qrvey_relay=debug\""))?,
    };
    Ok(Log {
        format: one_of(&written.format, &[("text", LogFormat::Text), ("json", LogFormat::Json)])?,
        filter,
    })
}

/// Reads one of a few words; the first is the default.
fn one_of<T: Copy>(written: &Written<String>, words: &[(&str, T)]) -> Result<T, Fault> {
    let found = match written {
        None => words.first(),
        Some(written) => words.iter().find(|(word, _)| word == written.get_ref()),
    };
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let message = format!("expected {}", known.join(" or "));
        written
            .as_ref()
            .map_or_else(|| Fault::nowhere(message.clone()), |written| written.fault(message.clone()))
    })
}
