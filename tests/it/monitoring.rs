//! Measurements for Prometheus, and the files in `ops/` that use them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::app::http_client;
use crate::support::process::{Process, Settings, free_port, run};
use crate::support::serve::World;
use crate::support::{Backend, until};

/// Runs promtool in `ops/prometheus`. Returns whether it is content, and what it said.
fn promtool(arguments: &[&str], input: &str) -> (bool, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ops/prometheus");
    let mut tool = Command::new("promtool")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is not installed: apt-get install prometheus");
    tool.stdin.take().expect("piped").write_all(input.as_bytes()).expect("is read");
    let output = tool.wait_with_output().expect("ends");
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    (output.status.success(), said)
}

/// A service that is measured.
struct Measured {
    world: World,
    process: Process,
    url: String,
}

impl Measured {
    async fn start(backend: Backend) -> Self {
        let world = World::new(backend).await;
        let address = format!("127.0.0.1:{}", free_port());
        let mut settings = world.settings();
        settings.insert("METRICS_ADDRESS", address.clone());
        let process = Process::serve(&settings, None).await;
        Self { world, process, url: format!("http://{address}/metrics") }
    }

    async fn text(&self) -> String {
        let answer = http_client().get(&self.url).send().await.expect("answers");
        assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        answer.text().await.expect("text")
    }

    /// The value of a time series; 0 if there is none.
    async fn value(&self, series: &str) -> u64 {
        let text = self.text().await;
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().expect("a whole number"))
    }

    async fn post(&self, key: &str, path: &str, body: Value) {
        let request = http_client().post(format!("{}{path}", self.world.url())).header("x-api-key", key);
        let answer = request.header("idempotency-key", "k").json(&body).send().await.expect("answers");
        assert_eq!(answer.status(), 200, "{path}");
    }

    async fn finish(self) {
        self.process.terminate();
        assert!(self.process.ended().await.0);
        self.world.finish().await;
    }
}

