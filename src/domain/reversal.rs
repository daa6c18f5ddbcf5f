//! Money that goes back: refunds and disputes, and how many credits they take with them.
//!
//! What a purchase owes back is never counted up and down. It follows from the states of all its refunds and disputes,
//! whatever the order in which they became known.

use super::ids::{DisputeId, EventId, PaymentIntentId, RefundId};

/// How far a refund is (Stripe, "Refunds"). It moves forward only: what was said later counts, however late what was
/// said before arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundStatus {
    /// On its way.
    Pending,
    /// The customer has to do something for it.
    RequiresAction,
    /// The money is with the customer.
    Succeeded,
    /// The money came back to us. A refund that succeeded can still fail, weeks later.
    Failed,
    /// It was called off.
    Canceled,
}

impl RefundStatus {
    /// Stripe's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::RequiresAction => "requires_action",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Reads Stripe's word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::RequiresAction, Self::Succeeded, Self::Failed, Self::Canceled]
            .into_iter()
            .find(|status| status.as_str() == text)
    }

    /// How far it has come; never less later.
    #[must_use]
    pub const fn stage(self) -> i64 {
        match self {
            Self::Pending | Self::RequiresAction => 0,
            Self::Succeeded => 1,
            Self::Failed | Self::Canceled => 2,
        }
    }

    /// Whether it takes its money back as it stands: also while it is on its way, so that credits which are about to be
    /// refunded cannot be spent.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Pending | Self::RequiresAction | Self::Succeeded)
    }
}

/// What Stripe says of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundReport {
    /// Which.
    pub id: RefundId,
    /// The payment that it gives back; all of ours have one.
    pub payment_intent: Option<PaymentIntentId>,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// The currency, in lower case.
    pub currency: String,
    /// How far it is.
    pub status: RefundStatus,
    /// Why, in Stripe's word.
    pub reason: Option<String>,
    /// The request here that it says it was made for, if it says so.
    pub request: Option<String>,
}

/// The metadata key by which a refund names the request here that it was made for.
pub const REFUND_REQUEST_ID: &str = "refundRequestId";

/// What Stripe says of a dispute, as it was asked: a dispute's state is not believed from the order of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeReport {
    /// Which.
    pub id: DisputeId,
    /// The payment that is disputed.
    pub payment_intent: Option<PaymentIntentId>,
    /// How much, in minor units. It may differ from the charge.
    pub amount_minor: i64,
    /// The currency, in lower case.
    pub currency: String,
    /// Stripe's word for its state.
    pub status: String,
    /// Why the customer disputes, in Stripe's word.
    pub reason: Option<String>,
    /// Whether the latest movement of money was towards the customer. `None` if none has moved.
    pub latest_movement_took: Option<bool>,
    /// Whether it is about real money.
    pub livemode: bool,
}

impl DisputeReport {
    /// Whether its money is with the customer as it stands. An inquiry takes nothing; what was won has come back, or is
    /// about to; otherwise the money itself says where it is, because a dispute that was won can be appealed and lost.
    #[must_use]
    pub fn counts(&self) -> bool {
        !Self::never_takes(&self.status) && self.latest_movement_took == Some(true)
    }

    /// Whether a dispute in this state has no money, wherever it was before.
    #[must_use]
    pub fn never_takes(status: &str) -> bool {
        matches!(status, "warning_needs_response" | "warning_under_review" | "warning_closed" | "prevented" | "won")
    }
}

/// An amount that a refund or dispute can have: Stripe's charges have twelve digits at most. Sums of such amounts fit,
/// so one that is none cannot stand in the way of others of its payment.
#[must_use]
pub fn amount(minor: i64) -> Option<i64> {
    (0..=999_999_999_999).contains(&minor).then_some(minor)
}

/// A word of Stripe's as it is stored and shown: whatever came, it is short and printable, and every database takes it.
#[must_use]
pub fn word(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(100).collect()
}

/// An event of Stripe's: its id and its type.
pub type EventRef = (EventId, String);

/// How many of a purchase's credits go back, when `reversed_minor` of its money is (to be) with the customer: what that
/// money paid for, the credits first and the fee last. Never more than were sold.
///
/// `credit_unit_amount_minor` is the price of one credit and more than 0.
#[must_use]
pub fn credits_taken(credits: i64, credit_unit_amount_minor: i64, reversed_minor: i64) -> i64 {
    let paid_for = reversed_minor.max(0).checked_div(credit_unit_amount_minor).unwrap_or(0);
    paid_for.min(credits)
}

#[cfg(test)]
#[path = "reversal_tests.rs"]
mod tests;
