//! Setup intents: a payment method is saved for later without a payment, through the API or on a page in setup mode.
//!
//! Invariants: a setup intent that succeeded has a payment method, which is attached if it has a customer. The setup
//! intent of a session is not changed through the API: Checkout owns it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Context, State,
    card::{Decline, Outcome},
    error::ApiError,
    methods,
    methods::Usage,
    payment::PaymentMethod,
    payment_json,
    table::Row,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SetupStatus {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Succeeded,
    Canceled,
}

impl SetupStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

/// One setup, across all its attempts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SetupIntent {
    pub(crate) id: String,
    pub(crate) created: i64,
    /// The session it belongs to; `None` if the API created it.
    pub(crate) session: Option<String>,
    pub(crate) status: SetupStatus,
    pub(crate) client_secret: String,
    pub(crate) customer: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// `off_session` or `on_session`.
    pub(crate) usage: String,
    pub(crate) payment_method: Option<String>,
    pub(crate) payment_method_types: Vec<String>,
    pub(crate) allowed_payment_method_types: Option<Vec<String>>,
    /// `allow_redirects`, if the payment methods are chosen automatically.
    pub(crate) automatic_payment_methods: Option<String>,
    pub(crate) last_error: Option<Decline>,
    pub(crate) latest_attempt: Option<String>,
    pub(crate) mandate: Option<String>,
    pub(crate) cancellation_reason: Option<String>,
}

impl Row for SetupIntent {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

impl SetupIntent {
    /// A new one without a payment method.
    pub(crate) fn new(context: &mut Context<'_>) -> Self {
        let id = context.ids.next("seti_1", 23);
        Self {
            created: context.now(),
            session: None,
            status: SetupStatus::RequiresPaymentMethod,
            client_secret: format!("{id}_secret_{}", context.ids.next("", 25)),
            id,
            customer: None,
            description: None,
            metadata: BTreeMap::new(),
            usage: "off_session".to_owned(),
            payment_method: None,
            payment_method_types: vec!["card".to_owned()],
            allowed_payment_method_types: None,
            automatic_payment_methods: None,
            last_error: None,
            latest_attempt: None,
            mandate: None,
            cancellation_reason: None,
        }
    }
}

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a SetupIntent, ApiError> {
    state.setup_intents.get(id).ok_or_else(|| ApiError::not_found("setupintent", id, "intent"))
}

/// Creates a setup intent. If it has a payment method, it only waits for confirmation.
pub(crate) fn create(
    state: &mut State,
    context: &mut Context<'_>,
    mut intent: SetupIntent,
    method: Option<PaymentMethod>,
) -> String {
    let id = intent.id.clone();
    if let Some(method) = method {
        intent.status = SetupStatus::RequiresConfirmation;
        intent.payment_method = Some(method.id.clone());
        state.payment_methods.insert(method);
    }
    state.setup_intents.insert(intent);
    emit(state, context, "setup_intent.created", &id);
    id
}

/// Confirms with the given payment method, or with the one already on the intent.
pub(crate) fn confirm(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    method: Option<PaymentMethod>,
) -> Result<(), ApiError> {
    let intent = of_the_api(state, id, "confirm")?;
    if matches!(intent.status, SetupStatus::Succeeded | SetupStatus::Canceled) {
        return Err(unexpected(&format!(
            "You cannot confirm this SetupIntent because it has a status of {}. Only a SetupIntent with one of the \
             following statuses may be confirmed: requires_payment_method, requires_confirmation, requires_action.",
            intent.status.as_str()
        )));
    }
    let customer = intent.customer.clone();
    let usable = intent.payment_method.as_deref().filter(|_| intent.status != SetupStatus::RequiresPaymentMethod);
    let method = method.or_else(|| usable.and_then(|id| state.payment_methods.get(id)).cloned());
    let Some(method) = method else {
        return Err(unexpected(
            "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a \
             payment method and then confirm it again, or confirm it again directly with a payment method.",
        ));
    };
    methods::check_usable(&method, customer.as_deref())?;
    attempt(state, context, id, method).map(|_| ())
}

/// Asks the bank. Returns whether the customer is done; if not, a challenge waits. A decline is an error.
pub(crate) fn attempt(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    method: PaymentMethod,
) -> Result<bool, ApiError> {
    let (outcome, method_id) = (method.setup_outcome(), method.id.clone());
    state.payment_methods.insert(method);
    let attempt_id = context.ids.next("setatt_1", 23);
    change(state, id, |intent| {
        intent.payment_method = Some(method_id);
        intent.latest_attempt = Some(attempt_id);
    });
    match outcome {
        Outcome::Declined(decline) => Err(fail(state, context, id, decline)),
        Outcome::Challenge(_) => {
            change(state, id, |intent| {
                intent.status = SetupStatus::RequiresAction;
                intent.last_error = None;
            });
            emit(state, context, "setup_intent.requires_action", id);
            Ok(false)
        }
        Outcome::Succeeds | Outcome::Delayed => {
            succeed(state, context, id);
            Ok(true)
        }
    }
}

/// The customer passes or fails 3-D Secure.
pub(crate) fn answer_challenge(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    passed: bool,
) -> Result<(), ApiError> {
    if find(state, id)?.status != SetupStatus::RequiresAction {
        return Err(unexpected("This setup is not waiting for authentication."));
    }
    if passed {
        succeed(state, context, id);
        return Ok(());
    }
    Err(fail(state, context, id, Decline::SetupAuthenticationFailed))
}

fn succeed(state: &mut State, context: &mut Context<'_>, id: &str) {
    let Some(intent) = state.setup_intents.get(id).cloned() else { return };
    let method = intent.payment_method.unwrap_or_default();
    let for_later = Some(intent.usage.as_str());
    methods::after_use(state, context, &method, &Usage { customer: intent.customer.as_deref(), for_later });
    let mandate = state.payment_methods.get(&method).and_then(|method| method.sepa_debit.as_ref());
    let mandate = mandate.map(|debit| debit.mandate.clone());
    change(state, id, |intent| {
        intent.status = SetupStatus::Succeeded;
        intent.last_error = None;
        intent.mandate = mandate;
    });
    emit(state, context, "setup_intent.succeeded", id);
}

fn fail(state: &mut State, context: &mut Context<'_>, id: &str, decline: Decline) -> ApiError {
    change(state, id, |intent| {
        intent.status = SetupStatus::RequiresPaymentMethod;
        intent.last_error = Some(decline);
    });
    emit(state, context, "setup_intent.setup_failed", id);
    let mut error = payment_json::decline_error(decline);
    if let Some(intent) = state.setup_intents.get(id) {
        error = error.detail("setup_intent", to_json(state, intent, context.base_url));
        if let Some(method) = intent.payment_method.as_deref().and_then(|id| methods::by_id(state, id)) {
            error = error.detail("payment_method", method);
        }
    }
    error
}

/// Cancels a setup intent that is not finished.
pub(crate) fn cancel(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    reason: Option<&str>,
) -> Result<(), ApiError> {
    let intent = of_the_api(state, id, "cancel")?;
    if matches!(intent.status, SetupStatus::Succeeded | SetupStatus::Canceled) {
        return Err(unexpected(&format!(
            "You cannot cancel this SetupIntent because it has a status of {}. Only a SetupIntent with one of the \
             following statuses may be canceled: requires_payment_method, requires_confirmation, requires_action.",
            intent.status.as_str()
        )));
    }
    give_up(state, context, id, reason);
    Ok(())
}

/// Cancels it, whoever owns it.
pub(crate) fn give_up(state: &mut State, context: &mut Context<'_>, id: &str, reason: Option<&str>) {
    change(state, id, |intent| {
        intent.status = SetupStatus::Canceled;
        intent.cancellation_reason = reason.map(str::to_owned);
    });
    emit(state, context, "setup_intent.canceled", id);
}

/// A setup intent that the API may change.
fn of_the_api<'a>(state: &'a State, id: &str, verb: &str) -> Result<&'a SetupIntent, ApiError> {
    let intent = find(state, id)?;
    if intent.session.is_none() {
        return Ok(intent);
    }
    Err(unexpected(&format!(
        "You cannot {verb} this SetupIntent because it was created by a Checkout Session. Complete or expire the \
         Checkout Session instead."
    )))
}

