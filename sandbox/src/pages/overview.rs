//! The first page: what needs a look, the numbers, and the newest of everything.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{
    attempts, customers, disputes, endpoints, events, layout,
    parts::{self, when},
    paying, payments, refunds,
    view::View,
    words,
};
use crate::model::{
    currency,
    dispute::{Dispute, withdrawn},
    refund::RefundStatus,
};

const SHOWN: usize = 5;

/// The page.
pub(super) fn show(view: &View<'_>) -> Markup {
    let state = view.state();
    let is_new = state.sessions.len() == 0 && state.payment_intents.len() == 0 && state.events.len() == 0;
    layout::site(
        view,
        "/",
        "Overview",
        &html! {
            h1 { "Overview" }
            p.lead {
                "This program stands in for Stripe while you develop and test, at " code { (view.base_url) }
                ". Nothing leaves this machine, and no money moves. It is not made by Stripe."
            }
            @if is_new { (start(view)) }
            (attention(view))
            (numbers(view))
            @if !is_new { (newest(view)) }
        },
    )
}

/// What to do in a sandbox where nothing has happened yet.
fn start(view: &View<'_>) -> Markup {
    html! {
        div.start #start {
            h2 { "Nothing has happened yet. What to do next" }
            ol {
                li {
                    "Point a Stripe client at " code { (view.base_url) } " with the test key that the sandbox was \
                     started with."
                }
                @if view.state().endpoints.iter().next().is_none() {
                    li {
                        "Register your webhook: " code {
                            "curl " (view.base_url) "/v1/webhook_endpoints -u sk_test_…: \
                             -d url=http://127.0.0.1:3000/webhooks -d 'enabled_events[]=*'"
                        }
                    }
                }
                li {
                    "Create a checkout session, open its " code { "url" } " and pay with "
                    code { "4242 4242 4242 4242" } ". Or let the sandbox do it: "
                    code { "stripe-sandbox trigger checkout.session.completed --base " (view.base_url) }
                }
            }
        }
    }
}

/// What needs a look.
fn attention(view: &View<'_>) -> Markup {
    let state = view.state();
    let failing = state.endpoints.iter().filter(|endpoint| endpoints::state(view, endpoint).0 == "error").count();
    let (due, waiting) = view.core.backlog(view.now_ms);
    let to_answer: Vec<&Dispute> = state.disputes.iter().filter(|dispute| dispute.status.takes_evidence()).collect();
    let soonest = to_answer.iter().map(|dispute| dispute.due_by).min();
    let debits = state.settlements.len();
    html! {
        @if failing > 0 || due + waiting > 0 || !to_answer.is_empty() || debits > 0 {
            ul.attention aria-label="What needs a look" {
                @if failing > 0 {
                    li.bad {
                        a href="/_sandbox#endpoints" {
                            (words::count(failing, "endpoint takes no webhooks", "endpoints take no webhooks"))
                        }
                    }
                }
                @if due + waiting > 0 {
                    li.wait {
                        a href="/deliveries" {
                            (words::count(due + waiting, "webhook is not delivered", "webhooks are not delivered"))
                        }
                    }
                }
                @if let Some(soonest) = soonest {
                    li.bad {
                        a href="/disputes" {
                            (words::count(to_answer.len(), "dispute needs a response", "disputes need a response"))
                        }
                        ", the first " (when(view, soonest))
                    }
                }
                @if debits > 0 {
                    li.wait {
                        a href="/payments?state=processing" {
                            (words::count(debits, "bank debit is under way", "bank debits are under way"))
                        }
                    }
                }
            }
        }
    }
}

/// Sums of several currencies, in their order.
fn sums<'a>(amounts: impl Iterator<Item = (i64, &'a str)>) -> Vec<String> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for (amount, currency) in amounts {
        let sum = sums.entry(currency).or_default();
        *sum = sum.saturating_add(amount);
    }
    sums.iter().map(|(currency, sum)| currency::format(*sum, currency)).collect()
}

fn numbers(view: &View<'_>) -> Markup {
    let state = view.state();
    let paid: Vec<_> = state.charges.iter().filter(|charge| charge.is_paid()).collect();
    let refunds: Vec<_> = state
        .refunds
        .iter()
        .filter(|refund| !matches!(refund.status, RefundStatus::Failed | RefundStatus::Canceled))
        .collect();
    let open: Vec<_> = state.disputes.iter().filter(|dispute| !dispute.status.is_closed()).collect();
    let balance = sums(state.balance_transactions.iter().map(|entry| (entry.net, entry.currency.as_str())));
    let open_sessions = state.open_until.len();
    html! {
        dl.numbers {
            (number("Payments", &paid.len().to_string(),
                &sums(paid.iter().map(|charge| (charge.amount, charge.currency.as_str()))).join(", ")))
            (number("Customers", &customers::all(view).count().to_string(), ""))
            (number("Open checkouts", &open_sessions.to_string(), ""))
            (number("Refunds", &refunds.len().to_string(),
                &sums(refunds.iter().map(|refund| (refund.amount, refund.currency.as_str()))).join(", ")))
            (number("Open disputes", &open.len().to_string(),
                &sums(open.iter().map(|dispute| (withdrawn(state, dispute), dispute.currency.as_str()))).join(", ")))
            div {
                dt { "Balance" }
                dd class=[(balance.len() > 1).then_some("many")] {
                    @if balance.is_empty() { "–" }
                    @for sum in &balance { span { (sum) } }
                    small { "after Stripe's fees" }
                }
            }
        }
    }
}

fn number(name: &str, value: &str, note: &str) -> Markup {
    html! { div { dt { (name) } dd { (value) @if !note.is_empty() { small { (note) } } } } }
}

fn newest(view: &View<'_>) -> Markup {
    let state = view.state();
    let all = paying::all(view);
    let payments: Vec<_> = all.iter().take(SHOWN).collect();
    let customers: Vec<_> = customers::all(view).take(SHOWN).collect();
    let refunds: Vec<_> = state.refunds.iter().rev().take(SHOWN).collect();
    let disputes: Vec<_> = state.disputes.iter().rev().take(SHOWN).collect();
    let events: Vec<_> = state.events.iter().rev().take(SHOWN).collect();
    let attempts: Vec<_> = attempts::all(view).take(SHOWN).collect();
    html! {
        @if !payments.is_empty() {
            (heading("Newest payments", "/payments", "All payments"))
            (payments::table(view, &payments))
        }
        @if !customers.is_empty() {
            (heading("Newest customers", "/customers", "All customers"))
            (customers::table(view, &customers))
        }
        @if !refunds.is_empty() {
            (heading("Newest refunds", "/refunds", "All refunds"))
            (refunds::table(view, &refunds))
        }
        @if !disputes.is_empty() {
            (heading("Newest disputes", "/disputes", "All disputes"))
            (disputes::table(view, &disputes))
        }
        div.columns {
            div #newest-events {
                (heading("Newest events", "/events", "All events"))
                (events::brief(view, &events))
            }
            div #newest-deliveries {
                (heading("Newest deliveries", "/deliveries", "All deliveries"))
                @if attempts.is_empty() {
                    (parts::empty("Nothing was sent yet.", &html! {
                        a href="/_sandbox#endpoints" { "See the webhook endpoints" }
                    }))
                } @else { (attempts::brief(view, &attempts)) }
            }
        }
    }
}

fn heading(title: &str, path: &str, all: &str) -> Markup {
    html! { h2 { (title) " " small { a href=(path) { (all) } } } }
}
