//! The one place where money becomes credits.
//!
//! What Stripe says about a payment is applied in one transaction: the event's row, the top-up's new state, the
//! account's balance and the ledger entry that explains it are all there or none is. Three guards, each held by the
//! database, keep a payment from being credited twice: the event's id, the top-up's state, the entry's (kind, source).

use super::backend::{Db, Tx};
use super::endings::EndPurchase;
use super::payments::{self, PaymentRole};
use super::reversals::{self, AppliedReversal};
use super::statement::Value;
use super::topups::{self, Found};
use super::{StoreError, statements};
use crate::domain::checkout::{Declined, Mismatch, PaymentProgress, PaymentReport, TopupState};
use crate::domain::ids::{EventId, LedgerEntryId, PaymentIntentId, TopupId};
use crate::domain::ledger::EntryKind;
use crate::domain::reversal::EventRef;

/// Something that Stripe says, to be brought into the books.
#[derive(Debug, Clone)]
pub struct ApplyPayment {
    /// What it says.
    pub report: PaymentReport,
    /// The id of the ledger entry, should there be one.
    pub entry: LedgerEntryId,
    /// The id of a second entry, should a refund or dispute have been waiting for this payment.
    pub reversal_entry: LedgerEntryId,
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
        /// What the account has with them, and without those that refunds took at once.
        balance_after: i64,
    },
    /// The purchase was paid by another payment: this one credits nothing and should be refunded.
    Surplus,
    /// They were already: another event, or our own question, was faster.
    AlreadyPaid,
    /// The purchase came to another state that credits nothing.
    Moved(TopupState),
    /// An attempt to pay was declined; the purchase stays as it is.
    Declined,
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
            Self::Surplus => "surplus_payment",
            Self::Moved(state) => state.as_str(),
            Self::Declined => "declined",
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
        revision = revision + 1, \
        session_id = COALESCE(session_id, $2), payment_intent_id = COALESCE($4, payment_intent_id) \
        WHERE id = $1 AND state <> 'paid' AND (session_id IS NULL OR session_id = $2)";
    MARK_PROCESSING = "UPDATE topups SET state = 'processing', updated_at = $3, revision = revision + 1, \
        session_id = COALESCE(session_id, $2), payment_intent_id = COALESCE($4, payment_intent_id) \
        WHERE id = $1 AND state || '' IN ('creating', 'open') AND (session_id IS NULL OR session_id = $2)";
    /// The text that is added to the state, here and below, keeps the index of unfinished top-ups out of the plan: while
    /// few are unfinished it looks as good as the key.
    MARK_FAILED = "UPDATE topups SET state = 'failed', updated_at = $2, failure_code = 'payment_failed', \
        revision = revision + 1 \
        WHERE id = $1 AND state || '' IN ('open', 'processing')";
    MARK_EXPIRED = "UPDATE topups SET state = 'expired', updated_at = $2, revision = revision + 1 \
        WHERE id = $1 AND state || '' = 'open'";
    /// A declined attempt ends nothing: the customer may try another card.
    MARK_DECLINED = "UPDATE topups SET decline_code = $2, declined_at = $3, updated_at = $3, revision = revision + 1 \
        WHERE id = $1 AND state <> 'paid'";
    /// Adds to what is there: the balance is never read, computed and written back.
    ADD_TO_BALANCE = "INSERT INTO accounts (id, balance, used_credits, entries, updated_at) VALUES ($1, $2, 0, 1, $3) \
        ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance, entries = accounts.entries + 1, \
        updated_at = excluded.updated_at RETURNING balance, entries";
    /// The same for what may not take a balance below zero. One statement, so that nobody spends in between.
    ADD_WITHIN_BALANCE = "UPDATE accounts SET balance = balance + $2, entries = entries + 1, updated_at = $3 \
        WHERE id = $1 AND balance + $2 >= 0 RETURNING balance, entries";
    INSERT_ENTRY = "INSERT INTO ledger_entries \
        (account_id, sequence, id, kind, credits, balance_after, source, topup_id, created_at, reason) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    DECIDED = "SELECT id FROM webhook_events WHERE id = $1";
}

#[derive(sqlx::FromRow)]
struct AccountAfter {
    balance: i64,
    entries: i64,
}

impl Db {
    /// Applies what Stripe says, together with what others want applied at this moment. One that fails does not harm its
    /// neighbours. Results are in the order of the commands, each after its effect is durable.
    pub async fn apply(&self, commands: Vec<ApplyPayment>) -> Vec<Result<Applied, StoreError>> {
        futures_util::future::join_all(commands.into_iter().map(|command| self.apply_report(command))).await
    }

    async fn apply_report(&self, command: ApplyPayment) -> Result<Applied, StoreError> {
        match command.report.progress {
            PaymentProgress::Expired => self.submit(EndPurchase(command)).await,
            _ => self.submit(command).await,
        }
    }
}

