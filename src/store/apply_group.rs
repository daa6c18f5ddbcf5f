//! Applying many payments together: what arrived while the last commit was under way goes into the books with a few
//! statements over sets, and one commit.
//!
//! What always holds: the judgement and the guards are those of a single payment (`apply.rs`). What is not plain, such as
//! a second payment or two commands of one purchase, is left to the caller to be applied alone. An error leaves the
//! decision about every command to the caller: then nothing of the group may be committed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::apply::{Applied, ApplyPayment, is_another_payment, judge};
use super::backend::Tx;
use super::payments::PaymentRole;
use super::reversals;
use super::topups::{self, Found};
use super::{StoreError, statements};
use crate::domain::ids::{PaymentIntentId, TopupId};
use crate::domain::ledger::EntryKind;

// Sets come as one JSON text, which both databases read by a function of the same name; PostgreSQL's for texts is made by
// a migration. Rows are written in the order of their keys, so that two groups of two processes cannot wait for each
// other.
statements! {
    INSERT_EVENTS = "INSERT INTO webhook_events (id, type, topup_id, outcome, received_at) \
        SELECT value ->> 'event', value ->> 'type', value ->> 'topup', value ->> 'outcome', \
        CAST(value ->> 'now' AS BIGINT) FROM json_each($1) WHERE 1 = 1 ORDER BY 1 \
        ON CONFLICT (id) DO NOTHING RETURNING id";
    TOUCH_PAYMENTS = "INSERT INTO payments \
        (payment_intent_id, topup_id, state, session_id, writes, created_at, updated_at) \
        SELECT value ->> 'payment', value ->> 'topup', $2, value ->> 'session', 1, CAST(value ->> 'now' AS BIGINT), \
        CAST(value ->> 'now' AS BIGINT) FROM json_each($1) WHERE 1 = 1 ORDER BY 1 \
        ON CONFLICT (payment_intent_id) DO UPDATE SET \
        writes = payments.writes + 1, updated_at = excluded.updated_at, state = excluded.state, \
        session_id = COALESCE(payments.session_id, excluded.session_id) \
        RETURNING payment_intent_id, topup_id, writes";
    MARK_PAID = "UPDATE topups SET state = 'paid', paid_at = input.now_ms, updated_at = input.now_ms, \
        failure_code = NULL, revision = revision + 1, session_id = COALESCE(session_id, input.session), \
        payment_intent_id = COALESCE(input.payment, payment_intent_id) \
        FROM (SELECT value ->> 'topup' AS topup, value ->> 'session' AS session, value ->> 'payment' AS payment, \
        CAST(value ->> 'now' AS BIGINT) AS now_ms FROM json_each($1)) AS input \
        WHERE topups.id = input.topup AND topups.state <> 'paid' \
        AND (topups.session_id IS NULL OR topups.session_id = input.session)";
    ADD_TO_BALANCES = "INSERT INTO accounts (id, balance, used_credits, entries, updated_at) \
        SELECT value ->> 'account', CAST(SUM(CAST(value ->> 'credits' AS BIGINT)) AS BIGINT), 0, COUNT(*), \
        MAX(CAST(value ->> 'now' AS BIGINT)) FROM json_each($1) WHERE 1 = 1 GROUP BY 1 ORDER BY 1 \
        ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance, \
        entries = accounts.entries + excluded.entries, updated_at = excluded.updated_at \
        RETURNING id, balance, entries";
    INSERT_ENTRIES = "INSERT INTO ledger_entries \
        (account_id, sequence, id, kind, credits, balance_after, source, created_at) \
        SELECT value ->> 'account', CAST(value ->> 'sequence' AS BIGINT), value ->> 'entry', $2, \
        CAST(value ->> 'credits' AS BIGINT), CAST(value ->> 'balance' AS BIGINT), value ->> 'topup', \
        CAST(value ->> 'now' AS BIGINT) FROM json_each($1)";
}

/// A row of a set, as the statements above read it.
#[derive(Serialize)]
struct Row<'c> {
    event: Option<&'c str>,
    r#type: &'c str,
    topup: &'c str,
    outcome: &'static str,
    session: &'c str,
    payment: Option<&'c str>,
    account: &'c str,
    credits: i64,
    entry: &'c str,
    sequence: i64,
    balance: i64,
    now: i64,
}

