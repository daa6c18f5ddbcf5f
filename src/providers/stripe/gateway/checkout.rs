//! Checkout sessions: the request that opens one, and the report of one.

use std::collections::HashMap;
use std::str::FromStr;

use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAllowedPaymentMethodTypes, CreateCheckoutSessionCustomerCreation,
    CreateCheckoutSessionCustomerUpdate, CreateCheckoutSessionCustomerUpdateAddress,
    CreateCheckoutSessionCustomerUpdateName, CreateCheckoutSessionInvoiceCreation, CreateCheckoutSessionLineItems,
    CreateCheckoutSessionLineItemsPriceData, CreateCheckoutSessionPaymentIntentData,
    CreateCheckoutSessionPaymentIntentDataSetupFutureUsage, CreateCheckoutSessionSavedPaymentMethodOptions,
    CreateCheckoutSessionSavedPaymentMethodOptionsPaymentMethodSave, ProductData,
};
use stripe_shared::CheckoutSessionMode;

use crate::domain::checkout::{PURPOSE, PurchaseProgress, PurchaseReport};
use crate::domain::credit_unit::{CreditUnit, DisplayDecimals};
use crate::domain::ids::SessionId;
use crate::providers::port::{CheckoutRequest, OpenedCheckout, ProviderError};
use crate::providers::stripe::gateway::account_defaults;
use crate::providers::stripe::gateway::failure::not_understood;
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::{Occasion, SIGNATURE, Session, TERMS, seal_in};

pub(super) fn metadata(request: &CheckoutRequest) -> HashMap<String, String> {
    let seal = [(TERMS, &request.terms), (SIGNATURE, &request.signature)];
    let seal = seal.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)));
    let mut metadata = HashMap::from([
        ("accountId".to_owned(), request.account_id.clone()),
        ("credits".to_owned(), request.credits.to_string()),
        ("purpose".to_owned(), PURPOSE.to_owned()),
        ("topupId".to_owned(), request.topup_id.clone()),
    ]);
    let terms = [("bonusCredits", request.bonus_credits), ("creditsExpireDays", request.credits_expire_days)];
    metadata.extend(terms.into_iter().filter_map(|(key, number)| Some((key.to_owned(), number?.to_string()))));
    metadata.extend(seal);
    metadata
}

fn line(
    request: &CheckoutRequest,
    product: ProductData,
    unit_amount: i64,
    quantity: u64,
) -> CreateCheckoutSessionLineItems {
    let currency = stripe_types::Currency::from_str(&request.currency).unwrap_or_else(|never| match never {});
    let mut price = CreateCheckoutSessionLineItemsPriceData::new(currency);
    price.unit_amount = Some(unit_amount);
    price.tax_behavior = request.tax.as_ref().and_then(|tax| tax.behavior.parse().ok());
    price.product_data = Some(taxed(product, request));
    let mut line = CreateCheckoutSessionLineItems::new();
    line.price_data = Some(price);
    line.quantity = Some(quantity);
    line
}

/// The fee line is taxed like the credits, because it is charged for selling them.
fn taxed(mut product: ProductData, request: &CheckoutRequest) -> ProductData {
    product.tax_code = request.tax.as_ref().and_then(|tax| tax.code.clone());
    product
}

/// The line for the credits. A quantity is a whole number of things with a whole price, which suits only a unit of one
/// credit without decimals. In any other case the number of credits is in the line's name.
fn credits_line(request: &CheckoutRequest) -> Option<CreateCheckoutSessionLineItems> {
    let unit = CreditUnit::new(request.credit_unit_credits, request.credit_unit_amount_minor)?;
    let decimals = DisplayDecimals::new(request.credit_display_decimals)?;
    if unit.credits() == 1 && decimals == DisplayDecimals::default() {
        let quantity = u64::try_from(request.credits).ok()?;
        return Some(line(request, credits_product(request, "Credits", decimals), unit.amount_minor(), quantity));
    }
    let name = format!("{} credits", decimals.format(request.credits));
    Some(line(request, credits_product(request, &name, decimals), unit.price_minor(request.credits)?, 1))
}

/// The name of the credits, with their bonus and for how long they are good. The time of the payment is not known yet,
/// so a number of days is said and no date.
fn credits_product(request: &CheckoutRequest, name: &str, decimals: DisplayDecimals) -> ProductData {
    let bonus = request.bonus_credits.map(|bonus| format!("Includes a bonus of {} credits.", decimals.format(bonus)));
    let expiry = request.credits_expire_days.map(|days| match days {
        1 => "Good for 1 day after the payment.".to_owned(),
        days => format!("Good for {days} days after the payment."),
    });
    let sentences: Vec<String> = bonus.into_iter().chain(expiry).collect();
    let mut product = ProductData::new(name);
    product.description = (!sentences.is_empty()).then(|| sentences.join(" "));
    product
}

