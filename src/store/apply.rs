//! The one place where money becomes credits.
//!
//! What Stripe says about a payment is applied in one transaction: the event's row, the top-up's new state, the
//! account's balance and the ledger entry that explains it are all there or none is. Three guards, each held by the
//! database, keep a payment from being credited twice: the event's id, the top-up's state, the entry's (kind, source).

use futures_util::FutureExt;

use super::backend::{Db, Tx};
use super::statement::Value;
use super::{StoreError, statements, topups};
use crate::domain::checkout::{Agreement, Mismatch, PaymentProgress, PaymentReport, TopupState};
use crate::domain::ids::{LedgerEntryId, PaymentIntentId};
use crate::domain::ledger::EntryKind;

/// Something that Stripe says, to be brought into the books.
#[derive(Debug, Clone)]
pub struct ApplyPayment {
    /// What it says.
    pub report: PaymentReport,
    /// The id of the ledger entry, should there be one.
    pub entry: LedgerEntryId,
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// The credits are in the books now.
    Credited {
        /// How many.
        credits: i64,
        /// What the account has with them.
        balance_after: i64,
    },
    /// They were already: another event, or our own question, was faster.
    AlreadyPaid,
    /// The purchase came to another state that credits nothing.
    Moved(TopupState),
    /// It changes nothing.
    NothingToDo,
    /// This very event was decided before.
    Duplicate,
    /// The purchase is not in this database: another environment's, or nobody's.
    Foreign,
    /// It contradicts what was agreed. Nothing was written.
    Rejected(Mismatch),
}

impl Applied {
    /// The word that is kept with the event and written to the log.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Credited { .. } => "credited",
            Self::AlreadyPaid => "already_paid",
            Self::Moved(state) => state.as_str(),
            Self::NothingToDo => "nothing_to_do",
            Self::Duplicate => "duplicate",
            Self::Foreign => "foreign",
            Self::Rejected(_) => "rejected",
        }
    }
}

statements! {
    INSERT_EVENT = "INSERT INTO webhook_events (id, type, topup_id, outcome, received_at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (id) DO NOTHING";
    MARK_PAID = "UPDATE topups SET state = 'paid', paid_at = $3, updated_at = $3, failure_code = NULL, \
        session_id = COALESCE(session_id, $2), payment_intent_id = COALESCE($4, payment_intent_id) \
        WHERE id = $1 AND state <> 'paid' AND (session_id IS NULL OR session_id = $2)";
    MARK_PROCESSING = "UPDATE topups SET state = 'processing', updated_at = $3, \
        session_id = COALESCE(session_id, $2), payment_intent_id = COALESCE($4, payment_intent_id) \
        WHERE id = $1 AND state IN ('creating', 'open') AND (session_id IS NULL OR session_id = $2)";
    MARK_FAILED = "UPDATE topups SET state = 'failed', updated_at = $2, failure_code = 'payment_failed' \
        WHERE id = $1 AND state IN ('open', 'processing')";
    MARK_EXPIRED = "UPDATE topups SET state = 'expired', updated_at = $2 WHERE id = $1 AND state = 'open'";
    /// Adds to what is there: the balance is never read, computed and written back.
    ADD_TO_BALANCE = "INSERT INTO accounts (id, balance, used_credits, entries, updated_at) VALUES ($1, $2, 0, 1, $3) \
        ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance, entries = accounts.entries + 1, \
        updated_at = excluded.updated_at RETURNING balance, entries";
    INSERT_ENTRY = "INSERT INTO ledger_entries \
        (account_id, sequence, id, kind, credits, balance_after, source, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
}

#[derive(sqlx::FromRow)]
struct AccountAfter {
    balance: i64,
    entries: i64,
}

impl Db {
    /// Applies what Stripe says, each statement for itself: one that fails does not harm its neighbours. Results are in
    /// the order of the commands.
    pub async fn apply(&self, commands: Vec<ApplyPayment>) -> Vec<Result<Applied, StoreError>> {
        let mut outcomes = Vec::with_capacity(commands.len());
        for command in commands {
            outcomes.push(self.write(move |tx| apply_one(tx, command.clone()).boxed()).await);
        }
        outcomes
    }
}

