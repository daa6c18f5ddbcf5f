//! `topup dev`: a new user's first steps.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::app::http_client;
use crate::support::process::{Process, Settings, free_port, run, topup};
use crate::support::until;

struct Dev {
    process: Process,
    url: String,
    sandbox: String,
    curl: String,
    /// All printed lines.
    welcome: Vec<String>,
}

async fn start(folder: &Path, more: &[&str]) -> Dev {
    // Settings that would reach real systems if they were read.
    let hostile = Settings::from([
        ("DATABASE_URL", "postgres://nobody@203.0.113.1/nothing".to_owned()),
        ("STRIPE_SECRET_KEY", "sk_live_0123456789".to_owned()),
        ("STRIPE_WEBHOOK_SECRET", String::new()),
        ("PATH", std::env::var("PATH").expect("a path")),
    ]);
    let mut command = topup(&hostile);
    command
        .args(["dev", "--port", "0", "--sandbox-port", "0", "--serve-port", "0", "--data-dir"])
        .arg(folder)
        .args(more);
    let mut process = Process::start(command);
    let lines = process.output_line("Stop with Ctrl-C").await;
    let address = |label: &str| {
        let line = lines.iter().find(|line| line.trim_start().starts_with(label)).expect("is printed");
        line.split_whitespace().last().expect("an address").trim_end_matches('/').to_owned()
    };
    let curl = lines.iter().find(|line| line.starts_with("curl ")).expect("a curl line").clone();
    Dev { url: address("Demo"), sandbox: address("Sandbox"), process, curl, welcome: lines }
}

/// The printed command that spends credits.
fn spending_line(dev: &Dev) -> String {
    dev.welcome.iter().find(|line| line.contains("/credits/debits")).expect("is printed").clone()
}

async fn stop(dev: Dev) {
    dev.process.terminate();
    let (well, errors) = dev.process.ended().await;
    assert!(well, "{errors:?}");
}

async fn credits(dev: &Dev) -> i64 {
    let client = http_client();
    let token: Value = client
        .post(format!("{}/demo/token", dev.url))
        .json(&serde_json::json!({}))
        .send()
        .await
        .expect("answers")
        .json()
        .await
        .expect("JSON");
    let token = token["token"].as_str().expect("a token");
    let balance: Value = client
        .get(format!("{}/credits", dev.url))
        .bearer_auth(token)
        .send()
        .await
        .expect("answers")
        .json()
        .await
        .expect("JSON");
    balance["remainingCredits"].as_i64().expect("a number")
}

/// Pays on the sandbox's page.
async fn pay(checkout: &str) {
    let form = [
        ("email", "a@b.example"),
        ("card_number", "4242 4242 4242 4242"),
        ("exp", "12 / 34"),
        ("cvc", "123"),
        ("name", "A B"),
    ];
    let paid = http_client().post(checkout).form(&form).send().await.expect("answers");
    assert!(paid.status().is_redirection() || paid.status().is_success(), "{}", paid.status());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_printed_curl_line_opens_a_checkout_whose_payment_survives_a_restart_and_fresh_starts_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let dev = start(folder.path(), &[]).await;
    let output = Command::new("sh").args(["-c", &dev.curl]).output().expect("sh and curl are installed");
    let checkout: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let session = checkout["id"].as_str().expect("an id");
    assert!(checkout["url"].as_str().expect("a url").starts_with(&dev.sandbox));
    assert!(session.starts_with("cs_test_"), "{session}");
    pay(checkout["url"].as_str().expect("a url")).await;
    until("the credits", async || (credits(&dev).await == 250).then_some(())).await;
    let printed = spending_line(&dev);
    stop(dev).await;

    let dev = start(folder.path(), &[]).await;
    assert_eq!(credits(&dev).await, 250, "state survives a restart");
    let key = |line: &str| line.split("topup_sk_").nth(1).expect("a key").split('\'').next().map(str::to_owned);
    assert_eq!(key(&spending_line(&dev)), key(&printed), "so does the demo's API key");
    let output = Command::new("sh").args(["-c", &spending_line(&dev)]).output().expect("sh and curl are installed");
    let spend: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&spend["credits"], &spend["balance"]["remainingCredits"]), (&5.into(), &245.into()), "{spend}");
    stop(dev).await;

    let dev = start(folder.path(), &["--fresh"]).await;
    assert_eq!(credits(&dev).await, 0, "--fresh starts anew");
    stop(dev).await;
}

