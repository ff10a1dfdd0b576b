//! The description under fire by somebody else's tool: `npm test -- neighbours`.

use std::fs;
use std::process::Stdio;

use tokio::process::Command;

use crate::program::{Folder, Served};
use crate::support::{ADMIN, COOKIE, DEFAULT_PROFILE, World};

#[tokio::test]
#[ignore = "needs schemathesis"]
async fn schemathesis_finds_no_answer_that_is_not_described() {
    let world = World::new().await;
    let limits = "[limits]\nrequests_per_minute = 0\nrequests_per_minute_per_address = 0\n";
    let folder = Folder::with(&world.toml(&format!("{DEFAULT_PROFILE}{ADMIN}{limits}")));
    let served = Served::start(&folder).await;
    fs::write(folder.path("openapi.yaml"), include_str!("../../openapi.yaml")).unwrap();
    let mut schemathesis = Command::new("schemathesis");
    schemathesis
        .args(["run", "openapi.yaml", "--url", &format!("{}/qrvey", served.public)])
        .args(["--header", &format!("Cookie: {COOKIE}"), "--checks", "all"])
        // The same requests each time.
        .args(["--seed", "6", "--max-examples", "150", "--no-color"])
        .current_dir(folder.path(""))
        .stdin(Stdio::null());
    let output = schemathesis.output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{text}");
    assert!(text.contains("passed"), "nothing was tried: {text}");
    served.hold_log_secret();
}
