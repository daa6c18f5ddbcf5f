//! A service that is killed between any two steps of spending: settling, debits, holds, captures, refunds, and ends of
//! grants and holds. Whatever was under way, the server repeats it with the same keys, and each is done once.

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use topup::access::api_keys::{self, Scope};
use topup::books::audit::audit;
use topup::db::{Statement, args};
use topup::domain::account::AccountId;
use topup::ports::Clock;
use topup::system::{SystemClock, SystemIds};

use secrecy::ExposeSecret;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::on_both_databases;
use crate::support::app::http_client;
use crate::support::process::Process;
use crate::support::serve::World;
use crate::support::until;

/// More checkpoints than a part has. If the loop gets here, it would not end.
const TOO_MANY: u64 = 200;
/// The credits that are bought with an adjustment, and those that end before the second part.
const GIVEN: i64 = 100;
const PROMISED: i64 = 20;

/// The product's server, with an account of its own for each round.
struct Server<'w> {
    world: &'w World,
    key: String,
}

impl<'w> Server<'w> {
    async fn of(world: &'w World) -> Self {
        let db = world.database.connect().await;
        let scopes = [Scope::Admin, Scope::Spend, Scope::Read];
        let made = api_keys::create(&db, &SystemIds, &SystemClock, "backend", &scopes, None).await.expect("a key");
        db.close().await;
        Self { world, key: made.secret.expose_secret().to_owned() }
    }

    /// Sends a request until it is answered; the same one each time.
    async fn ask(&self, path: &str, key: &str, body: Value) -> Value {
        let request = || -> RequestBuilder {
            let request = http_client().post(format!("{}{path}", self.world.url()));
            request.header("x-api-key", &self.key).header("idempotency-key", key).json(&body)
        };
        until("an answer", async || {
            let response = request().send().await.ok()?;
            let status = response.status().as_u16();
            let answer: Value = response.json().await.ok()?;
            match status {
                200 => Some(answer),
                503 => None,
                _ => panic!("{path} {body}: {status} {answer}"),
            }
        })
        .await
    }

    /// Before the promotion ends: credits come, some are spent, some are held.
    async fn begin(&self, account: &str, ends_at: &str) {
        let given = json!({ "credits": GIVEN, "reason": "a test", "create": true });
        self.ask(&format!("/admin/accounts/{account}/adjustments"), &format!("give-{account}"), given).await;
        let promised = json!({ "credits": PROMISED, "expiresAt": ends_at, "reason": "a test", "create": true });
        self.ask(&format!("/admin/accounts/{account}/grants"), &format!("promise-{account}"), promised).await;
        self.ask(&format!("/accounts/{account}/credits/debits"), "debit-1", json!({ "credits": 5 })).await;
        let hold = json!({ "credits": 30, "expiresInSeconds": 1_800, "subject": "a" });
        self.ask(&format!("/accounts/{account}/credits/holds"), "hold-1", hold).await;
    }

    /// After the promotion and the hold have ended.
    async fn go_on(&self, account: &str) {
        let spend = self.ask(&format!("/accounts/{account}/credits/debits"), "debit-2", json!({ "credits": 7 })).await;
        let hold = json!({ "credits": 30, "expiresInSeconds": 1_800, "subject": "a" });
        let hold = self.ask(&format!("/accounts/{account}/credits/holds"), "hold-1", hold).await;
        let capture = format!("/credits/holds/{}/capture", hold["id"].as_str().expect("an id"));
        self.ask(&capture, "-", json!({ "credits": 25 })).await;
        let refund = format!("/credits/debits/{}/refunds", spend["id"].as_str().expect("an id"));
        self.ask(&refund, "refund-1", json!({ "credits": 3 })).await;
    }

