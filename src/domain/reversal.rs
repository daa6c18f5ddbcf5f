//! Money that goes back: refunds and disputes, and how many credits they take with them.
//!
//! What a purchase owes back is never counted up and down. It follows from the states of all its refunds and disputes,
//! whatever the order in which they became known.

use super::ids::{DisputeId, EventId, PaymentId, RefundId};

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
    pub payment: Option<PaymentId>,
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
    pub payment: Option<PaymentId>,
    /// How much, in minor units. It may differ from the charge.
    pub amount_minor: i64,
    /// The currency, in lower case.
    pub currency: String,
    /// Stripe's word for its state.
    pub status: String,
    /// Why the customer disputes, in Stripe's word.
    pub reason: Option<String>,
    /// Every movement of its money that Stripe shows. Some may be missing, and their order says nothing.
    pub movements: Vec<DisputeMovement>,
    /// Whether it is about real money.
    pub livemode: bool,
    /// When it was opened, in seconds since 1970.
    pub created_seconds: i64,
}

/// One movement of a dispute's money on the balance of the Stripe account, without fees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeMovement {
    /// How much, in minor units of `currency`: negative when it left the account, positive when it came back.
    pub amount_minor: i64,
    /// The currency that the account settles in, in lower case. It need not be the dispute's.
    pub currency: String,
}

impl DisputeReport {
    /// How much of its money is with the customer as it stands, in minor units: its amount less what is surely back.
    ///
    /// The status decides, and movements can only say that less of the money is gone than the status says. An inquiry
    /// takes nothing. A dispute that was won takes nothing, unless the movements show that only a part came back. Any
    /// other dispute takes its whole amount, also when no movement is shown (yet), less what the movements show to be
    /// back: a small correction after a lost dispute is a small amount, whatever its sign and wherever it stands in the
    /// list.
    #[must_use]
    pub fn reversed_minor(&self) -> i64 {
        if Self::never_takes(&self.status) {
            return 0;
        }
        let is_won = self.status == "won";
        match self.outstanding() {
            // Nothing of the latest withdrawal is back (yet), as far as can be seen: the status has the last word.
            outstanding if outstanding.is_whole => {
                if is_won {
                    0
                } else {
                    self.amount_minor
                }
            }
            // In another currency the same money comes back as another amount, at the rate of that day.
            outstanding if is_won && outstanding.may_be_exchange_rate => 0,
            // A part is back, however small a rounded one is.
            outstanding if is_won => outstanding.minor.min(self.amount_minor.saturating_sub(1)),
            outstanding => outstanding.minor,
        }
    }

    /// Whether any of its money is with the customer.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.reversed_minor() > 0
    }

    /// Whether a dispute in this state has no money, whatever moved before.
    #[must_use]
    pub fn never_takes(status: &str) -> bool {
        matches!(status, "warning_needs_response" | "warning_under_review" | "warning_closed" | "prevented")
    }

    /// Why a person should look at it: its status and its movements do not go together, so that the amount that
    /// [`Self::reversed_minor`] gives may be more or less than what is really gone.
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

    /// What left and did not come back, by the movements alone. A withdrawal that they do not show counts as made: at
    /// least the dispute's amount left. What came back counts only in the currency in which it left, or in the dispute's.
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
        // The share of a whole withdrawal that is out, in the dispute's currency, rounded against the customer's favour.
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

    /// Whether all that left did so in one other currency. If it left in several, nothing can be said of any.
    fn is_exchanged(&self) -> bool {
        let mut currencies = self.movements.iter().map(|movement| movement.currency.as_str());
        let Some(first) = currencies.next() else { return false };
        let left = self.movements.iter().any(|movement| movement.amount_minor < 0);
        first != self.currency && left && currencies.all(|currency| currency == first)
    }
}

/// Of a dispute that was won and whose money came back in another currency, less than one fourth may be missing: so much
/// can a rate of exchange move while a dispute lasts. More is a part that was lost.
const RATE_MOVES_BY_LESS_THAN: i128 = 4;

/// What of a dispute's money is out, by its movements.
struct Outstanding {
    /// How much, in minor units of the dispute's currency.
    minor: i64,
    /// All of it.
    is_whole: bool,
    /// The movements are in another currency than the dispute.
    is_exchanged: bool,
    /// So little that a rate of exchange alone explains it.
    may_be_exchange_rate: bool,
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