async fn apply_one(tx: &mut Tx, command: ApplyPayment) -> Result<Applied, StoreError> {
    let Some((agreement, state)) = topups::find_agreement(tx, &command.report.topup).await? else {
        return Ok(Applied::Foreign);
    };
    let report = &command.report;
    let is_known_session = agreement.session.as_ref() == Some(&report.session);
    let brings_money = matches!(report.progress, PaymentProgress::Paid | PaymentProgress::Processing);
    // Stripe may have opened a session and told us that it failed, or we died before we stored it. Nobody was sent there,
    // and the next try opens another one: its end is no news of this top-up. Its money would be.
    let outcome = if !is_known_session && !brings_money {
        Applied::NothingToDo
    } else if let Err(mismatch) = agreement.check(report) {
        return Ok(Applied::Rejected(mismatch));
    } else {
        expected_outcome(report.progress, state, &agreement)
    };
    if !insert_event(tx, &command, &outcome).await? {
        return Ok(Applied::Duplicate);
    }
    match outcome {
        Applied::Credited { .. } => credit(tx, &command, &agreement).await,
        Applied::Moved(state) => mark(tx, &command, state).await,
        other => Ok(other),
    }
}

/// What will be done, seen from the state that was read; the statement that does it checks the state once more.
fn expected_outcome(progress: PaymentProgress, state: TopupState, agreement: &Agreement) -> Applied {
    use TopupState::{Creating, Expired, Failed, Open, Paid, Processing};
    match (progress, state) {
        (PaymentProgress::Paid, Paid) => Applied::AlreadyPaid,
        (PaymentProgress::Paid, _) => Applied::Credited { credits: agreement.credits, balance_after: 0 },
        (PaymentProgress::Processing, Creating | Open) => Applied::Moved(Processing),
        (PaymentProgress::Failed, Open | Processing) => Applied::Moved(Failed),
        (PaymentProgress::Expired, Open) => Applied::Moved(Expired),
        _ => Applied::NothingToDo,
    }
}

async fn insert_event(tx: &mut Tx, command: &ApplyPayment, outcome: &Applied) -> Result<bool, StoreError> {
    let Some((event, event_type)) = &command.report.event else { return Ok(true) };
    let values = [
        event.as_str().into(),
        event_type.as_str().into(),
        command.report.topup.as_str().into(),
        outcome.as_str().into(),
        command.now_ms.into(),
    ];
    Ok(tx.execute(&INSERT_EVENT, &values).await? == 1)
}

async fn credit(tx: &mut Tx, command: &ApplyPayment, agreement: &Agreement) -> Result<Applied, StoreError> {
    let report = &command.report;
    let now: Value = command.now_ms.into();
    let payment: Value = report.payment_intent.as_ref().map(PaymentIntentId::as_str).into();
    let topup: Value = agreement.topup.as_str().into();
    let marked = tx.execute(&MARK_PAID, &[topup.clone(), report.session.as_str().into(), now.clone(), payment]).await?;
    if marked == 0 {
        // Somebody came between our read and this statement. Run again, the read sees what they did.
        return Err(StoreError::Overtaken);
    }
    let account: Value = agreement.account.as_str().into();
    let credits: Value = agreement.credits.into();
    let AccountAfter { balance, entries } = tx
        .fetch_optional(&ADD_TO_BALANCE, &[account.clone(), credits.clone(), now.clone()])
        .await?
        .ok_or_else(|| StoreError::corrupt("no balance after adding to account", &agreement.account))?;
    let kind = EntryKind::Topup.as_str().into();
    let entry = command.entry.as_str().into();
    tx.execute(&INSERT_ENTRY, &[account, entries.into(), entry, kind, credits, balance.into(), topup, now]).await?;
    Ok(Applied::Credited { credits: agreement.credits, balance_after: balance })
}

async fn mark(tx: &mut Tx, command: &ApplyPayment, state: TopupState) -> Result<Applied, StoreError> {
    let report = &command.report;
    let (topup, now): (Value, Value) = (report.topup.as_str().into(), command.now_ms.into());
    let marked = match state {
        TopupState::Processing => {
            let payment = report.payment_intent.as_ref().map(PaymentIntentId::as_str).into();
            tx.execute(&MARK_PROCESSING, &[topup, report.session.as_str().into(), now, payment]).await?
        }
        TopupState::Failed => tx.execute(&MARK_FAILED, &[topup, now]).await?,
        _ => tx.execute(&MARK_EXPIRED, &[topup, now]).await?,
    };
    if marked == 1 { Ok(Applied::Moved(state)) } else { Err(StoreError::Overtaken) }
}
