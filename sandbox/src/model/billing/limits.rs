//! Limits on what billing keeps: the rules of `limits` for subscriptions, invoices and what belongs to them.
//!
//! Invariants: a running subscription stays with its customer, its card, its prices and its latest invoice; a draft or
//! open invoice stays with its payment. An invoice goes with its payment, never one without the other.

use std::collections::BTreeSet;

use super::invoice::InvoiceStatus;
use crate::model::{
    State,
    surplus::{is_due, surplus_of},
};

/// How many were left after the last trim.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Left {
    subscriptions: usize,
    invoices: usize,
    items: usize,
    others: usize,
}

impl Left {
    /// Whether a trim is worth it.
    pub(crate) fn is_due(&mut self, state: &State, kept: usize) -> bool {
        [
            is_due(&mut self.subscriptions, state.subscriptions.len(), kept),
            is_due(&mut self.invoices, state.invoices.len(), kept),
            is_due(&mut self.items, state.invoice_items.len(), kept),
            is_due(&mut self.others, others(state), kept),
        ]
        .contains(&true)
    }

    fn of(state: &State) -> Self {
        Self {
            subscriptions: state.subscriptions.len(),
            invoices: state.invoices.len(),
            items: state.invoice_items.len(),
            others: others(state),
        }
    }
}

/// The largest of the smaller tables.
fn others(state: &State) -> usize {
    let tables = [state.portal_sessions.len(), state.documents.len(), state.schedules.len(), state.test_clocks.len()];
    tables.into_iter().max().unwrap_or(0)
}

/// Adds the ids of everything that billing still needs.
pub(crate) fn keep(state: &State, busy: &mut BTreeSet<String>) {
    for found in state.subscriptions.iter().filter(|found| !found.is_ended()) {
        busy.insert(found.customer.clone());
        busy.extend(found.default_payment_method.iter().chain(&found.latest_invoice).chain(&found.schedule).cloned());
        busy.extend(found.pending_update.iter().map(|pending| pending.invoice.clone()));
        for item in &found.items {
            busy.insert(item.price.clone());
            busy.extend(state.prices.get(&item.price).map(|price| price.product.clone()));
        }
    }
    for found in state.schedules.iter().filter(|found| !found.status.is_over()) {
        busy.extend([found.id.clone(), found.customer.clone()]);
        busy.extend(found.phases.iter().flat_map(|phase| &phase.items).map(|item| item.price.clone()));
    }
    busy.extend(state.waiting_items.iter().flat_map(|((customer, _), item)| [customer.clone(), item.clone()]));
    busy.extend(state.customers.iter().filter_map(|found| found.test_clock.clone()));
    for found in state.invoices.iter() {
        let is_open = matches!(found.status, InvoiceStatus::Draft | InvoiceStatus::Open);
        let pays = found.payment_intent.as_ref().is_some_and(|intent| busy.contains(intent));
        if is_open || pays || busy.contains(&found.id) {
            busy.insert(found.id.clone());
            busy.extend(found.payment_intent.iter().chain(&found.customer).chain(&found.subscription).cloned());
        }
    }
}

/// Drops what exceeds the limit. Returns what is left, how many were dropped, and the payments that have to go too.
pub(crate) fn trim(state: &mut State, kept: usize, busy: &BTreeSet<String>) -> (Left, usize, BTreeSet<String>) {
    let before = total(state);
    let mut goes = surplus_of(state.subscriptions.len(), kept);
    state.subscriptions.remove_if(|found| goes(found.is_ended() && !busy.contains(&found.id)));
    let (mut gone, mut payments) = (BTreeSet::new(), BTreeSet::new());
    let mut goes = surplus_of(state.invoices.len(), kept);
    state.invoices.remove_if(|found| {
        let goes = goes(!busy.contains(&found.id));
        if goes {
            gone.insert(found.id.clone());
            payments.extend(found.payment_intent.clone());
        }
        goes
    });
    state.invoice_payments.remove_if(|payment| gone.contains(&payment.invoice));
    state.credit_notes.remove_if(|note| gone.contains(&note.invoice));
    state.invoice_items.remove_if(|item| item.invoice.as_ref().is_some_and(|invoice| gone.contains(invoice)));
    let mut goes = surplus_of(state.portal_sessions.len(), kept);
    state.portal_sessions.remove_if(|session| goes(!busy.contains(&session.id)));
    let mut goes = surplus_of(state.schedules.len(), kept);
    state.schedules.remove_if(|found| goes(!busy.contains(&found.id)));
    let mut goes = surplus_of(state.test_clocks.len(), kept);
    state.test_clocks.remove_if(|clock| goes(clock.target.is_none() && !busy.contains(&clock.id)));
    let configured: BTreeSet<String> =
        state.portal_sessions.iter().map(|session| session.configuration.clone()).collect();
    let mut goes = surplus_of(state.documents.len(), kept);
    state.documents.remove_if(|found| {
        let is_default = found.value.get("is_default") == Some(&serde_json::Value::Bool(true));
        goes(!is_default && !busy.contains(&found.id) && !configured.contains(&found.id))
    });
    forget_maps(state);
    (Left::of(state), before.saturating_sub(total(state)), payments)
}

