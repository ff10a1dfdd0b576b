//! What the environment says: the stand-in's credentials, or a real instance.

use std::collections::BTreeMap;

use qrvey_relay::Environment;

use crate::platform::{Credentials, Secret};

/// Environment variables by name.
pub type Variables = BTreeMap<String, String>;

/// What is wrong with the environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A real instance is named by halves.
    #[error(
        "for a real Qrvey instance set all of QRVEY_DOMAIN, QRVEY_API_KEY, QRVEY_APP_ID and QRVEY_USER_ID; \
         missing: {missing}. Unset them all to use the stand-in platform"
    )]
    Incomplete {
        /// The names that are missing.
        missing: String,
    },
    /// One half of the administrator's credentials.
    #[error("QRVEY_ADMIN_USERNAME and QRVEY_ADMIN_ACCESS_KEY go together; only one is set")]
    HalfAdmin,
    /// The system gave no randomness.
    #[error("no randomness for the stand-in's keys")]
    Randomness,
}

/// A real Qrvey instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealInstance {
    /// Its origin, without a trailing slash.
    pub domain: String,
    /// The application's id.
    pub appid: String,
    /// The platform user's id.
    pub userid: String,
    /// Whether an administrator's credentials are given.
    pub has_admin: bool,
}

const REAL: [&str; 4] = ["QRVEY_DOMAIN", "QRVEY_API_KEY", "QRVEY_APP_ID", "QRVEY_USER_ID"];

/// The real instance that the environment names, if it names one.
///
/// # Errors
/// [`SettingsError`] if it does so by halves.
pub fn real_instance(variables: &Variables) -> Result<Option<RealInstance>, SettingsError> {
    // A secret may also stand in a file.
    let is_set =
        |name: &&str| text(variables, name).or_else(|| text(variables, &format!("{name}_FILE"))).is_some();
    let missing: Vec<&str> = REAL.into_iter().filter(|name| !is_set(name)).collect();
    if missing.len() == REAL.len() {
        return Ok(None);
    }
    let value = |name| text(variables, name);
    let (Some(domain), Some(appid), Some(userid), true) =
        (value("QRVEY_DOMAIN"), value("QRVEY_APP_ID"), value("QRVEY_USER_ID"), missing.is_empty())
    else {
        return Err(SettingsError::Incomplete { missing: missing.join(", ") });
    };
    let admin = ["QRVEY_ADMIN_USERNAME", "QRVEY_ADMIN_ACCESS_KEY"].map(|name| is_set(&name));
    if admin == [true, false] || admin == [false, true] {
        return Err(SettingsError::HalfAdmin);
    }
    let domain = domain.trim_end_matches('/').to_owned();
    Ok(Some(RealInstance {
        domain,
        appid: appid.into(),
        userid: userid.into(),
        has_admin: admin == [true, true],
    }))
}

/// The stand-in's credentials: random unless `QRVEY_SANDBOX_API_KEY` and its like say otherwise.
///
/// # Errors
/// [`SettingsError::Randomness`].
pub fn sandbox_credentials(variables: &Variables) -> Result<Credentials, SettingsError> {
    let secret = |name: &str, prefix: &str| match text(variables, name) {
        Some(given) => Ok(Secret::new(given)),
        None => Secret::random(prefix).map_err(|_| SettingsError::Randomness),
    };
    let plain = |name, default: &str| text(variables, name).unwrap_or(default).to_owned();
    Ok(Credentials {
        api_key: secret("QRVEY_SANDBOX_API_KEY", "sandbox-api-")?,
        appid: plain("QRVEY_SANDBOX_APP_ID", "orders-app"),
        userid: plain("QRVEY_SANDBOX_USER_ID", "builder"),
        admin_username: secret("QRVEY_SANDBOX_ADMIN_USERNAME", "sandbox-admin-")?,
        admin_access_key: secret("QRVEY_SANDBOX_ADMIN_ACCESS_KEY", "sandbox-access-")?,
    })
}

/// What the demo lays over `relay.toml`.
#[derive(Debug, Clone)]
pub struct RelayOverrides<'a> {
    /// The profiles that get `appid` and `userid`.
    pub profiles: Vec<String>,
    /// The platform's origin.
    pub domain: &'a str,
    /// Where the host application answers who is signed in.
    pub identity_url: &'a str,
    /// The application's id.
    pub appid: &'a str,
    /// The platform user's id.
    pub userid: &'a str,
    /// How long tokens are to live, where the demo was told.
    pub expires_in: Option<&'a str>,
}

