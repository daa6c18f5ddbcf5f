//! How disputes begin, change and end.
//!
//! Invariants: the balance transactions of a dispute show whether the bank has its money; an inquiry never moves money.
//! Evidence, the API's `close`, deadlines and controls all go through [`move_to`].

use std::collections::BTreeMap;

use super::{
    Context, State, balance,
    balance::{Entry, Movement},
    card::Aftermath,
    dispute::{Dispute, DisputeStatus, find, withdrawn},
    dispute_json,
    error::ApiError,
    radar,
};

/// Stripe's fee for a dispute, kept even if it is won.
const FEE: i64 = 1_500;

const A_DAY: i64 = 24 * 60 * 60;

/// Evidence is due by the end of the day this many days later.
const DAYS_TO_ANSWER: i64 = 9;

/// The dispute to open. Without an amount, it is for everything not yet refunded.
#[derive(Debug)]
pub(crate) struct Opening<'a> {
    pub(crate) amount: Option<i64>,
    pub(crate) inquiry: bool,
    pub(crate) reason: &'a str,
}

/// Opens the dispute that a test card causes after its charge.
pub(crate) fn after_payment(state: &mut State, context: &mut Context<'_>, charge_id: &str) {
    let method = state.charges.get(charge_id).and_then(|charge| state.payment_methods.get(&charge.payment_method));
    let (inquiry, reason) = match method.map(|method| method.after) {
        Some(Aftermath::DisputedAsFraudulent) => (false, "fraudulent"),
        Some(Aftermath::DisputedAsNotReceived) => (false, "product_not_received"),
        Some(Aftermath::Inquiry) => (true, "general"),
        _ => return,
    };
    // This cannot fail: a charge that was just paid can be disputed.
    open(state, context, charge_id, &Opening { amount: None, inquiry, reason }).ok();
}

/// Opens a dispute on a paid charge. Returns its id.
pub(crate) fn open(
    state: &mut State,
    context: &mut Context<'_>,
    charge_id: &str,
    opening: &Opening<'_>,
) -> Result<String, ApiError> {
    let charge =
        state.charges.get(charge_id).cloned().ok_or_else(|| ApiError::not_found("charge", charge_id, "charge"))?;
    if !charge.is_paid() {
        return Err(ApiError::invalid(format!("Charge {charge_id} is not paid, so it cannot be disputed.")));
    }
    if state.disputes.iter().any(|dispute| dispute.charge == charge_id && !dispute.status.is_closed()) {
        return Err(ApiError::invalid(format!("Charge {charge_id} has a dispute that is still open.")));
    }
    let whole = if charge.left() > 0 { charge.left() } else { charge.amount };
    let amount = opening.amount.unwrap_or(whole);
    if amount < 1 || amount > charge.amount {
        let message = format!("`amount` must be between 1 and {}, the amount of the charge.", charge.amount);
        return Err(ApiError::invalid(message).param("amount"));
    }
    let id = context.ids.next("du_1", 23);
    let due_by = end_of_day(context.now(), DAYS_TO_ANSWER);
    state.disputes.insert(Dispute {
        id: id.clone(),
        created: context.now(),
        amount,
        currency: charge.currency.clone(),
        charge: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        reason: opening.reason.to_owned(),
        status: if opening.inquiry { DisputeStatus::WarningNeedsResponse } else { DisputeStatus::NeedsResponse },
        due_by,
        evidence: BTreeMap::new(),
        submission_count: 0,
        metadata: BTreeMap::new(),
        balance_transactions: Vec::new(),
    });
    state.due.insert((due_by, id.clone()), ());
    if let Some(charge) = state.charges.get_mut(charge_id) {
        charge.disputed = true;
    }
    if !opening.inquiry {
        move_money(state, context, &id, amount.saturating_neg(), FEE);
    }
    emit(state, context, "charge.dispute.created", &id);
    radar::settle(state, context, charge_id, "disputed");
    if !opening.inquiry {
        emit(state, context, "charge.dispute.funds_withdrawn", &id);
    }
    Ok(id)
}

