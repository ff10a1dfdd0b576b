//! The program as people run it: a process, its files, its signals, its output.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Client;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use wiremock::matchers::method;
use wiremock::{Mock, ResponseTemplate};

use crate::support::{
    ACCESS_KEY, ADMIN, ADMIN_USERNAME, API_KEY, COOKIE, DEFAULT_PROFILE, TOKEN, World, claims, h2c,
    plain_client, toml_for, until,
};

/// Names another build of the program that is to be held up instead: a release build, a static one.
pub(crate) const PROGRAM_VARIABLE: &str = "QRVEY_RELAY_PROGRAM";

fn program() -> OsString {
    std::env::var_os(PROGRAM_VARIABLE).unwrap_or_else(|| env!("CARGO_BIN_EXE_qrvey-relay").into())
}

fn command() -> Command {
    command_of(Command::new(program()))
}

/// What every run of the program has, put on a command that leads to it.
fn command_of(mut command: Command) -> Command {
    command
        .env_clear()
        .envs([
            ("QRVEY_API_KEY", API_KEY),
            ("QRVEY_ADMIN_USERNAME", ADMIN_USERNAME),
            ("QRVEY_ADMIN_ACCESS_KEY", ACCESS_KEY),
        ])
        .kill_on_drop(true)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn with(toml: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::write(folder.path("relay.toml"), toml).unwrap();
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> (i32, String) {
        self.run_with(arguments, &[]).await
    }

    pub(crate) async fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
        let mut command = command();
        command.args(arguments).current_dir(self.0.path()).envs(variables.iter().copied());
        let output = command.output().await.unwrap();
        let Output { status, stdout, stderr } = output;
        let text = format!("{}{}", String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        for secret in [API_KEY, ADMIN_USERNAME, ACCESS_KEY, TOKEN] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        (status.code().unwrap(), text)
    }
}

/// `qrvey-relay serve` with its log.
pub(crate) struct Served {
    process: Child,
    log: Arc<Mutex<String>>,
    is_log_read: watch::Sender<bool>,
    pub public: String,
    operations: String,
    client: Client,
}

impl Served {
    pub(crate) async fn start(folder: &Folder) -> Self {
        Self::start_with(folder, &[]).await
    }

    /// With more variables, or other values of those that are set anyway.
    pub(crate) async fn start_with(folder: &Folder, variables: &[(&str, &str)]) -> Self {
        Self::start_by(command(), folder, variables).await
    }

    async fn start_by(mut command: Command, folder: &Folder, variables: &[(&str, &str)]) -> Self {
        let mut process = command
            .args(["serve", "--config", "relay.toml"])
            .current_dir(folder.0.path())
            .envs([
                ("QRVEY_RELAY__LISTEN", "127.0.0.1:0"),
                ("QRVEY_RELAY__OPERATIONS_LISTEN", "127.0.0.1:0"),
                ("QRVEY_RELAY__LOG__FORMAT", "json"),
                ("QRVEY_RELAY__LOG__FILTER", "trace"),
            ])
            .envs(variables.iter().copied())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let collected = Arc::clone(&log);
        let (is_log_read, mut is_read) = watch::channel(true);
        tokio::spawn(async move {
            while is_read.wait_for(|is_read| *is_read).await.is_ok()
                && let Ok(Some(line)) = lines.next_line().await
            {
                let mut log = collected.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let client = plain_client();
        let mut served =
            Self { process, log, is_log_read, public: String::new(), operations: String::new(), client };
        served.public = served.announced("listening for callers").await;
        served.operations = served.announced("listening for operators").await;
        served
    }

    async fn announced(&self, message: &str) -> String {
        let line = self.logged(message).await;
        let port = line.split("127.0.0.1:").nth(1).unwrap();
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        format!("http://127.0.0.1:{port}")
    }

    /// Waits for a line of the log.
    pub(crate) async fn logged(&self, text: &str) -> String {
        for _ in 0..500 {
            let found = self.log.lock().unwrap().lines().find(|line| line.contains(text)).map(str::to_owned);
            if let Some(line) = found {
                return line;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no {text} in the log:\n{}", self.log());
    }

    pub(crate) async fn signal(&self, signal: &str) {
        let id = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
    }

    /// Where callers are served, without the scheme.
    pub(crate) fn address(&self) -> &str {
        self.public.trim_start_matches("http://")
    }

    pub(crate) async fn metrics(&self) -> String {
        let url = format!("{}/metrics", self.operations);
        self.client.get(url).send().await.unwrap().text().await.unwrap()
    }

    /// A line of what the system tells of the process, such as `VmRSS`.
    pub(crate) fn status_of_process(&self, name: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id().unwrap())).unwrap();
        status.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned()
    }

    fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Nothing that is secret, and nothing that a caller made up, stands in the log so far.
    pub(crate) fn hold_log_secret(&self) -> String {
        let log = self.log();
        let leaks: Vec<_> = log.lines().filter(|line| line.contains("canary")).collect();
        assert!(leaks.is_empty(), "canaries in the log: {leaks:#?}");
        log
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id().unwrap()
    }

    /// Waits for its end; true if that was as it should be.
    pub(crate) async fn ended(&mut self) -> bool {
        let status = self.process.wait().await.unwrap();
        self.logged("stopped").await;
        status.success()
    }

    pub(crate) fn composer(&self) -> reqwest::RequestBuilder {
        self.composer_by(&self.client)
    }

    /// A right request by another client.
    pub(crate) fn composer_by(&self, client: &Client) -> reqwest::RequestBuilder {
        let url = format!("{}/qrvey/composer-token", self.public);
        client.post(url).header("cookie", COOKIE).json(&json!({}))
    }

    async fn status(&self) -> u16 {
        self.composer().send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn help_and_version() {
    let folder = Folder::with("");
    let (status, text) = folder.run(&["--help"]).await;
    assert_eq!(status, 0);
    for word in ["serve", "check", "explain", "QRVEY_API_KEY", "_FILE", "QRVEY_RELAY__"] {
        assert!(text.contains(word), "{word} not in {text}");
    }
    let (status, text) = folder.run(&["--version"]).await;
    assert_eq!((status, text.trim()), (0, concat!("qrvey-relay ", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn a_faulty_configuration_stops_it_with_key_file_and_line() {
    let folder = Folder::with("[qrvey]\ndomain = \"https://tenant.example\"\n\nnonsense = true\n");
    for arguments in [&["serve"][..], &["check"]] {
        let (status, text) = folder.run(arguments).await;
        assert_eq!(status, 2);
        assert!(text.starts_with("qrvey-relay: relay.toml:4:1: `qrvey.nonsense`: unknown field"), "{text}");
    }
    let (status, text) = folder.run(&["serve", "--config", "other.toml"]).await;
    assert_eq!(status, 2);
    assert!(text.contains("other.toml: cannot read the configuration"), "{text}");
}

#[tokio::test]
async fn check_says_what_works() {
    let world = World::new().await;
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{ADMIN}")));
    let (status, text) = folder.run(&["check"]).await;
    insta::assert_snapshot!(text);
    assert_eq!(status, 0);
    // Made-up claims stood in, each of the type that was wanted.
    let composer = &world.minted().await[0];
    assert_eq!(composer["clientid"], "qrvey-relay-check");
    assert_eq!(composer["permissions"][0]["record_permissions"][0]["values"], json!(["qrvey-relay-check"]));
}

#[tokio::test]
async fn check_says_what_does_not_work_and_what_to_do() {
    let world = World::new().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(401))
        .with_priority(1)
        .mount(&world.platform)
        .await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
        .with_priority(1)
        .mount(&world.host)
        .await;
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{ADMIN}")));
    fs::write(folder.path("claims.json"), json!({ "sub": "ada" }).to_string()).unwrap();
    let (status, text) = folder.run(&["check"]).await;
    assert_eq!(status, 1);
    insta::assert_snapshot!("refused", text);
    let (status, text) = folder.run(&["check", "--claims", "claims.json"]).await;
    assert_eq!(status, 1);
    assert!(
        text.contains("profile default: refused before the platform is asked: claim `tenants` is missing"),
        "{text}"
    );
    let unreachable = Folder::with(&toml_for("http://127.0.0.1:1", "http://127.0.0.1:1", DEFAULT_PROFILE));
    let (status, text) = unreachable.run(&["check"]).await;
    assert_eq!(status, 1);
    insta::assert_snapshot!("unreachable", text);
}

#[tokio::test]
async fn explain_prints_what_would_be_sent() {
    let folder = Folder::with(&toml_for(
        "https://tenant.qrvey.example",
        "http://127.0.0.1:1",
        &format!(
            "{DEFAULT_PROFILE}{ADMIN}[profiles.closed]\nuserid = {{ claim = \"nickname\" }}\nappid = \"a\"\n"
        ),
    ));
    fs::write(folder.path("claims.json"), claims().to_string()).unwrap();
    let (status, text) = folder.run(&["explain", "--claims", "claims.json"]).await;
    assert_eq!(status, 0);
    insta::assert_snapshot!(text);
    let (status, text) = folder.run(&["explain", "--claims", "claims.json", "--profile", "none"]).await;
    assert_eq!(status, 1);
    assert!(text.contains("there is no [profiles.none]"), "{text}");
}

#[tokio::test]
async fn explain_quotes_nothing_of_a_file_that_holds_no_claims() {
    let folder =
        Folder::with(&toml_for("https://tenant.qrvey.example", "http://127.0.0.1:1", DEFAULT_PROFILE));
    for content in ["canary", "{\"sub\":\n\"a\" \"canary\"}", "\"canary\"", "[\"canary\"]"] {
        fs::write(folder.path("claims.json"), content).unwrap();
        let (status, text) = folder.run(&["explain", "--claims", "claims.json"]).await;
        assert_eq!(status, 1);
        assert!(text.contains("claims.json:") && !text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn sigterm_finishes_what_is_in_flight() {
    let world = World::new().await;
    let release = world.hold_mints().await;
    let limits = "[limits]\nrequests_per_minute = 0\nrequests_per_minute_per_address = 0\nmax_connections_per_address = 300\nupstream_timeout = \"1m\"\n";
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{limits}")));
    let mut served = Served::start(&folder).await;
    let asks: Vec<_> = (0..200).map(|_| tokio::spawn(served.composer_by(&plain_client()).send())).collect();
    let in_flight = "qrvey_relay_requests_in_flight 200\n";
    until("all requests are in", Duration::from_secs(20), async || {
        served.metrics().await.contains(in_flight)
    })
    .await;
    served.signal("-TERM").await;
    served.logged("told to stop").await;
    let ready = served.client.get(format!("{}/readyz", served.operations)).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    release.send(()).unwrap();
    for ask in asks {
        assert_eq!(ask.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(world.minted().await.len(), 1);
    assert!(served.ended().await);
}

#[tokio::test]
async fn it_opens_as_many_files_as_the_system_lets_it() {
    let world = World::new().await;
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}[limits]\nmax_connections = 400\n")));
    for (limits, allowed, is_enough) in [("-Sn 256", 528, true), ("-n 300", 300, false)] {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!(r#"ulimit {limits} && exec "$0" "$@""#)).arg(program());
        let served = Served::start_by(command_of(shell), &folder, &[]).await;
        let of_process = fs::read_to_string(format!("/proc/{}/limits", served.id())).unwrap();
        let line = of_process.lines().find(|line| line.starts_with("Max open files")).unwrap();
        assert_eq!(line.split_whitespace().nth(3).unwrap(), allowed.to_string(), "{line}");
        assert_eq!(!served.log().contains("raise the hard limit"), is_enough);
    }
}

#[tokio::test]
async fn a_log_that_nobody_reads_stops_nothing() {
    let world = World::new().await;
    let limits = "[limits]\nrequests_per_minute_per_address = 0\n";
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{limits}")));
    let mut served = Served::start(&folder).await;
    served.is_log_read.send(false).unwrap();
    // More lines than the pipe and the reader of the test have room for.
    for _ in 0..1_000 {
        let answer = served.client.get(format!("{}/nothing", served.public)).send().await.unwrap();
        assert_eq!(answer.status(), 404);
    }
    let healthy = served.client.get(format!("{}/healthz", served.operations)).send().await.unwrap();
    assert_eq!(healthy.status(), 200);
    served.signal("-TERM").await;
    assert!(served.process.wait().await.unwrap().success());
    let lost = !served.log().contains("stopped");
    assert!(lost, "the log was read after all, so nothing was tested");
}

#[tokio::test]
async fn a_changed_file_is_taken_and_a_faulty_one_leaves_the_old_in_force() {
    let world = World::new().await;
    let folder = Folder::with(&world.toml(DEFAULT_PROFILE));
    let served = Served::start(&folder).await;
    assert_eq!(served.status().await, 200);
    fs::write(folder.path("relay.toml"), "nonsense").unwrap();
    served.signal("-HUP").await;
    let line = served.logged("the old one stays in force").await;
    assert!(line.contains("relay.toml:1:"), "{line}");
    assert_eq!(served.status().await, 200);
    // No signal: the change is noticed.
    let moved = format!("base_path = \"/elsewhere\"\n{}", world.toml(ADMIN));
    fs::write(folder.path("relay.toml"), moved).unwrap();
    served.logged("took the configuration file").await;
    served.logged("it takes a restart").await;
    assert_eq!(served.status().await, 404);
}

#[tokio::test]
async fn sighup_takes_a_new_policy_and_a_new_secret() {
    let world = World::new().await;
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}[reuse]\nlifetime_percent = 0\n")));
    fs::write(folder.path("api-key"), "canary-first-key\n").unwrap();
    let variables = [("QRVEY_API_KEY", ""), ("QRVEY_API_KEY_FILE", "api-key")];
    let served = Served::start_with(&folder, &variables).await;
    let told = async || {
        assert_eq!(served.status().await, 200);
        let requests = world.platform.received_requests().await.unwrap();
        let last = requests.last().unwrap();
        let body: serde_json::Value = last.body_json().unwrap();
        (body["appid"].as_str().unwrap().to_owned(), last.headers["x-api-key"].to_str().unwrap().to_owned())
    };
    assert_eq!(told().await, ("app".to_owned(), "canary-first-key".to_owned()));
    let policy = DEFAULT_PROFILE.replace("\"app\"", "\"other-app\"");
    fs::write(folder.path("relay.toml"), world.toml(&policy)).unwrap();
    fs::write(folder.path("api-key"), "canary-second-key\n").unwrap();
    served.signal("-HUP").await;
    served.logged("took the configuration file").await;
    assert_eq!(told().await, ("other-app".to_owned(), "canary-second-key".to_owned()));
    assert!(served.metrics().await.contains(r#"reloads_total{of="configuration",outcome="ok"} 1"#));
    served.hold_log_secret();
}

#[tokio::test]
async fn slow_senders_are_cut_off_and_keep_nobody_out() {
    let world = World::new().await;
    let limits =
        "[limits]\nheader_timeout = \"1s\"\nbody_timeout = \"1s\"\nmax_connections_per_address = 600\n";
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{limits}")));
    let served = Served::start(&folder).await;
    let address = served.public.trim_start_matches("http://").to_owned();
    let mut slow = Vec::new();
    for number in 0..500 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let start: &[u8] = match number % 3 {
            0 => b"",
            1 => b"POST /qrvey/composer-token HTTP/1.1\r\nhost: x\r\n",
            // HTTP/2's preface and empty settings, and then no request.
            _ => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        };
        stream.write_all(start).await.unwrap();
        slow.push(stream);
    }
    assert_eq!(served.status().await, 200);
    // A body that never comes is answered, and does not hold its connection for ever.
    let mut body = TcpStream::connect(&address).await.unwrap();
    let head = "POST /qrvey/composer-token HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n";
    body.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    tokio::time::timeout(Duration::from_secs(5), body.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, b"HTTP/1.1 408");
    for mut stream in slow {
        let mut rest = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "a slow sender still holds its connection");
    }
}

#[tokio::test]
async fn it_speaks_http_1_and_http_2_without_tls() {
    let world = World::new().await;
    let folder = Folder::with(&world.toml(DEFAULT_PROFILE));
    let served = Served::start(&folder).await;
    let h2c = h2c().build().unwrap();
    let answer = served.composer_by(&h2c).header("origin", &served.public).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_2));
    assert_eq!(served.status().await, 200);
}
