//! `GET /v1/account`: the account itself, and whether it may take payments.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What Stripe's review of the account allows. A new sandbox's account may do everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Standing {
    pub(crate) charges_enabled: bool,
    pub(crate) payouts_enabled: bool,
    pub(crate) details_submitted: bool,
}

impl Default for Standing {
    fn default() -> Self {
        Self { charges_enabled: true, payouts_enabled: true, details_submitted: true }
    }
}

/// The account of every sandbox. Members that depend on how a real one was set up are left out.
pub(crate) fn to_json(standing: Standing) -> Value {
    let capability = if standing.charges_enabled { "active" } else { "inactive" };
    json!({
        "id": "acct_1SandboxSandboxSa",
        "object": "account",
        "business_type": null,
        "capabilities": { "card_payments": capability },
        "charges_enabled": standing.charges_enabled,
        "country": "US",
        "created": 1_600_000_000,
        "default_currency": "usd",
        "details_submitted": standing.details_submitted,
        "email": "owner@example.com",
        "metadata": {},
        "payouts_enabled": standing.payouts_enabled,
        "type": "standard",
    })
}
