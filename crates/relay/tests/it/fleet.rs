//! Three replicas, and a real Redis and a real Valkey: `npm test -- neighbours`.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use qrvey_relay::Environment;
use serde_json::json;
use tokio::process::{Child, Command};
use wiremock::matchers::method;
use wiremock::{Mock, ResponseTemplate};

use crate::authority::Authority;
use crate::program::{Folder, Served};
use crate::support::{
    ADMIN, API_KEY, COOKIE, DEFAULT_PROFILE, FLEET_KEY, REDIS_PASSWORD, RunningRelay, TOKEN, World,
    free_port, neighbour, outcome, until,
};

/// Every test is run against each.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

const NO_LIMIT: &str = "[limits]\nrequests_per_minute = 0\nrequests_per_minute_per_address = 0\n";

struct Redis {
    program: &'static str,
    port: u16,
    process: Child,
    /// Where certificate, key and authority are, if it speaks TLS.
    tls: Option<Folder>,
}

impl Redis {
    async fn start(program: &'static str) -> Self {
        Self::on_port(program, free_port().await, None).await
    }

    /// One that speaks nothing but TLS; the Valkey that can be installed by itself has none.
    async fn start_with_tls(authority: &Authority, name: &str) -> Self {
        let folder = Folder::with("");
        let (certificate, key) = authority.certificate_for(name);
        for (file, pem) in [("ca.pem", &authority.pem), ("cert.pem", &certificate), ("key.pem", &key)] {
            std::fs::write(folder.path(file), pem).unwrap();
        }
        Self::on_port(PROGRAMS[0], free_port().await, Some(folder)).await
    }

    async fn on_port(program: &'static str, port: u16, tls: Option<Folder>) -> Self {
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--requirepass", REDIS_PASSWORD]);
        match &tls {
            None => command.args(["--port", &port.to_string()]),
            Some(folder) => command
                .args(["--port", "0", "--tls-port", &port.to_string(), "--tls-auth-clients", "no"])
                .args(["--tls-cert-file".as_ref(), folder.path("cert.pem").as_os_str()])
                .args(["--tls-key-file".as_ref(), folder.path("key.pem").as_os_str()])
                .args(["--tls-ca-cert-file".as_ref(), folder.path("ca.pem").as_os_str()]),
        };
        let process = neighbour(&mut command, port).await;
        Self { program, port, process, tls }
    }

    async fn restart(mut self) -> Self {
        self.process.kill().await.unwrap();
        Self::on_port(self.program, self.port, self.tls).await
    }

    /// The `[fleet]` section of who trusts its certificate.
    fn section(&self) -> String {
        let ca_file = self.tls.as_ref().map(|folder| format!("ca_file = {:?}\n", folder.path("ca.pem")));
        self.section_without_ca_file() + &ca_file.unwrap_or_default()
    }

    fn section_without_ca_file(&self) -> String {
        let scheme = if self.tls.is_some() { "rediss" } else { "redis" };
        // On a machine that is busy with other tests Redis may well take its time.
        format!("[fleet]\nredis = \"{scheme}://127.0.0.1:{}\"\ntimeout = \"5s\"\n", self.port)
    }

