//! Row locks on PostgreSQL held by another session: writes to those rows wait, and nothing else does. (SQLite has one
//! writer.)

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use sqlx::{Connection, Executor, PgConnection};
use topup::db::{StoreError, Unavailable};
use topup::domain::checkout::{PurchaseProgress, PurchaseReport, TopupState};
use topup::domain::ids::LedgerEntryId;
use topup::domain::judge::Applied;
use topup::purchases::reversal::take_back::AppliedReversal;

use super::groups::{commands, is_credited, refund};
use crate::support::books::{Books, NOW_MS, apply, new_topup, news, topup_of};
use crate::support::{Backend, until};

/// Longer than all of this takes, and shorter than the lock timeout.
const PROMPTLY: Duration = Duration::from_secs(4);
const OTHERS: u128 = 120;

/// Purchases of as many accounts, with numbers from 1,000 on.
async fn others(books: &Books) -> Vec<PurchaseReport> {
    let mut reports = Vec::new();
    for number in 1_000..1_000 + OTHERS {
        reports.push(books.opened_as(topup_of(number, &format!("user_{number}"), 250)).await);
    }
    reports
}

async fn hold(books: &Books, rows: &'static str) -> PgConnection {
    let mut other = PgConnection::connect(&books.database.url).await.expect("connects");
    other.execute("BEGIN").await.expect("begins");
    other.execute(rows).await.expect("locks");
    other
}

/// The outcome of a write to a row that is free by now. On a slow machine the row may have been locked for longer than
/// the lock timeout. Then the write was refused without effect, and is repeated here.
async fn in_the_end<T>(
    outcome: Result<T, StoreError>,
    again: impl AsyncFnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    match outcome {
        Err(error) if error.unavailable() == Some(Unavailable::Busy) => again().await,
        outcome => outcome,
    }
}

/// Applies payments that need a locked row together with others that do not; the others are credited meanwhile.
async fn others_go_on(rows: &'static str) {
    let books = Books::open(Backend::Postgres).await;
    let first = books.opened(1).await;
    books.apply(first).await.expect("the account is there");
    let stuck = [books.opened(2).await, books.opened(3).await];
    let others = others(&books).await;
    let mut other = hold(&books, rows).await;
    let waiting = join_all(stuck.iter().map(|report| apply(&books.db, report.clone())));
    let meanwhile = async {
        let mut commands = commands(others);
        // In the same group as those that wait, and in later groups.
        for some in [commands.split_off(60), commands] {
            let outcomes = tokio::time::timeout(PROMPTLY, books.db.apply(some)).await.expect("others wait");
            assert!(outcomes.iter().all(is_credited), "{outcomes:?}");
        }
        let counts = books.db.commit_counts();
        assert!(counts.failed_groups <= 2, "those that wait are known, and fail no more groups: {counts:?}");
        other.execute("COMMIT").await.expect("releases");
    };
    let (waited, ()) = join(waiting, meanwhile).await;
    for (outcome, report) in waited.into_iter().zip(&stuck) {
        let outcome = in_the_end(outcome, async || apply(&books.db, report.clone()).await).await;
        assert!(is_credited(&outcome), "{outcome:?}");
    }
    assert_eq!(books.balance("user_1").await, 3 * 250);
    other.close().await.expect("closes");
    books.finish().await;
}

