//! Calling Stripe: the only user of async-stripe.
//!
//! Each call is made once, with a bound on its time. async-stripe's own retries would choose a random idempotency key
//! that nobody stores; ours are in the use case, which knows the key and whether the next try may use it again.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use stripe::{ApiErrors, Client, ClientBuilder, IdempotencyKey, RequestStrategy, StripeError, StripeRequest};
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAllowedPaymentMethodTypes, CreateCheckoutSessionLineItems,
    CreateCheckoutSessionLineItemsPriceData, CreateCheckoutSessionPaymentIntentData, ProductData,
    RetrieveCheckoutSession,
};
use stripe_client_core::StripeClient;
use stripe_shared::{CheckoutSession, CheckoutSessionMode, CheckoutSessionPaymentStatus, CheckoutSessionStatus};

mod account_defaults;
mod events;
mod lists;
mod money;
mod permissions;

use super::event::topup_of;
use crate::checkpoints;
use crate::domain::checkout::{PURPOSE, PaymentProgress, PaymentReport, Seal};
use crate::domain::fees::RealFee;
use crate::domain::ids::{BalanceTransactionId, DisputeId, EventId, PaymentIntentId, SessionId, TopupId};
use crate::domain::reversal::{DisputeReport, RefundReport};
use crate::ports::{
    CheckoutRequest, GatewayError, ListPage, OpenedCheckout, PaymentGateway, PaymentOwner, RefundOrder, Resource,
    StripeFailure,
};
use crate::secret::Secret;

/// The address of the real Stripe.
pub const STRIPE_API_BASE: &str = "https://api.stripe.com/";

/// What carries a request to Stripe and brings the answer: HTTP, or a simulation of Stripe in this process.
pub trait Transport: StripeClient<Err = StripeError> + Send + Sync {}
impl<T: StripeClient<Err = StripeError> + Send + Sync> Transport for T {}

/// Stripe, by its HTTP API.
#[derive(Debug)]
pub struct StripeGateway<C = Client> {
    client: C,
}

