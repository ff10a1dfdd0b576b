//! `EmbedOptions`: parsed, not trusted, into what is to be put on the page.

use crate::catalogue::{WIDGETS, Widget};

/// A value as far as a check needs to know it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    Text(String),
    Number(f64),
    Function,
    Object,
    Other,
}

/// What is wrong with which key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) key: String,
    pub(crate) says: String,
}

type Checked<T> = Result<T, Problem>;

/// What an embed comes to, apart from its token.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) widget: &'static Widget,
    pub(crate) token_key: Option<&'static str>,
    pub(crate) renew: &'static str,
    /// The platform's address for the widget, without a slash at its end.
    pub(crate) domain: Option<String>,
    pub(crate) widgets_url: Option<String>,
    pub(crate) api_url: Option<String>,
}

const RENEW: [&str; 3] = ["seamless", "remount", "off"];
const TOKEN_KEYS: [&str; 2] = ["qvToken", "qv_token"];

/// Names under which Qrvey's private key goes in its documents and samples.
const API_KEYS: [&str; 4] = ["apiKey", "api_key", "apikey", "x-api-key"];

/// What the page can listen to: the events of the widgets and those of the embedding itself.
const EVENTS: [&str; 14] = [
    "ready",
    "expiring",
    "renewed",
    "failed",
    "expired",
    "remounted",
    "qvTokenExpired",
    "qvDSHPageLoaded",
    "qvDSHItemsLoaded",
    "atApplyUserFilters",
    "qvDSHRestoreDashboard",
    "qvDSHSaveDashboard",
    "qvDSHEditDashboard",
    "qvDSHCloseEditDashboard",
];

/// Whether `key` is an option of `embed` itself; all others are for the token.
pub(crate) fn is_own(key: &str) -> bool {
    matches!(
        key,
        "widget"
            | "container"
            | "settings"
            | "domain"
            | "widgetsUrl"
            | "apiUrl"
            | "renew"
            | "tokenKey"
            | "loadTimeoutMs"
            | "nonce"
            | "context"
            | "agents"
            | "signal"
    ) || event_of(key).is_some()
}

/// The event that an `on…` option listens to.
pub(crate) fn event_of(key: &str) -> Option<&'static str> {
    let name = key.strip_prefix("on")?;
    EVENTS.into_iter().find(|event| {
        let mut letters = event.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        name.chars().next() == first && name.get(1..) == Some(letters.as_str())
    })
}

impl Plan {
    /// Reads the options, of which those for the token are left to others, and checks the settings.
    pub(crate) fn new(options: &[(String, Given)], settings: &[(String, Given)]) -> Checked<Self> {
        let option = |key: &str| options.iter().find(|(known, _)| known == key).map(|(_, given)| given);
        let widget = match option("widget") {
            Some(Given::Text(name)) => Widget::named(name),
            _ => None,
        };
        let Some(widget) = widget else {
            return Err(problem("widget", "must be one of: ", &mut WIDGETS.iter().map(|known| known.name)));
        };
        let mut plan = Self {
            widget,
            token_key: widget.token_key,
            renew: "seamless",
            domain: None,
            widgets_url: None,
            api_url: None,
        };
        for (key, given) in options {
            plan.take(key, given)?;
        }
        check(widget, settings)?;
        if plan.domain.is_none() {
            let domain = settings.iter().find(|(key, _)| key == "domain");
            plan.domain = domain.map(|(_, given)| address("settings.domain", given)).transpose()?;
        }
        Ok(plan)
    }

    fn take(&mut self, key: &str, given: &Given) -> Checked<()> {
        match key {
            "domain" => self.domain = Some(address(key, given)?),
            "widgetsUrl" => self.widgets_url = Some(address(key, given)?),
            "apiUrl" => self.api_url = Some(address(key, given)?),
            "renew" => self.renew = choice(key, given, &RENEW)?,
            "tokenKey" => {
                let token_key = choice(key, given, &TOKEN_KEYS)?;
                self.token_key = self.token_key.and(Some(token_key));
            }
            "loadTimeoutMs" if !matches!(given, Given::Number(ms) if ms.is_finite() && *ms > 0.0) => {
                return Err(wrong(key, "must be a positive number of milliseconds"));
            }
            "nonce" if !matches!(given, Given::Text(_)) => return Err(wrong(key, "must be a string")),
            "settings" if *given != Given::Object => return Err(wrong(key, "must be an object")),
            "context" | "agents" if !self.widget.attributes.contains(&key) => {
                return Err(wrong(key, "goes with the widget sidekick-ai only"));
            }
            _ if event_of(key).is_some() && *given != Given::Function => {
                return Err(wrong(key, "must be a function"));
            }
            _ => {}
        }
        Ok(())
    }
}

