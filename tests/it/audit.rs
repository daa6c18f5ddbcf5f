//! `topup audit` finds every kind of error in the books and reports nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use topup::books::audit::audit;
use topup::books::audit_report::AuditReport;
use topup::domain::ids::{LedgerEntryId, RefundId};
use topup::domain::reversal::{RefundReport, RefundStatus};
use topup::providers::stripe::name::NAME as STRIPE;
use topup::purchases::reversal::reversals::{ApplyReversals, ReversalNews};

use crate::on_both_databases;
use crate::support::app::settings;
use crate::support::books::{Books, NOW_MS, apply, new_topup, topup_of};
use crate::support::process::{run, topup};
use crate::support::{Backend, TestApp};

/// A statement that tampers with the books, one that undoes it, and the expected finding.
type Tampering = (&'static str, &'static str, &'static str);

const ADJUSTMENT: &str = "INSERT INTO adjustments (id, account_id, credits, reason, made_by, balance_after, caller, \
    idempotency_key, request_hash, created_at) VALUES ('adjustment_1', 'user_3', 50, 'a', 'b', 50, 'c', 'd', 'e', 1); \
    INSERT INTO accounts (id, balance, used_credits, entries, updated_at) VALUES ('user_3', 50, 0, 1, 1); \
    INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at) \
    VALUES ('user_3', 1, 'entry_1', 'adjustment', 50, 50, 'adjustment_1', 1)";

const OF_ACCOUNTS_AND_ENTRIES: [Tampering; 9] = [
    (
        "UPDATE accounts SET balance = balance + 1 WHERE id = 'user_1'",
        "UPDATE accounts SET balance = balance - 1 WHERE id = 'user_1'",
        "has 151, its entries add up to 150",
    ),
    ("UPDATE accounts SET used_credits = 5", "UPDATE accounts SET used_credits = 0", "spent 5, its entries say 0"),
    (
        "UPDATE accounts SET entries = entries + 1",
        "UPDATE accounts SET entries = entries - 1",
        "3 entries are counted, 2 are there, the last is 2",
    ),
    (
        "UPDATE ledger_entries SET balance_after = balance_after + 1 WHERE account_id = 'user_1' AND sequence = 1",
        "UPDATE ledger_entries SET balance_after = balance_after - 1 WHERE account_id = 'user_1' AND sequence = 1",
        "2 entries do not follow from the one before",
    ),
    (
        "UPDATE ledger_entries SET sequence = 3 WHERE account_id = 'user_1' AND sequence = 2",
        "UPDATE ledger_entries SET sequence = 2 WHERE account_id = 'user_1' AND sequence = 3",
        "2 are there, the last is 3",
    ),
    (
        "UPDATE ledger_entries SET credits = credits + 1 WHERE kind = 'topup'",
        "UPDATE ledger_entries SET credits = credits - 1 WHERE kind = 'topup'",
        "grants 251 credits, its top-up",
    ),
    (
        "UPDATE ledger_entries SET topup_id = NULL WHERE kind = 'reversal'",
        "UPDATE ledger_entries SET topup_id = substr(source, 1, 38) WHERE kind = 'reversal'",
        "is no reversal of a paid top-up of this account",
    ),
    (
        "UPDATE ledger_entries SET kind = 'gift' WHERE kind = 'adjustment'",
        "UPDATE ledger_entries SET kind = 'adjustment' WHERE kind = 'gift'",
        "is of no known kind: gift",
    ),
    (
        "UPDATE ledger_entries SET source = 'nothing' WHERE kind = 'topup' AND account_id = 'user_1'",
        "UPDATE ledger_entries SET source = (SELECT id FROM topups WHERE account_id = 'user_1') WHERE source = 'nothing'",
        "is paid and has 0 entries that grant its credits",
    ),
];

const OF_TOPUPS: [Tampering; 7] = [
    (
        "UPDATE topups SET taken_credits = 99 WHERE taken_credits = 100",
        "UPDATE topups SET taken_credits = 100 WHERE taken_credits = 99",
        "99 credits are taken back, its refunds and disputes of 100 say 100",
    ),
    (
        "UPDATE topups SET credits = credits + 1",
        "UPDATE topups SET credits = credits - 1",
        "grants 250 credits, its top-up",
    ),
    (
        "UPDATE topups SET state = 'failed', paid_at = NULL WHERE account_id = 'user_1'",
        "UPDATE topups SET state = 'paid', paid_at = 1 WHERE account_id = 'user_1'",
        "is failed and has 1 entries that grant its credits",
    ),
    (
        "UPDATE topups SET state = 'paid', paid_at = 1 WHERE account_id = 'user_4'",
        "UPDATE topups SET state = 'open', paid_at = NULL WHERE account_id = 'user_4'",
        "is paid and has 0 entries that grant its credits",
    ),
    (
        "UPDATE topups SET provider_payment_id = provider_payment_id || '_of_nobody' WHERE account_id = 'user_2'",
        "UPDATE topups SET provider_payment_id = replace(provider_payment_id, '_of_nobody', '') WHERE account_id = 'user_2'",
        "250 credits are taken back, its refunds and disputes of 0 say 0",
    ),
    (
        "UPDATE payments SET state = 'surplus'",
        "UPDATE payments SET state = 'credited'",
        "is paid, and its payments do not say so",
    ),
    (
        "UPDATE payments SET topup_id = (SELECT id FROM topups WHERE account_id = 'user_4')",
        "UPDATE payments SET topup_id = \
            (SELECT id FROM topups WHERE topups.provider_payment_id = payments.provider_payment_id)",
        "is open, and its payments do not say so",
    ),
];

const OF_REVERSALS_AND_ADJUSTMENTS: [Tampering; 9] = [
    (
        "UPDATE reversals SET amount = 101 WHERE kind = 'refund'",
        "UPDATE reversals SET amount = 100 WHERE kind = 'refund'",
        "100 credits are taken back, its refunds and disputes of 101 say 101",
    ),
    (
        "UPDATE reversals SET counts = 0 WHERE kind = 'refund'",
        "UPDATE reversals SET counts = 1 WHERE kind = 'refund'",
        "is succeeded and does not take its money",
    ),
    (
        "UPDATE reversals SET status = 'failed' WHERE kind = 'refund'",
        "UPDATE reversals SET status = 'succeeded' WHERE kind = 'refund'",
        "is failed and takes its money",
    ),
    (
        "UPDATE reversals SET stage = 2 WHERE kind = 'refund'",
        "UPDATE reversals SET stage = 1 WHERE kind = 'refund'",
        "is succeeded and takes its money",
    ),
    (
        "UPDATE reversals SET status = 'won' WHERE kind = 'dispute'",
        "UPDATE reversals SET status = 'needs_response' WHERE kind = 'dispute'",
        "is won and takes its money",
    ),
    (
        "UPDATE reversals SET currency = 'eur'",
        "UPDATE reversals SET currency = 'usd'",
        "is in eur, its purchase in usd",
    ),
    ("UPDATE adjustments SET credits = 51", "UPDATE adjustments SET credits = 50", "its adjustment adjustment_1 says"),
    (
        "UPDATE adjustments SET account_id = 'user_1'",
        "UPDATE adjustments SET account_id = 'user_3'",
        "its adjustment adjustment_1 says otherwise",
    ),
    (
        "UPDATE adjustments SET id = 'adjustment_2'",
        "UPDATE adjustments SET id = 'adjustment_1'",
        "adjustment adjustment_2: has 0 entries",
    ),
];

/// More entries than one statement reads.
const MANY_ENTRIES: &str = "INSERT INTO accounts (id, balance, used_credits, entries, updated_at) \
    VALUES ('user_1', 3500, 0, 3500, 1); \
    INSERT INTO adjustments (id, account_id, credits, reason, made_by, balance_after, caller, idempotency_key, \
    request_hash, created_at) WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 3500) \
    SELECT 'adjustment_' || n, 'user_1', 1, 'a', 'b', n, 'c', 'd' || n, 'e', 1 FROM numbers; \
    INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at) \
    SELECT account_id, balance_after, 'entry_' || balance_after, 'adjustment', 1, balance_after, id, 1 FROM adjustments";

const OF_MANY_ENTRIES: [Tampering; 3] = [
    (
        "UPDATE accounts SET balance = balance + 1",
        "UPDATE accounts SET balance = balance - 1",
        "has 3501, its entries add up to 3500",
    ),
    (
        "UPDATE ledger_entries SET balance_after = 0 WHERE sequence = 1001",
        "UPDATE ledger_entries SET balance_after = 1001 WHERE sequence = 1001",
        "2 entries do not follow from the one before",
    ),
    (
        "UPDATE ledger_entries SET sequence = 9999 WHERE sequence = 2500",
        "UPDATE ledger_entries SET sequence = 2500 WHERE sequence = 9999",
        "has 3500, its entries add up to 3499",
    ),
];

async fn checked(app: &TestApp) -> AuditReport {
    audit(&app.app.db, true).await.expect("readable")
}

/// One top-up of each kind: partially refunded, disputed, adjusted, open.
async fn bookkeeping(backend: Backend) -> TestApp {
    let app = TestApp::start(backend).await;
    for (account, what, body) in [("user_1", "refund", json!({ "amount": 100 })), ("user_2", "dispute", json!({}))] {
        let (session, event) = app.pay_session(account, 250).await;
        app.deliver(&event).await.expect(200);
        let payment = app.payment_of(&session).await;
        app.stripe.control(&format!("payment_intents/{payment}/{what}"), body).await;
    }
    assert!(crate::reconcile::compare(&app.app).await.is_clean());
    app.open_session("user_4", 250).await;
    app.app.db.execute_raw(ADJUSTMENT).await.expect("done");
    // Anyone with the database password can do this.
    let unguard = match backend {
        Backend::Sqlite => "DROP TRIGGER ledger_entries_are_never_changed",
        Backend::Postgres => "ALTER TABLE ledger_entries DISABLE TRIGGER USER",
    };
    app.app.db.execute_raw(unguard).await.expect("done");
    app
}

async fn all_are_found(app: &TestApp, tamperings: &[Tampering]) {
    for (tampering, undo, said) in tamperings {
        app.app.db.execute_raw(tampering).await.expect("done");
        let report = checked(app).await;
        let lines: Vec<String> = report.first.iter().map(|found| format!("{}: {}", found.id, found.detail)).collect();
        assert!(lines.iter().any(|line| line.contains(said)), "{tampering}: {lines:#?}");
        app.app.db.execute_raw(undo).await.expect("done");
        assert_eq!(checked(app).await.first, [], "after {undo}");
    }
}

on_both_databases! {
    async fn an_audit_of_sound_books_finds_nothing(backend: Backend) {
        let app = bookkeeping(backend).await;
        let report = checked(&app).await;
        assert_eq!((report.differences, &report.first), (0, &Vec::new()));
        assert_eq!((report.accounts, report.entries, report.topups), (3, 5, 3));
        assert_eq!((report.reversals, report.adjustments), (2, 1));
        app.finish().await;
    }

    async fn tampering_with_accounts_and_entries_is_found(backend: Backend) {
        let app = bookkeeping(backend).await;
        all_are_found(&app, &OF_ACCOUNTS_AND_ENTRIES).await;
        app.finish().await;
    }

    async fn tampering_with_purchases_and_payments_is_found(backend: Backend) {
        let app = bookkeeping(backend).await;
        all_are_found(&app, &OF_TOPUPS).await;
        app.finish().await;
    }

    async fn tampering_with_refunds_disputes_and_adjustments_is_found(backend: Backend) {
        let app = bookkeeping(backend).await;
        all_are_found(&app, &OF_REVERSALS_AND_ADJUSTMENTS).await;
        app.finish().await;
    }

    async fn all_pages_are_audited_and_only_the_first_differences_are_named(backend: Backend) {
        let books = Books::open(backend).await;
        for number in 1..=230_u128 {
            let report = books.opened_as(topup_of(number, &format!("user_{number}"), 250)).await;
            books.apply(report).await.expect("applies");
        }
        let report = audit(&books.db, true).await.expect("readable");
        assert_eq!((report.accounts, report.entries, report.topups, report.differences), (230, 230, 230, 0));
        books.db.execute_raw("UPDATE accounts SET balance = balance + 1").await.expect("done");
        let report = audit(&books.db, true).await.expect("readable");
        assert_eq!((report.differences, report.first.len()), (230, 20));
        books.db.execute_raw("UPDATE accounts SET balance = balance - 1").await.expect("done");
        books.finish().await;
    }

    async fn an_account_with_many_entries_is_audited_in_parts(backend: Backend) {
        let books = Books::open(backend).await;
        books.db.execute_raw(MANY_ENTRIES).await.expect("done");
        let report = audit(&books.db, true).await.expect("readable");
        assert_eq!((report.accounts, report.entries, &report.first), (1, 3_500, &Vec::new()));
        let unguard = match backend {
            Backend::Sqlite => "DROP TRIGGER ledger_entries_are_never_changed",
            Backend::Postgres => "ALTER TABLE ledger_entries DISABLE TRIGGER USER",
        };
        books.db.execute_raw(unguard).await.expect("done");
        for (tampering, undo, said) in OF_MANY_ENTRIES {
            books.db.execute_raw(tampering).await.expect("done");
            let found = audit(&books.db, true).await.expect("readable").first;
            assert!(found.iter().any(|found| found.detail.contains(said)), "{tampering}: {found:#?}");
            books.db.execute_raw(undo).await.expect("done");
        }
        books.finish().await;
    }

    async fn an_audit_during_a_burst_of_writes_reports_nothing(backend: Backend) {
        let books = Arc::new(Books::open(backend).await);
        let done = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..4_u128).map(|writer| tokio::spawn(write_a_lot(books.clone(), writer))).collect();
        let (auditor, is_done) = (books.clone(), done.clone());
        let audits = tokio::spawn(async move {
            let mut during = 0;
            while !is_done.load(Ordering::SeqCst) {
                let report = audit(&auditor.db, true).await.expect("readable");
                assert_eq!(report.first, [], "in audit {during}");
                during += 1;
            }
            during
        });
        for writer in writers {
            writer.await.expect("no panic");
        }
        done.store(true, Ordering::SeqCst);
        assert!(audits.await.expect("no panic") > 2, "the writes were over too soon");
        let report = audit(&books.db, true).await.expect("readable");
        assert_eq!((report.topups, report.entries, report.reversals), (160, 320, 160));
        Arc::into_inner(books).expect("nobody else").finish().await;
    }

    async fn the_command_prints_what_does_not_hold_and_exits_with_1(backend: Backend) {
        let app = bookkeeping(backend).await;
        let settings = settings(&app.database.url, "", &[]);
        let (well, said, errors) = run(&settings, &["audit"]);
        assert!(well && said.contains("Recomputed 3 accounts") && said.contains("Everything holds"), "{said}{errors}");
        app.app.db.execute_raw("UPDATE accounts SET balance = 0 WHERE id = 'user_3'").await.expect("done");
        let (well, said, _) = run(&settings, &["audit"]);
        assert!(!well && said.contains("account user_3: has 0, its entries add up to 50"), "{said}");
        let (well, said, _) = run(&settings, &["audit", "--json"]);
        let report: Value = serde_json::from_str(&said).expect("JSON");
        assert!(!well && report["differences"] == 1, "{report:#}");
        app.app.db.execute_raw("UPDATE accounts SET balance = 50 WHERE id = 'user_3'").await.expect("done");
        app.finish().await;
    }
}