fn unexpected(message: &str) -> ApiError {
    ApiError::invalid(message).code("setup_intent_unexpected_state").executed()
}

pub(crate) fn change(state: &mut State, id: &str, change: impl FnOnce(&mut SetupIntent)) {
    if let Some(intent) = state.setup_intents.get_mut(id) {
        change(intent);
    }
}

fn emit(state: &mut State, context: &mut Context<'_>, kind: &str, id: &str) {
    if let Some(rendered) = by_id(state, context.base_url, id) {
        state.emit(context, kind, rendered);
    }
}

pub(crate) fn by_id(state: &State, base_url: &str, id: &str) -> Option<Value> {
    state.setup_intents.get(id).map(|intent| to_json(state, intent, base_url))
}

pub(crate) fn to_json(state: &State, intent: &SetupIntent, base_url: &str) -> Value {
    let automatic = intent
        .automatic_payment_methods
        .as_ref()
        .map(|redirects| json!({ "enabled": true, "allow_redirects": redirects }));
    let method = intent.payment_method.as_ref();
    let last_error = intent.last_error.map(|decline| {
        let method = method.and_then(|id| methods::by_id(state, id));
        payment_json::error_members(decline, method)
    });
    let is_waiting = intent.status == SetupStatus::RequiresAction;
    json!({
        "id": intent.id,
        "object": "setup_intent",
        "allowed_payment_method_types": intent.allowed_payment_method_types,
        "application": null,
        "automatic_payment_methods": automatic,
        "cancellation_reason": intent.cancellation_reason,
        "client_secret": intent.client_secret,
        "created": intent.created,
        "customer": intent.customer,
        "customer_account": null,
        "description": intent.description,
        "excluded_payment_method_types": null,
        "flow_directions": null,
        "last_setup_error": last_error,
        "latest_attempt": intent.latest_attempt,
        "livemode": false,
        "mandate": intent.mandate,
        "metadata": intent.metadata,
        "next_action": is_waiting.then(|| payment_json::challenge_action(intent.session.as_deref(), base_url)),
        "on_behalf_of": null,
        "payment_method": method.filter(|_| intent.status != SetupStatus::RequiresPaymentMethod),
        "payment_method_configuration_details": null,
        "payment_method_options": {
            "card": { "mandate_options": null, "network": null, "request_three_d_secure": "automatic" },
        },
        "payment_method_types": intent.payment_method_types,
        "single_use_mandate": null,
        "status": intent.status.as_str(),
        "usage": intent.usage,
    })
}
