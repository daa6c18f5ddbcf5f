//! The lists of charges and balance transactions, with Stripe's filters.

use serde::Deserialize;
use serde_json::Value;

use super::{
    State, accepted_intents as accepted, balance,
    balance::BalanceTransaction,
    error::ApiError,
    list,
    list::{Page, Range},
    params::Params,
    payment::Charge,
    payment_json,
    request::read,
};

#[derive(Debug, Deserialize)]
struct ChargeFilter {
    #[serde(flatten)]
    page: Page,
    created: Option<Range>,
    customer: Option<String>,
    payment_intent: Option<String>,
    transfer_group: Option<String>,
}

impl ChargeFilter {
    fn accepts(&self, charge: &Charge) -> bool {
        // No charge in the sandbox has a transfer group.
        self.transfer_group.is_none()
            && (self.customer.is_none() || self.customer == charge.customer)
            && self.created.as_ref().is_none_or(|range| range.contains(charge.created))
            && self.payment_intent.as_ref().is_none_or(|intent| *intent == charge.payment_intent)
    }
}

pub(crate) fn charges(state: &State, params: &Params) -> Result<Value, ApiError> {
    let filter: ChargeFilter = read(params, accepted::LIST_CHARGES)?;
    list::page(
        &state.charges,
        &filter.page,
        ("charge", "/v1/charges"),
        |charge| filter.accepts(charge),
        |charge| payment_json::charge(state, charge),
    )
}

#[derive(Debug, Deserialize)]
struct BalanceFilter {
    #[serde(flatten)]
    page: Page,
    created: Option<Range>,
    currency: Option<String>,
    payout: Option<String>,
    source: Option<String>,
    r#type: Option<String>,
}

impl BalanceFilter {
    fn accepts(&self, transaction: &BalanceTransaction) -> bool {
        // The sandbox has no payouts.
        self.payout.is_none()
            && self.created.as_ref().is_none_or(|range| range.contains(transaction.created))
            && self.currency.as_ref().is_none_or(|currency| *currency == transaction.currency)
            && self.source.as_ref().is_none_or(|source| *source == transaction.source)
            && self.r#type.as_ref().is_none_or(|kind| kind == transaction.kind())
    }
}

pub(crate) fn balance_transactions(state: &State, params: &Params) -> Result<Value, ApiError> {
    let filter: BalanceFilter = read(params, accepted::LIST_BALANCE)?;
    list::page(
        &state.balance_transactions,
        &filter.page,
        ("balance transaction", "/v1/balance_transactions"),
        |transaction| filter.accepts(transaction),
        balance::to_json,
    )
}