#[derive(sqlx::FromRow)]
struct Inserted {
    id: String,
}

#[derive(sqlx::FromRow)]
struct Touched {
    payment_intent_id: String,
    topup_id: String,
    writes: i64,
}

#[derive(sqlx::FromRow)]
struct AccountAfter {
    id: String,
    balance: i64,
    entries: i64,
}

/// A command that will credit, or only leave its event's row.
struct Plain<'c> {
    /// Its place among the commands.
    index: usize,
    command: &'c ApplyPayment,
    found: &'c Found,
    outcome: Applied,
}

/// Applies what is plain, together; `None` for what is to be applied alone.
///
/// # Errors
/// When the database refuses or fails, or another process was faster with one of the purchases. Then nothing is decided.
pub(super) async fn apply_many(tx: &mut Tx, commands: &[ApplyPayment]) -> Result<Vec<Option<Applied>>, StoreError> {
    let mut outcomes: Vec<Option<Applied>> = commands.iter().map(|_| None).collect();
    let ids: Vec<&str> = commands.iter().map(|command| command.report.topup.as_str()).collect();
    let found = topups::find_agreements(tx, &ids).await?;
    let mut plain = sort_out(commands, &found, &mut outcomes);
    let decided = insert_events(tx, &plain).await?;
    plain.retain(|item| {
        let event = item.command.report.event.as_ref();
        let is_new = event.is_none_or(|(event, _)| decided.contains(event.as_str()));
        if !is_new {
            set(&mut outcomes, item.index, Applied::Duplicate);
        }
        is_new
    });
    let (credits, others): (Vec<_>, Vec<_>) =
        plain.into_iter().partition(|item| matches!(item.outcome, Applied::Credited { .. }));
    for item in others {
        set(&mut outcomes, item.index, item.outcome);
    }
    credit_all(tx, credits, &mut outcomes).await?;
    Ok(outcomes)
}

fn set(outcomes: &mut [Option<Applied>], index: usize, outcome: Applied) {
    if let Some(place) = outcomes.get_mut(index) {
        *place = Some(outcome);
    }
}

/// Judges each command. What needs no write is answered; of two that concern the same purchase, payment or event, the
/// second is left alone.
fn sort_out<'c>(
    commands: &'c [ApplyPayment],
    found: &'c HashMap<String, Found>,
    outcomes: &mut [Option<Applied>],
) -> Vec<Plain<'c>> {
    let mut seen = BTreeSet::new();
    let mut plain = Vec::new();
    for (index, command) in commands.iter().enumerate() {
        let report = &command.report;
        let Some(found) = found.get(report.topup.as_str()) else {
            set(outcomes, index, Applied::Foreign);
            continue;
        };
        let outcome = judge(report, found);
        if let Applied::Rejected(mismatch) = &outcome {
            // The money of another session is written down: alone.
            if !is_another_payment(report, found, mismatch) {
                set(outcomes, index, outcome);
            }
            continue;
        }
        let payment = report.payment_intent.as_ref().map(PaymentIntentId::as_str);
        let is_plain = match &outcome {
            Applied::Credited { .. } => payment.is_some(),
            Applied::AlreadyPaid | Applied::NothingToDo => true,
            _ => false,
        };
        let names = [Some(report.topup.as_str()), payment, report.event.as_ref().map(|(event, _)| event.as_str())];
        let is_alone = names.iter().flatten().all(|name| !seen.contains(name));
        // Also what is not plain takes its names: nothing may overtake it.
        seen.extend(names.into_iter().flatten());
        if is_plain && is_alone {
            plain.push(Plain { index, command, found, outcome });
        }
    }
    plain
}

