//! Invoices, their lines and payments, and the invoice items that wait for an invoice.
//!
//! Invariants: `status` only moves draft → open → paid | uncollectible | void (an uncollectible invoice can still be
//! paid). Amounts and lines are fixed from `open` on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::interval::Period;
use crate::model::{State, error::ApiError, table::Row};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InvoiceStatus {
    Draft,
    Open,
    Paid,
    Uncollectible,
    Void,
}

impl InvoiceStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Uncollectible => "uncollectible",
            Self::Void => "void",
        }
    }
}

/// Why an invoice was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BillingReason {
    SubscriptionCreate,
    SubscriptionCycle,
    SubscriptionUpdate,
    Manual,
    QuoteAccept,
    Upcoming,
}

impl BillingReason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::SubscriptionCreate => "subscription_create",
            Self::SubscriptionCycle => "subscription_cycle",
            Self::SubscriptionUpdate => "subscription_update",
            Self::Manual => "manual",
            Self::QuoteAccept => "quote_accept",
            Self::Upcoming => "upcoming",
        }
    }
}

/// The price that a line was computed from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pricing {
    pub(crate) price: String,
    pub(crate) product: String,
    /// Stripe's `unit_amount_decimal`.
    pub(crate) unit_amount: String,
}

/// Where a line comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    SubscriptionItem(String),
    InvoiceItem(String),
}

/// A line of an invoice. Amounts are minor units; negative ones are credits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) id: String,
    /// Before discounts and exclusive tax.
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) description: Option<String>,
    pub(crate) period: Period,
    pub(crate) proration: bool,
    pub(crate) pricing: Option<Pricing>,
    pub(crate) quantity: Option<i64>,
    pub(crate) source: Source,
    pub(crate) subscription: Option<String>,
    #[serde(default)]
    pub(crate) subscription_item: Option<String>,
    #[serde(default)]
    pub(crate) discountable: bool,
    /// The tax is part of the amount.
    #[serde(default)]
    pub(crate) tax_inclusive: bool,
    /// The tax, once it is computed.
    #[serde(default)]
    pub(crate) tax: Option<i64>,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Row for Line {
    fn id(&self) -> &str {
        &self.id
    }
}

/// What was written on the invoice of the customer when it was finalized.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct BilledTo {
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) address: Option<serde_json::Value>,
    pub(crate) tax_exempt: Option<String>,
}

/// An invoice.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on Stripe too")]
pub(crate) struct Invoice {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: Option<String>,
    pub(crate) billed_to: BilledTo,
    pub(crate) subscription: Option<String>,
    /// The subscription's metadata when the invoice was finalized.
    pub(crate) subscription_metadata: BTreeMap<String, String>,
    /// When the proration of an update was computed.
    pub(crate) proration_date: Option<i64>,
    pub(crate) quote: Option<String>,
    pub(crate) status: InvoiceStatus,
    pub(crate) reason: BillingReason,
    pub(crate) currency: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) number: Option<String>,
    pub(crate) period: Period,
    /// `charge_automatically` or `send_invoice`.
    pub(crate) collection_method: String,
    pub(crate) auto_advance: bool,
    pub(crate) finalizes_at: Option<i64>,
    pub(crate) days_until_due: Option<i64>,
    pub(crate) due_date: Option<i64>,
    pub(crate) attempted: bool,
    pub(crate) attempt_count: i64,
    pub(crate) next_attempt: Option<i64>,
    pub(crate) amount_paid: i64,
    pub(crate) paid_off_stripe: bool,
    /// The customer's balance before and after, in minor units; negative is credit.
    pub(crate) starting_balance: i64,
    pub(crate) ending_balance: Option<i64>,
    pub(crate) credited_before_payment: i64,
    pub(crate) credited_after_payment: i64,
    pub(crate) payment_intent: Option<String>,
    pub(crate) default_payment_method: Option<String>,
    pub(crate) automatic_tax: bool,
    pub(crate) description: Option<String>,
    pub(crate) footer: Option<String>,
    pub(crate) custom_fields: Option<serde_json::Value>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) finalized_at: Option<i64>,
    pub(crate) paid_at: Option<i64>,
    pub(crate) voided_at: Option<i64>,
    pub(crate) uncollectible_at: Option<i64>,
    pub(crate) uncollectible_reason: Option<String>,
}

impl Row for Invoice {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

impl Invoice {
    /// Before discounts and exclusive tax.
    pub(crate) fn subtotal(&self) -> i64 {
        self.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.amount))
    }

    /// The tax of all lines, whether it is part of their amounts or not.
    pub(crate) fn tax(&self) -> i64 {
        self.lines.iter().filter_map(|line| line.tax).fold(0_i64, i64::saturating_add)
    }

    fn exclusive_tax(&self) -> i64 {
        let exclusive = self.lines.iter().filter(|line| !line.tax_inclusive);
        exclusive.filter_map(|line| line.tax).fold(0_i64, i64::saturating_add)
    }

    pub(crate) fn total(&self) -> i64 {
        self.subtotal().saturating_add(self.exclusive_tax())
    }

    pub(crate) fn total_excluding_tax(&self) -> i64 {
        self.total().saturating_sub(self.tax())
    }

    /// What the customer has to pay after balance and credit notes.
    pub(crate) fn amount_due(&self) -> i64 {
        self.total().saturating_add(self.applied_balance()).saturating_sub(self.credited_before_payment).max(0)
    }

    /// The part of the customer's balance that this invoice uses: negative if credit pays for it.
    pub(crate) fn applied_balance(&self) -> i64 {
        match self.ending_balance {
            Some(ending) => self.starting_balance.saturating_sub(ending),
            None => 0,
        }
    }

    pub(crate) fn amount_remaining(&self) -> i64 {
        self.amount_due().saturating_sub(self.amount_paid).max(0)
    }

    pub(crate) fn is_sent(&self) -> bool {
        self.collection_method == "send_invoice"
    }

    /// Whether it can still be paid.
    pub(crate) fn is_payable(&self) -> bool {
        matches!(self.status, InvoiceStatus::Open | InvoiceStatus::Uncollectible)
    }
}

/// A payment of an invoice, tried or made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InvoicePayment {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) invoice: String,
    pub(crate) payment_intent: String,
    pub(crate) amount_requested: i64,
    pub(crate) currency: String,
    pub(crate) paid_at: Option<i64>,
    pub(crate) canceled_at: Option<i64>,
}

impl Row for InvoicePayment {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

/// An amount that waits for the customer's next invoice, or was put on one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InvoiceItem {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) description: Option<String>,
    pub(crate) period: Period,
    pub(crate) proration: bool,
    pub(crate) pricing: Option<Pricing>,
    pub(crate) quantity: i64,
    pub(crate) discountable: bool,
    pub(crate) tax_inclusive: bool,
    pub(crate) subscription: Option<String>,
    pub(crate) subscription_item: Option<String>,
    pub(crate) invoice: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Row for InvoiceItem {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

/// The invoice, or Stripe's 404.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Invoice, ApiError> {
    state.invoices.get(id).ok_or_else(|| ApiError::not_found("invoice", id, "invoice"))
}

/// The invoice item, or Stripe's 404.
pub(crate) fn find_item<'a>(state: &'a State, id: &str) -> Result<&'a InvoiceItem, ApiError> {
    state.invoice_items.get(id).ok_or_else(|| ApiError::not_found("invoiceitem", id, "invoiceitem"))
}
