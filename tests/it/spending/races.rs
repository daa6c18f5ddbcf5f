//! Several processes that spend from the same accounts of one PostgreSQL database.

use futures_util::future::join_all;
use topup::books::spend::action::{Shortfall, SpendOutcome};

use super::ledger::{buy, capture, debit, hold, of, submit_to};
use crate::support::Backend;
use crate::support::books::{Books, NOW_MS};

/// Debits, holds and captures by three services until every account is empty: to the credit, what they were told was
/// taken is what is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_services_take_what_there_is_and_no_more() {
    let books = Books::open(Backend::Postgres).await;
    let services = [books.database.connect().await, books.database.connect().await, books.database.connect().await];
    let accounts = ["a", "b", "c", "d"];
    for (number, account) in (1..).zip(accounts) {
        buy(&books, number, account, 250).await;
    }
    let mut taken = 0;
    for round in 0..10_u128 {
        let commands = (0..60_u128).map(|index| {
            let number = round * 1_000 + index;
            let account = accounts[usize::try_from(index % 4).expect("small")];
            let db = &services[usize::try_from(index % 3).expect("small")];
            async move {
                if index % 5 != 0 {
                    return submit_to(db, of(account, debit(number, 1 + i64::try_from(index % 3).expect("small"))))
                        .await;
                }
                let held = submit_to(db, of(account, hold(number, 3, 1, NOW_MS + 60_000))).await;
                match held {
                    SpendOutcome::Held(..) => {
                        submit_to(db, of(account, capture(number, number, 2, Shortfall::Cap))).await
                    }
                    other => other,
                }
            }
        });
        for outcome in join_all(commands).await {
            match outcome {
                SpendOutcome::Spent(spend, _) => taken += spend.credits,
                SpendOutcome::Refused(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    let mut left = 0;
    for account in accounts {
        let balance = books.balance(account).await;
        assert!((0..3).contains(&balance), "{account} has {balance}");
        left += balance;
    }
    assert_eq!(taken + left, 1_000);
    for db in services {
        db.close().await;
    }
    books.finish().await;
}
