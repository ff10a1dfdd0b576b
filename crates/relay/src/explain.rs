//! `explain`: what would be sent to the platform for a user, without sending it.

use std::path::Path;

use serde_json::{Value, json};

use crate::config::Config;
use crate::grant::Grant;
use crate::report::{Report, read_claims};
use crate::upstream::COMPOSER_PATH;

/// Prints the exact body of each profile for these claims, secrets redacted.
#[must_use]
pub fn explain(config: &Config, claims: &Path, profile: Option<&str>) -> Report {
    let mut report = Report::new();
    let claims = match read_claims(claims) {
        Ok(claims) => claims,
        Err(message) => {
            report.bad(message, "");
            return report;
        }
    };
    let platform = &config.platform;
    let profiles =
        config.profiles.iter().filter(|(name, _)| profile.is_none_or(|wanted| wanted == name.as_str()));
    let mut found = false;
    for (name, policy) in profiles {
        found = true;
        match Grant::new(policy, platform.spelling, &claims) {
            Ok(grant) => {
                report.good(format!("profile {name}: this user gets"));
                let body = serde_json::from_slice(&grant.body).unwrap_or_default();
                request(
                    &mut report,
                    &format!("{}{COMPOSER_PATH}", platform.domain),
                    Some("x-api-key"),
                    &body,
                );
            }
            Err(refusal) => report.note(format!("profile {name}: this user is refused (403): {refusal}")),
        }
    }
    if let (Some(wanted), false) = (profile, found) {
        report.bad(format!("there is no [profiles.{wanted}]"), "");
    }
    match &config.admin {
        Some(admin) if profile.is_none() => {
            if admin.require.is_met(&claims) {
                report.good("admin token: this user gets");
                let body = json!({ "username": REDACTED, "accessKey": REDACTED });
                let url = format!("{}{}", platform.admin_domain, platform.admin_login.path());
                request(&mut report, &url, None, &body);
            } else {
                report.note("admin token: this user is refused (403): admin.require is not met");
            }
        }
        _ => {}
    }
    report
}

const REDACTED: &str = "[redacted]";

fn request(report: &mut Report, url: &str, key_header: Option<&str>, body: &Value) {
    report.text.push_str(&format!("POST {url}\ncontent-type: application/json\n"));
    if let Some(header) = key_header {
        report.text.push_str(&format!("{header}: {REDACTED}\n"));
    }
    report.text.push_str(&format!("\n{body:#}\n\n"));
}