/// Top-ups and their refunds in sequence, while other writers do the same for the same accounts.
async fn write_a_lot(books: Arc<Books>, writer: u128) {
    for number in 0..40_u128 {
        let number = writer * 1_000 + number + 1;
        let report = books.opened_as(new_topup(number)).await;
        let (topup, payment) = (report.topup.clone(), report.payment.clone().expect("a payment"));
        apply(&books.db, report).await.expect("applies");
        let refund = RefundReport {
            stranger: None,
            id: RefundId::parse(STRIPE, format!("re_{number}")).expect("an id"),
            payment: Some(payment.clone()),
            amount_minor: 100,
            currency: "usd".to_owned(),
            status: RefundStatus::Succeeded,
            reason: None,
            request: None,
        };
        let command = ApplyReversals {
            event: None,
            topup,
            payment,
            livemode: false,
            news: ReversalNews::Refunds(vec![refund]),
            entry: LedgerEntryId::from_bits(1_000_000 + number),
            now_ms: NOW_MS,
        };
        books.db.apply_reversals(command).await.expect("applies");
    }
}

#[test]
fn an_audit_without_a_database_exits_with_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("none.db").display());
    let settings = crate::support::process::Settings::from([("DATABASE_URL", url)]);
    assert_eq!(topup(&settings).arg("audit").output().expect("topup runs").status.code(), Some(2));
}
