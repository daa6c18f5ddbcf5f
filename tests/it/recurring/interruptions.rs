//! A service that is killed at each step of a charge: the card is charged once, and its credits are booked once.

use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use topup::access::api_keys::{self, Scope};
use topup::db::{Statement, args};
use topup::system::{SystemClock, SystemIds};

use super::{CREDITS, PAGE, rules, text};
use crate::on_both_databases;
use crate::support::app::http_client;
use crate::support::database::TestDatabase;
use crate::support::process::{Process, Settings};
use crate::support::serve::{World, token};
use crate::support::until;

/// More checkpoints than a charge has. If the loop gets here, it would not end.
const TOO_MANY: u64 = 400;
/// Each round starts three processes, so only some of the checkpoints are tried.
const STRIDE: usize = 3;

static END_LEASES: Statement =
    Statement::new("UPDATE auto_topup_queue SET lease_until = 0 WHERE lease_until >= :least");

/// The leases of a killed process end after a minute and a half; here at once.
pub async fn end_leases(database: &TestDatabase) {
    struct End;
    impl topup::db::Write for End {
        type Output = ();

        async fn run(&self, tx: &mut topup::db::Tx) -> Result<(), topup::db::StoreError> {
            tx.execute(&END_LEASES, &args![least = 0_i64]).await.map(drop)
        }
    }
    let db = database.connect().await;
    db.write(End).await.expect("done");
    db.close().await;
}

struct Server<'w> {
    world: &'w World,
    key: String,
    settings: Settings,
}

impl<'w> Server<'w> {
    async fn of(world: &'w World) -> Self {
        let db = world.database.connect().await;
        let scopes = [Scope::Admin, Scope::Spend, Scope::Read, Scope::Checkout];
        let made = api_keys::create(&db, &SystemIds, &SystemClock, "backend", &scopes, None).await.expect("a key");
        db.close().await;
        let mut settings = world.settings();
        for (name, value) in [("SAVED_CARDS", "on"), ("AUTO_TOPUP", "on"), ("PERSONAL_DATA_DAYS", "0")] {
            settings.insert(name, value.to_owned());
        }
        Self { world, key: made.secret.expose_secret().to_owned(), settings }
    }

    /// Sends a request until it is answered.
    async fn ask(&self, method: Method, path: &str, key: &str, body: &Value) -> Value {
        until("an answer", async || {
            let request = http_client().request(method.clone(), format!("{}{path}", self.world.url()));
            let request = request.header("x-api-key", &self.key).header("idempotency-key", key);
            let answer = request.json(body).send().await.ok()?;
            let status = answer.status().as_u16();
            let body: Value = answer.json().await.ok()?;
            Some(body).filter(|body| {
                assert!([200, 503].contains(&status), "{path}: {status} {body}");
                status == 200
            })
        })
        .await
    }

    /// An account with a card, 600 credits and auto top-up.
    async fn prepare(&self, account: &str, card: &str) {
        let body = json!({ "successUrl": PAGE, "accountId": account });
        self.ask(Method::POST, "/payment-methods/sessions", "-", &body).await;
        let customers = self.world.stripe.get("/v1/customers?limit=100").await;
        let customers = customers["data"].as_array().expect("a list").clone();
        let customer = customers.iter().find(|customer| customer["metadata"]["accountId"] == account).expect("made");
        let form = [("customer", customer["id"].as_str().expect("an id"))];
        assert_eq!(self.world.stripe.post(&format!("/v1/payment_methods/{card}/attach"), &form).await.0, 200);
        let given = json!({ "credits": 600, "reason": "a test", "create": true });
        self.ask(Method::POST, &format!("/admin/accounts/{account}/adjustments"), &format!("give-{account}"), &given)
            .await;
        self.ask(Method::PUT, "/auto-topup", "-", &rules(json!({ "accountId": account }))).await;
    }

    async fn cross(&self, account: &str) {
        let path = format!("/accounts/{account}/credits/debits");
        self.ask(Method::POST, &path, &format!("debit-{account}"), &json!({ "credits": 200 })).await;
    }

    async fn auto_topup(&self, account: &str) -> Option<Value> {
        let request = http_client().get(format!("{}/auto-topup", self.world.url())).bearer_auth(token(account));
        request.send().await.ok()?.json().await.ok()
    }

    /// Waits until the last attempt has this outcome and the state is this.
    async fn until_end(&self, account: &str, outcome: &str, state: &str) -> Value {
        until("the end of the charge", async || {
            self.auto_topup(account)
                .await
                .filter(|auto| auto["attempts"][0]["outcome"] == outcome && auto["state"] == state)
        })
        .await
    }

    /// The states of the payments at Stripe for an account.
    async fn charges(&self, account: &str) -> Vec<String> {
        let list = self.world.stripe.get("/v1/payment_intents?limit=100").await;
        let payments = list["data"].as_array().expect("a list").iter();
        let own = payments.filter(|payment| payment["metadata"]["accountId"] == account);
        own.map(|payment| text(&payment["status"])).collect()
    }
}

/// Kills a process at each checkpoint of a charge. Returns how many there were.
async fn at_every_checkpoint(server: &Server<'_>, card: &str, outcome: &str, state: &str, charges: &[&str]) -> u64 {
    for number in (1..TOO_MANY).step_by(STRIDE) {
        let account = format!("user_{number}");
        let mut process = Process::serve(&server.settings, None).await;
        server.prepare(&account, card).await;
        process.kill();
        // Jobs that have nothing to do reach checkpoints too; the crossing is there from the start.
        let mut process = Process::serve(&server.settings, Some(number)).await;
        let place = tokio::select! {
            place = process.paused() => Some(place),
            () = async {
                server.cross(&account).await;
                server.until_end(&account, outcome, state).await;
            } => None,
        };
        process.kill();
        end_leases(&server.world.database).await;
        let mut process = Process::serve(&server.settings, None).await;
        server.cross(&account).await;
        server.until_end(&account, outcome, state).await;
        server.world.stripe.idle().await;
        assert_eq!(server.charges(&account).await, charges, "{place:?}");
        let expected = if outcome == "paid" { 400 + CREDITS } else { 400 };
        assert_eq!(server.world.credits(&account).await, Some(expected), "{place:?}");
        let auto = server.auto_topup(&account).await.expect("an answer");
        assert_eq!(auto["attempts"].as_array().map(Vec::len), Some(1), "{place:?}: {auto}");
        process.kill();
        if place.is_none() {
            return number - 1;
        }
    }
    panic!("no end");
}

on_both_databases! {
    async fn a_process_killed_at_any_step_of_a_charge_charges_once_and_credits_once(backend: Backend) {
        let world = World::new(backend).await;
        let server = Server::of(&world).await;
        let places = at_every_checkpoint(&server, "pm_card_visa", "paid", "active", &["succeeded"]).await;
        assert!(places >= 15, "only {places} places were tried");
        world.finish().await;
    }

    async fn a_process_killed_at_any_step_of_a_declined_charge_leaves_no_open_payment(backend: Backend) {
        let world = World::new(backend).await;
        let server = Server::of(&world).await;
        let card = "pm_card_chargeCustomerFail";
        let places = at_every_checkpoint(&server, card, "declined", "paused", &["canceled"]).await;
        assert!(places >= 15, "only {places} places were tried");
        world.finish().await;
    }
}