impl RelayOverrides<'_> {
    /// The relay's environment: `QRVEY_RELAY__…` of this process, then these, then `secrets`.
    pub fn environment<'s>(
        &self,
        variables: &Variables,
        secrets: impl IntoIterator<Item = (&'s str, &'s str)>,
    ) -> Environment {
        // A JSON string is a TOML string too.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let mut all: Variables = [
            ("QRVEY_RELAY__QRVEY__DOMAIN".to_owned(), quoted(self.domain)),
            ("QRVEY_RELAY__IDENTITY__URL".to_owned(), quoted(self.identity_url)),
        ]
        .into();
        for profile in &self.profiles {
            let profile = profile.to_uppercase();
            let mut set = |key: &str, value: &str| {
                all.insert(format!("QRVEY_RELAY__PROFILES__{profile}__{key}"), quoted(value));
            };
            set("APPID", self.appid);
            set("USERID", self.userid);
            if let Some(expires_in) = self.expires_in {
                set("EXPIRES_IN", expires_in);
            }
        }
        let process = variables.iter().filter(|(name, _)| name.starts_with("QRVEY_RELAY__"));
        all.extend(process.map(|(name, value)| (name.clone(), value.clone())));
        all.extend(secrets.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        all.into_iter().collect()
    }
}

/// The names of the profiles in `relay.toml`; none if it is no TOML, which the relay will say better.
#[must_use]
pub fn profile_names(relay_toml: &str) -> Vec<String> {
    let table: toml::Table = relay_toml.parse().unwrap_or_default();
    let profiles = table.get("profiles").and_then(toml::Value::as_table);
    profiles.map(|profiles| profiles.keys().cloned().collect()).unwrap_or_default()
}

/// `relay.toml` without its `[admin]` section, for a real instance whose administrator is not known.
///
/// # Errors
/// If the text is no TOML.
pub fn without_admin(relay_toml: &str) -> Result<String, toml::de::Error> {
    let mut table: toml::Table = relay_toml.parse()?;
    table.remove("admin");
    Ok(table.to_string())
}

fn text<'v>(variables: &'v Variables, name: &str) -> Option<&'v str> {
    variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    const ALL: [(&str, &str); 4] = [
        ("QRVEY_DOMAIN", "https://tenant.example/"),
        ("QRVEY_API_KEY", "canary"),
        ("QRVEY_APP_ID", "a"),
        ("QRVEY_USER_ID", "u"),
    ];

    #[test]
    fn nothing_set_means_the_stand_in() {
        assert_eq!(real_instance(&Variables::new()), Ok(None));
        assert_eq!(real_instance(&variables(&[("QRVEY_DOMAIN", "")])), Ok(None));
    }

    #[test]
    fn all_set_means_the_real_one() {
        let real = real_instance(&variables(&ALL)).unwrap().unwrap();
        assert_eq!(real.domain, "https://tenant.example");
        assert!(!real.has_admin && !format!("{real:?}").contains("canary"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = real_instance(&variables(&ALL[..2])).unwrap_err().to_string();
        assert!(error.contains("missing: QRVEY_APP_ID, QRVEY_USER_ID."), "{error}");
        let mut half = variables(&ALL);
        half.insert("QRVEY_ADMIN_USERNAME".into(), "root".into());
        assert_eq!(real_instance(&half), Err(SettingsError::HalfAdmin));
    }

    #[test]
    fn the_key_may_stand_in_a_file() {
        let mut with_file = variables(&ALL);
        with_file.remove("QRVEY_API_KEY");
        with_file.insert("QRVEY_API_KEY_FILE".into(), "/run/secrets/key".into());
        assert!(real_instance(&with_file).unwrap().is_some());
    }

    #[test]
    fn credentials_are_given_or_random() {
        let given = sandbox_credentials(&variables(&[("QRVEY_SANDBOX_API_KEY", "canary")])).unwrap();
        assert_eq!(given.api_key.expose(), "canary");
        let random = sandbox_credentials(&Variables::new()).unwrap();
        assert_ne!(random.admin_access_key, given.admin_access_key);
    }

    #[test]
    fn the_profiles_are_known() {
        assert_eq!(profile_names(include_str!("../demo/relay.toml")), ["attention", "default"]);
        assert!(profile_names("= not toml").is_empty());
    }

    #[test]
    fn the_admin_section_can_be_left_out() {
        let text = without_admin(include_str!("../demo/relay.toml")).unwrap();
        assert!(!text.contains("[admin]") && text.contains("[profiles.attention]"));
    }
}