/// Known mistake 26.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_locked_account_does_not_stop_the_others() {
    others_go_on("SELECT id FROM accounts WHERE id = 'user_1' FOR UPDATE").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locked_purchases_do_not_stop_the_others() {
    others_go_on("SELECT id FROM topups WHERE account_id = 'user_1' FOR UPDATE").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_somebody_is_inserting_does_not_stop_the_others() {
    let books = Books::open(Backend::Postgres).await;
    let (stuck, others) = (books.opened(2).await, others(&books).await);
    let insert = "INSERT INTO accounts (id, balance, entries, updated_at) VALUES ('user_1', 0, 1, 0)";
    let mut other = hold(&books, insert).await;
    let meanwhile = async {
        let outcomes = tokio::time::timeout(PROMPTLY, books.db.apply(commands(others))).await.expect("others wait");
        assert!(outcomes.iter().all(is_credited), "{outcomes:?}");
        other.execute("ROLLBACK").await.expect("releases");
    };
    let (waited, ()) = join(apply(&books.db, stuck.clone()), meanwhile).await;
    let waited = in_the_end(waited, async || apply(&books.db, stuck).await).await;
    assert!(is_credited(&waited), "{waited:?}");
    other.close().await.expect("closes");
    books.finish().await;
}

/// Expired checkouts, refunds and other writes to locked rows do not delay those behind them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stragglers_about_a_held_row_hold_up_neither_payments_nor_other_writes() {
    use PurchaseProgress::{Expired, Failed, Processing};
    let books = Books::open(Backend::Postgres).await;
    let paid = books.opened(1).await;
    books.apply(paid.clone()).await.expect("the account is there");
    let mut stuck = Vec::new();
    for (number, progress) in [(2_u128, Expired), (3, Processing), (4, Failed)] {
        stuck.push(news(&books.opened(number).await, &format!("evt_end_{number}"), progress));
    }
    let others = others(&books).await;
    let bystander = books.opened_as(topup_of(5_000, "user_5000", 250)).await;
    books.apply(bystander.clone()).await.expect("credited");
    let rows = "SELECT id FROM topups WHERE account_id = 'user_1' FOR UPDATE";
    let mut other = hold(&books, rows).await;
    let ends = join_all(stuck.iter().map(|report| apply(&books.db, report.clone())));
    let refunds = join_all((1..=8).map(|number| books.db.apply_reversals(refund(number, 10, &paid))));
    // Not the one that holds the rows: within a transaction the view keeps showing what it showed first.
    let mut watch = PgConnection::connect(&books.database.url).await.expect("connects");
    let meanwhile = async {
        until("those that wait", async || {
            let sql =
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
            let waiting: i64 = sqlx::query_scalar(sql).fetch_one(&mut watch).await.expect("readable");
            (waiting > 3).then_some(())
        })
        .await;
        let rest = async {
            let outcomes = books.db.apply(commands(others)).await;
            assert!(outcomes.iter().all(is_credited), "{outcomes:?}");
            let refunded = books.db.apply_reversals(refund(100, 10, &bystander)).await;
            assert!(matches!(refunded, Ok(AppliedReversal::Settled { .. })), "{refunded:?}");
            books.insert(new_topup(6_000)).await;
            assert_eq!(books.balance("user_1").await, 250, "reads go on");
        };
        tokio::time::timeout(PROMPTLY, rest).await.expect("others wait");
        other.execute("COMMIT").await.expect("releases");
    };
    let (ends, refunds, ()) = tokio::join!(ends, refunds, meanwhile);
    let states = [TopupState::Expired, TopupState::Processing, TopupState::Failed];
    for ((end, report), state) in ends.into_iter().zip(&stuck).zip(states) {
        let end = in_the_end(end, async || apply(&books.db, report.clone()).await).await;
        assert!(matches!(end, Ok(Applied::Moved(now)) if now == state), "{state:?}: {end:?}");
    }
    for (refunded, number) in refunds.into_iter().zip(1..) {
        let again = async || books.db.apply_reversals(refund(number, 10, &paid)).await;
        let refunded = in_the_end(refunded, again).await;
        assert!(matches!(refunded, Ok(AppliedReversal::Settled { .. })), "{refunded:?}");
    }
    assert_eq!(books.balance("user_1").await, 250 - 80);
    watch.close().await.expect("closes");
    other.close().await.expect("closes");
    books.finish().await;
}

/// The wait is bounded in time, and so is the number of waiting writes: the rest are refused as busy, without effect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_that_wait_for_a_held_row_are_bounded_in_number_and_time() {
    let books = Books::open(Backend::Postgres).await;
    let first = books.opened(1).await;
    books.apply(first).await.expect("the account is there");
    let mut stuck = Vec::new();
    for number in 2..=41_u128 {
        stuck.push(books.opened(number).await);
    }
    let mut other = hold(&books, "SELECT id FROM accounts WHERE id = 'user_1' FOR UPDATE").await;
    let outcomes = books.db.apply(commands(stuck.clone())).await;
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::Locked))).count();
    assert!((20..40).contains(&refused), "{refused}");
    for outcome in &outcomes {
        let error = outcome.as_ref().expect_err("the account is held");
        assert_eq!(error.unavailable(), Some(Unavailable::Busy), "{error:?}");
    }
    other.execute("COMMIT").await.expect("releases");
    // Stripe delivers them again.
    let again = books.db.apply(commands(stuck)).await;
    let credited = again.iter().filter(|outcome| is_credited(outcome)).count();
    assert!(credited >= 16, "{again:?}");
    other.close().await.expect("closes");
    books.finish().await;
}

