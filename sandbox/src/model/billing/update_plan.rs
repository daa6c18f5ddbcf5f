//! What a change of a subscription's items costs and when: the new items, the prorations, and whether it is billed now.
//! Nothing is changed here; updates and previews both use it.

use std::collections::BTreeMap;

use super::{
    catalog,
    interval::{Interval, Period},
    invoice::{InvoiceItem, Line},
    lines::{self, Change, Of},
    subscription::{BillingMode, Item, Status, Subscription},
};
use crate::model::{Context, State, error::ApiError};

/// `proration_behavior`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Proration {
    /// The next invoice shows it.
    #[default]
    Create,
    /// It is billed now.
    AlwaysInvoice,
    None,
}

impl Proration {
    pub(crate) fn parse(name: Option<&str>) -> Self {
        match name {
            Some("always_invoice") => Self::AlwaysInvoice,
            Some("none") => Self::None,
            _ => Self::Create,
        }
    }
}

/// A change of one item, or a new item.
#[derive(Debug, Clone, Default)]
pub(crate) struct ItemChange {
    pub(crate) id: Option<String>,
    pub(crate) price: Option<String>,
    pub(crate) quantity: Option<i64>,
    pub(crate) deleted: bool,
    pub(crate) metadata: Option<BTreeMap<String, String>>,
}

/// A change of a subscription that may cost something.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlanChange {
    pub(crate) items: Vec<ItemChange>,
    pub(crate) proration: Proration,
    /// The time that prorations are counted from; the present by default.
    pub(crate) proration_date: Option<i64>,
    /// `billing_cycle_anchor=now`
    pub(crate) restarts: bool,
    /// `trial_end`: at or before the present it ends the trial.
    pub(crate) trial_end: Option<i64>,
}

/// What a change comes to.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) items: Vec<Item>,
    /// Credits and charges for parts of a period.
    pub(crate) prorations: Vec<InvoiceItem>,
    /// Whole periods that begin now.
    pub(crate) service: Vec<Line>,
    pub(crate) bills_now: bool,
    pub(crate) anchor: i64,
    /// The trial's end, if the change moves it.
    pub(crate) trial_end: Option<i64>,
    pub(crate) ends_trial: bool,
    pub(crate) starts_trial: bool,
}

/// Computes a change.
///
/// # Errors
/// For an item that does not exist, a price that is not recurring, and if no item would be left.
pub(crate) fn plan(
    state: &State,
    context: &mut Context<'_>,
    found: &Subscription,
    wanted: &PlanChange,
) -> Result<Planned, ApiError> {
    let now = context.now();
    let at = wanted.proration_date.unwrap_or(now);
    let is_trial = found.status == Status::Trialing;
    let ends_trial = is_trial && wanted.trial_end.is_some_and(|end| end <= now);
    let starts_trial = wanted.trial_end.is_some_and(|end| end > now);
    let mut items = changed_items(context, found, &wanted.items)?;
    let resets = wanted.restarts || ends_trial || is_reset(state, found, &items);
    let anchor = match wanted.trial_end {
        Some(end) if starts_trial => end,
        _ if resets => now,
        _ => found.anchor,
    };
    let mut planned = Planned {
        items: Vec::new(),
        prorations: Vec::new(),
        service: Vec::new(),
        bills_now: wanted.proration == Proration::AlwaysInvoice,
        anchor,
        trial_end: wanted.trial_end.map(|end| end.min(end.max(now))),
        ends_trial,
        starts_trial,
    };
    let still_in_trial = starts_trial || (is_trial && !ends_trial);
    let mut begun: Vec<Item> = Vec::new();
    for item in &mut items {
        let interval = interval_of(state, &item.price)?;
        let old = found.items.iter().find(|old| old.id == item.id);
        if still_in_trial {
            let end = wanted.trial_end.filter(|_| starts_trial).or(found.trial_end).unwrap_or(now);
            item.period = Period { start: found.trial_start.unwrap_or(now), end };
        } else if resets {
            item.period = Period { start: now, end: interval.after(now, 1) };
            begun.push(item.clone());
        } else {
            place(state, context, found, (&mut planned, item, old), (interval, now, at))?;
        }
    }
    let gone = found.items.iter().filter(|old| items.iter().all(|item| item.id != old.id));
    let credited: Vec<&Item> = if resets { found.items.iter().collect() } else { gone.collect() };
    let is_new_trial = still_in_trial && starts_trial && found.items.is_empty();
    if !is_trial && !is_new_trial {
        let credits = credited.iter().flat_map(|old| {
            lines::prorations(state, context, &Change { subscription: found, old: Some(old), new: None, at })
        });
        let credits: Vec<InvoiceItem> = credits.collect();
        planned.prorations.splice(0..0, credits);
    }
    if resets {
        planned.bills_now = true;
        let begun: Vec<&Item> = begun.iter().collect();
        planned.service = lines::of_some_items(state, context, found, &begun, Of::Service);
    }
    if wanted.proration == Proration::None {
        planned.prorations.clear();
    }
    planned.items = items;
    Ok(planned)
}

