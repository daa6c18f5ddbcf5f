//! Limits on what a sandbox keeps, so that a long session does not fill the memory.
//!
//! Invariants: only what is both old and finished is dropped. Everything that can still change or be waited for stays,
//! whatever its age and number: open sessions; pending payments, refunds and disputes; requests scheduled for later;
//! undelivered events with the payments they report; and the answers saved under the keys of all these.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    State,
    billing::limits as limits_billing,
    limits_saved::{self, Kept, Left},
    payment::{IntentStatus, PaymentIntent},
    refund::RefundStatus,
    surplus::{is_due, surplus_of},
};

/// How many of each kind are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Events. Stripe lists those of the last 30 days.
    pub(crate) events: usize,
    /// Answers saved under an idempotency key. As on Stripe, they also expire after a day.
    pub(crate) answers: usize,
    /// Sessions, and payments without one, each with its charges, refunds and disputes.
    pub(crate) payments: usize,
    pub(crate) saved: Kept,
}

pub(crate) const LIMITS: Limits =
    Limits { events: 3_000, answers: 1_000, payments: 3_000, saved: Kept { customers: 20_000, others: 3_000 } };

/// How many were left after the last trim. They could not be dropped, so the next trim can wait.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Trimmed {
    events: usize,
    answers: usize,
    payments: usize,
    saved: Left,
    billing: limits_billing::Left,
}

/// Drops what exceeds the limits. Returns true if anything was dropped.
pub(crate) fn trim(state: &mut State, limits: Limits) -> bool {
    let count = payments(state);
    let events = is_due(&mut state.trimmed.events, state.events.len(), limits.events);
    let answers = is_due(&mut state.trimmed.answers, state.saved_answers.len(), limits.answers);
    let payments_due = is_due(&mut state.trimmed.payments, count, limits.payments);
    let mut left = state.trimmed.saved;
    let saved = left.is_due(state, limits.saved);
    state.trimmed.saved = left;
    let mut left = state.trimmed.billing;
    let billing = left.is_due(state, limits.payments);
    state.trimmed.billing = left;
    if !(events || answers || payments_due || saved || billing) {
        return false;
    }
    let busy = busy(state);
    let mut dropped = 0_usize;
    if events {
        dropped = dropped.saturating_add(trim_events(state, limits.events));
        state.trimmed.events = state.events.len();
    }
    if answers {
        dropped = dropped.saturating_add(trim_answers(state, limits.answers, &busy));
        state.trimmed.answers = state.saved_answers.len();
    }
    if payments_due {
        dropped = dropped.saturating_add(trim_payments(state, limits.payments, &busy));
        state.trimmed.payments = payments(state);
    }
    if billing {
        let (left, billing_dropped, paid) = limits_billing::trim(state, limits.payments, &busy);
        drop_payments(state, &paid);
        dropped = dropped.saturating_add(billing_dropped);
        state.trimmed.billing = left;
    }
    if saved {
        let (left, saved_dropped) = limits_saved::trim(state, limits.saved, &busy);
        dropped = dropped.saturating_add(saved_dropped);
        state.trimmed.saved = left;
    }
    dropped > 0
}

fn payments(state: &State) -> usize {
    state.sessions.len().max(state.payment_intents.len())
}

