//! A service that is killed at places spread over telling and delivering: no message is lost, and within an account
//! none overtakes another.

use serde_json::{Value, json};
use topup::access::api_keys::{self, Scope};
use topup::db::{Statement, args};
use topup::system::{SystemClock, SystemIds};

use secrecy::ExposeSecret;

use super::receiver::Receiver;
use crate::on_both_databases;
use crate::support::app::http_client;
use crate::support::process::{Process, Settings};
use crate::support::serve::World;
use crate::support::until;

/// By so much the clock of each process is ahead of the one before: the holds of earlier rounds have ended.
const ROUND_MS: i64 = 1_500;
/// Everything that telling and delivering write, and the moments around an attempt: the process dies at each.
const KINDS: [&str; 16] = [
    "INSERT INTO messages",
    "INSERT INTO alerts",
    "DELETE FROM attention",
    "UPDATE outbox SET is_on",
    "UPDATE messages SET payload",
    "INSERT INTO deliveries",
    "INSERT INTO delivery_queues",
    "UPDATE delivery_queues SET lease_holder = :holder",
    "SELECT d.message_number",
    "before an attempt to deliver a message",
    "after an attempt to deliver a message",
    "UPDATE deliveries SET state",
    "UPDATE delivery_queues SET waiting",
    "INSERT INTO delivery_attempts",
    "UPDATE delivery_queues SET lease_holder = NULL",
    "UPDATE endpoints SET failing_since",
];
/// Besides, it dies at every so manieth checkpoint of the whole, commits among them.
const STRIDE: u64 = 13;
const NUMBERED: u64 = 10;

struct Server<'w> {
    world: &'w World,
    key: String,
    settings: Settings,
}

impl<'w> Server<'w> {
    async fn of(world: &'w World) -> Self {
        let db = world.database.connect().await;
        let scopes = [Scope::Admin, Scope::Spend, Scope::Read];
        let made = api_keys::create(&db, &SystemIds, &SystemClock, "backend", &scopes, None).await.expect("a key");
        db.close().await;
        let mut settings = world.settings();
        settings.insert("WEBHOOK_ALLOWED_NETWORKS", super::LOCAL.to_owned());
        settings.insert("LOW_BALANCE_CREDITS", "50".to_owned());
        Self { world, key: made.secret.expose_secret().to_owned(), settings }
    }

    /// Sends a request until it is answered.
    async fn ask(&self, path: &str, key: &str, body: &Value) -> Value {
        until("an answer", async || {
            let request = http_client().post(format!("{}{path}", self.world.url())).header("x-api-key", &self.key);
            let answer = request.header("idempotency-key", key).json(body).send().await.ok()?;
            let status = answer.status().as_u16();
            let body: Value = answer.json().await.ok()?;
            Some(body).filter(|body| {
                assert!([200, 503].contains(&status), "{path}: {status} {body}");
                status == 200
            })
        })
        .await
    }

    /// Credits come, a part of them is reserved for a second and a part spent.
    async fn act(&self, account: &str) {
        let given = json!({ "credits": 100, "reason": "a test", "create": true });
        self.ask(&format!("/admin/accounts/{account}/adjustments"), &format!("give-{account}"), &given).await;
        let hold = json!({ "credits": 10, "expiresInSeconds": 1 });
        self.ask(&format!("/accounts/{account}/credits/holds"), &format!("hold-{account}"), &hold).await;
        let debit = json!({ "credits": 60 });
        self.ask(&format!("/accounts/{account}/credits/debits"), &format!("debit-{account}"), &debit).await;
    }

    /// Reads a balance, which ends a hold whose time is over.
    async fn look(&self, account: &str) {
        until("a balance", async || {
            let request = http_client().get(format!("{}/accounts/{account}/credits", self.world.url()));
            let answer = request.header("x-api-key", &self.key).send().await.ok()?;
            (answer.status() == 200).then_some(())
        })
        .await;
    }

