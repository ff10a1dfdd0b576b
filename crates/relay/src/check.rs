//! `check`: asks the real platform for every token that the configuration speaks of, and says what
//! works, what does not and what to do.

use std::path::Path;
use std::time::Duration;

use qrvey_auth_wire::Token;

use crate::certificate::Certificate;
use crate::claims::Claims;
use crate::config::{AdminLogin, Config, IdentityConfig};
use crate::fleet::Fleet;
use crate::grant::{Grant, Refusal};
use crate::http;
use crate::policy::Profile;
use crate::report::{Report, read_claims};
use crate::serve::ServeError;
use crate::upstream::{Upstream, UpstreamError, admin_body};

/// More missing claims than this and the profile is beyond guessing.
const MAX_SAMPLED_CLAIMS: usize = 100;
const COMPACT_JWE_PARTS: usize = 5;

/// Asks for a token of each profile and, where configured, for an admin token.
///
/// Without `claims`, example values stand in for the claims that a profile needs.
pub async fn check(config: &Config, claims: Option<&Path>) -> Report {
    let mut report = Report::new();
    let claims = match claims.map(read_claims).transpose() {
        Ok(claims) => claims,
        Err(message) => {
            report.bad(message, "");
            return report;
        }
    };
    report.good("the configuration is complete and right in itself");
    let upstream = match Upstream::new(&config.platform, &config.limits) {
        Ok(upstream) => upstream,
        Err(_) => {
            report.bad(
                "the HTTP client cannot be set up",
                "Install root certificates (Debian: ca-certificates).",
            );
            return report;
        }
    };
    if let Some(Err(error)) = config.tls.clone().map(Certificate::load) {
        let advice =
            "Both must be PEM files that this user may read, and the key that of the first certificate.";
        report.bad(ServeError::Tls(error).to_string(), advice);
    }
    if let Some(Err(error)) = config.fleet.as_ref().map(Fleet::new) {
        report.bad(error.to_string(), "");
    }
    check_identity(config, &mut report).await;
    for (name, profile) in &config.profiles {
        check_profile(config, &upstream, name, profile, claims.as_ref(), &mut report).await;
    }
    match &config.admin {
        None => report.note("admin token: there is no [admin] section, so the relay gives none"),
        Some(admin) => {
            let body = admin_body(&admin.username.current(), &admin.access_key.current());
            let answer = upstream.admin_token(body).await;
            let login = match config.platform.admin_login {
                AdminLogin::V6 => "v6",
                AdminLogin::V5 => "v5",
                AdminLogin::Standalone => "standalone",
            };
            tell(&mut report, &format!("admin token (login {login})"), answer, None);
        }
    }
    report
}

async fn check_identity(config: &Config, report: &mut Report) {
    match &config.identity {
        IdentityConfig::Anonymous(_) => {
            report.note("identity: anonymous, so whoever reaches the relay gets a token");
        }
        IdentityConfig::Jwt(jwt) => match crate::identity::fetch_keys(jwt).await {
            Ok(count) => report.good(format!("identity.jwks_url gives {count} usable keys")),
            Err(reason) => report.bad(
                format!("identity.jwks_url: {reason}"),
                "It must answer 2xx with a JSON Web Key Set of RS256, ES256 or EdDSA keys.",
            ),
        },
        IdentityConfig::Header(_) => {
            report.note(
                "identity: headers of a trusted proxy; send a request through it to see that they arrive",
            );
        }
        IdentityConfig::Forward(forward) => {
            let answer = match http::client(forward.url.as_str(), forward.timeout).build() {
                Ok(client) => client.get(forward.url.clone()).send().await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(answer) if answer.status().is_success() => report.bad(
                    "identity.url says that a caller without any credentials is signed in",
                    "It must answer 401 to them, or everybody gets a token.",
                ),
                Ok(answer) if answer.status().is_server_error() || answer.status().as_u16() == 404 => report.bad(
                    format!("identity.url answers with status {}", answer.status().as_u16()),
                    "It must answer 401 to a caller who is not signed in, and 2xx with a JSON object to one who is.",
                ),
                Ok(_) => report.good("identity.url answers, and turns a caller without credentials away"),
                Err(_) => report.bad("identity.url cannot be reached", "Is the host application running, and the URL right?"),
            }
        }
    }
}

