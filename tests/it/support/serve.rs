//! `topup serve` as processes, with a database and a sandbox that outlive them.

use std::time::Duration;

use serde_json::{Value, json};
use stripe_sandbox::{RetryPolicy, Sandbox};
use topup::ports::Clock;
use topup::system::SystemClock;

use super::app::{SUCCESS_URL, http_client, settings, sign_token};
use super::database::{Backend, TestDatabase};
use super::process::{Process, Settings, free_port};
use super::stripe::{SECRET_KEY, Stripe, WEBHOOK_SECRET};

/// What exists before a process starts and after it is killed.
pub struct World {
    /// The database.
    pub database: TestDatabase,
    /// The client of the sandbox.
    pub stripe: Stripe,
    sandbox: Sandbox,
    port: u16,
}

impl World {
    /// A database, and a sandbox that delivers to the service's port, whether or not a service is running.
    pub async fn new(backend: Backend) -> Self {
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}/webhooks/stripe");
        Self::on(backend, port, stripe_sandbox::Config::local(SECRET_KEY).with_webhook(url, WEBHOOK_SECRET)).await
    }

    /// The same with a sandbox that has no webhook endpoint yet.
    pub async fn without_endpoint(backend: Backend) -> Self {
        Self::on(backend, free_port(), stripe_sandbox::Config::local(SECRET_KEY)).await
    }

    async fn on(backend: Backend, port: u16, mut config: stripe_sandbox::Config) -> Self {
        config.retry =
            RetryPolicy { initial: Duration::from_millis(20), max: Duration::from_millis(100), attempts: 100_000 };
        let sandbox = Sandbox::start(config).await.expect("the sandbox starts");
        let stripe = Stripe { url: sandbox.url() };
        Self { database: TestDatabase::migrated(backend).await, stripe, sandbox, port }
    }

    /// The settings of a service on the port that the sandbox delivers to.
    pub fn settings(&self) -> Settings {
        self.settings_on(self.port)
    }

    /// The settings of a service on another port.
    pub fn settings_on(&self, port: u16) -> Settings {
        settings(&self.database.url, &self.stripe.url, &[("BIND_ADDRESS", format!("127.0.0.1:{port}"))])
    }

    /// The settings of a process started after one was killed, with the leases of the killed process expired.
    pub fn settings_afterwards(&self) -> Settings {
        let mut settings = self.settings();
        settings.insert("TOPUP_CLOCK_OFFSET_MS", "61000".to_owned());
        settings
    }

    /// The service's URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts a service that pauses at the given checkpoint, if any.
    pub async fn serve(&self, pause_at: Option<u64>) -> Process {
        Process::serve(&self.settings(), pause_at).await
    }

    /// Requests a checkout; `None` if the connection breaks.
    pub async fn try_checkout(&self, account: &str, key: &str) -> Option<(u16, Value)> {
        let request = http_client()
            .post(format!("{}/credits/sessions", self.url()))
            .bearer_auth(token(account))
            .header("idempotency-key", key)
            .json(&json!({ "credits": 250, "successUrl": SUCCESS_URL }));
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.json().await.ok()?))
    }

    /// Reads as a customer; `None` if the connection breaks.
    pub async fn try_get(&self, account: &str, path: &str) -> Option<Value> {
        let request = http_client().get(format!("{}{path}", self.url())).bearer_auth(token(account));
        request.send().await.ok()?.json().await.ok()
    }

    /// The balance of an account, from the API.
    pub async fn credits(&self, account: &str) -> Option<i64> {
        self.try_get(account, "/credits").await?["remainingCredits"].as_i64()
    }

    /// The number of an account's sessions at Stripe.
    pub async fn sessions_of(&self, account: &str) -> usize {
        let list = self.stripe.get("/v1/checkout/sessions?limit=100").await;
        let sessions = list["data"].as_array().expect("a list");
        sessions.iter().filter(|session| session["client_reference_id"] == account).count()
    }

    /// Checks the books and stops the sandbox.
    pub async fn finish(self) {
        let db = self.database.connect().await;
        assert_eq!(db.broken_rules().await.expect("readable"), Vec::<&str>::new(), "the books are wrong");
        db.close().await;
        self.sandbox.stop().await;
    }
}

/// A customer's token.
pub fn token(account: &str) -> String {
    sign_token(&json!({ "sub": account, "exp": SystemClock.now_ms() / 1_000 + 3_600 }))
}
