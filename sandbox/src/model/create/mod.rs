//! `POST /v1/checkout/sessions`: Stripe's checks, and the new session.

use serde_json::Value;
use url::Url;

use self::{
    line_items::{line_items, session_currency, total},
    wanted::{Wanted, read},
};
use super::{
    Context, State,
    email::check_email,
    error::ApiError,
    params::Params,
    session::{self, LineItem, Mode, Session, SessionStatus},
    session_confirm, session_json,
    version::{DAHLIA, LATE_PAYMENT_INTENT},
};

mod defaults;
mod line_items;
mod modes;
mod recurring;
mod wanted;

const HALF_AN_HOUR: i64 = 30 * 60;
const A_DAY: i64 = 24 * 60 * 60;
const MAX_URL_LENGTH: usize = 5_000;

/// Creates a session, or returns Stripe's error. Returns the session's JSON.
pub(crate) fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<Value, ApiError> {
    let wanted = read(params, context.api_version)?;
    check_supported(&wanted, context.api_version)?;
    let success_url = wanted.success_url.as_deref().ok_or_else(|| ApiError::missing_param("success_url"))?;
    check_url(success_url, "success_url")?;
    if let Some(cancel_url) = &wanted.cancel_url {
        check_url(cancel_url, "cancel_url")?;
    }
    check_email(wanted.customer_email.as_deref(), "customer_email")?;
    let receipt_email = wanted.payment_intent_data.receipt_email.as_deref();
    check_email(receipt_email, "payment_intent_data[receipt_email]")?;
    let machine_now = context.now_ms.saturating_sub(state.clock_offset_ms).div_euclid(1_000);
    let expires_at = expiry(wanted.expires_at, context.now(), machine_now)?;
    let mode = modes::mode_of(&wanted)?;
    let customer = modes::customer_of(state, &wanted)?;
    let order = match mode {
        Mode::Setup => modes::empty_order(&wanted)?,
        Mode::Payment => order(state, context, &wanted)?,
        Mode::Subscription => recurring::order(state, context, &wanted)?,
    };
    let chosen = state.account;
    let setup = wanted.setup_intent_data.clone();
    let session = build(defaults::filled_in(wanted, chosen), context, expires_at, order);
    let session = modes::with_customer(Session { mode, ..session }, customer);
    let session = recurring::with_future_usage(session);
    let id = session.id.clone();
    state.open_until.insert((session.expires_at, id.clone()), ());
    state.sessions.insert(session);
    match mode {
        Mode::Setup => modes::begin_setup(state, context, &id, setup),
        Mode::Payment if context.api_version < LATE_PAYMENT_INTENT => {
            session_confirm::intent_of(state, context, &id)?;
        }
        Mode::Subscription if state.sessions.get(&id).is_some_and(|session| session.amount_total == 0) => {
            modes::begin_setup(state, context, &id, None);
        }
        Mode::Payment | Mode::Subscription => {}
    }
    Ok(session_json::session(session::find(state, &id)?, context.base_url))
}

/// What is sold, in which currency, and for how much.
#[derive(Debug, Default)]
struct Order {
    currency: String,
    line_items: Vec<LineItem>,
    amount_total: i64,
}

fn order(state: &State, context: &mut Context<'_>, wanted: &Wanted) -> Result<Order, ApiError> {
    let currency = session_currency(state, wanted)?;
    let line_items = line_items(state, wanted, &currency, context)?;
    recurring::check_none(&line_items)?;
    let amount_total = total(&line_items, &currency, false)?;
    Ok(Order { currency, line_items, amount_total })
}

fn check_supported(wanted: &Wanted, api_version: &str) -> Result<(), ApiError> {
    let switches = [("managed_payments", &wanted.managed_payments)];
    for (name, switch) in switches {
        if switch.is_on() {
            let param = format!("{name}[enabled]");
            return Err(ApiError::unsupported(&format!("`{param}=true`"), &param));
        }
    }
    if wanted.payment_intent_data.capture_method.as_deref() == Some("manual") {
        let param = "payment_intent_data[capture_method]";
        return Err(ApiError::unsupported("manual capture", param));
    }
    check_ui_mode(wanted.ui_mode.as_deref(), api_version)
}

fn check_ui_mode(ui_mode: Option<&str>, api_version: &str) -> Result<(), ApiError> {
    let (hosted, others): (&str, &[&str]) = if api_version >= DAHLIA {
        ("hosted_page", &["elements", "embedded_page", "form"])
    } else {
        ("hosted", &["custom", "embedded"])
    };
    match ui_mode {
        None => Ok(()),
        Some(mode) if mode == hosted => Ok(()),
        Some(mode) if others.contains(&mode) => Err(ApiError::unsupported(&format!("ui_mode `{mode}`"), "ui_mode")),
        Some(_) => {
            let message = format!("Invalid ui_mode: must be one of {}, or {hosted}", others.join(", "));
            Err(ApiError::invalid(message).param("ui_mode"))
        }
    }
}

