//! Limits on customers and what belongs to them, and on the catalogue: the rules of `limits` for these objects.
//!
//! Invariants: what a kept session, payment or setup names stays, and so does an unfinished setup. A saved card goes
//! with its customer; a product goes after its prices, and a price that a lookup key names stays.

use std::collections::BTreeSet;

use super::{
    State,
    setup_intent::SetupStatus,
    surplus::{is_due, surplus_of},
};

/// How many were left after the last trim.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Left {
    customers: usize,
    methods: usize,
    setups: usize,
    prices: usize,
    products: usize,
    /// Transfers, payouts and the like, the longest table.
    orders: usize,
}

/// How many of each are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) customers: usize,
    /// Setup intents, payment methods without a customer, prices, products: so many of each.
    pub(crate) others: usize,
}

impl Left {
    /// Whether a trim is worth it.
    pub(crate) fn is_due(&mut self, state: &State, kept: Kept) -> bool {
        [
            is_due(&mut self.customers, state.customers.len(), kept.customers),
            is_due(&mut self.methods, state.payment_methods.len(), kept.others.saturating_add(kept.customers)),
            is_due(&mut self.setups, state.setup_intents.len(), kept.others),
            is_due(&mut self.prices, state.prices.len(), kept.others),
            is_due(&mut self.products, state.products.len(), kept.others),
            is_due(&mut self.orders, longest_orders(state), kept.others),
        ]
        .contains(&true)
    }

    fn of(state: &State) -> Self {
        Self {
            customers: state.customers.len(),
            methods: state.payment_methods.len(),
            setups: state.setup_intents.len(),
            prices: state.prices.len(),
            products: state.products.len(),
            orders: longest_orders(state),
        }
    }
}

/// Drops what exceeds the limits. Returns what is left, and how many were dropped.
pub(crate) fn trim(state: &mut State, kept: Kept, busy: &BTreeSet<String>) -> (Left, usize) {
    let before = total(state);
    let owner_is_busy = |session: Option<&String>| session.is_some_and(|session| busy.contains(session));
    let mut goes = surplus_of(state.setup_intents.len(), kept.others);
    state.setup_intents.remove_if(|intent| {
        let is_over = matches!(intent.status, SetupStatus::Succeeded | SetupStatus::Canceled);
        goes(is_over && !busy.contains(&intent.id) && !owner_is_busy(intent.session.as_ref()))
    });
    let named = named(state);
    let stays = |id: &str| busy.contains(id) || named.contains(id);
    let mut goes = surplus_of(state.customers.len(), kept.customers);
    let mut gone = BTreeSet::new();
    state.customers.remove_if(|customer| {
        let goes = goes(!stays(&customer.id));
        gone.extend(goes.then(|| customer.id.clone()));
        goes
    });
    let of_gone = |owner: &Option<String>| owner.as_ref().is_some_and(|owner| gone.contains(owner));
    let loose = state.payment_methods.iter().filter(|method| method.customer.is_none()).count();
    let mut goes = surplus_of(loose, kept.others);
    state
        .payment_methods
        .remove_if(|method| of_gone(&method.customer) || (method.customer.is_none() && goes(!stays(&method.id))));
    let mut goes = surplus_of(state.prices.len(), kept.others);
    let keyed = |price: &super::price::Price| price.details.lookup_key.is_some();
    state.prices.remove_if(|price| goes(!keyed(price) && !stays(&price.id)));
    let priced: BTreeSet<String> = state.prices.iter().map(|price| price.product.clone()).collect();
    let mut goes = surplus_of(state.products.len(), kept.others);
    state.products.remove_if(|product| goes(!priced.contains(&product.id) && !stays(&product.id)));
    trim_orders(state, kept.others);
    (Left::of(state), before.saturating_sub(total(state)))
}

fn longest_orders(state: &State) -> usize {
    let tables = [
        state.accounts.len(),
        state.transfers.len(),
        state.payouts.len(),
        state.topups.len(),
        state.meters.len(),
        state.meter_events.len(),
    ];
    tables.into_iter().max().unwrap_or_default()
}

/// These are finished once they are made. An account goes after its transfers.
fn trim_orders(state: &mut State, kept: usize) {
    let mut gone = BTreeSet::new();
    let mut goes = surplus_of(state.transfers.len(), kept);
    state.transfers.remove_if(|transfer| {
        let goes = goes(true);
        gone.extend(goes.then(|| transfer.order.id.clone()));
        gone.extend(transfer.reversals.iter().filter(|_| goes).map(|reversal| reversal.id.clone()));
        goes
    });
    let mut goes = surplus_of(state.payouts.len(), kept);
    state.payouts.remove_if(|payout| {
        let goes = goes(true);
        gone.extend(goes.then(|| payout.order.id.clone()));
        goes
    });
    let mut goes = surplus_of(state.topups.len(), kept);
    state.topups.remove_if(|topup| {
        let goes = goes(true);
        gone.extend(goes.then(|| topup.order.id.clone()));
        goes
    });
    state.balance_transactions.remove_if(|transaction| gone.contains(&transaction.source));
    let paid: BTreeSet<String> = state.transfers.iter().map(|transfer| transfer.destination.clone()).collect();
    let mut goes = surplus_of(state.accounts.len(), kept);
    state.accounts.remove_if(|account| goes(!paid.contains(&account.id)));
    let mut goes = surplus_of(state.meters.len(), kept);
    state.meters.remove_if(|meter| goes(meter.deactivated_at.is_some()));
    let mut goes = surplus_of(state.meter_events.len(), kept);
    state.meter_events.remove_if(|_| goes(true));
}

