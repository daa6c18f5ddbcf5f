//! Random histories over several months: exports and reports agree with the ledger to the credit, wherever a time is.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use serde_json::{Value, json};
use topup::books::adjustments::{self, NewAdjustment};
use topup::books::spend::action::SpendCommand;
use topup::db::{Statement, args};
use topup::domain::checkout::PurchaseReport;
use topup::domain::expiry::ExpiryDays;
use topup::domain::ids::{AdjustmentId, LedgerEntryId};
use topup::domain::timestamp::rfc3339;
use topup::exports::cell::Format;
use topup::exports::export::{Export, Table, write_export};
use topup::exports::month::{Month, MonthReport, report_month};
use topup::exports::range::TimeRange;
use topup::purchases::payment::apply::ApplyPayment;
use topup::purchases::reversal::reversals::ApplyReversals;

use crate::conformance::groups::refund;
use crate::on_both_databases;
use crate::sim::rng::Rng;
use crate::spending::ledger::{at, debit, of, submit};
use crate::support::books::{Books, account_id, topup_of};
use crate::support::closure;

const HISTORIES: u64 = 3;
const STEPS: u128 = 90;
const ACCOUNTS: [&str; 3] = ["anna", "=bert", "carl, jr"];
/// 2026-09-29T12:00:00Z.
const START_MS: i64 = 1_790_683_200_000;
const HOUR_MS: i64 = 3_600_000;

#[derive(Debug, Clone, sqlx::FromRow)]
struct Entry {
    account_id: String,
    sequence: i64,
    id: String,
    kind: String,
    credits: i64,
    reason: Option<String>,
    created_at: i64,
}

static ENTRIES: Statement = Statement::new(
    "SELECT account_id, sequence, id, kind, credits, reason, created_at FROM ledger_entries ORDER BY account_id, sequence",
);

/// Draws ids as the service does: they begin with the time, which is a little off, as clocks are.
struct Ids(Rng, u128);

impl Ids {
    fn next(&mut self, now_ms: i64) -> LedgerEntryId {
        self.1 += 1;
        let skew_ms = i64::try_from(self.0.below(60_000)).expect("small") - 30_000;
        LedgerEntryId::from_bits(u128::try_from(now_ms + skew_ms).expect("after 1970") << 80 | self.1)
    }
}

struct History {
    books: Books,
    ids: Ids,
    rng: Rng,
    now_ms: i64,
    bought: Vec<(u128, PurchaseReport, i64)>,
}

impl History {
    async fn run(backend: crate::support::Backend, seed: u64) -> Self {
        let books = Books::open(backend).await;
        let ids = Ids(Rng::new(seed + 1_000), 0);
        let mut history = Self { books, ids, rng: Rng::new(seed), now_ms: START_MS, bought: Vec::new() };
        for number in 1..=STEPS {
            history.time_passes();
            history.step(number).await;
        }
        history
    }

    fn roll(&mut self, below: u64) -> i64 {
        i64::try_from(self.rng.below(below)).expect("small")
    }

    /// A step often comes within milliseconds of a month's border.
    fn time_passes(&mut self) {
        let next = self.now_ms + 60_000 + self.roll(30) * HOUR_MS;
        let border = Month::of(next).expect("a month").range().from_ms;
        self.now_ms = match self.roll(3) {
            0 if border > self.now_ms => border + self.roll(3) - 1,
            _ => next,
        };
    }

    async fn step(&mut self, number: u128) {
        let account = ACCOUNTS[usize::try_from(self.roll(3)).expect("small")];
        let (entry, now_ms) = (self.ids.next(self.now_ms), self.now_ms);
        match self.roll(10) {
            0..=2 => self.buy(number, account).await,
            3 if !self.bought.is_empty() => self.give_back(number).await,
            4 => {
                let credits = 1 + self.roll(40);
                adjust(&self.books, number, account, credits, entry, now_ms).await;
            }
            _ => {
                let credits = 1 + self.roll(60);
                let command = SpendCommand { entry, ..of(account, at(now_ms, debit(number, credits))) };
                submit(&self.books, command).await;
            }
        }
    }

    async fn buy(&mut self, number: u128, account: &str) {
        let credits = 1 + self.roll(200);
        let mut new = topup_of(number, account, credits);
        new.now_ms = self.now_ms;
        new.quote.expiry = if self.roll(3) == 0 { ExpiryDays::new(1 + self.roll(20)) } else { None };
        let report = self.books.opened_as(new).await;
        let (entry, reversal_entry) = (self.ids.next(self.now_ms), self.ids.next(self.now_ms));
        let apply = ApplyPayment { report: report.clone(), entry, reversal_entry, now_ms: self.now_ms };
        self.books.db.apply(vec![apply]).await.remove(0).expect("is credited");
        self.bought.push((number, report, credits));
    }

    async fn give_back(&mut self, number: u128) {
        let index = usize::try_from(self.roll(1_000)).expect("small") % self.bought.len();
        let (_, report, left) = self.bought[index].clone();
        let part = 1 + self.roll(200).min(left - 1);
        self.bought[index].2 -= part;
        let entry = self.ids.next(self.now_ms);
        let command = ApplyReversals { entry, now_ms: self.now_ms, ..refund(number, part, &report) };
        self.books.db.apply_reversals(command).await.expect("is applied");
        self.bought.retain(|(_, _, left)| *left > 0);
    }