/// Applies one payment in the given write.
pub(super) async fn apply_one(tx: &mut Tx, command: ApplyPayment) -> Result<Applied, StoreError> {
    let Some(found) = topups::lock_agreement(tx, &command.report.topup).await? else {
        return Ok(Applied::Foreign);
    };
    let outcome = judge(&command.report, &found);
    if let Applied::Rejected(mismatch) = &outcome {
        // Money that came by a session that nobody was sent to, for a purchase that is not paid otherwise: it credits
        // nothing, it is written down so that it can be given back, and a person has to see the contradiction.
        if is_another_payment(&command.report, &found, mismatch) {
            touch_payment(tx, &command, PaymentRole::Surplus).await?;
        }
        return Ok(outcome);
    }
    if !insert_payment_event(tx, &command, &outcome).await? {
        return Ok(Applied::Duplicate);
    }
    match outcome {
        Applied::Credited { .. } => credit(tx, &command, &found).await,
        Applied::Moved(state) => mark(tx, &command, state).await,
        Applied::Surplus => {
            touch_payment(tx, &command, PaymentRole::Surplus).await?;
            Ok(Applied::Surplus)
        }
        other => Ok(other),
    }
}

/// What a report about a known purchase comes to, as the purchase stands. Nothing is written; whoever applies the
/// report judges anew.
#[must_use]
pub fn judge(report: &PaymentReport, found: &Found) -> Applied {
    if let Err(mismatch) = found.agreement.check_mode(report.livemode) {
        return Applied::Rejected(mismatch);
    }
    let is_known_session = found.agreement.session.as_ref() == Some(&report.session);
    let brings_money = matches!(report.progress, PaymentProgress::Paid | PaymentProgress::Processing);
    // Stripe may have opened a session and told us that it failed, or we died before we stored it. Nobody was sent there,
    // and the next try opens another one: its end is no news of this top-up. Its money would be.
    if !is_known_session && !brings_money {
        return Applied::NothingToDo;
    }
    match found.agreement.check(report) {
        Ok(()) => expected_outcome(report, found),
        // Everything but the session is as agreed: the purchase was paid twice.
        Err(mismatch) if found.state == TopupState::Paid && is_another_payment(report, found, &mismatch) => {
            Applied::Surplus
        }
        Err(mismatch) => Applied::Rejected(mismatch),
    }
}

/// What will be done, seen from the state that was read; the statement that does it checks the state once more.
fn expected_outcome(report: &PaymentReport, found: &Found) -> Applied {
    use TopupState::{Creating, Expired, Failed, Open, Paid, Processing};
    match (report.progress, found.state) {
        (PaymentProgress::Paid, Paid) => match (&report.payment_intent, &found.payment_intent) {
            (Some(reported), Some(credited)) if reported != credited => Applied::Surplus,
            _ => Applied::AlreadyPaid,
        },
        (PaymentProgress::Paid, _) => Applied::Credited { credits: found.agreement.credits, balance_after: 0 },
        (PaymentProgress::Processing, Creating | Open) => Applied::Moved(Processing),
        (PaymentProgress::Failed, Open | Processing) => Applied::Moved(Failed),
        (PaymentProgress::Expired, Open) => Applied::Moved(Expired),
        _ => Applied::NothingToDo,
    }
}

pub(super) fn is_another_payment(report: &PaymentReport, found: &Found, mismatch: &Mismatch) -> bool {
    let is_another = report.payment_intent.is_some() && report.payment_intent != found.payment_intent;
    mismatch.field == "session" && report.progress == PaymentProgress::Paid && is_another
}

async fn insert_payment_event(tx: &mut Tx, command: &ApplyPayment, outcome: &Applied) -> Result<bool, StoreError> {
    let Some(event) = &command.report.event else { return Ok(true) };
    insert_event(tx, event, &command.report.topup, outcome.as_str(), command.now_ms).await
}

/// Writes that an event is decided. `false` when it was before. With this row, earlier failures of it are put right, and
/// later ones are none.
pub(super) async fn insert_event(
    tx: &mut Tx,
    (event, event_type): &EventRef,
    topup: &TopupId,
    outcome: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let values =
        [event.as_str().into(), event_type.as_str().into(), topup.as_str().into(), outcome.into(), now_ms.into()];
    Ok(tx.execute(&INSERT_EVENT, &values).await? == 1)
}

async fn touch_payment(tx: &mut Tx, command: &ApplyPayment, role: PaymentRole) -> Result<i64, StoreError> {
    let report = &command.report;
    let Some(payment) = &report.payment_intent else { return Ok(1) };
    payments::touch(tx, payment, &report.topup, role, Some(&report.session), command.now_ms).await
}