    async fn cli(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["--no-auth-warning", "-p", &self.port.to_string(), "-a", REDIS_PASSWORD]);
        if self.tls.is_some() {
            command.args(["--tls", "--insecure"]);
        }
        let output = command.args(arguments).output().await.unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

async fn replicas(world: &World, fleet: &str, more: &str) -> Vec<RunningRelay> {
    let toml = world.toml(&format!("{DEFAULT_PROFILE}{ADMIN}{fleet}{more}"));
    join_all((0..3).map(|_| RunningRelay::start(&toml))).await
}

async fn is_up(relay: &RunningRelay) -> bool {
    relay.metrics().await.lines().any(|line| line == "qrvey_relay_fleet_up 1")
}

async fn all_are(relays: &[RunningRelay], up: bool) {
    for attempt in 0.. {
        let states = join_all(relays.iter().map(is_up)).await;
        if states.iter().all(|state| *state == up) {
            return;
        }
        assert!(attempt < 200, "up: {states:?}, and all should be {up}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
#[ignore = "needs redis-server and valkey-server"]
async fn the_fleet_mints_once_and_keeps_nothing_readable_in_redis() {
    for program in PROGRAMS {
        hold_sharing(Redis::start(program).await).await;
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn the_fleet_shares_through_tls_too() {
    hold_sharing(Redis::start_with_tls(&Authority::new(), "127.0.0.1").await).await;
}

async fn hold_sharing(redis: Redis) {
    let world = World::new().await;
    let slow = ResponseTemplate::new(200)
        .set_body_json(json!({ "token": TOKEN }))
        .set_delay(Duration::from_millis(300));
    Mock::given(method("POST")).respond_with(slow).with_priority(1).mount(&world.platform).await;
    let relays = replicas(&world, &redis.section(), NO_LIMIT).await;
    let asks = relays.iter().flat_map(|relay| (0..50).map(|_| outcome(relay.composer())));
    let answers = join_all(asks).await;
    assert!(
        answers.iter().all(|(status, answer)| *status == 200 && answer["expires_in"].as_u64() > Some(590))
    );
    assert_eq!(world.minted().await.len(), 1, "{}", redis.program);
    assert!(is_up(&relays[1]).await);

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
async fn a_redis_whose_certificate_is_not_trusted_is_never_spoken_to() {
    let (world, authority) = (World::new().await, Authority::new());
    let unknown = Redis::start_with_tls(&authority, "127.0.0.1").await;
    let misnamed = Redis::start_with_tls(&authority, "redis.example").await;
    for section in [unknown.section_without_ca_file(), misnamed.section()] {
        let relays = replicas(&world, &section, NO_LIMIT).await;
        assert_eq!(outcome(relays[0].composer()).await.0, 200, "it works alone");
        assert!(!is_up(&relays[0]).await);
    }
    assert!(misnamed.cli(&["KEYS", "*"]).await.trim().is_empty());
}

#[tokio::test]
#[ignore = "needs redis-server and valkey-server"]
async fn the_fleet_counts_as_one() {
    for program in PROGRAMS {
        let (world, redis) = (World::new().await, Redis::start(program).await);
        let relays = replicas(&world, &redis.section(), "[limits]\nrequests_per_minute = 6\n").await;
        let mut statuses = Vec::new();
        for number in 0..9 {
            statuses.push(outcome(relays[number % 3].composer()).await.0);
        }
        assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 429, 429, 429], "{program}");
    }
}

#[tokio::test]
#[ignore = "needs redis-server and valkey-server"]
async fn redis_killed_and_restarted_under_load_costs_no_caller_an_answer() {
    for program in PROGRAMS {
        let (world, mut redis) = (World::new().await, Redis::start(program).await);
        let more = format!("{NO_LIMIT}[reuse]\nlifetime_percent = 0\n");
        let relays = replicas(&world, &redis.section(), &more).await;
        let (over, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
        let caller = async |relay: &RunningRelay| {
            while !over.load(Ordering::Relaxed) {
                assert_eq!(outcome(relay.composer()).await.0, 200, "Redis is down, the relay is not");
                answers.fetch_add(1, Ordering::Relaxed);
            }
        };
        let callers = join_all(relays.iter().flat_map(|relay| (0..6).map(|_| caller(relay))));
        let killer = async {
            for _ in 0..2 {
                all_are(&relays, true).await;
                redis.process.kill().await.unwrap();
                all_are(&relays, false).await;
                redis = redis.restart().await;
            }
            all_are(&relays, true).await;
            over.store(true, Ordering::Relaxed);
        };
        tokio::join!(callers, killer);
        assert!(answers.into_inner() > 50, "{program}: that was no load");
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn fleets_of_two_platforms_get_no_token_of_each_other() {
    let redis = Redis::start(PROGRAMS[0]).await;
    // Both stand at the same time, or the second might have the first one's address.
    for world in [World::new().await, World::new().await] {
        let relays = replicas(&world, &redis.section(), NO_LIMIT).await;
        for relay in &relays {
            assert_eq!(outcome(relay.composer()).await.0, 200);
        }
        assert_eq!(world.minted().await.len(), 1);
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_token_that_is_minted_while_its_user_signs_out_is_not_shared() {
    let (world, redis) = (World::new().await, Redis::start(PROGRAMS[0]).await);
    let release = world.hold_mints().await;
    let relays = replicas(&world, &redis.section(), &format!("{NO_LIMIT}upstream_timeout = \"1m\"\n")).await;
    let ask = tokio::spawn(relays[0].composer().send());
    until("the platform is asked", Duration::from_secs(20), async || {
        relays[0].metrics().await.contains("qrvey_relay_upstream_in_flight 1\n")
    })
    .await;
    let sign_out = relays[0].client.delete(relays[0].url("/qrvey/tokens")).header("cookie", COOKIE);
    assert_eq!(outcome(sign_out).await.0, 204);
    release.send(()).unwrap();
    assert_eq!(ask.await.unwrap().unwrap().status(), 200, "who asked before still gets it");
    release.send(()).unwrap();
    assert_eq!(outcome(relays[1].composer()).await.0, 200);
    assert_eq!(world.minted().await.len(), 2);
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_popular_token_is_renewed_by_one_replica_for_all() {
    let (world, redis) = (World::new().await, Redis::start(PROGRAMS[0]).await);
    let relays = replicas(&world, &redis.section(), NO_LIMIT).await;
    assert_eq!(outcome(relays[0].composer()).await.0, 200);
    // Of the token's 600 seconds 420 are over: still good to hand out, and time to renew it.
    let name = redis.cli(&["KEYS", "qrvey-relay:*"]).await;
    assert_eq!(redis.cli(&["PEXPIRE", name.trim(), "180000"]).await.trim(), "1");
    for relay in &relays[1..] {
        until("it has the new token", Duration::from_secs(20), async || {
            outcome(relay.composer()).await.1["expires_in"].as_u64() > Some(590)
        })
        .await;
    }
    assert_eq!(world.minted().await.len(), 2);
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_wrong_password_is_as_good_as_no_redis() {
    let (world, redis) = (World::new().await, Redis::start(PROGRAMS[0]).await);
    redis.cli(&["CONFIG", "SET", "requirepass", "changed"]).await;
    let relays = replicas(&world, &redis.section(), NO_LIMIT).await;
    assert_eq!(outcome(relays[0].composer()).await.0, 200);
    assert!(!is_up(&relays[0]).await);
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn the_fleet_key_rotates_without_a_mint() {
    let (world, redis) = (World::new().await, Redis::start(PROGRAMS[0]).await);
    let toml = world.toml(&format!("{DEFAULT_PROFILE}{}", redis.section()));
    let (old, new) = (FLEET_KEY, "HxAREhMUFRYXGBkaGxwdHh8AAQIDBAUGBwgJCgsMDQ4=");
    let with = async |keys: &[(&str, &str)]| {
        let rest = [("QRVEY_API_KEY", API_KEY), ("QRVEY_FLEET_REDIS_PASSWORD", REDIS_PASSWORD)];
        let environment = Environment::from_iter(rest.into_iter().chain(keys.iter().copied()));
        let relay = RunningRelay::start_in(&toml, &environment).await;
        assert_eq!(outcome(relay.composer()).await.0, 200);
        world.minted().await.len()
    };
    assert_eq!(with(&[("QRVEY_FLEET_KEY", old)]).await, 1);
    assert_eq!(with(&[("QRVEY_FLEET_KEY", new), ("QRVEY_FLEET_PREVIOUS_KEY", old)]).await, 1);
    assert_eq!(with(&[("QRVEY_FLEET_KEY", new)]).await, 2, "without the old key nothing of it opens");
}

#[tokio::test]
async fn a_changed_file_of_a_fleet_secret_is_taken_as_one_of_the_configuration_is() {
    let world = World::new().await;
    let gone = "[fleet]\nredis = \"redis://127.0.0.1:1\"\n";
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{gone}")));
    std::fs::write(folder.path("key"), FLEET_KEY).unwrap();
    let served = Served::start_with(&folder, &[("QRVEY_FLEET_KEY_FILE", "key")]).await;
    std::fs::write(folder.path("key"), "canary-short").unwrap();
    let line = served.logged("the old one stays in force").await;
    assert!(line.contains("QRVEY_FLEET_KEY must be 32 random bytes"), "{line}");
    std::fs::write(folder.path("key"), FLEET_KEY.to_lowercase()).unwrap();
    served.logged("took the configuration file").await;
    served.hold_log_secret();
}

#[tokio::test]
async fn a_redis_that_is_gone_is_said_in_the_log_without_its_password() {
    let world = World::new().await;
    let gone = "[fleet]\nredis = \"redis://127.0.0.1:1\"\n";
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{gone}")));
    let secrets = [("QRVEY_FLEET_KEY", FLEET_KEY), ("QRVEY_FLEET_REDIS_PASSWORD", REDIS_PASSWORD)];
    let served = Served::start_with(&folder, &secrets).await;
    assert_eq!(served.composer().send().await.unwrap().status(), 200);
    let line = served.logged("this replica works alone").await;
    assert!(line.contains("WARN") && !line.contains("AAECAwQF"), "{line}");
    assert!(!served.hold_log_secret().contains("AAECAwQF"));
}