/// Runs the program in a folder with only a `.env`. Returns its output.
fn run_beside(folder: &Path, arguments: &[&str]) -> String {
    let output = topup(&Settings::new()).args(arguments).current_dir(folder).output().expect("topup runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_printed_env_runs_a_service_beside_it_that_sells_on_the_same_sandbox() {
    let (folder, beside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let dev = start(folder.path(), &[]).await;
    let is_setting = |line: &&String| {
        line.split_once('=').is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
    };
    let settings: Vec<&str> = dev.welcome.iter().filter(is_setting).map(String::as_str).collect();
    std::fs::write(beside.path().join(".env"), settings.join("\n")).expect("written");
    run_beside(beside.path(), &["migrate"]);
    let key = run_beside(beside.path(), &["keys", "create", "--name", "test", "--scope", "checkout,read"]);
    let mut serve = topup(&Settings::new());
    serve.arg("serve").current_dir(beside.path());
    let mut serve = Process::start(serve);
    serve.error_line("\"serving\"").await;
    let address = settings.iter().find_map(|line| line.strip_prefix("BIND_ADDRESS=")).expect("an address");

    // Another endpoint, at which no server listens, is registered as printed. It must not interfere.
    let register = dev.welcome.iter().find(|line| line.contains("/v1/webhook_endpoints")).expect("is printed");
    let register = register.replace("127.0.0.1:3000", &format!("127.0.0.1:{}", free_port()));
    let output = Command::new("sh").args(["-c", &register]).output().expect("sh and curl are installed");
    let endpoint: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(endpoint["secret"].as_str().expect("is shown once").starts_with("whsec_"), "{endpoint}");

    let body = serde_json::json!({ "accountId": "user_1", "credits": 250, "successUrl": "http://localhost:3000/done" });
    let request =
        http_client().post(format!("http://{address}/credits/sessions")).header("x-api-key", &key).json(&body);
    let checkout: Value = request.send().await.expect("answers").json().await.expect("JSON");
    let url = checkout["url"].as_str().unwrap_or_else(|| panic!("no checkout: {checkout}"));
    assert!(url.starts_with(&dev.sandbox), "{url}");
    pay(url).await;
    // This does not ask Stripe: the credits arrive through the webhook alone.
    let balance = format!("http://{address}/accounts/user_1/credits");
    until("the credits", async || {
        let request = http_client().get(&balance).header("x-api-key", &key);
        let answer: Value = request.send().await.expect("answers").json().await.expect("JSON");
        (answer["remainingCredits"] == 250).then_some(())
    })
    .await;
    assert_eq!(credits(&dev).await, 0, "the purchase is not the demo's");
    serve.terminate();
    assert!(serve.ended().await.0);
    stop(dev).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_the_developers_own_may_sell_and_others_may_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let dev = start(folder.path(), &["--origin", "http://localhost:3000", "--origin", "http://127.0.0.1:8000"]).await;
    let token: Value = http_client()
        .post(format!("{}/demo/token", dev.url))
        .json(&serde_json::json!({}))
        .send()
        .await
        .expect("answers")
        .json()
        .await
        .expect("JSON");
    let token = token["token"].as_str().expect("a token");
    for (page, is_allowed) in
        [("http://localhost:3000", true), ("http://127.0.0.1:8000", true), ("http://localhost:3001", false)]
    {
        let body = serde_json::json!({ "credits": 250, "successUrl": format!("{page}/done") });
        let request = http_client().post(format!("{}/credits/sessions", dev.url)).bearer_auth(token);
        let answer = request.header("origin", page).json(&body).send().await.expect("answers");
        assert_eq!(answer.status().is_success(), is_allowed, "{page}: {answer:?}");
        let shared = answer.headers().get("access-control-allow-origin").and_then(|value| value.to_str().ok());
        assert_eq!(shared, is_allowed.then_some(page));
    }
    stop(dev).await;
    let (well, errors) = refused(folder.path(), &["--port", "0", "--origin", "http://localhost:3000/page"]);
    assert!(!well && errors.contains("--origin") && errors.contains("http://localhost:3000/page"), "{errors}");
}

/// The sandbox's clock is advanced and kept across restarts, while the service uses the machine's clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purchase_works_after_the_sandboxs_clock_was_advanced_also_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bought = 0;
    for seconds in [3_600, 86_400, 604_800] {
        let dev = start(folder.path(), &[]).await;
        let clock = http_client().post(format!("{}/_sandbox/clock", dev.sandbox));
        let advanced = clock.json(&serde_json::json!({ "advance_seconds": seconds })).send().await.expect("answers");
        assert!(advanced.status().is_success(), "{}", advanced.status());
        bought = buy(&dev, bought).await;
        stop(dev).await;
        let dev = start(folder.path(), &[]).await;
        bought = buy(&dev, bought).await;
        stop(dev).await;
    }
}

/// Buys 250 more credits with the printed command and the hosted page. Returns the new balance.
async fn buy(dev: &Dev, before: i64) -> i64 {
    let output = Command::new("sh").args(["-c", &dev.curl]).output().expect("sh and curl are installed");
    let checkout: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let page = checkout["url"].as_str().unwrap_or_else(|| panic!("no page: {checkout}"));
    pay(page).await;
    until("the credits", async || (credits(dev).await == before + 250).then_some(())).await;
    before + 250
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_under_a_name_that_is_not_loopback_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let dev = start(folder.path(), &[]).await;
    for path in ["/", "/demo/token", "/credits/quote?credits=250"] {
        for (host, refused) in [("evil.example", true), ("127.0.0.1.evil.example:80", true), ("localhost:8080", false)]
        {
            let request = http_client().get(format!("{}{path}", dev.url)).header("host", host);
            let status = request.send().await.expect("answers").status().as_u16();
            assert_eq!(status == 421, refused, "{host} {path}: {status}");
        }
    }
    stop(dev).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_cannot_use_one_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let dev = start(folder.path(), &[]).await;
    let (well, errors) = refused(folder.path(), &["--port", "0", "--fresh"]);
    assert!(!well && errors.contains("another `topup dev` uses"), "{errors}");
    assert_eq!(credits(&dev).await, 0, "the first one goes on");
    stop(dev).await;
}

fn refused(folder: &Path, more: &[&str]) -> (bool, String) {
    let folder = folder.to_str().expect("a path");
    let arguments: Vec<&str> =
        ["dev", "--sandbox-port", "0", "--data-dir", folder].iter().chain(more).copied().collect();
    let (well, _, errors) = run(&Settings::new(), &arguments);
    (well, errors)
}

#[test]
fn a_port_in_use_and_a_folder_that_is_not_ours_are_one_clear_sentence_each() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let (well, errors) = refused(&folder.path().join("new"), &["--port", &port]);
    assert!(!well && errors.contains("the port is in use") && errors.lines().count() == 1, "{errors}");

    let precious = folder.path().join("precious.txt");
    std::fs::write(&precious, "mine").expect("written");
    let (well, errors) = refused(folder.path(), &["--port", "0", "--fresh"]);
    assert!(!well && errors.contains("files that are not of `topup dev`") && errors.lines().count() == 1, "{errors}");
    assert_eq!(std::fs::read_to_string(&precious).expect("still there"), "mine");

    let (well, errors) = refused(&precious.join("below-a-file"), &["--port", "0"]);
    assert!(!well && errors.contains("cannot use the folder") && errors.lines().count() == 1, "{errors}");
}

