//! The only code that turns a payment into credits.
//!
//! A report is applied in one transaction: the event's row, the top-up's new state, the account's balance and the
//! ledger entry are written together or not at all. Three constraints in the database prevent a payment from being
//! credited twice: the event's id, the top-up's state, and the ledger entry's (kind, source).

use serde_json::{Value, json};

use crate::books::entries::{Entry, book};
use crate::books::entry_ids::EntryIds;
use crate::db::Tx;
use crate::db::{StoreError, args, statements};
use crate::domain::burn::NEVER_MS;
use crate::domain::checkout::{Agreement, Declined, PurchaseReport, TopupState};
use crate::domain::ids::{LedgerEntryId, PaymentId};
use crate::domain::judge::AgreedTopup;
use crate::domain::judge::{Applied, is_another_payment, judge};
use crate::domain::ledger::EntryKind;
use crate::domain::payment::PaymentRole;
use crate::messages::event_type::EventType;
use crate::messages::message::{self, NewMessage};
use crate::purchases::decided_events::insert_event;
use crate::purchases::payment::payments;
use crate::purchases::reversal::take_back::{self, AppliedReversal};
use crate::purchases::topups;

/// A provider's report about a payment, to be applied.
#[derive(Debug, Clone)]
pub struct ApplyPayment {
    /// The report.
    pub report: PurchaseReport,
    /// The id of the ledger entry, if one is written. The entry of a bonus has one derived from it.
    pub entry: LedgerEntryId,
    /// The id of a second entry, if a refund or dispute has been waiting for this payment.
    pub reversal_entry: LedgerEntryId,
    /// The current time, in milliseconds since 1970.
    pub now_ms: i64,
}

statements! {
    MARK_PAID = "UPDATE topups SET state = 'paid', paid_at = :now_ms, updated_at = :now_ms, failure_code = NULL, \
        revision = revision + 1, tax_amount = :tax, added_tax_amount = :added_tax, \
        provider_session_id = COALESCE(provider_session_id, :session), provider_payment_id = COALESCE(:payment, \
        provider_payment_id) \
        WHERE id = :topup AND state <> 'paid' AND (provider_session_id IS NULL OR provider_session_id = :session)";
    MARK_PROCESSING = "UPDATE topups SET state = 'processing', updated_at = :now_ms, revision = revision + 1, \
        provider_session_id = COALESCE(provider_session_id, :session), provider_payment_id = COALESCE(:payment, \
        provider_payment_id) \
        WHERE id = :topup AND state || '' IN ('creating', 'open') AND (provider_session_id IS NULL OR \
        provider_session_id = :session)";
    /// Appending text to the state, here and below, keeps planners from using the index of unfinished top-ups: while
    /// few are unfinished, it looks as selective as the primary key.
    MARK_FAILED = "UPDATE topups SET state = 'failed', updated_at = :now_ms, failure_code = 'payment_failed', \
        revision = revision + 1 \
        WHERE id = :topup AND state || '' IN ('open', 'processing')";
    MARK_EXPIRED = "UPDATE topups SET state = 'expired', updated_at = :now_ms, revision = revision + 1 \
        WHERE id = :topup AND state || '' = 'open'";
    /// A declined attempt is not final: the customer may try another card.
    MARK_DECLINED = "UPDATE topups SET decline_code = :code, declined_at = :now_ms, updated_at = :now_ms, revision = \
        revision + 1 \
        WHERE id = :topup AND state <> 'paid'";
}

/// Applies one payment in the given transaction.
pub(crate) async fn apply_one(tx: &mut Tx, command: ApplyPayment) -> Result<Applied, StoreError> {
    let Some(found) = topups::lock_agreement(tx, &command.report.topup).await? else {
        return Ok(Applied::Foreign);
    };
    let outcome = judge(&command.report, &found);
    if let Applied::Rejected(mismatch) = &outcome {
        // The payment came through a session that was never handed out, for a top-up that is not paid otherwise. It
        // credits nothing, but is recorded so that it can be refunded, and an operator has to look at the
        // contradiction.
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
        Applied::Moved(state) => mark(tx, &command, &found, state).await,
        Applied::Surplus => {
            touch_payment(tx, &command, PaymentRole::Surplus).await?;
            Ok(Applied::Surplus)
        }
        other => Ok(other),
    }
}

async fn insert_payment_event(tx: &mut Tx, command: &ApplyPayment, outcome: &Applied) -> Result<bool, StoreError> {
    let Some(event) = &command.report.event else { return Ok(true) };
    insert_event(tx, event, &command.report.topup, outcome.as_str(), command.now_ms).await
}

async fn touch_payment(tx: &mut Tx, command: &ApplyPayment, role: PaymentRole) -> Result<i64, StoreError> {
    let report = &command.report;
    let Some(payment) = &report.payment else { return Ok(1) };
    let charged = report.amount_total_minor.filter(|_| role == PaymentRole::Surplus);
    payments::touch(tx, payment, &report.topup, role, Some(&report.session), charged, command.now_ms).await
}

