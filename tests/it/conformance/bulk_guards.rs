//! Bulk statements write what their commands write individually, and leave out what is not straightforward.

use std::fmt::Debug;

use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};
use topup::db::Command;
use topup::domain::checkout::{PurchaseProgress, PurchaseReport, TopupState};
use topup::domain::fees::RealFee;
use topup::domain::ids::{FeeId, LedgerEntryId, TopupId};
use topup::domain::judge::Applied;
use topup::domain::pricing::Quote;
use topup::domain::tax::TaxBehavior;
use topup::providers::stripe::name::NAME as STRIPE;
use topup::purchases::checkout::checkouts::{BeginCheckout, CheckoutStart, StoreOpened};
use topup::purchases::fee::fee_news::{ExpectFee, FeeNews};
use topup::purchases::fee::fees;
use topup::purchases::idempotency::{self, StoredAnswer};
use topup::purchases::payment::apply::ApplyPayment;
use topup::purchases::payment::endings::EndPurchase;
use topup::purchases::topups::NewTopup;

use super::bulk::{begin, charge, key, opened};
use super::groups::{commands, is_credited};
use crate::on_both_databases;
use crate::support::books::{Books, NOW_MS, news, paid_report, topup_of};
use crate::support::{closure, until};

/// The tables that commands write.
const TABLES: [&str; 6] = ["topups", "payments", "webhook_events", "idempotency_keys", "accounts", "ledger_entries"];
/// How many commands run together; each is compared with the one that runs alone.
const TOGETHER: u128 = 5;
const ALONE: u128 = 100;

/// The digits by which everything about a top-up can be told.
fn digits(number: u128) -> String {
    format!("{number:032x}")
}

/// All columns of all rows about a top-up, without its digits.
async fn rows_about(books: &Books, number: u128) -> Vec<String> {
    let mut rows = Vec::new();
    for table in TABLES {
        rows.extend(texts(&books.database.url, table).await.into_iter().map(|text| format!("{table}: {text}")));
    }
    let digits = digits(number);
    rows.retain(|text| text.contains(&digits));
    let mut rows: Vec<String> = rows.into_iter().map(|text| text.replace(&digits, "it")).collect();
    rows.sort_unstable();
    rows
}

async fn texts(url: &str, table: &str) -> Vec<String> {
    if url.starts_with("sqlite:") {
        let mut other = SqliteConnection::connect(url).await.expect("connects");
        let sql = AssertSqlSafe(format!("SELECT * FROM {table}"));
        let rows = other.fetch_all(sqlx::raw_sql(sql)).await.expect("readable");
        let text = |row: &sqlx::sqlite::SqliteRow| -> String {
            let column = |column| row.try_get_unchecked::<Option<String>, usize>(column).expect("text");
            format!("{:?}", (0..row.len()).map(column).collect::<Vec<_>>())
        };
        return rows.iter().map(text).collect();
    }
    let mut other = PgConnection::connect(url).await.expect("connects");
    let sql = AssertSqlSafe(format!("SELECT to_jsonb(one)::TEXT FROM {table} AS one"));
    other.fetch_all(sqlx::raw_sql(sql)).await.expect("readable").iter().map(|row| row.get(0)).collect()
}

/// A top-up of an account of its own.
fn new(number: u128) -> NewTopup {
    topup_of(number, &format!("user_{}", digits(number)), 250)
}

fn key_of(number: u128) -> idempotency::IdempotencyKey {
    key(&format!("key_{}", digits(number)), "request")
}

fn session_of(number: u128) -> StoreOpened {
    opened(number, &format!("cs_test_{}", digits(number)), Some(key_of(number)))
}

fn payment_of(number: u128, progress: PurchaseProgress) -> ApplyPayment {
    let report = news(&paid_report(&new(number)), &format!("evt_{progress:?}_{}", digits(number)), progress);
    let entry = LedgerEntryId::from_bits(number);
    ApplyPayment { report, reversal_entry: entry.clone(), entry, now_ms: NOW_MS + 7 }
}

