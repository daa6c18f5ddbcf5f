//! Makes the top-up of a purchase: its price, its request to the provider, and the seal on both.

use crate::app::App;
use crate::db::StoreError;
use crate::domain::account::AccountId;
use crate::domain::expiry::ExpiryDays;
use crate::domain::fees::FeePolicy;
use crate::domain::ids::{CustomerId, PaymentMethodId, TopupId};
use crate::domain::pricing::Quote;
use crate::providers::port::{CheckoutRequest, TaxRequest};
use crate::purchases::topups::NewTopup;

/// What is bought, and how it is paid.
pub(crate) struct Purchase<'p> {
    /// Who gets the credits.
    pub(crate) account: &'p AccountId,
    pub(crate) quote: Quote,
    pub(crate) fees: FeePolicy,
    /// Where the customer is sent after paying; empty if there is no page.
    pub(crate) success_url: &'p str,
    pub(crate) cancel_url: Option<&'p str>,
    /// When the page ends, in seconds since 1970.
    pub(crate) expires_at_seconds: i64,
    pub(crate) customer: Option<&'p CustomerId>,
    pub(crate) saves_card: bool,
    /// The saved card to charge without a page.
    pub(crate) payment_method: Option<&'p PaymentMethodId>,
}

/// Makes the top-up.
///
/// # Errors
/// [`StoreError::Corrupt`] if the fee is out of range, which no valid quote has.
pub(crate) fn new_topup(app: &App, purchase: Purchase<'_>, now_ms: i64) -> Result<NewTopup, StoreError> {
    let Purchase { account, quote, fees, success_url, cancel_url, expires_at_seconds, .. } = purchase;
    let id = TopupId::from_bits(app.ids.id_bits());
    let mut request = CheckoutRequest {
        topup_id: id.as_str().to_owned(),
        account_id: account.as_str().to_owned(),
        credits: quote.credits.get(),
        currency: quote.currency.as_str().to_owned(),
        credit_unit_credits: quote.unit.credits(),
        credit_unit_amount_minor: quote.unit.amount_minor(),
        credit_display_decimals: app.pricing.decimals().get().into(),
        fee_amount_minor: quote.fee_amount_minor,
        fee_label: fees.label.clone(),
        bonus_credits: (quote.bonus_credits != 0).then_some(quote.bonus_credits),
        credits_expire_days: quote.expiry.map(ExpiryDays::get),
        success_url: success_url.to_owned(),
        cancel_url: cancel_url.map(str::to_owned),
        expires_at_seconds,
        payment_methods: app.checkout.payment_methods.clone(),
        customer: purchase.customer.map(|customer| customer.as_str().to_owned()),
        saves_card: purchase.saves_card,
        tax: quote.tax.map(|behavior| TaxRequest {
            behavior: behavior.as_str().to_owned(),
            code: app.pricing.tax_code().map(|code| code.as_str().to_owned()),
            asks_ids: app.pricing.asks_tax_ids(),
        }),
        // A charge without a page has no session that could make one.
        makes_invoice: app.checkout.makes_invoices && purchase.payment_method.is_none(),
        payment_method: purchase.payment_method.map(|card| card.as_str().to_owned()),
        terms: None,
        signature: None,
    };
    let seal = app.seal.as_ref().and_then(|key| key.seal(&request, &fees, app.checkout.livemode, now_ms));
    (request.terms, request.signature) = seal.map(|seal| (seal.terms, seal.signature)).unzip();
    let expected_fee_minor = fees
        .expected_processor_fee_minor(quote.total_amount_minor)
        .ok_or_else(|| StoreError::corrupt("fee of charge", quote.total_amount_minor))?;
    let (livemode, provider, account) = (app.checkout.livemode, app.provider.name, account.clone());
    Ok(NewTopup { id, account, quote, fees, expected_fee_minor, livemode, provider, request, now_ms })
}