async fn credit(tx: &mut Tx, command: &ApplyPayment, found: &AgreedTopup) -> Result<Applied, StoreError> {
    let (report, agreement) = (&command.report, &found.agreement);
    let writes = touch_payment(tx, command, PaymentRole::Credited).await?;
    let payment = report.payment.as_ref().map(PaymentId::as_str);
    let (topup, now_ms) = (agreement.topup.as_str(), command.now_ms);
    let tax = agreement.agreed_tax_minor(report);
    let added_tax = agreement.tax.map_or(0, |behavior| behavior.added_minor(tax));
    let values = args![topup, session = report.session.as_str(), now_ms, payment, tax, added_tax];
    let marked = tx.execute(&MARK_PAID, &values).await?;
    if marked == 0 {
        // Another transaction changed the row after our read. A retry reads the new state.
        return Err(StoreError::Overtaken);
    }
    let balance_after = book_credits(tx, command, agreement).await?;
    tell(tx, EventType::TopupPaid, agreement, None, now_ms).await?;
    let credited = |balance_after| Applied::Credited { credits: agreement.credits, balance_after };
    // This is the first write of the payment's row: nothing can have been waiting for it.
    let Some(payment) = report.payment.as_ref().filter(|_| writes > 1) else {
        return Ok(credited(balance_after));
    };
    match take_back::settle(tx, &agreement.topup, payment, &command.reversal_entry, None, command.now_ms).await? {
        AppliedReversal::Settled { balance_after, .. } => Ok(credited(balance_after)),
        _ => Ok(credited(balance_after)),
    }
}

/// Books what was bought and the bonus, which end together. Returns the balance afterwards.
async fn book_credits(tx: &mut Tx, command: &ApplyPayment, agreement: &Agreement) -> Result<i64, StoreError> {
    let ends_at_ms = agreement.expiry.map_or(NEVER_MS, |days| days.end_ms(command.now_ms));
    let (mut ids, topup) = (EntryIds::new(command.entry.clone()), &agreement.topup);
    let bought = Entry {
        id: &ids.next(),
        account: agreement.account.as_str(),
        kind: EntryKind::Topup,
        credits: agreement.credits,
        source: topup.as_str(),
        topup: None,
        reason: None,
        ends_at_ms,
    };
    let balance_after = book(tx, bought, command.now_ms).await?;
    if agreement.bonus_credits == 0 {
        return Ok(balance_after);
    }
    let bonus = Entry {
        id: &ids.next(),
        account: agreement.account.as_str(),
        kind: EntryKind::Bonus,
        credits: agreement.bonus_credits,
        source: topup.as_str(),
        topup: Some(topup),
        reason: None,
        ends_at_ms,
    };
    book(tx, bonus, command.now_ms).await
}

/// Writes the message about a top-up's new state.
async fn tell(
    tx: &mut Tx,
    event: EventType,
    agreement: &Agreement,
    facts: Option<Value>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let (topup, account) = (agreement.topup.as_str(), agreement.account.as_str());
    let message = NewMessage { event, distinction: message::digits(topup), account, cause: topup, facts, now_ms };
    message::write(tx, &message).await
}

async fn mark(
    tx: &mut Tx,
    command: &ApplyPayment,
    found: &AgreedTopup,
    state: TopupState,
) -> Result<Applied, StoreError> {
    let report = &command.report;
    let (topup, now_ms) = (report.topup.as_str(), command.now_ms);
    let marked = match state {
        TopupState::Processing => {
            let payment = report.payment.as_ref().map(PaymentId::as_str);
            tx.execute(&MARK_PROCESSING, &args![topup, session = report.session.as_str(), now_ms, payment]).await?
        }
        TopupState::Failed => {
            let facts = json!({ "code": "payment_failed" });
            tell(tx, EventType::TopupFailed, &found.agreement, Some(facts), now_ms).await?;
            tx.execute(&MARK_FAILED, &args![topup, now_ms]).await?
        }
        _ => tx.execute(&MARK_EXPIRED, &args![topup, now_ms]).await?,
    };
    if marked == 1 { Ok(Applied::Moved(state)) } else { Err(StoreError::Overtaken) }
}

/// Records that a payment attempt was declined, together with the event's row, in the given transaction.
///
/// # Errors
/// When the database fails.
pub async fn decline(tx: &mut Tx, declined: &Declined, now_ms: i64) -> Result<Applied, StoreError> {
    let Some(found) = topups::lock_agreement(tx, &declined.topup).await? else { return Ok(Applied::Foreign) };
    if let Err(mismatch) = found.agreement.check_mode(declined.event.0.provider(), declined.livemode) {
        return Ok(Applied::Rejected(mismatch));
    }
    if !insert_event(tx, &declined.event, &declined.topup, "declined", now_ms).await? {
        return Ok(Applied::Duplicate);
    }
    let values = args![topup = declined.topup.as_str(), code = declined.code.as_str(), now_ms];
    let marked = tx.execute(&MARK_DECLINED, &values).await?;
    Ok(if marked == 1 { Applied::Declined } else { Applied::NothingToDo })
}
