//! Parses events about declined payments, charges, refunds and disputes.
//!
//! Refunds and disputes do not carry our metadata, only their payment's id; the top-up is found later. A charge has a
//! copy of its payment's metadata.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::checkout::Declined;
use crate::domain::ids::{ChargeId, DisputeId, FeeId, PaymentId, TopupId};
use crate::domain::reversal::{RefundReport, amount, word};
use crate::providers::event::{EventSubject, FeeKnown, PaymentRefunded, ProviderEvent};
use crate::providers::stripe::event::{Head, NO_PAYMENT, Unreadable, from_object};
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::{
    Charge, IdOnly, List, Marked, OfPayment, PaymentIntent, Refund, payment_intent,
};

/// A declined payment, with Stripe's most specific code for the reason.
pub(super) fn declined(object: &str, topup: TopupId, head: Head) -> Result<ProviderEvent, String> {
    let payment: PaymentIntent = from_object(object)?;
    let code = payment.last_payment_error.and_then(|error| error.decline_code.or(error.code));
    let code = word(code.as_deref().unwrap_or("unknown"));
    Ok(ProviderEvent::PaymentDeclined(Declined { event: head.event, livemode: head.livemode, topup, code }))
}

/// A charge's refunds, which may be incomplete.
#[derive(Deserialize)]
struct RefundedCharge<'o> {
    #[serde(default)]
    amount_refunded: Option<i64>,
    /// Parsed separately, so that an unreadable list does not lose the sum.
    #[serde(default, borrow)]
    refunds: Option<&'o RawValue>,
}

/// A charge whose fee may be known: it is, once the charge has a balance transaction.
pub(super) fn charge(object: &str, topup: TopupId, head: Head) -> Result<ProviderEvent, String> {
    let charge: Charge = from_object(object)?;
    let Some(payment_intent) = payment_intent(charge.payment_intent)? else { return Ok(NO_PAYMENT) };
    let Some(movement) = charge.balance_transaction else {
        return Ok(ProviderEvent::Foreign { reason: "the charge's fee is not known yet" });
    };
    Ok(ProviderEvent::FeeKnown(FeeKnown {
        event: head.event,
        livemode: head.livemode,
        topup,
        payment: payment_intent,
        charge: ChargeId::parse(NAME, charge.id).map_err(|error| error.to_string())?,
        fee_id: FeeId::parse(NAME, movement.into_id()).map_err(|error| error.to_string())?,
    }))
}

/// `amount_refunded` is the sum of all refunds so far, not one refund. It only shows whether the event contains them
/// all.
pub(super) fn charge_refunded(
    object: &str,
    head: &dyn Fn() -> Result<Head, String>,
) -> Result<ProviderEvent, Unreadable> {
    let payment_intent = payment_intent(from_object::<OfPayment>(object)?.payment_intent)?;
    let Some(payment_intent) = payment_intent else { return Ok(NO_PAYMENT) };
    let topup = from_object::<Marked<'_>>(object)?.topup();
    let subject = topup.clone().map_or_else(|| EventSubject::Payment(payment_intent.clone()), EventSubject::Topup);
    let head = head().map_err(Unreadable::about(subject))?;
    // An unreadable list is fetched, like a missing one.
    let charge = from_object::<RefundedCharge<'_>>(object).ok();
    let amount_refunded_minor = charge.as_ref().and_then(|charge| charge.amount_refunded).and_then(amount);
    let refunds = charge.and_then(RefundedCharge::all_refunds);
    let (event, livemode) = (head.event, head.livemode);
    let refunded = PaymentRefunded { event, livemode, payment: payment_intent, topup, amount_refunded_minor, refunds };
    Ok(ProviderEvent::PaymentRefunded(refunded))
}

impl RefundedCharge<'_> {
    /// All refunds of the charge, if the event contains them all and they can be parsed.
    fn all_refunds(self) -> Option<Vec<RefundReport>> {
        let list: List<Refund> = serde_json::from_str(self.refunds?.get()).ok()?;
        let complete = Some(list).filter(|refunds| !refunds.has_more)?.data;
        let refunds = complete.into_iter().map(Refund::report).collect::<Result<Vec<_>, _>>().ok()?;
        let counting = refunds.iter().filter(|refund| refund.status.counts());
        let sum = counting.map(|refund| refund.amount_minor).try_fold(0_i64, i64::checked_add)?;
        (self.amount_refunded == Some(sum)).then_some(refunds)
    }
}

pub(super) fn refund(object: &str, _: PaymentId, head: Head) -> Result<ProviderEvent, String> {
    let refund: Refund = from_object(object)?;
    Ok(ProviderEvent::RefundChanged { event: head.event, livemode: head.livemode, refund: refund.report()? })
}

/// Only the dispute's id: the state in the event may be older than the stored one.
pub(super) fn dispute(object: &str, payment_intent: PaymentId, head: Head) -> Result<ProviderEvent, String> {
    let dispute: IdOnly = from_object(object)?;
    Ok(ProviderEvent::DisputeChanged {
        event: head.event,
        livemode: head.livemode,
        dispute: DisputeId::parse(NAME, dispute.id).map_err(|error| error.to_string())?,
        payment: payment_intent,
    })
}
