//! Payment intents, charges and payment methods as Stripe's JSON.

use serde_json::{Map, Value, json};

use super::{
    State,
    card::{Decline, Risk},
    error::ApiError,
    method_json::{billing_details, checks, payment_method},
    payment::{Card, Charge, ChargeStatus, IntentStatus, PaymentIntent, PaymentMethod},
    sepa,
};

pub(crate) fn intent_by_id(state: &State, base_url: &str, id: &str) -> Option<Value> {
    state.payment_intents.get(id).map(|intent| payment_intent(state, intent, base_url))
}

pub(crate) fn charge_by_id(state: &State, id: &str) -> Option<Value> {
    state.charges.get(id).map(|found| charge(state, found))
}

pub(crate) fn payment_intent(state: &State, intent: &PaymentIntent, base_url: &str) -> Value {
    let mut members = intent_settings(intent);
    let succeeded = intent.status == IntentStatus::Succeeded;
    let uncaptured = intent.status == IntentStatus::RequiresCapture;
    let last_error = intent.last_error.map(|decline| payment_error(state, intent, decline));
    let Value::Object(rest) = json!({
        "id": intent.id,
        "object": "payment_intent",
        "amount": intent.amount,
        "amount_capturable": if uncaptured { intent.amount } else { 0 },
        "amount_details": { "tip": {} },
        "amount_received": if succeeded { intent.amount } else { 0 },
        "canceled_at": intent.canceled_at,
        "cancellation_reason": intent.cancellation_reason,
        "client_secret": intent.client_secret,
        "created": intent.created,
        "currency": intent.currency,
        "last_payment_error": last_error,
        "latest_charge": intent.latest_charge,
        "livemode": false,
        "metadata": intent.data.metadata,
        "next_action": next_action(intent, base_url),
        "payment_method": intent.payment_method.as_ref().filter(|_| keeps_method(intent)),
        "payment_method_types": intent.payment_method_types,
        "status": intent_status(intent.status),
    }) else {
        return Value::Null;
    };
    members.extend(rest);
    Value::Object(members)
}

fn next_action(intent: &PaymentIntent, base_url: &str) -> Option<Value> {
    let is_waiting = intent.status == IntentStatus::RequiresAction;
    if is_waiting && intent.awaits_transfer {
        let kind = transfer_kind(&intent.currency);
        return Some(json!({ "type": "display_bank_transfer_instructions", "display_bank_transfer_instructions": {
            "amount_remaining": intent.amount.saturating_sub(intent.amount_funded),
            "currency": intent.currency,
            "financial_addresses": [],
            "hosted_instructions_url": null,
            "reference": "SANDBOX",
            "type": kind,
        }}));
    }
    is_waiting.then(|| challenge_action(intent.session.as_deref(), base_url))
}

/// The kind of bank transfer in this currency.
pub(crate) fn transfer_kind(currency: &str) -> &'static str {
    match currency {
        "eur" => "eu_bank_transfer",
        "gbp" => "gb_bank_transfer",
        "jpy" => "jp_bank_transfer",
        _ => "us_bank_transfer",
    }
}

/// Where the customer authenticates. Without a session there is no hosted page; Stripe.js would show the challenge.
pub(crate) fn challenge_action(session: Option<&str>, base_url: &str) -> Value {
    let Some(session) = session else {
        return json!({ "type": "use_stripe_sdk", "use_stripe_sdk": { "type": "three_d_secure_redirect" } });
    };
    let page = format!("{base_url}/c/pay/{session}");
    json!({
        "type": "redirect_to_url",
        "redirect_to_url": { "return_url": page, "url": format!("{page}/challenge") },
    })
}

/// Whether the payment method stays: Stripe removes it from an intent whose payment failed.
fn keeps_method(intent: &PaymentIntent) -> bool {
    intent.status != IntentStatus::RequiresPaymentMethod
}

