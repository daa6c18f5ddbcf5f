//! The event row, the top-up, the balance and the ledger entry are one transaction: wherever it fails, nothing remains,
//! Stripe is told to retry, and the retry credits once.

use serde_json::json;

use super::{another, state};
use crate::on_both_databases;
use crate::support::books::{Rows, rows};
use crate::support::{Backend as Databases, TestApp};

/// A way to break the database and to repair it.
#[derive(Clone, Copy)]
struct Fault {
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
    repair_sqlite: &'static str,
    repair_postgres: &'static str,
}

impl Fault {
    async fn begin(self, app: &TestApp, backend: Databases) {
        let sql = if backend == Databases::Sqlite { self.sqlite } else { self.postgres };
        app.app.db.execute_raw(sql).await.expect(self.name);
    }

    async fn end(self, app: &TestApp, backend: Databases) {
        let sql = if backend == Databases::Sqlite { self.repair_sqlite } else { self.repair_postgres };
        app.app.db.execute_raw(sql).await.expect(self.name);
    }
}

/// A trigger that refuses a statement.
macro_rules! refuse {
    ($when:literal, $table:literal) => {
        Fault {
            name: concat!($when, " ", $table),
            sqlite: concat!(
                "CREATE TRIGGER broken_",
                $table,
                " ",
                $when,
                " ON ",
                $table,
                " BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END"
            ),
            postgres: concat!(
                "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS ",
                "$$ BEGIN RAISE EXCEPTION 'broken on purpose'; END $$; ",
                "CREATE TRIGGER broken ",
                $when,
                " ON ",
                $table,
                " FOR EACH ROW EXECUTE FUNCTION broken()"
            ),
            repair_sqlite: concat!("DROP TRIGGER broken_", $table),
            repair_postgres: concat!("DROP TRIGGER broken ON ", $table),
        }
    };
}

const MARKER: Fault = refuse!("BEFORE INSERT", "webhook_events");
const TOPUP: Fault = refuse!("BEFORE UPDATE", "topups");
const LEDGER: Fault = refuse!("BEFORE INSERT", "ledger_entries");
const FAILURES: Fault = refuse!("BEFORE INSERT", "failed_webhook_events");
/// Every statement succeeds, then the commit fails.
const COMMIT: Fault = Fault {
    name: "COMMIT",
    sqlite: "CREATE TABLE broken_parents (id INTEGER PRIMARY KEY); \
        CREATE TABLE broken (id INTEGER REFERENCES broken_parents (id) DEFERRABLE INITIALLY DEFERRED); \
        CREATE TRIGGER broken_commit AFTER INSERT ON ledger_entries BEGIN INSERT INTO broken VALUES (1); END",
    postgres: "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN RAISE EXCEPTION 'broken on purpose'; END $$; \
        CREATE CONSTRAINT TRIGGER broken AFTER INSERT ON ledger_entries DEFERRABLE INITIALLY DEFERRED \
        FOR EACH ROW EXECUTE FUNCTION broken()",
    repair_sqlite: "DROP TRIGGER broken_commit; DROP TABLE broken; DROP TABLE broken_parents",
    repair_postgres: "DROP TRIGGER broken ON ledger_entries",
};

/// Delivers an event twice while the database is broken, and once more after it is repaired.
async fn breaks_at(backend: Databases, fault: Fault) {
    let app = TestApp::start(backend).await;
    // The account exists, so its balance update is among the changes to undo.
    let (_, first) = app.pay_session("user_1", 100).await;
    app.deliver(&first).await.expect(200);
    let before = rows(&app.app.db).await;
    let (session, event) = app.pay_session("user_1", 250).await;
    let (newcomers_session, newcomers_event) = app.pay_session("user_2", 250).await;

    fault.begin(&app, backend).await;
    for attempts in 1..=2 {
        for (session, event) in [(&session, &event), (&newcomers_session, &newcomers_event)] {
            app.deliver(event).await.expect_problem(500, "internal_error");
            let id = event["id"].as_str().expect("an id");
            let failed = app.app.db.failed_event(id).await.expect("readable").expect("a record").event;
            assert_eq!((failed.kind.as_str(), failed.attempts), ("transient", attempts), "{}", fault.name);
            assert_eq!(state(&app, session).await, "open", "{}", fault.name);
        }
        assert_eq!((app.credits("user_1").await, app.credits("user_2").await), (100, 0), "{}", fault.name);
        assert_eq!(rows(&app.app.db).await, Rows { failed: 2, ..before }, "{}", fault.name);
    }

    fault.end(&app, backend).await;
    for event in [&event, &newcomers_event, &event] {
        app.deliver(event).await.expect(200);
    }
    assert_eq!((app.credits("user_1").await, app.credits("user_2").await), (350, 250), "{}", fault.name);
    assert_eq!((state(&app, &session).await, state(&app, &newcomers_session).await), ("paid", "paid"));
    assert_eq!(rows(&app.app.db).await, Rows { events: 3, failed: 2, entries: 3, accounts: 2, paid: 3 });
    app.finish().await;
}

