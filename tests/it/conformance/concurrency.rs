//! Many concurrent writes, as from several replicas and deliveries.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use topup::domain::checkout::PurchaseProgress;
use topup::domain::judge::Applied;

use crate::on_both_databases;
use crate::support::Backend as Databases;
use crate::support::books::{Books, Rows, account_id, apply, news, topup_of};

const MANY: u128 = 64;

/// Several connection pools on one database, as several processes have.
async fn replicas(books: &Books, backend: Databases) -> Vec<topup::db::Db> {
    let mut replicas = Vec::new();
    // SQLite has one service process, and the command line beside it.
    let count = if backend == Databases::Postgres { 3 } else { 2 };
    for _ in 0..count {
        replicas.push(books.database.connect().await);
    }
    replicas
}

on_both_databases! {
    async fn purchases_of_one_account_at_once_add_up(backend: Backend) {
        // Known mistake 4.
        let books = Books::open(backend).await;
        let replicas = replicas(&books, backend).await;
        let mut reports = Vec::new();
        for number in 1..=MANY {
            let credits = i64::try_from(number).expect("small");
            reports.push(books.opened_as(topup_of(number, "user_1", credits)).await);
        }
        let writes = reports.into_iter().zip(replicas.iter().cycle()).map(|(report, db)| apply(db, report));
        for outcome in join_all(writes).await {
            assert!(matches!(outcome, Ok(Applied::Credited { .. })), "{outcome:?}");
        }
        assert_eq!(books.balance("user_1").await, 64 * 65 / 2);
        let entries = books.db.entries(&account_id("user_1"), i64::MAX, 100).await.expect("readable");
        let sequences: Vec<i64> = entries.iter().rev().map(|entry| entry.sequence).collect();
        assert_eq!(sequences, (1..=64).collect::<Vec<_>>(), "numbered without gaps, no number twice");
        let mut running = 0;
        for entry in entries.iter().rev() {
            running += entry.credits;
            assert_eq!(entry.balance_after, running);
        }
        let sources: BTreeSet<&str> = entries.iter().map(|entry| entry.source.as_str()).collect();
        assert_eq!(sources.len(), 64);
        for db in replicas {
            db.close().await;
        }
        books.finish().await;
    }

    async fn purchases_of_many_accounts_at_once_stay_apart(backend: Backend) {
        let books = Books::open(backend).await;
        let mut reports = Vec::new();
        for number in 1..=MANY {
            let credits = 100 + i64::try_from(number).expect("small");
            reports.push(books.opened_as(topup_of(number, &format!("user_{number}"), credits)).await);
        }
        for outcome in join_all(reports.into_iter().map(|report| books.apply(report))).await {
            assert!(matches!(outcome, Ok(Applied::Credited { .. })), "{outcome:?}");
        }
        for number in 1..=MANY {
            assert_eq!(books.balance(&format!("user_{number}")).await, 100 + i64::try_from(number).expect("small"));
        }
        assert_eq!(books.rows().await, Rows { events: 64, failed: 0, entries: 64, accounts: 64, paid: 64 });
        books.finish().await;
    }

    async fn one_event_at_once_by_many_is_decided_by_one(backend: Backend) {
        // Known mistake 5.
        let books = Books::open(backend).await;
        let replicas = replicas(&books, backend).await;
        let report = books.opened(1).await;
        let writes = replicas.iter().cycle().take(32).map(|db| apply(db, report.clone()));
        let outcomes: Vec<Applied> =
            join_all(writes).await.into_iter().map(|outcome| outcome.expect("applied")).collect();
        let credited = outcomes.iter().filter(|outcome| matches!(outcome, Applied::Credited { .. })).count();
        let duplicates = outcomes.iter().filter(|outcome| **outcome == Applied::Duplicate).count();
        assert_eq!((credited, duplicates), (1, 31), "{outcomes:?}");
        assert_eq!(books.balance("user_1").await, 250);
        for db in replicas {
            db.close().await;
        }
        books.finish().await;
    }

    async fn many_events_about_one_payment_at_once_credit_once_and_each_is_decided(backend: Backend) {
        // Known mistakes 5 and 6.
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        let all =
            [PurchaseProgress::Paid, PurchaseProgress::Processing, PurchaseProgress::Expired, PurchaseProgress::Failed];
        let writes = all.into_iter().cycle().take(32).enumerate();
        let writes = writes.map(|(number, progress)| books.apply(news(&report, &format!("evt_{number}"), progress)));
        let outcomes: Vec<Applied> =
            join_all(writes).await.into_iter().map(|outcome| outcome.expect("applied")).collect();
        let credited = outcomes.iter().filter(|outcome| matches!(outcome, Applied::Credited { .. })).count();
        assert_eq!((credited, outcomes.contains(&Applied::Duplicate)), (1, false), "{outcomes:?}");
        assert_eq!(books.rows().await, Rows { events: 32, failed: 0, entries: 1, accounts: 1, paid: 1 });
        books.finish().await;
    }
}