    async fn entries(&self) -> Vec<Entry> {
        self.books.db.read_all(&ENTRIES, &[]).await.expect("readable")
    }

    async fn export(&self, table: Table, range: TimeRange, account: Option<&str>, format: Format) -> String {
        let export = Export { table, range, account: account.map(account_id), format };
        let mut text = Vec::new();
        write_export(&self.books.db, &export, &mut text).await.expect("is written");
        String::from_utf8(text).expect("text")
    }
}

async fn adjust(books: &Books, number: u128, account: &str, credits: i64, entry: LedgerEntryId, now_ms: i64) {
    let new = NewAdjustment {
        id: AdjustmentId::from_bits(number),
        entry,
        account: account_id(account),
        credits,
        reason: "=a test, with \"signs\"".to_owned(),
        made_by: "a test".to_owned(),
        scope: format!("adjustment:{account}"),
        key: number.to_string(),
        request_hash: String::new(),
        now_ms,
    };
    let booked = books.db.write(closure(move |tx| {
        let new = new.clone();
        async move { adjustments::book(tx, &new).await }.boxed()
    }));
    booked.await.expect("is written");
}

/// What the report of these entries must say.
fn check_report(report: &MonthReport, entries: &[Entry], range: TimeRange, at: &str) {
    let before =
        |time_ms: i64| entries.iter().filter(|entry| entry.created_at < time_ms).map(|entry| entry.credits).sum();
    let opening: i64 = before(range.from_ms);
    let closing: i64 = before(range.to_ms);
    assert_eq!((report.opening_credits, report.closing_credits), (opening, closing), "{at}");
    let within = |kinds: &[&str]| -> i64 {
        let of = entries.iter().filter(|entry| (range.from_ms..range.to_ms).contains(&entry.created_at));
        of.filter(|entry| kinds.contains(&entry.kind.as_str())).map(|entry| entry.credits).sum()
    };
    assert_eq!(report.sold_credits, within(&["topup"]), "{at}");
    assert_eq!(report.spent_credits, -within(&["spend"]), "{at}");
    assert_eq!(report.expired_credits, -within(&["expiry"]), "{at}");
    assert_eq!(report.refunded_credits, -within(&["reversal"]), "{at}");
    assert_eq!(report.adjusted_credits, within(&["adjustment"]), "{at}");
    let moved = report.sold_credits + report.granted_credits + report.adjusted_credits
        - report.spent_credits
        - report.expired_credits
        - report.refunded_credits
        - report.disputed_credits;
    assert_eq!(report.opening_credits + moved, report.closing_credits, "{at}: the kinds are not all of them");
    // Every credit costs one cent here, so what is left is worth as many cents, unless nobody paid for it.
    for (credits, worth, time_ms) in
        [(opening, &report.opening_worth, range.from_ms), (closing, &report.closing_worth, range.to_ms)]
    {
        assert!(worth.iter().all(|worth| worth.currency == "usd" && worth.amount > 0), "{at}: {worth:?}");
        let amount: i64 = worth.iter().map(|worth| worth.amount).sum();
        let paid = entries.iter().filter(|entry| entry.created_at < time_ms);
        let paid = paid.filter(|entry| entry.kind == "topup" || entry.kind == "reversal");
        assert_eq!(amount, credits.clamp(0, paid.map(|entry| entry.credits).sum()), "{at}");
    }
    let sold = report.sold.first().map_or((0, 0), |sold| (sold.purchases, sold.charged_amount));
    assert_eq!(sold.1, sold.0 * 289, "{at}");
}

/// The rows of lines of JSON.
fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn key(entry: &Entry) -> (String, i64) {
    (entry.account_id.clone(), entry.sequence)
}

