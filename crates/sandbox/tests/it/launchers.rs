use crate::running::Running;

/// Follows the `import`s of a module; returns how many scripts there are.
async fn follow(running: &Running, path: &str, seen: &mut Vec<String>) {
    let response = running.client.get(format!("{}{path}", running.origin)).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/javascript"));
    let text = response.text().await.unwrap();
    // What the content security policy of the documentation does not allow, or Trusted Types would not.
    for forbidden in ["eval(", "new Function", "innerHTML", "outerHTML", "localStorage", "sessionStorage"] {
        assert!(!text.contains(forbidden), "{path} has {forbidden}");
    }
    for piece in text.split("from '").chain(text.split("import '")).skip(1) {
        let Some(target) = piece.split('\'').next().filter(|target| target.starts_with('.')) else {
            continue;
        };
        let url = reqwest::Url::parse("http://x").unwrap().join(path).unwrap().join(target).unwrap();
        let path = url.path().to_owned();
        if !seen.contains(&path) {
            seen.push(path.clone());
            Box::pin(follow(running, &path, seen)).await;
        }
    }
}

#[tokio::test]
async fn every_launcher_and_all_it_imports_is_served() {
    let running = Running::start().await;
    let mut seen = Vec::new();
    for path in [
        "/qrvey-dashboard/qrvey-dashboard/qrvey-dashboard.esm.js",
        "/widgets-launcher/app.js",
        "/qrvey-an-widgets/an-dashboard/andashboard/andashboard.esm.js",
        "/qrvey-an-widgets/an-dashboard/andashboard/andashboard.js",
        "/qrvey_download_manager/qrvey-download-manager/qrvey-download-manager.esm.js",
        "/qrvey_download_manager/qrvey-download-manager/qrvey-download-manager.js",
        "/qrvey-webforms-widgets/webform-widgets/webform-widgets.esm.js",
        "/ai-widgets/ai-widgets/ai-widgets.esm.js",
    ] {
        follow(&running, path, &mut seen).await;
    }
    for name in
        ["dashboard-builder", "dashboard-view", "pixel-perfect-report", "automation", "web-form-design"]
    {
        follow(&running, &format!("/stand-in/{name}.js"), &mut seen).await;
    }
    assert!(seen.len() > 15, "{seen:?}");
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let running = Running::start().await;
    let missing =
        running.client.get(format!("{}/widgets-launcher/nothing.js", running.origin)).send().await.unwrap();
    assert_eq!(missing.status(), 404);
    let up = running.client.get(format!("{}/../Cargo.toml", running.origin)).send().await.unwrap();
    assert_eq!(up.status(), 404);
}