/// Keeps the period of an item and prorates its change, or begins a period of its own after a new interval.
fn place(
    state: &State,
    context: &mut Context<'_>,
    found: &Subscription,
    (planned, item, old): (&mut Planned, &mut Item, Option<&Item>),
    (interval, now, at): (Interval, i64, i64),
) -> Result<(), ApiError> {
    let whole = interval.period_at(found.anchor, now);
    let Some(old) = old else {
        item.period = Period { start: now, end: whole.end };
        let charged = Item { period: whole, ..item.clone() };
        let change = Change { subscription: found, old: None, new: Some(&charged), at };
        planned.prorations.extend(lines::prorations(state, context, &change));
        return Ok(());
    };
    if old.price == item.price && old.quantity == item.quantity {
        return Ok(());
    }
    if interval_of(state, &old.price)? == interval {
        item.period = old.period;
        let change = Change { subscription: found, old: Some(old), new: Some(item), at };
        planned.prorations.extend(lines::prorations(state, context, &change));
        return Ok(());
    }
    // A flexible subscription keeps its anchor; the item has a period of its own, which is billed at once.
    item.period = Period { start: now, end: whole.end };
    let charged = Item { period: whole, ..item.clone() };
    let change = Change { subscription: found, old: Some(old), new: Some(&charged), at };
    planned.prorations.extend(lines::prorations(state, context, &change));
    planned.bills_now = true;
    Ok(())
}

/// Whether the billing cycle starts anew: a classic subscription does after a change of interval, and when a free
/// price becomes a paid one.
fn is_reset(state: &State, found: &Subscription, items: &[Item]) -> bool {
    if found.billing_mode == BillingMode::Flexible || found.status == Status::Trialing {
        return false;
    }
    let amount = |item: &Item| catalog::price(state, &item.price).map_or(0, |price| price.amount(1));
    items.iter().any(|item| {
        let Some(old) = found.items.iter().find(|old| old.id == item.id) else { return false };
        let interval = |item: &Item| catalog::price(state, &item.price).and_then(|price| price.interval);
        interval(old) != interval(item) || (amount(old) == 0 && amount(item) > 0)
    })
}

fn interval_of(state: &State, price: &str) -> Result<Interval, ApiError> {
    let found = catalog::price(state, price).ok_or_else(|| ApiError::missing_reference("price", price, "items"))?;
    found.interval.ok_or_else(|| catalog::not_recurring(price))
}

/// The items after these changes.
fn changed_items(
    context: &mut Context<'_>,
    found: &Subscription,
    changes: &[ItemChange],
) -> Result<Vec<Item>, ApiError> {
    let mut items = found.items.clone();
    for (place, change) in changes.iter().enumerate() {
        let param = format!("items[{place}]");
        match &change.id {
            Some(id) if change.deleted => items.retain(|item| item.id != *id),
            Some(id) => {
                let item = items.iter_mut().find(|item| item.id == *id);
                let item =
                    item.ok_or_else(|| ApiError::missing_reference("subscription item", id, &format!("{param}[id]")))?;
                if let Some(price) = change.price.as_ref().filter(|price| **price != item.price) {
                    item.price.clone_from(price);
                    item.quantity = Some(change.quantity.unwrap_or(1));
                } else if change.quantity.is_some() {
                    item.quantity = change.quantity;
                }
                if let Some(metadata) = &change.metadata {
                    item.metadata.extend(metadata.clone());
                }
            }
            None => {
                let price = change.price.clone().ok_or_else(|| ApiError::missing_param(&format!("{param}[price]")))?;
                if items.iter().any(|item| item.price == price) {
                    let message = format!(
                        "Cannot add multiple subscription items with the same plan: {price}. Did you mean to update \
                         the item's quantity instead?"
                    );
                    return Err(ApiError::invalid(message).param(param));
                }
                items.push(Item {
                    id: context.ids.next("si_", 14),
                    created: context.now(),
                    price,
                    quantity: Some(change.quantity.unwrap_or(1)),
                    period: found.period(),
                    metadata: change.metadata.clone().unwrap_or_default(),
                });
            }
        }
    }
    if items.is_empty() {
        return Err(ApiError::invalid(
            "A subscription must have at least one active plan. To cancel a subscription, please use the cancel API \
             endpoint on /v1/subscriptions.",
        ));
    }
    Ok(items)
}
