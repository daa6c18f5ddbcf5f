//! Stripe's official Node library drives the sandbox.

use std::{path::Path, process::Stdio};

use tokio::process::Command;

use crate::support::{KEY, start};

const MISSING: &str = "Node and Stripe's library are needed: install Node 20 or later, then run \
                       `npm ci --prefix sandbox/tests/node` in the project's folder";

#[tokio::test(flavor = "multi_thread")]
async fn stripes_own_node_library_is_content() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    assert!(folder.join("node_modules/stripe").is_dir(), "{MISSING}");
    let world = start().await;
    let port = world.sandbox.address().port().to_string();
    let output = Command::new("node")
        .arg(folder.join("stripe.mjs"))
        .args([&port, KEY])
        .stdin(Stdio::null())
        .output()
        .await
        .expect(MISSING);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.ends_with("ok\n"), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let requests = world.get("/_sandbox/requests").await.json();
    let version = requests["requests"][0]["stripe_version"].as_str().unwrap();
    assert!(version >= "2026-10-28", "the library pins its own version: {version}");
    world.sandbox.stop().await;
}

#[test]
fn the_lock_file_names_no_registry() {
    let lock = include_str!("node/package-lock.json");
    assert!(lock.contains("\"integrity\"") && !lock.contains("\"resolved\""), "{lock}");
}