/// The ids of everything unfinished: sessions, payments, charges, refunds.
fn busy(state: &State) -> BTreeSet<String> {
    let mut busy: BTreeSet<String> = BTreeSet::new();
    busy.extend(state.open_until.keys().map(|(_, session)| session.clone()));
    let ended = state.sessions.iter().filter(|session| !session.is_open());
    let of_ended: BTreeSet<&str> = ended.filter_map(|session| session.payment_intent.as_deref()).collect();
    let is_over = |intent: &PaymentIntent| match intent.status {
        IntentStatus::Succeeded | IntentStatus::Canceled => true,
        // A failed debit whose session's page accepts no other payment.
        IntentStatus::RequiresPaymentMethod => of_ended.contains(intent.id.as_str()),
        _ => false,
    };
    busy.extend(state.payment_intents.iter().filter(|intent| !is_over(intent)).map(|intent| intent.id.clone()));
    busy.extend(state.late.values().flat_map(|late| late.mentioned()).map(str::to_owned));
    let undelivered = state.deliveries.values().filter_map(|delivery| state.events.get(&delivery.event));
    busy.extend(undelivered.flat_map(|event| mentioned(&event.object)));
    let falls_due: BTreeSet<&str> = state.due.keys().map(|(_, id)| id.as_str()).collect();
    for refund in state.refunds.iter() {
        let is_open = matches!(refund.status, RefundStatus::Pending | RefundStatus::RequiresAction);
        if is_open || falls_due.contains(refund.id.as_str()) {
            busy.extend([refund.id.clone(), refund.payment_intent.clone()]);
        }
    }
    for dispute in state.disputes.iter().filter(|dispute| !dispute.status.is_closed()) {
        busy.insert(dispute.payment_intent.clone());
    }
    limits_billing::keep(state, &mut busy);
    let of_busy_charges = state.charges.iter().filter(|charge| busy.contains(&charge.id));
    let intents: Vec<String> = of_busy_charges.map(|charge| charge.payment_intent.clone()).collect();
    busy.extend(intents);
    busy
}

/// The ids of the object itself and of what it belongs to.
fn mentioned(object: &Value) -> impl Iterator<Item = String> + '_ {
    let texts =
        ["id", "payment_intent", "charge", "customer", "payment_method", "setup_intent", "product", "subscription"]
            .into_iter()
            .filter_map(|name| object.get(name)?.as_str());
    texts.map(str::to_owned)
}

fn trim_events(state: &mut State, limit: usize) -> usize {
    let pending: BTreeSet<&str> = state.deliveries.values().map(|delivery| delivery.event.as_str()).collect();
    let mut goes = surplus_of(state.events.len(), limit);
    state.events.remove_if(|event| goes(!pending.contains(event.id.as_str())))
}

fn trim_answers(state: &mut State, limit: usize, busy: &BTreeSet<String>) -> usize {
    let waiting: BTreeSet<&str> = state.late.values().filter_map(|late| late.key()).collect();
    let mut goes = surplus_of(state.saved_answers.len(), limit);
    state.saved_answers.remove_if(|answer| {
        let is_busy = answer.body.get("id").and_then(Value::as_str).is_some_and(|id| busy.contains(id));
        goes(!is_busy && !waiting.contains(answer.key.as_str()))
    })
}

fn trim_payments(state: &mut State, limit: usize, busy: &BTreeSet<String>) -> usize {
    let of_invoices: BTreeSet<String> =
        state.invoice_payments.iter().map(|payment| payment.payment_intent.clone()).collect();
    let mut goes = surplus_of(state.sessions.len(), limit);
    let mut gone: BTreeSet<String> = BTreeSet::new();
    let sessions = state.sessions.remove_if(|session| {
        let intent = session.payment_intent.as_ref();
        let goes = goes(!busy.contains(&session.id) && !intent.is_some_and(|intent| busy.contains(intent)));
        gone.extend(intent.filter(|intent| goes && !of_invoices.contains(*intent)).cloned());
        goes
    });
    let bare = state.payment_intents.iter().filter(|intent| intent.session.is_none() && intent.invoice.is_none());
    let mut goes = surplus_of(bare.clone().count(), limit);
    gone.extend(bare.filter(|intent| goes(!busy.contains(&intent.id))).map(|intent| intent.id.clone()));
    drop_payments(state, &gone);
    sessions.saturating_add(gone.len())
}