/// What was bought and for whom, as it is read in Stripe's dashboard and on its receipts.
pub(super) fn payment_description(request: &CheckoutRequest) -> Option<String> {
    let decimals = DisplayDecimals::new(request.credit_display_decimals)?;
    let bonus = request.bonus_credits.map(|bonus| format!(" and {} bonus credits", decimals.format(bonus)));
    let (credits, bonus) = (decimals.format(request.credits), bonus.unwrap_or_default());
    Some(format!("{credits} credits{bonus} for {} ({})", request.account_id, request.topup_id))
}

/// Builds the request; equal for equal stored requests. `None` if a stored number cannot be sent.
pub(super) fn create_session(request: &CheckoutRequest) -> Option<CreateCheckoutSession> {
    let mut lines = vec![credits_line(request)?];
    if request.fee_amount_minor > 0 {
        lines.push(line(request, ProductData::new(request.fee_label.as_str()), request.fee_amount_minor, 1));
    }
    // Stripe does not copy a session's metadata to its payment.
    let mut payment_intent_data = CreateCheckoutSessionPaymentIntentData::new();
    payment_intent_data.metadata = Some(metadata(request));
    payment_intent_data.description = Some(payment_description(request)?);
    if request.saves_card {
        payment_intent_data.setup_future_usage =
            Some(CreateCheckoutSessionPaymentIntentDataSetupFutureUsage::OffSession);
    }
    let mut session = CreateCheckoutSession::new()
        .mode(CheckoutSessionMode::Payment)
        .line_items(lines)
        .client_reference_id(request.account_id.as_str())
        .metadata(metadata(request))
        .payment_intent_data(payment_intent_data)
        .success_url(request.success_url.as_str())
        .expires_at(request.expires_at_seconds);
    session =
        account_defaults::refuse(session, &request.payment_methods, request.customer.is_some(), request.tax.as_ref());
    if let Some(cancel_url) = &request.cancel_url {
        session = session.cancel_url(cancel_url.as_str());
    }
    if let Some(customer) = &request.customer {
        session = session.customer(customer.as_str()).customer_update(customer_update());
        if request.saves_card {
            // A saved card is offered again only if the customer ticks this box (Stripe, "Save during payment").
            let mut options = CreateCheckoutSessionSavedPaymentMethodOptions::new();
            options.payment_method_save =
                Some(CreateCheckoutSessionSavedPaymentMethodOptionsPaymentMethodSave::Enabled);
            session = session.saved_payment_method_options(options);
        }
    }
    if request.makes_invoice {
        session = session.invoice_creation(CreateCheckoutSessionInvoiceCreation::new(true));
        if request.customer.is_none() {
            // An invoice is somebody's.
            session = session.customer_creation(CreateCheckoutSessionCustomerCreation::Always);
        }
    }
    if !request.payment_methods.is_empty() {
        let methods: Vec<CreateCheckoutSessionAllowedPaymentMethodTypes> =
            request.payment_methods.iter().filter_map(|method| method.parse().ok()).collect();
        session = session.allowed_payment_method_types(methods);
    }
    Some(session)
}

/// What the customer types on the page is kept with the customer, which taxes need.
pub(super) fn customer_update() -> CreateCheckoutSessionCustomerUpdate {
    let mut update = CreateCheckoutSessionCustomerUpdate::new();
    update.address = Some(CreateCheckoutSessionCustomerUpdateAddress::Auto);
    update.name = Some(CreateCheckoutSessionCustomerUpdateName::Auto);
    update
}

pub(super) fn opened(session: Session) -> Result<OpenedCheckout, ProviderError> {
    Ok(OpenedCheckout {
        session: SessionId::parse(NAME, session.id.as_str()).map_err(not_understood)?,
        url: session.url.clone(),
        expires_at_seconds: session.expires_at.ok_or_else(|| not_understood("the session has no expires_at"))?,
        report: report(session)?,
    })
}

/// The report of a retrieved session; `None` if it is not ours.
pub(super) fn report(session: Session) -> Result<Option<PurchaseReport>, ProviderError> {
    let Some(topup) = session.topup() else { return Ok(None) };
    let missing = |field: &str| not_understood(format!("the session has no {field}"));
    let payment_status = session.payment_status.as_deref().ok_or_else(|| missing("payment_status"))?;
    let progress = match (session.status.as_deref(), payment_status) {
        (_, "paid") => PurchaseProgress::Paid,
        (Some("expired"), _) => PurchaseProgress::Expired,
        (Some("complete"), "unpaid") => PurchaseProgress::Processing,
        _ => PurchaseProgress::Nothing,
    };
    let livemode = session.livemode.ok_or_else(|| missing("livemode"))?;
    let seal = session.metadata.as_ref().and_then(seal_in);
    let occasion = Occasion { event: None, event_created_ms: None, livemode, topup, progress };
    let report = session.report(occasion).map_err(not_understood)?;
    Ok(Some(PurchaseReport { seal: seal.map(Box::new), ..report }))
}
