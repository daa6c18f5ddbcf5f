//! Stripe's lists, page by page, for the reconciliation.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use stripe_checkout::checkout_session::ListCheckoutSession;
use stripe_core::dispute::ListDispute;
use stripe_core::refund::ListRefund;
use stripe_types::RangeQueryTs;

use crate::domain::checkout::PurchaseReport;
use crate::domain::ids::{CustomerId, TopupId};
use crate::domain::reversal::{DisputeReport, RefundReport};
use crate::providers::port::{ListPage, ProviderError};
use crate::providers::stripe::gateway::call::{ask_list, ask_list_or_without};
use crate::providers::stripe::gateway::checkout::report;
use crate::providers::stripe::gateway::failure::not_understood;
use crate::providers::stripe::gateway::money::{PAGE, dispute_report, refund_report};
use crate::providers::stripe::objects::{Dispute, Expandable, IdOnly, List, Marked, PaymentIntent, Refund, Session};
use crate::providers::stripe::transport::Transport;

/// A page whose objects are parsed one by one, so that an unreadable one does not hide the others.
pub(super) type Page = List<Box<RawValue>>;

pub(super) async fn checkouts(
    transport: &impl Transport,
    since_seconds: i64,
    after: Option<&str>,
) -> Result<ListPage<PurchaseReport>, ProviderError> {
    let mut list = ListCheckoutSession::new().created(RangeQueryTs::gte(since_seconds)).limit(PAGE);
    if let Some(after) = after {
        list = list.starting_after(after);
    }
    collect(ask_list(transport, &list).await?, read_session)
}

/// The most pages to search for a top-up's session: about two sessions a second in the time after a failure.
const MAX_LOOKED_PAGES: usize = 20;
/// How far our clock and Stripe's may differ, in seconds.
const CLOCK_DIFFERENCE_SECONDS: i64 = 300;

/// The newest session whose metadata names the top-up. Stripe has no filter for metadata, so the list is read; a list
/// that was not read to its end proves nothing.
pub(super) async fn checkout_of(
    transport: &impl Transport,
    topup: &TopupId,
    (from_ms, to_ms): (i64, i64),
) -> Result<Option<Session>, ProviderError> {
    let within = within(from_ms, to_ms);
    let mut after: Option<String> = None;
    for _ in 0..MAX_LOOKED_PAGES {
        let mut list = ListCheckoutSession::new().created(within).limit(PAGE);
        if let Some(after) = &after {
            list = list.starting_after(after.as_str());
        }
        let page: Page = ask_list(transport, &list).await?;
        if let Some(found) = page.data.iter().find(|session| is_of(session, topup)) {
            return read(found).map(Some);
        }
        after = next(&page)?;
        if after.is_none() {
            return Ok(None);
        }
    }
    Err(not_understood("too many checkout sessions to find one"))
}

fn is_of(session: &RawValue, topup: &TopupId) -> bool {
    topup_of(session).as_ref() == Some(topup)
}

pub(super) fn within(from_ms: i64, to_ms: i64) -> RangeQueryTs {
    let from = from_ms.div_euclid(1_000).saturating_sub(CLOCK_DIFFERENCE_SECONDS);
    let mut within = RangeQueryTs::gte(from);
    if let RangeQueryTs::Bounds(bounds) = &mut within {
        bounds.lte = Some(to_ms.div_euclid(1_000).saturating_add(CLOCK_DIFFERENCE_SECONDS));
    }
    within
}

pub(super) async fn refunds(
    transport: &impl Transport,
    since_seconds: i64,
    after: Option<&str>,
) -> Result<ListPage<RefundReport>, ProviderError> {
    let request = || {
        let list = ListRefund::new().created(RangeQueryTs::gte(since_seconds)).limit(PAGE);
        match after {
            Some(after) => list.starting_after(after),
            None => list,
        }
    };
    let page = ask_list_or_without(transport, &request().expand(with_payment()), &request()).await?;
    collect(page, |refund| {
        let refund: Refund = read(refund)?;
        if is_foreign(refund.payment_intent.as_ref()) {
            return Ok(None);
        }
        let stranger = stranger(refund.payment_intent.as_ref());
        Ok(Some(RefundReport { stranger, ..refund_report(refund)? }))
    })
}

pub(super) async fn disputes(
    transport: &impl Transport,
    since_seconds: i64,
    after: Option<&str>,
) -> Result<ListPage<DisputeReport>, ProviderError> {
    let request = || {
        let list = ListDispute::new().created(RangeQueryTs::gte(since_seconds)).limit(PAGE);
        match after {
            Some(after) => list.starting_after(after),
            None => list,
        }
    };
    let page = ask_list_or_without(transport, &request().expand(with_payment()), &request()).await?;
    collect(page, |dispute| {
        let dispute: Dispute = read(dispute)?;
        if is_foreign(dispute.payment_intent.as_ref()) {
            return Ok(None);
        }
        let stranger = stranger(dispute.payment_intent.as_ref());
        Ok(Some(DisputeReport { stranger, ..dispute_report(dispute)? }))
    })
}

/// A refund does not name its top-up; its payment does. Expanding the payment saves one request for each refund of
/// another product on the same Stripe account. An API key that may not read payments gets the list without them.
fn with_payment() -> [String; 1] {
    ["data.payment_intent".to_owned()]
}

/// Whether the expanded payment shows that it is not ours. That of a subscription's invoice names no top-up.
fn is_foreign(payment: Option<&Expandable<PaymentIntent>>) -> bool {
    match payment {
        Some(Expandable::Object(payment)) => payment.topup().is_none() && payment.customer().is_none(),
        Some(Expandable::Id(_)) => false,
        None => true,
    }
}

/// The customer of an expanded payment that names no top-up.
fn stranger(payment: Option<&Expandable<PaymentIntent>>) -> Option<Box<CustomerId>> {
    match payment {
        Some(Expandable::Object(payment)) if payment.topup().is_none() => payment.customer().map(Box::new),
        _ => None,
    }
}

/// Parses a session only if it is ours: other applications may have any metadata.
fn read_session(session: &RawValue) -> Result<Option<PurchaseReport>, ProviderError> {
    if topup_of(session).is_none() { Ok(None) } else { report(read(session)?) }
}

fn topup_of(object: &RawValue) -> Option<TopupId> {
    serde_json::from_str::<Marked<'_>>(object.get()).ok()?.topup()
}

fn read<T: DeserializeOwned>(object: &RawValue) -> Result<T, ProviderError> {
    serde_json::from_str(object.get()).map_err(not_understood)
}

/// The cursor of the next page; `None` on the last one.
fn next(page: &Page) -> Result<Option<String>, ProviderError> {
    page.data.last().filter(|_| page.has_more).map(|last| read(last).map(|IdOnly { id }| id)).transpose()
}

pub(super) fn collect<T>(
    page: Page,
    read_one: impl Fn(&RawValue) -> Result<Option<T>, ProviderError>,
) -> Result<ListPage<T>, ProviderError> {
    let mut collected = ListPage { items: Vec::new(), unreadable: Vec::new(), next: next(&page)? };
    for object in page.data {
        match read_one(&object) {
            Ok(item) => collected.items.extend(item),
            Err(error) => collected.unreadable.push(format!("{}: {error}", name(&object))),
        }
    }
    Ok(collected)
}

fn name(object: &RawValue) -> String {
    serde_json::from_str(object.get()).map_or_else(|_| "an object without an id".to_owned(), |IdOnly { id }| id)
}

#[cfg(test)]
#[path = "lists_tests.rs"]
mod tests;
