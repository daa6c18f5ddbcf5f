//! The sandbox's home page: what it is, and its latest activity.

use maud::{Markup, html};

use super::layout;
use crate::{engine::Attempt, model::State, model::currency};

const SHOWN: usize = 20;

/// The latest sessions and events.
pub(crate) struct Latest {
    sessions: Vec<SessionRow>,
    events: Vec<(String, String, i64)>,
}

struct SessionRow {
    id: String,
    status: &'static str,
    paid: bool,
    total: String,
}

/// Reads the newest sessions and events.
pub(crate) fn state_of(state: &State) -> Latest {
    let sessions = state.sessions.iter().rev().take(SHOWN).map(|session| SessionRow {
        id: session.id.clone(),
        status: session.status.as_str(),
        paid: session.paid,
        total: currency::format(session.amount_total, &session.currency),
    });
    let events =
        state.events.iter().rev().take(SHOWN).map(|event| (event.id.clone(), event.kind.clone(), event.created));
    Latest { sessions: sessions.collect(), events: events.collect() }
}

/// Renders the page. `attempts` are the newest webhook attempts.
pub(crate) fn page(base_url: &str, latest: &Latest, attempts: &[Attempt]) -> Markup {
    layout::page(
        "Stripe sandbox",
        &html! {
            main {
                h1 { "Stripe sandbox" }
                p {
                    "This program stands in for Stripe while you develop and test. Point a Stripe client at "
                    code { (base_url) } " with the test key it was started with. Nothing leaves this machine, and no \
                    money moves. It is not made by Stripe."
                }
                p { a href="/_sandbox" { "Controls" } ": settle, refund, dispute, hold webhooks back, break the API,                     advance the clock." }
                h2 { "Checkout sessions" }
                (sessions(&latest.sessions))
                h2 { "Events" }
                (events(&latest.events))
                h2 { "Webhook attempts" }
                (deliveries(attempts))
            }
        },
    )
}

fn sessions(rows: &[SessionRow]) -> Markup {
    html! {
        @if rows.is_empty() { p.soft { "None yet." } } @else {
            div.scroll { table {
                tr { th { "Session" } th { "Status" } th { "Total" } }
                @for row in rows {
                    tr {
                        td { a href={ "/c/pay/" (row.id) } { code { (row.id) } } }
                        td { (row.status) @if row.paid { ", paid" } }
                        td { (row.total) }
                    }
                }
            } }
        }
    }
}

fn events(rows: &[(String, String, i64)]) -> Markup {
    html! {
        @if rows.is_empty() { p.soft { "None yet." } } @else {
            div.scroll { table {
                tr { th { "Type" } th { "Event" } th { "Created" } }
                @for (id, kind, created) in rows {
                    tr { td { (kind) } td { code { (id) } } td { (created) } }
                }
            } }
        }
    }
}

fn deliveries(rows: &[Attempt]) -> Markup {
    html! {
        @if rows.is_empty() { p.soft { "None yet." } } @else {
            div.scroll { table {
                tr { th { "Type" } th { "To" } th { "Attempt" } th { "Result" } }
                @for row in rows {
                    tr {
                        td { (row.r#type) }
                        td { code { (row.url) } }
                        td { (row.number) }
                        td {
                            @if let Some(status) = row.status { (status) }
                            @if let Some(error) = &row.error { (error) }
                        }
                    }
                }
            } }
        }
    }
}
