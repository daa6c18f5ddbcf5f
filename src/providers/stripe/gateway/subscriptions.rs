//! Subscriptions. Source: Stripe's API reference, "Subscriptions", "Subscription Schedules", "Create a preview invoice".

use serde::Serialize;
use serde_json::value::RawValue;
use stripe_client_core::{RequestBuilder, StripeMethod};

use crate::domain::ids::{PriceId, SubscriptionId};
use crate::domain::plan::Interval;
use crate::domain::subscription::SubscriptionReport;
use crate::providers::port::{ChangePreview, FeeChange, ListPage, PriceChange, ProviderError};
use crate::providers::stripe::gateway::call::{answer_to, read};
use crate::providers::stripe::gateway::failure::not_understood;
use crate::providers::stripe::gateway::lists::collect;
use crate::providers::stripe::gateway::money::PAGE;
use crate::providers::stripe::objects::{IdOnly, List, Subscription};
use crate::providers::stripe::transport::Transport;

const SUBSCRIPTIONS: &str = "/subscriptions";
const SCHEDULES: &str = "/subscription_schedules";

async fn report_of(transport: &impl Transport, request: RequestBuilder) -> Result<SubscriptionReport, ProviderError> {
    let subscription: Subscription = read(&answer_to(transport, request, None).await?)?;
    subscription.report().map_err(not_understood)
}

pub(super) async fn read_subscription(
    transport: &impl Transport,
    id: &SubscriptionId,
) -> Result<SubscriptionReport, ProviderError> {
    report_of(transport, RequestBuilder::new(StripeMethod::Get, format!("{SUBSCRIPTIONS}/{id}"))).await
}

/// Unpaid usage does not exist here, so nothing is invoiced and nothing is given back.
pub(super) async fn cancel_now(
    transport: &impl Transport,
    id: &SubscriptionId,
) -> Result<SubscriptionReport, ProviderError> {
    report_of(transport, RequestBuilder::new(StripeMethod::Delete, format!("{SUBSCRIPTIONS}/{id}"))).await
}

#[derive(Serialize)]
struct EndFlag {
    cancel_at_period_end: bool,
}

#[derive(Serialize)]
struct EndTime {
    cancel_at: &'static str,
}

/// An end that the portal decided stands in another field, which is emptied.
pub(super) async fn cancel_at_period_end(
    transport: &impl Transport,
    subscription: &SubscriptionReport,
    ends: bool,
) -> Result<SubscriptionReport, ProviderError> {
    let request = RequestBuilder::new(StripeMethod::Post, format!("{SUBSCRIPTIONS}/{}", subscription.id));
    let is_time = !ends && !subscription.cancels_at_period_end && subscription.cancel_at_seconds.is_some();
    let request = if is_time {
        request.form(&EndTime { cancel_at: "" })
    } else {
        request.form(&EndFlag { cancel_at_period_end: ends })
    };
    report_of(transport, request).await
}

#[derive(Serialize)]
struct ChangedItem<'c> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<bool>,
}

/// Every item is named: one without its id would be added beside the old one.
fn items(change: &PriceChange) -> Vec<ChangedItem<'_>> {
    let mut items =
        vec![ChangedItem { id: Some(&change.plan.item), price: Some(change.plan.price.as_str()), deleted: None }];
    match &change.fee {
        Some(FeeChange::Changed(fee)) => {
            items.push(ChangedItem { id: Some(&fee.item), price: Some(fee.price.as_str()), deleted: None });
        }
        Some(FeeChange::Added(price)) => {
            items.push(ChangedItem { id: None, price: Some(price.as_str()), deleted: None });
        }
        Some(FeeChange::Removed(item)) => {
            items.push(ChangedItem { id: Some(item), price: None, deleted: Some(true) });
        }
        None => {}
    }
    items
}

#[derive(Serialize)]
struct Change<'c> {
    items: Vec<ChangedItem<'c>>,
    proration_behavior: &'static str,
    payment_behavior: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    proration_date: Option<i64>,
}

/// The difference is paid at once, and nothing changes unless it is.
pub(super) async fn change_now(
    transport: &impl Transport,
    change: &PriceChange,
) -> Result<SubscriptionReport, ProviderError> {
    let form = Change {
        items: items(change),
        proration_behavior: "always_invoice",
        payment_behavior: "pending_if_incomplete",
        proration_date: change.from_seconds,
    };
    let path = format!("{SUBSCRIPTIONS}/{}", change.subscription);
    report_of(transport, RequestBuilder::new(StripeMethod::Post, path).form(&form)).await
}

#[derive(Serialize)]
struct Preview<'c> {
    subscription: &'c str,
    subscription_details: PreviewDetails<'c>,
}

#[derive(Serialize)]
struct PreviewDetails<'c> {
    items: Vec<ChangedItem<'c>>,
    proration_behavior: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    proration_date: Option<i64>,
}

#[derive(serde::Deserialize)]
struct PreviewedInvoice {
    amount_due: i64,
    total: i64,
    currency: String,
}

