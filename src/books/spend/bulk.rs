//! Decides many spending commands together: all that arrived during the last commit share one round trip to the
//! database and one commit.
//!
//! Invariant: the bulk statement decides as `run_one` would if the commands of the group ran one after the other, or
//! leaves a command to it. It decides only for accounts that are settled, where nothing has ended, and not blocked.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::access::caller_key::CallerKey;
use crate::books::hold::holds::{Hold, HoldState};
use crate::books::spend::action::{Action, Refusal, SpendCommand, SpendOutcome};
use crate::books::spend::spends::Spend;
use crate::db::statement::{Argument, Bulk, BulkStatement, Picked, Value, bulk_statement};
use crate::db::{StoreError, args};
use crate::domain::ledger::Funds;
use crate::domain::spend_limit::{Period, SpendLimit, Windows};

/// The bulk statement for each database.
pub(crate) static SPEND: BulkStatement = bulk_statement!("bulk/json.sql", "bulk/lists.sql");

/// The one for debits alone, which is shorter on PostgreSQL.
pub(crate) static DEBITS: BulkStatement = bulk_statement!("bulk/json.sql", "bulk/debits.sql");

/// A command as the statement takes it.
#[derive(Serialize)]
pub(crate) struct Row<'c> {
    op: &'static str,
    account: &'c str,
    /// The id of the spend or hold that it makes.
    id: &'c str,
    entry: &'c str,
    credits: i64,
    /// The fewest credits that must be available; else the command is refused.
    least: i64,
    scope: String,
    key: &'c str,
    request_hash: &'c str,
    operation: &'c str,
    subject: &'c str,
    metadata: Option<&'c str>,
    expires_at: i64,
    /// The hold that it captures or releases.
    hold: Option<&'c str>,
    now_ms: i64,
    #[serde(skip)]
    with_limits: bool,
}

/// The decision about one row.
#[derive(Debug, sqlx::FromRow)]
pub struct Decision {
    number: i64,
    outcome: String,
    remaining: i64,
    held: i64,
    credits: Option<i64>,
    first_sequence: Option<i64>,
    parts: Option<i64>,
    balance_after: Option<i64>,
    #[sqlx(default)]
    hold_credits: Option<i64>,
    #[sqlx(default)]
    hold_asked_credits: Option<i64>,
    #[sqlx(default)]
    hold_expires_at: Option<i64>,
    #[sqlx(default)]
    hold_created_at: Option<i64>,
    #[sqlx(default)]
    hold_request_hash: Option<String>,
    operation: Option<String>,
    subject: Option<String>,
    metadata: Option<String>,
    #[sqlx(default)]
    limit_subject: Option<String>,
    #[sqlx(default)]
    limit_period: Option<String>,
    #[sqlx(default)]
    limit_credits: Option<i64>,
    #[sqlx(default)]
    limit_used: Option<i64>,
    #[sqlx(default)]
    limit_held: Option<i64>,
    #[sqlx(default)]
    limit_starts: Option<i64>,
}

/// The commands of a group that the statement decides, in the order of their arrival.
pub struct Plain<'c> {
    picked: Picked<Row<'c>>,
    /// Their accounts in the order in which they are locked.
    accounts: Vec<&'c str>,
    /// The day and the month in which all of them are.
    windows: Windows,
    /// Whether all are debits, and may be decided without limits.
    are_debits: bool,
}

