//! Parses events about customers, saved cards, and payments that a saved card made without a checkout session.

use crate::domain::checkout::PurchaseReport;
use crate::domain::ids::{CustomerId, TopupId};
use crate::providers::event::{CardSaved, ProviderEvent};
use crate::providers::stripe::event::{Head, NO_TOPUP_OF_OURS, from_object};
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::{IdOnly, PaymentIntent, Session};

/// A payment that has succeeded. That of a checkout session is told of by the session's own event.
pub(super) fn charged(object: &str, _: TopupId, head: Head) -> Result<ProviderEvent, String> {
    let payment: PaymentIntent = from_object(object)?;
    let report = payment.report(Some(head.event))?;
    Ok(match report {
        Some(report) if report.livemode == head.livemode => {
            ProviderEvent::purchase(PurchaseReport { event_created_ms: head.created_ms, ..report })
        }
        Some(_) => return Err("livemode is not that of the payment".to_owned()),
        None => ProviderEvent::Foreign { reason: "the payment of a checkout session, which has its own event" },
    })
}

/// A session without a top-up: one that saved a card, or another application's.
pub(super) fn saved(session: Session, head: &dyn Fn() -> Result<Head, String>) -> Result<ProviderEvent, String> {
    if !session.is_card_setup() {
        return Ok(NO_TOPUP_OF_OURS);
    }
    let Head { event, livemode, .. } = head()?;
    if event.1 != "checkout.session.completed" {
        return Ok(ProviderEvent::Foreign { reason: "no card was saved" });
    }
    let saved = session.card_setup()?;
    let (account, customer, setup) = (saved.account, saved.customer, saved.setup);
    Ok(ProviderEvent::CardSaved(CardSaved { event, livemode, account, customer, setup }))
}

/// A deleted customer. Whose it was, our own row says.
pub(super) fn customer_deleted(object: &str, head: &dyn Fn() -> Result<Head, String>) -> Result<ProviderEvent, String> {
    let IdOnly { id } = from_object(object)?;
    let Head { event, livemode, .. } = head()?;
    let customer = CustomerId::parse(NAME, id).map_err(|error| error.to_string())?;
    Ok(ProviderEvent::CustomerDeleted { event, livemode, customer })
}