/// Buys, is declined, passes and fails 3-D Secure, and cancels, in a real browser. Screenshots go to `artifacts/`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_buys_credits_in_a_browser() {
    in_a_browser("purchase.mjs", "DEMO_URL").await;
}

/// Checks what a customer sees on errors, also without JavaScript.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_is_told_of_errors_in_plain_words() {
    in_a_browser("wording.mjs", "DEMO_URL").await;
}

/// Spends on a text that is written word by word, runs out, tops up and goes on; also in two tabs, and on a phone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_spends_credits_in_a_browser() {
    in_a_browser("spending.mjs", "DEMO_URL").await;
}

/// A plan from its trial to its end with the time moved by a button, and an automatic top-up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_has_a_plan_in_a_browser() {
    in_a_browser("plans.mjs", "DEMO_URL").await;
}

/// Runs every GET and one POST on the documentation page, without credentials and with a token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_tries_every_operation_out_in_the_documentation() {
    in_a_browser("docs.mjs", "SERVICE_URL").await;
}

/// Runs a script of `tests/browser` against `topup dev`; the script reads the address from `variable`.
async fn in_a_browser(script: &str, variable: &'static str) {
    let folder = tempfile::tempdir().expect("a folder");
    let dev = start(folder.path(), &[]).await;
    run_in_a_browser(script, variable, dev.url.clone()).await;
    stop(dev).await;
}

/// Runs a script of `tests/browser` against this address, which the script reads from `variable`.
pub async fn run_in_a_browser(script: &str, variable: &'static str, url: String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = root.join("tests/browser").join(script);
    let installed = root.join("tests/browser/node_modules/playwright-core").is_dir();
    assert!(installed, "playwright-core is not installed: npm ci --prefix tests/browser");
    let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    let chromium = std::env::var("CHROMIUM")
        .ok()
        .or_else(|| chromium.iter().find(|path| Path::new(path).exists()).map(ToString::to_string));
    let chromium = chromium.expect("Chromium is not installed: apt-get install chromium, or set CHROMIUM");
    let output = tokio::task::spawn_blocking(move || {
        Command::new("node")
            .arg(script)
            .env(variable, url)
            .env("CHROMIUM", chromium)
            .env("ARTIFACTS", root.join("artifacts/browser"))
            .output()
            .expect("Node.js is not installed: apt-get install nodejs")
    })
    .await
    .expect("no panic");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    println!("{said}");
}
