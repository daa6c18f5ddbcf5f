//! Saved cards: the page that saves one, and what is done with them.

use std::collections::HashMap;
use std::str::FromStr;

use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAllowedPaymentMethodTypes, CreateCheckoutSessionSetupIntentData,
};
use stripe_client_core::{RequestBuilder, StripeMethod};
use stripe_core::customer::{
    ListPaymentMethodsCustomer, ListPaymentMethodsCustomerType, UpdateCustomer, UpdateCustomerInvoiceSettings,
};
use stripe_core::setup_intent::RetrieveSetupIntent;
use stripe_shared::CheckoutSessionMode;

use crate::domain::ids::{CustomerId, PaymentMethodId, SessionId, SetupId};
use crate::providers::port::{CardSetupRequest, OpenedSetup, ProviderError, SavedCard};
use crate::providers::stripe::gateway::call::{answer_to, ask, ask_list, make, read};
use crate::providers::stripe::gateway::checkout::customer_update;
use crate::providers::stripe::gateway::failure::not_understood;
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::{CARD_SETUP, Customer, IdOnly, List, PaymentMethod, Session, SetupIntent};
use crate::providers::stripe::transport::Transport;

/// Stripe's largest page. Nobody has more cards; of somebody who does, the newest are shown.
const PAGE: i64 = 100;

/// Only cards: nothing else can be charged at once without the customer.
pub(super) async fn open_setup(
    transport: &impl Transport,
    request: &CardSetupRequest,
    key: &str,
) -> Result<OpenedSetup, ProviderError> {
    let metadata = HashMap::from([
        ("accountId".to_owned(), request.account_id.clone()),
        ("purpose".to_owned(), CARD_SETUP.to_owned()),
    ]);
    let mut setup_data = CreateCheckoutSessionSetupIntentData::new();
    setup_data.metadata = Some(metadata.clone());
    setup_data.description = Some(format!("A card for {}", request.account_id));
    let currency = stripe_types::Currency::from_str(&request.currency).unwrap_or_else(|never| match never {});
    let mut create = CreateCheckoutSession::new()
        .mode(CheckoutSessionMode::Setup)
        .currency(currency)
        .customer(request.customer.as_str())
        .customer_update(customer_update())
        .allowed_payment_method_types(vec![CreateCheckoutSessionAllowedPaymentMethodTypes::Card])
        .client_reference_id(request.account_id.as_str())
        .metadata(metadata)
        .setup_intent_data(setup_data)
        .success_url(request.success_url.as_str())
        .expires_at(request.expires_at_seconds);
    if let Some(cancel_url) = &request.cancel_url {
        create = create.cancel_url(cancel_url.as_str());
    }
    let session: Session = make(transport, &create, key).await?;
    let missing = |field: &str| not_understood(format!("the session has no {field}"));
    Ok(OpenedSetup {
        session: SessionId::parse(NAME, session.id.as_str()).map_err(not_understood)?,
        url: session.url.clone().ok_or_else(|| missing("url"))?,
        expires_at_seconds: session.expires_at.ok_or_else(|| missing("expires_at"))?,
    })
}

pub(super) async fn card_of_setup(
    transport: &impl Transport,
    setup: &SetupId,
) -> Result<Option<PaymentMethodId>, ProviderError> {
    let setup: SetupIntent = ask(transport, &RetrieveSetupIntent::new(setup.as_str())).await?;
    setup.saved_card().map_err(not_understood)
}

pub(super) async fn list(transport: &impl Transport, customer: &CustomerId) -> Result<Vec<SavedCard>, ProviderError> {
    let list =
        ListPaymentMethodsCustomer::new(customer.as_str()).type_(ListPaymentMethodsCustomerType::Card).limit(PAGE);
    let page: List<PaymentMethod> = match ask_list(transport, &list).await {
        Err(ProviderError::Unknown(_)) => return Ok(Vec::new()),
        page => page?,
    };
    let cards = page.data.into_iter().map(|method| method.card().map_err(not_understood));
    let mut cards: Vec<SavedCard> = cards.filter_map(Result::transpose).collect::<Result<_, _>>()?;
    cards.sort_by_key(|card| std::cmp::Reverse(card.created_ms));
    Ok(cards)
}

/// A removed card can still be read, and belongs to nobody.
pub(super) async fn find(
    transport: &impl Transport,
    customer: &CustomerId,
    card: &PaymentMethodId,
) -> Result<Option<SavedCard>, ProviderError> {
    let request = RequestBuilder::new(StripeMethod::Get, format!("/payment_methods/{card}"));
    let method: Result<PaymentMethod, _> = match answer_to(transport, request, None).await {
        Ok(answer) => read(&answer),
        Err(ProviderError::Unknown(_)) => return Ok(None),
        Err(error) => Err(error),
    };
    let mut method = method?;
    if method.customer().as_deref() != Some(customer.as_str()) {
        return Ok(None);
    }
    method.card().map_err(not_understood)
}

/// A card that was removed before is refused with 400: then there is nothing to do.
pub(super) async fn remove(transport: &impl Transport, card: &PaymentMethodId) -> Result<(), ProviderError> {
    let request = RequestBuilder::new(StripeMethod::Post, format!("/payment_methods/{card}/detach"));
    read::<IdOnly>(&answer_to(transport, request, None).await?).map(drop)
}

pub(super) async fn set_default(
    transport: &impl Transport,
    customer: &CustomerId,
    card: &PaymentMethodId,
) -> Result<(), ProviderError> {
    let mut settings = UpdateCustomerInvoiceSettings::new();
    settings.default_payment_method = Some(card.as_str().to_owned());
    let update = UpdateCustomer::new(customer.as_str()).invoice_settings(settings);
    ask::<Customer>(transport, &update).await.map(drop)
}
