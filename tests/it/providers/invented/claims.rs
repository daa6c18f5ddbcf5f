//! What one provider says about another's top-up is never believed, whatever ids it gives.

use serde_json::json;
use topup::db::Db;
use topup::domain::checkout::{PurchaseReport, TopupState};
use topup::domain::ids::{PaymentId, TopupId};
use topup::domain::judge::Applied;
use topup::purchases::outcome::{ApplyEventError, EventOutcome};

use super::app::Shop;
use crate::on_both_databases;
use crate::support::books::{Books, apply, new_topup, paid_report, rows};

/// A delivery of Acme's that says what a report of Stripe's says.
fn same_said_by_acme(report: &PurchaseReport) -> String {
    json!({ "news": report.event.as_ref().map(|(id, _)| id.as_str()), "about": "order", "real": false, "order": {
        "number": report.session.as_str(), "status": "paid", "for": report.topup.as_str(), "buyer": "user_1",
        "credits": 250, "currency": "usd", "total": 289, "money": report.payment.as_ref().map(PaymentId::as_str),
    } })
    .to_string()
}

async fn state(db: &Db, topup: &TopupId) -> TopupState {
    db.topup(topup).await.expect("readable").expect("a top-up").state
}

/// Acme's shop on books with an open top-up of Stripe's; and what Stripe would say when it is paid.
async fn shop_with_a_topup_of_stripes(backend: crate::support::Backend) -> (Shop, PurchaseReport) {
    let books = Books::open(backend).await;
    let report = books.opened(1).await;
    let Books { db, database } = books;
    db.close().await;
    (Shop::on(database).await, report)
}

on_both_databases! {
    async fn a_payment_of_another_providers_topup_is_rejected(backend: Backend) {
        let (shop, report) = shop_with_a_topup_of_stripes(backend).await;
        let body = same_said_by_acme(&report);
        for _ in 0..2 {
            let applied = shop.deliver(&body).await.expect("is rejected");
            let EventOutcome::Rejected(mismatch) = applied else { panic!("{applied:?}") };
            assert_eq!((mismatch.field, mismatch.reported.as_str(), mismatch.agreed.as_str()), ("provider", "acme", "stripe"));
            assert!(!mismatch.can_be_accepted);
        }
        let db = &shop.app.db;
        assert_eq!((shop.credits("user_1").await, state(db, &report.topup).await), (0, TopupState::Open));
        let rows = rows(db).await;
        assert_eq!((rows.events, rows.failed, rows.entries), (0, 1, 0));
        // Stripe's own word counts as ever, although Acme has used the event's id.
        let applied = apply(db, report).await.expect("is applied");
        assert!(matches!(applied, Applied::Credited { credits: 250, .. }), "{applied:?}");
        shop.finish().await;
    }

    async fn a_payment_of_acmes_topup_is_rejected_from_stripe(backend: Backend) {
        let shop = Shop::open(backend).await;
        let session = shop.checkout("user_1").await;
        let topup = shop.topup(&session).await;
        let report = PurchaseReport { topup: topup.clone(), ..paid_report(&new_topup(1)) };
        let applied = apply(&shop.app.db, report).await.expect("is rejected");
        let Applied::Rejected(mismatch) = applied else { panic!("{applied:?}") };
        assert_eq!(mismatch.field, "provider");
        assert_eq!((shop.credits("user_1").await, state(&shop.app.db, &topup).await), (0, TopupState::Open));
        shop.finish().await;
    }

    async fn a_refund_of_another_providers_payment_takes_nothing(backend: Backend) {
        let (shop, report) = shop_with_a_topup_of_stripes(backend).await;
        let payment = report.payment.clone().expect("a payment");
        apply(&shop.app.db, report).await.expect("is applied");
        assert_eq!(shop.credits("user_1").await, 250);
        let body = json!({ "news": "news-1", "about": "return", "real": false, "return": {
            "number": "return-1", "money": payment.as_str(), "amount": 100, "currency": "usd", "note": null } });
        // These books have no payment of Acme's with that id, and Acme has no way to ask whose it is.
        let applied = shop.deliver(&body.to_string()).await;
        assert!(matches!(applied, Err(ApplyEventError::Provider(_))), "{applied:?}");
        assert_eq!(shop.credits("user_1").await, 250);
        shop.finish().await;
    }
}
