//! The pages in a real browser: light and dark, on a desk and on a phone, with and without JavaScript, checked by
//! axe-core.

use std::{path::Path, process::Stdio};

use serde_json::json;
use stripe_sandbox::Config;
use tokio::process::Command;

use crate::support::{KEY, receiver::Receiver, start, start_with};

const MISSING: &str = "Node and playwright-core are needed: npm ci --prefix tests/browser";
const CHROMIUM: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

#[tokio::test(flavor = "multi_thread")]
async fn a_person_works_with_the_pages_in_a_browser() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let chromium = std::env::var("CHROMIUM")
        .ok()
        .or_else(|| CHROMIUM.iter().find(|path| Path::new(path).exists()).map(ToString::to_string));
    let chromium = chromium.expect("Chromium is not installed: apt-get install chromium, or set CHROMIUM");
    let receiver = Receiver::start().await;
    let world = start_with(Config::local(KEY).with_webhook(&receiver.url, "whsec_1")).await;
    let empty = start().await;
    let place = json!({ "url": world.sandbox.url(), "empty": empty.sandbox.url(), "key": KEY });
    let output = Command::new("node")
        .arg(root.join("tests/browser/sandbox.mjs"))
        .env("SANDBOX", place.to_string())
        .env("CHROMIUM", chromium)
        .env("ARTIFACTS", root.join("artifacts/browser"))
        .stdin(Stdio::null())
        .output()
        .await
        .expect(MISSING);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    println!("{said}");
    world.sandbox.stop().await;
    empty.sandbox.stop().await;
}
