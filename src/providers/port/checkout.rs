//! The request that opens a checkout, and the opened checkout.

use serde::{Deserialize, Serialize};

use crate::domain::checkout::PurchaseReport;
use crate::domain::credit_unit::CreditUnit;
use crate::domain::ids::SessionId;

/// Everything that is sent to open a checkout. It is stored with the top-up before the provider is called, so that a
/// retry is identical.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutRequest {
    /// The top-up's id, for the metadata.
    pub topup_id: String,
    /// The account's id, for the metadata and `client_reference_id`.
    pub account_id: String,
    /// The number of credits, for the metadata and the first line.
    pub credits: i64,
    /// The currency, in lower case.
    pub currency: String,
    /// The number of credits in a unit.
    pub credit_unit_credits: i64,
    /// The price of a unit, in minor units.
    pub credit_unit_amount_minor: i64,
    /// How many digits of the number of credits the customer reads as decimals.
    pub credit_display_decimals: i64,
    /// The fee line, in minor units; no line if it is 0.
    pub fee_amount_minor: i64,
    /// The label of the fee line.
    pub fee_label: String,
    /// The credits given on top; `None` for no bonus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bonus_credits: Option<i64>,
    /// For how many days from the payment the credits are good; `None` for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits_expire_days: Option<i64>,
    /// Where the customer is sent after paying.
    pub success_url: String,
    /// Where the customer is sent after cancelling.
    pub cancel_url: Option<String>,
    /// When the checkout ends, in seconds since 1970.
    pub expires_at_seconds: i64,
    /// The provider's names of the payment methods to offer; empty for those enabled in its dashboard.
    pub payment_methods: Vec<String>,
    /// The customer who buys; `None` if the account has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Whether the card is saved, to be charged later without the customer. Only with a customer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub saves_card: bool,
    /// How it is taxed; `None` if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<TaxRequest>,
    /// Whether the customer gets a paid invoice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub makes_invoice: bool,
    /// The saved card to charge without a page; `None` for a checkout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<String>,
    /// The seal's terms, for the metadata; `None` in rows of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// The seal's signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// How the provider shall tax a checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRequest {
    /// Whether the lines contain the tax: a name of [`TaxBehavior`](crate::domain::tax::TaxBehavior).
    pub behavior: String,
    /// The provider's code for the kind of thing that is sold; `None` for the default of its account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Whether the page asks businesses for their tax id.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks_ids: bool,
}

impl CheckoutRequest {
    /// What the customer is charged, in minor units, before tax that comes on top. `None` if a number is out of range.
    #[must_use]
    pub fn total_amount_minor(&self) -> Option<i64> {
        let unit = CreditUnit::new(self.credit_unit_credits, self.credit_unit_amount_minor)?;
        unit.price_minor(self.credits)?.checked_add(self.fee_amount_minor)
    }
}

/// A checkout that the provider opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedCheckout {
    /// The checkout session's id.
    pub session: SessionId,
    /// The URL of the hosted page. `None` if the session has ended meanwhile.
    pub url: Option<String>,
    /// When the session ends, in seconds since 1970.
    pub expires_at_seconds: i64,
    /// The provider's report, to be compared with the agreement; `None` if the session's metadata is not ours.
    pub report: Option<PurchaseReport>,
}
