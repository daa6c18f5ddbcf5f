//! `nextExpiry`: what ends next.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::is_about;
use crate::bonus::{ACCOUNT, Purchase, close, debit, in_days, post, start, wait_days};
use crate::on_both_databases;
use crate::support::{Backend, TestApp};

/// A time as the API reads it.
fn rfc3339(time_ms: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(time_ms / 1_000).expect("a time");
    time.format(&Rfc3339).expect("a text")
}

async fn next(app: &TestApp) -> Value {
    let own = app.get_as(ACCOUNT, "/credits").await.expect(200)["nextExpiry"].clone();
    let named = app.get_as(ACCOUNT, &format!("/accounts/{ACCOUNT}/credits")).await.expect(200)["nextExpiry"].clone();
    assert_eq!(own, named);
    own
}

on_both_databases! {
    async fn it_counts_purchases_that_nobody_spent_from_yet(backend: Backend) {
        let app = start(backend).await;
        assert_eq!(next(&app).await, Value::Null);
        Purchase::credited(&app, 250).await;
        let first = in_days(&app, 30);
        let said = next(&app).await;
        assert!(is_about(&said["at"], first) && said["credits"] == 275, "{said}");
        let later = in_days(&app, 31);
        let body = json!({ "credits": 50, "reason": "a gift", "expiresAt": rfc3339(later) });
        post(&app, &format!("/admin/accounts/{ACCOUNT}/grants"), "key-1", body).await.expect(200);
        debit(&app, 30).await;
        let said = next(&app).await;
        assert!(is_about(&said["at"], first) && said["credits"] == 245, "{said}");
        wait_days(&app, 30);
        let said = next(&app).await;
        assert!(is_about(&said["at"], later) && said["credits"] == 50, "{said}");
        wait_days(&app, 1);
        assert_eq!(next(&app).await, Value::Null);
        close(app).await;
    }

    async fn credits_that_never_end_are_not_named(backend: Backend) {
        let app = start(backend).await;
        let body = json!({ "credits": 5, "reason": "a gift", "create": true });
        post(&app, &format!("/admin/accounts/{ACCOUNT}/adjustments"), "key-1", body).await.expect(200);
        assert_eq!(next(&app).await, Value::Null);
        close(app).await;
    }
}

/// (On SQLite each write is counted.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_balance_of_a_settled_account_is_read_without_a_write() {
    let app = start(Backend::Sqlite).await;
    Purchase::credited(&app, 250).await;
    next(&app).await;
    let before = app.app.db.commit_counts().writes;
    next(&app).await;
    assert_eq!(app.app.db.commit_counts().writes, before);
    close(app).await;
}
