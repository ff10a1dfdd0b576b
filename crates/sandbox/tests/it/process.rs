//! The binary, as people and scripts start it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

pub(crate) struct Process {
    child: Child,
    pub(crate) ready: Value,
}

pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qrvey-sandbox"));
    for name in ["QRVEY_DOMAIN", "QRVEY_API_KEY", "QRVEY_APP_ID", "QRVEY_USER_ID"] {
        command.env_remove(name);
    }
    command
}

impl Process {
    /// Waits for the one line on stdout.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let Ok(ready) = serde_json::from_str(&line) else {
            child.kill().unwrap();
            let mut log = String::new();
            child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
            panic!("it did not get ready: {line}{log}");
        };
        Self { child, ready }
    }

    pub(crate) fn url(&self, side: &str, path: &str) -> String {
        format!("{}{path}", self.ready[side].as_str().unwrap())
    }

    /// Asks it to end, and gives everything that it wrote to stderr.
    pub(crate) fn stop(mut self) -> (bool, String) {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        let status = self.child.wait().unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status.success(), log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone after `stop`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn stderr(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_real_instance_by_halves_is_told_what_is_missing() {
    let mut demo = command();
    demo.args(["demo", "--listen", "127.0.0.1:0"])
        .env("QRVEY_DOMAIN", "https://tenant.example")
        .env("QRVEY_API_KEY", "canary");
    let (is_success, log) = stderr(&mut demo);
    assert!(!is_success && log.contains("missing: QRVEY_APP_ID, QRVEY_USER_ID"), "{log}");
    assert!(!log.contains("canary"));
}

#[test]
fn a_lifetime_of_another_form_is_refused() {
    let (is_success, log) = stderr(command().args(["platform", "--expires-in", "soon"]));
    assert!(!is_success && log.contains("30s"), "{log}");
}

#[test]
fn a_taken_port_is_told_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (is_success, log) = stderr(command().args(["platform", "--listen", &address]));
    assert!(!is_success && log.contains(&address) && log.contains("--listen"), "{log}");
}

#[test]
fn a_platform_alone_gets_ready_and_stops_at_sigterm() {
    let process = Process::start(command().args(["platform", "--listen", "127.0.0.1:0"]));
    assert_eq!(process.ready["ready"], true);
    assert!(process.url("platform", "").starts_with("http://127.0.0.1:"));
    assert!(process.stop().0);
}

#[test]
fn with_a_real_instance_only_the_host_starts() {
    let mut demo = command();
    demo.args(["demo", "--listen", "127.0.0.1:0"])
        .env("QRVEY_DOMAIN", "https://tenant.example")
        .env("QRVEY_API_KEY", "canary")
        .env("QRVEY_APP_ID", "a")
        .env("QRVEY_USER_ID", "u");
    let process = Process::start(&mut demo);
    assert_eq!(process.ready["mode"], "real");
    assert_eq!(process.ready["platform"], "https://tenant.example");
    let (is_success, log) = process.stop();
    assert!(is_success && !log.contains("canary"), "{log}");
}
