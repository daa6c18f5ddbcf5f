//! Credits many payments together: all payments that arrived during the last commit share one round trip to the
//! database and one commit.
//!
//! Invariant: it credits only what [`judge`](crate::domain::judge::judge) would credit. Everything that is not
//! straightforward is left to be applied individually: the end of a checkout, an early refund, a contradiction, the
//! second of two commands for one top-up. After an error, nothing of the group was written.
//!
//! Only bulk statements differ between the two databases. With common statements, a group took eight round trips and its
//! rows were read out of JSON six times, which doubled the time per row on PostgreSQL (docs/PERFORMANCE.md).

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;

use crate::db::StoreError;
use crate::db::Tx;
use crate::db::args;
use crate::db::command::Command;
use crate::db::statement::{Argument, Bulk, BulkStatement, Picked, Value, bulk_statement};
use crate::domain::checkout::{PurchaseProgress, PurchaseReport};
use crate::domain::ids::{EventId, PaymentId};
use crate::domain::judge::Applied;
use crate::purchases::payment::apply::{ApplyPayment, apply_one};

/// The bulk statement for each database.
pub(crate) static CREDIT: BulkStatement = bulk_statement!("credit/json.sql", "credit/lists.sql");

/// A payment to credit, and everything that must equal the top-up.
#[derive(Serialize)]
pub(crate) struct Row<'c> {
    pub(crate) event: Option<&'c str>,
    pub(crate) r#type: &'c str,
    pub(crate) topup: &'c str,
    pub(crate) session: &'c str,
    pub(crate) provider: &'c str,
    pub(crate) payment: &'c str,
    pub(crate) account: &'c str,
    pub(crate) credits: i64,
    /// 0 for ever.
    pub(crate) expire_days: i64,
    pub(crate) currency: &'c str,
    pub(crate) total: i64,
    pub(crate) livemode: i64,
    pub(crate) entry: &'c str,
    pub(crate) now_ms: i64,
}

/// The result for one row.
#[derive(sqlx::FromRow)]
pub struct Credited {
    number: i64,
    balance_after: Option<i64>,
    is_decided: Option<i64>,
}

/// The payments of a group that can be credited together, sorted by top-up, so that the groups of two processes do not
/// deadlock.
pub struct Plain<'c>(Picked<Row<'c>>);

/// Selects the straightforward commands with this progress, sorted by top-up. If two concern the same top-up, payment
/// or event, only the first is selected.
pub(crate) fn pick<'c>(
    commands: impl IntoIterator<Item = &'c ApplyPayment>,
    progress: PurchaseProgress,
) -> Picked<Row<'c>> {
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for (place, command) in commands.into_iter().enumerate() {
        let names = names(&command.report);
        let is_first = names.iter().flatten().all(|name| !seen.contains(name));
        // Commands that are not straightforward count too: later commands for the same rows must not overtake them.
        seen.extend(names.into_iter().flatten());
        rows.extend(row(command, progress).filter(|_| is_first).map(|row| (row, place)));
    }
    rows.sort_by_key(|(row, _)| row.topup);
    rows.into_iter().collect()
}

impl Plain<'_> {
    /// The outcome of each command, from the rows that the database returned; `None` for a command that has to run
    /// individually.
    pub(crate) fn outcomes(&self, commands: &[&ApplyPayment], done: &[Credited]) -> Vec<Option<Applied>> {
        let mut outcomes = vec![None; commands.len()];
        let mut decided_here = BTreeMap::new();
        for credited in done {
            let Some((row, place)) = self.0.row(credited.number) else { continue };
            let outcome = match (credited.balance_after, credited.is_decided) {
                (Some(balance_after), _) => {
                    decided_here.extend(row.event.zip(commands.get(place)));
                    Some(Applied::Credited { credits: row.credits, balance_after })
                }
                (None, Some(_)) => Some(Applied::Duplicate),
                (None, None) => None,
            };
            if let Some(slot) = outcomes.get_mut(place) {
                *slot = outcome;
            }
        }
        // The same event again in this group: its row has just been committed together with its effect.
        for (slot, command) in outcomes.iter_mut().zip(commands) {
            let event = command.report.event.as_ref().map(|(event, _)| event.as_str());
            let decided = event.and_then(|event| decided_here.get(event));
            if slot.is_none() && decided.is_some_and(|decided| decided.report == command.report) {
                *slot = Some(Applied::Duplicate);
            }
        }
        outcomes
    }
}