on_both_databases! {
    async fn a_failure_at_the_ledger_entry_undoes_the_marker_and_is_tried_again(backend: Backend) {
        // Known mistakes 1 and 2.
        breaks_at(backend, LEDGER).await;
    }

    async fn a_failure_after_the_ledger_entry_undoes_everything_and_is_tried_again(backend: Backend) {
        // Known mistakes 1 and 2.
        breaks_at(backend, refuse!("AFTER INSERT", "ledger_entries")).await;
    }

    async fn a_failure_at_the_balance_undoes_the_marker_and_is_tried_again(backend: Backend) {
        // Known mistakes 1 and 2.
        breaks_at(backend, refuse!("BEFORE INSERT", "accounts")).await;
    }

    async fn a_failure_at_the_top_up_undoes_the_marker_and_is_tried_again(backend: Backend) {
        // Known mistakes 1 and 2.
        breaks_at(backend, TOPUP).await;
    }

    async fn a_failure_at_the_marker_undoes_everything_and_is_tried_again(backend: Backend) {
        // Known mistakes 1 and 2.
        breaks_at(backend, MARKER).await;
    }

    async fn a_failure_at_the_commit_undoes_everything_and_is_tried_again(backend: Backend) {
        // Known mistakes 1 and 2.
        breaks_at(backend, COMMIT).await;
    }

    async fn a_failure_that_cannot_even_be_recorded_is_still_tried_again(backend: Backend) {
        // Known mistake 2.
        let app = TestApp::start(backend).await;
        let (session, event) = app.pay_session("user_1", 250).await;
        LEDGER.begin(&app, backend).await;
        FAILURES.begin(&app, backend).await;
        app.deliver(&event).await.expect_problem(500, "internal_error");
        let mut unreadable = event.clone();
        unreadable["data"]["object"]["payment_status"] = json!("paid_partly");
        app.deliver(&unreadable).await.expect_problem(500, "internal_error");
        assert_eq!((state(&app, &session).await, rows(&app.app.db).await), ("open", Rows::default()));
        FAILURES.end(&app, backend).await;
        LEDGER.end(&app, backend).await;
        app.deliver(&event).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn a_rejection_that_cannot_be_recorded_is_not_decided(backend: Backend) {
        // Known mistake 2.
        let app = TestApp::start(backend).await;
        let (_, mut event) = app.pay_session("user_1", 250).await;
        event["data"]["object"]["amount_total"] = json!(1);
        FAILURES.begin(&app, backend).await;
        app.deliver(&event).await.expect_problem(500, "internal_error");
        assert_eq!(rows(&app.app.db).await, Rows::default());
        FAILURES.end(&app, backend).await;
        app.deliver(&event).await.expect(200);
        assert_eq!(rows(&app.app.db).await, Rows { failed: 1, ..Rows::default() });
        app.finish().await;
    }

    async fn a_move_that_fails_leaves_no_marker_either(backend: Backend) {
        // Known mistake 1.
        let app = TestApp::start(backend).await;
        let (session, event) = app.pay_session("user_1", 250).await;
        let moves = [
            another(&event, "evt_unpaid", "checkout.session.completed", "unpaid"),
            another(&event, "evt_failed", "checkout.session.async_payment_failed", "unpaid"),
            another(&event, "evt_expired", "checkout.session.expired", "unpaid"),
        ];
        TOPUP.begin(&app, backend).await;
        for event in &moves {
            app.deliver(event).await.expect_problem(500, "internal_error");
        }
        assert_eq!(
            (state(&app, &session).await, rows(&app.app.db).await),
            ("open", Rows { failed: 3, ..Rows::default() })
        );
        TOPUP.end(&app, backend).await;
        for (event, expected) in moves.iter().zip(["processing", "failed", "failed"]) {
            app.deliver(event).await.expect(200);
            assert_eq!(state(&app, &session).await, expected);
        }
        app.finish().await;
    }
}
