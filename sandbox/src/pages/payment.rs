//! The page of one payment: its facts, its controls, its refunds, disputes and events.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    control_forms::{Input, Mode, button, confirmed, control, form, input, select},
    customer_cell, disputes, events, layout,
    parts::{self, badge, exactly},
    paying::{self, Can, Paying},
    refunds,
    view::View,
    words,
};
use crate::model::{currency, payment::Charge, payment_json, session_json, setup_intent};

/// How many events the page lists.
const EVENTS: usize = 20;

/// The page, if there is such a payment.
pub(super) fn show(view: &View<'_>, id: &str) -> Option<Markup> {
    let paying = paying::find(view, id)?;
    let total = paying.total();
    let content = html! {
        p.crumb { a href="/payments" { "Payments" } }
        h1 { (total) " " (badge(paying.state(view))) }
        p.subtitle { (paying.who()) " · " (paying.what()) }
        (facts(view, &paying))
        h2 { "What you can do" }
        (controls(view, &paying))
        (money_back(view, &paying))
        h2 { "Events" }
        (about(view, &paying))
        h2 { "As the API shows it" }
        @if let Some(session) = paying.session {
            (parts::json("The checkout session", &session_json::session(session, view.base_url)))
        }
        @if let Some(intent) = paying.intent {
            (parts::json("The payment intent", &payment_json::payment_intent(view.state(), intent, view.base_url)))
        }
        @if let Some(setup) = paying.setup {
            (parts::json("The setup intent", &setup_intent::to_json(view.state(), setup, view.base_url)))
        }
        @if let Some(charge) = paying.charge(view) {
            (parts::json("The charge", &payment_json::charge(view.state(), charge)))
        }
    };
    let title = if paying.is_setup() { "Checkout that saves a card".to_owned() } else { format!("Payment of {total}") };
    Some(layout::site(view, "/payments", &title, &content))
}

fn facts(view: &View<'_>, paying: &Paying<'_>) -> Markup {
    let mut facts = vec![("Created", exactly(view, paying.created()))];
    if let Some(session) = paying.session {
        facts.push(("Checkout session", html! { code { (session.id) } }));
        if session.is_open() {
            facts.push(("Expires", exactly(view, session.expires_at)));
        }
    }
    if let Some(intent) = paying.intent {
        facts.push(("Payment intent", html! { code { (intent.id) } }));
    }
    if let Some(customer) = paying.customer() {
        facts.push(("Customer", customer_cell::cell(view, customer)));
    }
    if let Some(email) = paying.email() {
        facts.push(("E-mail", html! { (email) }));
    }
    if let Some(method) = paying.method(view) {
        let card = method.card.as_ref().map(|card| format!("{} ending in {}", card.brand, card.last4));
        let debit = method.sepa_debit.as_ref().map(|_| "SEPA bank debit".to_owned());
        facts.push(("Paid with", html! { (card.or(debit).unwrap_or_else(|| "bank debit".to_owned())) }));
    }
    if let Some(charge) = paying.charge(view) {
        facts.push(("Charge", html! { code { (charge.id) } }));
        let booked = charge.balance_transaction.as_deref();
        if let Some(booked) = booked.and_then(|id| view.state().balance_transactions.get(id)) {
            let fee = currency::format(booked.fee, &booked.currency);
            facts.push(("Stripe's fee", html! { (fee) " of " (currency::format(booked.amount, &booked.currency)) }));
        }
        if charge.amount_refunded > 0 {
            facts.push(("Refunded", html! { (currency::format(charge.amount_refunded, &charge.currency)) }));
        }
    }
    if let Some(declined) = paying.intent.and_then(|intent| intent.last_error) {
        facts.push(("Last decline", html! { (words::decline(declined)) }));
    }
    let metadata =
        paying.session.map(|session| &session.metadata).or(paying.intent.map(|intent| &intent.data.metadata));
    if let Some(metadata) = metadata.filter(|metadata| !metadata.is_empty()) {
        facts.push(("Metadata", html! { @for (name, value) in metadata { code { (name) "=" (value) } " " } }));
    }
    parts::facts(&facts)
}

