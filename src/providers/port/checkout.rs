//! What a provider is asked to open, and what it opened.

use serde::{Deserialize, Serialize};

use crate::domain::checkout::PurchaseReport;
use crate::domain::ids::SessionId;

/// Everything that is sent to open a checkout. It is stored with the top-up before the provider is called, so that
/// a repetition is the same request to the letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutRequest {
    /// The purchase, for the metadata.
    pub topup_id: String,
    /// Who buys, for the metadata and `client_reference_id`.
    pub account_id: String,
    /// How many credits: the quantity of the first line.
    pub credits: i64,
    /// The currency, in lower case.
    pub currency: String,
    /// The price of one credit in minor units.
    pub credit_unit_amount_minor: i64,
    /// The fee line in minor units; no line when it is 0.
    pub fee_amount_minor: i64,
    /// What the fee line is called.
    pub fee_label: String,
    /// Where the customer goes after paying.
    pub success_url: String,
    /// Where the customer goes after leaving.
    pub cancel_url: Option<String>,
    /// When the checkout ends, in seconds since 1970.
    pub expires_at_seconds: i64,
    /// The provider's names of the payment methods to offer; empty means what its dashboard says.
    pub payment_methods: Vec<String>,
    /// The seal's terms, for the metadata; none in what an earlier version wrote down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// The seal's signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// A checkout that the provider opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedCheckout {
    /// The provider's id of it.
    pub session: SessionId,
    /// The hosted page. There is none when the session has ended meanwhile.
    pub url: Option<String>,
    /// When it ends, in seconds since 1970.
    pub expires_at_seconds: i64,
    /// What the provider says it opened, to be compared with what was agreed; `None` if it does not say that it is ours.
    pub report: Option<PurchaseReport>,
}
