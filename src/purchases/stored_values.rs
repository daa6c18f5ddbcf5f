//! Stored values of purchases, checked when they are read.

use crate::db::StoreError;
use crate::domain::account::AccountId;
use crate::domain::checkout::TopupState;
use crate::domain::credit_unit::CreditUnit;
use crate::domain::currency::Currency;
use crate::domain::expiry::ExpiryDays;
use crate::domain::ids::{PaymentId, SessionId};
use crate::domain::provider::ProviderName;
use crate::domain::tax::TaxBehavior;
use crate::providers::port::CheckoutRequest;

pub(crate) fn account(text: String) -> Result<AccountId, StoreError> {
    AccountId::parse(text).map_err(|error| StoreError::corrupt("account id", error))
}

pub(crate) fn state(text: &str) -> Result<TopupState, StoreError> {
    TopupState::parse(text).ok_or_else(|| StoreError::corrupt("top-up state", text))
}

pub(crate) fn currency(text: &str) -> Result<Currency, StoreError> {
    Currency::parse(text).map_err(|_| StoreError::corrupt("currency", text))
}

/// Checks a stored unit.
pub(crate) fn credit_unit(credits: i64, amount_minor: i64) -> Result<CreditUnit, StoreError> {
    let unit = CreditUnit::new(credits, amount_minor);
    unit.ok_or_else(|| StoreError::corrupt("credit unit", format!("{credits} for {amount_minor}")))
}

/// Checks a stored number of days.
pub(crate) fn expiry(days: Option<i64>) -> Result<Option<ExpiryDays>, StoreError> {
    let expiry = days.map(|days| ExpiryDays::new(days).ok_or_else(|| StoreError::corrupt("days of credits", days)));
    expiry.transpose()
}

/// Parses a stored tax behaviour.
pub(crate) fn tax(behavior: Option<&str>) -> Result<Option<TaxBehavior>, StoreError> {
    let parse = |text| TaxBehavior::parse(text).ok_or_else(|| StoreError::corrupt("tax behaviour", text));
    behavior.map(parse).transpose()
}

/// Parses a stored provider name.
pub(crate) fn provider(name: &str) -> Result<ProviderName, StoreError> {
    ProviderName::parse(name).map_err(|error| StoreError::corrupt("provider", error))
}

pub(crate) fn session(provider: ProviderName, text: Option<String>) -> Result<Option<SessionId>, StoreError> {
    let session = text.map(|text| SessionId::parse(provider, text)).transpose();
    session.map_err(|error| StoreError::corrupt("session id", error))
}

/// Parses a stored payment id.
pub(crate) fn payment_id(provider: &str, text: &str) -> Result<PaymentId, StoreError> {
    PaymentId::parse(self::provider(provider)?, text).map_err(|error| StoreError::corrupt("payment id", error))
}

pub(crate) fn to_json(request: &CheckoutRequest) -> Result<String, StoreError> {
    serde_json::to_string(request).map_err(|error| StoreError::corrupt("request", error))
}
