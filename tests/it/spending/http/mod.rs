//! Spending over HTTP, as a server does it.

mod balances;
mod batch;
mod blocks;
mod callers;
mod captures;
mod debits;
mod ends;
mod grants;
mod holds;
mod inputs;
mod keys;
mod limits;
mod promotions;
mod refunds;
mod shortfall;
mod statements;
mod usage;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use topup::access::api_keys::{self, Scope};
use topup::domain::account::AccountId;
use topup::system::SystemIds;

use crate::admin::{ADMIN_SCOPE, admin_token};
use crate::support::app::http_client;
use crate::support::{Answer, Backend, Options, TestApp};

/// The account that the tests spend from.
pub const ACCOUNT: &str = "user_1";
/// Its debits.
pub const DEBITS: &str = "/accounts/user_1/credits/debits";
/// Its holds.
pub const HOLDS: &str = "/accounts/user_1/credits/holds";

/// A service, and a server that spends its accounts' credits.
pub struct Shop {
    /// The service.
    pub app: TestApp,
    /// An API key with the scopes `spend` and `read`, for all accounts.
    key: String,
}

impl Shop {
    /// A service without accounts.
    pub async fn open(backend: Backend) -> Self {
        let app = TestApp::start_with(backend, Options::default().setting("JWT_ADMIN_SCOPE", ADMIN_SCOPE)).await;
        let key = api_key(&app, &[Scope::Spend, Scope::Read], None).await;
        Self { app, key }
    }

    /// A service whose account has this many credits.
    pub async fn with_credits(backend: Backend, credits: i64) -> Self {
        let shop = Self::open(backend).await;
        shop.give(ACCOUNT, credits).await;
        shop
    }

    /// An operator gives credits that never end, or takes them. Returns the grant's id.
    pub async fn give(&self, account: &str, credits: i64) -> String {
        let body = json!({ "credits": credits, "reason": "a test", "create": true });
        let given = self.operator(&format!("/admin/accounts/{account}/adjustments"), body).await.expect(200);
        text(&given["id"])
    }

    /// A request of an operator, with an idempotency key of its own.
    pub async fn operator(&self, path: &str, body: Value) -> Answer {
        let request = self.request(path).bearer_auth(admin_token(&self.app));
        self.app.send(request.header("idempotency-key", new_key()).json(&body)).await
    }