async fn check_profile(
    config: &Config,
    upstream: &Upstream,
    name: &str,
    profile: &Profile,
    claims: Option<&Claims>,
    report: &mut Report,
) {
    let spelling = config.platform.spelling;
    let grant = match claims {
        Some(claims) => Grant::new(profile, spelling, claims),
        None => sampled_grant(config, profile),
    };
    let grant = match grant {
        Ok(grant) => grant,
        Err(refusal) => {
            let line = format!("profile {name}: refused before the platform is asked: {refusal}");
            return report.bad(line, "Give the claims of a user who may have it, with --claims claims.json.");
        }
    };
    let Some(api_key) = &config.api_key else { return };
    let lifetime = grant.lifetime.duration();
    let answer = upstream.composer_token(&api_key.current(), grant.body.into()).await;
    tell(report, &format!("profile {name}: Composer token"), answer, Some(lifetime));
}

/// A grant whose claims are made up, each of the type that its place wants.
fn sampled_grant(config: &Config, profile: &Profile) -> Result<Grant, Refusal> {
    let mut claims = Claims::default();
    let mut outcome = Grant::without_requirement(profile, config.platform.spelling, &claims);
    for _ in 0..MAX_SAMPLED_CLAIMS {
        let Err(Refusal::Claim(error)) = &outcome else { break };
        claims.insert_sample(error);
        outcome = Grant::without_requirement(profile, config.platform.spelling, &claims);
    }
    outcome
}

fn tell(report: &mut Report, what: &str, answer: Result<Token, UpstreamError>, lifetime: Option<Duration>) {
    match answer {
        Ok(token) => {
            let form = match token.expose().split('.').count() {
                COMPACT_JWE_PARTS => "encrypted (JWE)",
                3 => "readable (JWT)",
                _ => "opaque",
            };
            let lifetime = lifetime.map_or_else(
                || "lifetime unknown, so never reused".to_owned(),
                |lifetime| format!("lifetime {}", humantime::format_duration(lifetime)),
            );
            report.good(format!(
                "{what}: the platform gave one ({form}, {} bytes, {lifetime})",
                token.expose().len()
            ));
        }
        Err(error) => report.bad(format!("{what}: {error}"), advice(error)),
    }
}

fn advice(error: UpstreamError) -> &'static str {
    match error {
        UpstreamError::Busy | UpstreamError::LeftAlone(_) => "Try again.",
        UpstreamError::Connect => {
            "Is qrvey.domain right? Can this machine reach it (firewall, DNS)? Is its certificate signed by a known authority?"
        }
        UpstreamError::Timeout => {
            "The platform is slow or something between drops packets; limits.upstream_timeout can be raised."
        }
        UpstreamError::Broken => "Something between this machine and the platform cuts connections.",
        UpstreamError::Refused { credential: "QRVEY_API_KEY", .. } => {
            "Check the key, and that userid and appid belong to the instance it was issued for."
        }
        UpstreamError::Refused { .. } => "Check the user name and the access key, and qrvey.admin_login.",
        UpstreamError::Redirect(_) => {
            "qrvey.domain is not where the platform's API is; use the address it redirects to."
        }
        UpstreamError::RateLimited(_) => "Wait, then try again.",
        UpstreamError::Unavailable(..) => {
            "The platform, or the balancer before it, is down. Try again later."
        }
        UpstreamError::Status(404) => {
            "There is no such endpoint: check qrvey.domain, and qrvey.admin_login (\"v5\" before version 8.5)."
        }
        UpstreamError::Status(400 | 422) => {
            "The platform does not take the body: check the ids, and qrvey.spelling (\"camel\" for version 9). `explain` shows the body."
        }
        UpstreamError::Status(_) => "The platform's own log says why.",
        UpstreamError::TooLarge | UpstreamError::NotAToken | UpstreamError::BadToken(_) => {
            "This does not look like the platform's API: check qrvey.domain and qrvey.admin_login."
        }
    }
}
