//! The states of objects in words, with the colour of their badges.

use crate::{
    model::{
        card::Decline,
        dispute::{Dispute, DisputeStatus},
        payment::{Charge, IntentStatus, PaymentIntent},
        refund::RefundStatus,
        session::{Session, SessionStatus},
    },
    outage::OutageKind,
};

/// A class and a word.
pub(super) type State = (&'static str, &'static str);

/// The state of a paid charge: what came back since.
fn paid(charge: Option<&Charge>, open_dispute: Option<&Dispute>) -> State {
    match charge {
        _ if open_dispute.is_some_and(|dispute| !dispute.status.is_inquiry()) => ("bad", "disputed"),
        _ if open_dispute.is_some() => ("wait", "paid, inquiry"),
        Some(charge) if charge.amount_refunded > 0 && charge.left() == 0 => ("quiet", "refunded"),
        Some(charge) if charge.amount_refunded > 0 => ("good", "paid, partly refunded"),
        _ => ("good", "paid"),
    }
}

/// The state of a payment, with or without a session.
pub(super) fn payment(
    session: Option<&Session>,
    intent: Option<&PaymentIntent>,
    charge: Option<&Charge>,
    open_dispute: Option<&Dispute>,
) -> State {
    let status = intent.map(|intent| intent.status);
    let was_declined = intent.is_some_and(|intent| intent.last_error.is_some());
    match (session.map(|session| session.status), status) {
        (_, Some(IntentStatus::Succeeded)) => paid(charge, open_dispute),
        (Some(SessionStatus::Expired), _) => ("quiet", "expired"),
        (_, Some(IntentStatus::Processing)) => ("wait", "processing"),
        (_, Some(IntentStatus::RequiresAction)) => ("wait", "waits for 3-D Secure"),
        (_, Some(IntentStatus::RequiresCapture)) => ("wait", "reserved"),
        (_, Some(IntentStatus::Canceled)) => ("quiet", "canceled"),
        (Some(SessionStatus::Open), _) if was_declined => ("wait", "open, declined once"),
        (Some(SessionStatus::Open), _) => ("wait", "open"),
        (Some(SessionStatus::Complete), _) if session.is_some_and(|session| session.paid) => ("good", "paid"),
        (Some(SessionStatus::Complete), _) => ("bad", "failed"),
        (None, Some(IntentStatus::RequiresConfirmation)) => ("wait", "waits for confirmation"),
        (None, _) if was_declined => ("bad", "declined"),
        (None, _) => ("wait", "waits for a payment method"),
    }
}

pub(super) fn refund(status: RefundStatus) -> State {
    match status {
        RefundStatus::Pending => ("wait", "pending"),
        RefundStatus::RequiresAction => ("wait", "waits for the customer"),
        RefundStatus::Succeeded => ("good", "succeeded"),
        RefundStatus::Failed => ("bad", "failed"),
        RefundStatus::Canceled => ("quiet", "canceled"),
    }
}

pub(super) fn dispute(status: DisputeStatus) -> State {
    match status {
        DisputeStatus::WarningNeedsResponse => ("wait", "inquiry: needs a response"),
        DisputeStatus::WarningUnderReview => ("wait", "inquiry: under review"),
        DisputeStatus::WarningClosed => ("quiet", "inquiry closed"),
        DisputeStatus::NeedsResponse => ("bad", "needs a response"),
        DisputeStatus::UnderReview => ("wait", "under review"),
        DisputeStatus::Won => ("good", "won"),
        DisputeStatus::Lost => ("quiet", "lost"),
        DisputeStatus::AppealUnderReview => ("wait", "appeal of the bank"),
    }
}

/// Why a payment was declined. The customer of a test card sees no more than Stripe's message.
pub(super) fn decline(decline: Decline) -> String {
    match decline.decline_code() {
        Some(code) => format!("{} ({code})", decline.message()),
        None => format!("{} ({})", decline.message(), decline.code()),
    }
}

/// A reason such as `product_not_received` in words.
pub(super) fn reason(text: &str) -> String {
    text.replace('_', " ")
}

/// How requests fail in an outage.
pub(super) fn outage(kind: OutageKind) -> &'static str {
    match kind {
        OutageKind::RateLimited => "answered with 429, too many requests",
        OutageKind::ServerError => "answered with 500, an error of Stripe's",
        OutageKind::Timeout => "not answered",
        OutageKind::Unreachable => "cut off: the connection is closed",
    }
}

/// `1 event`, `2 events`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
