//! Usage: recorded hours change no answer, whenever and by whom they were recorded, and whichever are missing.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;
use topup::books::audit::audit;
use topup::books::spend::action::{Action, Shortfall, SpendCommand};
use topup::books::usage::hours::UsageBy;
use topup::books::usage::live::Used;
use topup::books::usage::read_usage::{Usage, UsageKey, UsageSum, read_usage};
use topup::books::usage::record_usage::record_usage;
use topup::db::Db;

use super::ledger::{ACCOUNT, at, buy, capture, debit, hold, submit};
use crate::on_both_databases;
use crate::support::books::{Books, NOW_MS, account_id};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// A midnight.
const BEGIN_MS: i64 = NOW_MS - NOW_MS % DAY_MS + DAY_MS;
const ALL: [UsageBy; 4] = [UsageBy::Hour, UsageBy::Day, UsageBy::Operation, UsageBy::Subject];

async fn record(db: &Db, now_ms: i64) -> usize {
    record_usage(db, now_ms, &CancellationToken::new()).await.expect("is recorded")
}

async fn usage(db: &Db, by: UsageBy, range: (i64, i64)) -> Usage {
    read_usage(db, &account_id(ACCOUNT), range, by, BEGIN_MS).await.expect("readable")
}

/// The answers to every question about these hours.
async fn answers(db: &Db, range: (i64, i64)) -> Vec<Usage> {
    let mut answers = Vec::new();
    for by in ALL {
        answers.push(usage(db, by, range).await);
    }
    answers
}

/// Deletes recorded hours, whole ones.
async fn forget(books: &Books, condition: &str) {
    let sql = format!("DELETE FROM usage_hours WHERE {condition}");
    books.db.execute_raw(Box::leak(sql.into_boxed_str())).await.expect("is deleted");
}

/// A debit for one of several operations and subjects.
fn purposeful(number: u128, credits: i64, operation: &str, subject: &str) -> SpendCommand {
    let mut command = debit(number, credits);
    if let Action::Debit(debit) = &mut command.action {
        operation.clone_into(&mut debit.purpose.operation);
        subject.clone_into(&mut debit.purpose.subject);
    }
    command
}

/// What was spent, as it was submitted: a debit belongs to the latest hour that it or one before it carries.
#[derive(Default)]
struct Truth {
    latest_ms: i64,
    spends: Vec<(i64, String, String, i64)>,
}

impl Truth {
    async fn spend(&mut self, books: &Books, now_ms: i64, command: SpendCommand, what: (&str, &str, i64)) {
        submit(books, at(now_ms, command)).await;
        self.latest_ms = self.latest_ms.max(now_ms);
        self.spends.push((self.latest_ms, what.0.to_owned(), what.1.to_owned(), what.2));
    }

    fn answer(&self, by: UsageBy, (from_ms, to_ms): (i64, i64)) -> Vec<UsageSum> {
        let mut sums: BTreeMap<UsageKey, Used> = BTreeMap::new();
        for (time_ms, operation, subject, credits) in &self.spends {
            if !(from_ms..to_ms).contains(time_ms) {
                continue;
            }
            let key = match by {
                UsageBy::Hour => UsageKey::Time(time_ms - time_ms % HOUR_MS),
                UsageBy::Day => UsageKey::Time(time_ms - time_ms % DAY_MS),
                UsageBy::Operation => UsageKey::Word(operation.clone()),
                UsageBy::Subject => UsageKey::Word(subject.clone()),
            };
            let used = sums.entry(key).or_default();
            used.credits += credits;
            used.spends += 1;
        }
        let mut sums: Vec<UsageSum> = sums.into_iter().map(|(key, used)| UsageSum { key, used }).collect();
        if matches!(by, UsageBy::Operation | UsageBy::Subject) {
            sums.sort_by_key(|sum| std::cmp::Reverse(sum.used.credits));
        }
        sums
    }