async fn insert_events(tx: &mut Tx, plain: &[Plain<'_>]) -> Result<BTreeSet<String>, StoreError> {
    let rows: Vec<Row<'_>> = plain.iter().map(row).filter(|row| row.event.is_some()).collect();
    if rows.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows = to_json(&rows)?;
    let inserted: Vec<Inserted> = tx.fetch_all(&INSERT_EVENTS, &[rows.as_str().into()]).await?;
    Ok(inserted.into_iter().map(|row| row.id).collect())
}

fn row<'c>(item: &Plain<'c>) -> Row<'c> {
    let (command, report) = (item.command, &item.command.report);
    Row {
        event: report.event.as_ref().map(|(event, _)| event.as_str()),
        r#type: report.event.as_ref().map_or("", |(_, event_type)| event_type),
        topup: report.topup.as_str(),
        outcome: item.outcome.as_str(),
        session: report.session.as_str(),
        payment: report.payment_intent.as_ref().map(PaymentIntentId::as_str),
        account: item.found.agreement.account.as_str(),
        credits: item.found.agreement.credits,
        entry: command.entry.as_str(),
        sequence: 0,
        balance: 0,
        now: command.now_ms,
    }
}

async fn credit_all(tx: &mut Tx, credits: Vec<Plain<'_>>, outcomes: &mut [Option<Applied>]) -> Result<(), StoreError> {
    if credits.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<Row<'_>> = credits.iter().map(row).collect();
    let set_of_rows = to_json(&rows)?;
    let values = [set_of_rows.as_str().into(), PaymentRole::Credited.as_str().into()];
    let touched: Vec<Touched> = tx.fetch_all(&TOUCH_PAYMENTS, &values).await?;
    let touched: HashMap<String, Touched> =
        touched.into_iter().map(|row| (row.payment_intent_id.clone(), row)).collect();
    let marked = tx.execute(&MARK_PAID, &[set_of_rows.as_str().into()]).await?;
    if u64::try_from(credits.len()).ok() != Some(marked) {
        return Err(StoreError::Overtaken);
    }
    let after: Vec<AccountAfter> = tx.fetch_all(&ADD_TO_BALANCES, &[set_of_rows.as_str().into()]).await?;
    number(&mut rows, after)?;
    let values = [to_json(&rows)?.as_str().into(), EntryKind::Topup.as_str().into()];
    tx.execute(&INSERT_ENTRIES, &values).await?;
    for (item, row) in credits.iter().zip(&rows) {
        set(outcomes, item.index, Applied::Credited { credits: row.credits, balance_after: row.balance });
    }
    settle_early_reversals(tx, &credits, &touched).await
}

/// Gives each entry its number and its balance: within an account, in the order of the commands.
fn number(rows: &mut [Row<'_>], after: Vec<AccountAfter>) -> Result<(), StoreError> {
    let mut next: BTreeMap<String, (i64, i64)> =
        after.into_iter().map(|account| (account.id, (account.entries, account.balance))).collect();
    // From the last to the first: what the account has now is what it has after its last entry.
    for row in rows.iter_mut().rev() {
        let (entries, balance) =
            next.get_mut(row.account).ok_or_else(|| StoreError::corrupt("no balance after adding to", row.account))?;
        (row.sequence, row.balance) = (*entries, *balance);
        *entries = entries.saturating_sub(1);
        *balance = balance.saturating_sub(row.credits);
    }
    Ok(())
}

/// Refunds and disputes that came before their payment. A payment whose row is new can have none.
async fn settle_early_reversals(
    tx: &mut Tx,
    credits: &[Plain<'_>],
    touched: &HashMap<String, Touched>,
) -> Result<(), StoreError> {
    for item in credits {
        let (command, topup): (_, &TopupId) = (item.command, &item.command.report.topup);
        let Some(payment) = &command.report.payment_intent else { continue };
        let row = touched.get(payment.as_str()).filter(|row| row.topup_id == topup.as_str());
        let row = row.ok_or_else(|| StoreError::corrupt("another top-up's payment is claimed by", topup))?;
        if row.writes > 1 {
            reversals::settle(tx, topup, payment, &command.reversal_entry, command.now_ms).await?;
        }
    }
    Ok(())
}

fn to_json(rows: &[Row<'_>]) -> Result<String, StoreError> {
    serde_json::to_string(rows).map_err(|error| StoreError::corrupt("a set of rows", error))
}