/// The fee stored for a payment while it is being credited does not undo its group.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fee_that_is_stored_meanwhile_does_not_undo_a_group() {
    let books = Books::open_patiently(Backend::Postgres).await;
    let reports = [books.opened(1).await, books.opened(2).await, books.opened(3).await];
    let mut other = hold(&books, "SELECT id FROM topups FOR UPDATE").await;
    let mut fee = PgConnection::connect(&books.database.url).await.expect("connects");
    let meanwhile = async {
        until("the group waits", async || {
            let sql =
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
            let waiting: i64 = sqlx::query_scalar(sql).fetch_one(&mut fee).await.expect("readable");
            (waiting == 1).then_some(())
        })
        .await;
        let insert = "INSERT INTO payments (provider_payment_id, provider, topup_id, state, writes, real_fee, real_fee_currency, created_at, \
            updated_at) SELECT $1, 'stripe', $2, 'waiting', 1, 38, 'usd', 0, 0";
        for report in &reports {
            let payment = report.payment.as_ref().expect("a payment").as_str();
            let insert = sqlx::query(insert).bind(payment).bind(report.topup.as_str());
            insert.execute(&mut other).await.expect("stored");
        }
        other.execute("COMMIT").await.expect("releases");
    };
    let (outcomes, ()) = join(books.db.apply(commands(reports.to_vec())), meanwhile).await;
    assert!(outcomes.iter().all(is_credited), "{outcomes:?}");
    let counts = books.db.commit_counts();
    assert_eq!((counts.failed_groups, counts.alone), (0, 0), "{counts:?}");
    other.close().await.expect("closes");
    fee.close().await.expect("closes");
    books.finish().await;
}

/// Refunds and disputes race with their payments in several processes, and no deadlock occurs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_that_race_their_payments_never_deadlock() {
    const MANY: u128 = 150;
    let books = Books::open_patiently(Backend::Postgres).await;
    // The server checks for deadlocks as soon as a session waits, so a cycle is reported as a deadlock and not as a
    // lock timeout.
    let soon = "ALTER ROLE topup SET deadlock_timeout = '5ms'";
    books.db.execute_raw(soon).await.expect("set");
    let others = [books.database.connect_patiently().await, books.database.connect_patiently().await];
    let mut reports = Vec::new();
    for number in 1..=MANY {
        reports.push(books.opened_as(topup_of(number, &format!("user_{}", number % 3), 250)).await);
    }
    let refunds = join_all((1_u128..).zip(&reports).map(|(number, report)| {
        let (db, refund) = (&others[usize::try_from(number % 2).expect("small")], refund(number, 289, report));
        async move { db.apply_reversals(refund).await }
    }));
    let again = reports.iter().map(|report| PurchaseReport { event: None, ..report.clone() }).collect();
    let (credited, also, refunded) =
        tokio::join!(books.db.apply(commands(reports.clone())), others[0].apply(with_other_entries(again)), refunds);
    assert!(credited.iter().all(Result::is_ok), "{credited:?}");
    assert!(also.iter().all(Result::is_ok), "{also:?}");
    assert!(refunded.iter().all(Result::is_ok), "{refunded:?}");
    assert_eq!(books.balance("user_1").await, 0);
    for db in others {
        db.close().await;
    }
    let url = books.database.url.clone();
    books.finish().await;
    assert_eq!(deadlocks(&url).await, 0);
}

fn with_other_entries(reports: Vec<PurchaseReport>) -> Vec<topup::purchases::payment::apply::ApplyPayment> {
    let mut commands = commands(reports);
    for (command, number) in commands.iter_mut().zip((100_000_u128..).step_by(2)) {
        command.entry = LedgerEntryId::from_bits(number);
        command.reversal_entry = LedgerEntryId::from_bits(number + 1);
        command.now_ms = NOW_MS;
    }
    commands
}

/// The number of deadlocks the server has found, once all sessions have ended and reported their statistics.
async fn deadlocks(url: &str) -> i64 {
    let mut other = PgConnection::connect(url).await.expect("connects");
    let alone = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
        AND backend_type = 'client backend'";
    until("the end of all sessions", async || {
        let count: i64 = sqlx::query_scalar(alone).fetch_one(&mut other).await.expect("readable");
        (count == 0).then_some(())
    })
    .await;
    let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let found = sqlx::query_scalar(sql).fetch_one(&mut other).await.expect("readable");
    other.close().boxed().await.expect("closes");
    found
}
