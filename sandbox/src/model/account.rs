//! The account's dashboard settings for all checkouts. They apply where a request does not set the option itself.

use serde::{Deserialize, Serialize};

/// The account's defaults. All are off in a new sandbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch in the dashboard")]
pub(crate) struct AccountDefaults {
    /// Adds [`TAX_PERCENT`] when the customer pays, which is when Stripe knows the address.
    pub(crate) automatic_tax: bool,
    pub(crate) adaptive_pricing: bool,
    pub(crate) allow_promotion_codes: bool,
    pub(crate) phone_number_collection: bool,
    pub(crate) tax_id_collection: bool,
    /// Uses `required` instead of `auto`.
    pub(crate) billing_address_collection: bool,
    pub(crate) invoice_creation: bool,
    /// Uses `always` instead of `if_required`.
    pub(crate) customer_creation: bool,
    /// Requires consent to the terms of service, and asks for consent to promotional email.
    pub(crate) consent_collection: bool,
    pub(crate) name_collection: bool,
    /// Makes Stripe the seller. Adds tax like `automatic_tax`.
    pub(crate) managed_payments: bool,
    /// Lets an expired checkout be recovered.
    pub(crate) after_expiration: bool,
    /// Offers Link on the page.
    pub(crate) link: bool,
}

/// The one tax rate, in percent, for every customer address.
const TAX_PERCENT: i64 = 10;

impl AccountDefaults {
    /// Everything on.
    pub(crate) const ALL_ON: Self = Self {
        automatic_tax: true,
        adaptive_pricing: true,
        allow_promotion_codes: true,
        phone_number_collection: true,
        tax_id_collection: true,
        billing_address_collection: true,
        invoice_creation: true,
        customer_creation: true,
        consent_collection: true,
        name_collection: true,
        managed_payments: true,
        after_expiration: true,
        link: true,
    };
}

/// The tax on an amount, in minor units, rounded down to the currency's step.
pub(crate) fn tax(amount: i64, step: i64) -> i64 {
    let tax = amount.saturating_mul(TAX_PERCENT).div_euclid(100);
    tax.saturating_sub(tax.rem_euclid(step))
}

/// The tax on an amount that may contain it already, in minor units, rounded down to the currency's step. Credits are
/// taxed like the charges that they take back.
pub(crate) fn tax_of(amount: i64, inclusive: bool, step: i64) -> i64 {
    if amount < 0 {
        return tax_of(amount.saturating_neg(), inclusive, step).saturating_neg();
    }
    if !inclusive {
        return tax(amount, step);
    }
    let tax = amount.saturating_mul(TAX_PERCENT).div_euclid(TAX_PERCENT.saturating_add(100));
    tax.saturating_sub(tax.rem_euclid(step))
}
