//! The formula for what goes back, in SQL and in Rust, for units and amounts of any size.

use std::fmt::Write as _;

use sqlx::{Connection, PgConnection};
use topup::catalogue::all_statements;
use topup::domain::credit_unit::CreditUnit;
use topup::domain::reversal::credits_taken;
use topup::domain::tax::Charged;

use crate::on_both_databases;
use crate::support::books::Books;

const UNIT_CREDITS: [i64; 6] = [1, 2, 7, 10_000, 999_983, 1_000_000];
const UNIT_AMOUNTS: [i64; 6] = [1, 3, 100, 10_000, 999_999_999_989, 999_999_999_999];
/// The largest charge of any currency.
const MOST_CHARGED: i64 = 999_999_999_999;
/// The largest integer that JavaScript reads exactly: the limit of a purchase.
const MOST_CREDITS: i64 = 9_007_199_254_740_991;

#[derive(sqlx::FromRow)]
struct Wrong {
    wrong: i64,
}

/// A paid top-up of which some money went back.
#[derive(Clone, Copy)]
struct Case {
    unit: CreditUnit,
    units: i64,
    /// Tax on top of the price.
    tax: i64,
    reversed: i64,
    taken: i64,
}

/// The same with tax on top, of charges as large as Stripe makes them, and of more money than was charged.
fn taxed_cases(unit: CreditUnit, units: i64) -> Vec<Case> {
    let price = units * unit.amount_minor();
    let mut cases = Vec::new();
    for tax in [1, price / 5, price / 3 + 1, price] {
        let total_minor = price.saturating_add(tax);
        if tax == 0 || total_minor > MOST_CHARGED {
            continue;
        }
        let charged = Charged { total_minor, added_tax_minor: tax };
        let around = |amount: i64| [amount.saturating_sub(1), amount, amount.saturating_add(1)];
        let unit_with_tax = charged.gross_minor(unit.amount_minor()).expect("fits");
        let ends = [0, unit_with_tax, total_minor / 2, total_minor, 2 * total_minor, i64::MAX];
        let amounts = ends.map(around).concat();
        for reversed in amounts.into_iter().filter(|amount| *amount >= 0) {
            let taken = credits_taken(units * unit.credits(), unit, charged.net_minor(reversed));
            cases.push(Case { unit, units, tax, reversed, taken });
        }
    }
    cases
}

impl Case {
    fn credits(&self) -> i64 {
        self.units * self.unit.credits()
    }
}

/// Every unit with few and with as many units as fit, and the amounts at which the number of credits changes.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for unit in UNIT_CREDITS.iter().flat_map(|credits| UNIT_AMOUNTS.map(|amount| CreditUnit::new(*credits, amount))) {
        let unit = unit.expect("a unit");
        let most = (MOST_CREDITS / unit.credits()).min(i64::MAX / unit.amount_minor());
        for units in [1, 2, 1_000, most] {
            let price = units * unit.amount_minor();
            let around = |amount: i64| [amount.saturating_sub(1), amount, amount.saturating_add(1)];
            let mut amounts: Vec<i64> = [0, unit.amount_minor(), price / 2, price, i64::MAX].map(around).concat();
            amounts.retain(|amount| *amount >= 0);
            amounts.sort_unstable();
            amounts.dedup();
            let case = |reversed| {
                let taken = credits_taken(units * unit.credits(), unit, reversed);
                Case { unit, units, tax: 0, reversed, taken }
            };
            cases.extend(amounts.into_iter().map(case));
            cases.extend(taxed_cases(unit, units));
        }
    }
    cases
}

