//! Constraints and triggers of the database itself: the last guard if all others fail.

use topup::domain::checkout::{PurchaseProgress, TopupState};

use crate::on_both_databases;
use crate::support::Backend as Databases;
use crate::support::books::{Books, Rows, news, topup_of};

/// Runs a statement that the database must refuse with a message containing this text.
async fn refuses(books: &Books, sql: &'static str, reason: &str) {
    let error = books.db.execute_raw(sql).await.expect_err(sql);
    let text = topup::app::with_causes(&error).to_lowercase();
    assert!(text.contains(&reason.to_lowercase()), "{sql}: {text}");
}

/// The text by which each database names the violated constraint.
fn word(backend: Databases, sqlite: &'static str, postgres: &'static str) -> &'static str {
    if backend == Databases::Sqlite { sqlite } else { postgres }
}

/// On SQLite this trigger fires before the constraint under test.
async fn without_the_guard_of_replacements(books: &Books, backend: Databases) {
    if backend == Databases::Sqlite {
        books.db.execute_raw("DROP TRIGGER ledger_entries_are_never_replaced").await.expect("is there");
    }
}

/// Only SQLite has these statements, and they delete the old row without firing the trigger that guards deletions.
#[tokio::test]
async fn entries_of_the_books_cannot_be_replaced() {
    let books = Books::open(Databases::Sqlite).await;
    for number in 1..=2 {
        let report = books.opened(number).await;
        books.apply(report).await.expect("applied");
    }
    for sql in [
        // The first entry's sequence in the account; its id; its source.
        "INSERT OR REPLACE INTO ledger_entries SELECT account_id, sequence, 'entry_new', kind, 1000000, 1000000, \
        'another', topup_id, reason, grant_id, created_at FROM ledger_entries WHERE sequence = 1",
        "REPLACE INTO ledger_entries SELECT account_id, 3, id, kind, 1000000, 1000000, 'another', topup_id, reason, grant_id, created_at \
        FROM ledger_entries WHERE sequence = 1",
        "INSERT OR REPLACE INTO ledger_entries SELECT account_id, 3, 'entry_new', kind, 1000000, 1000000, source, \
        topup_id, reason, grant_id, created_at FROM ledger_entries WHERE sequence = 1",
        "UPDATE OR REPLACE ledger_entries SET sequence = 1 WHERE sequence = 2",
    ] {
        refuses(&books, sql, "append-only").await;
    }
    assert_eq!((books.rows().await.entries, books.balance("user_1").await), (2, 500));
    books.finish().await;
}

