//! Stripe's lists, page by page, for the comparison of the books.

use stripe_checkout::checkout_session::ListCheckoutSession;
use stripe_core::dispute::ListDispute;
use stripe_core::refund::ListRefund;
use stripe_shared::{CheckoutSession, PaymentIntent};
use stripe_types::{Expandable, RangeQueryTs};

use super::money::{PAGE, dispute_report, refund_report};
use super::{Transport, classify, not_understood, report, topup_of};
use crate::domain::checkout::PaymentReport;
use crate::domain::ids::TopupId;
use crate::domain::reversal::{DisputeReport, RefundReport};
use crate::ports::{GatewayError, ListPage};

pub(super) async fn checkouts(
    client: &impl Transport,
    since_seconds: i64,
    after: Option<&str>,
) -> Result<ListPage<PaymentReport>, GatewayError> {
    let mut list = ListCheckoutSession::new().created(RangeQueryTs::gte(since_seconds)).limit(PAGE);
    if let Some(after) = after {
        list = list.starting_after(after);
    }
    let page = list.send(client).await.map_err(classify)?;
    Ok(collect(page.data, page.has_more, |session| session.id.to_string(), report))
}

/// How many pages are looked through for the session of a top-up: about two sessions a second in the time after a failure.
const MAX_LOOKED_PAGES: usize = 20;
/// How far our clock and Stripe's may differ.
const CLOCK_DIFFERENCE_SECONDS: i64 = 300;

/// The newest session whose metadata names a top-up. Stripe has no filter for it, so the list is read; one that is not
/// read to its end proves nothing.
pub(super) async fn checkout_of(
    client: &impl Transport,
    topup: &TopupId,
    (from_ms, to_ms): (i64, i64),
) -> Result<Option<CheckoutSession>, GatewayError> {
    let within = within(from_ms, to_ms);
    let mut after: Option<String> = None;
    for _ in 0..MAX_LOOKED_PAGES {
        let mut list = ListCheckoutSession::new().created(within).limit(PAGE);
        if let Some(after) = &after {
            list = list.starting_after(after.as_str());
        }
        let page = list.send(client).await.map_err(classify)?;
        after = page.data.last().filter(|_| page.has_more).map(|session| session.id.to_string());
        let is_it = |session: &CheckoutSession| session.metadata.as_ref().and_then(topup_of).as_ref() == Some(topup);
        let found = page.data.into_iter().find(is_it);
        if found.is_some() || after.is_none() {
            return Ok(found);
        }
    }
    Err(not_understood("too many checkout sessions to find one"))
}

fn within(from_ms: i64, to_ms: i64) -> RangeQueryTs {
    let from = from_ms.div_euclid(1_000).saturating_sub(CLOCK_DIFFERENCE_SECONDS);
    let mut within = RangeQueryTs::gte(from);
    if let RangeQueryTs::Bounds(bounds) = &mut within {
        bounds.lte = Some(to_ms.div_euclid(1_000).saturating_add(CLOCK_DIFFERENCE_SECONDS));
    }
    within
}

pub(super) async fn refunds(
    client: &impl Transport,
    since_seconds: i64,
    after: Option<&str>,
) -> Result<ListPage<RefundReport>, GatewayError> {
    let request = || {
        let list = ListRefund::new().created(RangeQueryTs::gte(since_seconds)).limit(PAGE);
        match after {
            Some(after) => list.starting_after(after),
            None => list,
        }
    };
    let page = match request().expand(with_payment()).send(client).await.map_err(classify) {
        Err(error) if error.is_missing_permission() => request().send(client).await.map_err(classify)?,
        page => page?,
    };
    Ok(collect(
        page.data,
        page.has_more,
        |refund| refund.id.to_string(),
        |refund| {
            if is_foreign(refund.payment_intent.as_ref()) { Ok(None) } else { refund_report(refund).map(Some) }
        },
    ))
}

pub(super) async fn disputes(
    client: &impl Transport,
    since_seconds: i64,
    after: Option<&str>,
) -> Result<ListPage<DisputeReport>, GatewayError> {
    let request = || {
        let list = ListDispute::new().created(RangeQueryTs::gte(since_seconds)).limit(PAGE);
        match after {
            Some(after) => list.starting_after(after),
            None => list,
        }
    };
    let page = match request().expand(with_payment()).send(client).await.map_err(classify) {
        Err(error) if error.is_missing_permission() => request().send(client).await.map_err(classify)?,
        page => page?,
    };
    Ok(collect(
        page.data,
        page.has_more,
        |dispute| dispute.id.to_string(),
        |dispute| {
            if is_foreign(dispute.payment_intent.as_ref()) { Ok(None) } else { dispute_report(&dispute).map(Some) }
        },
    ))
}

/// A refund does not say whose payment it gives back; the payment does. With it in the list, other products' refunds on
/// the same Stripe account cost no question each. A key that may not read payments gets the list without them.
fn with_payment() -> [String; 1] {
    ["data.payment_intent".to_owned()]
}

/// Whether the payment says that it is not ours.
fn is_foreign(payment: Option<&Expandable<PaymentIntent>>) -> bool {
    match payment {
        Some(Expandable::Object(payment)) => topup_of(&payment.metadata).is_none(),
        Some(Expandable::Id(_)) => false,
        None => true,
    }
}

/// One thing that is not understood does not hide the others.
fn collect<S, T>(
    data: Vec<S>,
    has_more: bool,
    id: impl Fn(&S) -> String,
    read: impl Fn(S) -> Result<Option<T>, GatewayError>,
) -> ListPage<T> {
    let next = data.last().filter(|_| has_more).map(&id);
    let mut page = ListPage { items: Vec::new(), unreadable: Vec::new(), next };
    for item in data {
        let name = id(&item);
        match read(item) {
            Ok(Some(item)) => page.items.push(item),
            Ok(None) => {}
            Err(error) => page.unreadable.push(format!("{name}: {error}")),
        }
    }
    page
}
