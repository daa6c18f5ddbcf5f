//! An account's saved card and auto top-up, with its attempts.

use maud::{Markup, html};

use crate::console::words::{credits, money};
use crate::domain::auto_topup::AutoTopupState;
use crate::domain::credit_unit::DisplayDecimals;
use crate::http::console::form::topup_path;
use crate::http::console::parts::{self, table, time};
use crate::http::console::session::SignedIn;
use crate::recurring::auto_topup::attempts::Attempt;
use crate::recurring::auto_topup::show::Shown;

/// The account's customer at Stripe, who keeps the cards, and auto top-up if it was ever on.
pub(super) fn section(
    signed: &SignedIn,
    customer: Option<&str>,
    shown: Option<&Shown>,
    decimals: DisplayDecimals,
) -> Markup {
    html! {
        @if customer.is_some() || shown.is_some() {
            section aria-labelledby="cards-title" {
                h2 #cards-title { "Saved cards" }
                @if let Some(customer) = customer {
                    p { "Customer at Stripe: " (parts::id(customer)) (parts::at_stripe(signed, &format!("customers/{customer}"))) }
                }
                @if let Some(shown) = shown { (auto_topup(shown, decimals)) }
            }
        }
    }
}

fn auto_topup(shown: &Shown, decimals: DisplayDecimals) -> Markup {
    let auto = &shown.auto;
    let class = match auto.state {
        AutoTopupState::Active => "good",
        AutoTopupState::Paused => "bad",
        AutoTopupState::Off => "quiet",
    };
    let rules = &auto.rules;
    let currency = rules.currency.as_str();
    html! {
        p {
            "Auto top-up: " (parts::badge(class, auto.state.as_str()))
            @if let Some(reason) = auto.reason { " " (reason.as_str().replace('_', " ")) }
            @if let Some(retry_at_ms) = auto.retry_at_ms { ", until " (time(retry_at_ms)) }
        }
        p {
            "Buys " (credits(rules.credits, decimals)) " credits below " (credits(rules.threshold_credits, decimals))
            " available, at most " (rules.caps.max_per_day) " times a day and for "
            (money(rules.caps.max_per_month_minor, currency)) " a month. Charged: " (shown.charged.today) " times today, "
            (money(shown.charged.month_minor, currency)) " this month. Card: "
            @match &rules.card { Some(card) => code { (card) }, None => "the customer's default" } "."
        }
        p.hint {
            "The customer agreed to version " (auto.consent.version) " at " (time(auto.consented_at_ms)) ", said by "
            (auto.consent.by) "."
        }
        @if let Some(page) = &shown.page {
            p { "The customer has to confirm a payment until " (time(page.expires_at_ms)) ": " code { (page.url) } }
        }
        @if !shown.attempts.is_empty() {
            @let rows: Vec<Markup> = shown.attempts.iter().map(|attempt| row(attempt, decimals)).collect();
            (table("Charges of saved cards", &["When", "Top-up", "Credits", "Charge", "Card", "Outcome"], &rows))
        }
    }
}

fn row(attempt: &Attempt, decimals: DisplayDecimals) -> Markup {
    html! {
        td { (time(attempt.started_at)) }
        td { a href=(topup_path(&attempt.topup_id)) title=(attempt.topup_id) { (parts::short_id(&attempt.topup_id)) } }
        td.number { (credits(attempt.credits, decimals)) }
        td.number { (money(attempt.total_amount, &attempt.currency)) }
        td { (attempt.card_brand) " " (attempt.card_last4) }
        td { (attempt.outcome) @if let Some(code) = &attempt.code { ": " (code) } }
    }
}