/// The name under which a widget wants a setting.
pub(crate) fn wanted<'a>(widget: &Widget, key: &'a str) -> &'a str {
    widget.settings.iter().find(|setting| setting.alias == Some(key)).map_or(key, |setting| setting.key)
}

/// Checks the settings that are documented; others pass, since new ones are added without notice.
pub(crate) fn check(widget: &Widget, settings: &[(String, Given)]) -> Checked<()> {
    for (key, given) in settings {
        if API_KEYS.contains(&key.as_str()) {
            return Err(wrong_setting(
                key,
                "must never be in a page: whoever has the API key has every tenant's data; the relay keeps it",
            ));
        }
        if TOKEN_KEYS.contains(&key.as_str()) {
            return Err(wrong_setting(key, "is filled in by embed: leave it out"));
        }
        if key == "domain" && !matches!(given, Given::Text(_)) {
            return Err(wrong_setting(key, "must be a string"));
        }
    }
    for setting in widget.settings {
        let given = settings.iter().find(|(key, _)| key == setting.key || setting.alias == Some(key));
        match given {
            Some((_, Given::Text(text)))
                if setting.one_of.is_empty() || setting.one_of.contains(&text.as_str()) => {}
            Some((key, Given::Text(_))) => {
                let key = ["settings.", key].concat();
                return Err(problem(&key, "must be one of: ", &mut setting.one_of.iter().copied()));
            }
            Some((key, _)) => return Err(wrong_setting(key, "must be a string")),
            None if setting.is_needed => {
                return Err(wrong_setting(setting.key, "is missing, and this widget needs it"));
            }
            None => {}
        }
    }
    Ok(())
}

