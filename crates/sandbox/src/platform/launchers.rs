//! The launcher scripts at their documented paths, and the widgets that they load.
//!
//! `widgets/` is laid out as a browser sees it, so a path of the catalogue is the path of a file.

use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::refusal::Refusal;

#[derive(RustEmbed)]
#[folder = "widgets/"]
struct Scripts;

/// Serves a script, or says that there is none.
pub(super) async fn serve(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "only GET is served here")
            .into_response();
    }
    match Scripts::get(path) {
        None => Refusal::not_found("the stand-in platform serves nothing at this path").into_response(),
        Some(script) => {
            let headers = [
                (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
                (header::CACHE_CONTROL, "no-cache"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (headers, script.data).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_launcher_of_the_catalogue_is_there() {
        for path in [
            "qrvey-dashboard/qrvey-dashboard/qrvey-dashboard.esm.js",
            "widgets-launcher/app.js",
            "qrvey-an-widgets/an-dashboard/andashboard/andashboard.esm.js",
            "qrvey-an-widgets/an-dashboard/andashboard/andashboard.js",
            "qrvey_download_manager/qrvey-download-manager/qrvey-download-manager.esm.js",
            "qrvey_download_manager/qrvey-download-manager/qrvey-download-manager.js",
            "qrvey-webforms-widgets/webform-widgets/webform-widgets.esm.js",
            "ai-widgets/ai-widgets/ai-widgets.esm.js",
        ] {
            assert!(Scripts::get(path).is_some(), "{path}");
        }
    }
}