    async fn check(&self, db: &Db, what: &str) {
        let ranges = [
            (BEGIN_MS, i64::MAX),
            (BEGIN_MS, BEGIN_MS + DAY_MS),
            (BEGIN_MS + 2 * HOUR_MS, BEGIN_MS + 5 * HOUR_MS),
            (BEGIN_MS + 3 * HOUR_MS, BEGIN_MS + 4 * HOUR_MS),
            (BEGIN_MS + 20 * HOUR_MS, BEGIN_MS + 30 * HOUR_MS),
            (BEGIN_MS + 90 * DAY_MS, BEGIN_MS + 91 * DAY_MS),
        ];
        for (by, range) in ALL.into_iter().flat_map(|by| ranges.map(|range| (by, range))) {
            assert_eq!(usage(db, by, range).await.sums, self.answer(by, range), "{what}: {by:?} of {range:?}");
        }
    }
}

/// Spends on two days, some in quick succession across an hour's end, out of order, and in hours far apart.
async fn history(books: &Books) -> Truth {
    buy(books, 1, ACCOUNT, 1_000_000).await;
    let (mut truth, mut number) = (Truth::default(), 100_u128);
    for hour in [0, 1, 2, 3, 4, 7, 23, 24, 25, 40] {
        for (minute, operation, subject) in [
            (1, "chat", "anna"),
            (30, "image", "anna"),
            (58, "chat", ""),
            (62, "", "bert"),
            (57, "chat", "anna"),
            (59, "", ""),
        ] {
            number += 1;
            let credits = i64::try_from(number % 17).expect("small") + 1;
            let now_ms = BEGIN_MS + hour * HOUR_MS + minute * MINUTE_MS;
            let command = purposeful(number, credits, operation, subject);
            truth.spend(books, now_ms, command, (operation, subject, credits)).await;
        }
    }
    number += 1;
    let now_ms = BEGIN_MS + 42 * HOUR_MS;
    submit(books, at(now_ms, hold(number, 50, 50, now_ms + MINUTE_MS))).await;
    truth.spend(books, now_ms + 1, capture(number + 1, number, 20, Shortfall::Cap), ("stream", "", 20)).await;
    // It is on record, and moves nothing.
    submit(books, at(now_ms + 1, hold(number + 2, 50, 50, now_ms + MINUTE_MS))).await;
    submit(books, at(now_ms + 2, capture(number + 3, number + 2, 0, Shortfall::Cap))).await;
    truth
}

