//! The decision for each relevant pair of top-up state and Stripe report.

use topup::domain::checkout::{PurchaseProgress, PurchaseReport, TopupState};
use topup::domain::ids::{SessionId, TopupId};
use topup::domain::judge::Applied;
use topup::providers::stripe::name::NAME as STRIPE;

use crate::on_both_databases;
use crate::support::books::{Books, NOW_MS, Rows, new_topup, news, paid_report, topup_of};
use PurchaseProgress::{Expired, Failed, Nothing, Paid, Processing};

on_both_databases! {
    async fn a_purchase_reads_back_as_it_was_written(backend: Backend) {
        let books = Books::open(backend).await;
        let new = new_topup(1);
        assert!(books.db.topup(&new.id).await.expect("readable").is_none());
        books.insert(new.clone()).await;
        let topup = books.topup(&new.id).await;
        assert_eq!((&topup.account, topup.credits, topup.currency), (&new.account, 250, new.quote.currency));
        assert_eq!((topup.credits_amount_minor, topup.fee_amount_minor, topup.total_amount_minor), (250, 39, 289));
        assert_eq!((topup.request().expect("readable"), topup.attempt.key), (new.request, 1));
        assert_eq!((topup.state, topup.session, topup.session_url), (TopupState::Creating, None, None));
        assert_eq!((topup.created_at_ms, topup.expires_at_ms, topup.paid_at_ms), (NOW_MS, NOW_MS + 3_600_000, None));
        books.finish().await;
    }

    async fn a_purchase_is_found_by_its_session(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        let found = books.db.topup_by_session(&report.session).await.expect("readable").expect("a top-up");
        assert_eq!((found.id, found.state), (report.topup, TopupState::Open));
        let other = SessionId::parse(STRIPE, "cs_test_other").expect("an id");
        assert!(books.db.topup_by_session(&other).await.expect("readable").is_none());
        books.finish().await;
    }

    async fn a_payment_is_credited_once_with_everything_that_explains_it(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        let credited = books.apply(report.clone()).await.expect("applied");
        assert_eq!(credited, Applied::Credited { credits: 250, balance_after: 250 });
        let topup = books.topup(&report.topup).await;
        assert_eq!((topup.state, topup.paid_at_ms), (TopupState::Paid, Some(NOW_MS)));
        let entries = books.db.entries(&topup.account, i64::MAX, 10).await.expect("readable");
        assert_eq!(entries.len(), 1);
        let entry = &entries[0];
        assert_eq!((entry.sequence, entry.credits, entry.balance_after, entry.created_at), (1, 250, 250, NOW_MS));
        assert_eq!((entry.kind.as_str(), entry.source.as_str()), ("topup", topup.id.as_str()));
        let balance = books.db.balance(&topup.account).await.expect("readable");
        assert_eq!((balance.remaining_credits, balance.total_credits, balance.used_credits), (250, 250, 0));
        assert_eq!(balance.updated_at_ms, Some(NOW_MS));
        assert_eq!(books.rows().await, Rows { events: 1, failed: 0, entries: 1, accounts: 1, paid: 1 });
        books.finish().await;
    }

    async fn the_same_event_twice_is_a_duplicate(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        books.apply(report.clone()).await.expect("applied");
        let before = books.rows().await;
        assert_eq!(books.apply(report).await.expect("applied"), Applied::Duplicate);
        assert_eq!((books.balance("user_1").await, books.rows().await), (250, before));
        books.finish().await;
    }

    async fn an_event_that_changed_nothing_is_a_duplicate_when_it_comes_again(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        let nothing = news(&report, "evt_nothing", Nothing);
        assert_eq!(books.apply(nothing.clone()).await.expect("applied"), Applied::NothingToDo);
        assert_eq!(books.apply(nothing).await.expect("applied"), Applied::Duplicate);
        assert_eq!(books.state(&report.topup).await, TopupState::Open);
        books.finish().await;
    }

    async fn two_events_about_one_payment_credit_once(backend: Backend) {
        // Known mistake 6.
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        books.apply(report.clone()).await.expect("applied");
        assert_eq!(books.apply(news(&report, "evt_second", Paid)).await.expect("applied"), Applied::AlreadyPaid);
        let asked = PurchaseReport { event: None, ..report };
        assert_eq!(books.apply(asked).await.expect("applied"), Applied::AlreadyPaid);
        assert_eq!(books.balance("user_1").await, 250);
        assert_eq!(books.rows().await, Rows { events: 2, failed: 0, entries: 1, accounts: 1, paid: 1 });
        books.finish().await;
    }

    async fn an_answer_that_we_asked_for_credits_without_an_event(backend: Backend) {
        let books = Books::open(backend).await;
        let report = PurchaseReport { event: None, ..books.opened(1).await };
        let credited = books.apply(report).await.expect("applied");
        assert_eq!(credited, Applied::Credited { credits: 250, balance_after: 250 });
        assert_eq!(books.rows().await, Rows { events: 0, failed: 0, entries: 1, accounts: 1, paid: 1 });
        books.finish().await;
    }

    async fn an_unpaid_checkout_is_processing_and_credits_when_the_money_comes(backend: Backend) {
        // Known mistake 7.
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        let unpaid = books.apply(news(&report, "evt_unpaid", Processing)).await.expect("applied");
        assert_eq!(unpaid, Applied::Moved(TopupState::Processing));
        assert_eq!((books.balance("user_1").await, books.state(&report.topup).await), (0, TopupState::Processing));
        assert!(matches!(books.apply(report.clone()).await, Ok(Applied::Credited { .. })));
        assert_eq!((books.balance("user_1").await, books.state(&report.topup).await), (250, TopupState::Paid));
        books.finish().await;
    }

    async fn every_pair_of_news_ends_as_the_table_says(backend: Backend) {
        use TopupState::{Expired as E, Failed as F, Open as O, Paid as P, Processing as W};
        let books = Books::open(backend).await;
        let table = [
            (Nothing, Nothing, O),
            (Nothing, Processing, W),
            (Nothing, Failed, F),
            (Nothing, Expired, E),
            (Nothing, Paid, P),
            (Processing, Nothing, W),
            (Processing, Processing, W),
            (Processing, Failed, F),
            (Processing, Expired, W),
            (Processing, Paid, P),
            (Failed, Nothing, F),
            (Failed, Processing, F),
            (Failed, Failed, F),
            (Failed, Expired, F),
            (Failed, Paid, P),
            (Expired, Nothing, E),
            (Expired, Processing, E),
            (Expired, Failed, E),
            (Expired, Expired, E),
            (Expired, Paid, P),
            (Paid, Nothing, P),
            (Paid, Processing, P),
            (Paid, Failed, P),
            (Paid, Expired, P),
            (Paid, Paid, P),
        ];
        for (number, (first, second, end)) in (1_u128..).zip(table) {
            let report = books.opened_as(topup_of(number, &format!("user_{number}"), 250)).await;
            for (name, progress) in [("first", first), ("second", second)] {
                books.apply(news(&report, &format!("evt_{name}_{number}"), progress)).await.expect("applied");
            }
            assert_eq!(books.state(&report.topup).await, end, "{first:?}, then {second:?}");
            let credits = if end == P { 250 } else { 0 };
            assert_eq!(books.balance(&format!("user_{number}")).await, credits, "{first:?}, then {second:?}");
        }
        books.finish().await;
    }

    async fn processing_after_failed_and_expired_after_processing_are_recorded_and_ignored(backend: Backend) {
        let books = Books::open(backend).await;
        for (number, first, second) in [(1, Failed, Processing), (2, Processing, Expired), (3, Expired, Failed)] {
            let report = books.opened(number).await;
            books.apply(news(&report, &format!("evt_a{number}"), first)).await.expect("applied");
            let late = books.apply(news(&report, &format!("evt_b{number}"), second)).await.expect("applied");
            assert_eq!(late, Applied::NothingToDo, "{first:?}, then {second:?}");
        }
        assert_eq!(books.rows().await, Rows { events: 6, ..Rows::default() });
        books.finish().await;
    }

    async fn the_end_of_another_session_is_no_news_of_the_purchase(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        let session = SessionId::parse(STRIPE, "cs_test_first_try").expect("an id");
        for (event, progress) in [("evt_e", Expired), ("evt_f", Failed), ("evt_n", Nothing)] {
            let other = PurchaseReport { session: session.clone(), ..news(&report, event, progress) };
            assert_eq!(books.apply(other).await.expect("applied"), Applied::NothingToDo, "{progress:?}");
            assert_eq!(books.state(&report.topup).await, TopupState::Open, "{progress:?}");
        }
        books.finish().await;
    }

    async fn the_payment_of_another_session_is_rejected(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        let session = SessionId::parse(STRIPE, "cs_test_other").expect("an id");
        for (event, progress) in [("evt_p", Paid), ("evt_w", Processing)] {
            let other = PurchaseReport { session: session.clone(), ..news(&report, event, progress) };
            assert!(matches!(books.apply(other).await, Ok(Applied::Rejected(mismatch)) if mismatch.field == "session"));
        }
        assert_eq!((books.state(&report.topup).await, books.rows().await), (TopupState::Open, Rows::default()));
        books.finish().await;
    }

    async fn a_session_that_was_not_stored_is_filled_in_by_the_news(backend: Backend) {
        // Known mistake 24: our write after Stripe's answer was lost.
        let books = Books::open(backend).await;
        for (number, progress, state) in [(1, Paid, TopupState::Paid), (2, Processing, TopupState::Processing)] {
            let new = new_topup(number);
            books.insert(new.clone()).await;
            let report = PurchaseReport { progress, ..paid_report(&new) };
            books.apply(report.clone()).await.expect("applied");
            let topup = books.topup(&new.id).await;
            assert_eq!((topup.state, topup.session), (state, Some(report.session)));
        }
        books.finish().await;
    }

    async fn a_purchase_of_another_database_is_foreign_and_leaves_no_row(backend: Backend) {
        // Known mistake 21.
        let books = Books::open(backend).await;
        books.opened(1).await;
        for (number, progress) in [(2, Paid), (3, Processing), (4, Failed), (5, Expired), (6, Nothing)] {
            let report = PurchaseReport { progress, ..paid_report(&new_topup(number)) };
            assert_eq!(books.apply(report).await.expect("applied"), Applied::Foreign);
        }
        assert_eq!(books.rows().await, Rows::default());
        books.finish().await;
    }

    async fn commands_of_one_call_are_answered_in_order_and_fail_alone(backend: Backend) {
        use topup::domain::ids::LedgerEntryId;
        use topup::purchases::payment::apply::ApplyPayment;
        let books = Books::open(backend).await;
        let (one, two) = (books.opened(1).await, books.opened(2).await);
        let foreign = PurchaseReport { topup: TopupId::from_bits(9), ..news(&one, "evt_foreign", Paid) };
        let wrong = PurchaseReport { amount_total_minor: Some(1), ..news(&two, "evt_wrong", Paid) };
        // The second entry's id is taken by the first: the database refuses it.
        let commands = [(one.clone(), 1), (foreign, 2), (two.clone(), 1), (wrong, 3), (one, 4), (two, 5)];
        let commands = commands.map(|(report, entry)| ApplyPayment {
            report,
            entry: LedgerEntryId::from_bits(entry),
            reversal_entry: LedgerEntryId::from_bits(entry + 100),
            now_ms: NOW_MS,
        });
        let outcomes = books.db.apply(commands.to_vec()).await;
        assert!(matches!(outcomes[1], Ok(Applied::Foreign)), "{outcomes:?}");
        assert!(matches!(outcomes[3], Ok(Applied::Rejected(_))), "{outcomes:?}");
        // Two commands for one top-up run in either order: one credits, the other finds it paid or finds its entry id
        // used.
        for (first, second) in [(0, 4), (2, 5)] {
            let credited = [first, second].map(|at| matches!(outcomes[at], Ok(Applied::Credited { .. })));
            assert_ne!(credited[0], credited[1], "{outcomes:?}");
        }
        assert_eq!(books.balance("user_1").await, 500);
        books.finish().await;
    }
}
