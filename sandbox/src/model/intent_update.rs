//! `POST /v1/payment_intents/{id}`: changes a payment intent that is not paid yet.

use serde::Deserialize;

use super::{
    Context, State, accepted_intents, amounts,
    confirm::{change, unexpected},
    customer, edit,
    email::check_email,
    error::ApiError,
    intent, metadata, methods,
    params::Params,
    payment::IntentStatus,
    request::read,
    session::PaymentIntentData,
    spec,
};

#[derive(Debug, Deserialize)]
struct Update {
    amount: Option<i64>,
    customer: Option<String>,
    payment_method: Option<String>,
}

pub(crate) fn update(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<(), ApiError> {
    let found = intent::of_the_api(state, id, "update")?.clone();
    let without_metadata = metadata::without_unset(params);
    let mut changes = spec::check(&without_metadata, accepted_intents::UPDATE_INTENT)?;
    let wanted: Update = read(&without_metadata, accepted_intents::UPDATE_INTENT)?;
    if let Some(members) = changes.as_object_mut() {
        members.remove("metadata");
    }
    let mut data: PaymentIntentData = edit::edited(&found.data, &changes)?;
    data.metadata = metadata::changed(&found.data.metadata, params)?;
    check_email(data.receipt_email.as_deref(), "receipt_email")?;
    let is_over = matches!(
        found.status,
        IntentStatus::Succeeded | IntentStatus::Canceled | IntentStatus::Processing | IntentStatus::RequiresCapture
    );
    let changes_payment = wanted.amount.is_some() || wanted.customer.is_some() || wanted.payment_method.is_some();
    if is_over && changes_payment {
        return Err(unexpected(
            "This PaymentIntent's amount, customer and payment method could not be updated because of its status. \
             You may only update them while it requires a payment method, a confirmation or an action.",
        ));
    }
    if let Some(amount) = wanted.amount {
        amounts::check(amount, &found.currency)?;
    }
    if let Some(customer) = &wanted.customer {
        customer::referenced(state, customer, "customer")?;
    }
    let customer = wanted.customer.or(found.customer);
    let method = match &wanted.payment_method {
        Some(name) => Some(methods::named(state, context, name)?),
        None => None,
    };
    if let Some(method) = &method {
        methods::check_usable(method, customer.as_deref())?;
    }
    let method_id = method.as_ref().map(|method| method.id.clone());
    if let Some(method) = method {
        state.payment_methods.insert(method);
    }
    change(state, id, |intent| {
        intent.data = data;
        intent.customer = customer;
        intent.amount = wanted.amount.unwrap_or(intent.amount);
        if method_id.is_some() {
            intent.payment_method = method_id;
            intent.status = IntentStatus::RequiresConfirmation;
        }
    });
    Ok(())
}