    /// A request of the server.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.post_as(&self.key, path, key, body).await
    }

    /// A request with another API key.
    pub async fn post_as(&self, secret: &str, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.request(path).header("x-api-key", secret).header("idempotency-key", key);
        self.app.send(request.json(body)).await
    }

    /// A request to a path, without credentials.
    pub fn request(&self, path: &str) -> reqwest::RequestBuilder {
        http_client().post(format!("{}{path}", self.app.url))
    }

    /// A GET of the server.
    pub async fn get(&self, path: &str) -> Answer {
        self.get_as(&self.key, path).await
    }

    /// A GET with another API key.
    pub async fn get_as(&self, secret: &str, path: &str) -> Answer {
        self.app.send(http_client().get(format!("{}{path}", self.app.url)).header("x-api-key", secret)).await
    }

    /// Debits the account.
    pub async fn debit(&self, key: &str, credits: i64) -> Answer {
        self.post(DEBITS, key, &json!({ "credits": credits })).await
    }

    /// Debits the account, which has the credits. Returns the spend's id.
    pub async fn spend(&self, credits: i64) -> String {
        text(&self.debit(&new_key(), credits).await.expect(200)["id"])
    }

    /// Reserves credits of the account, which has them. Returns the hold's id.
    pub async fn hold(&self, credits: i64) -> String {
        text(&self.post(HOLDS, &new_key(), &json!({ "credits": credits })).await.expect(200)["id"])
    }

    /// Does something with a hold: `capture`, `extend` or `release`.
    pub async fn change(&self, hold: &str, what: &str, body: Value) -> Answer {
        self.post(&format!("/credits/holds/{hold}/{what}"), "not read", &body).await
    }

    /// Captures a hold.
    pub async fn capture(&self, hold: &str, credits: i64) -> Answer {
        self.change(hold, "capture", json!({ "credits": credits })).await
    }

    /// Gives credits of a spend back.
    pub async fn refund(&self, spend: &str, key: &str, body: Value) -> Answer {
        self.post(&format!("/credits/debits/{spend}/refunds"), key, &body).await
    }

    /// Gives credits that end, or in another order. Returns the grant.
    pub async fn promote(&self, body: Value) -> Value {
        self.operator(&format!("/admin/accounts/{ACCOUNT}/grants"), body).await.expect(200)
    }

    /// The balance of the account: remaining and held.
    pub async fn balance(&self) -> (i64, i64) {
        let credits = self.app.get_as(ACCOUNT, "/credits").await.expect(200);
        (number(&credits["remainingCredits"]), number(&credits["heldCredits"]))
    }

    /// The kinds and credits of the account's entries, oldest first.
    pub async fn entries(&self) -> Vec<(String, i64)> {
        let page = self.app.get_as(ACCOUNT, "/credits/transactions?limit=100").await.expect(200);
        let entries = page["data"].as_array().expect("a list").iter().rev();
        entries.map(|entry| (text(&entry["kind"]), number(&entry["credits"]))).collect()
    }

    /// What remains of the account's open grants, newest first.
    pub async fn open_grants(&self) -> Vec<(String, i64)> {
        let page = self.get(&format!("/accounts/{ACCOUNT}/credits/grants?limit=100")).await.expect(200);
        let grants = page["data"].as_array().expect("a list").iter();
        grants.map(|grant| (text(&grant["id"]), number(&grant["remainingCredits"]))).collect()
    }

    /// The time in so many seconds, as the API writes it.
    pub fn in_seconds(&self, seconds: i64) -> String {
        let now_ms = topup::ports::Clock::now_ms(&*self.app.clock);
        let time = OffsetDateTime::from_unix_timestamp(now_ms / 1_000 + seconds).expect("a time");
        time.format(&Rfc3339).expect("a text")
    }

    /// Lets time pass.
    pub fn wait_seconds(&self, seconds: i64) {
        self.app.clock.advance_ms(seconds * 1_000);
    }

    /// Checks the books and stops.
    pub async fn close(self) {
        self.app.finish().await;
    }
}

/// Creates an API key. Returns its secret.
pub async fn api_key(app: &TestApp, scopes: &[Scope], account: Option<&str>) -> String {
    let account = account.map(|account| AccountId::parse(account).expect("an account"));
    let made = api_keys::create(&app.app.db, &SystemIds, &*app.clock, "backend", scopes, account.as_ref()).await;
    made.expect("a key").secret.expose_secret().to_owned()
}

/// An idempotency key that no other request of this run has.
pub fn new_key() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("work-{}", NEXT.fetch_add(1, Ordering::SeqCst))
}

/// The account's balance as each answer has it.
pub fn funds(remaining: i64, held: i64) -> Value {
    json!({ "accountId": ACCOUNT, "remainingCredits": remaining, "heldCredits": held,
        "availableCredits": (remaining - held).max(0), "owedCredits": (-remaining).max(0) })
}

/// Some fields of an object, as a list.
pub fn fields(object: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| object[name].clone()).collect()
}

/// A JSON text.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// A JSON number.
#[track_caller]
pub fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("no number: {value}"))
}

/// The seconds between two times, rounded.
#[track_caller]
pub fn seconds_between(earlier: &Value, later: &Value) -> i64 {
    let time = |value: &Value| OffsetDateTime::parse(&text(value), &Rfc3339).expect("RFC 3339");
    let difference_ms = (time(later) - time(earlier)).whole_milliseconds();
    i64::try_from((difference_ms + 500).div_euclid(1_000)).expect("small")
}

/// The numbers of a problem: required, available, held, owed.
#[track_caller]
pub fn numbers(problem: &Value) -> [i64; 4] {
    ["requiredCredits", "availableCredits", "heldCredits", "owedCredits"].map(|name| number(&problem[name]))
}

/// The only invalid field of a problem, and its code.
#[track_caller]
pub fn only_error(problem: &Value) -> (String, String) {
    let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("no errors: {problem}"));
    assert_eq!(errors.len(), 1, "{problem}");
    (text(&errors[0]["field"]), text(&errors[0]["code"]))
}
