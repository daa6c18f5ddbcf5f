//! The checkout session.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{State, address::Shipping, error::ApiError, table::Row};

/// The status of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionStatus {
    Open,
    Complete,
    Expired,
}

impl SessionStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Expired => "expired",
        }
    }
}

/// What a session is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    #[default]
    Payment,
    Setup,
    Subscription,
}

impl Mode {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Setup => "setup",
            Self::Subscription => "subscription",
        }
    }
}

/// A checkout session. `paid` is about the money, `status` about the page.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on Stripe too")]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) expires_at: i64,
    pub(crate) status: SessionStatus,
    pub(crate) paid: bool,
    #[serde(default)]
    pub(crate) mode: Mode,
    /// Empty for a setup that named none.
    pub(crate) currency: String,
    pub(crate) amount_total: i64,
    pub(crate) line_items: Vec<LineItem>,
    pub(crate) success_url: String,
    pub(crate) cancel_url: Option<String>,
    pub(crate) client_reference_id: Option<String>,
    /// The email that the page shows: from the request, or from the customer.
    pub(crate) customer_email: Option<String>,
    pub(crate) customer_creation: String,
    pub(crate) customer: Option<CustomerDetails>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) payment_intent_data: PaymentIntentData,
    pub(crate) payment_intent: Option<String>,
    pub(crate) payment_method_types: Vec<String>,
    pub(crate) allowed_payment_method_types: Option<Vec<String>>,
    pub(crate) adaptive_pricing: bool,
    pub(crate) allow_promotion_codes: Option<bool>,
    pub(crate) locale: Option<String>,
    pub(crate) submit_type: Option<String>,
    pub(crate) billing_address_collection: Option<String>,
    pub(crate) phone_number_collection: bool,
    /// Tax is added when the customer pays.
    #[serde(default)]
    pub(crate) automatic_tax: bool,
    /// The tax that was added, in minor units; `amount_total` includes it.
    #[serde(default)]
    pub(crate) tax: i64,
    #[serde(default)]
    pub(crate) tax_id_collection: bool,
    #[serde(default)]
    pub(crate) invoice_creation: bool,
    /// Adds tax like `automatic_tax`.
    #[serde(default)]
    pub(crate) managed_payments: bool,
    #[serde(default)]
    pub(crate) consent_collection: Option<serde_json::Value>,
    #[serde(default)]
    pub(crate) name_collection: Option<serde_json::Value>,
    #[serde(default)]
    pub(crate) after_expiration: Option<serde_json::Value>,
    #[serde(default)]
    pub(crate) wallet_options: Option<serde_json::Value>,
    #[serde(default)]
    pub(crate) customer_id: Option<String>,
    /// The customer existed before the session.
    #[serde(default)]
    pub(crate) customer_was_given: bool,
    /// `auto` or `never` for `name`, `address` and `shipping`.
    #[serde(default)]
    pub(crate) customer_update: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) saved_payment_method_options: Option<SavedMethods>,
    #[serde(default)]
    pub(crate) setup_intent: Option<String>,
    #[serde(default)]
    pub(crate) custom_text: Option<serde_json::Value>,
    /// What the subscription of a session in subscription mode is like.
    #[serde(default)]
    pub(crate) plan: Plan,
    /// The tax id that the customer typed.
    #[serde(default)]
    pub(crate) tax_id: Option<String>,
    /// The part of `tax` that the prices contain.
    #[serde(default)]
    pub(crate) tax_inclusive: i64,
    #[serde(default)]
    pub(crate) subscription: Option<String>,
    #[serde(default)]
    pub(crate) invoice: Option<String>,
    /// `always` or `if_required`.
    #[serde(default)]
    pub(crate) payment_method_collection: Option<String>,
    #[serde(default)]
    pub(crate) invoice_data: InvoiceData,
    /// The event whose receivers the hosted page waits for.
    pub(crate) completed_event: Option<String>,
}

/// The subscription that a session makes (`subscription_data`).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Plan {
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) description: Option<String>,
    pub(crate) trial_period_days: Option<i64>,
    pub(crate) trial_end: Option<i64>,
    pub(crate) trial_settings: Option<TrialSettings>,
    pub(crate) billing_cycle_anchor: Option<i64>,
    pub(crate) billing_mode: Option<WantedMode>,
    pub(crate) proration_behavior: Option<String>,
}