fn total(state: &State) -> usize {
    let tables = [
        state.customers.len(),
        state.payment_methods.len(),
        state.setup_intents.len(),
        state.prices.len(),
        state.products.len(),
        state.accounts.len(),
        state.transfers.len(),
        state.payouts.len(),
        state.topups.len(),
        state.meters.len(),
        state.meter_events.len(),
    ];
    tables.into_iter().fold(0, usize::saturating_add)
}

/// The ids that the objects which are kept name.
fn named(state: &State) -> BTreeSet<String> {
    let mut named: BTreeSet<String> = BTreeSet::new();
    for session in state.sessions.iter() {
        named.extend(session.customer_id.clone());
        let listed = session.line_items.iter().filter(|item| item.is_listed_product);
        named.extend(listed.clone().map(|item| item.product.clone()));
        named.extend(listed.map(|item| item.price.clone()));
    }
    for intent in state.payment_intents.iter() {
        named.extend(intent.customer.iter().chain(&intent.payment_method).cloned());
    }
    named.extend(state.charges.iter().map(|charge| charge.payment_method.clone()));
    for intent in state.setup_intents.iter() {
        named.extend(intent.customer.iter().chain(&intent.payment_method).cloned());
    }
    named
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::model::{request::Method::Post, tests::Run};

    const SMALL: Kept = Kept { customers: 10, others: 10 };

    impl Run {
        fn trim_saved(&mut self) {
            let (left, _) = trim(&mut self.state, SMALL, &BTreeSet::new());
            assert!(!{ left }.is_due(&self.state, SMALL), "a trim is not due again at once");
        }

        fn made(&mut self, path: &str, form: &str) -> String {
            let made: Value = self.call(Post, path, form).unwrap_or_else(|error| panic!("{path} {form}: {error:?}"));
            made["id"].as_str().expect("an id").to_owned()
        }
    }

    #[test]
    fn customers_setups_and_the_catalogue_are_kept_up_to_their_limits() {
        let mut run = Run::new();
        let first = run.made("/v1/customers", "payment_method=pm_card_visa");
        for _ in 0..40 {
            let customer = run.made("/v1/customers", "payment_method=pm_card_visa");
            run.made("/v1/setup_intents", "payment_method=pm_card_visa&confirm=true");
            run.made("/v1/payment_methods", "type=card&card[token]=tok_visa");
            let product = run.made("/v1/products", "name=Plan");
            run.made("/v1/prices", &format!("product={product}&currency=usd&unit_amount=100"));
            let account = run.made("/v1/accounts", "");
            run.made("/v1/transfers", &format!("destination={account}&amount=100&currency=usd"));
            run.made("/v1/payouts", "amount=100&currency=usd");
            run.made("/v1/topups", "amount=100&currency=usd");
            assert!(run.state.customers.get(&customer).is_some(), "the newest is there");
            let mut left = Left::default();
            if left.is_due(&run.state, SMALL) {
                run.trim_saved();
            }
        }
        run.trim_saved();
        let state = &run.state;
        assert!(state.customers.get(&first).is_none(), "the oldest went");
        let counts = [state.customers.len(), state.setup_intents.len(), state.prices.len(), state.products.len()];
        assert!(counts.iter().all(|count| (10..=11).contains(count)), "{counts:?}");
        let counts = [state.accounts.len(), state.transfers.len(), state.payouts.len(), state.topups.len()];
        assert!(counts.iter().all(|count| (10..=11).contains(count)), "{counts:?}");
        assert!(state.balance_transactions.len() <= 33, "{}", state.balance_transactions.len());
        assert!(state.payment_methods.len() <= 32, "{}", state.payment_methods.len());
        assert!(
            state
                .payment_methods
                .iter()
                .all(|method| { method.customer.as_ref().is_none_or(|owner| state.customers.get(owner).is_some()) })
        );
    }

    #[test]
    fn what_is_used_or_unfinished_stays_whatever_its_age() {
        let mut run = Run::new();
        let customer = run.made("/v1/customers", "payment_method=pm_card_visa");
        let session = run.session(&format!("&customer={customer}"));
        let waiting = run.made("/v1/setup_intents", "payment_method=pm_card_authenticationRequired&confirm=true");
        let product = run.made("/v1/products", "name=Plan");
        let keyed = format!("product={product}&currency=usd&unit_amount=100&lookup_key=plan");
        let price = run.made("/v1/prices", &keyed);
        for _ in 0..30 {
            run.made("/v1/customers", "");
            run.made("/v1/setup_intents", "payment_method=pm_card_visa&confirm=true");
            let other = run.made("/v1/products", "name=Other");
            run.made("/v1/prices", &format!("product={other}&currency=usd&unit_amount=100"));
        }
        run.trim_saved();
        assert!(run.state.sessions.get(&session).is_some() && run.state.customers.get(&customer).is_some());
        assert!(run.state.payment_methods.iter().any(|method| method.customer.as_ref() == Some(&customer)));
        assert!(run.state.setup_intents.get(&waiting).is_some());
        assert!(run.state.prices.get(&price).is_some() && run.state.products.get(&product).is_some());
    }
}
