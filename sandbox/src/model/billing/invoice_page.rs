//! What a customer does on the hosted page of an invoice.

use super::{agenda, collect, collect::By, invoice};
use crate::model::{
    Context, State,
    card_entry::{self, CardParams},
    confirm::Confirmed,
    error::ApiError,
    payment::{IntentStatus, PaymentMethod},
};

/// Pays an invoice with a card that the customer entered, or with the saved one.
pub(crate) fn pay(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    typed: Option<&CardParams>,
) -> Result<Confirmed, ApiError> {
    let found = invoice::find(state, id)?;
    if !found.is_payable() {
        return Err(ApiError::invalid("This invoice cannot be paid any more.").code("invoice_not_editable"));
    }
    let (customer, email) = (found.customer.clone().unwrap_or_default(), found.billed_to.email.clone());
    agenda::at_customers_time(state, context, &customer, |state, context| {
        let method = match typed {
            Some(typed) => {
                let method = PaymentMethod { email, ..card_entry::from_card(typed, context)? };
                let id = method.id.clone();
                state.payment_methods.insert(method);
                Some(id)
            }
            None => None,
        };
        collect::attempt(state, context, id, method, By::Customer)?;
        Ok(if is_waiting(state, id) { Confirmed::NeedsAction } else { Confirmed::Complete })
    })
}

/// Whether the payment of an invoice waits for the customer's bank.
pub(crate) fn is_waiting(state: &State, id: &str) -> bool {
    let intent = state.invoices.get(id).and_then(|found| found.payment_intent.as_deref());
    let intent = intent.and_then(|intent| state.payment_intents.get(intent));
    intent.is_some_and(|intent| intent.status == IntentStatus::RequiresAction)
}

/// The customer passes or fails the 3-D Secure challenge.
pub(crate) fn answer(state: &mut State, context: &mut Context<'_>, id: &str, passed: bool) -> Result<(), ApiError> {
    let customer = invoice::find(state, id)?.customer.clone().unwrap_or_default();
    agenda::at_customers_time(state, context, &customer, |state, context| {
        collect::answer_challenge(state, context, id, passed)
    })
}