fn controls(view: &View<'_>, paying: &Paying<'_>) -> Markup {
    let path = |action: &str| format!("{}/{action}", paying.controls());
    let id = paying.id();
    let decided =
        |action: &str, label: &str, outcome: &str| button(view, &path(action), label, id, &[("outcome", outcome)]);
    html! {
        div.cards {
            @if let Some(session) = paying.session.filter(|session| session.is_open()) {
                (control("customer", "Play the customer",
                    "Opens the page where the customer pays, in a new tab, with the list of test cards.",
                    &html! {
                        a.button href={ "/c/pay/" (session.id) } target="_blank" rel="noopener" {
                            "Open the checkout" span.for-ears { " (opens a new tab)" }
                        }
                    }))
            }
            @match paying.can() {
                Can::Expire => {
                    (control("expire", "Expire the session",
                        "The checkout ends as if its time had run out: nothing is charged, and \
                         checkout.session.expired is sent.",
                        &confirmed(view, &path("expire"), ("Expire it", id),
                            "The customer cannot pay in this checkout any more. This cannot be undone.", &[])))
                }
                Can::Authenticate => {
                    (control("pass", "Pass 3-D Secure",
                        "The customer proves to the bank who they are. The payment then succeeds, or is declined if \
                         the test card says so; a checkout that saves a card saves it.",
                        &decided("challenge", "Pass", "passed")))
                    (control("fail", "Fail 3-D Secure",
                        "The customer cannot prove who they are. The payment fails; the checkout stays open for \
                         another card.", &decided("challenge", "Fail", "failed")))
                }
                Can::Settle => {
                    (control("arrive", "Let the money arrive",
                        "The bank debit succeeds: the payment is paid, and the events of a paid charge and \
                         checkout.session.async_payment_succeeded are sent.",
                        &decided("settle", "Money arrives", "succeeded")))
                    (control("bounce", "Let the payment fail",
                        "The customer's bank returns the debit: nothing is paid, and \
                         checkout.session.async_payment_failed is sent.",
                        &confirmed(view, &path("settle"), ("Payment fails", id),
                            "The payment ends as failed. This cannot be undone.", &[("outcome", "failed")])))
                }
                Can::ComeBack => @if let (Some(intent), Some(charge)) = (paying.intent, paying.charge(view)) {
                    (refund(view, &intent.id, charge))
                    (dispute(view, &intent.id, charge))
                },
                Can::Nothing => (parts::empty("This payment has ended.", &html! {
                    "Nothing can be done with it any more. " a href="/payments" { "Look at other payments" }
                })),
            }
        }
    }
}

fn refund(view: &View<'_>, intent: &str, charge: &Charge) -> Markup {
    let left = currency::format(charge.left(), &charge.currency);
    if charge.left() == 0 {
        return html! {};
    }
    control(
        "refund",
        "Refund it",
        &format!(
            "Returns {left}, or a part of it, to the customer, as a user of Stripe's dashboard would. Stripe keeps its \
             fee; refund.created and charge.refunded are sent."
        ),
        &form(
            view,
            &format!("payment_intents/{intent}/refund"),
            "refund",
            &html! {
                (input(&Input { id: "refund-amount", name: "amount", label: "Amount",
                    hint: &format!("Such as 1.50. Empty: all of {left}."), value: "", mode: Mode::Money }))
                button type="submit" { "Refund" span.for-ears { ": " (intent) } }
            },
        ),
    )
}

fn dispute(view: &View<'_>, intent: &str, charge: &Charge) -> Markup {
    let fee = currency::format(1_500, &charge.currency);
    let path = format!("payment_intents/{intent}/dispute");
    html! {
        (control("dispute", "Dispute it",
            &format!("The customer's bank takes the money back, and Stripe charges {fee} for it. \
                charge.dispute.created and charge.dispute.funds_withdrawn are sent."),
            &form(view, &path, "dispute", &html! {
                (select("dispute-reason", "reason", "The customer's reason", "fraudulent", &[
                    ("fraudulent", "fraudulent"), ("product_not_received", "product not received"),
                    ("product_unacceptable", "product unacceptable"), ("duplicate", "duplicate"),
                    ("credit_not_processed", "credit not processed"),
                    ("subscription_canceled", "subscription canceled"), ("unrecognized", "unrecognized"),
                    ("general", "general")]))
                (input(&Input { id: "dispute-amount", name: "amount", label: "Amount",
                    hint: "Such as 1.50. Empty: all that is not refunded.", value: "", mode: Mode::Money }))
                button type="submit" { "Dispute" span.for-ears { ": " (intent) } }
            })))
        (control("inquiry", "Let the bank ask first",
            "The customer's bank asks what the payment was for. No money moves; charge.dispute.created is sent, and \
             the dispute can become a real one later.",
            &button(view, &path, "Inquiry", intent, &[("inquiry", "true")])))
    }
}

fn money_back(view: &View<'_>, paying: &Paying<'_>) -> Markup {
    let intent = paying.intent.map(|intent| intent.id.as_str());
    let refunds: Vec<_> =
        view.state().refunds.iter().rev().filter(|refund| Some(refund.payment_intent.as_str()) == intent).collect();
    let disputes: Vec<_> = paying.disputes(view).collect();
    html! {
        @if !refunds.is_empty() { h2 { "Refunds" } (refunds::table(view, &refunds)) }
        @if !disputes.is_empty() { h2 { "Disputes" } (disputes::table(view, &disputes)) }
    }
}

/// The events about a payment: of its objects, and of those that name its payment intent.
fn about(view: &View<'_>, paying: &Paying<'_>) -> Markup {
    let intent = paying.intent.map(|intent| intent.id.as_str());
    let member = |object: &Value, name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    let is_about = |object: &Value| {
        let (id, of) = (member(object, "id"), member(object, "payment_intent"));
        id.as_deref() == Some(paying.id()) || intent.is_some() && (id.as_deref() == intent || of.as_deref() == intent)
    };
    let all = view.state().events.iter().rev().filter(|event| is_about(&event.object)).take(EVENTS);
    let found: Vec<_> = all.collect();
    html! {
        @if found.is_empty() {
            (parts::empty("No events yet.", &html! {
                "An event is sent when the customer pays, when the session expires, and after each control above."
            }))
        } @else { (events::rows(view, &found)) }
    }
}
