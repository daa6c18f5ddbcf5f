//! Delayed payments: they succeed or fail some time after the session.
//!
//! Invariants: a debit completes its session unpaid and settles on its own when it is due, unless a control settled it
//! before.

use super::{
    Context, State, after_charge,
    card::Decline,
    confirm::{emit_charge, fail_intent, pay, unexpected},
    error::ApiError,
    iban::DebitEnding,
    payment::{ChargeStatus, IntentStatus},
    session, session_completion,
    session_completion::emit_session,
};

/// A session's delayed payment succeeds or fails.
pub(crate) fn settle(
    state: &mut State,
    context: &mut Context<'_>,
    session_id: &str,
    succeeded: bool,
) -> Result<(), ApiError> {
    let Some(intent_id) = session::find(state, session_id)?.payment_intent.clone() else {
        return Err(unexpected("This Checkout Session has no payment that is still being processed."));
    };
    settle_intent(state, context, &intent_id, succeeded)
}

/// A payment intent's delayed payment succeeds or fails, with or without a session.
pub(crate) fn settle_intent(
    state: &mut State,
    context: &mut Context<'_>,
    intent_id: &str,
    succeeded: bool,
) -> Result<(), ApiError> {
    let intent =
        state.payment_intents.get(intent_id).filter(|intent| intent.status == IntentStatus::Processing).cloned();
    let Some((session_id, Some(charge_id))) = intent.map(|intent| (intent.session, intent.latest_charge)) else {
        return Err(unexpected("This payment is not being processed."));
    };
    if succeeded {
        pay(state, context, intent_id, &charge_id);
        if let Some(session_id) = session_id {
            if let Some(session) = state.sessions.get_mut(&session_id) {
                session.paid = true;
            }
            session_completion::promise_invoice(state, context, &session_id);
            emit_session(state, context, "checkout.session.async_payment_succeeded", &session_id);
        }
        after_charge::fill_in(state, context, &charge_id);
        return Ok(());
    }
    let decline = Decline::DebitReturned;
    if let Some(charge) = state.charges.get_mut(&charge_id) {
        charge.status = ChargeStatus::Failed;
        charge.failure = Some(decline);
    }
    emit_charge(state, context, "charge.failed", &charge_id);
    fail_intent(state, context, intent_id, decline);
    if let Some(session_id) = session_id {
        emit_session(state, context, "checkout.session.async_payment_failed", &session_id);
    }
    Ok(())
}

/// Settles the debits that are due. Returns true if there were any.
pub(crate) fn settle_due(state: &mut State, context: &mut Context<'_>) -> bool {
    let due: Vec<(i64, String)> =
        state.settlements.keys().take_while(|(at, _)| *at <= context.now_ms).cloned().collect();
    for settlement in &due {
        state.settlements.remove(settlement);
        let succeeds = ending(state, &settlement.1).is_some_and(|ending| ending != DebitEnding::Fails);
        // This fails only if a control settled the debit already, which is fine.
        settle_intent(state, context, &settlement.1, succeeds).ok();
    }
    !due.is_empty()
}

fn ending(state: &State, intent_id: &str) -> Option<DebitEnding> {
    let method = state.payment_intents.get(intent_id)?.payment_method.as_deref()?;
    Some(state.payment_methods.get(method)?.sepa_debit.as_ref()?.ending)
}
