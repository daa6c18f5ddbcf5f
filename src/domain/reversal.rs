//! Refunds and disputes, and how many credits they take back.
//!
//! The credits taken back are never incremented or decremented. They follow from the states of all refunds and disputes
//! of a top-up, in whatever order these became known.

use super::credit_unit::CreditUnit;
use super::ids::{CustomerId, DisputeId, EventId, PaymentId, RefundId};

/// The status of a refund (Stripe, "Refunds"). It only moves forward, so an older status that arrives late is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundStatus {
    /// On its way.
    Pending,
    /// The customer has to do something first.
    RequiresAction,
    /// The customer has the money.
    Succeeded,
    /// The money came back to us. A refund that succeeded can still fail weeks later.
    Failed,
    /// The refund was canceled.
    Canceled,
}

impl RefundStatus {
    /// Stripe's name for the status.
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

    /// Parses Stripe's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::RequiresAction, Self::Succeeded, Self::Failed, Self::Canceled]
            .into_iter()
            .find(|status| status.as_str() == text)
    }

    /// The stage of this status. A refund's stage never decreases.
    #[must_use]
    pub const fn stage(self) -> i64 {
        match self {
            Self::Pending | Self::RequiresAction => 0,
            Self::Succeeded => 1,
            Self::Failed | Self::Canceled => 2,
        }
    }

    /// Whether a refund with this status takes credits back. Pending refunds count too, so that credits which are about
    /// to be refunded cannot be spent.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Pending | Self::RequiresAction | Self::Succeeded)
    }
}

/// What the provider reports about a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundReport {
    /// The refund.
    pub id: RefundId,
    /// The payment that is refunded; all of our refunds have one.
    pub payment: Option<PaymentId>,
    /// The amount, in minor units.
    pub amount_minor: i64,
    /// The currency, in lower case.
    pub currency: String,
    /// Its status.
    pub status: RefundStatus,
    /// The reason, in Stripe's word.
    pub reason: Option<String>,
    /// The refund request here that it was made for, if its metadata names one.
    pub request: Option<String>,
    /// The payment's customer, if the provider said with it that the payment names no top-up: it is of a subscription's
    /// invoice, or of another application.
    pub stranger: Option<Box<CustomerId>>,
}

/// The metadata key in which a refund names the request here that it was made for.
pub const REFUND_REQUEST_ID: &str = "refundRequestId";

/// What the provider answers about a dispute. A dispute's state is always fetched, never derived from the order of
/// events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeReport {
    /// The dispute.
    pub id: DisputeId,
    /// The disputed payment.
    pub payment: Option<PaymentId>,
    /// The amount, in minor units. It may differ from the charge.
    pub amount_minor: i64,
    /// The currency, in lower case.
    pub currency: String,
    /// Stripe's name for its status.
    pub status: String,
    /// The customer's reason, in Stripe's word.
    pub reason: Option<String>,
    /// Until when evidence can be sent, in seconds since 1970; `None` if none is asked for.
    pub evidence_due_seconds: Option<i64>,
    /// The movements of its money that Stripe shows. Some may be missing, and their order means nothing.
    pub movements: Vec<DisputeMovement>,
    /// As of a refund.
    pub stranger: Option<Box<CustomerId>>,
    /// Whether real money moves.
    pub livemode: bool,
    /// When it was opened, in seconds since 1970.
    pub created_seconds: i64,
}

/// One movement of a dispute's money on the Stripe account's balance, without fees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeMovement {
    /// The amount in minor units of `currency`: negative if it left the account, positive if it came back.
    pub amount_minor: i64,
    /// The settlement currency, in lower case. It may differ from the dispute's.
    pub currency: String,
}

impl DisputeReport {
    /// The part of its amount that is with the customer now, in minor units: the amount less what has certainly come
    /// back.
    ///
    /// The status decides; movements can only reduce the amount that it implies. An inquiry takes nothing. A won
    /// dispute takes nothing, unless the movements show that only a part came back. Any other dispute takes its whole
    /// amount, even if no movement is shown (yet), less what the movements show to be back: a small correction after a
    /// lost dispute is a small amount, whatever its sign and position in the list.
    #[must_use]
    pub fn reversed_minor(&self) -> i64 {
        if Self::never_takes(&self.status) {
            return 0;
        }
        let is_won = self.status == "won";
        match self.outstanding() {
            // As far as the movements show, none of the latest withdrawal has come back (yet), so the status decides.
            outstanding if outstanding.is_whole => {
                if is_won {
                    0
                } else {
                    self.amount_minor
                }
            }
            // In another currency, the same money comes back as a different amount, at that day's exchange rate.
            outstanding if is_won && outstanding.may_be_exchange_rate => 0,
            // A part came back, even if rounding hides how small the rest is.
            outstanding if is_won => outstanding.minor.min(self.amount_minor.saturating_sub(1)),
            outstanding => outstanding.minor,
        }
    }

