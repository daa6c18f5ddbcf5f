//! A report that contradicts the agreed purchase is rejected, and nothing is written.

use topup::domain::checkout::{PurchaseProgress, PurchaseReport, TopupState};
use topup::domain::ids::SessionId;
use topup::domain::judge::Applied;
use topup::providers::stripe::name::NAME as STRIPE;

use crate::on_both_databases;
use crate::support::books::{Books, Rows, event};

type Change = fn(&mut PurchaseReport);

const CHANGES: [(&str, Change); 19] = [
    ("livemode", |report| report.livemode = true),
    ("mode", |report| report.mode = Some("setup".to_owned())),
    ("mode", |report| report.mode = None),
    ("metadata.accountId", |report| report.account = Some("user_2".to_owned())),
    ("metadata.accountId", |report| report.account = None),
    // Both account fields name the other account, so only the agreed purchase contradicts them.
    ("metadata.accountId", |report| {
        report.account = Some("user_2".to_owned());
        report.client_reference = Some("user_2".to_owned());
    }),
    // A database that ends texts at a zero byte would see the agreed value.
    ("metadata.accountId", |report| {
        report.account = Some("user_1\0".to_owned());
        report.client_reference = Some("user_1\0".to_owned());
    }),
    ("currency", |report| report.currency = Some("usd\0".to_owned())),
    ("client_reference_id", |report| report.client_reference = Some("user_2".to_owned())),
    ("client_reference_id", |report| report.client_reference = None),
    ("metadata.credits", |report| report.credits = Some("251".to_owned())),
    ("metadata.credits", |report| report.credits = Some("+250".to_owned())),
    ("metadata.credits", |report| report.credits = None),
    ("currency", |report| report.currency = Some("eur".to_owned())),
    ("currency", |report| report.currency = None),
    ("amount_total", |report| report.amount_total_minor = Some(288)),
    ("amount_total", |report| report.amount_total_minor = Some(290)),
    ("amount_total", |report| report.amount_total_minor = None),
    ("session", |report| report.session = SessionId::parse(STRIPE, "cs_test_other").expect("an id")),
];

on_both_databases! {
    async fn each_difference_is_rejected_and_writes_nothing(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        for (field, change) in CHANGES {
            for progress in [PurchaseProgress::Paid, PurchaseProgress::Processing, PurchaseProgress::Expired] {
                // The end of another session is no contradiction.
                if (field, progress) == ("session", PurchaseProgress::Expired) {
                    continue;
                }
                let mut changed = PurchaseReport { progress, ..report.clone() };
                change(&mut changed);
                let rejected = books.apply(changed).await.expect("applied");
                assert!(matches!(&rejected, Applied::Rejected(mismatch) if mismatch.field == field), "{rejected:?}");
                let after = (books.state(&report.topup).await, books.rows().await);
                assert_eq!(after, (TopupState::Open, Rows::default()), "{field}");
            }
        }
        books.finish().await;
    }

    async fn a_rejected_event_can_still_come_right(backend: Backend) {
        // No event row remains, so the same event is judged again when it is delivered again.
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        let wrong = PurchaseReport { amount_total_minor: Some(1), ..report.clone() };
        assert!(matches!(books.apply(wrong).await, Ok(Applied::Rejected(_))));
        assert!(matches!(books.apply(report).await, Ok(Applied::Credited { .. })));
        books.finish().await;
    }

    async fn a_paid_purchase_still_rejects_what_contradicts_it(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        books.apply(report.clone()).await.expect("applied");
        let before = books.rows().await;
        let session = SessionId::parse(STRIPE, "cs_test_second").expect("an id");
        let second = PurchaseReport { session, event: Some(event("evt_second")), ..report };
        assert!(matches!(books.apply(second).await, Ok(Applied::Rejected(_))));
        assert_eq!((books.balance("user_1").await, books.rows().await), (250, before));
        books.finish().await;
    }
}