fn fee_of(number: u128, nth: u32) -> ExpectFee {
    let news = charge(&paid_report(&new(number)), &format!("{nth}_{}", digits(number)));
    ExpectFee { now_ms: NOW_MS + i64::from(nth), ..news }
}

/// Runs some commands in bulk and one individually: they have the same outcome, and write the same.
async fn check_both_ways<C: Command>(books: &Books, command: impl Fn(u128) -> C)
where
    C::Output: Debug,
{
    let before = books.db.commit_counts();
    let together = join_all((1..=TOGETHER).map(|number| books.db.submit(command(number)))).await;
    let counts = books.db.commit_counts();
    assert_eq!(u128::from(counts.in_bulk - before.in_bulk), TOGETHER, "{}: {together:?}", C::NAME);
    let individually = command(ALONE);
    let alone = books.db.write(closure(move |tx| individually.clone().run(tx))).await;
    let (alone, expected) = (format!("{alone:?}"), rows_about(books, ALONE).await);
    assert!(alone.starts_with("Ok"), "{}: {alone}", C::NAME);
    for (number, outcome) in (1..=TOGETHER).zip(together) {
        assert_eq!(format!("{outcome:?}"), alone, "{}", C::NAME);
        assert_eq!(rows_about(books, number).await, expected, "{}", C::NAME);
    }
    assert_eq!(books.db.commit_counts().in_bulk, counts.in_bulk, "the last one ran individually");
}

/// Asks for a payment's fee, in vain or not.
async fn ask_for_fee(books: &Books, number: u128, is_known: bool) {
    let command = fee_of(number, 1);
    let written = books.db.write(closure(move |tx| {
        let ExpectFee { payment, fee_id, .. } = command.clone();
        async move {
            let due = fees::DueFee {
                provider_payment_id: payment.as_str().to_owned(),
                provider: STRIPE.as_str().to_owned(),
                provider_fee_id: fee_id.as_str().to_owned(),
                fee_due_at: NOW_MS + 1,
                fee_tries: 0,
            };
            assert!(fees::claim(tx, &due, NOW_MS + 60_000).await?);
            if is_known {
                let fee_id = FeeId::parse(STRIPE, format!("{}_known", fee_id.as_str())).expect("an id");
                let fee = RealFee { fee_id, amount_minor: 38, currency: "usd".to_owned() };
                fees::store(tx, &payment, Some("ch_known"), &fee, NOW_MS + 2).await?;
            }
            Ok(())
        }
        .boxed()
    }));
    written.await.expect("written");
}