/// The rows of these cases, as the service would leave them if it took that many credits back.
fn rows(first: usize, cases: &[Case]) -> String {
    let (mut topups, mut payments, mut reversals, mut entries) = Default::default();
    let add = |rows: &mut String, row: std::fmt::Arguments<'_>| {
        let comma = if rows.is_empty() { "" } else { "," };
        write!(rows, "{comma}({row})").expect("writes");
    };
    for (number, case) in (first..).zip(cases) {
        let (per, price, credits, taken) = (case.unit.credits(), case.unit.amount_minor(), case.credits(), case.taken);
        let total = case.units * price;
        add(
            &mut topups,
            format_args!(
                "'topup_{number}', 'user_1', 'paid', {credits}, 'usd', {per}, {price}, {total}, 0, {total}, 'absorb', \
                 '0', 0, 'fee', 0, 0, 0, 'stripe', '{{}}', 1, 'cs_{number}', 1, 1, 1, 'pi_{number}', 1, {taken}, \
                 'exclusive', {tax}, {tax}",
                tax = case.tax,
            ),
        );
        add(&mut payments, format_args!("'pi_{number}', 'stripe', 'topup_{number}', 'credited', 1, 1, 1"));
        for (part, amount) in [case.reversed / 2, case.reversed - case.reversed / 2].into_iter().enumerate() {
            add(
                &mut reversals,
                format_args!(
                    "'re_{number}_{part}', 'stripe', 'refund', 'pi_{number}', {amount}, 'usd', 'succeeded', 1, 1, 1, \
                     1, 1"
                ),
            );
        }
        if taken > 0 {
            add(
                &mut entries,
                format_args!(
                    "'user_1', {}, 'entry_{number}', 'reversal', -{taken}, 0, 'topup_{number}:1', 'topup_{number}', 1",
                    number + 1
                ),
            );
        }
    }
    format!(
        "INSERT INTO topups (id, account_id, state, credits, currency, credit_unit_credits, credit_unit_amount, \
         credits_amount, fee_amount, total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee, \
         bonus_credits, livemode, provider, provider_request, provider_attempt, provider_session_id, expires_at, created_at, \
         updated_at, provider_payment_id, paid_at, taken_credits, tax_behavior, tax_amount, added_tax_amount) VALUES {topups}; \
         INSERT INTO payments (provider_payment_id, provider, topup_id, state, writes, created_at, updated_at) \
         VALUES {payments}; \
         INSERT INTO reversals (provider_reversal_id, provider, kind, provider_payment_id, amount, currency, status, \
         stage, counts, version, created_at, updated_at) VALUES {reversals}; \
         INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, topup_id, \
         created_at) VALUES {entries}"
    )
}

/// How many top-ups the rule in SQL finds wrong. On PostgreSQL the service's sessions join by nested loops only, which
/// takes too long for so many rows.
async fn wrong(books: &Books) -> usize {
    let rule = all_statements().find(|statement| statement.text().contains("AS per_unit")).expect("the rule");
    let wrong = if books.database.url.starts_with("sqlite:") {
        let row: Option<Wrong> = books.db.read_optional(rule, &[]).await.expect("readable");
        row.expect("a row").wrong
    } else {
        let mut own = PgConnection::connect(&books.database.url).await.expect("connects");
        let wrong = sqlx::query_scalar(rule.sql()).fetch_one(&mut own).await.expect("readable");
        own.close().await.expect("closes");
        wrong
    };
    usize::try_from(wrong).expect("a count")
}

on_both_databases! {
    async fn sql_and_rust_take_the_same_credits_back(backend: Backend) {
        let books = Books::open(backend).await;
        let account = "INSERT INTO accounts (id, balance, entries, updated_at) VALUES ('user_1', 0, 1, 1)";
        books.db.execute_raw(account).await.expect("done");
        let right = cases();
        assert!(right.len() > 1_000, "{}", right.len());
        for (number, some) in right.chunks(200).enumerate() {
            books.db.execute_raw(rows(number * 200, some).leak()).await.expect("written");
        }
        assert_eq!(wrong(&books).await, 0);
        // One credit more or less is noticed for each of them.
        let less = right.iter().filter(|case| case.taken > 0).map(|case| Case { taken: case.taken - 1, ..*case });
        let more = right.iter().filter(|case| case.taken < case.credits());
        let more = more.map(|case| Case { taken: case.taken + 1, ..*case });
        let other: Vec<Case> = less.chain(more).collect();
        for (number, some) in other.chunks(200).enumerate() {
            books.db.execute_raw(rows(100_000 + number * 200, some).leak()).await.expect("written");
        }
        assert_eq!(wrong(&books).await, other.len());
        books.db.close().await;
    }
}
