//! What comes of Stripe's own command line tool, unmodified: the service takes every event that its triggers cause.

use std::{path::Path, process::Stdio, sync::Arc};

use serde_json::Value;
use tokio::{process::Command, sync::Semaphore, task::JoinSet};

use crate::on_both_databases;
use crate::support::{Options, TestApp, app::http_client, stripe::SECRET_KEY};

const MISSING: &str = "Stripe's command line tool is needed: install Node 20 or later, then run `npm ci \
                       --ignore-scripts --prefix sandbox/tests/cli` in the project's folder";

/// What the sandbox does not offer, and the events of meters, whose last step goes to a host of its own. The sandbox's
/// test `cli` has the reasons.
const LEFT_OUT: [&str; 6] =
    ["identity.", "issuing_", "reporting.", "customer.discount.", "payment_link.", "v1.billing.meter."];

async fn tool(home: &Path, arguments: &[&str]) -> (bool, String) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("sandbox/tests/cli/node_modules/.bin/stripe");
    assert!(program.exists(), "{MISSING}");
    let output = Command::new(program)
        .args(arguments)
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home)
        .env("STRIPE_CLI_TELEMETRY_OPTOUT", "1")
        // It looks for new versions of itself; nothing listens here.
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null())
        .output()
        .await
        .expect(MISSING);
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// The events of the tool's list that the sandbox offers.
async fn events(home: &Path) -> Vec<String> {
    let (_, help) = tool(home, &["trigger", "--help"]).await;
    let list = help.lines().skip_while(|line| *line != "Supported events:").skip(1);
    let all = list.take_while(|line| line.starts_with("  ")).map(|line| line.trim().to_owned());
    let events: Vec<String> = all.filter(|event| LEFT_OUT.iter().all(|start| !event.starts_with(start))).collect();
    assert!(events.len() > 80, "the tool's list has changed its form: {help}");
    events
}

on_both_databases! {
    async fn the_service_takes_every_event_that_stripes_own_tool_triggers(backend: Backend) {
        let app = TestApp::start_with(backend, Options::with_webhooks()).await;
        let home = Arc::new(tempfile::tempdir().expect("a folder"));
        let places = Arc::new(Semaphore::new(4));
        let mut running = JoinSet::new();
        for event in events(home.path()).await {
            let (home, places, base) = (Arc::clone(&home), Arc::clone(&places), app.stripe.url.clone());
            running.spawn(async move {
                let _place = places.acquire_owned().await.expect("open");
                let arguments = ["trigger", &event, "--api-base", &base, "--api-key", SECRET_KEY];
                let (succeeded, said) = tool(home.path(), &arguments).await;
                assert!(succeeded, "{event}: {said}");
            });
        }
        running.join_all().await;
        app.stripe.control("clock", serde_json::json!({ "advance_seconds": 200 })).await;
        app.stripe.idle().await;
        let url = format!("{}/_sandbox/deliveries", app.stripe.url);
        let body: Value = http_client().get(url).send().await.expect("answers").json().await.expect("JSON");
        let deliveries = body["deliveries"].as_array().expect("a list");
        let kinds: std::collections::BTreeSet<_> = deliveries.iter().filter_map(|one| one["type"].as_str()).collect();
        assert!(kinds.len() > 60, "{kinds:?}");
        let refused: Vec<String> = deliveries
            .iter()
            .filter(|one| !one["status"].as_u64().is_some_and(|status| (200..300).contains(&status)))
            .map(|one| format!("{} {}: {}", one["type"], one["status"], one["error"]))
            .collect();
        assert!(refused.is_empty(), "{} of {}: {refused:#?}", refused.len(), deliveries.len());
        app.finish().await;
    }
}