fn intent_settings(intent: &PaymentIntent) -> Map<String, Value> {
    let automatic = intent
        .automatic_payment_methods
        .as_ref()
        .map(|redirects| json!({ "enabled": true, "allow_redirects": redirects }));
    let value = json!({
        "allowed_payment_method_types": intent.allowed_payment_method_types,
        "application": null,
        "application_fee_amount": null,
        "automatic_payment_methods": automatic,
        "capture_method": intent.data.capture_method.as_deref().unwrap_or("automatic_async"),
        "confirmation_method": "automatic",
        "customer": intent.customer,
        "customer_account": null,
        "description": intent.data.description,
        "excluded_payment_method_types": null,
        "managed_payments": { "enabled": false },
        "on_behalf_of": null,
        "payment_method_configuration_details": null,
        "payment_method_options": {
            "card": {
                "installments": null, "mandate_options": null, "network": null,
                "request_three_d_secure": "automatic",
            },
        },
        "payment_record": null,
        "processing": null,
        "receipt_email": intent.data.receipt_email,
        "review": null,
        "setup_future_usage": intent.data.setup_future_usage,
        "shipping": intent.data.shipping,
        "source": null,
        "statement_descriptor": intent.data.statement_descriptor,
        "statement_descriptor_suffix": intent.data.statement_descriptor_suffix,
        "transfer_data": null,
        "transfer_group": intent.data.transfer_group,
    });
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

pub(crate) fn intent_status(status: IntentStatus) -> &'static str {
    match status {
        IntentStatus::RequiresPaymentMethod => "requires_payment_method",
        IntentStatus::RequiresConfirmation => "requires_confirmation",
        IntentStatus::RequiresAction => "requires_action",
        IntentStatus::RequiresCapture => "requires_capture",
        IntentStatus::Processing => "processing",
        IntentStatus::Succeeded => "succeeded",
        IntentStatus::Canceled => "canceled",
    }
}

/// The error of a decline, with its payment method.
fn payment_error(state: &State, intent: &PaymentIntent, decline: Decline) -> Value {
    let mut error = error_members(decline, method_of(state, intent).map(payment_method));
    if let (Some(charge), Some(members)) = (&intent.latest_charge, error.as_object_mut())
        && decline != Decline::AuthenticationFailed
    {
        members.insert("charge".to_owned(), json!(charge));
    }
    error
}

/// The members of a decline's error in an intent.
pub(crate) fn error_members(decline: Decline, method: Option<Value>) -> Value {
    let code = decline.code();
    let page = code.replace('_', "-");
    let mut members = codes(decline);
    let all = json!({
        "type": error_kind(decline),
        "code": code,
        "message": decline.message(),
        "doc_url": format!("https://stripe.com/docs/error-codes/{page}"),
    });
    members.extend(all.as_object().cloned().into_iter().flatten());
    members.extend(method.map(|method| ("payment_method".to_owned(), method)));
    Value::Object(members)
}

/// What the bank said: its codes, where it has any.
fn codes(decline: Decline) -> Map<String, Value> {
    let codes = [("decline_code", decline.decline_code()), ("advice_code", decline.advice_code())];
    codes.into_iter().filter_map(|(name, code)| Some((name.to_owned(), json!(code?)))).collect()
}

/// The 402 for a decline, or 400 for a failed authentication. Without the objects that it concerns.
pub(crate) fn decline_error(decline: Decline) -> ApiError {
    let kind = error_kind(decline);
    let status = if kind == "card_error" { 402 } else { 400 };
    let mut error = ApiError::new(status, kind, decline.message()).code(decline.code()).executed();
    error.details.extend(codes(decline));
    error
}

fn error_kind(decline: Decline) -> &'static str {
    match decline {
        Decline::AuthenticationFailed | Decline::SetupAuthenticationFailed | Decline::DebitReturned => {
            "invalid_request_error"
        }
        _ => "card_error",
    }
}

fn method_of<'a>(state: &'a State, intent: &PaymentIntent) -> Option<&'a PaymentMethod> {
    state.payment_methods.get(intent.payment_method.as_deref()?)
}

/// The 402 for a declined confirmation, or 400 for a failed authentication.
pub(crate) fn card_error(state: &State, intent_id: &str, decline: Decline) -> ApiError {
    let mut error = decline_error(decline);
    if let Some(intent) = state.payment_intents.get(intent_id) {
        // The next action is already gone, so no link is needed.
        error = error.detail("payment_intent", payment_intent(state, intent, ""));
        if let Some(method) = method_of(state, intent) {
            error = error.detail("payment_method", payment_method(method));
        }
    }
    error
}

pub(crate) fn charge(state: &State, charge: &Charge) -> Value {
    let method = state.payment_methods.get(&charge.payment_method);
    let mut members = charge_settings(charge);
    let succeeded = charge.status == ChargeStatus::Succeeded;
    let Value::Object(rest) = json!({
        "id": charge.id,
        "object": "charge",
        "amount": charge.amount,
        "amount_captured": if charge.is_paid() { charge.amount } else { 0 },
        "amount_refunded": charge.amount_refunded,
        "balance_transaction": charge.balance_transaction,
        "billing_details": billing_details(method),
        "captured": charge.is_paid(),
        "created": charge.created,
        "currency": charge.currency,
        "failure_code": charge.failure.map(Decline::code),
        "failure_message": charge.failure.map(Decline::message),
        "livemode": false,
        "metadata": charge.metadata,
        "outcome": outcome(charge, method.and_then(|method| method.card.as_ref())),
        "paid": succeeded,
        "payment_intent": charge.payment_intent,
        "payment_method": charge.payment_method,
        "payment_method_details": method.map(|method| method_details(charge, method)),
        "status": match charge.status {
            ChargeStatus::Pending => "pending",
            ChargeStatus::Succeeded => "succeeded",
            ChargeStatus::Failed => "failed",
        },
    }) else {
        return Value::Null;
    };
    members.extend(rest);
    Value::Object(members)
}

