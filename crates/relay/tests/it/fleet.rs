//! Three replicas and a real Redis: `cargo test -p qrvey-relay --features fleet -- --ignored fleet`.

use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use wiremock::matchers::method;
use wiremock::{Mock, ResponseTemplate};

use crate::support::{ADMIN, COOKIE, DEFAULT_PROFILE, REDIS_PASSWORD, RunningRelay, TOKEN, World, outcome};

struct Redis {
    port: u16,
    process: Child,
}

impl Redis {
    async fn start(port: Option<u16>) -> Self {
        let port = match port {
            Some(port) => port,
            None => TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port(),
        };
        let mut command = Command::new("redis-server");
        command.args([
            "--port",
            &port.to_string(),
            "--save",
            "",
            "--appendonly",
            "no",
            "--requirepass",
            REDIS_PASSWORD,
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let process = command.spawn().unwrap();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { port, process }
    }

    async fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["--no-auth-warning", "-p", &self.port.to_string(), "-a", REDIS_PASSWORD])
            .args(arguments)
            .output()
            .await
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

async fn replicas(world: &World, redis: &Redis, more: &str) -> Vec<RunningRelay> {
    let fleet = format!("[fleet]\nredis = \"redis://127.0.0.1:{}\"\n", redis.port);
    let toml = world.toml(&format!("{DEFAULT_PROFILE}{ADMIN}{fleet}{more}"));
    join_all((0..3).map(|_| RunningRelay::start(&toml))).await
}

const NO_LIMIT: &str = "[limits]\nrequests_per_minute = 0\nrequests_per_minute_per_address = 0\n";

#[tokio::test]
#[ignore = "needs redis-server"]
async fn the_fleet_mints_once_and_keeps_nothing_readable_in_redis() {
    let (world, redis) = (World::new().await, Redis::start(None).await);
    let slow = ResponseTemplate::new(200)
        .set_body_json(json!({ "token": TOKEN }))
        .set_delay(Duration::from_millis(300));
    Mock::given(method("POST")).respond_with(slow).with_priority(1).mount(&world.platform).await;
    let relays = replicas(&world, &redis, NO_LIMIT).await;
    let asks = relays.iter().flat_map(|relay| (0..50).map(|_| outcome(relay.composer())));
    let answers = join_all(asks).await;
    assert!(
        answers.iter().all(|(status, answer)| *status == 200 && answer["expires_in"].as_u64() > Some(590))
    );
    assert_eq!(world.minted().await.len(), 1);
    assert!(relays[1].metrics().await.contains("qrvey_relay_fleet_up 1"));

    let keys = redis.cli(&["KEYS", "*"]).await;
    let name = keys.lines().find(|name| name.starts_with("qrvey-relay:")).unwrap().to_owned();
    let everything = format!("{keys}{}", redis.cli(&["GET", &name]).await);
    assert!(everything.len() > 100 && !everything.contains("canary"), "{everything}");

    // Sign-out at one replica reaches Redis, and an admin token was never there.
    let sign_out = relays[0].client.delete(relays[0].url("/qrvey/tokens")).header("cookie", COOKIE);
    assert_eq!(outcome(sign_out).await.0, 204);
    assert_eq!(outcome(relays[0].admin()).await.0, 200);
    assert!(!redis.cli(&["KEYS", "*"]).await.contains(&name));
    assert_eq!(outcome(relays[0].composer()).await.0, 200);
    assert_eq!(world.minted().await.len(), 3);
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn the_fleet_counts_as_one() {
    let (world, redis) = (World::new().await, Redis::start(None).await);
    let relays = replicas(&world, &redis, "[limits]\nrequests_per_minute = 6\n").await;
    let mut statuses = Vec::new();
    for number in 0..9 {
        statuses.push(outcome(relays[number % 3].composer()).await.0);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 429, 429, 429]);
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn without_redis_each_works_alone_and_together_again_after() {
    let (world, mut redis) = (World::new().await, Redis::start(None).await);
    let relays = replicas(&world, &redis, &format!("{NO_LIMIT}[reuse]\nlifetime_percent = 0\n")).await;
    let load = async || {
        let answers =
            join_all(relays.iter().flat_map(|relay| (0..20).map(|_| outcome(relay.composer())))).await;
        answers.iter().all(|(status, _)| *status == 200)
    };
    assert!(load().await);
    redis.process.kill().await.unwrap();
    for _ in 0..5 {
        assert!(load().await, "Redis is down, the relay is not");
    }
    for relay in &relays {
        assert!(relay.metrics().await.contains("qrvey_relay_fleet_up 0"));
    }
    let redis = Redis::start(Some(redis.port)).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    for _ in 0..20 {
        assert!(load().await);
        let mut up = 0;
        for relay in &relays {
            up += usize::from(relay.metrics().await.contains("qrvey_relay_fleet_up 1"));
        }
        if up == relays.len() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    drop(redis);
    panic!("the replicas did not come together again");
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_wrong_password_is_as_good_as_no_redis() {
    let (world, redis) = (World::new().await, Redis::start(None).await);
    redis.cli(&["CONFIG", "SET", "requirepass", "changed"]).await;
    let relays = replicas(&world, &redis, NO_LIMIT).await;
    assert_eq!(outcome(relays[0].composer()).await.0, 200);
    assert!(relays[0].metrics().await.contains("qrvey_relay_fleet_up 0"));
}
