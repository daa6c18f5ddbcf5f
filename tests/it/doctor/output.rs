//! The forms of the output, and an installation where nothing is wrong.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use topup::doctor::IDS;

use super::{buy, command, doctor, serve, world};
use crate::on_both_databases;
use crate::support::Backend;
use crate::support::process::{Settings, run};

/// The members of a finding. They are documented and must not change.
const MEMBERS: [&str; 5] = ["id", "state", "title", "detail", "wayOut"];
/// Depends on where the tests keep their files, or is about the tests' tokens, which say too little.
const OF_THE_TESTS: [&str; 3] = ["database.durability", "database.space", "settings.hint"];

on_both_databases! {
    async fn an_installation_that_sells_has_nothing_to_put_right(backend: Backend) {
        let (world, settings) = world(backend).await;
        let process = serve(&settings).await;
        buy(&world, "user_1").await;
        assert!(command(&settings, &["reconcile"]).await.0);
        let report = doctor(&settings).await;
        let is_fast = backend == Backend::Postgres;
        for finding in &report.findings {
            let is_of_the_tests = OF_THE_TESTS.iter().any(|id| finding["id"] == *id);
            assert!(finding["state"] == "ok" || is_of_the_tests, "{finding:#}");
        }
        for id in [
            "database.use",
            "webhook.secret",
            "webhook.undelivered",
            "events.last",
            "reconciliation.last",
            "public_url.webhooks",
        ] {
            report.ok(id);
        }
        // The server of the tests does not wait for its disk.
        let failed = u8::from(is_fast);
        assert_eq!(report.all("database.durability").iter().filter(|finding| finding["state"] == "failed").count(), usize::from(failed));
        let (well, text, said) = command(&settings, &["doctor"]).await;
        assert!(well != is_fast && said.is_empty(), "{said}");
        assert!(text.lines().any(|line| line == "✓ Settings: all are valid"), "{text}");
        assert!(text.contains(&format!(" checks: {failed} failed, ")), "{text}");
        process.terminate();
        assert!(process.ended().await.0);
        world.finish().await;
    }

    async fn the_form_for_machines_is_a_list_of_findings_with_fixed_members(backend: Backend) {
        let (world, settings) = world(backend).await;
        let report = doctor(&settings).await;
        let mut states = BTreeSet::new();
        for finding in &report.findings {
            let members: BTreeSet<&str> = finding.as_object().expect("an object").keys().map(String::as_str).collect();
            assert_eq!(members, BTreeSet::from(MEMBERS), "{finding:#}");
            assert!(IDS.iter().any(|id| finding["id"] == *id), "{finding:#}");
            states.insert(finding["state"].as_str().expect("a text"));
            for name in ["id", "title", "detail"] {
                assert!(finding[name].as_str().is_some_and(|text| !text.is_empty()), "{finding:#}");
            }
            let is_good = finding["state"] == "ok";
            assert!(finding["wayOut"].as_str().map_or(is_good, |way_out| !is_good && !way_out.is_empty()), "{finding:#}");
        }
        assert_eq!(states, BTreeSet::from(["ok", "warning", "failed"]), "no service runs");
        let places: Vec<_> = report.findings.iter().map(|finding| IDS.iter().position(|id| finding["id"] == *id)).collect();
        let mut sorted = places.clone();
        sorted.sort_unstable();
        assert_eq!(places, sorted, "always in one order");
        world.finish().await;
    }
}

#[test]
fn people_see_a_sign_and_the_way_out_of_each_finding() {
    let (well, text, said) = run(&Settings::from([("LOG_FORMAT", "xml".to_owned())]), &["doctor"]);
    assert!(!well && said.is_empty(), "{said}");
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("✗ Settings: LOG_FORMAT: must be json or pretty"));
    let next = lines[at.expect("a line") + 1];
    assert!(next.starts_with("    → correct it in the environment or in .env"), "{text}");
    assert!(lines.last().is_some_and(|line| line.contains(" failed, ")), "{text}");
}

#[test]
fn a_wrong_command_line_is_not_an_examination() {
    let output = crate::support::process::topup(&Settings::new()).args(["doctor", "--jsn"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_documentation_lists_every_finding_and_no_other() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operating.md");
    let page = std::fs::read_to_string(page).expect("text");
    let (_, section) = page.split_once("\n## topup doctor\n").expect("the section");
    let (_, table) = section.split_once("| `id` | Examined |").expect("the table");
    let (table, _) = table.split_once("\n## ").expect("the next section");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(rows.collect::<Vec<_>>(), IDS);
}

/// A secret in an output would end up in a ticket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_finding_shows_a_secret() {
    let (world, settings) = world(Backend::Sqlite).await;
    let report = doctor(&settings).await;
    let text = Value::from(report.findings).to_string();
    for name in ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "JWT_SECRET"] {
        assert!(!text.contains(&settings[name]), "{name}");
    }
    world.finish().await;
}
