//! `POST /v1/checkout/sessions`: what Stripe refuses, and the session that results.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{
    Context, State, accepted, confirm, currency,
    error::ApiError,
    params::Params,
    session::{self, LineItem, PaymentIntentData, Session, SessionStatus},
    session_json, spec,
    version::{DAHLIA, ENDIVE, LATE_PAYMENT_INTENT},
};

mod defaults;

const HALF_AN_HOUR: i64 = 30 * 60;
const A_DAY: i64 = 24 * 60 * 60;
const MAX_URL_LENGTH: usize = 5_000;

#[derive(Debug, Deserialize)]
struct Wanted {
    mode: String,
    #[serde(default)]
    line_items: Vec<WantedItem>,
    success_url: Option<String>,
    cancel_url: Option<String>,
    client_reference_id: Option<String>,
    customer: Option<String>,
    customer_email: Option<String>,
    customer_creation: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    payment_intent_data: PaymentIntentData,
    expires_at: Option<i64>,
    currency: Option<String>,
    locale: Option<String>,
    submit_type: Option<String>,
    billing_address_collection: Option<String>,
    #[serde(default)]
    adaptive_pricing: Switch,
    allow_promotion_codes: Option<bool>,
    #[serde(default)]
    automatic_tax: Switch,
    #[serde(default)]
    phone_number_collection: Switch,
    #[serde(default)]
    tax_id_collection: Switch,
    #[serde(default)]
    invoice_creation: Switch,
    #[serde(default)]
    managed_payments: Switch,
    consent_collection: Option<Value>,
    name_collection: Option<Value>,
    after_expiration: Option<Value>,
    wallet_options: Option<Value>,
    ui_mode: Option<String>,
    payment_method_types: Option<Vec<String>>,
    allowed_payment_method_types: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
struct Switch {
    enabled: Option<bool>,
}

impl Switch {
    fn is_on(&self) -> bool {
        self.enabled == Some(true)
    }
}

#[derive(Debug, Deserialize)]
struct WantedItem {
    price: Option<String>,
    price_data: Option<WantedPrice>,
    quantity: Option<i64>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct WantedPrice {
    currency: String,
    product: Option<String>,
    product_data: Option<WantedProduct>,
    unit_amount: Option<i64>,
    tax_behavior: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WantedProduct {
    name: String,
    description: Option<String>,
    #[serde(default)]
    images: Vec<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    tax_code: Option<String>,
    unit_label: Option<String>,
}

/// Makes a session, or says in Stripe's words why not. Gives the new session's JSON.
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
    let currency = session_currency(&wanted)?;
    let line_items = line_items(&wanted, &currency, context)?;
    let amount_total = total(&line_items, &currency)?;
    let chosen = state.account;
    let session = build(defaults::filled_in(wanted, chosen), context, expires_at, currency, line_items, amount_total);
    let id = session.id.clone();
    state.open_until.insert((session.expires_at, id.clone()), ());
    state.sessions.insert(session);
    if context.api_version < LATE_PAYMENT_INTENT {
        confirm::intent_of(state, context, &id)?;
    }
    Ok(session_json::session(session::find(state, &id)?, context.base_url))
}

fn read(params: &Params, api_version: &str) -> Result<Wanted, ApiError> {
    let mut fields = accepted::CREATE_SESSION.to_vec();
    fields.push(if api_version >= ENDIVE {
        accepted::ALLOWED_PAYMENT_METHOD_TYPES
    } else {
        accepted::PAYMENT_METHOD_TYPES
    });
    let checked = spec::check(params, &fields)?;
    serde_json::from_value(checked).map_err(|_| ApiError::internal("session parameters"))
}

fn check_supported(wanted: &Wanted, api_version: &str) -> Result<(), ApiError> {
    if wanted.mode != "payment" {
        return Err(ApiError::unsupported(&format!("mode `{}`", wanted.mode), "mode"));
    }
    if let Some(customer) = &wanted.customer {
        return Err(ApiError::missing_reference("customer", customer, "customer"));
    }
    let switches = [
        ("automatic_tax", &wanted.automatic_tax),
        ("tax_id_collection", &wanted.tax_id_collection),
        ("invoice_creation", &wanted.invoice_creation),
        ("managed_payments", &wanted.managed_payments),
    ];
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

/// A check for mistakes, not for deliverability: one `@` with something on both sides and a dot in the domain.
pub(crate) fn check_email(email: Option<&str>, param: &str) -> Result<(), ApiError> {
    let Some(email) = email else { return Ok(()) };
    if is_email(email) {
        return Ok(());
    }
    Err(ApiError::invalid(format!("Invalid email address: {email}")).code("email_invalid").param(param))
}

pub(crate) fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, domain)| {
        !user.is_empty()
            && domain.split('.').count() > 1
            && domain.split('.').all(|label| !label.is_empty())
            && !domain.contains('@')
            && text.len() <= 512
            && text.chars().all(|c| !c.is_whitespace() && !c.is_control())
    })
}

/// When the session ends, by the sandbox's clock. A caller who does not know that this was advanced reckons by the
/// machine's: what is right by that one is as far in the future here.
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

