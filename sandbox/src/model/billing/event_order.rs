//! The order of the events of one command, where Stripe's order is known and differs from the order of the work.

use std::collections::BTreeMap;

use crate::model::{State, event::Delivery};

/// More than one command makes of the events that are put in order.
const MOST_EVENTS: usize = 200;

/// Puts the events after `before` into the order of their ranks; equal ranks keep theirs. An event without a
/// rank is dropped: the object was not announced yet.
pub(crate) fn arrange(state: &mut State, before: Option<&str>, rank: impl Fn(&str) -> Option<u8>) {
    let made: Vec<(String, Option<u8>)> = state
        .events
        .iter()
        .rev()
        .take(MOST_EVENTS)
        .take_while(|event| Some(event.id.as_str()) != before)
        .map(|event| (event.id.clone(), rank(&event.kind)))
        .collect();
    let made: Vec<(String, Option<u8>)> = made.into_iter().rev().collect();
    let mut order: Vec<&(String, Option<u8>)> = made.iter().collect();
    order.sort_by_key(|(_, rank)| *rank);
    let mut taken: BTreeMap<&str, Vec<Delivery>> = BTreeMap::new();
    while let Some((number, event)) =
        state.deliveries.last_key_value().map(|(number, row)| (*number, row.event.clone()))
    {
        let Some((id, _)) = made.iter().find(|(id, _)| *id == event) else { break };
        let delivery = state.deliveries.remove(&number);
        taken.entry(id).or_default().extend(delivery);
    }
    for (id, rank) in order {
        let Some(event) = state.events.remove(id) else { continue };
        if rank.is_none() {
            continue;
        }
        state.events.insert(event);
        let deliveries = taken.remove(id.as_str()).unwrap_or_default();
        deliveries.into_iter().rev().for_each(|delivery| state.add_delivery(delivery));
    }
}

/// The order of the events of a new subscription, as it was observed.
pub(crate) fn of_a_start(kind: &str) -> Option<u8> {
    Some(match kind {
        "charge.succeeded" | "charge.failed" | "charge.pending" => 0,
        "payment_method.attached" => 1,
        "customer.created" | "customer.updated" => 2,
        "checkout.session.completed" => 3,
        // The subscription is announced with the status that its first payment gave it.
        "customer.subscription.updated" => return None,
        "customer.subscription.created" => 4,
        "customer.subscription.trial_will_end" => 5,
        kind if kind.starts_with("payment_intent.") || kind.starts_with("setup_intent.") => 6,
        "invoice.created" => 7,
        "invoice.finalized" => 8,
        "invoice.paid" => 9,
        "invoice.payment_action_required" => 10,
        "invoice.payment_failed" => 11,
        "invoice.payment_succeeded" => 12,
        "invoice_payment.paid" => 14,
        _ => 13,
    })
}