    /// Whether any of its money is with the customer.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.reversed_minor() > 0
    }

    /// Whether a dispute with this status never takes money, whatever the movements are.
    #[must_use]
    pub fn never_takes(status: &str) -> bool {
        matches!(status, "warning_needs_response" | "warning_under_review" | "warning_closed" | "prevented")
    }

    /// Why an operator should look at the dispute: its status and movements contradict each other, so that
    /// [`Self::reversed_minor`] may return more or less than what is really gone.
    #[must_use]
    pub fn doubt(&self) -> Option<&'static str> {
        if Self::never_takes(&self.status) {
            return None;
        }
        let outstanding = self.outstanding();
        let nothing_is_out = outstanding.minor == 0 && self.amount_minor > 0;
        if self.status == "lost" && nothing_is_out {
            return Some("it is lost, and all of its money came back");
        }
        let is_partly_back = !outstanding.is_whole && outstanding.minor > 0;
        if self.status == "won" && is_partly_back && outstanding.is_exchanged && !outstanding.may_be_exchange_rate {
            return Some("it is won, and only a part of its money came back, in another currency than the charge's");
        }
        None
    }

    /// The amount that left and did not come back, by the movements alone. A withdrawal that they do not show is
    /// assumed: at least the dispute's amount left. Money that came back counts only in the currency in which it left,
    /// or in the dispute's.
    fn outstanding(&self) -> Outstanding {
        let amount = i128::from(self.amount_minor);
        let is_exchanged = self.is_exchanged();
        let currency = if is_exchanged { self.movements.first() } else { None };
        let currency = currency.map_or(self.currency.as_str(), |movement| movement.currency.as_str());
        let (mut gone, mut back, mut largest) = (0_i128, 0_i128, 0_i128);
        for movement in self.movements.iter().filter(|movement| movement.currency == currency) {
            let moved = i128::from(movement.amount_minor);
            if moved < 0 {
                gone = gone.saturating_sub(moved);
                largest = largest.max(moved.saturating_neg());
            } else {
                back = back.saturating_add(moved);
            }
        }
        let (whole, gone) = if is_exchanged { (largest, gone) } else { (amount, gone.max(amount)) };
        let out = gone.saturating_sub(back).clamp(0, whole);
        // The outstanding share of the withdrawal, in the dispute's currency, rounded up, against the customer.
        let minor = match amount.saturating_mul(out).checked_rem_euclid(whole) {
            None => amount,
            Some(rest) => {
                let floor = amount.saturating_mul(out).checked_div(whole).unwrap_or(amount);
                floor.saturating_add(i128::from(rest > 0))
            }
        };
        Outstanding {
            minor: i64::try_from(minor).unwrap_or(self.amount_minor),
            is_whole: out >= whole,
            is_exchanged,
            may_be_exchange_rate: is_exchanged && out.saturating_mul(RATE_MOVES_BY_LESS_THAN) < whole,
        }
    }

    /// Whether all money left in the same other currency. If it left in several, the movements cannot be compared.
    fn is_exchanged(&self) -> bool {
        let mut currencies = self.movements.iter().map(|movement| movement.currency.as_str());
        let Some(first) = currencies.next() else { return false };
        let left = self.movements.iter().any(|movement| movement.amount_minor < 0);
        first != self.currency && left && currencies.all(|currency| currency == first)
    }
}

/// If a won dispute's money came back in another currency, less than a fourth may be missing: exchange rates can move
/// that much during a dispute. If more is missing, that part was lost.
const RATE_MOVES_BY_LESS_THAN: i128 = 4;

/// How much of a dispute's money is outstanding, by its movements.
struct Outstanding {
    /// The amount, in minor units of the dispute's currency.
    minor: i64,
    /// Whether all of it is outstanding.
    is_whole: bool,
    /// Whether the movements are in another currency than the dispute.
    is_exchanged: bool,
    /// Whether the rest is so small that the exchange rate alone explains it.
    may_be_exchange_rate: bool,
}

/// A valid amount of a refund or dispute; `None` otherwise. Stripe's charges have at most twelve digits. Sums of valid
/// amounts cannot overflow, so an invalid one cannot block the others of its payment.
#[must_use]
pub fn amount(minor: i64) -> Option<i64> {
    (0..=999_999_999_999).contains(&minor).then_some(minor)
}

/// Sanitizes a word from the provider for storage and display: at most 100 printable ASCII characters.
#[must_use]
pub fn word(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(100).collect()
}

/// An event's id and type.
pub type EventRef = (EventId, String);

/// How many of a top-up's credits are taken back when `reversed_minor` of its money goes to the customer: the credits
/// that this money paid for, `⌊reversed · unit credits / unit amount⌋`, counting the fee last. Never more than were
/// sold. `WRONG_REVERSALS` in `books/ledger.rs` has the same formula in SQL.
#[must_use]
pub fn credits_taken(credits: i64, unit: CreditUnit, reversed_minor: i64) -> i64 {
    let paid_for = i128::from(reversed_minor.max(0))
        .checked_mul(i128::from(unit.credits()))
        .and_then(|product| product.checked_div(i128::from(unit.amount_minor())))
        .and_then(|paid_for| i64::try_from(paid_for).ok());
    // A number that does not fit is larger than any number of credits.
    paid_for.map_or(credits, |paid_for| paid_for.min(credits))
}

#[cfg(test)]
#[path = "reversal_tests.rs"]
mod tests;
