//! Subscriptions, in the shapes of all API versions.
//!
//! Since 2025-03-31.basil the period stands in the items. A subscription ends soon if either of two fields says so: the
//! portal writes `cancel_at`, the API's flag is `cancel_at_period_end`.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::ids::{CustomerId, InvoiceId, PriceId, SubscriptionId};
use crate::domain::subscription::{SubscriptionItem, SubscriptionReport, SubscriptionStatus};
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::fields::{Expandable, IdOnly, List};

#[derive(Deserialize)]
pub(in crate::providers::stripe) struct Subscription {
    id: String,
    #[serde(default)]
    customer: Option<Expandable>,
    #[serde(default)]
    livemode: Option<bool>,
    status: String,
    #[serde(default)]
    metadata: Option<Value>,
    items: List<Item>,
    #[serde(default)]
    current_period_start: Option<i64>,
    #[serde(default)]
    current_period_end: Option<i64>,
    #[serde(default)]
    trial_start: Option<i64>,
    #[serde(default)]
    trial_end: Option<i64>,
    #[serde(default)]
    cancel_at: Option<i64>,
    #[serde(default)]
    cancel_at_period_end: Option<bool>,
    #[serde(default)]
    canceled_at: Option<i64>,
    #[serde(default)]
    ended_at: Option<i64>,
    #[serde(default)]
    cancellation_details: Option<CancellationDetails>,
    #[serde(default)]
    latest_invoice: Option<Expandable>,
    #[serde(default)]
    schedule: Option<Expandable>,
    #[serde(default)]
    pending_update: Option<Value>,
    created: i64,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    #[serde(default)]
    price: Option<Expandable<Price>>,
    #[serde(default)]
    plan: Option<Expandable<Price>>,
    #[serde(default)]
    current_period_start: Option<i64>,
    #[serde(default)]
    current_period_end: Option<i64>,
}

#[derive(Deserialize)]
struct Price {
    id: String,
    #[serde(default)]
    product: Option<Expandable>,
}

#[derive(Deserialize)]
struct CancellationDetails {
    #[serde(default)]
    reason: Option<String>,
}

impl Subscription {
    /// The subscription's report.
    pub(in crate::providers::stripe) fn report(self) -> Result<SubscriptionReport, String> {
        if self.items.has_more {
            return Err("the subscription has more items than fit on a page".to_owned());
        }
        let customer = self.customer.ok_or("the subscription has no customer")?.into_id();
        let period = (self.current_period_start, self.current_period_end);
        let items = self.items.data.into_iter().map(|item| item.read(period)).collect::<Result<Vec<_>, String>>()?;
        let text = |field: &str| self.metadata.as_ref().and_then(|metadata| metadata.get(field)?.as_str());
        let latest_invoice = self.latest_invoice.map(Expandable::into_id);
        let ends_with_period = self.cancel_at_period_end.unwrap_or(false);
        let period_end = items.iter().filter_map(|item| item.period_end_seconds).min();
        Ok(SubscriptionReport {
            account: text("accountId").map(str::to_owned),
            id: SubscriptionId::parse(NAME, self.id).map_err(|error| error.to_string())?,
            customer: CustomerId::parse(NAME, customer).map_err(|error| error.to_string())?,
            livemode: self.livemode.ok_or("the subscription has no livemode")?,
            status: SubscriptionStatus::parse(&self.status).ok_or(format!("its status is {}", self.status))?,
            trial_start_seconds: self.trial_start,
            trial_end_seconds: self.trial_end,
            cancel_at_seconds: self.cancel_at.or(period_end.filter(|_| ends_with_period)),
            cancels_at_period_end: ends_with_period,
            canceled_at_seconds: self.canceled_at,
            ended_at_seconds: self.ended_at,
            cancel_reason: self.cancellation_details.and_then(|details| details.reason),
            latest_invoice: latest_invoice
                .map(|id| InvoiceId::parse(NAME, id))
                .transpose()
                .map_err(|error| error.to_string())?,
            schedule: self.schedule.map(Expandable::into_id),
            is_update_pending: self.pending_update.is_some_and(|update| !update.is_null()),
            created_seconds: self.created,
            items,
        })
    }
}

impl Item {
    fn read(self, (start, end): (Option<i64>, Option<i64>)) -> Result<SubscriptionItem, String> {
        let (price, product) = match self.price.or(self.plan).ok_or("an item of the subscription has no price")? {
            Expandable::Id(id) => (id, None),
            Expandable::Object(price) => (price.id, price.product.map(Expandable::into_id)),
        };
        Ok(SubscriptionItem {
            id: self.id,
            price: PriceId::parse(NAME, price).map_err(|error| error.to_string())?,
            product,
            period_start_seconds: self.current_period_start.or(start),
            period_end_seconds: self.current_period_end.or(end),
        })
    }
}

/// The parts of an event's subscription that do not depend on the API version: enough to know whose it is. Everything
/// else is asked for.
#[derive(Deserialize)]
pub(in crate::providers::stripe) struct NamedSubscription {
    pub(in crate::providers::stripe) id: String,
    #[serde(default)]
    pub(in crate::providers::stripe) customer: Option<Expandable<IdOnly>>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(changes: &Value) -> Result<SubscriptionReport, String> {
        let mut subscription = json!({ "id": "sub_1", "customer": "cus_1", "livemode": false, "status": "active",
            "metadata": { "accountId": "user_1" }, "created": 5, "cancel_at_period_end": false, "latest_invoice": "in_1",
            "items": { "has_more": false, "data": [{ "id": "si_1", "price": { "id": "price_1", "product": "prod_1" },
                "current_period_start": 10, "current_period_end": 20 }] } });
        subscription.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value::<Subscription>(subscription).map_err(|error| error.to_string())?.report()
    }

    #[test]
    fn the_period_is_read_from_where_the_version_has_it() {
        let period = |report: &SubscriptionReport| {
            report.items.first().map(|item| (item.period_start_seconds, item.period_end_seconds))
        };
        assert_eq!(period(&report(&json!({})).unwrap()), Some((Some(10), Some(20))));
        let before_basil = json!({ "current_period_start": 11, "current_period_end": 21,
            "items": { "has_more": false, "data": [{ "id": "si_1", "plan": { "id": "price_1" } }] } });
        assert_eq!(period(&report(&before_basil).unwrap()), Some((Some(11), Some(21))));
    }

    #[test]
    fn both_ways_to_end_soon_say_when() {
        assert_eq!(report(&json!({})).unwrap().cancel_at_seconds, None);
        assert_eq!(report(&json!({ "cancel_at_period_end": true })).unwrap().cancel_at_seconds, Some(20));
        assert_eq!(report(&json!({ "cancel_at": 15 })).unwrap().cancel_at_seconds, Some(15));
    }

    #[test]
    fn references_may_be_objects_and_unknown_statuses_are_not_guessed() {
        let expanded = json!({ "customer": { "id": "cus_2", "object": "customer" }, "latest_invoice": { "id": "in_2" },
            "schedule": "sub_sched_1", "pending_update": { "expires_at": 5 } });
        let report_of = report(&expanded).unwrap();
        assert_eq!((report_of.customer.as_str(), report_of.schedule.as_deref()), ("cus_2", Some("sub_sched_1")));
        assert!(report_of.is_update_pending && report_of.latest_invoice.is_some());
        assert!(!report(&json!({ "pending_update": null })).unwrap().is_update_pending);
        assert!(report(&json!({ "status": "sleeping" })).unwrap_err().contains("sleeping"));
    }
}
