//! `docs/migrate-from-express.md`, followed step by step with Express: `npm test -- neighbours`.

use std::fs;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::program::{Folder, Served};
use crate::support::{COOKIE, TOKEN, World, free_port, neighbour, outcome, plain_client};

const PAGE: &str = include_str!("../../docs/migrate-from-express.md");

/// Every route that Qrvey's samples have.
const ROUTES: [&str; 10] = [
    "/api/generate-qrvey-token",
    "/dashboards",
    "/dashboard-view",
    "/dashboard-builder",
    "/download-manager",
    "/analytic-suite",
    "/pixel-perfect-report",
    "/single-panel",
    "/automation",
    "/api/generateJwt",
];

/// The page's examples in a language.
fn examples(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    PAGE.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// An application as the page wants it: its own session, and the two pieces that the page adds.
fn application() -> String {
    let [session, pass_on] = examples("js")[..] else { panic!("the page has other examples by now") };
    let (import, mount) = pass_on.split_once('\n').unwrap();
    format!(
        "import express from 'express';
{import}
const app = express();
app.use((request, _, next) => {{
  if (request.headers.cookie === '{COOKIE}') {{
    request.session = {{ user: {{ id: 'ada', tenantIds: ['aurora'], roles: ['analyst', 'qrvey-admin'] }} }};
  }}
  next();
}});
{mount}
app.use(express.json());
{session}
const server = app.listen(4000, '127.0.0.1', () => console.log('ready'));
"
    )
}

#[test]
fn the_page_names_every_route_of_the_samples_and_a_new_one_for_each() {
    let table = PAGE.split("## 4.").nth(1).unwrap().split("## 5.").next().unwrap();
    for route in ROUTES {
        let row = table.lines().find(|line| line.contains(&format!("{route}`"))).unwrap_or_default();
        assert!(row.contains("`POST /qrvey/composer-token`"), "{route} has no row of its own");
    }
    assert!(table.contains("`POST /qrvey/admin-token`"));
}

#[tokio::test]
#[ignore = "needs Node and the npm registry"]
async fn an_express_application_that_follows_the_page_gets_both_tokens() {
    let world = World::new().await;
    let port = free_port().await;
    let admin = "[profiles.automation]\nuserid = \"automation-user\"\nappid = \"application-id\"\n\
                 [admin]\nrequire = { claim = \"roles\", contains = \"qrvey-admin\" }\n";
    let toml = examples("toml")
        .concat()
        .replace("https://tenant.qrvey.example", &world.platform.uri())
        .replace("127.0.0.1:4000", &format!("127.0.0.1:{port}"));
    let folder = Folder::with(&format!("{toml}{admin}"));

    // Step 3: look before it runs.
    let claims = examples("sh").concat();
    let claims = claims.split("echo '").nth(1).unwrap().split('\'').next().unwrap();
    fs::write(folder.path("claims.json"), claims).unwrap();
    let (status, text) = folder.run(&["explain", "--claims", "claims.json"]).await;
    assert!(status == 0 && text.contains("\"clientid\": \"ada\"") && text.contains("\"aurora\""), "{text}");

    // Steps 1, 2 and 4: the application, the relay behind it, and every route's successor.
    let served = Served::start(&folder).await;
    fs::write(folder.path("node.mjs"), include_str!("../../deploy/proxies/node.mjs")).unwrap();
    let application = application()
        .replace("127.0.0.1:4100", served.public.trim_start_matches("http://"))
        .replace("listen(4000", &format!("listen({port}"));
    fs::write(folder.path("app.mjs"), application).unwrap();
    let install =
        ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", "express@5"];
    let installed = Command::new("npm").args(install).current_dir(folder.path("")).status().await.unwrap();
    assert!(installed.success());
    let mut node = Command::new("node");
    let _application = neighbour(node.arg("app.mjs").current_dir(folder.path("")), port).await;
    let client = plain_client();
    let base = format!("http://127.0.0.1:{port}");
    let (status, text) = folder.run(&["check"]).await;
    assert_eq!(status, 0, "{text}");

    let before = world.minted().await.len();
    let post = |path: &str, body: Value| {
        client.post(format!("{base}/qrvey/{path}")).header("cookie", COOKIE).json(&body)
    };
    for (route, profile, userid) in ROUTES.map(|route| match route {
        "/automation" => (route, "automation", "automation-user"),
        _ => (route, "default", "composer-user"),
    }) {
        let fresh =
            post("composer-token", json!({ "profile": profile })).header("cache-control", "max-age=0");
        let (status, answer) = outcome(fresh).await;
        assert_eq!((status, &answer["token"]), (200, &json!(TOKEN)), "{route}");
        assert_eq!(world.minted().await.last().unwrap()["userid"], userid, "{route}");
        // What the samples spread into the platform call is refused.
        let spread = post("composer-token", json!({ "clientid": "somebody-else", "permissions": [] }));
        assert_eq!(outcome(spread).await.0, 400, "{route}");
    }
    assert_eq!(outcome(post("admin-token", json!({}))).await.0, 200);
    assert_eq!(world.minted().await.len(), before + ROUTES.len() + 1);
    let stranger = client.post(format!("{base}/qrvey/composer-token")).json(&json!({}));
    assert_eq!(outcome(stranger).await.0, 401);
}