on_both_databases! {
    async fn a_month_s_report_is_what_the_ledger_says_of_it(backend: Backend) {
        for seed in 0..HISTORIES {
            let history = History::run(backend, seed).await;
            let entries = history.entries().await;
            let ends_ms = history.now_ms;
            assert!(entries.iter().any(|entry| entry.kind == "expiry"), "seed {seed}: nothing expires");
            for (now_ms, what) in [(ends_ms + 40 * 24 * HOUR_MS, "later"), (ends_ms + HOUR_MS, "at once")] {
                let mut month = Month::of(now_ms).expect("a month");
                for _ in 0..5 {
                    let report = report_month(&history.books.db, month, now_ms).await.expect("readable");
                    let range = month.range();
                    let to_ms = range.to_ms.min(now_ms - 300_000);
                    let part = TimeRange { from_ms: range.from_ms.min(to_ms), to_ms };
                    assert_eq!(report.is_complete, to_ms == range.to_ms);
                    check_report(&report, &entries, part, &format!("seed {seed}, {month}, {what}"));
                    month = month.previous();
                }
            }
            history.books.finish().await;
        }
    }

    async fn an_export_has_each_row_of_its_time_once_and_no_other(backend: Backend) {
        for seed in 10..10 + HISTORIES {
            let mut history = History::run(backend, seed).await;
            let entries = history.entries().await;
            for round in 0..6 {
                let of = |history: &mut History| entries[usize::try_from(history.roll(1_000)).expect("small") % entries.len()].created_at;
                let (one, other) = (of(&mut history), of(&mut history) + history.roll(2));
                let range = TimeRange { from_ms: one.min(other), to_ms: one.max(other) };
                let account = if round % 2 == 0 { None } else { Some(ACCOUNTS[round % 3]) };
                let mut expected: Vec<(String, i64)> = entries
                    .iter()
                    .filter(|entry| (range.from_ms..range.to_ms).contains(&entry.created_at))
                    .filter(|entry| account.is_none_or(|account| account == entry.account_id))
                    .map(key)
                    .collect();
                let text = history.export(Table::Ledger, range, account, Format::JsonLines).await;
                let exported = rows(&text);
                let mut found: Vec<(String, i64)> = exported
                    .iter()
                    .map(|row| (row["accountId"].as_str().expect("text").to_owned(), row["sequence"].as_i64().expect("a number")))
                    .collect();
                if account.is_some() {
                    assert_eq!(found, expected, "seed {seed}: in the order of the ledger");
                }
                found.sort();
                expected.sort();
                assert_eq!(found, expected, "seed {seed}, {range:?}, {account:?}");
                let by_key: BTreeMap<_, _> = entries.iter().map(|entry| (key(entry), entry)).collect();
                for row in &exported {
                    let entry = by_key[&(row["accountId"].as_str().expect("text").to_owned(), row["sequence"].as_i64().expect("a number"))];
                    assert_eq!((&row["id"], &row["credits"], &row["kind"], &row["reason"]), (
                        &json!(entry.id), &json!(entry.credits), &json!(entry.kind), &json!(entry.reason),
                    ));
                    assert_eq!(row["createdAt"], json!(rfc3339(entry.created_at)));
                }
                let csv = history.export(Table::Ledger, range, account, Format::Csv).await;
                assert_eq!(csv.matches("\r\n").count(), exported.len() + 1, "seed {seed}");
                assert!(!csv.contains("\r\n=") && !csv.contains(",="), "seed {seed}: a formula in {csv}");
            }
            let all = TimeRange { from_ms: 0, to_ms: i64::MAX };
            let of_kind = |kind: &str| entries.iter().filter(|entry| entry.kind == kind).map(|entry| entry.credits).sum::<i64>();
            let topups = rows(&history.export(Table::Topups, all, None, Format::JsonLines).await);
            let sum = |rows: &[Value], name: &str| rows.iter().map(|row| row[name].as_i64().expect("a number")).sum::<i64>();
            assert_eq!((sum(&topups, "credits"), sum(&topups, "takenCredits")), (of_kind("topup"), -of_kind("reversal")));
            let payments = rows(&history.export(Table::Payments, all, None, Format::JsonLines).await);
            assert_eq!(payments.len(), topups.len());
            let refunds = rows(&history.export(Table::Refunds, all, None, Format::JsonLines).await);
            assert_eq!(sum(&refunds, "amount"), -of_kind("reversal"), "a credit costs a cent");
            let mut of_accounts = 0;
            for account in ACCOUNTS {
                for table in [Table::Topups, Table::Payments, Table::Refunds] {
                    let found = rows(&history.export(table, all, Some(account), Format::JsonLines).await);
                    assert!(found.iter().all(|row| row["accountId"] == account));
                    of_accounts += found.len();
                }
            }
            assert_eq!(of_accounts, topups.len() + payments.len() + refunds.len());
            assert_eq!(history.export(Table::Disputes, all, None, Format::JsonLines).await, "");
            history.books.finish().await;
        }
    }
}

#[derive(sqlx::FromRow)]
struct Count {
    count: i64,
}

static COUNT: Statement = Statement::new("SELECT COUNT(*) AS count FROM ledger_entries WHERE account_id = :account");

on_both_databases! {
    /// More entries than a page has, several at the same time, and times that end within a page.
    async fn pages_meet_without_gaps(backend: Backend) {
        let mut history = History::run(backend, 77).await;
        for number in 10_000..11_200_u128 {
            if number % 7 == 0 {
                history.now_ms += 1;
            }
            let entry = history.ids.next(history.now_ms);
            adjust(&history.books, number, "anna", 1, entry, history.now_ms).await;
        }
        let count: Option<Count> = history.books.db.read_optional(&COUNT, &args![account = "anna"]).await.expect("readable");
        let all = TimeRange { from_ms: 0, to_ms: history.now_ms + 1 };
        for account in [Some("anna"), None] {
            let text = history.export(Table::Ledger, all, account, Format::JsonLines).await;
            let of_anna = rows(&text).iter().filter(|row| row["accountId"] == "anna").count();
            assert_eq!(i64::try_from(of_anna).ok(), count.as_ref().map(|row| row.count));
        }
        history.books.finish().await;
    }
}
