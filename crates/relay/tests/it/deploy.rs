//! The files of `deploy/`, judged by the tools of those that will read them: `npm test -- neighbours`.

use std::fs;

use tokio::process::Command;

use crate::program::Folder;

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
