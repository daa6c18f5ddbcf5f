//! The list of payments, and what a search finds.

use maud::{Markup, html};

use super::{
    layout,
    parts::{self, Row, badge, when},
    paying::{self, Paying},
    view::View,
};

const STATES: [(&str, &str); 5] =
    [("", "All"), ("open", "Open"), ("processing", "Processing"), ("paid", "Paid"), ("ended", "Failed or expired")];

/// The page. A search for the id of another object is answered with a link to it.
pub(super) fn list(view: &View<'_>) -> Markup {
    let wanted = view.asked.get("q").map(str::trim).filter(|wanted| !wanted.is_empty());
    let chosen = view.asked.get("state").unwrap_or_default();
    let all = paying::all(view);
    let found: Vec<&Paying<'_>> = all
        .iter()
        .filter(|paying| wanted.is_none_or(|wanted| paying.is_found(view, wanted)))
        .filter(|paying| is_in(view, paying, chosen))
        .collect();
    let page = parts::page(view, found.iter().copied(), |paying| paying.id().to_owned());
    let other = wanted.and_then(|wanted| view.link(wanted)).filter(|path| !path.starts_with("/payments/"));
    layout::site(
        view,
        "/payments",
        "Payments",
        &html! {
            h1 { "Payments" }
            p.lead {
                "Checkout sessions, and payment intents that were created without one. The page of a payment has its \
                 controls: expire it, let the money of a bank debit arrive, refund it, dispute it."
            }
            @if let Some(wanted) = wanted {
                p #search-words { "What fits “" strong { (wanted) } "”. " a href="/payments" { "Show all" } }
                @if let Some(path) = &other { p #search-other { a href=(path) { "Open " code { (wanted) } } } }
            }
            (parts::tabs(view, "state", &STATES))
            @if page.rows.is_empty() { (nothing(view, all.is_empty())) } @else { (table(view, &page.rows)) }
            (parts::pager(view, &page))
        },
    )
}

fn is_in(view: &View<'_>, paying: &Paying<'_>, chosen: &str) -> bool {
    let (class, word) = paying.state(view);
    match chosen {
        "open" => class == "wait" && word != "processing" && word != "paid, inquiry",
        "processing" => word == "processing",
        "paid" => word.starts_with("paid") || matches!(word, "disputed" | "refunded"),
        "ended" => matches!(word, "failed" | "expired" | "declined" | "canceled"),
        _ => true,
    }
}

fn nothing(view: &View<'_>, is_new: bool) -> Markup {
    if is_new {
        return parts::empty(
            "No payments yet.",
            &html! {
                "Create a checkout session at " code { (view.base_url) "/v1/checkout/sessions" } " and open its "
                code { "url" } ". Or let the sandbox make one: "
                code { "stripe-sandbox trigger checkout.session.completed --base " (view.base_url) }
            },
        );
    }
    parts::empty("No payment fits.", &html! { a href="/payments" { "Show all payments" } })
}

/// A table of payments.
pub(super) fn table(view: &View<'_>, payments: &[&Paying<'_>]) -> Markup {
    let row = |paying: &&Paying<'_>| Row {
        id: paying.id().to_owned(),
        cells: vec![
            html! {
                a href={ "/payments/" (paying.id()) } title=(paying.id()) {
                    (paying.total()) span.for-ears { ", " (paying.id()) }
                }
            },
            badge(paying.state(view)),
            html! { (paying.who()) },
            html! { (paying.what()) },
            when(view, paying.created()),
        ],
    };
    let rows: Vec<Row> = payments.iter().map(row).collect();
    parts::table("Payments", &["Amount", "State", "Buyer", "Item", "Created"], &rows)
}