impl Command for ApplyPayment {
    type Output = Applied;
    type Row = Credited;
    type Plain<'c> = Plain<'c>;

    const NAME: &'static str = "credit";

    fn rows(&self) -> Vec<&str> {
        let report = &self.report;
        [Some(report.topup.as_str()), report.account.as_deref()].into_iter().flatten().collect()
    }

    fn plain<'c>(commands: &[&'c Self]) -> Plain<'c> {
        Plain(pick(commands.iter().copied(), PurchaseProgress::Paid))
    }

    fn outcomes(plain: &Plain<'_>, commands: &[&Self], rows: &[Credited]) -> Vec<Option<Applied>> {
        plain.outcomes(commands, rows)
    }

    fn run(self, tx: &mut Tx) -> BoxFuture<'_, Result<Applied, StoreError>> {
        apply_one(tx, self).boxed()
    }
}

impl Bulk for Plain<'_> {
    fn statement(&self) -> &'static BulkStatement {
        &CREDIT
    }

    fn is_empty(&self) -> bool {
        self.0.rows().is_empty()
    }

    fn as_json(&self) -> Result<Vec<Argument>, StoreError> {
        self.0.as_json()
    }

    fn as_lists(&self) -> Vec<Argument> {
        let rows = self.0.rows();
        args![
            event = Value::texts(rows, |row| row.event),
            event_type = Value::texts(rows, |row| Some(row.r#type)),
            topup = Value::texts(rows, |row| Some(row.topup)),
            session = Value::texts(rows, |row| Some(row.session)),
            provider = Value::texts(rows, |row| Some(row.provider)),
            payment = Value::texts(rows, |row| Some(row.payment)),
            account = Value::texts(rows, |row| Some(row.account)),
            credits = Value::ints(rows, |row| row.credits),
            expire_days = Value::ints(rows, |row| row.expire_days),
            currency = Value::texts(rows, |row| Some(row.currency)),
            total = Value::ints(rows, |row| row.total),
            livemode = Value::ints(rows, |row| row.livemode),
            entry = Value::texts(rows, |row| Some(row.entry)),
            now_ms = Value::ints(rows, |row| row.now_ms),
        ]
        .into()
    }
}

fn names(report: &PurchaseReport) -> [Option<&str>; 3] {
    let payment = report.payment.as_ref().map(PaymentId::as_str);
    [Some(report.topup.as_str()), payment, report.event.as_ref().map(|(event, _)| EventId::as_str(event))]
}

/// A number in its usual form, not "0250" or "+250".
fn plain(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| number.to_string() == text)
}

/// The row for a command with this progress whose report contains everything that has to be compared with the
/// agreement.
fn row(command: &ApplyPayment, progress: PurchaseProgress) -> Option<Row<'_>> {
    let report = &command.report;
    let account = report.account.as_deref().filter(|account| report.client_reference.as_deref() == Some(account))?;
    let credits = report.credits.as_deref()?;
    let number = plain(credits)?;
    let expire_days = match report.expire_days.as_deref() {
        Some(days) => plain(days).filter(|days| *days > 0)?,
        None => 0,
    };
    let is_plain = report.progress == progress
        && report.mode.as_deref() == Some("payment")
        // A bonus is a second entry.
        && report.bonus.is_none()
        // Where tax was agreed, `apply_one` compares and stores it; the statement skips such top-ups too.
        && report.amount_tax_minor.unwrap_or(0) == 0
        // A database that cannot store NUL in a text may read only the part before it.
        && !account.contains('\0')
        && report.currency.as_deref().is_some_and(|currency| !currency.contains('\0'));
    let (event, r#type) =
        report.event.as_ref().map_or((None, ""), |(event, name)| (Some(event.as_str()), name.as_str()));
    let has_payment = report.payment.is_some() || progress != PurchaseProgress::Paid;
    (is_plain && has_payment).then_some(Row {
        event,
        r#type,
        provider: report.session.provider().as_str(),
        topup: report.topup.as_str(),
        session: report.session.as_str(),
        payment: report.payment.as_ref().map_or("", PaymentId::as_str),
        account,
        credits: number,
        expire_days,
        currency: report.currency.as_deref()?,
        total: report.amount_total_minor?,
        livemode: i64::from(report.livemode),
        entry: command.entry.as_str(),
        now_ms: command.now_ms,
    })
}