impl<'c> Plain<'c> {
    /// Selects the commands. If two have the same key or concern the same hold, only the first is selected. If midnight
    /// came between two, those of the first one's day are.
    pub(crate) fn of(commands: &[&'c SpendCommand]) -> Self {
        let windows = Windows::at(commands.first().map_or(0, |command| command.now_ms));
        let mut seen = BTreeSet::new();
        let rows = commands.iter().enumerate().filter_map(|(place, command)| {
            let row = row(command).filter(|row| Windows::at(row.now_ms) == windows)?;
            let identity = (row.scope.clone(), row.key);
            seen.insert(identity).then_some((row, place))
        });
        let picked: Picked<Row<'c>> = rows.collect();
        let accounts: BTreeSet<&str> = picked.rows().iter().map(|row| row.account).collect();
        let are_debits = picked.rows().iter().all(|row| row.op == "debit" && !row.with_limits);
        Self { picked, accounts: accounts.into_iter().collect(), windows, are_debits }
    }

    /// The outcome of each command; `None` for one that has to run individually. Of an account's commands that the
    /// statement left, only the first one runs individually. It settles the account, and the others come again in the
    /// next group: together they would wait for the lock on the account's row, and keep others from writing.
    pub(crate) fn outcomes(&self, commands: &[&SpendCommand], decisions: &[Decision]) -> Vec<Option<SpendOutcome>> {
        let mut outcomes = vec![None; commands.len()];
        let mut in_order: Vec<&Decision> = decisions.iter().collect();
        in_order.sort_unstable_by_key(|decision| decision.number);
        let mut left = BTreeSet::new();
        for decision in in_order {
            let Some((row, place)) = self.picked.row(decision.number) else { continue };
            let Some((slot, command)) = outcomes.get_mut(place).zip(commands.get(place)) else { continue };
            *slot = outcome(row, command, decision);
            if slot.is_none() && !left.insert(row.account) {
                *slot = Some(SpendOutcome::Again);
            }
        }
        outcomes
    }

    /// An account's number, counted from 1.
    fn place(&self, account: &str) -> i64 {
        let place = self.accounts.binary_search(&account).unwrap_or_default().saturating_add(1);
        i64::try_from(place).unwrap_or(i64::MAX)
    }
}

impl Bulk for Plain<'_> {
    fn statement(&self) -> &'static BulkStatement {
        if self.are_debits { &DEBITS } else { &SPEND }
    }

    fn is_empty(&self) -> bool {
        self.picked.rows().is_empty()
    }

    fn as_json(&self) -> Result<Vec<Argument>, StoreError> {
        let mut arguments = self.picked.as_json()?;
        arguments.extend(args![day_ms = self.windows.day_ms, month_ms = self.windows.month_ms]);
        Ok(arguments)
    }

    fn as_lists(&self) -> Vec<Argument> {
        let rows = self.picked.rows();
        let mut arguments: Vec<Argument> = args![
            place = Value::ints(rows, |row| self.place(row.account)),
            id = Value::texts(rows, |row| Some(row.id)),
            entry = Value::texts(rows, |row| Some(row.entry)),
            credits = Value::ints(rows, |row| row.credits),
            least = Value::ints(rows, |row| row.least),
            scope = Value::texts(rows, |row| Some(row.scope.as_str())),
            key = Value::texts(rows, |row| Some(row.key)),
            request_hash = Value::texts(rows, |row| Some(row.request_hash)),
            operation = Value::texts(rows, |row| Some(row.operation)),
            subject = Value::texts(rows, |row| Some(row.subject)),
            metadata = Value::texts(rows, |row| row.metadata),
            now_ms = Value::ints(rows, |row| row.now_ms),
            accounts = Value::texts(&self.accounts, |account| Some(account)),
        ]
        .into();
        if !self.are_debits {
            arguments.extend(args![
                op = Value::texts(rows, |row| Some(row.op)),
                expires_at = Value::ints(rows, |row| row.expires_at),
                hold = Value::texts(rows, |row| row.hold),
                day_ms = self.windows.day_ms,
                month_ms = self.windows.month_ms,
            ]);
        }
        arguments
    }
}

/// The row for a command; `None` for one that always runs individually.
fn row(command: &SpendCommand) -> Option<Row<'_>> {
    let common = Row {
        op: "",
        account: command.account.as_str(),
        id: "",
        entry: command.entry.as_str(),
        credits: 0,
        least: command.action.least(),
        scope: String::new(),
        key: "",
        request_hash: "",
        operation: "",
        subject: "",
        metadata: None,
        expires_at: 0,
        hold: None,
        now_ms: command.now_ms,
        with_limits: command.with_limits,
    };
    Some(match &command.action {
        Action::Debit(new) => Row {
            op: "debit",
            id: new.id.as_str(),
            credits: new.credits,
            scope: new.key.scope.clone(),
            key: &new.key.key,
            request_hash: &new.request_hash,
            operation: &new.purpose.operation,
            subject: &new.purpose.subject,
            metadata: new.purpose.metadata.as_deref(),
            ..common
        },
        Action::Hold(new) => Row {
            op: "hold",
            id: new.id.as_str(),
            credits: new.credits,
            scope: new.key.scope.clone(),
            key: &new.key.key,
            request_hash: &new.request_hash,
            operation: &new.purpose.operation,
            subject: &new.purpose.subject,
            metadata: new.purpose.metadata.as_deref(),
            expires_at: new.expires_at_ms,
            ..common
        },
        Action::Capture(new) => Row {
            op: "capture",
            id: new.spend.as_str(),
            credits: new.credits,
            scope: CallerKey::of_capture(&new.hold).scope,
            key: new.hold.as_str(),
            metadata: new.metadata.as_deref(),
            hold: Some(new.hold.as_str()),
            ..common
        },
        Action::Release(hold) => Row {
            op: "release",
            scope: CallerKey::of_capture(hold).scope,
            key: hold.as_str(),
            hold: Some(hold.as_str()),
            ..common
        },
        Action::Extend(_) => return None,
    })
}