on_both_databases! {
    async fn entries_of_the_books_cannot_be_changed_or_removed(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        books.apply(report).await.expect("applied");
        for sql in [
            "UPDATE ledger_entries SET credits = 1000000",
            "UPDATE ledger_entries SET source = 'topup_x'",
            "DELETE FROM ledger_entries",
            "DELETE FROM ledger_entries WHERE sequence = 1",
        ] {
            refuses(&books, sql, "append-only").await;
        }
        if backend == Databases::Postgres {
            refuses(&books, "TRUNCATE ledger_entries", "append-only").await;
        }
        assert_eq!(books.rows().await.entries, 1);
        books.finish().await;
    }

    async fn entries_of_the_operator_log_cannot_be_changed_or_removed(backend: Backend) {
        let books = Books::open(backend).await;
        let insert = "INSERT INTO operator_log (change_id, phase, key_id, made_by, action, subject, credits, detail, created_at) \
            VALUES ('change_1', 'asked', 'key_1', 'ann', 'refund', 'topup_1', 5, '', 1)";
        books.db.execute_raw(insert).await.expect("written");
        for sql in ["UPDATE operator_log SET credits = 0", "DELETE FROM operator_log"] {
            refuses(&books, sql, "append-only").await;
        }
        match backend {
            Databases::Postgres => refuses(&books, "TRUNCATE operator_log", "append-only").await,
            Databases::Sqlite => {
                let replace = "INSERT OR REPLACE INTO operator_log SELECT change_id, phase, key_id, 'bob', action, subject, \
                    account_id, 0, detail, created_at FROM operator_log";
                refuses(&books, replace, "append-only").await;
            }
        }
        refuses(&books, insert, word(backend, "append-only", "operator_log_pkey")).await;
        books.finish().await;
    }

    async fn a_source_is_entered_only_once_for_each_kind(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        books.apply(report).await.expect("applied");
        without_the_guard_of_replacements(&books, backend).await;
        // Everything is new except its kind and source.
        refuses(
            &books,
            "INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at) \
            SELECT account_id, 2, 'entry_second', kind, credits, balance_after + credits, source, created_at \
            FROM ledger_entries",
            word(
                backend,
                "UNIQUE constraint failed: ledger_entries.kind, ledger_entries.source",
                "ledger_entries_kind_source_key",
            ),
        )
        .await;
        assert_eq!(books.rows().await.entries, 1);
        books.finish().await;
    }

    async fn a_sequence_number_is_taken_only_once(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        books.apply(report).await.expect("applied");
        without_the_guard_of_replacements(&books, backend).await;
        refuses(
            &books,
            "INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at) \
            VALUES ('user_1', 1, 'entry_second', 'topup', 5, 255, 'another', 1)",
            word(
                backend,
                "UNIQUE constraint failed: ledger_entries.account_id, ledger_entries.sequence",
                "ledger_entries_pkey",
            ),
        )
        .await;
        books.finish().await;
    }

    async fn an_entry_of_nothing_or_of_nobody_is_refused(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        books.apply(report).await.expect("applied");
        refuses(
            &books,
            "INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at) \
            VALUES ('user_1', 2, 'entry_zero', 'topup', 0, 250, 'another', 1)",
            word(backend, "CHECK constraint failed: credits <> 0", "credits_check"),
        )
        .await;
        refuses(
            &books,
            "INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at) \
            VALUES ('nobody', 1, 'entry_nobody', 'topup', 5, 5, 'another', 1)",
            "foreign key",
        )
        .await;
        refuses(&books, "DELETE FROM accounts", "foreign key").await;
        books.finish().await;
    }

    async fn a_purchase_is_paid_exactly_when_it_has_a_time_of_payment(backend: Backend) {
        let books = Books::open(backend).await;
        books.opened(1).await;
        for sql in ["UPDATE topups SET state = 'paid'", "UPDATE topups SET paid_at = 5"] {
            refuses(&books, sql, word(backend, "CHECK constraint failed: (state = 'paid')", "topups_check")).await;
        }
        books.finish().await;
    }

    async fn a_purchase_that_makes_no_sense_is_refused(backend: Backend) {
        let books = Books::open(backend).await;
        books.opened(1).await;
        books.opened(2).await;
        for sql in [
            "UPDATE topups SET credits = 0",
            "UPDATE topups SET total_amount = total_amount - 1",
            "UPDATE topups SET credits_amount = -1, fee_amount = 290",
            "UPDATE topups SET fee_amount = -1, total_amount = 249",
            "UPDATE topups SET livemode = 2",
            "UPDATE topups SET credit_unit_credits = 0",
            "UPDATE topups SET credit_unit_credits = 1000001",
            "UPDATE topups SET credit_unit_amount = 0",
            "UPDATE topups SET credit_unit_amount = 1000000000000",
        ] {
            refuses(&books, sql, word(backend, "CHECK constraint", "check constraint")).await;
        }
        refuses(&books, "UPDATE topups SET provider_session_id = 'cs_same'", "unique").await;
        refuses(&books, "UPDATE topups SET credits = 'many'", word(backend, "cannot store TEXT", "invalid input"))
            .await;
        books.finish().await;
    }

    async fn a_balance_beyond_the_largest_number_is_refused_and_nothing_is_written(backend: Backend) {
        let books = Books::open(backend).await;
        let nearly = books.opened_as(topup_of(1, "user_1", i64::MAX - 100)).await;
        books.apply(nearly).await.expect("applied");
        let fits = books.opened_as(topup_of(2, "user_1", 100)).await;
        let too_much = books.opened_as(topup_of(3, "user_1", 1)).await;
        books.apply(fits).await.expect("applied");
        assert_eq!(books.balance("user_1").await, i64::MAX);
        let before = books.rows().await;
        books.apply(too_much.clone()).await.expect_err("the sum does not fit");
        assert_eq!((books.balance("user_1").await, books.rows().await), (i64::MAX, before));
        assert_eq!(books.state(&too_much.topup).await, TopupState::Open);
        // No marker is left: should there be room one day, the event still counts.
        let moved = books.apply(news(&too_much, "evt_other", PurchaseProgress::Processing)).await;
        assert!(moved.is_ok(), "{moved:?}");
        books.finish().await;
    }

    async fn one_account_at_the_largest_number_does_not_harm_another(backend: Backend) {
        let books = Books::open(backend).await;
        for (number, account) in [(1, "user_1"), (2, "user_2")] {
            let report = books.opened_as(topup_of(number, account, i64::MAX)).await;
            books.apply(report).await.expect("applied");
            assert_eq!(books.balance(account).await, i64::MAX);
        }
        assert_eq!(books.rows().await, Rows { events: 2, failed: 0, entries: 2, accounts: 2, paid: 2 });
        books.finish().await;
    }

    async fn books_that_were_tampered_with_are_found_out(backend: Backend) {
        // Proves that the check in `finish` can fail.
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        books.apply(report).await.expect("applied");
        let paid = "credits of a top-up are granted once, when it is paid";
        let credited = "a payment that credited is its top-up's";
        let reversed = "what is taken back is what refunds and disputes say";
        let words = "states and kinds are words that the code knows";
        let cases = [
            ("UPDATE accounts SET balance = 251", vec!["balance = sum of entries"]),
            ("UPDATE accounts SET balance = 250, entries = 2", vec!["balance = sum of entries"]),
            ("UPDATE accounts SET entries = 1", vec![]),
            ("UPDATE topups SET state = 'open', paid_at = NULL", vec![paid, "a decided event's effect is there", credited]),
            ("UPDATE topups SET state = 'paid', paid_at = 1, credits = 251", vec![paid]),
            ("UPDATE topups SET credits = 250, account_id = 'user_2'", vec![paid]),
            ("UPDATE topups SET account_id = 'user_1'", vec![]),
            ("UPDATE topups SET taken_credits = 1", vec![reversed]),
            ("UPDATE topups SET taken_credits = 0", vec![]),
            ("UPDATE payments SET state = 'surplus'", vec![credited]),
            ("UPDATE payments SET state = 'credited'", vec![]),
            ("UPDATE topups SET fee_mode = 'grossup'", vec![words]),
            ("UPDATE topups SET fee_mode = 'absorb'", vec![]),
            ("UPDATE payments SET state = 'credit'", vec![credited, words]),
            ("UPDATE payments SET state = 'credited'", vec![]),
            ("INSERT INTO refund_requests (id, topup_id, provider, provider_payment_id, amount, currency, requested_by, state, \
            provider_attempt, caller, idempotency_key, request_hash, lease_until, created_at, updated_at) \
            SELECT 'r1', id, provider, 'pi_1', 1, 'usd', 'm', 'done', 1, 'c', 'k', 'h', 0, 1, 1 FROM topups", vec![words]),
            ("UPDATE refund_requests SET state = 'created'", vec![]),
        ];
        for (sql, rules) in cases {
            books.db.execute_raw(sql).await.expect("done");
            assert_eq!(books.db.broken_rules().await.expect("readable"), rules, "{sql}");
        }
        books.finish().await;
    }
}
