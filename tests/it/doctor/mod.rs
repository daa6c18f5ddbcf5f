//! `topup doctor` and `topup webhooks setup`, as processes: each thing is broken in turn, and the output says the way
//! out.

mod books;
mod database;
mod endpoint;
mod login;
mod output;
mod public_url;
mod settings;
mod setup;
mod stripe;

use serde_json::{Value, json};
use topup::doctor::IDS;

use crate::support::process::{Process, Settings, run, topup};
use crate::support::serve::World;
use crate::support::{Backend, until};

/// What the program says in one examination.
pub struct Report {
    code: Option<i32>,
    findings: Vec<Value>,
}

/// Runs `topup doctor --json`.
pub async fn doctor(settings: &Settings) -> Report {
    let mut command = topup(settings);
    command.args(["doctor", "--json"]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("runs");
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a list");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "nothing beside the findings");
    let report = Report { code: output.status.code(), findings };
    let is_failed = report.findings.iter().any(|finding| finding["state"] == "failed");
    assert_eq!(report.code, Some(i32::from(is_failed)), "{:#?}", report.findings);
    report
}

impl Report {
    /// The findings of one name.
    #[track_caller]
    pub fn all(&self, id: &str) -> Vec<&Value> {
        assert!(IDS.contains(&id), "{id} is no name");
        self.findings.iter().filter(|finding| finding["id"] == id).collect()
    }

    /// The one finding of a name.
    #[track_caller]
    pub fn one(&self, id: &str) -> &Value {
        let all = self.all(id);
        assert_eq!(all.len(), 1, "{id} in {:#?}", self.findings);
        all[0]
    }

    /// Checks a finding's state, and parts of its detail and way out.
    #[track_caller]
    pub fn says(&self, id: &str, state: &str, detail: &str, way_out: &str) {
        let finding = self.one(id);
        assert_eq!(finding["state"], state, "{finding:#}");
        let text = |name: &str| finding[name].as_str().unwrap_or_default();
        assert!(text("detail").contains(detail), "{detail:?} in {finding:#}");
        assert!(text("wayOut").contains(way_out), "{way_out:?} in {finding:#}");
        assert_eq!(state == "ok", finding["wayOut"] == Value::Null, "{finding:#}");
    }

    #[track_caller]
    pub fn ok(&self, id: &str) {
        self.says(id, "ok", "", "");
    }
}

/// Runs the program. The sandbox answers meanwhile.
pub async fn command(settings: &Settings, arguments: &[&str]) -> (bool, String, String) {
    let settings = settings.clone();
    let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    let run = move || run(&settings, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.expect("no panic")
}

/// The settings of a service that the sandbox reaches, as an operator has them.
pub fn settings(world: &World) -> Settings {
    let mut settings = world.settings();
    settings.insert("PUBLIC_URL", world.url());
    settings
}

/// Buys credits and waits for them.
pub async fn buy(world: &World, account: &str) {
    let (status, body) = world.try_checkout(account, &format!("first-{account}")).await.expect("an answer");
    assert_eq!(status, 200, "{body}");
    let (status, body) = world.stripe.pay(body["id"].as_str().expect("an id"), "pm_card_visa").await;
    assert_eq!(status, 200, "{body}");
    until("the credits", async || (world.credits(account).await? == 250).then_some(())).await;
}

/// The first webhook endpoint at the sandbox.
pub async fn endpoint(world: &World) -> Value {
    world.stripe.get("/v1/webhook_endpoints").await["data"][0].clone()
}

/// A world whose endpoint is as it must be.
pub async fn world(backend: Backend) -> (World, Settings) {
    let world = World::new(backend).await;
    let settings = settings(&world);
    let (well, secret, said) = command(&settings, &["webhooks", "setup"]).await;
    assert!(well && secret.is_empty(), "{said}");
    (world, settings)
}

/// A running service.
pub async fn serve(settings: &Settings) -> Process {
    Process::serve(settings, None).await
}

/// What a restricted key lacks.
pub async fn lack(world: &World, missing: &[&str]) {
    world.stripe.control("permissions", json!({ "missing": missing })).await;
}