/// The end of a trial.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TrialSettings {
    pub(crate) end_behavior: EndBehavior,
}

/// What happens at the end of a trial without a payment method.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct EndBehavior {
    /// `cancel`, `create_invoice` or `pause`.
    pub(crate) missing_payment_method: Option<String>,
}

/// The billing mode that a request asks for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct WantedMode {
    pub(crate) r#type: String,
}

/// What is written on the invoice of a payment (`invoice_creation[invoice_data]`).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct InvoiceData {
    pub(crate) description: Option<String>,
    pub(crate) footer: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) custom_fields: Option<serde_json::Value>,
}

/// What the page offers with saved payment methods.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SavedMethods {
    pub(crate) allow_redisplay_filters: Option<Vec<String>>,
    pub(crate) payment_method_remove: Option<String>,
    pub(crate) payment_method_save: Option<String>,
}

/// A line item. Amounts are minor units.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LineItem {
    pub(crate) id: String,
    pub(crate) price: String,
    pub(crate) product: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) unit_amount: i64,
    pub(crate) quantity: i64,
    pub(crate) amount: i64,
    pub(crate) tax_behavior: String,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) product_metadata: BTreeMap<String, String>,
    pub(crate) images: Vec<String>,
    pub(crate) unit_label: Option<String>,
    pub(crate) tax_code: Option<String>,
    /// The exact price of one, if it is not a whole number of minor units.
    #[serde(default)]
    pub(crate) unit_amount_decimal: Option<String>,
    /// A price of its own, as it was when the session was created. `None` for a price made by `price_data`.
    #[serde(default)]
    pub(crate) listed_price: Option<serde_json::Value>,
    /// The price is paid again and again.
    #[serde(default)]
    pub(crate) is_recurring: bool,
    #[serde(default)]
    pub(crate) tax: i64,
    /// The product existed before the session.
    #[serde(default)]
    pub(crate) is_listed_product: bool,
}

/// What the customer entered on the page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CustomerDetails {
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
}

/// Options for the `PaymentIntent`, applied when it is created.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PaymentIntentData {
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) description: Option<String>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) statement_descriptor_suffix: Option<String>,
    pub(crate) setup_future_usage: Option<String>,
    pub(crate) capture_method: Option<String>,
    pub(crate) transfer_group: Option<String>,
    pub(crate) shipping: Option<Shipping>,
}

impl Row for Session {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

impl Row for LineItem {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Session {
    pub(crate) fn is_open(&self) -> bool {
        self.status == SessionStatus::Open
    }

    /// Whether it completes without a payment method: nothing is due, and none is asked for.
    pub(crate) fn needs_no_method(&self) -> bool {
        self.mode == Mode::Subscription
            && self.amount_total == 0
            && self.payment_method_collection.as_deref() == Some("if_required")
    }

    /// Whether the page has a box that saves the card.
    pub(crate) fn offers_to_save(&self) -> bool {
        let options = self.saved_payment_method_options.as_ref();
        self.customer_id.is_some()
            && self.mode == Mode::Payment
            && options.and_then(|options| options.payment_method_save.as_deref()) == Some("enabled")
    }

    /// Whether the page shows this saved card: `allow_redisplay` is `always`, unless the session asks for more.
    pub(crate) fn shows_saved(&self, allow_redisplay: &str) -> bool {
        let filters = self.saved_payment_method_options.as_ref();
        match filters.and_then(|options| options.allow_redisplay_filters.as_ref()) {
            Some(filters) => filters.iter().any(|filter| filter == allow_redisplay),
            None => allow_redisplay == "always",
        }
    }

    /// `success_url` with the session id filled in, to which the browser is redirected.
    pub(crate) fn final_url(&self) -> String {
        self.success_url.replace("{CHECKOUT_SESSION_ID}", &self.id)
    }
}

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Session, ApiError> {
    state.sessions.get(id).ok_or_else(|| ApiError::not_found("checkout.session", id, "session"))
}
