//! The parameters of a session request.

use crate::model::request;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::model::{
    accepted,
    error::ApiError,
    params::Params,
    price::Recurring,
    session::{InvoiceData, PaymentIntentData, Plan, SavedMethods},
    version::ENDIVE,
};

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    pub(super) mode: String,
    #[serde(default)]
    pub(super) line_items: Vec<WantedItem>,
    pub(super) success_url: Option<String>,
    pub(super) cancel_url: Option<String>,
    pub(super) client_reference_id: Option<String>,
    pub(super) customer: Option<String>,
    pub(super) customer_email: Option<String>,
    pub(super) customer_creation: Option<String>,
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) payment_intent_data: PaymentIntentData,
    pub(super) expires_at: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) submit_type: Option<String>,
    pub(super) billing_address_collection: Option<String>,
    #[serde(default)]
    pub(super) adaptive_pricing: Switch,
    pub(super) allow_promotion_codes: Option<bool>,
    #[serde(default)]
    pub(super) automatic_tax: Switch,
    #[serde(default)]
    pub(super) phone_number_collection: Switch,
    #[serde(default)]
    pub(super) tax_id_collection: Switch,
    #[serde(default)]
    pub(super) invoice_creation: InvoiceCreation,
    pub(super) payment_method_collection: Option<String>,
    pub(super) subscription_data: Option<Plan>,
    #[serde(default)]
    pub(super) managed_payments: Switch,
    pub(super) consent_collection: Option<Value>,
    pub(super) name_collection: Option<Value>,
    pub(super) after_expiration: Option<Value>,
    pub(super) wallet_options: Option<Value>,
    #[serde(default)]
    pub(super) customer_update: BTreeMap<String, String>,
    pub(super) saved_payment_method_options: Option<SavedMethods>,
    pub(super) setup_intent_data: Option<SetupIntentData>,
    pub(super) custom_text: Option<Value>,
    /// The request has `payment_intent_data`.
    #[serde(skip)]
    pub(super) has_payment_intent_data: bool,
    pub(super) ui_mode: Option<String>,
    pub(super) payment_method_types: Option<Vec<String>>,
    pub(super) allowed_payment_method_types: Option<Vec<String>>,
}

/// Options for the setup intent of a session in setup mode.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct SetupIntentData {
    pub(super) description: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
}

/// `invoice_creation`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct InvoiceCreation {
    pub(super) enabled: Option<bool>,
    pub(super) invoice_data: InvoiceData,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Switch {
    pub(super) enabled: Option<bool>,
}

impl Switch {
    pub(super) fn is_on(&self) -> bool {
        self.enabled == Some(true)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct WantedItem {
    pub(super) price: Option<String>,
    pub(super) price_data: Option<WantedPrice>,
    pub(super) quantity: Option<i64>,
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WantedPrice {
    pub(super) currency: String,
    pub(super) product: Option<String>,
    pub(super) product_data: Option<WantedProduct>,
    pub(super) unit_amount: Option<i64>,
    pub(super) unit_amount_decimal: Option<String>,
    pub(super) recurring: Option<Recurring>,
    pub(super) tax_behavior: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WantedProduct {
    pub(super) name: String,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) images: Vec<String>,
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) tax_code: Option<String>,
    pub(super) unit_label: Option<String>,
}

pub(super) fn read(params: &Params, api_version: &str) -> Result<Wanted, ApiError> {
    let mut fields = accepted::CREATE_SESSION.to_vec();
    fields.push(if api_version >= ENDIVE {
        accepted::ALLOWED_PAYMENT_METHOD_TYPES
    } else {
        accepted::PAYMENT_METHOD_TYPES
    });
    let wanted: Wanted = request::read(params, &fields)?;
    Ok(Wanted { has_payment_intent_data: params.0.contains_key("payment_intent_data"), ..wanted })
}
