//! Concurrent commands of one kind: each has the same result as alone.

use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use sqlx::{Connection, Executor, PgConnection, Row as _};
use topup::db::{Db, Statement, StoreError, args};
use topup::domain::checkout::{PurchaseProgress, PurchaseReport, TopupState};
use topup::domain::fees::RealFee;
use topup::domain::ids::{ChargeId, EventId, FeeId, PaymentId, SessionId, TopupId};
use topup::domain::judge::Applied;
use topup::domain::provider::ProviderName;
use topup::providers::stripe::name::NAME as STRIPE;
use topup::purchases::checkout::checkouts::{BeginCheckout, CheckoutStart, StoreOpened};
use topup::purchases::fee::fee_news::{ExpectFee, FeeNews};
use topup::purchases::fee::fees;
use topup::purchases::idempotency::{IdempotencyKey, StoredAnswer};

use super::groups::{commands, is_credited};
use crate::on_both_databases;
use crate::support::books::{Books, NOW_MS, Rows, event, new_topup, news, paid_report, topup_of};
use crate::support::database::TestDatabase;
use crate::support::{Backend as Databases, closure, until};

const LEASE_MS: i64 = NOW_MS + 60_000;
static DUE: Statement = Statement::new("SELECT COUNT(*) AS due FROM payments WHERE fee_due_at IS NOT NULL");
static ROW: Statement = Statement::new(
    "SELECT account_id || state || credits || currency || '/' || credit_unit_credits || '/' || credit_unit_amount || \
    '/' || credits_amount || fee_amount || total_amount || fee_mode || fee_rate_percent || fee_fixed || fee_label || \
    expected_fee || livemode || provider_request || \
    provider_attempt || key_used_at || unknown_since || expires_at || created_at || updated_at || revision AS all_columns \
    FROM topups WHERE id = :topup",
);

#[derive(sqlx::FromRow)]
struct Due {
    due: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    all_columns: String,
}

pub(super) fn key(name: &str, request: &str) -> IdempotencyKey {
    IdempotencyKey { scope: "caller".to_owned(), key: name.to_owned(), request_hash: request.to_owned() }
}

pub(super) fn begin(number: u128, key: Option<IdempotencyKey>) -> BeginCheckout {
    BeginCheckout { new: new_topup(number), key, lease_until_ms: LEASE_MS, forget_before_ms: 0 }
}

pub(super) fn opened(number: u128, session: &str, key: Option<IdempotencyKey>) -> StoreOpened {
    StoreOpened {
        topup: TopupId::from_bits(number),
        session: SessionId::parse(STRIPE, session).expect("an id"),
        url: format!("https://pay.example.com/{session}"),
        expires_at_ms: NOW_MS + 1_000,
        key,
        other_answer: StoredAnswer { status: 409, code: Some("session_ended".to_owned()) },
        now_ms: NOW_MS + 5,
    }
}

pub(super) fn charge(report: &PurchaseReport, event_id: &str) -> ExpectFee {
    ExpectFee {
        event: (event(event_id).0, "charge.updated".to_owned()),
        topup: report.topup.clone(),
        livemode: report.livemode,
        payment: report.payment.clone().expect("a payment"),
        charge: ChargeId::parse(STRIPE, format!("ch_{event_id}")).expect("an id"),
        fee_id: FeeId::parse(STRIPE, format!("txn_{event_id}")).expect("an id"),
        now_ms: NOW_MS,
    }
}

async fn row(books: &Books, topup: &TopupId) -> String {
    let row: Option<Row> = books.db.read_optional(&ROW, &args![topup = topup.as_str()]).await.expect("readable");
    row.expect("a top-up").all_columns
}

async fn due(books: &Books) -> i64 {
    books.db.read_optional::<Due>(&DUE, &[]).await.expect("readable").expect("a row").due
}

#[test]
fn each_kind_of_command_has_a_connection_of_its_own() {
    let names: std::collections::BTreeSet<&str> = topup::catalogue::bulk_statements().map(|(name, _)| name).collect();
    assert_eq!(u32::try_from(names.len()), Ok(topup::db::BULK_CONNECTIONS), "{names:?}");
}