fn charge_settings(charge: &Charge) -> Map<String, Value> {
    let value = json!({
        "application": null,
        "application_fee": null,
        "application_fee_amount": null,
        "calculated_statement_descriptor": "STRIPE SANDBOX",
        "customer": charge.customer,
        "description": charge.description,
        "disputed": charge.disputed,
        "failure_balance_transaction": null,
        "fraud_details": {},
        "on_behalf_of": null,
        "receipt_email": charge.receipt_email,
        "receipt_number": null,
        "receipt_url": charge.receipt_url.as_deref().filter(|_| charge.is_paid()),
        "refunded": charge.amount_refunded >= charge.amount,
        "review": null,
        "shipping": null,
        "source": null,
        "source_transfer": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "transfer_data": null,
        "transfer_group": null,
    });
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn outcome(charge: &Charge, card: Option<&Card>) -> Value {
    let blocked = charge.failure == Some(Decline::Blocked);
    let (kind, network_status, seller_message) = match charge.failure {
        None => ("authorized", "approved_by_network", "Payment complete."),
        Some(Decline::Blocked) => ("blocked", "not_sent_to_network", "Stripe blocked this payment as too risky."),
        Some(_) => ("issuer_declined", "declined_by_network", "The bank returned a decline."),
    };
    let reason = match charge.failure {
        Some(Decline::Blocked) => Some("highest_risk_level"),
        Some(decline) => Some(decline.decline_code().unwrap_or_else(|| decline.code())),
        None => None,
    };
    let (risk_level, risk_score) = match card.map(|card| card.risk) {
        _ if blocked => ("highest", 92),
        Some(Risk::Highest) => ("highest", 85),
        Some(Risk::Elevated) => ("elevated", 65),
        Some(Risk::Normal) => ("normal", 12),
        None => ("not_assessed", 0),
    };
    json!({
        "advice_code": charge.failure.and_then(Decline::advice_code),
        "network_advice_code": null,
        "network_decline_code": null,
        "network_status": network_status,
        "reason": reason,
        "risk_level": risk_level,
        "risk_score": risk_score,
        "seller_message": seller_message,
        "type": kind,
    })
}

fn method_details(charge: &Charge, method: &PaymentMethod) -> Value {
    if let Some(debit) = &method.sepa_debit {
        return sepa::charge_details(debit);
    }
    if method.bank_transfer {
        return json!({ "type": "customer_balance", "customer_balance": {} });
    }
    let Some(card) = &method.card else {
        return json!({ "type": "us_bank_account", "us_bank_account": {
            "account_holder_type": "individual", "account_type": "checking", "bank_name": "STRIPE TEST BANK",
            "fingerprint": null, "last4": "6789", "payment_reference": null, "routing_number": "110000000",
        }});
    };
    let three_d_secure = charge.authenticated.then(|| {
        json!({
            "authentication_flow": "challenge", "electronic_commerce_indicator": "05",
            "exemption_indicator": null, "result": "authenticated", "result_reason": null,
            "transaction_id": null, "version": "2.2.0",
        })
    });
    json!({ "type": "card", "card": {
        "amount_authorized": (charge.status == ChargeStatus::Succeeded).then_some(charge.amount),
        "authorization_code": null,
        "brand": card.brand,
        "checks": checks(card),
        "country": card.country,
        "electronic_commerce_indicator": null,
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "extended_authorization": { "status": "disabled" },
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "incremental_authorization": { "status": "unavailable" },
        "installments": null,
        "last4": card.last4,
        "mandate": null,
        "multicapture": { "status": "unavailable" },
        "network": card.brand,
        "network_token": { "used": false },
        "network_transaction_id": null,
        "overcapture": { "maximum_amount_capturable": charge.amount, "status": "unavailable" },
        "regulated_status": "unregulated",
        "three_d_secure": three_d_secure,
        "transaction_link_id": null,
        "wallet": null,
    }})
}
