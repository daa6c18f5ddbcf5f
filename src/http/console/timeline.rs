//! Everything that happened to a top-up, in the order of time.

use maud::{Markup, html};

use crate::console::words::{at, credits, money};
use crate::domain::ledger::description;
use crate::http::console::disputes::evidence_path;
use crate::http::console::form::failure_path;
use crate::http::console::fraud;
use crate::http::console::parts::{at_stripe, time};
use crate::http::console::session::SignedIn;
use crate::inbox::failed_events::{FailedEvent, FailureState};
use crate::purchases::explain_topup::Explanation;
use crate::purchases::fraud::fraud_signals::StoredSignal;
use crate::purchases::reversal::reversals::Reversal;

/// Something that happened.
struct Step {
    at_ms: i64,
    /// `money`, `credits`, `event` or `bad`: the colour of its dot.
    kind: &'static str,
    title: String,
    detail: Markup,
}

fn step(at_ms: i64, kind: &'static str, title: impl Into<String>, detail: Markup) -> Step {
    Step { at_ms, kind, title: title.into(), detail }
}

/// The list, oldest first.
pub(super) fn timeline(signed: &SignedIn, found: &Explanation) -> Markup {
    let mut steps = of_checkout(found);
    steps.extend(of_money(signed, found));
    steps.extend(found.events.iter().map(|event| {
        let detail = html! {
            code { (event.provider_event_id) } (at_stripe(signed, &format!("events/{}", event.provider_event_id)))
        };
        step(event.received_at, "event", format!("{}: {}", event.event_type, event.outcome.replace('_', " ")), detail)
    }));
    steps.extend(found.signals.iter().flat_map(|signal| of_signal(signed, signal)));
    steps.extend(found.failures.iter().map(failure));
    // What happened at the same time stays in the order above: a payment, then its event and its credits.
    steps.sort_by_key(|step| step.at_ms);
    html! {
        ol.timeline {
            @for step in &steps {
                li class=(step.kind) {
                    p.when { (time(step.at_ms)) }
                    p.what { (step.title) }
                    div.detail { (step.detail) }
                }
            }
        }
    }
}

fn of_checkout(found: &Explanation) -> Vec<Step> {
    let (topup, fees) = (&found.topup, &found.fees);
    let total = money(topup.total_amount_minor, topup.currency.as_str());
    let mut steps = vec![step(
        topup.created_at_ms,
        "event",
        format!("Checkout over {total} created"),
        if let Some(session) = &topup.session {
            html! { "Opened as " code { (session) } ", until " (at(topup.expires_at_ms)) }
        } else {
            html! { "Stripe's checkout session is not known" }
        },
    )];
    if let Some(at_ms) = fees.declined_at {
        let code = topup.decline_code.as_deref().unwrap_or("no code");
        steps.push(step(at_ms, "bad", "A payment attempt was declined", html! { code { (code) } }));
    }
    if let (Some(at_ms), Some(by)) = (fees.adopted_at, &fees.adopted_by) {
        steps.push(step(at_ms, "event", "Adopted from Stripe's data", html! { "by " (by) }));
    }
    steps
}

fn of_money(signed: &SignedIn, found: &Explanation) -> Vec<Step> {
    let decimals = signed.state.app.pricing.decimals();
    let mut steps = Vec::new();
    for payment in &found.payments {
        let id = &payment.provider_payment_id;
        let title = match payment.state.as_str() {
            "credited" => "Payment",
            "surplus" => "A second payment, which credits nothing",
            _ => "Payment heard of, and not booked",
        };
        let detail = html! {
            code { (id) } (at_stripe(signed, &format!("payments/{id}")))
            @if let Some((fee, currency)) = payment.real_fee.zip(payment.real_fee_currency.as_deref()) {
                ", Stripe kept " (money(fee, currency))
            }
        };
        steps.push(step(payment.created_at, if payment.state == "surplus" { "bad" } else { "money" }, title, detail));
    }
    for entry in &found.entries {
        let sign = if entry.credits > 0 { "+" } else { "" };
        let title = format!(
            "{sign}{} credits: {}",
            credits(entry.credits, decimals),
            description(&entry.kind, entry.reason.as_deref())
        );
        let detail = html! { "Balance afterwards " (credits(entry.balance_after, decimals)) };
        steps.push(step(entry.created_at, "credits", title, detail));
    }
    for request in &found.requests {
        let title = format!("Refund of {} asked for: {}", money(request.amount, &request.currency), request.state);
        let detail =
            html! { "by " (request.requested_by) @if let Some(code) = &request.failure_code { ", " code { (code) } } };
        steps.push(step(request.created_at, "money", title, detail));
    }
    for reversal in &found.reversals {
        steps.extend(of_reversal(signed, reversal));
    }
    steps
}

fn of_reversal(signed: &SignedIn, reversal: &Reversal) -> Vec<Step> {
    let amount = money(reversal.amount, &reversal.currency);
    let (id, status) = (&reversal.provider_reversal_id, reversal.status.replace('_', " "));
    let payment = format!("payments/{}", reversal.provider_payment_id);
    let reason = reversal.reason.as_deref().map(|reason| reason.replace('_', " "));
    let is_dispute = reversal.kind == "dispute";
    let (kind, title) = if is_dispute {
        ("bad", format!("Dispute over {amount} opened"))
    } else {
        ("money", format!("Refund of {amount}"))
    };
    let detail = html! {
        code { (id) } (at_stripe(signed, &payment))
        @if let Some(reason) = reason { ", " (reason) }
        @if is_dispute { ", " a href=(evidence_path(id)) download { "evidence file" } }
        @if is_dispute { @if let Some(due_ms) = reversal.evidence_due_at { ", evidence due by " (time(due_ms)) } }
    };
    let mut steps = vec![step(reversal.created_at, kind, title, detail)];
    let what = if is_dispute { "Dispute" } else { "Refund" };
    steps.push(step(reversal.updated_at, kind, format!("{what} is {status}"), html! { code { (id) } }));
    steps
}

fn of_signal(signed: &SignedIn, signal: &StoredSignal) -> Vec<Step> {
    let id = &signal.provider_signal_id;
    let detail = html! {
        code { (id) } (at_stripe(signed, &format!("payments/{}", signal.provider_payment_id)))
        @if let Some(reason) = &signal.reason { ", " (reason.replace('_', " ")) }
        @if signal.blocked_account != 0 { ", the account was blocked" }
    };
    let mut steps = vec![step(signal.occurred_at, "bad", fraud::name(signal), detail)];
    if signal.is_open == 0 {
        let ended = signal.ended.as_deref().unwrap_or("no longer open").replace('_', " ");
        steps.push(step(
            signal.updated_at,
            "event",
            format!("{}: {ended}", fraud::name(signal)),
            html! { code { (id) } },
        ));
    }
    steps
}

fn failure(failure: &FailedEvent) -> Step {
    let state = match failure.state() {
        FailureState::Open => "open",
        FailureState::Resolved => "put right since",
        FailureState::Closed => "closed by an operator",
    };
    let detail = html! {
        a href=(failure_path(&failure.provider_event_id)) { code { (failure.provider_event_id) } }
        ", " (failure.error) " (" (state) ")"
    };
    step(failure.last_failed_at, "bad", format!("Delivery failed: {}", failure.event_type), detail)
}
