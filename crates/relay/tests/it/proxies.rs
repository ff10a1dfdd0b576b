//! The configurations of `deploy/proxies`, run for real: `npm test -- neighbours`.

use std::path::Path;

use serde_json::json;
use tokio::process::Command;

use crate::program::Folder;
use crate::support::{
    COOKIE, DEFAULT_PROFILE, RunningRelay, World, free_port, neighbour, outcome, plain_client, refusal,
};

/// The configuration with this test's ports in it.
fn with_ports(text: &str, proxy: u16, host: u16, relay: u16) -> String {
    text.replace("127.0.0.1:8080", &format!("127.0.0.1:{proxy}"))
        .replace("127.0.0.1:4000", &format!("127.0.0.1:{host}"))
        .replace("127.0.0.1:4100", &format!("127.0.0.1:{relay}"))
        .replace("port_value: 8080", &format!("port_value: {proxy}"))
        .replace("port_value: 4000", &format!("port_value: {host}"))
        .replace("port_value: 4100", &format!("port_value: {relay}"))
}

fn program(name: &str, arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(folder).env("HOME", folder);
    command
}

async fn hold(configuration: &str, file: &str, run: impl FnOnce(&Path, u16) -> Command) {
    let world = World::new().await;
    let limits = "[limits]\nrequests_per_minute_per_address = 5\n";
    let toml = world.toml(&format!("{DEFAULT_PROFILE}{limits}"));
    let relay = RunningRelay::start(&format!("trusted_proxies = [\"127.0.0.1\"]\n{toml}")).await;
    let (port, folder) = (free_port().await, Folder::with(""));
    let text = with_ports(configuration, port, world.host.address().port(), relay.address.port());
    std::fs::write(folder.path(file), text).unwrap();
    let _proxy = neighbour(&mut run(&folder.path(""), port), port).await;
    let base = format!("http://127.0.0.1:{port}");
    let client = plain_client();
    let post =
        || client.post(format!("{base}/qrvey/composer-token")).header("cookie", COOKIE).json(&json!({}));
    let host = client.get(format!("{base}/page")).header("cookie", COOKIE).send().await.unwrap();
    assert_eq!(host.status(), 200, "everything else is the host application's");
    // An old browser: Origin, and no Sec-Fetch-Site; so Host must have come through.
    assert_eq!(outcome(post().header("origin", &base)).await.0, 200);
    assert_eq!(refusal(post().header("origin", "https://evil.example")).await.0, 403);
    assert_eq!(refusal(post().header("sec-fetch-site", "cross-site")).await.0, 403);
    let mut statuses = Vec::new();
    for number in 0..8 {
        statuses.push(outcome(post().header("x-forwarded-for", format!("198.51.100.{number}"))).await.0);
    }
    assert!(statuses.contains(&429), "a made-up X-Forwarded-For is believed: {statuses:?}");
}

#[tokio::test]
#[ignore = "needs nginx"]
async fn nginx() {
    let http = format!(
        "pid nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{}\n}}\n",
        include_str!("../../deploy/proxies/nginx.conf")
    );
    hold(&http, "nginx.conf", |folder, _| {
        let prefix = folder.to_str().unwrap();
        program("nginx", &["-p", prefix, "-c", "nginx.conf", "-g", "daemon off;"], folder)
    })
    .await;
}

#[tokio::test]
#[ignore = "needs caddy"]
async fn caddy() {
    let text = format!("{{\n\tadmin off\n}}\n{}", include_str!("../../deploy/proxies/Caddyfile"));
    hold(&text, "Caddyfile", |folder, _| program("caddy", &["run", "--config", "Caddyfile"], folder)).await;
}

#[tokio::test]
#[ignore = "needs haproxy"]
async fn haproxy() {
    let text = include_str!("../../deploy/proxies/haproxy.cfg");
    hold(text, "haproxy.cfg", |folder, _| program("haproxy", &["-db", "-f", "haproxy.cfg"], folder)).await;
}

#[tokio::test]
#[ignore = "needs envoy"]
async fn envoy() {
    let text = include_str!("../../deploy/proxies/envoy.yaml");
    let arguments =
        ["-c", "envoy.yaml", "--disable-hot-restart", "--concurrency", "1", "--log-level", "error"];
    hold(text, "envoy.yaml", |folder, _| program("envoy", &arguments, folder)).await;
}

#[tokio::test]
#[ignore = "needs node"]
async fn node() {
    let text = format!(
        "{}\nconst relay = passOnTo('http://127.0.0.1:4100');\nconst host = passOnTo('http://127.0.0.1:4000');\n\
         const server = http.createServer((request, response) =>\n\
         (request.url.startsWith('/qrvey/') ? relay : host)(request, response));\nserver.listen({{ host: '127.0.0.1', port: Number(process.argv[2]) }});\n",
        include_str!("../../deploy/proxies/node.mjs")
    );
    hold(&text, "server.mjs", |folder, port| program("node", &["server.mjs", &port.to_string()], folder))
        .await;
}