/// All kinds share one queue and one leader on SQLite, and on PostgreSQL with few connections.
async fn all_kinds_share_a_queue(books: Books) {
    let mut reports = Vec::new();
    for number in 1..=20_u128 {
        reports.push(books.opened(number).await);
    }
    let ends = reports[..10].iter().map(|report| PurchaseReport {
        payment: None,
        ..news(report, &format!("evt_end_{}", report.session.as_str()), PurchaseProgress::Expired)
    });
    let mixed = commands(ends.chain(reports[10..].iter().cloned()).collect());
    let before = books.db.commit_counts();
    let begun = join_all((101..=120_u128).map(|number| books.db.submit(begin(number, None))));
    let noted = join_all(
        reports[10..]
            .iter()
            .zip(0..)
            .map(|(report, number)| books.db.submit(charge(report, &format!("evt_fee_{number}")))),
    );
    let (applied, begun, noted) = tokio::join!(books.db.apply(mixed), begun, noted);
    let words: Vec<&str> = applied.iter().map(|outcome| outcome.as_ref().map_or("error", Applied::as_str)).collect();
    assert!(
        words[..10].iter().all(|word| *word == "expired") && words[10..].iter().all(|word| *word == "credited"),
        "{words:?}"
    );
    assert!(begun.iter().all(|begun| matches!(begun, Ok(CheckoutStart::New))), "{begun:?}");
    assert!(noted.iter().all(|noted| matches!(noted, Ok(FeeNews::Expected))), "{noted:?}");
    let counts = books.db.commit_counts();
    assert_eq!((counts.in_bulk, counts.alone, counts.failed_groups), (50, 0, 0), "{counts:?}");
    assert!(counts.groups - before.groups < 40 && counts.largest > 5, "{counts:?}");
    books.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_few_connections_all_kinds_of_commands_share_a_queue() {
    let database = TestDatabase::migrated(Databases::Postgres).await;
    let separator = if database.url.contains('?') { '&' } else { '?' };
    let db = Db::connect(&format!("{}{separator}connection_limit=3", database.url), false).await.expect("connects");
    all_kinds_share_a_queue(Books { db, database }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_all_kinds_of_commands_share_a_queue_and_each_runs_in_bulk() {
    all_kinds_share_a_queue(Books::open(Databases::Sqlite).await).await;
}

/// A statement in progress when the database is closed ends, and then closing ends too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_waits_for_a_bulk_statement_and_ends() {
    let books = Books::open_patiently(Databases::Postgres).await;
    let (first, second, third) = (books.opened(1).await, books.opened(2).await, books.opened(3).await);
    assert!(is_credited(&books.apply(first).await), "the connection is kept from here on");
    let mut other = PgConnection::connect(&books.database.url).await.expect("connects");
    let held = books.database.hold_writes().await;
    let submitted = books.apply(second);
    let closed = async {
        let waiting =
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until("the statement waits", async || {
            let waiting: i64 = (&mut other).fetch_one(sqlx::raw_sql(waiting)).await.expect("counted").get(0);
            (waiting == 1).then_some(())
        })
        .await;
        join(books.db.close(), held.release()).await
    };
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), join(submitted, closed)).await;
    assert!(is_credited(&ended.expect("the closing ends").0));
    assert!(books.apply(third).await.is_err(), "no connection is opened after that");
    let kind_of_its_own = books.db.submit(begin(4, None)).await;
    assert!(kind_of_its_own.is_err(), "{kind_of_its_own:?}");
    let open =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'topup %'";
    // The server notices a moment later that a client is gone.
    until("no connection", async || {
        let open: i64 = (&mut other).fetch_one(sqlx::raw_sql(open)).await.expect("counted").get(0);
        (open == 0).then_some(())
    })
    .await;
}