on_both_databases! {
    async fn a_purchase_and_what_becomes_of_it_are_measured(backend: Backend) {
        let measured = Measured::start(backend).await;
        assert_eq!(measured.value("topup_credits_sold_total").await, 0);
        let (_, session) = measured.world.try_checkout("user_1", "key-1").await.expect("answers");
        measured.world.stripe.pay(session["id"].as_str().expect("an id"), "pm_card_visa").await;
        until("credited", async || (measured.world.credits("user_1").await == Some(250)).then_some(())).await;
        let settings: Settings = measured.world.settings();
        let (_, key, _) = run(&settings, &["keys", "create", "--name", "backend", "--scope", "spend"]);
        let key = key.trim();
        measured.post(key, "/accounts/user_1/credits/debits", json!({ "credits": 7 })).await;
        measured.post(key, "/accounts/user_1/credits/holds", json!({ "credits": 5 })).await;
        let (is_well, said, _) = run(&settings, &["reconcile"]);
        assert!(is_well, "{said}");
        let stranger = http_client().request("PROPFIND".parse().expect("a method"), format!("{}/a/b", measured.world.url()));
        stranger.send().await.expect("answers");

        let compared = "topup_reconciliation_differences 0";
        until("a sample", async || measured.text().await.contains(compared).then_some(())).await;
        for (series, expected) in [
            ("topup_credits_sold_total", 250),
            ("topup_credits_spent_total", 7),
            ("topup_credits_held_total", 5),
            ("topup_credit_delay_seconds_count", 1),
            (r#"topup_webhook_deliveries_total{type="checkout.session.completed",outcome="credited"}"#, 1),
            (r#"topup_http_requests_total{route="/credits/sessions",method="POST",status="200"}"#, 1),
            (r#"topup_http_requests_total{route="none",method="other",status="404"}"#, 1),
            (r#"topup_http_request_duration_seconds_count{route="/credits/sessions",method="POST"}"#, 1),
            (r#"topup_provider_call_duration_seconds_count{operation="POST checkout/sessions",outcome="ok"}"#, 1),
            ("topup_database_up", 1),
            ("topup_failed_deliveries_permanent", 0),
            ("topup_write_queue_length", 0),
        ] {
            assert_eq!(measured.value(series).await, expected, "{series}:\n{}", measured.text().await);
        }
        let least_one = [
            "topup_commits_total",
            "topup_writes_total",
            "topup_writes_in_bulk_total",
            "topup_database_connections",
            r#"topup_database_duration_seconds_count{operation="read"}"#,
            r#"topup_database_duration_seconds_count{operation="write"}"#,
            r#"topup_database_duration_seconds_count{operation="bulk"}"#,
        ];
        for series in least_one {
            // On PostgreSQL, what is no command has a transaction of its own.
            assert!(measured.value(series).await >= 1, "{series}:\n{}", measured.text().await);
        }
        let text = measured.text().await;
        assert!(!text.contains("user_1") && !text.contains("cs_test"), "ids are no labels:\n{text}");
        let (is_well, said) = promtool(&["check", "metrics"], &text);
        assert!(is_well && said.trim().is_empty(), "{said}\n{text}");
        for name in names_in_ops() {
            assert!(text.contains(&format!("# TYPE {name} ")), "ops/ names {name}, which is not measured:\n{text}");
        }
        measured.finish().await;
    }

    async fn what_failed_is_measured_and_goes_on_without_a_database(backend: Backend) {
        let measured = Measured::start(backend).await;
        let db = measured.world.database.connect().await;
        let failed = "INSERT INTO failed_webhook_events (provider_event_id, provider, type, kind, error, attempts, \
            first_failed_at, last_failed_at) VALUES ('evt_1', 'stripe', 'charge.refunded', 'permanent', 'a test', 1, 1, 1)";
        db.execute_raw(failed).await.expect("is written");
        assert_eq!(measured.value("topup_failed_deliveries_permanent").await, 1);
        assert_eq!(measured.value("topup_database_up").await, 1);
        db.execute_raw("ALTER TABLE failed_webhook_events RENAME TO failed").await.expect("is renamed");
        until("the next sample", async || (measured.value("topup_database_up").await == 0).then_some(())).await;
        assert!(measured.text().await.contains("topup_commits_total"));
        db.execute_raw("ALTER TABLE failed RENAME TO failed_webhook_events").await.expect("is renamed");
        db.close().await;
        measured.finish().await;
    }
}

/// The names of measurements in alerts and dashboards.
fn names_in_ops() -> Vec<String> {
    let texts = [include_str!("../../ops/prometheus/alerts.yml"), include_str!("../../ops/grafana/topup.json")];
    let is_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let words = texts.into_iter().flat_map(|text| text.split(move |letter| !is_name(letter)));
    let of_histogram = |name: &str| name.strip_suffix("_bucket").or(name.strip_suffix("_count")).map(str::to_owned);
    let names = words.filter(|word| word.starts_with("topup_"));
    let mut names: Vec<String> = names.map(|name| of_histogram(name).unwrap_or_else(|| name.to_owned())).collect();
    names.sort();
    names.dedup();
    assert!(names.len() > 12, "{names:?}");
    names
}

#[test]
fn alerts_fire_when_they_should_and_only_then() {
    for arguments in [
        &["check", "rules", "alerts.yml"][..],
        &["check", "config", "prometheus.yml"],
        &["test", "rules", "alerts_test.yml"],
    ] {
        let (is_well, said) = promtool(arguments, "");
        assert!(is_well, "{arguments:?}: {said}");
    }
}

#[test]
fn the_dashboard_asks_one_source_and_shows_what_alerts_know() {
    let dashboard: Value = serde_json::from_str(include_str!("../../ops/grafana/topup.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    assert!(panels.len() >= 10);
    for panel in panels {
        assert_eq!(panel["datasource"]["uid"], "${source}", "{}", panel["title"]);
        for target in panel["targets"].as_array().expect("targets") {
            let expression = target["expr"].as_str().expect("an expression").replace("$__rate_interval", "5m");
            // A rule is checked for its syntax, and so is an expression within one.
            let rule = json!({ "groups": [{ "name": "a", "rules": [{ "record": "a:b", "expr": expression }] }] });
            let file = tempfile::NamedTempFile::with_suffix(".yml").expect("a file");
            std::fs::write(file.path(), rule.to_string()).expect("is written");
            let (is_well, said) = promtool(&["check", "rules", file.path().to_str().expect("a path")], "");
            assert!(is_well, "{expression}: {said}");
        }
    }
}

#[test]
fn a_wrong_address_of_measurements_is_named() {
    for address in ["9464", "localhost:9464", "127.0.0.1:99999"] {
        let settings = Settings::from([("METRICS_ADDRESS", address.to_owned())]);
        let (is_well, _, errors) = run(&settings, &["serve"]);
        assert!(!is_well && errors.contains("METRICS_ADDRESS: must be an IP address and a port"), "{errors}");
    }
}
