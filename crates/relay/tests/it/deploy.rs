//! The files of `deploy/`, judged by the tools of those that will read them: `npm test -- neighbours`.

use std::fs;

use tokio::process::Command;

use crate::program::{Folder, Served};
use crate::support::{ADMIN, DEFAULT_PROFILE, World};

/// Whether it was content, and all that it said.
async fn judge(program: &str, arguments: &[&str], folder: &Folder) -> (bool, String) {
    let output = Command::new(program).args(arguments).current_dir(folder.path("")).output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
#[ignore = "needs kubernetes-validate"]
async fn kubernetes_knows_every_key_of_the_manifests() {
    let folder = Folder::with("");
    let manifests = include_str!("../../deploy/kubernetes.yaml");
    fs::write(folder.path("good.yaml"), manifests).unwrap();
    let (is_good, said) = judge("kubernetes-validate", &["--strict", "good.yaml"], &folder).await;
    assert!(is_good && said.matches("passed").count() == 5, "{said}");
    fs::write(folder.path("bad.yaml"), manifests.replace("runAsNonRoot", "runAsNobody")).unwrap();
    let (is_good, said) = judge("kubernetes-validate", &["--strict", "bad.yaml"], &folder).await;
    assert!(!is_good, "it takes anything: {said}");
}

#[tokio::test]
#[ignore = "needs systemd-analyze"]
async fn systemd_knows_every_key_of_the_unit_and_finds_it_well_locked_in() {
    let folder = Folder::with("");
    let unit = include_str!("../../deploy/qrvey-relay.service");
    // It looks for the program and the manual, which are installed nowhere here.
    let unit = unit.replace("/usr/bin/qrvey-relay", env!("CARGO_BIN_EXE_qrvey-relay"));
    let unit = unit.replace("file:/usr/share/doc/qrvey-relay/README.md", "https://example.com");
    fs::write(folder.path("qrvey-relay.service"), unit).unwrap();
    let (is_good, said) = judge("systemd-analyze", &["verify", "./qrvey-relay.service"], &folder).await;
    assert!(is_good && said.is_empty(), "{said}");
    // Tenths of its scale from 0, locked in, to 10.
    let security = ["security", "--offline=yes", "--threshold=15", "--no-pager", "./qrvey-relay.service"];
    let (is_good, said) = judge("systemd-analyze", &security, &folder).await;
    assert!(is_good, "{said}");
}

#[tokio::test]
#[ignore = "needs Prometheus' client for Python"]
async fn prometheus_reads_every_metric() {
    let world = World::new().await;
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{ADMIN}")));
    let served = Served::start(&folder).await;
    for _ in 0..3 {
        assert_eq!(served.composer().send().await.unwrap().status(), 200);
    }
    fs::write(folder.path("metrics"), served.metrics().await).unwrap();
    // The stricter of its two parsers.
    let parse = "from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse\n\
                 for family in parse(open('metrics').read()): print(family.type, family.name)";
    let (is_good, said) = judge("python3", &["-c", parse], &folder).await;
    assert!(is_good && said.contains("histogram qrvey_relay_upstream_seconds"), "{said}");
    assert_eq!(said.lines().count(), include_str!("../../README.md").matches("\n| `qrvey_relay_").count());
}