    /// A process whose clock is a little ahead of the one before.
    async fn process(&self, round: i64, pause_at: Option<&str>) -> Process {
        let mut settings = self.settings.clone();
        settings.insert("TOPUP_CLOCK_OFFSET_MS", (round * ROUND_MS).to_string());
        match pause_at {
            Some(place) => Process::serve_until(&settings, place).await,
            None => Process::serve(&settings, None).await,
        }
    }
}

static END_LEASES: Statement = Statement::new("UPDATE delivery_queues SET lease_until = 0 WHERE lease_until >= :least");

/// The leases of a killed process end after half a minute; here at once.
async fn end_leases(world: &World) {
    struct End;
    impl topup::db::Write for End {
        type Output = ();

        async fn run(&self, tx: &mut topup::db::Tx) -> Result<(), topup::db::StoreError> {
            tx.execute(&END_LEASES, &args![least = 0_i64]).await.map(drop)
        }
    }
    let db = world.database.connect().await;
    db.write(End).await.expect("done");
    db.close().await;
}

/// The types of an account's messages that were taken, in order, each message once.
fn told(receiver: &Receiver, account: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let taken = receiver.taken().into_iter().filter(|message| message.body["data"]["accountId"] == account);
    let first = taken.filter(|message| {
        let is_new = !seen.contains(&message.id().to_owned());
        seen.push(message.id().to_owned());
        is_new
    });
    first.map(|message| message.event().to_owned()).collect()
}

/// Waits until an account was told of something.
async fn wait_for(receiver: &Receiver, account: &str, event: &str) {
    until(event, async || told(receiver, account).iter().any(|told| told == event).then_some(())).await;
}

on_both_databases! {
    /// One database for all rounds: each process also finishes what the ones before it left.
    async fn a_process_killed_while_it_tells_and_delivers_loses_no_message(backend: Backend) {
        let world = World::new(backend).await;
        let (server, receiver) = (Server::of(&world).await, Receiver::start().await);
        let mut process = Process::serve(&server.settings, None).await;
        server.ask("/admin/endpoints", "-", &json!({ "url": receiver.url })).await;
        process.kill();
        let numbered = (0..NUMBERED).map(|number| (1 + number * STRIDE).to_string());
        let places: Vec<String> = KINDS.into_iter().map(str::to_owned).chain(numbered).collect();
        // The last one may not have had all its answers.
        let (mut accounts, mut round) = (vec!["user_0".to_owned()], 0);
        for place in &places {
            round += 1;
            let mut process = server.process(round, Some(place)).await;
            let account = accounts.last().expect("one").clone();
            let acted = std::cell::Cell::new(false);
            let acting = async {
                server.act(&account).await;
                acted.set(true);
                if let [.., before, _] = accounts.as_slice() {
                    server.look(before).await;
                    wait_for(&receiver, before, "hold.expired").await;
                }
                wait_for(&receiver, &account, "balance.low").await;
            };
            let has_died = tokio::select! {
                _ = process.paused() => true,
                () = acting => false,
            };
            assert!(has_died, "no process got to {place}");
            process.kill();
            end_leases(&world).await;
            if acted.get() {
                accounts.push(format!("user_{round}"));
            }
        }
        let mut process = server.process(round + 1, None).await;
        for account in &accounts {
            server.act(account).await;
        }
        process.kill();
        let mut last = server.process(round + 2, None).await;
        for account in &accounts {
            server.look(account).await;
        }
        for account in &accounts {
            until("the messages", async || (told(&receiver, account).len() >= 2).then_some(())).await;
            let mut events = told(&receiver, account);
            events.sort();
            assert_eq!(events, ["balance.low", "hold.expired"], "{account}");
        }
        last.kill();
        assert!(accounts.len() > KINDS.len() / 2, "{accounts:?}");
        world.finish().await;
    }
}
