//! The eleven widgets: their elements, where their launchers lie, and the settings that are documented.

/// A widget of the platform.
#[derive(Debug)]
pub(crate) struct Widget {
    /// What `EmbedOptions.widget` calls it.
    pub(crate) name: &'static str,
    pub(crate) tag: &'static str,
    /// The attribute that holds the name of the global with the configuration.
    pub(crate) attribute: &'static str,
    pub(crate) launcher: Launcher,
    /// The key that takes the token; `None` for a widget that needs none.
    pub(crate) token_key: Option<&'static str>,
    pub(crate) settings: &'static [Setting],
    /// Further attributes of the element, each an option of `embed`.
    pub(crate) attributes: &'static [&'static str],
}

/// The scripts that define an element: paths below `domain` or the widgets host.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Launcher {
    /// The form for browsers with modules, which is all that run this module.
    pub(crate) module: Option<&'static str>,
    /// The classic form: the only one, or the `nomodule` companion, which also loads where a widgets
    /// host sends no CORS headers.
    pub(crate) classic: Option<&'static str>,
}

/// A documented key of a widget's configuration.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    /// The camel case spelling, where the widget itself wants another.
    pub(crate) alias: Option<&'static str>,
    pub(crate) is_needed: bool,
    /// The values that are documented; empty for any text.
    pub(crate) one_of: &'static [&'static str],
}

const fn text(key: &'static str) -> Setting {
    Setting { key, alias: None, is_needed: false, one_of: &[] }
}

const fn needed(key: &'static str) -> Setting {
    Setting { key, alias: None, is_needed: true, one_of: &[] }
}

impl Setting {
    const fn or(self, alias: &'static str) -> Self {
        Self { alias: Some(alias), ..self }
    }

    const fn one_of(self, one_of: &'static [&'static str]) -> Self {
        Self { one_of, ..self }
    }
}

impl Widget {
    const fn new(
        name: &'static str,
        tag: &'static str,
        attribute: &'static str,
        launcher: Launcher,
        settings: &'static [Setting],
    ) -> Self {
        Self { name, tag, attribute, launcher, token_key: Some("qvToken"), settings, attributes: &[] }
    }

    /// The widget with this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        WIDGETS.iter().find(|widget| widget.name == name)
    }
}

const fn classic(path: &'static str) -> Launcher {
    Launcher { module: None, classic: Some(path) }
}

const fn module(path: &'static str) -> Launcher {
    Launcher { module: Some(path), classic: None }
}

const fn both(module: &'static str, classic: &'static str) -> Launcher {
    Launcher { module: Some(module), classic: Some(classic) }
}

const WIDGETS_LAUNCHER: &str = "widgets-launcher/app.js";
const AN_MODULE: &str = "qrvey-an-widgets/an-dashboard/andashboard/andashboard.esm.js";
const AN_CLASSIC: &str = "qrvey-an-widgets/an-dashboard/andashboard/andashboard.js";

/// The catalogue.
pub(crate) static WIDGETS: [Widget; 11] = [
    Widget::new(
        "dashboard",
        "qrvey-dashboard",
        "settings",
        module("qrvey-dashboard/qrvey-dashboard/qrvey-dashboard.esm.js"),
        &[],
    ),
    Widget::new("dashboard-builder", "qrvey-builders", "settings", classic(WIDGETS_LAUNCHER), &[]),
    Widget::new("dashboard-view", "qrvey-end-user", "settings", classic(WIDGETS_LAUNCHER), &[]),
    Widget::new("analytic-suite", "an-dashboard", "config", both(AN_MODULE, AN_CLASSIC), &[]),
    Widget::new(
        "single-panel",
        "an-panel",
        "config",
        both(AN_MODULE, AN_CLASSIC),
        &[
            needed("qrveyId"),
            needed("type").one_of(&["CHART", "SUMMARY", "METRIC"]),
            text("chartId"),
            text("summaryId"),
            text("metricId"),
        ],
    ),
    Widget::new("pixel-perfect-report", "qrvey-pixel-builder", "settings", classic(WIDGETS_LAUNCHER), &[]),
    Widget::new("automation", "qrvey-workflow-design", "settings", classic(WIDGETS_LAUNCHER), &[]),
    Widget::new(
        "download-manager",
        "qrvey-download-manager",
        "settings",
        both(
            "qrvey_download_manager/qrvey-download-manager/qrvey-download-manager.esm.js",
            "qrvey_download_manager/qrvey-download-manager/qrvey-download-manager.js",
        ),
        &[],
    ),
    Widget {
        token_key: Some("qv_token"),
        ..Widget::new(
            "web-form-design",
            "qrvey-design-widgets",
            "settings",
            classic(WIDGETS_LAUNCHER),
            &[
                text("app_id").or("appId"),
                text("user_id").or("userId"),
                text("qrvey_id").or("qrveyId"),
                text("app_type").or("appType"),
            ],
        )
    },
    Widget {
        token_key: None,
        ..Widget::new(
            "web-form",
            "qrvey-webform-enduser",
            "config",
            module("qrvey-webforms-widgets/webform-widgets/webform-widgets.esm.js"),
            &[needed("qrvey_hash").or("qrveyHash")],
        )
    },
    Widget {
        attributes: &["context", "agents"],
        ..Widget::new(
            "sidekick-ai",
            "qrvey-ai-mcp-client",
            "settings",
            module("ai-widgets/ai-widgets/ai-widgets.esm.js"),
            &[],
        )
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_tags_are_unique() {
        for (place, widget) in WIDGETS.iter().enumerate() {
            for other in &WIDGETS[place + 1..] {
                assert_ne!(widget.name, other.name);
                assert_ne!(widget.tag, other.tag);
            }
        }
    }

    #[test]
    fn every_widget_has_a_launcher_and_custom_elements_have_a_hyphen() {
        for widget in &WIDGETS {
            let Launcher { module, classic } = &widget.launcher;
            assert!(module.or(*classic).is_some(), "{}", widget.name);
            assert!(widget.tag.contains('-'), "{}", widget.name);
            assert!(module.iter().chain(classic).all(|path| !path.starts_with('/')));
        }
    }

    #[test]
    fn only_the_web_form_needs_no_token() {
        let without: Vec<_> =
            WIDGETS.iter().filter(|widget| widget.token_key.is_none()).map(|widget| widget.name).collect();
        assert_eq!(without, ["web-form"]);
    }
}
