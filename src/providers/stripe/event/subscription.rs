//! Parses events about subscriptions, their invoices, and the checkouts that begin them.
//!
//! Only names are read: the same object has another shape in another API version, and may be older than what is stored.
//! `invoice.created` is not among the types: nothing is done with it, and Stripe delays a renewal by up to three days if
//! an endpoint is slow to acknowledge it.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::ids::{CustomerId, InvoiceId, SubscriptionId};
use crate::providers::event::{CheckoutNotice, InvoiceNotice, ProviderEvent, SubscriptionNotice};
use crate::providers::stripe::event::{Head, NO_TOPUP_OF_OURS, Unreadable, from_object};
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::{
    Expandable, IdOnly, NamedInvoice, NamedSubscription, subscription_checkout_in,
};

const NO_SUBSCRIPTION: ProviderEvent = ProviderEvent::Foreign { reason: "an invoice of no subscription" };

fn customer(reference: Option<Expandable<IdOnly>>) -> Option<CustomerId> {
    CustomerId::parse(NAME, reference?.into_id()).ok()
}

fn subscription_id(id: String) -> Result<SubscriptionId, String> {
    SubscriptionId::parse(NAME, id).map_err(|error| error.to_string())
}

pub(super) fn changed(
    object: &str,
    head: &dyn Fn() -> Result<Head, String>,
    event_type: &str,
) -> Result<ProviderEvent, Unreadable> {
    let named: NamedSubscription = from_object(object)?;
    let Head { event, livemode, .. } = head()?;
    Ok(ProviderEvent::SubscriptionChanged(SubscriptionNotice {
        event,
        livemode,
        subscription: subscription_id(named.id)?,
        customer: customer(named.customer),
        trial_ends: event_type == "customer.subscription.trial_will_end",
    }))
}

/// An invoice of something else is not ours: one made by hand, or the receipt of a purchase.
pub(super) fn invoice(
    object: &str,
    head: &dyn Fn() -> Result<Head, String>,
    event_type: &str,
) -> Result<ProviderEvent, Unreadable> {
    let mut named: NamedInvoice = from_object(object)?;
    let (id, customer) = (std::mem::take(&mut named.id), customer(named.customer.take()));
    let Some(subscription) = named.subscription() else { return Ok(NO_SUBSCRIPTION) };
    let Head { event, livemode, .. } = head()?;
    Ok(ProviderEvent::InvoiceChanged(InvoiceNotice {
        event,
        livemode,
        invoice: InvoiceId::parse(NAME, id).map_err(|error| error.to_string())?,
        subscription: subscription_id(subscription)?,
        customer,
        needs_action: event_type == "invoice.payment_action_required",
    }))
}

#[derive(Deserialize)]
struct EndedSession {
    #[serde(default)]
    metadata: Option<Value>,
    #[serde(default)]
    subscription: Option<Expandable>,
}

/// A session that sells no credits at once: ours if its metadata names a checkout of a subscription.
pub(super) fn checkout(object: &str, head: &dyn Fn() -> Result<Head, String>) -> Result<ProviderEvent, Unreadable> {
    let Ok(session) = from_object::<EndedSession>(object) else { return Ok(NO_TOPUP_OF_OURS) };
    let Some(checkout) = session.metadata.as_ref().and_then(subscription_checkout_in) else {
        return Ok(NO_TOPUP_OF_OURS);
    };
    let Head { event, livemode, .. } = head()?;
    let subscription = session.subscription.map(|reference| subscription_id(reference.into_id())).transpose()?;
    Ok(ProviderEvent::SubscriptionCheckoutEnded(CheckoutNotice { event, livemode, checkout, subscription }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::ids::SubscriptionCheckoutId;
    use crate::providers::stripe::event::read;

    fn event(event_type: &str, object: &Value) -> ProviderEvent {
        let event = json!({ "id": "evt_1", "type": event_type, "livemode": false, "data": { "object": object } });
        read(event.to_string().as_bytes()).expect("readable")
    }

    #[test]
    fn an_invoice_names_its_subscription_in_both_shapes() {
        let shapes = [
            json!({ "id": "in_1", "customer": "cus_1", "subscription": "sub_1" }),
            json!({ "id": "in_1", "customer": { "id": "cus_1" }, "subscription": { "id": "sub_1" } }),
            json!({ "id": "in_1", "customer": "cus_1",
                "parent": { "type": "subscription_details", "subscription_details": { "subscription": "sub_1" } } }),
        ];
        for shape in shapes {
            let ProviderEvent::InvoiceChanged(notice) = event("invoice.paid", &shape) else { panic!("{shape}") };
            assert_eq!((notice.invoice.as_str(), notice.subscription.as_str()), ("in_1", "sub_1"));
            assert_eq!(notice.customer.as_ref().map(CustomerId::as_str), Some("cus_1"));
            assert!(!notice.needs_action);
        }
        let one_off = json!({ "id": "in_1", "customer": "cus_1", "parent": null, "subscription": null });
        assert_eq!(event("invoice.paid", &one_off), NO_SUBSCRIPTION);
        let failed = json!({ "id": "in_1", "subscription": "sub_1" });
        let ProviderEvent::InvoiceChanged(notice) = event("invoice.payment_action_required", &failed) else { panic!() };
        assert!(notice.needs_action && notice.customer.is_none());
    }

    #[test]
    fn the_end_of_a_trial_is_told_apart() {
        let object = json!({ "id": "sub_1", "customer": "cus_1", "status": "a status of later versions" });
        for (event_type, expected) in
            [("customer.subscription.trial_will_end", true), ("customer.subscription.updated", false)]
        {
            let ProviderEvent::SubscriptionChanged(notice) = event(event_type, &object) else { panic!("{event_type}") };
            assert_eq!((notice.trial_ends, notice.subscription.as_str()), (expected, "sub_1"));
        }
    }

    #[test]
    fn a_session_of_a_subscription_names_our_checkout() {
        let id = SubscriptionCheckoutId::from_bits(7);
        let ours = json!({ "id": "cs_1", "mode": "subscription", "subscription": "sub_1",
            "metadata": { "purpose": "credits_subscription", "checkoutId": id.as_str() } });
        let ProviderEvent::SubscriptionCheckoutEnded(notice) = event("checkout.session.completed", &ours) else {
            panic!("{ours}")
        };
        assert_eq!((notice.checkout, notice.subscription.is_some()), (id, true));
        for other in
            [json!({ "id": "cs_1" }), json!({ "id": "cs_1", "metadata": { "purpose": "credits_subscription" } })]
        {
            assert_eq!(event("checkout.session.completed", &other), NO_TOPUP_OF_OURS);
        }
    }

    #[test]
    fn a_new_draft_is_acknowledged_without_a_question() {
        let draft = json!({ "id": "in_1", "subscription": "sub_1" });
        assert!(matches!(event("invoice.created", &draft), ProviderEvent::Foreign { .. }));
    }
}