fn session_currency(wanted: &Wanted) -> Result<String, ApiError> {
    if wanted.line_items.is_empty() {
        return Err(ApiError::missing_param("line_items"));
    }
    let mut session_currency = match &wanted.currency {
        Some(text) => Some(currency::parse(text, "currency")?),
        None => None,
    };
    for (index, item) in wanted.line_items.iter().enumerate() {
        let Some(price) = &item.price_data else { continue };
        let param = format!("line_items[{index}][price_data][currency]");
        let currency = currency::parse(&price.currency, &param)?;
        match &session_currency {
            Some(first) if *first != currency => {
                return Err(ApiError::invalid(format!(
                    "All line items must have the same currency: `{param}` is {currency}, but the Checkout Session's \
                     currency is {first}."
                ))
                .param(param));
            }
            _ => session_currency = Some(currency),
        }
    }
    session_currency.ok_or_else(|| ApiError::missing_param("line_items[0][price_data]"))
}

fn line_items(wanted: &Wanted, currency: &str, context: &mut Context<'_>) -> Result<Vec<LineItem>, ApiError> {
    wanted
        .line_items
        .iter()
        .enumerate()
        .map(|(index, item)| line_item(item, &format!("line_items[{index}]"), currency, context))
        .collect()
}

fn line_item(item: &WantedItem, at: &str, currency: &str, context: &mut Context<'_>) -> Result<LineItem, ApiError> {
    if let Some(price) = &item.price {
        return Err(ApiError::missing_reference("price", price, &format!("{at}[price]")));
    }
    let Some(price) = &item.price_data else {
        return Err(ApiError::missing_param(&format!("{at}[price_data]")));
    };
    let unit_amount = unit_amount(price, at, currency)?;
    let product = product(price, at)?;
    let quantity = item.quantity.ok_or_else(|| {
        ApiError::invalid(format!("Quantity is required. Add `quantity` to `{at}`"))
            .code("parameter_missing")
            .param(format!("{at}[quantity]"))
    })?;
    Ok(LineItem {
        id: context.ids.next("li_1", 23),
        price: context.ids.next("price_1", 23),
        product: context.ids.next("prod_", 14),
        name: product.name.clone(),
        description: product.description.clone(),
        unit_amount,
        quantity,
        // An overflow is far above the largest charge, which is refused by `total`.
        amount: unit_amount.saturating_mul(quantity),
        tax_behavior: price.tax_behavior.clone().unwrap_or_else(|| "unspecified".to_owned()),
        metadata: item.metadata.clone(),
        product_metadata: product.metadata.clone(),
        images: product.images.clone(),
        unit_label: product.unit_label.clone(),
        tax_code: product.tax_code.clone(),
    })
}

fn unit_amount(price: &WantedPrice, at: &str, currency: &str) -> Result<i64, ApiError> {
    let param = format!("{at}[price_data][unit_amount]");
    let amount = price.unit_amount.ok_or_else(|| ApiError::missing_param(&param))?;
    let step = currency::step(currency);
    if amount.rem_euclid(step) != 0 {
        return Err(ApiError::invalid(format!(
            "Invalid integer: amounts in {currency} must be evenly divisible by {step}."
        ))
        .code("parameter_invalid_integer")
        .param(param));
    }
    Ok(amount)
}

fn product<'a>(price: &'a WantedPrice, at: &str) -> Result<&'a WantedProduct, ApiError> {
    match (&price.product, &price.product_data) {
        (None, Some(product)) => Ok(product),
        (Some(id), None) => {
            let param = format!("{at}[price_data][product]");
            Err(ApiError::missing_reference("product", id, &param))
        }
        (Some(_), Some(_)) => {
            Err(ApiError::invalid("You may only specify one of these parameters: product, product_data.")
                .param(format!("{at}[price_data]")))
        }
        (None, None) => Err(ApiError::missing_param(&format!("{at}[price_data][product_data]"))),
    }
}

/// The sum, within the limits of the currency.
fn total(line_items: &[LineItem], currency: &str) -> Result<i64, ApiError> {
    let total = line_items.iter().fold(0_i64, |sum, item| sum.saturating_add(item.amount));
    let minimum = currency::minimum(currency);
    if total < minimum {
        return Err(ApiError::invalid(format!(
            "The Checkout Session's total amount due must add up to at least {} {currency}",
            currency::format(minimum, currency)
        ))
        .code("amount_too_small"));
    }
    let maximum = currency::maximum(currency);
    if total > maximum {
        return Err(ApiError::invalid(format!(
            "The Checkout Session's total amount due must be no more than {} {currency}",
            currency::format(maximum, currency)
        ))
        .code("amount_too_large"));
    }
    Ok(total)
}

fn build(
    wanted: Wanted,
    context: &mut Context<'_>,
    expires_at: i64,
    currency: String,
    line_items: Vec<LineItem>,
    amount_total: i64,
) -> Session {
    let allowed = wanted.allowed_payment_method_types;
    Session {
        id: context.ids.next("cs_test_a1", 56),
        created: context.now(),
        expires_at,
        status: SessionStatus::Open,
        paid: false,
        currency,
        amount_total,
        line_items,
        success_url: wanted.success_url.unwrap_or_default(),
        cancel_url: wanted.cancel_url,
        client_reference_id: wanted.client_reference_id,
        customer_email: wanted.customer_email,
        customer_creation: wanted.customer_creation.unwrap_or_else(|| "if_required".to_owned()),
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
        invoice_creation: wanted.invoice_creation.is_on(),
        managed_payments: wanted.managed_payments.is_on(),
        consent_collection: wanted.consent_collection.map(defaults::consent),
        name_collection: wanted.name_collection.map(defaults::names),
        after_expiration: wanted.after_expiration.map(defaults::recovery),
        wallet_options: wanted.wallet_options,
        completed_event: None,
    }
}
