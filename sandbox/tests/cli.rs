//! Stripe's own command line tool, unmodified, triggers every event of its list on the sandbox.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::Semaphore,
    task::JoinSet,
};

use crate::support::{KEY, World, start};

const MISSING: &str = "Stripe's command line tool, Node and openssl are needed: install Node 20 or later and openssl, \
                       then run `npm ci --prefix sandbox/tests/cli` in the project's folder";

/// What the tool's list has and the sandbox does not, with the reason.
const NOT_OFFERED: &[(&str, &str)] = &[
    ("customer.discount.", "a customer has no coupon in the newest version"),
    ("identity.", "the sandbox verifies nobody's identity"),
    ("issuing_", "the sandbox issues no cards"),
    ("payment_link.", "the sandbox has no payment links"),
    ("reporting.", "the sandbox has no reports"),
];

/// Events that the tool's list names by something else than their type.
const TYPES: &[(&str, &str)] = &[
    ("subscription.payment_succeeded", "invoice.payment_succeeded"),
    ("subscription.payment_failed", "invoice.payment_failed"),
];

/// Events that do not come of what the tool does, and why.
const NOT_REACHED: &[(&str, &str)] = &[
    ("subscription_schedule.completed", "its customer has no card, so the subscription is cancelled after the retries"),
    ("subscription_schedule.expiring", "the tool moves the clock to nine days before the end, not to seven"),
];

/// The tool, its folder of settings, and the stand-in for the host of meter events.
struct Tool {
    program: PathBuf,
    home: tempfile::TempDir,
    proxy: String,
    _proxy: Child,
}

impl Tool {
    async fn start(world: &World) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
        let program = folder.join("node_modules/.bin/stripe");
        assert!(program.exists(), "{MISSING}");
        let home = tempfile::tempdir().unwrap();
        let (key, certificate) = (home.path().join("key.pem"), home.path().join("cert.pem"));
        let host = "meter-events.stripe.com";
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", &format!("/CN={host}")])
            .args(["-addext", &format!("subjectAltName=DNS:{host}")])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .await
            .expect(MISSING);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut proxy = Command::new("node")
            .arg(folder.join("meter_proxy.mjs"))
            .arg(world.sandbox.address().port().to_string())
            .args([&key, &certificate])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect(MISSING);
        let mut lines = BufReader::new(proxy.stdout.take().unwrap()).lines();
        let address = lines.next_line().await.unwrap().expect("the address of the stand-in for meter events");
        Self { program, home, proxy: address, _proxy: proxy }
    }

    /// Runs the tool. Returns whether it succeeded, and what it said.
    async fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(&self.program)
            .args(arguments)
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", self.home.path())
            .env("STRIPE_CLI_TELEMETRY_OPTOUT", "1")
            .env("HTTPS_PROXY", &self.proxy)
            .env("NO_PROXY", "127.0.0.1")
            .env("SSL_CERT_FILE", self.home.path().join("cert.pem"))
            .stdin(Stdio::null())
            .output()
            .await
            .expect(MISSING);
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// The events of `stripe trigger --help`.
    async fn events(&self) -> Vec<String> {
        let (_, help) = self.run(&["trigger", "--help"]).await;
        let list = help.lines().skip_while(|line| *line != "Supported events:").skip(1);
        let events: Vec<String> =
            list.take_while(|line| line.starts_with("  ")).map(|line| line.trim().to_owned()).collect();
        assert!(events.len() > 100, "the tool's list has changed its form: {help}");
        events
    }
}

fn is_offered(event: &str) -> bool {
    NOT_OFFERED.iter().all(|(start, _)| !event.starts_with(start))
}

#[tokio::test(flavor = "multi_thread")]
async fn stripes_own_command_line_tool_triggers_every_event_of_its_list() {
    let world = start().await;
    let tool = Arc::new(Tool::start(&world).await);
    let all = tool.events().await;
    for (start, reason) in NOT_OFFERED {
        assert!(all.iter().any(|event| event.starts_with(start)), "{start} ({reason}) is on the list no more");
    }
    let events: Vec<String> = all.into_iter().filter(|event| is_offered(event)).collect();
    let (base, places) = (world.sandbox.url(), Arc::new(Semaphore::new(4)));
    let mut running = JoinSet::new();
    for event in events.clone() {
        let (tool, base, places) = (Arc::clone(&tool), base.clone(), Arc::clone(&places));
        running.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            let (succeeded, said) = tool.run(&["trigger", &event, "--api-base", &base, "--api-key", KEY]).await;
            (!succeeded).then(|| format!("{event}: {said}"))
        });
    }
    let mut mistakes: Vec<String> = running.join_all().await.into_iter().flatten().collect();
    // Debits settle.
    world.control("/_sandbox/clock", r#"{"advance_seconds": 200}"#).await;
    let thin = world.get("/v2/core/events").await.text;
    for event in &events {
        let kind = TYPES.iter().find(|(name, _)| name == event).map_or(event.as_str(), |(_, kind)| kind);
        let listed = world.get(&format!("/v1/events?type={kind}&limit=1")).await.json();
        let happened = listed["data"].as_array().is_some_and(|data| !data.is_empty());
        let happened = happened || thin.contains(&format!("\"{kind}\""));
        let unreached = NOT_REACHED.iter().find(|(name, _)| name == event);
        match (happened, unreached) {
            (false, None) => mistakes.push(format!("{event}: the tool was content, but the event did not happen")),
            (true, Some((_, reason))) => mistakes.push(format!("{event}: happens now, although {reason}")),
            (true, None) | (false, Some(_)) => {}
        }
    }
    mistakes.sort();
    assert!(mistakes.is_empty(), "{} of {}:\n{}", mistakes.len(), events.len(), mistakes.join("\n"));
    world.sandbox.stop().await;
}

#[test]
fn the_lock_file_of_the_tool_names_no_registry() {
    let lock = include_str!("cli/package-lock.json");
    assert!(lock.contains("\"integrity\"") && !lock.contains("\"resolved\""), "{lock}");
}
