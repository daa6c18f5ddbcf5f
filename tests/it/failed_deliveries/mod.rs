//! Failed deliveries: listed, replayed, corrected, and their payloads erased.

mod accept;
mod api;
mod command;
mod payloads;
mod records;
mod schedule;

use futures_util::FutureExt;
use secrecy::ExposeSecret;
use serde_json::Value;
use topup::access::api_keys::{self, Scope};
use topup::db::Db;
use topup::domain::account::AccountId;
use topup::inbox::failed_events::{self, FailedEvent, FailureKind, FailureRecord};
use topup::providers::stripe::name::NAME as STRIPE;

use crate::support::app::http_client;
use crate::support::{Answer, TestApp, closure};

/// An event type that no version handles; a replay finds that it is not for Topup.
const NOT_HANDLED: &str = r#"{"id":"evt_1","type":"product.created"}"#;

/// A made-up failure.
fn failure(event: &str, kind: FailureKind, payload: Option<&str>, now_ms: i64) -> FailureRecord {
    FailureRecord {
        provider: STRIPE,
        event_id: event.to_owned(),
        event_type: "product.created".to_owned(),
        kind,
        error: format!("failed at {now_ms}"),
        topup: None,
        payment: None,
        payload: payload.map(str::to_owned),
        now_ms,
    }
}

async fn record(db: &Db, failure: FailureRecord) {
    let write = db.write(closure(move |tx| {
        let failure = failure.clone();
        async move { failed_events::record(tx, &failure).await }.boxed()
    }));
    write.await.expect("records");
}

/// The record of an event that must have failed.
async fn failed(db: &Db, event: &str) -> FailedEvent {
    db.failed_event(event).await.expect("readable").expect("a record").event
}

/// From here on no delivery that credits can take effect.
async fn break_database(app: &TestApp) {
    app.app.db.execute_raw("ALTER TABLE accounts RENAME TO hidden_accounts").await.expect("done");
}

async fn repair_database(app: &TestApp) {
    app.app.db.execute_raw("ALTER TABLE hidden_accounts RENAME TO accounts").await.expect("done");
}

/// A paid purchase whose event arrived while the database was broken. Returns the event and its id.
async fn failed_purchase(app: &TestApp, account: &str) -> (Value, String) {
    let (_, event) = app.pay_session(account, 250).await;
    break_database(app).await;
    app.deliver(&event).await.expect_problem(500, "internal_error");
    repair_database(app).await;
    let id = event["id"].as_str().expect("an id").to_owned();
    (event, id)
}

async fn api_key(app: &TestApp, scope: Scope, account: Option<&str>) -> String {
    let account = account.map(|account| AccountId::parse(account).expect("an account"));
    let (db, ids, clock) = (&app.app.db, app.app.ids.as_ref(), app.app.clock.as_ref());
    let key = api_keys::create(db, ids, clock, "operator", &[scope], account.as_ref()).await;
    key.expect("a key").secret.expose_secret().to_owned()
}

/// A GET with an API key.
async fn get(app: &TestApp, key: &str, path: &str) -> Answer {
    app.send(http_client().get(format!("{}{path}", app.url)).header("x-api-key", key)).await
}

/// `POST /admin/webhook-events/{id}/replay` with an API key.
async fn replay(app: &TestApp, key: &str, event: &str) -> Answer {
    let url = format!("{}/admin/webhook-events/{event}/replay", app.url);
    app.send(http_client().post(url).header("x-api-key", key)).await
}