fn end_of_day(now: i64, days: i64) -> i64 {
    let day = now.div_euclid(A_DAY).saturating_add(days).saturating_add(1);
    day.saturating_mul(A_DAY).saturating_sub(1)
}

/// Moves a dispute to another state, with the money movements and events that belong to it.
pub(crate) fn move_to(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    to: DisputeStatus,
) -> Result<(), ApiError> {
    decide(state, context, id, to, None)
}

/// Like [`move_to`]. If `reinstated` is given, a dispute that is won returns only that amount: it was won in part.
pub(crate) fn decide(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    to: DisputeStatus,
    reinstated: Option<i64>,
) -> Result<(), ApiError> {
    let dispute = find(state, id)?.clone();
    let out = withdrawn(state, &dispute);
    if let Some(reinstated) = reinstated
        && (to != DisputeStatus::Won || reinstated < 1 || reinstated > out)
    {
        let message = format!("`reinstated` is for a dispute that is won, and between 1 and {out}, what the bank has.");
        return Err(ApiError::invalid(message).param("reinstated"));
    }
    if !dispute.status.leads_to(to) {
        let message = format!("The dispute is {}; it cannot become {}.", dispute.status.as_str(), to.as_str());
        return Err(ApiError::invalid(message));
    }
    let before = dispute_json::dispute(state, &dispute);
    let escalated = dispute.status.is_inquiry() && to == DisputeStatus::NeedsResponse;
    state.due.retain(|(_, due), ()| due != id);
    let due_by = if escalated { end_of_day(context.now(), DAYS_TO_ANSWER) } else { dispute.due_by };
    if to.takes_evidence() {
        state.due.insert((due_by, id.to_owned()), ());
    }
    if let Some(dispute) = state.disputes.get_mut(id) {
        dispute.status = to;
        dispute.due_by = due_by;
        if escalated {
            // The bank asks again, so an answer to the inquiry does not count.
            dispute.submission_count = 0;
        }
    }
    let withdraws = escalated || to == DisputeStatus::AppealUnderReview;
    let returns = to == DisputeStatus::Won;
    if withdraws {
        let rest = dispute.amount.saturating_sub(out);
        move_money(state, context, id, rest.saturating_neg(), if escalated { FEE } else { 0 });
    } else if returns {
        move_money(state, context, id, reinstated.unwrap_or(out), 0);
    }
    if to.is_closed() {
        emit(state, context, "charge.dispute.closed", id);
    } else if let Some(after) = dispute_json::by_id(state, id) {
        state.emit_diff(context, "charge.dispute.updated", &before, after);
    }
    match (withdraws, returns) {
        (true, _) => emit(state, context, "charge.dispute.funds_withdrawn", id),
        (_, true) => emit(state, context, "charge.dispute.funds_reinstated", id),
        _ => {}
    }
    Ok(())
}

/// Books a correction of the dispute's money without changing its status. A positive amount comes back to the account,
/// a negative one leaves it.
pub(crate) fn correct(state: &mut State, context: &mut Context<'_>, id: &str, amount: i64) -> Result<(), ApiError> {
    let dispute = find(state, id)?;
    let out = withdrawn(state, dispute);
    if dispute.status.is_inquiry() {
        return Err(ApiError::invalid("An inquiry moves no money."));
    }
    if amount == 0 || amount > out || amount < out.saturating_sub(dispute.amount) {
        let message = format!("`amount` must be at most {out}, what the bank has, and not 0.");
        return Err(ApiError::invalid(message).param("amount"));
    }
    move_money(state, context, id, amount, 0);
    let event = if amount < 0 { "charge.dispute.funds_withdrawn" } else { "charge.dispute.funds_reinstated" };
    emit(state, context, event, id);
    Ok(())
}

