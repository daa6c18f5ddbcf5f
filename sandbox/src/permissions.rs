//! Permissions of a restricted key: a request or expansion that needs a missing permission gets Stripe's error.
//!
//! Invariants: write permission includes read permission, and an unrestricted key may do everything.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{
    error::ApiError,
    request::{Method, Request},
};

/// The permissions that the key lacks, by Stripe's names: `rak_payment_intent_read`, `rak_checkout_session_write`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Permissions {
    missing: BTreeSet<String>,
}

/// Names in a path or an expansion, and the resource whose permission they need, as Stripe's refusals name it.
const RESOURCES: &[(&str, &str)] = &[
    ("account", "accounts_kyc_id_numbers"),
    ("checkout", "checkout_session"),
    ("payment_intents", "payment_intent"),
    ("payment_intent", "payment_intent"),
    ("charges", "charge"),
    ("charge", "charge"),
    ("latest_charge", "charge"),
    ("refunds", "charge"),
    ("disputes", "dispute"),
    ("dispute", "dispute"),
    ("radar", "radar"),
    ("reviews", "review"),
    ("balance_transactions", "balance_transaction"),
    ("balance_transaction", "balance_transaction"),
    ("events", "event"),
    ("webhook_endpoints", "webhook"),
    ("customers", "customer"),
    ("customer", "customer"),
    ("payment_methods", "payment_method"),
    ("payment_method", "payment_method"),
    ("default_payment_method", "payment_method"),
    ("setup_intents", "setup_intent"),
    ("setup_intent", "setup_intent"),
    ("products", "product"),
    ("product", "product"),
    ("prices", "plan"),
    ("price", "plan"),
    ("default_price", "plan"),
    ("transfers", "transfer"),
    ("payouts", "payout"),
    ("topups", "topup"),
    ("balance", "balance"),
    ("plans", "plan"),
    ("plan", "plan"),
    ("subscriptions", "subscription"),
    ("subscription", "subscription"),
    ("subscription_items", "subscription"),
    ("subscription_schedules", "subscription"),
    ("schedule", "subscription"),
    ("invoices", "invoice"),
    ("invoice", "invoice"),
    ("latest_invoice", "invoice"),
    ("invoiceitems", "invoice"),
    ("invoice_payments", "invoice"),
    ("billing_portal", "customer_portal"),
    ("credit_notes", "credit_note"),
    ("quotes", "quote"),
    ("coupons", "coupon"),
    ("promotion_codes", "promotion_code"),
    ("tax_rates", "tax_rate"),
    ("tax", "tax_settings"),
    ("test_helpers", "billing_clock"),
];

impl Permissions {
    /// The missing permissions with spaces between.
    pub(crate) fn missing_names(&self) -> String {
        self.missing.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Refuses a request if its path or one of its expansions needs a missing permission.
    pub(crate) fn check(&self, request: &Request) -> Result<(), ApiError> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let writes = request.method != Method::Get;
        let segments: Vec<&str> = request.path.strip_prefix("/v1/").unwrap_or_default().split('/').collect();
        let resource = match segments.as_slice() {
            ["customers", _, "payment_methods", ..] => "payment_methods",
            [resource, ..] => resource,
            [] => "",
        };
        self.allow(resource, writes)?;
        let params = request.params.to_json();
        let expansions = params.get("expand").and_then(serde_json::Value::as_object);
        let expansions = expansions.into_iter().flat_map(serde_json::Map::values).filter_map(serde_json::Value::as_str);
        for expansion in expansions {
            expansion.split('.').try_for_each(|member| self.allow(member, false))?;
        }
        Ok(())
    }

    fn allow(&self, name: &str, writes: bool) -> Result<(), ApiError> {
        let Some((_, resource)) = RESOURCES.iter().find(|(known, _)| *known == name) else { return Ok(()) };
        let (read, write) = (format!("rak_{resource}_read"), format!("rak_{resource}_write"));
        let needed = if writes { &write } else { &read };
        if self.missing.contains(needed) || self.missing.contains(&read) {
            return Err(refused(needed));
        }
        Ok(())
    }
}

fn refused(permission: &str) -> ApiError {
    let message = format!(
        "The provided key does not have the required permissions for this endpoint. Having the '{permission}' \
         permission would allow this request to continue."
    );
    ApiError::new(403, "invalid_request_error", message)
}