/// Drops these payments and everything that belongs to them.
fn drop_payments(state: &mut State, intents: &BTreeSet<String>) {
    let mut sources = BTreeSet::new();
    let mut methods = BTreeSet::new();
    methods.extend(
        intents
            .iter()
            .filter_map(|id| state.payment_intents.get(id))
            .filter_map(|intent| intent.payment_method.clone()),
    );
    state.charges.remove_if(|charge| {
        let goes = intents.contains(&charge.payment_intent);
        sources.extend(goes.then(|| charge.id.clone()));
        methods.extend(goes.then(|| charge.payment_method.clone()));
        goes
    });
    state.refunds.remove_if(|refund| {
        let goes = intents.contains(&refund.payment_intent);
        sources.extend(goes.then(|| refund.id.clone()));
        goes
    });
    state.disputes.remove_if(|dispute| {
        let goes = intents.contains(&dispute.payment_intent);
        sources.extend(goes.then(|| dispute.id.clone()));
        goes
    });
    state.warnings.remove_if(|warning| intents.contains(&warning.payment_intent));
    state.reviews.remove_if(|review| intents.contains(&review.payment_intent));
    state.balance_transactions.remove_if(|transaction| sources.contains(&transaction.source));
    // A saved card stays with its customer.
    state.payment_methods.remove_if(|method| method.customer.is_none() && methods.contains(&method.id));
    state.payment_intents.remove_if(|intent| intents.contains(&intent.id));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Cause,
        idempotency::SavedAnswer,
        late,
        params::Params,
        request::{Method, Request},
        tests::Run,
        version::DEFAULT_API_VERSION,
    };

    const SMALL: Limits = Limits { events: 20, answers: 3, payments: 10, saved: Kept { customers: 10, others: 10 } };

    impl Run {
        /// Adds finished and delivered purchases, enough to push out older finished ones.
        fn go_on(&mut self) {
            for _ in 0..30 {
                let before: Vec<u64> = self.state.deliveries.keys().copied().collect();
                let session = self.session("");
                self.confirm(&session, "pm_card_visa").expect("paid");
                self.state.deliveries.retain(|number, _| before.contains(number));
                trim(&mut self.state, SMALL);
                assert!(self.state.sessions.get(&session).is_some(), "the newest is kept");
            }
        }

        /// A finished payment whose events were delivered. Returns its session and its payment intent.
        fn paid(&mut self, method: &str) -> (String, String) {
            let session = self.session("");
            let paid = self.confirm(&session, method).expect("paid");
            self.state.deliveries.retain(|_, _| false);
            (session, paid["payment_intent"]["id"].as_str().expect("an id").to_owned())
        }

        fn knows(&self, session: &str, intent: &str) -> bool {
            let intent = self.state.payment_intents.get(intent).is_some();
            assert_eq!(self.state.sessions.get(session).is_some(), intent, "one is not kept without the other");
            intent
        }
    }

    #[test]
    fn a_long_session_keeps_no_more_than_the_limits() {
        let mut run = Run::new();
        let (session, intent) = run.paid("pm_card_visa");
        run.call(Method::Post, "/v1/refunds", &format!("payment_intent={intent}")).expect("refunded");
        run.state.deliveries.retain(|_, _| false);
        run.go_on();
        assert!(!run.knows(&session, &intent), "the oldest went");
        let state = &run.state;
        assert!(state.events.len() <= 22 && state.refunds.len() == 0);
        for count in [
            state.sessions.len(),
            state.payment_intents.len(),
            state.charges.len(),
            state.balance_transactions.len(),
            state.payment_methods.len(),
        ] {
            assert!((10..=11).contains(&count), "{count}");
        }
    }

    #[test]
    fn what_is_still_on_its_way_is_kept_whatever_its_age() {
        let mut run = Run::new();
        let open = run.session("");
        let (refunding, refunded) = run.paid("pm_card_pendingRefund");
        run.call(Method::Post, "/v1/refunds", &format!("payment_intent={refunded}")).expect("refunded");
        let (failing, failed) = run.paid("pm_card_refundFail");
        run.call(Method::Post, "/v1/refunds", &format!("payment_intent={failed}")).expect("refunded");
        let (asking, asked) = run.paid("pm_card_visa");
        let refund = run.call(Method::Post, "/v1/refunds", &format!("payment_intent={asked}")).expect("refunded");
        let refund = run.state.refunds.get_mut(refund["id"].as_str().expect("an id")).expect("a refund");
        refund.status = RefundStatus::RequiresAction;
        let (disputed, dispute) = run.paid("pm_card_createDispute");
        let (delayed, debit) = run.paid("pm_sandbox_delayed");
        run.go_on();
        assert!(run.state.sessions.get(&open).is_some(), "it can still be paid");
        assert!(run.knows(&refunding, &refunded), "its refund is pending");
        assert!(run.knows(&failing, &failed), "its refund fails later");
        assert!(run.knows(&asking, &asked), "its refund waits for the customer");
        assert!(run.knows(&disputed, &dispute), "its dispute is not decided");
        assert!(run.knows(&delayed, &debit), "it is not settled");
        run.confirm(&open, "pm_card_visa").expect("the purchase goes on");
    }

    #[test]
    fn a_debit_that_failed_is_finished_with_its_page() {
        let mut run = Run::new();
        let (session, debit) = run.paid("pm_sandbox_delayed");
        let intent = run.state.payment_intents.get_mut(&debit).expect("a payment");
        intent.status = IntentStatus::RequiresPaymentMethod;
        run.go_on();
        assert!(!run.knows(&session, &debit));
    }

    #[test]
    fn an_event_that_is_not_delivered_is_kept_with_its_payment() {
        let mut run = Run::new();
        let session = run.session("");
        let paid = run.confirm(&session, "pm_card_visa").expect("paid");
        let intent = paid["payment_intent"]["id"].as_str().expect("an id").to_owned();
        let events: Vec<String> = run.state.deliveries.values().map(|delivery| delivery.event.clone()).collect();
        run.go_on();
        assert!(events.len() > 3 && events.iter().all(|event| run.state.events.get(event).is_some()));
        assert!(run.knows(&session, &intent), "the receiver will ask for it");
        run.state.deliveries.retain(|_, _| false);
        run.go_on();
        assert!(events.iter().all(|event| run.state.events.get(event).is_none()));
        assert!(!run.knows(&session, &intent), "now it is finished");
    }

    #[test]
    fn what_a_request_for_later_is_about_is_kept_with_the_answer_under_its_key() {
        let mut run = Run::new();
        let (by_intent, intent) = run.paid("pm_card_visa");
        let (by_charge, charged) = run.paid("pm_card_visa");
        let charge = run.state.payment_intents.get(&charged).and_then(|intent| intent.latest_charge.clone());
        for (number, param) in [format!("payment_intent={intent}"), format!("charge={}", charge.expect("a charge"))]
            .into_iter()
            .enumerate()
        {
            let mut params = Params::default();
            params.read(param.as_bytes()).expect("parameters");
            let request = Request { method: Method::Post, path: "/v1/refunds".to_owned(), params };
            let cause = Cause { request_id: String::new(), idempotency_key: Some(format!("late_{number}")) };
            late::plan(&mut run.state, &request, &cause, DEFAULT_API_VERSION, i64::MAX);
            run.state.keep_answer(answer(&format!("late_{number}"), "re_gone"));
        }
        for number in 0..5 {
            run.state.keep_answer(answer(&format!("key_{number}"), "re_gone"));
        }
        run.go_on();
        assert!(run.knows(&by_intent, &intent) && run.knows(&by_charge, &charged));
        assert!(["late_0", "late_1", "key_4"].iter().all(|key| run.state.saved_answers.get(key).is_some()));
        assert!(run.state.saved_answers.get("key_0").is_none());
    }

    fn answer(key: &str, id: &str) -> SavedAnswer {
        SavedAnswer {
            path: String::new(),
            params: Value::Null,
            status: 200,
            body: serde_json::json!({ "id": id }),
            request_id: String::new(),
            // Not expired by age.
            saved_at: i64::MAX,
            key: key.to_owned(),
        }
    }

    #[test]
    fn the_oldest_answers_are_forgotten_first_and_that_of_an_open_session_is_kept() {
        let mut run = Run::new();
        let open = run.session("");
        run.state.keep_answer(answer("open", &open));
        for number in 0..5 {
            run.state.keep_answer(answer(&format!("key_{number}"), "cs_test_gone"));
        }
        assert!(trim(&mut run.state, SMALL));
        let kept: Vec<&str> = run.state.saved_answers.iter().map(|answer| answer.key.as_str()).collect();
        assert_eq!(kept, ["open", "key_3", "key_4"]);
    }
}