fn outcome(row: &Row<'_>, command: &SpendCommand, decision: &Decision) -> Option<SpendOutcome> {
    let funds = Funds { remaining: decision.remaining, held: decision.held };
    match decision.outcome.as_str() {
        "known" => Some(SpendOutcome::Known),
        // A command that accepts 0 credits is refused only if there is no account.
        "refused" => Some(SpendOutcome::Refused(Refusal::too_few(row.least.max(1), funds))),
        "blocked" => Some(SpendOutcome::Refused(Refusal::Blocked)),
        "limits" => Some(SpendOutcome::HasLimits),
        "limited" => {
            let limit = Box::new(limit(decision)?);
            Some(SpendOutcome::Refused(Refusal::LimitReached { required: row.least, limit, funds }))
        }
        "done" => match &command.action {
            Action::Debit(_) | Action::Capture(_) => Some(SpendOutcome::Spent(Box::new(spend(row, decision)?), funds)),
            Action::Hold(_) | Action::Release(_) => Some(SpendOutcome::Held(Box::new(hold(row, decision)?), funds)),
            Action::Extend(_) => None,
        },
        _ => None,
    }
}

fn limit(decision: &Decision) -> Option<SpendLimit> {
    Some(SpendLimit {
        subject: decision.limit_subject.clone()?,
        period: Period::parse(decision.limit_period.as_deref()?)?,
        credits: decision.limit_credits?,
        used: decision.limit_used?,
        held: decision.limit_held?,
        window_start_ms: decision.limit_starts?,
    })
}

fn spend(row: &Row<'_>, decision: &Decision) -> Option<Spend> {
    Some(Spend {
        id: row.id.to_owned(),
        account_id: row.account.to_owned(),
        credits: decision.credits?,
        asked_credits: row.credits,
        refunded_credits: 0,
        operation: decision.operation.clone()?,
        subject: decision.subject.clone()?,
        metadata: decision.metadata.clone(),
        hold_id: row.hold.map(str::to_owned),
        first_sequence: decision.first_sequence?,
        parts: decision.parts?,
        balance_after: decision.balance_after?,
        request_hash: row.request_hash.to_owned(),
        created_at: row.now_ms,
    })
}

/// A new hold, or one that was released.
fn hold(row: &Row<'_>, decision: &Decision) -> Option<Hold> {
    let state = if row.op == "hold" { HoldState::Open } else { HoldState::Released };
    let stored = row.hold;
    Some(Hold {
        id: stored.unwrap_or(row.id).to_owned(),
        account_id: row.account.to_owned(),
        credits: decision.hold_credits.or(stored.is_none().then_some(row.credits))?,
        asked_credits: decision.hold_asked_credits.or(stored.is_none().then_some(row.credits))?,
        state: state.as_str().to_owned(),
        captured_credits: None,
        spend_id: None,
        operation: decision.operation.clone()?,
        subject: decision.subject.clone()?,
        metadata: decision.metadata.clone(),
        expires_at: decision.hold_expires_at.or(stored.is_none().then_some(row.expires_at))?,
        request_hash: decision.hold_request_hash.clone().or(stored.is_none().then(|| row.request_hash.to_owned()))?,
        created_at: decision.hold_created_at.or(stored.is_none().then_some(row.now_ms))?,
    })
}
