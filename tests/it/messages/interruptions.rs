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

/// More checkpoints than a round has. If the loop gets here, it would not end.
const TOO_MANY: u64 = 300;
/// Each round takes seconds, because holds end and jobs run by the clock, so only some of the checkpoints are tried.
const STRIDE: usize = 7;

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

    /// Credits come, a part of them is spent, a hold ends by itself.
    async fn act(&self, account: &str) {
        let given = json!({ "credits": 100, "reason": "a test", "create": true });
        self.ask(&format!("/admin/accounts/{account}/adjustments"), &format!("give-{account}"), &given).await;
        let hold = json!({ "credits": 10, "expiresInSeconds": 1 });
        self.ask(&format!("/accounts/{account}/credits/holds"), &format!("hold-{account}"), &hold).await;
        let debit = json!({ "credits": 60 });
        self.ask(&format!("/accounts/{account}/credits/debits"), &format!("debit-{account}"), &debit).await;
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

on_both_databases! {
    async fn a_process_killed_while_it_tells_and_delivers_loses_no_message(backend: Backend) {
        let world = World::new(backend).await;
        let (server, receiver) = (Server::of(&world).await, Receiver::start().await);
        let mut process = Process::serve(&server.settings, None).await;
        server.ask("/admin/endpoints", "-", &json!({ "url": receiver.url })).await;
        process.kill();
        let mut tried = 0;
        for number in (1..TOO_MANY).step_by(STRIDE) {
            let account = format!("user_{number}");
            let mut process = Process::serve(&server.settings, Some(number)).await;
            let acting = async {
                server.act(&account).await;
                until("the messages", async || Some(()).filter(|()| told(&receiver, &account).len() >= 2)).await;
            };
            let place = tokio::select! {
                place = process.paused() => Some(place),
                () = acting => None,
            };
            process.kill();
            end_leases(&world).await;
            let mut settings = server.settings.clone();
            settings.insert("TOPUP_CLOCK_OFFSET_MS", "30000".to_owned());
            let mut process = Process::serve(&settings, None).await;
            server.act(&account).await;
            until("the messages", async || Some(()).filter(|()| told(&receiver, &account).len() >= 2)).await;
            let mut events = told(&receiver, &account);
            events.sort();
            assert_eq!(events, ["balance.low", "hold.expired"], "{place:?}");
            process.kill();
            if place.is_none() {
                break;
            }
            tried = number;
        }
        assert!((10..TOO_MANY - 7).contains(&tried), "{tried} checkpoints");
        world.finish().await;
    }
}