on_both_databases! {
    async fn recorded_hours_change_no_answer(backend: Backend) {
        let books = Books::open(backend).await;
        let mut truth = history(&books).await;
        truth.check(&books.db, "nothing recorded").await;
        assert_eq!(record(&books.db, BEGIN_MS + HOUR_MS + MINUTE_MS - 1).await, 1, "that of the purchase");
        assert_eq!(record(&books.db, BEGIN_MS + 2 * HOUR_MS + 59 * MINUTE_MS).await, 2);
        truth.check(&books.db, "two hours recorded").await;
        assert_eq!(record(&books.db, BEGIN_MS + 2 * HOUR_MS + 59 * MINUTE_MS).await, 0, "again");
        // Two services at once.
        let other = books.database.connect().await;
        let now_ms = BEGIN_MS + 26 * HOUR_MS;
        let (one, two) = tokio::join!(record(&books.db, now_ms), record(&other, now_ms));
        assert_eq!(one + two, 8, "2 to 5, 7, 8, 23, 24");
        truth.check(&other, "recorded by two at once").await;
        other.close().await;
        for (condition, what) in [
            (format!("hour = {}", BEGIN_MS + 3 * HOUR_MS), "one hour is missing"),
            (format!("hour < {}", BEGIN_MS + 2 * HOUR_MS), "the first hours are missing"),
            (format!("hour > {}", BEGIN_MS + 23 * HOUR_MS), "the last hours are missing"),
        ] {
            forget(&books, &condition).await;
            truth.check(&books.db, what).await;
        }
        assert_eq!(record(&books.db, BEGIN_MS + 44 * HOUR_MS).await, 6, "24 to 26, 40 to 42");
        truth.check(&books.db, "recorded again").await;
        // These come after their hour was recorded.
        for (number, hour) in [(900, 42), (901, 42), (902, 43)] {
            let now_ms = BEGIN_MS + hour * HOUR_MS + 58 * MINUTE_MS;
            truth.spend(&books, now_ms, purposeful(number, 3, "late", "anna"), ("late", "anna", 3)).await;
        }
        truth.check(&books.db, "late entries").await;
        record(&books.db, BEGIN_MS + 60 * HOUR_MS).await;
        truth.check(&books.db, "late entries, recorded").await;
        let before = answers(&books.db, (BEGIN_MS, i64::MAX)).await;
        forget(&books, "TRUE").await;
        assert_eq!(answers(&books.db, (BEGIN_MS, i64::MAX)).await, before);
        record(&books.db, BEGIN_MS + 60 * HOUR_MS).await;
        assert_eq!(answers(&books.db, (BEGIN_MS, i64::MAX)).await, before);
        books.finish().await;
    }

    async fn the_largest_words_are_told_and_that_there_are_more(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 1_000_000).await;
        let debits = (0..1_001_u128).map(|number| {
            let credits = if number == 500 { 9 } else { 1 };
            at(BEGIN_MS, purposeful(10 + number, credits, "chat", &format!("member_{number:04}")))
        });
        futures_util::future::join_all(debits.map(|debit| submit(&books, debit))).await;
        record(&books.db, BEGIN_MS + 2 * HOUR_MS).await;
        let by_subject = usage(&books.db, UsageBy::Subject, (BEGIN_MS, BEGIN_MS + HOUR_MS)).await;
        assert!(by_subject.has_more);
        let keys: Vec<&UsageKey> = by_subject.sums.iter().map(|sum| &sum.key).collect();
        assert_eq!(keys.len(), 1_000);
        let member = |number: &str| UsageKey::Word(format!("member_{number}"));
        assert_eq!((keys[0], keys[1], keys[999]), (&member("0500"), &member("0000"), &member("0999")));
        assert!(!usage(&books.db, UsageBy::Operation, (BEGIN_MS, BEGIN_MS + HOUR_MS)).await.has_more);
        books.finish().await;
    }

    async fn the_audit_finds_a_recorded_hour_that_is_wrong(backend: Backend) {
        let books = Books::open(backend).await;
        history(&books).await;
        record(&books.db, BEGIN_MS + 60 * HOUR_MS).await;
        let hour = BEGIN_MS + 2 * HOUR_MS;
        let found = async || audit(&books.db, false).await.expect("readable").first;
        assert_eq!(found().await, []);
        for (what, detail) in [
            ("SET credits = credits + 1", "its sums are not those of its entries"),
            ("SET spends = spends + 1", "its sums are not those of its entries"),
            ("SET refunded_credits = 1", "its sums are not those of its entries"),
            ("SET subject = 'nobody' WHERE subject = 'anna'", "its sums are not those of its entries"),
            ("SET first_sequence = first_sequence + 1", "which is of another hour"),
            ("SET last_sequence = last_sequence + 3", "its sums are not those of its entries"),
            ("SET first_sequence = last_sequence + 1, last_sequence = last_sequence + 1", "which is of another hour"),
            ("SET first_sequence = 1", "the hour before it those up to"),
        ] {
            let (set, condition) = what.split_once(" WHERE ").unwrap_or((what, "TRUE"));
            let sql = format!("UPDATE usage_hours {set} WHERE hour = {hour} AND {condition}");
            books.db.execute_raw(Box::leak(sql.into_boxed_str())).await.expect("is changed");
            let first = found().await;
            assert!(!first.is_empty() && first[0].detail.contains(detail), "{what}: {first:?}");
            forget(&books, &format!("hour >= {hour}")).await;
            record(&books.db, BEGIN_MS + 60 * HOUR_MS).await;
            assert_eq!(found().await, [], "{what}");
        }
        books.finish().await;
    }
}
