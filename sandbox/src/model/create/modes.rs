//! What a session is for and whose it is: its mode, its customer, and the setup intent of a session that saves a card.

use super::{
    Order,
    wanted::{SetupIntentData, Wanted},
};
use crate::model::{
    Context, State, currency, customer,
    customer::Customer,
    error::ApiError,
    session::{Mode, Session},
    setup_intent,
    setup_intent::SetupIntent,
};

pub(super) fn mode_of(wanted: &Wanted) -> Result<Mode, ApiError> {
    let mode = match wanted.mode.as_str() {
        "payment" => Mode::Payment,
        "setup" => Mode::Setup,
        "subscription" => Mode::Subscription,
        _ => return Err(ApiError::internal("the mode is unknown")),
    };
    let of_payments = wanted.has_payment_intent_data || wanted.saved_payment_method_options.is_some();
    let refused = match mode {
        Mode::Setup if !wanted.line_items.is_empty() => Some("line_items"),
        Mode::Setup if of_payments && wanted.has_payment_intent_data => Some("payment_intent_data"),
        Mode::Setup if of_payments => Some("saved_payment_method_options"),
        Mode::Payment | Mode::Subscription if wanted.setup_intent_data.is_some() => Some("setup_intent_data"),
        Mode::Payment | Mode::Setup if wanted.subscription_data.is_some() => Some("subscription_data"),
        Mode::Subscription if wanted.has_payment_intent_data => Some("payment_intent_data"),
        Mode::Subscription if wanted.customer_creation.is_some() => Some("customer_creation"),
        Mode::Subscription if wanted.invoice_creation.enabled.is_some() => Some("invoice_creation"),
        _ => None,
    };
    match refused {
        None => Ok(mode),
        Some(param) => {
            let message = format!("You can not pass `{param}` in `{}` mode.", mode.as_str());
            Err(ApiError::invalid(message).param(param))
        }
    }
}

/// The customer that the request names, with its email.
#[derive(Debug)]
pub(super) struct Given {
    id: String,
    email: Option<String>,
}

pub(super) fn customer_of(state: &State, wanted: &Wanted) -> Result<Option<Given>, ApiError> {
    let Some(id) = &wanted.customer else {
        return if !wanted.customer_update.is_empty() {
            let message = "`customer_update` can only be used with `customer`.";
            Err(ApiError::invalid(message).param("customer_update"))
        } else if wanted.saved_payment_method_options.is_some() && wanted.customer_creation.as_deref() != Some("always")
        {
            let message = "`saved_payment_method_options` can only be used with `customer`.";
            Err(ApiError::invalid(message).param("saved_payment_method_options"))
        } else {
            Ok(None)
        };
    };
    for (param, is_given) in
        [("customer_email", wanted.customer_email.is_some()), ("customer_creation", wanted.customer_creation.is_some())]
    {
        if is_given {
            let message = format!("You may only specify one of these parameters: customer, {param}.");
            return Err(ApiError::invalid(message).param(param));
        }
    }
    let found = customer::referenced(state, id, "customer")?;
    check_updates(wanted, found)?;
    Ok(Some(Given { id: id.clone(), email: found.profile.email.clone() }))
}

/// What Checkout asks for must be saved with the customer, or be there already.
fn check_updates(wanted: &Wanted, found: &Customer) -> Result<(), ApiError> {
    let updates = |what: &str| wanted.customer_update.get(what).is_some_and(|choice| choice == "auto");
    if wanted.tax_id_collection.is_on() && !updates("name") {
        let message = "Tax ID collection requires updating business name on the customer. To enable tax ID collection \
                       for an existing customer, please set `customer_update[name]` to `auto`.";
        return Err(ApiError::invalid(message).param("customer_update[name]"));
    }
    let has_address = found.profile.address.as_ref().is_some_and(|address| address.country.is_some());
    if wanted.automatic_tax.is_on() && !has_address && !updates("address") && !updates("shipping") {
        let message = "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid \
                       address to the Customer or set either `customer_update[address]` to 'auto' or \
                       `customer_update[shipping]` to 'auto' to save the address entered in Checkout to the Customer.";
        return Err(ApiError::invalid(message).code("customer_tax_location_invalid").param("customer_update"));
    }
    Ok(())
}

/// The session with its customer, whose email the page shows.
pub(super) fn with_customer(session: Session, customer: Option<Given>) -> Session {
    match customer {
        None => session,
        Some(given) => Session {
            customer_id: Some(given.id),
            customer_was_given: true,
            customer_creation: "if_required".to_owned(),
            customer_email: given.email,
            ..session
        },
    }
}

/// A setup sells nothing. It needs a currency to choose payment methods by, unless the request lists them.
pub(super) fn empty_order(wanted: &Wanted) -> Result<Order, ApiError> {
    let types = wanted.payment_method_types.as_ref().or(wanted.allowed_payment_method_types.as_ref());
    let currency = match &wanted.currency {
        Some(text) => currency::parse(text, "currency")?,
        None if types.is_some_and(|types| !types.is_empty()) => String::new(),
        None => return Err(ApiError::missing_param("currency")),
    };
    Ok(Order { currency, ..Order::default() })
}

/// The setup intent of a session in setup mode.
pub(super) fn begin_setup(state: &mut State, context: &mut Context<'_>, id: &str, data: Option<SetupIntentData>) {
    let Some(session) = state.sessions.get(id).cloned() else { return };
    let data = data.unwrap_or_default();
    let intent = SetupIntent {
        session: Some(session.id),
        customer: session.customer_id,
        description: data.description,
        metadata: data.metadata,
        payment_method_types: session.payment_method_types,
        ..SetupIntent::new(context)
    };
    let intent = setup_intent::create(state, context, intent, None);
    if let Some(session) = state.sessions.get_mut(id) {
        session.setup_intent = Some(intent);
    }
}