pub(super) async fn preview_change(
    transport: &impl Transport,
    change: &PriceChange,
) -> Result<ChangePreview, ProviderError> {
    let form = Preview {
        subscription: change.subscription.as_str(),
        subscription_details: PreviewDetails {
            items: items(change),
            proration_behavior: "always_invoice",
            proration_date: change.from_seconds,
        },
    };
    let request = RequestBuilder::new(StripeMethod::Post, "/invoices/create_preview").form(&form);
    let PreviewedInvoice { amount_due, total, currency } = read(&answer_to(transport, request, None).await?)?;
    // What is negative in total is kept for later invoices.
    let amount_due_minor = if total < 0 { total } else { amount_due };
    Ok(ChangePreview { amount_due_minor, total_minor: total, currency })
}

#[derive(Serialize)]
struct FromSubscription<'s> {
    from_subscription: &'s str,
}

#[derive(Serialize)]
struct Schedule<'s> {
    end_behavior: &'static str,
    phases: [Phase<'s>; 2],
}

#[derive(Serialize)]
struct Phase<'s> {
    items: Vec<PhaseItem<'s>>,
    proration_behavior: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<Duration>,
}

#[derive(Serialize)]
struct PhaseItem<'s> {
    price: &'s str,
    quantity: u8,
}

fn phase_items<'p>(prices: impl Iterator<Item = &'p PriceId>) -> Vec<PhaseItem<'p>> {
    prices.map(|price| PhaseItem { price: price.as_str(), quantity: 1 }).collect()
}

#[derive(Serialize)]
struct Duration {
    interval: &'static str,
    interval_count: i64,
}

/// A schedule with two phases: what runs until the end of the period, and one period of what comes after. It lets the
/// subscription go after that, which then goes on as it is.
pub(super) async fn change_at_period_end(
    transport: &impl Transport,
    subscription: &SubscriptionReport,
    prices: &[PriceId],
    interval: Interval,
) -> Result<(), ProviderError> {
    let item = subscription.items.first().ok_or_else(|| not_understood("the subscription has no items"))?;
    let missing = || not_understood("the subscription has no period");
    let (start, end) = item.period_start_seconds.zip(item.period_end_seconds).ok_or_else(missing)?;
    let schedule = if let Some(schedule) = &subscription.schedule {
        schedule.clone()
    } else {
        let form = FromSubscription { from_subscription: subscription.id.as_str() };
        let request = RequestBuilder::new(StripeMethod::Post, SCHEDULES).form(&form);
        read::<IdOnly>(&answer_to(transport, request, None).await?)?.id
    };
    let present = phase_items(subscription.items.iter().map(|item| &item.price));
    let next = phase_items(prices.iter());
    let duration = Duration { interval: interval.unit.as_str(), interval_count: interval.count };
    let form = Schedule {
        end_behavior: "release",
        phases: [
            Phase {
                items: present,
                proration_behavior: "none",
                start_date: Some(start),
                end_date: Some(end),
                duration: None,
            },
            Phase {
                items: next,
                proration_behavior: "none",
                start_date: None,
                end_date: None,
                duration: Some(duration),
            },
        ],
    };
    let request = RequestBuilder::new(StripeMethod::Post, schedule_path(&schedule, "")?).form(&form);
    read::<IdOnly>(&answer_to(transport, request, None).await?).map(drop)
}

pub(super) async fn release_change(transport: &impl Transport, schedule: &str) -> Result<(), ProviderError> {
    let request = RequestBuilder::new(StripeMethod::Post, schedule_path(schedule, "/release")?);
    match answer_to(transport, request, None).await {
        Ok(answer) => read::<IdOnly>(&answer).map(drop),
        // It was released meanwhile, by another process or by its end.
        Err(ProviderError::Unknown(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

fn schedule_path(schedule: &str, action: &str) -> Result<String, ProviderError> {
    if schedule.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Ok(format!("{SCHEDULES}/{schedule}{action}"));
    }
    Err(not_understood("the id of a schedule"))
}

#[derive(Serialize)]
pub(super) struct PageOf<'a> {
    limit: i64,
    status: &'static str,
    created: Since,
    #[serde(skip_serializing_if = "Option::is_none")]
    starting_after: Option<&'a str>,
}

#[derive(Serialize)]
struct Since {
    gte: i64,
}

impl<'a> PageOf<'a> {
    pub(super) const fn new(status: &'static str, since_seconds: i64, after: Option<&'a str>) -> Self {
        Self { limit: PAGE, status, created: Since { gte: since_seconds }, starting_after: after }
    }
}

pub(super) async fn list(
    transport: &impl Transport,
    since_seconds: i64,
    after: Option<&str>,
) -> Result<ListPage<SubscriptionReport>, ProviderError> {
    let filter = PageOf::new("all", since_seconds, after);
    let request = RequestBuilder::new(StripeMethod::Get, SUBSCRIPTIONS).query(&filter);
    let page: List<Box<RawValue>> = read(&answer_to(transport, request, None).await?)?;
    collect(page, |text| {
        let subscription: Subscription = serde_json::from_str(text.get()).map_err(not_understood)?;
        subscription.report().map(Some).map_err(not_understood)
    })
}
