//! Credits that end: when they do, what holds keep of them, and who writes it down.

use serde_json::json;
use tokio_util::sync::CancellationToken;
use topup::books::settle_account::settle_due;

use super::{ACCOUNT, Shop, funds, text};
use crate::on_both_databases;
use crate::support::Backend;

on_both_databases! {
    /// An adjustment takes from the grants that were good at its time, whenever the account is settled.
    async fn the_time_of_settling_changes_nothing(backend: Backend) {
        for is_settled_before in [true, false] {
            let shop = Shop::with_credits(backend, 100).await;
            shop.promote(json!({ "credits": 50, "reason": "Welcome", "expiresAt": shop.in_seconds(3_600) })).await;
            shop.give(ACCOUNT, -50).await;
            if is_settled_before {
                shop.open_grants().await;
            }
            shop.wait_seconds(3_600);
            assert_eq!(shop.balance().await, (100, 0), "settled before: {is_settled_before}");
            shop.close().await;
        }
    }

    /// What has ended is good for the holds that were made before, and for no other.
    async fn a_later_hold_keeps_nothing_of_what_has_ended(backend: Backend) {
        let shop = Shop::with_credits(backend, 50).await;
        shop.promote(json!({ "credits": 50, "reason": "Welcome", "expiresAt": shop.in_seconds(3_600) })).await;
        shop.wait_seconds(3_500);
        let before = shop.hold(50).await;
        shop.wait_seconds(100);
        let after = shop.hold(50).await;
        assert_eq!(shop.balance().await, (100, 100));
        shop.change(&before, "release", json!({})).await.expect(200);
        assert_eq!(shop.balance().await, (50, 50));
        assert_eq!(shop.capture(&after, 50).await.expect(200)["balance"], funds(0, 0));
        shop.close().await;
    }

    /// A capture takes what has ended only if its own hold was made before.
    async fn a_capture_leaves_to_others_what_is_kept_for_them(backend: Backend) {
        let shop = Shop::with_credits(backend, 50).await;
        shop.promote(json!({ "credits": 50, "reason": "Welcome", "expiresAt": shop.in_seconds(3_600) })).await;
        shop.wait_seconds(3_500);
        let before = shop.hold(50).await;
        shop.wait_seconds(100);
        let after = shop.hold(50).await;
        shop.capture(&after, 50).await.expect(200);
        let left: Vec<i64> = shop.open_grants().await.into_iter().map(|(_, remaining)| remaining).collect();
        assert_eq!((left, shop.balance().await), (vec![50], (50, 50)));
        assert_eq!(shop.capture(&before, 50).await.expect(200)["credits"], 50);
        shop.close().await;
    }

    /// The background job reaches every account, also behind many that stay due.
    async fn what_has_ended_is_written_down_for_every_account(backend: Backend) {
        let shop = Shop::open(backend).await;
        let ends = shop.in_seconds(60);
        for number in 0..201 {
            let account = format!("/accounts/kept_{number}");
            let body = json!({ "credits": 5, "reason": "r", "expiresAt": ends, "create": true });
            shop.operator(&format!("/admin{account}/grants"), body).await.expect(200);
            let hold = json!({ "credits": 5, "expiresInSeconds": 3_600 });
            shop.post(&format!("{account}/credits/holds"), "hold", &hold).await.expect(200);
        }
        let body = json!({ "credits": 7, "reason": "r", "expiresAt": shop.in_seconds(90), "create": true });
        shop.operator(&format!("/admin/accounts/{ACCOUNT}/grants"), body).await.expect(200);
        shop.wait_seconds(100);
        // The service's own job may settle some of them first.
        settle_due(&shop.app.app, &CancellationToken::new()).await.expect("settles");
        let entries = shop.app.app.db.entries(&crate::support::books::account_id(ACCOUNT), i64::MAX, 1).await;
        assert_eq!(entries.expect("readable")[0].kind, "expiry");
        let settled = settle_due(&shop.app.app, &CancellationToken::new()).await.expect("settles");
        assert_eq!(settled, 201, "those that stay due come before it");
        shop.close().await;
    }

    /// Credits that were paid for, wherever, are not ended by an operator.
    async fn what_was_paid_for_cannot_be_ended(backend: Backend) {
        let shop = Shop::with_credits(backend, 10).await;
        let grant = shop.promote(json!({ "credits": 50, "reason": "Invoice 7", "category": "paid" })).await;
        let path = format!("/admin/grants/{}/void", text(&grant["id"]));
        shop.operator(&path, json!({ "reason": "r" })).await.expect_problem(409, "grant_bought");
        assert_eq!(shop.balance().await, (60, 0));
        shop.close().await;
    }
}

/// (On SQLite each write is counted.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looking_at_the_grants_of_a_settled_account_writes_nothing() {
    let shop = Shop::with_credits(Backend::Sqlite, 10).await;
    assert_eq!(shop.open_grants().await.len(), 1);
    let before = shop.app.app.db.commit_counts().writes;
    shop.open_grants().await;
    assert_eq!(shop.app.app.db.commit_counts().writes, before);
    shop.close().await;
}
