//! The list of webhook deliveries: those that wait, and all attempts.

use maud::{Markup, html};

use super::{attempts, layout, parts, view::View, words};

/// How many waiting deliveries the page shows.
const WAITING: usize = 10;
const RESULTS: [(&str, &str); 3] = [("", "All"), ("failed", "Failed"), ("delivered", "Delivered")];

/// The page.
pub(super) fn list(view: &View<'_>) -> Markup {
    let chosen = view.asked.get("result").unwrap_or_default();
    let all = attempts::all(view).filter(|(_, attempt)| match chosen {
        "failed" => attempts::state(attempt).0 == "bad",
        "delivered" => attempts::state(attempt).0 == "good",
        _ => true,
    });
    let page = parts::page(view, all, |(number, _)| number.to_string());
    let waiting: Vec<_> =
        view.state().deliveries.iter().take(WAITING).map(|(number, delivery)| (*number, delivery)).collect();
    let more = view.state().deliveries.len().saturating_sub(WAITING);
    layout::site(
        view,
        "/deliveries",
        "Deliveries",
        &html! {
            h1 { "Deliveries" }
            p.lead {
                "Webhooks on their way to your endpoints. After any answer except 2xx a webhook is sent again with \
                 growing pauses. " a href="/_sandbox#webhooks" { "Hold, shuffle, drop or double them" }
            }
            (attempts::under_way(view))
            @if !waiting.is_empty() {
                h2 { "Waiting" }
                (attempts::waiting(view, &waiting))
                @if more > 0 {
                    p.soft #more-waiting { (words::count(more, "more delivery waits.", "more deliveries wait.")) }
                }
            }
            h2 { "Attempts" }
            (parts::tabs(view, "result", &RESULTS))
            @if page.rows.is_empty() { (nothing(view)) } @else { (attempts::rows(view, &page.rows)) }
            (parts::pager(view, &page))
        },
    )
}

fn nothing(view: &View<'_>) -> Markup {
    if view.core.attempts.is_empty() && view.state().endpoints.iter().next().is_none() {
        return parts::empty(
            "Nothing was sent, because no webhook endpoint is registered.",
            &html! {
                "Start the sandbox with " code { "--webhook-url" } " and " code { "--webhook-secret" }
                ", or register one with " code { "POST /v1/webhook_endpoints" } "."
            },
        );
    }
    if view.core.attempts.is_empty() {
        return parts::empty(
            "Nothing was sent since this program was started.",
            &html! { "A webhook is sent when an " a href="/events" { "event" } " happens." },
        );
    }
    parts::empty("No attempt ended like this.", &html! { a href="/deliveries" { "Show all attempts" } })
}
