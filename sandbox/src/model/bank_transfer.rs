//! Payments by bank transfer: a payment intent waits until its customer's cash balance has the money (docs: "Bank
//! transfers", "Customer balance").
//!
//! Invariants: money that a customer sends goes to the oldest waiting payment in its currency; what is left stays in
//! the cash balance. A payment is done when all of its amount has come.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Context, State,
    confirm::{self, change, emit_intent},
    currency, customer,
    error::ApiError,
    params::Params,
    payment::IntentStatus,
    payment_json::transfer_kind,
    request::read,
    spec::{Field, Kind, optional, required},
};

const TEXT: Kind = Kind::Text(5_000);
const FUND: &[Field] = &[
    required("amount", Kind::Integer(1)),
    required("currency", TEXT),
    optional("reference", TEXT),
    optional("expand", Kind::List(20, &TEXT)),
];

#[derive(Debug, Deserialize)]
struct Funding {
    amount: i64,
    currency: String,
    reference: Option<String>,
}

/// `POST /v1/test_helpers/customers/{id}/fund_cash_balance`: money of the customer arrives. Answers with its
/// transaction.
pub(crate) fn fund(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<Value, ApiError> {
    customer::find(state, id)?;
    let wanted: Funding = read(params, FUND)?;
    let currency = currency::parse(&wanted.currency, "currency")?;
    let transfer = json!({ "bank_transfer": {
        "reference": wanted.reference, "type": transfer_kind(&currency), transfer_kind(&currency): sender(&currency),
    }});
    let funded = moved(state, context, id, (wanted.amount, &currency), ("funded", transfer));
    while pay_oldest(state, context, id, &currency)? {}
    if balance(state, id, &currency) > 0 {
        let rendered = cash_balance(state, id);
        state.emit(context, "cash_balance.funds_available", rendered);
    }
    Ok(funded)
}

fn balance(state: &State, customer: &str, currency: &str) -> i64 {
    let found = state.customers.get(customer);
    found.and_then(|customer| customer.cash_balance.get(currency)).copied().unwrap_or_default()
}

/// Gives the money to the oldest waiting payment. Returns true if that is paid now.
fn pay_oldest(state: &mut State, context: &mut Context<'_>, id: &str, currency: &str) -> Result<bool, ApiError> {
    let waiting = state.payment_intents.iter().find(|intent| {
        intent.customer.as_deref() == Some(id)
            && intent.currency == currency
            && intent.awaits_transfer
            && intent.status == IntentStatus::RequiresAction
    });
    let Some((intent_id, left)) =
        waiting.map(|intent| (intent.id.clone(), intent.amount.saturating_sub(intent.amount_funded)))
    else {
        return Ok(false);
    };
    let paid = balance(state, id, currency).min(left);
    if paid == 0 {
        return Ok(false);
    }
    let applied = json!({ "payment_intent": intent_id });
    moved(state, context, id, (paid.saturating_neg(), currency), ("applied_to_payment", applied));
    change(state, &intent_id, |intent| intent.amount_funded = intent.amount_funded.saturating_add(paid));
    if paid < left {
        emit_intent(state, context, "payment_intent.partially_funded", &intent_id);
        return Ok(false);
    }
    change(state, &intent_id, |intent| intent.awaits_transfer = false);
    confirm::transferred(state, context, &intent_id)?;
    Ok(true)
}

/// Changes the cash balance and emits the transaction.
fn moved(
    state: &mut State,
    context: &mut Context<'_>,
    customer: &str,
    (amount, currency): (i64, &str),
    (kind, details): (&str, Value),
) -> Value {
    let mut ending = 0;
    if let Some(found) = state.customers.get_mut(customer) {
        let balance = found.cash_balance.entry(currency.to_owned()).or_default();
        *balance = balance.saturating_add(amount);
        ending = *balance;
    }
    let mut members = Map::new();
    members.insert(kind.to_owned(), details);
    let rest = json!({
        "id": context.ids.next("ccsbtxn_1", 23),
        "object": "customer_cash_balance_transaction",
        "created": context.now(),
        "currency": currency,
        "customer": customer,
        "customer_account": null,
        "ending_balance": ending,
        "livemode": false,
        "net_amount": amount,
        "type": kind,
    });
    members.extend(rest.as_object().cloned().into_iter().flatten());
    let transaction = Value::Object(members);
    state.emit(context, "customer_cash_balance_transaction.created", transaction.clone());
    transaction
}

/// The customer's cash balance as Stripe's JSON.
fn cash_balance(state: &State, id: &str) -> Value {
    let available = state.customers.get(id).map(|customer| &customer.cash_balance);
    json!({
        "object": "cash_balance",
        "available": available,
        "customer": id,
        "customer_account": null,
        "livemode": false,
        "settings": { "reconciliation_mode": "automatic", "using_merchant_default": true },
    })
}

/// Who sent the money, as the transfer of this currency shows it.
fn sender(currency: &str) -> Value {
    match currency {
        "eur" => json!({ "bic": null, "iban_last4": "3201", "sender_name": "Sandbox" }),
        "gbp" => json!({ "account_number_last4": "6789", "sender_name": "Sandbox", "sort_code": null }),
        "jpy" => json!({ "sender_bank": null, "sender_branch": null, "sender_name": "Sandbox" }),
        _ => json!({ "network": "ach", "sender_name": "Sandbox" }),
    }
}

/// Whether a payment intent can wait for a bank transfer.
pub(crate) fn check_can_wait(state: &State, intent_id: &str) -> Result<(), ApiError> {
    let customer = state.payment_intents.get(intent_id).and_then(|intent| intent.customer.as_ref());
    if customer.is_some() {
        return Ok(());
    }
    let message = "You must provide a customer to use the `customer_balance` payment method.";
    Err(ApiError::invalid(message).code("parameter_missing").param("customer"))
}

/// A payment intent waits for the customer's money.
pub(crate) fn wait(state: &mut State, context: &mut Context<'_>, intent_id: &str) -> Result<(), ApiError> {
    change(state, intent_id, |intent| {
        intent.status = IntentStatus::RequiresAction;
        intent.awaits_transfer = true;
        intent.last_error = None;
    });
    emit_intent(state, context, "payment_intent.requires_action", intent_id);
    let intent = state.payment_intents.get(intent_id);
    if let Some((Some(customer), currency)) = intent.map(|intent| (intent.customer.clone(), intent.currency.clone())) {
        // The cash balance may have it already.
        pay_oldest(state, context, &customer, &currency)?;
    }
    Ok(())
}