fn choice(key: &str, given: &Given, choices: &[&'static str]) -> Checked<&'static str> {
    let chosen = match given {
        Given::Text(text) => choices.iter().find(|choice| *choice == text),
        _ => None,
    };
    chosen.copied().ok_or_else(|| problem(key, "must be one of: ", &mut choices.iter().copied()))
}

/// An address without the slashes at its end.
fn address(key: &str, given: &Given) -> Checked<String> {
    if let Given::Text(text) = given {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        if host.is_some_and(|host| !host.is_empty() && !host.contains(['?', '#', '@', ' '])) {
            return Ok(text.trim_end_matches('/').to_owned());
        }
    }
    Err(wrong(key, "must be an address such as https://tenant.example"))
}

fn wrong(key: &str, says: &str) -> Problem {
    Problem { key: key.to_owned(), says: says.to_owned() }
}

fn wrong_setting(key: &str, says: &str) -> Problem {
    wrong(&["settings.", key].concat(), says)
}

fn problem(key: &str, says: &str, choices: &mut dyn Iterator<Item = &'static str>) -> Problem {
    let mut problem = wrong(key, says);
    for (place, choice) in choices.enumerate() {
        if place > 0 {
            problem.says.push_str(", ");
        }
        problem.says.push_str(choice);
    }
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(key: &str, value: &str) -> (String, Given) {
        (key.to_owned(), Given::Text(value.to_owned()))
    }

    fn given(key: &str, given: Given) -> (String, Given) {
        (key.to_owned(), given)
    }

    fn culprit(options: &[(String, Given)], settings: &[(String, Given)]) -> String {
        Plan::new(options, settings).expect_err("accepted").key
    }

    #[test]
    fn every_widget_of_the_catalogue_can_be_planned() {
        for widget in &WIDGETS {
            let settings = [
                text("qrveyId", "q"),
                text("type", "CHART"),
                text("qrvey_hash", "h"),
                given("brandNew", Given::Other),
            ];
            let plan = Plan::new(&[text("widget", widget.name)], &settings).expect(widget.name);
            assert_eq!(
                (plan.widget.tag, plan.token_key, plan.renew),
                (widget.tag, widget.token_key, "seamless")
            );
        }
    }

    #[test]
    fn an_unknown_widget_is_told_which_there_are() {
        let error = Plan::new(&[text("widget", "dashbord")], &[]).expect_err("accepted");
        assert_eq!(error.key, "widget");
        assert!(error.says.contains("dashboard-view") && error.says.ends_with("sidekick-ai"));
        assert_eq!(culprit(&[], &[]), "widget");
    }

    #[test]
    fn documented_settings_have_their_type_and_the_culprit_is_named() {
        let panel = [text("widget", "single-panel")];
        let good = [text("qrveyId", "q"), text("type", "METRIC"), text("metricId", "revenue")];
        assert!(Plan::new(&panel, &good).is_ok());
        assert_eq!(culprit(&panel, &good[..1]), "settings.type");
        assert_eq!(culprit(&panel, &good[1..]), "settings.qrveyId");
        assert_eq!(culprit(&panel, &[text("qrveyId", "q"), text("type", "PIE")]), "settings.type");
        let number = [good.as_slice(), &[given("chartId", Given::Number(7.0))]].concat();
        assert_eq!(culprit(&panel, &number), "settings.chartId");
        assert_eq!(culprit(&panel, &[given("domain", Given::Object)]), "settings.domain");
    }

    #[test]
    fn camel_case_becomes_what_the_widget_wants() {
        let design = Widget::named("web-form-design").expect("there");
        assert_eq!(wanted(design, "appId"), "app_id");
        assert_eq!(wanted(design, "app_id"), "app_id");
        assert_eq!(wanted(design, "whatElse"), "whatElse");
        let panel = Widget::named("single-panel").expect("there");
        assert_eq!(wanted(panel, ""), "", "a key without a second spelling has no empty one either");
        let options = [text("widget", "web-form-design")];
        assert_eq!(culprit(&options, &[given("appId", Given::Number(1.0))]), "settings.appId");
        let form = [text("widget", "web-form")];
        assert!(Plan::new(&form, &[text("qrveyHash", "h")]).is_ok());
        assert_eq!(culprit(&form, &[]), "settings.qrvey_hash");
    }

    #[test]
    fn secrets_do_not_belong_into_settings() {
        for key in API_KEYS.into_iter().chain(TOKEN_KEYS) {
            let name = ["settings.", key].concat();
            assert_eq!(culprit(&[text("widget", "dashboard")], &[text(key, "x")]), name);
        }
    }

    #[test]
    fn options_are_checked_one_by_one() {
        let with = |option| culprit(&[text("widget", "dashboard"), option], &[]);
        assert_eq!(with(text("domain", "tenant.example")), "domain");
        assert_eq!(with(text("domain", "https://")), "domain");
        assert_eq!(with(text("widgetsUrl", "https://x@y")), "widgetsUrl");
        assert_eq!(with(given("apiUrl", Given::Other)), "apiUrl");
        assert_eq!(with(text("renew", "sometimes")), "renew");
        assert_eq!(with(text("tokenKey", "token")), "tokenKey");
        assert_eq!(with(given("loadTimeoutMs", Given::Number(0.0))), "loadTimeoutMs");
        assert_eq!(with(given("nonce", Given::Number(0.0))), "nonce");
        assert_eq!(with(text("settings", "x")), "settings");
        assert_eq!(with(text("onReady", "x")), "onReady");
        assert_eq!(with(given("context", Given::Object)), "context");
    }

    #[test]
    fn addresses_lose_their_slashes() {
        let options =
            [text("widget", "dashboard"), text("domain", "https://a//"), text("widgetsUrl", "http://b/c/")];
        let plan = Plan::new(&options, &[]).expect("good");
        assert_eq!(
            (plan.domain.as_deref(), plan.widgets_url.as_deref()),
            (Some("https://a"), Some("http://b/c"))
        );
        let plan = Plan::new(&[text("widget", "dashboard")], &[text("domain", "https://c/")]).expect("good");
        assert_eq!(plan.domain.as_deref(), Some("https://c"));
    }

    #[test]
    fn old_launchers_want_another_key_and_a_form_wants_none() {
        let key = |widget, token_key| {
            let settings = [text("qrvey_hash", "h")];
            Plan::new(&[text("widget", widget), text("tokenKey", token_key)], &settings)
                .expect("good")
                .token_key
        };
        assert_eq!(key("dashboard-view", "qv_token"), Some("qv_token"));
        assert_eq!(key("web-form-design", "qvToken"), Some("qvToken"));
        assert_eq!(key("web-form", "qv_token"), None);
    }

    #[test]
    fn listeners_are_named_after_their_events() {
        assert_eq!(event_of("onReady"), Some("ready"));
        assert_eq!(event_of("onQvDSHPageLoaded"), Some("qvDSHPageLoaded"));
        assert_eq!(event_of("onready"), None);
        assert_eq!(event_of("on"), None);
        assert_eq!(event_of("onÄ"), None);
        assert!(is_own("onAtApplyUserFilters") && is_own("container") && !is_own("relay"));
    }
}