/// Entries of objects that are gone.
fn forget_maps(state: &mut State) {
    let customers = &state.customers;
    state.moved_ahead.retain(|customer, _| customers.get(customer).is_some());
    let documents = &state.documents;
    state.quoted.retain(|quote, _| documents.get(quote).is_some());
}

fn total(state: &State) -> usize {
    let tables = [
        state.subscriptions.len(),
        state.invoices.len(),
        state.invoice_payments.len(),
        state.invoice_items.len(),
        state.credit_notes.len(),
        state.portal_sessions.len(),
        state.schedules.len(),
        state.test_clocks.len(),
        state.documents.len(),
    ];
    tables.into_iter().fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        billing::control,
        request::Method::{Delete, Post},
        tests::Run,
    };

    const SMALL: usize = 10;

    impl Run {
        fn subscribed(&mut self) -> (String, String) {
            let id = |value: serde_json::Value| value["id"].as_str().expect("an id").to_owned();
            let customer = "payment_method=pm_card_visa&invoice_settings[default_payment_method]=pm_card_visa";
            let customer = id(self.call(Post, "/v1/customers", customer).expect("a customer"));
            let product = id(self.call(Post, "/v1/products", "name=Plan").expect("a product"));
            let price = format!("product={product}&currency=usd&unit_amount=2000&recurring[interval]=month");
            let price = id(self.call(Post, "/v1/prices", &price).expect("a price"));
            let form = format!("customer={customer}&items[0][price]={price}");
            let made = id(self.call(Post, "/v1/subscriptions", &form).expect("a subscription"));
            (customer, made)
        }

        fn trim_billing(&mut self) -> BTreeSet<String> {
            self.state.deliveries.retain(|_, _| false);
            let mut busy = BTreeSet::new();
            keep(&self.state, &mut busy);
            let (mut left, _, payments) = trim(&mut self.state, SMALL, &busy);
            assert!(!left.is_due(&self.state, SMALL), "a trim is not due again at once");
            payments
        }
    }

    #[test]
    fn renewals_of_a_running_subscription_go_with_their_payments_and_its_latest_invoice_stays() {
        let mut run = Run::new();
        let (customer, subscription) = run.subscribed();
        for _ in 0..40 {
            let path = ["customers", customer.as_str(), "advance"];
            let body = serde_json::json!({ "to_renewal": true });
            let moved = run.step(|state, context| control::handle(state, context, &path, &body));
            moved.expect("a control").expect("moved");
        }
        assert_eq!(run.state.invoices.len(), 41, "each renewal has an invoice");
        let payments = run.trim_billing();
        assert_eq!((run.state.invoices.len(), payments.len()), (SMALL, 31));
        let latest = run.state.subscriptions.get(&subscription).and_then(|found| found.latest_invoice.clone());
        assert!(latest.is_some_and(|latest| run.state.invoices.get(&latest).is_some()));
        assert_eq!(run.state.invoice_payments.len(), SMALL);
    }

    #[test]
    fn ended_subscriptions_go_and_running_ones_stay_whatever_their_number() {
        let mut run = Run::new();
        let (_, running) = run.subscribed();
        for _ in 0..15 {
            let (_, ended) = run.subscribed();
            run.call(Delete, &format!("/v1/subscriptions/{ended}"), "").expect("canceled");
        }
        run.trim_billing();
        assert_eq!(run.state.subscriptions.len(), SMALL);
        assert!(run.state.subscriptions.get(&running).is_some());
        for _ in 0..15 {
            run.subscribed();
        }
        run.trim_billing();
        assert_eq!(run.state.subscriptions.len(), 16, "every one of them runs");
    }
}
