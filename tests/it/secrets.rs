//! No secret leaves the process: neither in the log at its most verbose level nor in start-up errors.

use std::collections::HashMap;
use std::fs::File;
use std::process::{Child, Stdio};

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use topup::ports::Clock;

use crate::on_both_databases;
use crate::support::app::{JWT_SECRET, SUCCESS_URL, http_client, settings};
use crate::support::stripe::{SECRET_KEY, WEBHOOK_SECRET};
use crate::support::{TestApp, process, until};

const PASSWORD: &str = "the-password-of-the-database";

/// A service that logs into a file. Dropping it kills it.
struct Served {
    child: Child,
    url: String,
    log: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Served {
    async fn start(mut settings: HashMap<&'static str, String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (log, address) = (folder.path().join("log"), format!("127.0.0.1:{}", process::free_port()));
        settings.insert("BIND_ADDRESS", address.clone());
        let mut command = process::topup(&settings);
        command.arg("serve").stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).expect("a file"));
        let served =
            Self { child: command.spawn().expect("starts"), url: format!("http://{address}"), log, _folder: folder };
        until("it serves", async || served.log().contains("\"serving\"").then_some(())).await;
        served
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("text")
    }

    /// Stops it like an operator. Returns the whole log.
    fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        assert!(self.child.wait().expect("ends").success());
        self.log()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The database URL with a password, which the test server does not ask for. A SQLite file has none.
fn with_password(url: &str) -> String {
    url.replacen("postgres://topup@", &format!("postgres://topup:{PASSWORD}@"), 1)
}

on_both_databases! {
    async fn the_most_talkative_log_holds_no_secret(backend: Backend) {
        let app = TestApp::start(backend).await;
        let mut settings = settings(&with_password(&app.database.url), &app.stripe.url, &[]);
        settings.insert("LOG", "trace".to_owned());
        let served = Served::start(settings).await;
        let (token, wrong_token) = (app.token("user_1"), format!("{}x", app.token("user_1")));
        let made = topup::access::api_keys::create(
            &app.app.db, app.app.ids.as_ref(), app.app.clock.as_ref(), "shop", &[topup::access::api_keys::Scope::Admin], None,
        );
        let api_key = made.await.expect("a key").secret.expose_secret().to_owned();
        let wrong_key = format!("topup_sk_{:064x}", app.app.ids.id_bits());
        let body = json!({ "credits": 250, "successUrl": SUCCESS_URL });
        let post = async |credential: (&str, String), body: &Value| {
            let request = http_client().post(format!("{}/credits/sessions", served.url));
            app.send(request.header(credential.0, credential.1).json(body)).await
        };
        let bearer = |token: &str| ("authorization", format!("Bearer {token}"));

        let opened = post(bearer(&token), &body).await.expect(200);
        let mut named = body.clone();
        named["accountId"] = "user_2".into();
        post(("x-api-key", api_key.clone()), &named).await.expect(200);
        post(bearer(&wrong_token), &body).await.expect_problem(401, "invalid_token");
        post(("x-api-key", wrong_key.clone()), &body).await.expect_problem(401, "invalid_api_key");
        post(("authorization", format!("Basic {token}")), &body).await.expect_problem(401, "invalid_token");
        app.stripe.checkout_fault(1, json!({ "kind": "status", "status": 401 })).await;
        post(bearer(&token), &body).await.expect_problem(502, "provider_refused");
        let failed = app.stripe.checkout_requests().await.pop().expect("a request");
        app.stripe.checkout_fault(4, json!({ "kind": "status", "status": 500 })).await;
        post(bearer(&token), &body).await.expect_problem(503, "provider_unavailable");

        let session = opened["id"].as_str().expect("an id");
        assert_eq!(app.stripe.pay(session, "pm_card_visa").await.0, 200);
        let event = app.stripe.event("checkout.session.completed", session).await.to_string();
        let wrong_signature = stripe_sandbox::sign("whsec_another", app.clock.now_ms() / 1_000, event.as_bytes());
        let signature = stripe_sandbox::sign(WEBHOOK_SECRET, app.clock.now_ms() / 1_000, event.as_bytes());
        for (signature, status) in [(&wrong_signature, 400), (&signature, 200)] {
            let request = http_client().post(format!("{}/webhooks/stripe", served.url)).body(event.clone());
            assert_eq!(app.send(request.header("stripe-signature", signature)).await.status, status);
        }
        let log = served.stop();

        for level in ["\"TRACE\"", "\"DEBUG\"", "\"INFO\"", "\"WARN\""] {
            assert!(log.contains(level), "nothing was written at {level}");
        }
        for line in ["webhook refused", "Stripe did not do what was asked", "stopped"] {
            assert!(log.contains(line), "{line}");
        }
        let request_id = failed["request_id"].as_str().expect("an id");
        assert!(log.contains(request_id), "Stripe's support asks for the request id {request_id}");
        let digits = |key: &str| key.trim_start_matches("topup_sk_").to_owned();
        let signature_of = |token: &str| token.rsplit('.').next().expect("a signature").to_owned();
        for (what, secret) in [
            ("Stripe's key", SECRET_KEY.to_owned()),
            ("the webhook secret", WEBHOOK_SECRET.to_owned()),
            ("the webhook secret", WEBHOOK_SECRET.trim_start_matches("whsec_").to_owned()),
            ("the JWT secret", JWT_SECRET.to_owned()),
            ("the database's password", PASSWORD.to_owned()),
            ("a token", signature_of(&token)),
            ("a wrong token", signature_of(&wrong_token)),
            ("an API key", digits(&api_key)),
            ("a wrong API key", digits(&wrong_key)),
        ] {
            let line = log.lines().find(|line| line.contains(&secret));
            assert!(line.is_none(), "{what} is in the log: {}", line.unwrap_or_default());
        }
        app.finish().await;
    }
}