on_both_databases! {
    async fn in_bulk_each_command_writes_what_it_writes_individually(backend: Backend) {
        use PurchaseProgress::{Expired, Paid};
        let books = Books::open(backend).await;
        let begun = |number, key| BeginCheckout { new: new(number), ..begin(number, key) };
        check_both_ways(&books, |number| begun(number, Some(key_of(number)))).await;
        check_both_ways(&books, session_of).await;
        check_both_ways(&books, |number| payment_of(number, Paid)).await;
        check_both_ways(&books, |number| fee_of(number, 1)).await;
        // A top-up, its key, account, entry and payment, and two events.
        assert_eq!(rows_about(&books, ALONE).await.len(), 7);
        books.finish().await;
        let books = Books::open(backend).await;
        check_both_ways(&books, |number| begun(number, None)).await;
        check_both_ways(&books, |number| StoreOpened { key: None, ..session_of(number) }).await;
        check_both_ways(&books, |number| EndPurchase(payment_of(number, Expired))).await;
        check_both_ways(&books, |number| payment_of(number, Paid)).await;
        assert_eq!(rows_about(&books, ALONE).await.len(), 6);
        books.finish().await;
    }

    async fn in_bulk_news_of_a_fee_keep_what_is_known_and_begin_to_ask_again(backend: Backend) {
        for is_known in [true, false] {
            let books = Books::open(backend).await;
            for number in (1..=TOGETHER).chain([ALONE]) {
                books.opened_as(new(number)).await;
            }
            check_both_ways(&books, |number| fee_of(number, 1)).await;
            for number in (1..=TOGETHER).chain([ALONE]) {
                ask_for_fee(&books, number, is_known).await;
            }
            check_both_ways(&books, |number| fee_of(number, 3)).await;
            books.finish().await;
        }
    }

    async fn what_is_foreign_or_was_decided_fails_no_group(backend: Backend) {
        use PurchaseProgress::{Expired, Nothing};
        let books = Books::open(backend).await;
        let reports = [books.opened(1).await, books.opened(2).await];
        let first = charge(&reports[0], "evt_fee");
        assert!(matches!(books.db.submit(first.clone()).await, Ok(FeeNews::Expected)));
        // This one said something else before.
        let nothing = news(&reports[1], "evt_end", Nothing);
        assert_eq!(books.apply(nothing.clone()).await.expect("applied"), Applied::NothingToDo);
        let before = [rows_about(&books, 1).await, rows_about(&books, 2).await];
        let in_bulk = books.db.commit_counts().in_bulk;
        let foreign = ExpectFee { topup: TopupId::from_bits(999), ..charge(&reports[0], "evt_foreign") };
        assert!(matches!(books.db.submit(foreign).await, Ok(FeeNews::Foreign)));
        assert!(matches!(books.db.submit(first).await, Ok(FeeNews::Duplicate)));
        assert_eq!(books.db.commit_counts().in_bulk - in_bulk, 2);
        let ended = PurchaseReport { progress: Expired, ..nothing };
        assert_eq!(books.apply(ended).await.expect("applied"), Applied::Duplicate);
        assert_eq!([rows_about(&books, 1).await, rows_about(&books, 2).await], before);
        assert_eq!(books.db.commit_counts().failed_groups, 0);
        books.finish().await;
    }

    async fn checkouts_with_one_key_fail_no_group(backend: Backend) {
        let books = Books::open_patiently(backend).await;
        assert!(matches!(books.db.submit(begin(1, Some(key("old", "request")))).await, Ok(CheckoutStart::New)));
        let (held, groups) = (books.database.hold_writes().await, books.db.commit_counts().groups);
        let first = books.db.submit(begin(2, None));
        // On SQLite the others queue up while the first is blocked, so they are one group.
        let others = async {
            until("a group", async || (books.db.commit_counts().groups > groups).then_some(())).await;
            let with_keys = [(3, "old"), (4, "new"), (5, "new"), (6, "own")];
            let others = with_keys.map(|(number, name)| books.db.submit(begin(number, Some(key(name, "request")))));
            join(join_all(others), held.release()).await.0
        };
        let (first, others) = join(first, others).await;
        assert!(matches!(first, Ok(CheckoutStart::New)), "{first:?}");
        let is_new: Vec<bool> = others.iter().map(|begun| matches!(begun, Ok(CheckoutStart::New))).collect();
        assert_eq!(is_new, [false, true, false, true], "{others:?}");
        assert!(matches!((&others[0], &others[2]), (Ok(CheckoutStart::StillRunning), Ok(CheckoutStart::StillRunning))));
        for (number, is_written) in [(3, false), (4, true), (5, false), (6, true)] {
            assert_eq!(books.db.topup(&TopupId::from_bits(number)).await.expect("readable").is_some(), is_written);
        }
        assert_eq!(books.db.commit_counts().failed_groups, 0);
        books.finish().await;
    }

    async fn a_checkout_that_changed_meanwhile_is_stored_individually(backend: Backend) {
        let books = Books::open(backend).await;
        for number in 1..=4_u128 {
            let begun = books.db.submit(begin(number, Some(key(&format!("key_{number}"), "request")))).await;
            assert!(matches!(begun, Ok(CheckoutStart::New)));
        }
        // Another session, another state, a key that was answered, and what is forgotten.
        let sql = "UPDATE topups SET provider_session_id = 'cs_other' WHERE id LIKE '%1'; \
            UPDATE topups SET state = 'expired' WHERE id LIKE '%2'; \
            UPDATE topups SET failure_code = 'once' WHERE id LIKE '%4'";
        books.db.execute_raw(sql).await.expect("done");
        let answered = StoredAnswer { status: 503, code: Some("too_busy".to_owned()) };
        let answer = answered.clone();
        let stored = books.db.write(closure(move |tx| {
            let answer = answer.clone();
            async move { idempotency::answer(tx, &key("key_3", "request"), &answer).await }.boxed()
        }));
        stored.await.expect("stored");
        let store = async |number: u128| {
            let key = key(&format!("key_{number}"), "request");
            books.db.submit(opened(number, &format!("cs_{number}"), Some(key))).await
        };
        let stored = join_all((1..=4).map(store)).await;
        assert!(matches!(stored[..], [Ok(false), Ok(true), Ok(true), Ok(true)]), "{stored:?}");
        let states = [TopupState::Creating, TopupState::Expired, TopupState::Open, TopupState::Open];
        let mut answers = Vec::new();
        for (number, state) in (1..).zip(states) {
            let topup = books.topup(&TopupId::from_bits(number)).await;
            assert_eq!((topup.state, topup.failure_code), (state, None), "{number}");
            let session = if number == 1 { "cs_other".to_owned() } else { format!("cs_{number}") };
            assert_eq!(topup.session.expect("a session").as_str(), session);
            let key = key(&format!("key_{number}"), "request");
            answers.push(books.db.answered(&key, 0).await.expect("readable").expect("answered").1);
        }
        assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [409, 200, 503, 200]);
        assert_eq!(answers[2], answered, "the first answer stays");
        books.finish().await;
    }

    /// The comparison with what was agreed about tax is made individually.
    async fn what_was_sold_with_tax_is_not_credited_in_bulk(backend: Backend) {
        let books = Books::open(backend).await;
        let in_bulk = books.db.commit_counts().in_bulk;
        for (number, subtotal, is_credited) in [(1, None, false), (2, Some(289), true)] {
            let plain = new(number);
            let quote = Quote { tax: Some(TaxBehavior::Exclusive), ..plain.quote };
            books.opened_as(NewTopup { quote, ..plain.clone() }).await;
            let report = PurchaseReport { amount_subtotal_minor: subtotal, amount_tax_minor: None, ..paid_report(&plain) };
            let applied = books.apply(report).await.expect("applied");
            assert_eq!(matches!(applied, Applied::Credited { .. }), is_credited, "{subtotal:?}: {applied:?}");
        }
        assert_eq!(books.db.commit_counts().in_bulk, in_bulk);
        books.finish().await;
    }

    async fn of_a_mixed_group_one_that_the_database_refuses_fails_alone(backend: Backend) {
        let books = Books::open(backend).await;
        let mut reports = Vec::new();
        for number in 1..=20_u128 {
            reports.push(books.opened(number).await);
        }
        let mut paid = commands(reports[..10].to_vec());
        paid[5].entry = paid[2].entry.clone();
        let fees = reports.iter().zip(0..).map(|(report, number)| charge(report, &format!("evt_fee_{number}")));
        let (paid, noted) =
            join(books.db.apply(paid), join_all(fees.map(|command| books.db.submit(command)))).await;
        assert_eq!(paid.iter().filter(|outcome| is_credited(outcome)).count(), 9, "{paid:?}");
        assert!(noted.iter().all(|noted| matches!(noted, Ok(FeeNews::Expected))), "{noted:?}");
        assert_eq!(books.rows().await.events, 29);
        books.finish().await;
    }
}
