//! What follows a paid charge: its fee, and the dispute or the warning that some test cards cause.

use serde_json::json;

use super::{
    Context, State, balance,
    balance::{Entry, Movement},
    card::Aftermath,
    currency, dispute_lifecycle, payment_json, radar,
};

/// Emits `charge.updated` with the fee, which Stripe knows a little later than the charge, then opens the dispute of a
/// test card, or warns of it.
pub(crate) fn fill_in(state: &mut State, context: &mut Context<'_>, charge_id: &str) {
    let Some(charge) = state.charges.get(charge_id).cloned() else {
        return;
    };
    let at_once = state
        .payment_methods
        .get(&charge.payment_method)
        .is_some_and(|method| method.after == Aftermath::AvailableAtOnce);
    let entry = Entry {
        at_once,
        movement: Movement::Charge,
        amount: charge.amount,
        fee: currency::fee(charge.amount),
        currency: &charge.currency,
        source: charge_id,
        description: charge.description.clone(),
    };
    let id = balance::book(state, context, entry);
    if let Some(charge) = state.charges.get_mut(charge_id) {
        charge.balance_transaction = Some(id);
    }
    if let Some(rendered) = payment_json::charge_by_id(state, charge_id) {
        let previous = json!({ "balance_transaction": null });
        state.emit_change(context, "charge.updated", rendered, Some(previous));
    }
    if at_once {
        let summary = balance::summary(state, context.now());
        state.emit(context, "balance.available", summary);
    }
    dispute_lifecycle::after_payment(state, context, charge_id);
    radar::after_payment(state, context, charge_id);
}