    /// Everything was done once.
    async fn check(&self, account: &str, place: &str) {
        let db = self.world.database.connect().await;
        let id = AccountId::parse(account).expect("an account");
        let balance = db.balance(&id).await.expect("readable");
        let kinds: Vec<Kind> = db.read_all(&KINDS, &args![account = account]).await.expect("readable");
        let sum = |kind: &str| kinds.iter().filter(|row| row.kind == kind).map(|row| row.credits).sum::<i64>();
        assert_eq!(
            (sum("adjustment"), sum("spend"), sum("spend_refund")),
            (GIVEN, -5 - 7 - 25, 3),
            "{place}: {kinds:?}"
        );
        // The first debit took 5 of the promotion, and the rest ended.
        assert_eq!((sum("promotion"), sum("expiry")), (PROMISED, 5 - PROMISED), "{place}: {kinds:?}");
        assert_eq!(balance.remaining_credits, GIVEN - 29, "{place}: {kinds:?}");
        assert_eq!((balance.used_credits, balance.held_credits), (34, 0), "{place}");
        db.close().await;
    }
}

#[derive(Debug, sqlx::FromRow)]
struct Kind {
    kind: String,
    credits: i64,
}

static KINDS: Statement = Statement::new(
    "SELECT kind, CAST(SUM(credits) AS BIGINT) AS credits FROM ledger_entries WHERE account_id = :account GROUP BY kind",
);

/// When a promotion ends: after the first part, and before the second.
fn in_an_hour() -> String {
    let time = OffsetDateTime::from_unix_timestamp(SystemClock.now_ms() / 1_000 + 3_600).expect("a time");
    time.format(&Rfc3339).expect("a text")
}

/// The settings of a service two hours later: what was to end has ended.
async fn serve_later(world: &World, pause_at: Option<u64>) -> Process {
    let mut settings = world.settings();
    settings.insert("TOPUP_CLOCK_OFFSET_MS", "7200000".to_owned());
    Process::serve(&settings, pause_at).await
}

async fn finish(world: World) {
    let db = world.database.connect().await;
    let report = audit(&db, true).await.expect("readable");
    assert_eq!(report.first, [], "the audit finds differences");
    db.close().await;
    world.finish().await;
}

on_both_databases! {
    async fn a_process_killed_while_it_spends_does_each_thing_once(backend: Backend) {
        let world = World::new(backend).await;
        let server = Server::of(&world).await;
        let mut tried = 0;
        for number in 1..TOO_MANY {
            let (account, ends_at) = (format!("user_{number}"), in_an_hour());
            let mut process = world.serve(Some(number)).await;
            let place = tokio::select! {
                () = server.begin(&account, &ends_at) => None,
                place = process.paused() => Some(place),
            };
            process.kill();
            let Some(place) = place else { break };
            tried = number;
            let mut process = world.serve(None).await;
            server.begin(&account, &ends_at).await;
            process.kill();
            let mut process = serve_later(&world, None).await;
            server.go_on(&account).await;
            process.kill();
            server.check(&account, &place).await;
        }
        assert!((20..TOO_MANY - 1).contains(&tried), "{tried} places were tried");
        finish(world).await;
    }

    async fn a_process_killed_while_it_settles_does_each_thing_once(backend: Backend) {
        let world = World::new(backend).await;
        let server = Server::of(&world).await;
        let mut tried = 0;
        for number in 1..TOO_MANY {
            let (account, ends_at) = (format!("user_{number}"), in_an_hour());
            let mut process = world.serve(None).await;
            server.begin(&account, &ends_at).await;
            process.kill();
            let mut process = serve_later(&world, Some(number)).await;
            let place = tokio::select! {
                () = server.go_on(&account) => None,
                place = process.paused() => Some(place),
            };
            process.kill();
            let Some(place) = place else { break };
            tried = number;
            let mut process = serve_later(&world, None).await;
            server.go_on(&account).await;
            process.kill();
            server.check(&account, &place).await;
        }
        assert!((20..TOO_MANY - 1).contains(&tried), "{tried} places were tried");
        finish(world).await;
    }
}