/// Moves money to the bank (negative amount), or back.
fn move_money(state: &mut State, context: &mut Context<'_>, id: &str, amount: i64, fee: i64) {
    let Some(dispute) = state.disputes.get(id).cloned() else {
        return;
    };
    let (movement, what) =
        if amount < 0 { (Movement::Dispute, "withdrawal") } else { (Movement::DisputeReversal, "reversal") };
    let entry = Entry {
        at_once: false,
        movement,
        amount,
        fee,
        currency: &dispute.currency,
        source: id,
        description: Some(format!("Chargeback {what} for {}", dispute.charge)),
    };
    let transaction = balance::book(state, context, entry);
    if let Some(dispute) = state.disputes.get_mut(id) {
        dispute.balance_transactions.push(transaction);
    }
}

/// The deadline passed without an answer: a chargeback is lost, an inquiry is closed.
pub(crate) fn fall_due(state: &mut State, context: &mut Context<'_>, id: &str) {
    if state.disputes.get(id).is_some_and(|dispute| dispute.status.takes_evidence()) {
        give_up(state, context, id).ok();
    }
}

/// Closes a dispute without defending it.
pub(crate) fn give_up(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
    let inquiry = find(state, id)?.status.is_inquiry();
    move_to(state, context, id, if inquiry { DisputeStatus::WarningClosed } else { DisputeStatus::Lost })
}

/// Closes open inquiries: after a full refund, the bank has nothing left to ask.
pub(crate) fn after_full_refund(state: &mut State, context: &mut Context<'_>, charge_id: &str) {
    let inquiries: Vec<String> = state
        .disputes
        .iter()
        .filter(|dispute| dispute.charge == charge_id && dispute.status.is_inquiry() && !dispute.status.is_closed())
        .map(|dispute| dispute.id.clone())
        .collect();
    for id in &inquiries {
        give_up(state, context, id).ok();
    }
    radar::settle(state, context, charge_id, "refunded");
}

/// Replaces the staged evidence, and submits it if requested. A test keyword in it decides the outcome.
pub(crate) fn answer(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    evidence: BTreeMap<String, String>,
    submit: bool,
) -> Result<(), ApiError> {
    let dispute = find(state, id)?.clone();
    if !dispute.status.takes_evidence() {
        let message = if dispute.status.is_closed() {
            "This dispute is already closed"
        } else {
            "The evidence of this dispute was submitted and can no longer be changed"
        };
        return Err(ApiError::invalid(message).executed());
    }
    let before = dispute_json::dispute(state, &dispute);
    let word = evidence.get("uncategorized_text").cloned().unwrap_or_default();
    let inquiry = dispute.status.is_inquiry();
    if let Some(dispute) = state.disputes.get_mut(id) {
        dispute.evidence = evidence;
        if submit {
            dispute.submission_count = dispute.submission_count.saturating_add(1);
            dispute.status = if inquiry { DisputeStatus::WarningUnderReview } else { DisputeStatus::UnderReview };
        }
    }
    report_change(state, context, id, &before);
    if !submit {
        return Ok(());
    }
    state.due.retain(|(_, due), ()| due != id);
    match (word.as_str(), inquiry) {
        ("winning_evidence", false) => move_to(state, context, id, DisputeStatus::Won),
        ("losing_evidence", false) => move_to(state, context, id, DisputeStatus::Lost),
        ("winning_evidence", true) => move_to(state, context, id, DisputeStatus::WarningClosed),
        ("escalate_inquiry_evidence", true) => move_to(state, context, id, DisputeStatus::NeedsResponse),
        _ => Ok(()),
    }
}

/// Replaces the metadata.
pub(crate) fn set_metadata(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    metadata: BTreeMap<String, String>,
) -> Result<(), ApiError> {
    let before = dispute_json::dispute(state, find(state, id)?);
    if let Some(dispute) = state.disputes.get_mut(id) {
        dispute.metadata = metadata;
    }
    report_change(state, context, id, &before);
    Ok(())
}

fn report_change(state: &mut State, context: &mut Context<'_>, id: &str, before: &serde_json::Value) {
    if let Some(after) = dispute_json::by_id(state, id).filter(|after| after != before) {
        state.emit_diff(context, "charge.dispute.updated", before, after);
    }
}

fn emit(state: &mut State, context: &mut Context<'_>, kind: &str, id: &str) {
    if let Some(rendered) = dispute_json::by_id(state, id) {
        state.emit(context, kind, rendered);
    }
}
