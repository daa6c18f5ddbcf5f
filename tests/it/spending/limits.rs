//! Limits beside clocks that differ, and holds that end together; and the rules that watch what counts.

use futures_util::future::join_all;
use topup::books::audit::audit;
use topup::books::spend::action::{Action, SpendCommand};
use topup::domain::spend_limit::{Period, Windows};

use super::ledger::{ACCOUNT, at, buy, debit, hold, limit, submit};
use super::model::Verdict;
use crate::on_both_databases;
use crate::support::books::{Books, NOW_MS, account_id};

const HOUR_MS: i64 = 3_600_000;

async fn verdict(books: &Books, command: SpendCommand) -> Verdict {
    Verdict::of(&submit(books, command).await)
}

/// The same hold or debit, of a subject.
fn of_subject(subject: &str, mut command: SpendCommand) -> SpendCommand {
    match &mut command.action {
        Action::Debit(new) => subject.clone_into(&mut new.purpose.subject),
        Action::Hold(new) => subject.clone_into(&mut new.purpose.subject),
        _ => panic!("it has no subject of its own"),
    }
    command
}

/// The next midnight of UTC.
fn midnight() -> i64 {
    Windows::at(NOW_MS).day_ms + 24 * HOUR_MS
}

/// A statement that tampers with what counts, and one that undoes it.
const TAMPERINGS: [(&str, &str); 3] = [
    ("UPDATE spend_limits SET used = used + 1", "UPDATE spend_limits SET used = used - 1"),
    ("UPDATE spend_limits SET held = held + 1", "UPDATE spend_limits SET held = held - 1"),
    (
        "UPDATE accounts SET limits_from = limits_from - 86400000",
        "UPDATE accounts SET limits_from = limits_from + 86400000",
    ),
];

on_both_databases! {
    async fn the_rules_notice_what_counts_wrongly(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 100).await;
        for (subject, period) in [("", Period::Day), ("team", Period::Total)] {
            limit(&books, ACCOUNT, subject, period, Some(90), NOW_MS).await;
        }
        submit(&books, debit(1, 5)).await;
        submit(&books, of_subject("team", hold(2, 6, 6, NOW_MS + HOUR_MS))).await;
        assert_eq!(books.db.broken_rules().await.expect("readable"), Vec::<&str>::new());
        for (tamper, undo) in TAMPERINGS {
            books.db.execute_raw(tamper).await.expect("is written");
            let broken = books.db.broken_rules().await.expect("readable");
            assert_eq!(broken, ["what counts against a limit are its spends and holds"], "{tamper}");
            let report = audit(&books.db, false).await.expect("readable");
            assert!(report.first.iter().any(|found| found.id.contains("limit")), "{tamper}: {:?}", report.first);
            books.db.execute_raw(undo).await.expect("is written");
        }
        books.finish().await;
    }

    async fn holds_of_many_subjects_that_end_together_count_no_more(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 1_000).await;
        for (subject, credits) in [("", 300), ("a", 100), ("b", 200)] {
            limit(&books, ACCOUNT, subject, Period::Total, Some(credits), NOW_MS).await;
        }
        let holds = (1..=90_u128).map(|number| {
            let subject = ["", "a", "b"][usize::try_from(number % 3).expect("small")];
            submit(&books, of_subject(subject, hold(number, 3, 3, NOW_MS + 1_000)))
        });
        for outcome in join_all(holds).await {
            assert_eq!(Verdict::of(&outcome), Verdict::Held(3));
        }
        let spends = async |number: u128, subject: &str, credits: i64| {
            verdict(&books, at(NOW_MS + 2_000, of_subject(subject, debit(number, credits)))).await
        };
        assert_eq!(spends(101, "a", 101).await, Verdict::Limited("a".to_owned(), Period::Total, 100));
        assert_eq!(spends(102, "a", 100).await, Verdict::Spent(100));
        assert_eq!(spends(103, "b", 201).await, Verdict::Limited(String::new(), Period::Total, 200));
        assert_eq!(spends(104, "b", 200).await, Verdict::Spent(200));
        books.finish().await;
    }

    /// Another server's clock is hours ahead: only limits count by it. Holds and grants end by the clock at hand.
    async fn a_clock_that_is_ahead_ends_no_holds(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 100).await;
        limit(&books, ACCOUNT, "", Period::Day, Some(90), NOW_MS).await;
        assert_eq!(verdict(&books, at(midnight() + 1, debit(1, 10))).await, Verdict::Spent(10));
        let now_ms = midnight() - 6 * HOUR_MS;
        assert_eq!(verdict(&books, at(now_ms, hold(2, 60, 60, now_ms + HOUR_MS))).await, Verdict::Held(60));
        let held = books.db.balance(&account_id(ACCOUNT)).await.expect("readable").held_credits;
        assert_eq!(held, 60);
        // The day that is counted is the later one.
        assert_eq!(
            verdict(&books, at(now_ms, debit(3, 21))).await,
            Verdict::Limited(String::new(), Period::Day, 20)
        );
        assert_eq!(verdict(&books, at(now_ms, debit(4, 20))).await, Verdict::Spent(20));
        books.finish().await;
    }

    /// A spend of the day after, by a clock that is ahead, came before the limit.
    async fn a_limit_that_is_set_by_a_slower_clock_counts_the_later_day(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 100).await;
        assert_eq!(verdict(&books, at(midnight() + 1, debit(1, 10))).await, Verdict::Spent(10));
        limit(&books, ACCOUNT, "", Period::Day, Some(15), midnight() - 1_000).await;
        let limited = Verdict::Limited(String::new(), Period::Day, 5);
        assert_eq!(verdict(&books, at(midnight() - 500, debit(2, 6))).await, limited);
        assert_eq!(verdict(&books, at(midnight() + 2, debit(3, 6))).await, limited);
        books.finish().await;
    }
}