async fn credit(tx: &mut Tx, command: &ApplyPayment, found: &Found) -> Result<Applied, StoreError> {
    let (report, agreement) = (&command.report, &found.agreement);
    let writes = touch_payment(tx, command, PaymentRole::Credited).await?;
    let now: Value = command.now_ms.into();
    let payment: Value = report.payment_intent.as_ref().map(PaymentIntentId::as_str).into();
    let topup: Value = agreement.topup.as_str().into();
    let marked = tx.execute(&MARK_PAID, &[topup, report.session.as_str().into(), now, payment]).await?;
    if marked == 0 {
        // Somebody came between our read and this statement. Run again, the read sees what they did.
        return Err(StoreError::Overtaken);
    }
    let entry = Entry {
        id: &command.entry,
        account: agreement.account.as_str(),
        kind: EntryKind::Topup,
        credits: agreement.credits,
        source: agreement.topup.as_str(),
        topup: None,
        reason: None,
    };
    let balance_after = book(tx, entry, command.now_ms).await?;
    let credited = |balance_after| Applied::Credited { credits: agreement.credits, balance_after };
    // The first write of a payment's row: nothing can have been waiting for it.
    let Some(payment) = report.payment_intent.as_ref().filter(|_| writes > 1) else {
        return Ok(credited(balance_after));
    };
    match reversals::settle(tx, &agreement.topup, payment, &command.reversal_entry, None, command.now_ms).await? {
        AppliedReversal::Settled { balance_after, .. } => Ok(credited(balance_after)),
        _ => Ok(credited(balance_after)),
    }
}

/// A line of the books to be written.
pub(super) struct Entry<'e> {
    pub(super) id: &'e LedgerEntryId,
    pub(super) account: &'e str,
    pub(super) kind: EntryKind,
    /// Negative when they are taken.
    pub(super) credits: i64,
    /// What causes it; unique among entries of its kind.
    pub(super) source: &'e str,
    /// The purchase that a reversal belongs to.
    pub(super) topup: Option<&'e TopupId>,
    /// Why a reversal moved them.
    pub(super) reason: Option<&'e str>,
}

/// The one place where a balance changes, together with the entry that explains it. Gives the new balance.
pub(super) async fn book(tx: &mut Tx, entry: Entry<'_>, now_ms: i64) -> Result<i64, StoreError> {
    let values = [entry.account.into(), entry.credits.into(), now_ms.into()];
    let after = tx.fetch_optional(&ADD_TO_BALANCE, &values).await?;
    let after = after.ok_or_else(|| StoreError::corrupt("no balance after adding to account", entry.account))?;
    insert_entry(tx, entry, after, now_ms).await
}

/// The same, unless it takes credits that are not there: then `None`, and nothing is written.
pub(super) async fn book_within_balance(tx: &mut Tx, entry: Entry<'_>, now_ms: i64) -> Result<Option<i64>, StoreError> {
    if entry.credits >= 0 {
        return book(tx, entry, now_ms).await.map(Some);
    }
    let values = [entry.account.into(), entry.credits.into(), now_ms.into()];
    let Some(after) = tx.fetch_optional(&ADD_WITHIN_BALANCE, &values).await? else { return Ok(None) };
    insert_entry(tx, entry, after, now_ms).await.map(Some)
}

async fn insert_entry(tx: &mut Tx, entry: Entry<'_>, after: AccountAfter, now_ms: i64) -> Result<i64, StoreError> {
    let values = [
        entry.account.into(),
        after.entries.into(),
        entry.id.as_str().into(),
        entry.kind.as_str().into(),
        entry.credits.into(),
        after.balance.into(),
        entry.source.into(),
        entry.topup.map(TopupId::as_str).into(),
        now_ms.into(),
        entry.reason.into(),
    ];
    tx.execute(&INSERT_ENTRY, &values).await?;
    Ok(after.balance)
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

/// Notes that an attempt to pay was declined, with the event's row, in the given write.
///
/// # Errors
/// When the database fails.
pub async fn decline(tx: &mut Tx, declined: &Declined, now_ms: i64) -> Result<Applied, StoreError> {
    let Some(found) = topups::lock_agreement(tx, &declined.topup).await? else { return Ok(Applied::Foreign) };
    if let Err(mismatch) = found.agreement.check_mode(declined.livemode) {
        return Ok(Applied::Rejected(mismatch));
    }
    if !insert_event(tx, &declined.event, &declined.topup, "declined", now_ms).await? {
        return Ok(Applied::Duplicate);
    }
    let values = [declined.topup.as_str().into(), declined.code.as_str().into(), now_ms.into()];
    let marked = tx.execute(&MARK_DECLINED, &values).await?;
    Ok(if marked == 1 { Applied::Declined } else { Applied::NothingToDo })
}

/// Writes that an event is decided whose effect is elsewhere, or that has none.
///
/// # Errors
/// When the database fails.
pub async fn decide(
    tx: &mut Tx,
    event: &EventRef,
    topup: &TopupId,
    outcome: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    insert_event(tx, event, topup, outcome, now_ms).await
}

#[derive(sqlx::FromRow)]
struct Decided {}

impl Db {
    /// Whether an event was decided before: then Stripe need not be asked about it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_decided(&self, event: &EventId) -> Result<bool, StoreError> {
        self.is_decided_event(event.as_str()).await
    }

    /// The same for an id as it was written.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_decided_event(&self, event: &str) -> Result<bool, StoreError> {
        Ok(self.read_optional::<Decided>(&DECIDED, &[event.into()]).await?.is_some())
    }
}