#[tokio::test]
async fn a_service_that_cannot_start_says_why_without_its_secrets() {
    let nowhere = format!("postgres://topup:{PASSWORD}@127.0.0.1:{}/topup", process::free_port());
    let usual = settings(&nowhere, "http://127.0.0.1:9", &[]);
    let changed = |name: &'static str, value: String| {
        let mut settings = usual.clone();
        settings.insert(name, value);
        settings
    };
    let secrets = [PASSWORD, SECRET_KEY, WEBHOOK_SECRET, JWT_SECRET];
    for (settings, about) in [
        (usual.clone(), "DATABASE_URL"),
        (changed("DATABASE_URL", format!("postgres://topup:{PASSWORD}@:notaport/x")), "DATABASE_URL"),
        (changed("DATABASE_URL", format!("mysql://topup:{PASSWORD}@localhost/x")), "DATABASE_URL"),
        (changed("STRIPE_SECRET_KEY", format!("{SECRET_KEY} ")), "STRIPE_SECRET_KEY"),
        (changed("STRIPE_SECRET_KEY", WEBHOOK_SECRET.to_owned()), "STRIPE_SECRET_KEY"),
        (changed("STRIPE_WEBHOOK_SECRET", SECRET_KEY.to_owned()), "STRIPE_WEBHOOK_SECRET"),
        (changed("JWT_PUBLIC_KEY", JWT_SECRET.to_owned()), "JWT_"),
        (changed("JWT_JWKS_URL", JWT_SECRET.to_owned()), "JWT_"),
    ] {
        let run = move || process::run(&settings, &["serve"]);
        let (ok, output, error) = tokio::task::spawn_blocking(run).await.expect("no panic");
        assert!(!ok && error.contains(about), "{about}: {error}");
        for secret in secrets {
            assert!(!error.contains(secret) && !output.contains(secret), "{about}: {error}");
        }
    }
}
