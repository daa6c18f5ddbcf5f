//! The objects that a payment leaves: method, intent, charge, balance transaction. Only `confirm` changes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    card::{Decline, Outcome, Risk},
    sepa::SepaDebit,
    session::PaymentIntentData,
    table::Row,
};

/// What a customer pays with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentMethod {
    pub(crate) id: String,
    pub(crate) created: i64,
    /// Absent for a delayed payment by bank debit.
    pub(crate) card: Option<Card>,
    #[serde(default)]
    pub(crate) sepa_debit: Option<SepaDebit>,
    pub(crate) outcome: Outcome,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
}

/// What is shown of a card. The number itself is not kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Card {
    pub(crate) brand: String,
    pub(crate) last4: String,
    pub(crate) exp_month: i64,
    pub(crate) exp_year: i64,
    pub(crate) country: String,
    pub(crate) funding: String,
    pub(crate) cvc_check: Option<String>,
    pub(crate) risk: Risk,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IntentStatus {
    RequiresPaymentMethod,
    RequiresAction,
    Processing,
    Succeeded,
    Canceled,
}

/// The payment of one session, over all attempts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentIntent {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) session: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) status: IntentStatus,
    pub(crate) data: PaymentIntentData,
    pub(crate) client_secret: String,
    pub(crate) payment_method: Option<String>,
    pub(crate) payment_method_types: Vec<String>,
    pub(crate) latest_charge: Option<String>,
    pub(crate) last_error: Option<Decline>,
    pub(crate) canceled_at: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChargeStatus {
    Pending,
    Succeeded,
    Failed,
}

/// One attempt to take the money.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) status: ChargeStatus,
    pub(crate) payment_intent: String,
    pub(crate) payment_method: String,
    pub(crate) failure: Option<Decline>,
    /// The customer passed 3-D Secure.
    pub(crate) authenticated: bool,
    /// Filled in after `charge.succeeded`, as Stripe does it.
    pub(crate) balance_transaction: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) description: Option<String>,
    pub(crate) receipt_email: Option<String>,
}

/// What a charge brought in, after Stripe's fee.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BalanceTransaction {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) available_on: i64,
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    pub(crate) net: i64,
    pub(crate) currency: String,
    pub(crate) source: String,
    pub(crate) description: Option<String>,
}

macro_rules! rows {
    ($($row:ty),*) => {$(
        impl Row for $row {
            fn id(&self) -> &str {
                &self.id
            }
        }
    )*};
}
rows!(PaymentMethod, PaymentIntent, Charge, BalanceTransaction);