/// The secret key or the address cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("STRIPE_SECRET_KEY or STRIPE_API_BASE cannot be used for a call")]
pub struct InvalidStripeSettings(#[source] StripeError);

impl StripeGateway {
    /// Prepares calls to Stripe, or to a sandbox at another base address.
    ///
    /// # Errors
    /// When the key has characters that no header takes, or the address is none.
    pub fn new(key: &Secret, api_base: Option<&str>, timeout: Duration) -> Result<Self, InvalidStripeSettings> {
        let client = ClientBuilder::new(key.expose())
            .url(api_base.unwrap_or(STRIPE_API_BASE))
            .timeout(timeout)
            .app_info("topup", Some(env!("CARGO_PKG_VERSION").to_owned()), None)
            .build()
            .map_err(InvalidStripeSettings)?;
        Ok(Self { client })
    }
}

impl<C: Transport> StripeGateway<C> {
    /// Calls Stripe by any transport. Requests are made, and answers are read, as ever.
    pub const fn over(client: C) -> Self {
        Self { client }
    }
}

#[async_trait]
impl<C: Transport> PaymentGateway for StripeGateway<C> {
    async fn open_checkout(&self, request: &CheckoutRequest, key: &str) -> Result<OpenedCheckout, GatewayError> {
        checkpoints::reach("call Stripe").await;
        let key = IdempotencyKey::new(key).map_err(|error| GatewayError::Unreachable(error.to_string()))?;
        let session = create_session(request)
            .ok_or_else(|| GatewayError::Unreachable("the stored request cannot be sent".to_owned()))?
            .customize()
            .request_strategy(RequestStrategy::Idempotent(key))
            .send(&self.client)
            .await
            .map_err(classify)?;
        checkpoints::reach("Stripe answered").await;
        opened(session)
    }

    async fn find_checkout(
        &self,
        topup: &TopupId,
        within_ms: (i64, i64),
    ) -> Result<Option<OpenedCheckout>, GatewayError> {
        checkpoints::reach("ask Stripe").await;
        let found = lists::checkout_of(&self.client, topup, within_ms).await?;
        checkpoints::reach("Stripe answered").await;
        found.map(opened).transpose()
    }

    async fn can_read(&self, resource: Resource) -> Result<(), GatewayError> {
        permissions::can_read(&self.client, resource).await
    }

    async fn read_checkout(&self, session: &SessionId) -> Result<Option<PaymentReport>, GatewayError> {
        checkpoints::reach("ask Stripe").await;
        let session = RetrieveCheckoutSession::new(session.as_str()).send(&self.client).await.map_err(classify)?;
        checkpoints::reach("Stripe answered").await;
        report(session)
    }

    async fn read_payment(&self, payment: &PaymentIntentId) -> Result<Option<PaymentOwner>, GatewayError> {
        checkpoints::reach("ask Stripe").await;
        let answer = money::read_payment(&self.client, payment).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(answer)
    }

    async fn refunds_of(&self, payment: &PaymentIntentId) -> Result<Vec<RefundReport>, GatewayError> {
        checkpoints::reach("ask Stripe").await;
        let answer = money::refunds_of(&self.client, payment).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(answer)
    }

    async fn read_dispute(&self, dispute: &DisputeId) -> Result<DisputeReport, GatewayError> {
        checkpoints::reach("ask Stripe").await;
        let answer = money::read_dispute(&self.client, dispute).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(answer)
    }

    async fn disputes_of(&self, payment: &PaymentIntentId) -> Result<Vec<DisputeReport>, GatewayError> {
        checkpoints::reach("ask Stripe").await;
        let answer = money::disputes_of(&self.client, payment).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(answer)
    }

    async fn read_event(&self, event: &EventId) -> Result<String, GatewayError> {
        checkpoints::reach("ask Stripe").await;
        let answer = events::read_event(&self.client, event).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(answer)
    }

    async fn read_fee(&self, balance_transaction: &BalanceTransactionId) -> Result<RealFee, GatewayError> {
        checkpoints::reach("ask Stripe").await;
        let answer = money::read_fee(&self.client, balance_transaction).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(answer)
    }

    async fn create_refund(&self, order: &RefundOrder, key: &str) -> Result<RefundReport, GatewayError> {
        checkpoints::reach("call Stripe").await;
        let refund = money::create_refund(&self.client, order, key).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(refund)
    }

    async fn find_refund(
        &self,
        payment: &PaymentIntentId,
        request_id: &str,
    ) -> Result<Option<RefundReport>, GatewayError> {
        checkpoints::reach("ask Stripe").await;
        let found = money::find_refund(&self.client, payment, request_id).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(found)
    }

    async fn list_checkouts(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<PaymentReport>, GatewayError> {
        checkpoints::reach("ask Stripe").await;
        lists::checkouts(&self.client, since_seconds, after).await
    }

    async fn list_refunds(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<RefundReport>, GatewayError> {
        checkpoints::reach("ask Stripe").await;
        lists::refunds(&self.client, since_seconds, after).await
    }

    async fn list_disputes(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<DisputeReport>, GatewayError> {
        checkpoints::reach("ask Stripe").await;
        lists::disputes(&self.client, since_seconds, after).await
    }
}

/// Something in an answer of Stripe's that we do not understand: better asked again than guessed.
fn not_understood(what: impl std::fmt::Display) -> GatewayError {
    GatewayError::Unreachable(format!("the answer is not understood: {what}"))
}

/// The metadata keys of a seal.
const TERMS: &str = "terms";
const SIGNATURE: &str = "signature";

fn metadata(request: &CheckoutRequest) -> HashMap<String, String> {
    let seal = [(TERMS, &request.terms), (SIGNATURE, &request.signature)];
    let seal = seal.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)));
    let mut metadata = HashMap::from([
        ("accountId".to_owned(), request.account_id.clone()),
        ("credits".to_owned(), request.credits.to_string()),
        ("purpose".to_owned(), PURPOSE.to_owned()),
        ("topupId".to_owned(), request.topup_id.clone()),
    ]);
    metadata.extend(seal);
    metadata
}

fn line(request: &CheckoutRequest, name: &str, unit_amount: i64, quantity: u64) -> CreateCheckoutSessionLineItems {
    let currency = stripe_types::Currency::from_str(&request.currency).unwrap_or_else(|never| match never {});
    let mut price = CreateCheckoutSessionLineItemsPriceData::new(currency);
    price.unit_amount = Some(unit_amount);
    price.product_data = Some(ProductData::new(name));
    let mut line = CreateCheckoutSessionLineItems::new();
    line.price_data = Some(price);
    line.quantity = Some(quantity);
    line
}

/// The request to Stripe; the same for the same stored request. `None` if a stored number cannot be sent.
fn create_session(request: &CheckoutRequest) -> Option<CreateCheckoutSession> {
    let quantity = u64::try_from(request.credits).ok()?;
    let mut lines = vec![line(request, "Credits", request.credit_unit_amount_minor, quantity)];
    if request.fee_amount_minor > 0 {
        lines.push(line(request, &request.fee_label, request.fee_amount_minor, 1));
    }
    // Stripe does not copy a session's metadata to its payment.
    let mut payment_intent_data = CreateCheckoutSessionPaymentIntentData::new();
    payment_intent_data.metadata = Some(metadata(request));
    let mut session = CreateCheckoutSession::new()
        .mode(CheckoutSessionMode::Payment)
        .line_items(lines)
        .client_reference_id(request.account_id.as_str())
        .metadata(metadata(request))
        .payment_intent_data(payment_intent_data)
        .success_url(request.success_url.as_str())
        .expires_at(request.expires_at_seconds);
    session = account_defaults::refuse(session, &request.payment_methods);
    if let Some(cancel_url) = &request.cancel_url {
        session = session.cancel_url(cancel_url.as_str());
    }
    if !request.payment_methods.is_empty() {
        let methods: Vec<CreateCheckoutSessionAllowedPaymentMethodTypes> =
            request.payment_methods.iter().filter_map(|method| method.parse().ok()).collect();
        session = session.allowed_payment_method_types(methods);
    }
    Some(session)
}

fn opened(session: CheckoutSession) -> Result<OpenedCheckout, GatewayError> {
    Ok(OpenedCheckout {
        session: session_id(&session)?,
        url: session.url.clone(),
        expires_at_seconds: session.expires_at,
        report: report(session)?,
    })
}

fn session_id(session: &CheckoutSession) -> Result<SessionId, GatewayError> {
    SessionId::parse(session.id.as_str()).map_err(|error| GatewayError::Unreachable(error.to_string()))
}

/// What a retrieved session says; `None` if it is not one of ours.
fn report(session: CheckoutSession) -> Result<Option<PaymentReport>, GatewayError> {
    let metadata = session.metadata.clone().unwrap_or_default();
    let Some(topup) = topup_of(&metadata) else { return Ok(None) };
    let progress = match (&session.status, &session.payment_status) {
        (_, CheckoutSessionPaymentStatus::Paid) => PaymentProgress::Paid,
        (Some(CheckoutSessionStatus::Expired), _) => PaymentProgress::Expired,
        (Some(CheckoutSessionStatus::Complete), CheckoutSessionPaymentStatus::Unpaid) => PaymentProgress::Processing,
        _ => PaymentProgress::Nothing,
    };
    let payment_intent = session.payment_intent.as_ref().map(|payment| PaymentIntentId::parse(payment.id().as_str()));
    let seal = metadata.get(SIGNATURE).zip(metadata.get(TERMS));
    let seal = seal.map(|(signature, terms)| Seal { terms: terms.clone(), signature: signature.clone() });
    Ok(Some(PaymentReport {
        event: None,
        livemode: session.livemode,
        session: session_id(&session)?,
        topup,
        progress,
        account: metadata.get("accountId").cloned(),
        client_reference: session.client_reference_id,
        credits: metadata.get("credits").cloned(),
        mode: Some(session.mode.as_str().to_owned()),
        currency: session.currency.map(|currency| currency.to_string()),
        amount_total_minor: session.amount_total,
        amount_tax_minor: session.total_details.map(|details| details.amount_tax),
        payment_intent: payment_intent.transpose().map_err(|error| GatewayError::Unreachable(error.to_string()))?,
        seal: seal.map(Box::new),
    }))
}

/// Sorts a failure by what may have been done and which key the next try needs; see [`GatewayError`].
fn classify(error: StripeError) -> GatewayError {
    let (errors, status) = match error {
        StripeError::Stripe(errors, status) => (errors, status),
        StripeError::Timeout => return GatewayError::TimedOut,
        StripeError::JSONDeserialize(text) | StripeError::ClientError(text) | StripeError::ConfigError(text) => {
            return GatewayError::Unreachable(text);
        }
    };
    let failure = describe(&errors, status);
    match (status, failure.code.as_str()) {
        (404, _) => GatewayError::Unknown(failure),
        // The same key is in use, an object is locked, too many requests: nothing was done.
        (409 | 429, _) => GatewayError::Limited(failure),
        (_, "amount_too_small") => GatewayError::AmountTooSmall(failure),
        (500.., _) => GatewayError::Failed(failure),
        _ => GatewayError::Refused(failure),
    }
}

fn describe(errors: &ApiErrors, status: u16) -> StripeFailure {
    let code = errors.code.as_ref().map_or_else(|| errors.type_.as_str().to_owned(), |code| code.as_str().to_owned());
    StripeFailure {
        status,
        code,
        message: errors.message.clone().unwrap_or_default(),
        request_id: errors.request_log_url.as_deref().and_then(request_id_in),
    }
}

/// async-stripe drops the `Request-Id` header; the address of the request's log in Stripe's dashboard ends in the id.
fn request_id_in(log_url: &str) -> Option<String> {
    let start = log_url.find("req_")?;
    let id: String = log_url.get(start..)?.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_id_is_found_in_the_address_of_the_log() {
        let url = "https://dashboard.stripe.com/test/logs/req_AbC123?t=1800000000";
        assert_eq!(request_id_in(url), Some("req_AbC123".to_owned()));
        assert_eq!(request_id_in("https://dashboard.stripe.com/"), None);
    }

    #[test]
    fn a_failure_says_which_key_the_next_try_needs() {
        let limited = |status| {
            let error = no_details();
            classify(StripeError::Stripe(error, status))
        };
        assert!(matches!(limited(429), GatewayError::Limited(_)));
        assert!(matches!(limited(409), GatewayError::Limited(_)));
        assert!(matches!(limited(500), GatewayError::Failed(_)));
        assert!(matches!(limited(503), GatewayError::Failed(_)));
        assert!(matches!(limited(400), GatewayError::Refused(_)));
        assert!(matches!(limited(401), GatewayError::Refused(_)));
        assert!(matches!(limited(404), GatewayError::Unknown(_)));
        assert!(matches!(classify(StripeError::Timeout), GatewayError::TimedOut));
        assert!(matches!(classify(StripeError::ClientError("x".into())), GatewayError::Unreachable(_)));
    }

    fn no_details() -> Box<ApiErrors> {
        Box::new(ApiErrors {
            advice_code: None,
            charge: None,
            code: None,
            decline_code: None,
            doc_url: None,
            message: None,
            network_advice_code: None,
            network_decline_code: None,
            param: None,
            payment_intent: None,
            payment_method: None,
            payment_method_type: None,
            request_log_url: None,
            setup_intent: None,
            source: None,
            type_: stripe::ApiErrorsType::ApiError,
        })
    }
}