on_both_databases! {
    async fn checkouts_that_begin_together_are_written_as_each_would_be(backend: Backend) {
        let books = Books::open(backend).await;
        let before = books.db.commit_counts();
        let with_keys = (1..=60_u128).map(|number| begin(number, Some(key(&format!("key_{number}"), "request"))));
        let without = (61..=100_u128).map(|number| begin(number, None));
        let begun = join_all(with_keys.chain(without).map(|command| books.db.submit(command))).await;
        assert!(begun.iter().all(|begun| matches!(begun, Ok(CheckoutStart::New))), "{begun:?}");
        let counts = books.db.commit_counts();
        assert!(counts.groups - before.groups < 60, "{counts:?}");
        assert_eq!(counts.alone, before.alone, "{counts:?}");
        // Equal to a top-up that was written alone, in every column.
        books.insert(new_topup(500)).await;
        let named = |text: String, number: u128| text.replace(TopupId::from_bits(number).as_str(), "it");
        let (in_group, alone) = (TopupId::from_bits(7), TopupId::from_bits(500));
        assert_eq!(named(row(&books, &in_group).await, 7), named(row(&books, &alone).await, 500));
        books.finish().await;
    }

    async fn of_checkouts_with_one_key_one_begins(backend: Backend) {
        let books = Books::open(backend).await;
        let same = (1..=20_u128).map(|number| begin(number, Some(key("same", "request"))));
        let other = (21..=25_u128).map(|number| begin(number, Some(key("same", "another"))));
        let fresh = (26..=40_u128).map(|number| begin(number, Some(key(&format!("key_{number}"), "request"))));
        let begun = join_all(same.chain(other).chain(fresh).map(|command| books.db.submit(command))).await;
        let count = |is: fn(&CheckoutStart) -> bool| begun.iter().flatten().filter(|begun| is(begun)).count();
        assert_eq!(count(|begun| matches!(begun, CheckoutStart::New)), 16, "{begun:?}");
        assert_eq!(count(|begun| matches!(begun, CheckoutStart::StillRunning)) + count(|begun| matches!(begun, CheckoutStart::OtherRequest)), 24);
        let mut written = 0;
        for number in 1..=40_u128 {
            written += u32::from(books.db.topup(&TopupId::from_bits(number)).await.expect("readable").is_some());
        }
        assert_eq!(written, 16, "nothing of the others is written");
        books.finish().await;
    }

    /// A group whose commit got no answer is repeated, command by command.
    async fn a_checkout_that_has_begun_begins_again_as_the_same(backend: Backend) {
        let books = Books::open(backend).await;
        for command in [begin(1, None), begin(2, Some(key("key", "request")))] {
            for _ in 0..3 {
                let begun = books.db.submit(command.clone()).await;
                assert!(matches!(begun, Ok(CheckoutStart::New)), "{begun:?}");
            }
        }
        books.finish().await;
    }

    async fn checkouts_that_open_together_are_stored_and_their_keys_answered(backend: Backend) {
        let books = Books::open(backend).await;
        for number in 1..=40_u128 {
            books.db.submit(begin(number, Some(key(&format!("key_{number}"), "request")))).await.expect("begun");
        }
        let before = books.db.commit_counts();
        let commands = (1..=40_u128).map(|number| {
            opened(number, &format!("cs_{number}"), Some(key(&format!("key_{number}"), "request")))
        });
        let stored = join_all(commands.map(|command| books.db.submit(command))).await;
        assert!(stored.iter().all(|stored| matches!(stored, Ok(true))), "{stored:?}");
        assert_eq!(books.db.commit_counts().alone, before.alone);
        for number in 1..=40_u128 {
            let topup = books.topup(&TopupId::from_bits(number)).await;
            assert_eq!((topup.state, topup.expires_at_ms), (TopupState::Open, NOW_MS + 1_000));
            assert_eq!(topup.session_url, Some(format!("https://pay.example.com/cs_{number}")));
            let answered = books.db.answered(&key(&format!("key_{number}"), "request"), 0).await.expect("readable");
            assert_eq!(answered, Some((topup.id, StoredAnswer { status: 200, code: None })));
        }
        books.finish().await;
    }

    async fn a_checkout_of_a_purchase_with_another_session_is_not_handed_out(backend: Backend) {
        let books = Books::open(backend).await;
        for number in 1..=4_u128 {
            books.db.submit(begin(number, Some(key(&format!("key_{number}"), "request")))).await.expect("begun");
        }
        // It was paid while Stripe's answer was on its way.
        let paid = topup_of(2, "user_1", 250);
        let report = paid_report(&paid);
        assert!(is_credited(&books.apply(report).await));
        // And what is paid later, by a bank: no rule of the database would mind its state.
        let waiting = news(&paid_report(&topup_of(4, "user_1", 250)), "evt_waiting", PurchaseProgress::Processing);
        assert!(matches!(books.apply(waiting).await, Ok(Applied::Moved(TopupState::Processing))));
        let store = async |numbers: &[u128]| {
            let commands = numbers.iter().map(|number| {
                opened(*number, &format!("cs_{number}"), Some(key(&format!("key_{number}"), "request")))
            });
            join_all(commands.map(|command| books.db.submit(command))).await
        };
        // The paid one on its own, because a database constraint would undo its whole group.
        let stored = store(&[1, 3, 4]).await;
        assert!(matches!(stored[..], [Ok(true), Ok(true), Ok(false)]), "{stored:?}");
        let stored = store(&[2]).await;
        assert!(matches!(stored[..], [Ok(false)]), "{stored:?}");
        let answered = books.db.answered(&key("key_2", "request"), 0).await.expect("readable").expect("answered");
        assert_eq!(answered.1.status, 409);
        assert_eq!(books.state(&TopupId::from_bits(4)).await, TopupState::Processing);
        books.finish().await;
    }

    async fn checkouts_that_expire_together_end_and_others_stay(backend: Backend) {
        let books = Books::open(backend).await;
        let mut reports = Vec::new();
        for number in 1..=40_u128 {
            reports.push(books.opened(number).await);
        }
        let without_payment = |report: &PurchaseReport| PurchaseReport {
            payment: None,
            ..news(report, &format!("evt_end_{}", report.session.as_str()), PurchaseProgress::Expired)
        };
        let mut ends: Vec<PurchaseReport> = reports.iter().map(without_payment).collect();
        // Paid a moment ago; another amount; nobody's; the same event twice; known by no event.
        assert!(is_credited(&books.apply(reports[0].clone()).await));
        ends[1].amount_total_minor = Some(1);
        ends[2].topup = TopupId::from_bits(999);
        ends.push(ends[3].clone());
        ends[4].event = None;
        let before = books.db.commit_counts();
        let outcomes = books.db.apply(commands(ends)).await;
        let words: Vec<&str> = outcomes.iter().map(|outcome| outcome.as_ref().map_or("error", Applied::as_str)).collect();
        assert_eq!(words[..3], ["nothing_to_do", "rejected", "foreign"]);
        assert!(words[3..40].iter().all(|word| *word == "expired"), "{words:?}");
        assert_eq!(words[40], "duplicate");
        let counts = books.db.commit_counts();
        // The paid one, the mismatch, the unknown one, and the repeated one.
        assert!(counts.groups - before.groups < 20 && counts.alone - before.alone <= 5, "{counts:?}");
        assert_eq!((counts.in_bulk - before.in_bulk, counts.failed_groups), (37, 0), "{counts:?}");
        assert_eq!(books.state(&reports[10].topup).await, TopupState::Expired);
        assert_eq!(books.topup(&reports[10].topup).await.revision, 1);
        // A payment may still succeed afterwards.
        assert!(is_credited(&books.apply(reports[10].clone()).await));
        assert_eq!(books.rows().await, Rows { events: 39, failed: 0, entries: 2, accounts: 1, paid: 2 });
        books.finish().await;
    }

    async fn news_of_another_provider_about_a_top_up_is_rejected(backend: Backend) {
        let books = Books::open(backend).await;
        let reports = [books.opened(1).await, books.opened(2).await];
        let other = ProviderName::new("acme");
        let payment = PaymentId::parse(other, "pi_elsewhere").expect("an id");
        let event = (EventId::parse(other, "evt_elsewhere").expect("an id"), "charge.updated".to_owned());
        let foreign = ExpectFee { payment: payment.clone(), event: event.clone(), ..charge(&reports[0], "evt_1") };
        let news = join_all([foreign, charge(&reports[1], "evt_2")].map(|command| books.db.submit(command))).await;
        assert!(matches!(&news[0], Ok(FeeNews::Rejected(mismatch)) if mismatch.field == "provider"), "{news:?}");
        assert!(matches!(news[1], Ok(FeeNews::Expected)), "{news:?}");
        // Its session has the very id of the one that was opened.
        let session = SessionId::parse(other, reports[0].session.as_str()).expect("an id");
        let paid = PurchaseReport { session, payment: Some(payment), event: Some(event), ..reports[0].clone() };
        for progress in [PurchaseProgress::Paid, PurchaseProgress::Expired] {
            let outcomes = books.db.apply(commands(vec![PurchaseReport { progress, ..paid.clone() }])).await;
            assert!(matches!(&outcomes[0], Ok(Applied::Rejected(mismatch)) if mismatch.field == "provider"), "{outcomes:?}");
        }
        assert_eq!(books.state(&reports[0].topup).await, TopupState::Open);
        // Nor can it be where the customer of another provider's top-up pays, stored together with others or alone.
        for number in [5, 6] {
            assert!(matches!(books.db.submit(begin(number, None)).await, Ok(CheckoutStart::New)));
        }
        let elsewhere = || StoreOpened { session: SessionId::parse(other, "cs_5").expect("an id"), ..opened(5, "cs_5", None) };
        let stored = join_all([elsewhere(), opened(6, "cs_6", None)].map(|command| books.db.submit(command))).await;
        assert!(matches!(stored[..], [Ok(false), Ok(true)]), "{stored:?}");
        assert_eq!(books.state(&TopupId::from_bits(5)).await, TopupState::Creating);
        books.finish().await;
    }

    async fn fees_that_are_heard_of_together_are_noted_once_each(backend: Backend) {
        let books = Books::open(backend).await;
        let mut reports = Vec::new();
        for number in 1..=30_u128 {
            reports.push(books.opened(number).await);
        }
        // One is credited and its fee is known; one is credited and its fee is not.
        for at in [0, 1] {
            assert!(is_credited(&books.apply(reports[at].clone()).await));
        }
        let (payment, movement) = (reports[0].payment.clone().expect("a payment"), "txn_known");
        let fee = RealFee {
            fee_id: FeeId::parse(STRIPE, movement).expect("an id"),
            amount_minor: 38,
            currency: "usd".to_owned(),
        };
        let stored = books.db.write(closure(move |tx| {
            let (payment, fee) = (payment.clone(), fee.clone());
            async move { fees::store(tx, &payment, None, &fee, NOW_MS).await }.boxed()
        }));
        stored.await.expect("stored");
        let mut news: Vec<ExpectFee> = reports.iter().zip(0..).map(|(report, number)| charge(report, &format!("evt_fee_{number}"))).collect();
        news.push(news[5].clone());
        news.push(ExpectFee { topup: TopupId::from_bits(999), ..charge(&reports[6], "evt_foreign") });
        news.push(ExpectFee { livemode: true, ..charge(&reports[7], "evt_live") });
        news.push(ExpectFee { topup: reports[9].topup.clone(), ..charge(&reports[1], "evt_stolen") });
        let before = books.db.commit_counts();
        let noted = join_all(news.into_iter().map(|news| books.db.submit(news))).await;
        assert!(noted[..30].iter().all(|noted| matches!(noted, Ok(FeeNews::Expected))), "{noted:?}");
        assert!(matches!(noted[30..33], [Ok(FeeNews::Duplicate), Ok(FeeNews::Foreign), Ok(FeeNews::Rejected(_))]), "{noted:?}");
        assert!(matches!(noted[33], Err(StoreError::Corrupt(_))), "{noted:?}");
        let counts = books.db.commit_counts();
        // The repeated one, the one of the other mode, the stolen one.
        assert!(counts.groups - before.groups < 20 && counts.alone - before.alone <= 4, "{counts:?}");
        assert_eq!(due(&books).await, 29, "not the one that is known");
        assert_eq!(books.rows().await.events, 32, "of what failed there is no event");
        let known = books.db.payments_of(&reports[0].topup).await.expect("readable");
        assert_eq!(known[0].provider_fee_id.as_deref(), Some(movement));
        let noted = books.db.payments_of(&reports[12].topup).await.expect("readable");
        assert_eq!(noted[0].provider_charge_id.as_deref(), Some("ch_evt_fee_12"));
        // Also when its group does not contain the payment's owner.
        let stolen = ExpectFee { topup: reports[9].topup.clone(), ..charge(&reports[1], "evt_stolen_again") };
        assert!(matches!(books.db.submit(stolen).await, Err(StoreError::Corrupt(_))));
        let other_mode = ExpectFee { livemode: true, ..charge(&reports[7], "evt_live_again") };
        assert!(matches!(books.db.submit(other_mode).await, Ok(FeeNews::Rejected(_))));
        // Then the payments are credited.
        let outcomes = books.db.apply(commands(reports[2..].to_vec())).await;
        assert!(outcomes.iter().all(is_credited), "{outcomes:?}");
        books.finish().await;
    }

    async fn a_payment_that_is_heard_of_for_two_purchases_at_once_belongs_to_one(backend: Backend) {
        let books = Books::open(backend).await;
        let (first, second) = (books.opened(1).await, books.opened(2).await);
        let payment = Some(PaymentId::parse(STRIPE, "pi_shared").expect("an id"));
        let news = |report: &PurchaseReport, event: &str| charge(&PurchaseReport { payment: payment.clone(), ..report.clone() }, event);
        let noted = join_all([news(&first, "evt_1"), news(&second, "evt_2")].map(|news| books.db.submit(news))).await;
        assert_eq!(noted.iter().filter(|noted| matches!(noted, Ok(FeeNews::Expected))).count(), 1, "{noted:?}");
        assert_eq!(books.rows().await.events, 1);
        books.finish().await;
    }
}
