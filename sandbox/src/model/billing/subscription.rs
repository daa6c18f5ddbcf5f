//! Subscriptions and their items.
//!
//! Invariants: a subscription has at least one item until it ends; an ended one (`canceled`, `incomplete_expired`)
//! never changes its status again. A status says nothing about money: a renewal is `active` before it is paid.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::interval::Period;
use crate::model::{State, error::ApiError, table::Row};

/// How long a first payment may take before the subscription expires.
pub(crate) const INCOMPLETE_SECONDS: i64 = 23 * 60 * 60;

/// Stripe's statuses of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Incomplete,
    IncompleteExpired,
    Trialing,
    Active,
    PastDue,
    Unpaid,
    Canceled,
    Paused,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::IncompleteExpired => "incomplete_expired",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Unpaid => "unpaid",
            Self::Canceled => "canceled",
            Self::Paused => "paused",
        }
    }

    pub(crate) fn is_ended(self) -> bool {
        matches!(self, Self::Canceled | Self::IncompleteExpired)
    }
}

/// How prorations and anchors are computed. Subscriptions made before 2025-09-30.clover are `classic`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BillingMode {
    Classic,
    Flexible,
}

/// What happens at the end of a trial without a payment method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MissingMethod {
    Cancel,
    Pause,
    #[default]
    CreateInvoice,
}

impl MissingMethod {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Pause => "pause",
            Self::CreateInvoice => "create_invoice",
        }
    }
}

/// `pause_collection`: invoices are made and not collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PauseCollection {
    pub(crate) behavior: String,
    pub(crate) resumes_at: Option<i64>,
}

/// Why a subscription was canceled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cancellation {
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) feedback: Option<String>,
    #[serde(default)]
    pub(crate) comment: Option<String>,
}

/// A change that applies only once its invoice is paid.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PendingUpdate {
    pub(crate) expires_at: i64,
    pub(crate) items: Vec<Item>,
    pub(crate) trial_end: Option<i64>,
    pub(crate) anchor: Option<i64>,
    /// The invoice that has to be paid.
    pub(crate) invoice: String,
    pub(crate) ends_trial: bool,
    /// Its payment was tried and is missing. Before that nobody sees it.
    pub(crate) is_shown: bool,
}

/// One price of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) price: String,
    /// `None` for a metered price.
    pub(crate) quantity: Option<i64>,
    pub(crate) period: Period,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
}

/// A subscription.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on Stripe too")]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) status: Status,
    pub(crate) currency: String,
    pub(crate) billing_mode: BillingMode,
    pub(crate) anchor: i64,
    pub(crate) start_date: i64,
    pub(crate) items: Vec<Item>,
    pub(crate) trial_start: Option<i64>,
    pub(crate) trial_end: Option<i64>,
    pub(crate) missing_method: MissingMethod,
    pub(crate) cancel_at: Option<i64>,
    pub(crate) cancel_at_period_end: bool,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) cancellation: Cancellation,
    /// `charge_automatically` or `send_invoice`.
    pub(crate) collection_method: String,
    pub(crate) days_until_due: Option<i64>,
    pub(crate) default_payment_method: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) latest_invoice: Option<String>,
    pub(crate) pause_collection: Option<PauseCollection>,
    pub(crate) pending_update: Option<PendingUpdate>,
    pub(crate) automatic_tax: bool,
    /// The first payment's method becomes the default (`payment_settings.save_default_payment_method`).
    pub(crate) saves_method: bool,
    pub(crate) payment_method_types: Option<Vec<String>>,
    pub(crate) schedule: Option<String>,
    /// `customer.subscription.trial_will_end` was sent.
    pub(crate) trial_announced: bool,
    /// The period end whose `invoice.upcoming` was sent.
    pub(crate) announced: i64,
    /// Why it is `paused` (`status_details`), and since when.
    #[serde(default)]
    pub(crate) paused: Option<(String, i64)>,
}

impl Row for Subscription {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

impl Subscription {
    /// When the earliest of the items' periods ends.
    pub(crate) fn period_end(&self) -> i64 {
        self.items.iter().map(|item| item.period.end).min().unwrap_or(i64::MAX)
    }

    /// The period of the first item, which old API versions show for the whole subscription.
    pub(crate) fn period(&self) -> Period {
        self.items.first().map_or(Period { start: self.start_date, end: self.start_date }, |item| item.period)
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.status.is_ended()
    }

    pub(crate) fn is_sent(&self) -> bool {
        self.collection_method == "send_invoice"
    }

    /// It ends at this time without further notice, by either of Stripe's two flags.
    pub(crate) fn ends_at(&self) -> Option<i64> {
        let at_end = self.cancel_at_period_end.then(|| self.trial_end_or_period_end());
        [self.cancel_at, at_end].into_iter().flatten().min()
    }

    fn trial_end_or_period_end(&self) -> i64 {
        match (self.status, self.trial_end) {
            (Status::Trialing, Some(end)) => end,
            _ => self.period_end(),
        }
    }
}

/// The subscription, or Stripe's 404.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Subscription, ApiError> {
    state.subscriptions.get(id).ok_or_else(|| ApiError::not_found("subscription", id, "id"))
}
