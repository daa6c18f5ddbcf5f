//! Two writes to one top-up on PostgreSQL, which both read it before either changed it. A lock forces the order; the
//! result is that of a sequential run. (SQLite has one writer.)

use sqlx::{Connection, Executor, PgConnection};
use topup::db::StoreError;
use topup::domain::checkout::{PurchaseProgress, PurchaseReport, TopupState};
use topup::domain::ids::SessionId;
use topup::domain::judge::Applied;
use topup::providers::stripe::name::NAME as STRIPE;

use crate::support::books::{Books, Rows, apply, new_topup, news, paid_report, topup_of};
use crate::support::{Backend, until};
use PurchaseProgress::{Expired, Failed, Paid, Processing};

type Outcome = Result<Applied, StoreError>;

async fn waiting(connection: &mut PgConnection) -> i64 {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    sqlx::query_scalar(sql).fetch_one(connection).await.expect("readable")
}

/// Applies both: each has read the purchase before the first changes it, and the first changes it first.
async fn apply_both(books: &Books, first: PurchaseReport, second: PurchaseReport) -> (Outcome, Outcome) {
    let mut lock = PgConnection::connect(&books.database.url).await.expect("connects");
    lock.execute("BEGIN; SELECT id FROM topups FOR UPDATE").await.expect("locks");
    // Another process's pool, because one process commits concurrent writes together.
    let other = books.database.connect_patiently().await;
    let mut watch = PgConnection::connect(&books.database.url).await.expect("connects");
    let control = async {
        until("the first waits", async || (waiting(&mut watch).await == 1).then_some(())).await;
        let release = async {
            until("the second waits", async || (waiting(&mut watch).await == 2).then_some(())).await;
            lock.execute("COMMIT").await.expect("releases");
        };
        futures_util::future::join(apply(&other, second), release).await.0
    };
    let outcomes = futures_util::future::join(books.apply(first), control).await;
    lock.close().await.expect("closes");
    watch.close().await.expect("closes");
    other.close().await;
    outcomes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_saw_the_same_purchase_the_second_is_decided_anew() {
    // Known mistakes 5 and 6.
    let books = Books::open_patiently(Backend::Postgres).await;
    let end = [
        (Paid, Paid, TopupState::Paid),
        (Paid, Processing, TopupState::Paid),
        (Paid, Failed, TopupState::Paid),
        (Paid, Expired, TopupState::Paid),
        (Processing, Paid, TopupState::Paid),
        (Failed, Paid, TopupState::Paid),
        (Expired, Paid, TopupState::Paid),
        (Processing, Processing, TopupState::Processing),
        (Processing, Expired, TopupState::Processing),
        (Processing, Failed, TopupState::Failed),
        (Failed, Processing, TopupState::Failed),
        (Failed, Expired, TopupState::Failed),
        (Expired, Processing, TopupState::Expired),
        (Expired, Failed, TopupState::Expired),
    ];
    for (number, (first, second, state)) in (1_u128..).zip(end) {
        let account = format!("user_{number}");
        let report = books.opened_as(topup_of(number, &account, 250)).await;
        let one = news(&report, &format!("evt_a{number}"), first);
        let two = news(&report, &format!("evt_b{number}"), second);
        let outcomes = apply_both(&books, one, two).await;
        assert!(matches!(outcomes, (Ok(_), Ok(_))), "{first:?}, {second:?}: {outcomes:?}");
        assert_eq!(books.state(&report.topup).await, state, "{first:?}, {second:?}: {outcomes:?}");
        let credits = if state == TopupState::Paid { 250 } else { 0 };
        assert_eq!(books.balance(&account).await, credits, "{first:?}, {second:?}: {outcomes:?}");
    }
    books.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_sessions_that_want_to_be_the_purchases_session_the_first_is() {
    let books = Books::open_patiently(Backend::Postgres).await;
    for (number, first) in [(1, Paid), (2, Processing)] {
        let new = new_topup(number);
        books.insert(new.clone()).await;
        let report = paid_report(&new);
        let session = SessionId::parse(STRIPE, format!("cs_test_other_{number}")).expect("an id");
        let one = news(&report, &format!("evt_a{number}"), first);
        let two = PurchaseReport { session, ..news(&report, &format!("evt_b{number}"), Paid) };
        let (_, second) = apply_both(&books, one, two).await;
        assert!(matches!(&second, Ok(Applied::Rejected(mismatch)) if mismatch.field == "session"), "{second:?}");
        let topup = books.topup(&report.topup).await;
        let state = if first == Paid { TopupState::Paid } else { TopupState::Processing };
        assert_eq!((topup.session, topup.state), (Some(report.session), state));
    }
    assert_eq!(books.rows().await, Rows { events: 2, failed: 0, entries: 1, accounts: 1, paid: 1 });
    books.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_event_twice_in_flight_is_decided_once() {
    // Known mistake 5.
    let books = Books::open_patiently(Backend::Postgres).await;
    let report = books.opened(1).await;
    let (first, second) = apply_both(&books, report.clone(), report).await;
    assert!(matches!(first, Ok(Applied::Credited { balance_after: 250, .. })), "{first:?}");
    assert!(matches!(second, Ok(Applied::Duplicate)), "{second:?}");
    books.finish().await;
}

/// Known mistake 23, in the moment in which it cannot be seen before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_comes_while_its_payment_is_being_credited_is_settled() {
    let books = Books::open_patiently(Backend::Postgres).await;
    let report = books.opened(1).await;
    let mut refund = PgConnection::connect(&books.database.url).await.expect("connects");
    let mut watch = PgConnection::connect(&books.database.url).await.expect("connects");
    let payment = report.payment.as_ref().expect("a payment").as_str();
    let insert = "INSERT INTO payments (provider_payment_id, provider, topup_id, state, writes, created_at, updated_at) \
        VALUES ($1, 'stripe', $2, 'waiting', 1, 0, 0)";
    refund.execute("BEGIN").await.expect("begins");
    let raise = "UPDATE topups SET revision = revision + 1 WHERE id = $1";
    sqlx::query(raise).bind(report.topup.as_str()).execute(&mut refund).await.expect("writes");
    sqlx::query(insert).bind(payment).bind(report.topup.as_str()).execute(&mut refund).await.expect("writes");
    let total = report.amount_total_minor.expect("an amount");
    let finish = async {
        until("the payment waits", async || (waiting(&mut watch).await == 1).then_some(())).await;
        let insert = "INSERT INTO reversals (provider_reversal_id, provider, kind, provider_payment_id, amount, currency, status, stage, counts, version, \
            created_at, updated_at) VALUES ('re_1', 'stripe', 'refund', $1, $2, 'usd', 'succeeded', 1, 1, 1, 0, 0)";
        sqlx::query(insert).bind(payment).bind(total).execute(&mut refund).await.expect("writes");
        refund.execute("COMMIT").await.expect("commits");
    };
    let (outcome, ()) = futures_util::future::join(books.apply(report.clone()), finish).await;
    assert!(matches!(outcome, Ok(Applied::Credited { balance_after: 0, .. })), "{outcome:?}");
    assert_eq!(books.balance("user_1").await, 0);
    refund.close().await.expect("closes");
    watch.close().await.expect("closes");
    books.finish().await;
}