fn check_url(url: &str, param: &str) -> Result<(), ApiError> {
    let refuse = |message: &str| Err(ApiError::invalid(message).code("url_invalid").param(param));
    if url.chars().count() > MAX_URL_LENGTH {
        let message = "Invalid URL: URL must be 5000 characters or less.";
        return Err(ApiError::invalid(message).param(param));
    }
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refuse("Not a valid URL");
    }
    match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => Ok(()),
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            refuse("Invalid URL: An explicit scheme (such as https) must be provided.")
        }
        _ => refuse("Not a valid URL"),
    }
}

/// When the session expires, by the sandbox's clock. A caller that does not know that this clock was advanced counts
/// from the machine's clock. A time that is valid by the machine's clock is moved by the same offset.
fn expiry(wanted: Option<i64>, now: i64, machine_now: i64) -> Result<i64, ApiError> {
    let by_sandbox = expiry_at(wanted, now);
    match by_sandbox {
        Err(_) if machine_now != now => {
            let ahead = now.saturating_sub(machine_now);
            expiry_at(wanted, machine_now).map(|at| at.saturating_add(ahead)).or(by_sandbox)
        }
        by_sandbox => by_sandbox,
    }
}

fn expiry_at(wanted: Option<i64>, now: i64) -> Result<i64, ApiError> {
    let refuse = |message: &str| Err(ApiError::invalid(message).param("expires_at"));
    match wanted {
        None => Ok(now.saturating_add(A_DAY)),
        Some(at) if at < now.saturating_add(HALF_AN_HOUR) => {
            refuse("The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.")
        }
        Some(at) if at > now.saturating_add(A_DAY) => {
            refuse("The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.")
        }
        Some(at) => Ok(at),
    }
}

fn build(wanted: Wanted, context: &mut Context<'_>, expires_at: i64, order: Order) -> Session {
    let allowed = wanted.allowed_payment_method_types;
    Session {
        id: context.ids.next("cs_test_a1", 56),
        created: context.now(),
        expires_at,
        status: SessionStatus::Open,
        paid: false,
        mode: Mode::Payment,
        currency: order.currency,
        amount_total: order.amount_total,
        line_items: order.line_items,
        success_url: wanted.success_url.unwrap_or_default(),
        cancel_url: wanted.cancel_url,
        client_reference_id: wanted.client_reference_id,
        customer_email: wanted.customer_email,
        customer_creation: match wanted.customer_creation {
            // A subscription and an invoice need a customer.
            _ if wanted.mode == "subscription" || wanted.invoice_creation.enabled == Some(true) => "always".to_owned(),
            Some(given) => given,
            None => "if_required".to_owned(),
        },
        customer: None,
        metadata: wanted.metadata,
        payment_intent_data: wanted.payment_intent_data,
        payment_intent: None,
        payment_method_types: wanted
            .payment_method_types
            .or_else(|| allowed.clone())
            .filter(|types| !types.is_empty())
            .unwrap_or_else(|| vec!["card".to_owned()]),
        allowed_payment_method_types: allowed,
        adaptive_pricing: wanted.adaptive_pricing.is_on(),
        allow_promotion_codes: wanted.allow_promotion_codes,
        locale: wanted.locale,
        submit_type: wanted.submit_type,
        billing_address_collection: wanted.billing_address_collection,
        phone_number_collection: wanted.phone_number_collection.is_on(),
        automatic_tax: wanted.automatic_tax.is_on(),
        tax: 0,
        tax_id_collection: wanted.tax_id_collection.is_on(),
        invoice_creation: wanted.invoice_creation.enabled == Some(true),
        invoice_data: wanted.invoice_creation.invoice_data,
        plan: wanted.subscription_data.unwrap_or_default(),
        payment_method_collection: wanted.payment_method_collection,
        subscription: None,
        invoice: None,
        tax_id: None,
        tax_inclusive: 0,
        managed_payments: wanted.managed_payments.is_on(),
        consent_collection: wanted.consent_collection.map(defaults::consent),
        name_collection: wanted.name_collection.map(defaults::names),
        after_expiration: wanted.after_expiration.map(defaults::recovery),
        wallet_options: wanted.wallet_options,
        customer_id: None,
        customer_was_given: false,
        customer_update: wanted.customer_update,
        saved_payment_method_options: wanted.saved_payment_method_options,
        setup_intent: None,
        custom_text: wanted.custom_text,
        completed_event: None,
    }
}
