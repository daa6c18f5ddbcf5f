//! Whether a refund or dispute is what the stored row says.

use crate::domain::ids::PaymentId;
use crate::domain::reversal::{DisputeReport, RefundReport, RefundStatus};
use crate::purchases::reversal::reversals::Reversal;

/// The result of comparing a report with the stored row.
pub(crate) enum Compared {
    Same,
    News(String),
    Contradiction(String),
}

/// Compares a refund.
pub(crate) fn compare_refund(refund: &RefundReport, stored: Option<&Reversal>) -> Compared {
    let status = refund.status.as_str();
    let Some(stored) = stored else {
        return Compared::News(format!("a refund of {} that is {status}", refund.amount_minor));
    };
    let payment = refund.payment.as_ref().map(PaymentId::as_str);
    if let Some(contradiction) = other_money(stored, payment, &refund.currency) {
        return contradiction;
    }
    if stored.amount != refund.amount_minor {
        return Compared::Contradiction(format!("{} here, {} at Stripe", stored.amount, refund.amount_minor));
    }
    if stored.status == status {
        return Compared::Same;
    }
    let stage = RefundStatus::parse(&stored.status).map_or(0, RefundStatus::stage);
    match stage.cmp(&refund.status.stage()) {
        std::cmp::Ordering::Less => Compared::News(format!("{} here, {status} at Stripe", stored.status)),
        std::cmp::Ordering::Equal if stage < 2 => Compared::News(format!("{} here, {status} at Stripe", stored.status)),
        _ => Compared::Contradiction(format!("{} here, {status} at Stripe", stored.status)),
    }
}

/// Compares a dispute.
pub(crate) fn compare_dispute(dispute: &DisputeReport, stored: Option<&Reversal>) -> Compared {
    let Some(stored) = stored else {
        return Compared::News(format!("a dispute of {} that is {}", dispute.amount_minor, dispute.status));
    };
    let payment = dispute.payment.as_ref().map(PaymentId::as_str);
    if let Some(contradiction) = other_money(stored, payment, &dispute.currency) {
        return contradiction;
    }
    let (here, there) = (stored.reversed_minor(), dispute.reversed_minor());
    if stored.status == dispute.status && stored.amount == dispute.amount_minor && here == there {
        return Compared::Same;
    }
    let (was, is) = (&stored.status, &dispute.status);
    Compared::News(format!("{was} and {here} gone here, {is} and {there} gone at Stripe"))
}

fn other_money(stored: &Reversal, payment: Option<&str>, currency: &str) -> Option<Compared> {
    if Some(stored.provider_payment_id.as_str()) != payment {
        return Some(Compared::Contradiction("it belongs to another payment at Stripe".to_owned()));
    }
    (stored.currency != currency)
        .then(|| Compared::Contradiction(format!("{} here, {currency} at Stripe", stored.currency)))
}
