//! The log of API requests.

use maud::{Markup, html};

use super::{
    layout,
    parts::{self, Row, badge},
    view::View,
    words::State,
};
use crate::engine::RecordedRequest;

const RESULTS: [(&str, &str); 4] = [("", "All"), ("write", "Writes"), ("failed", "Failed"), ("read", "Reads")];

/// The page.
pub(super) fn list(view: &View<'_>) -> Markup {
    let chosen = view.asked.get("result").unwrap_or_default();
    let all = view.core.requests.iter().rev().filter(|request| match chosen {
        "write" => request.method != "GET",
        "read" => request.method == "GET",
        "failed" => state(request).0 == "bad",
        _ => true,
    });
    let page = parts::page(view, all, |request| request.number.to_string());
    layout::site(
        view,
        "/requests",
        "API requests",
        &html! {
            h1 { "API requests" }
            p.lead {
                "What your Stripe client asked since this program was started, with its parameters. "
                a href="/_sandbox#faults" { "Let one fail" }
            }
            (parts::tabs(view, "result", &RESULTS))
            @if page.rows.is_empty() {
                @if view.core.requests.is_empty() {
                    (parts::empty("No requests yet.", &html! {
                        "Point your Stripe client at " code { (view.base_url) } "."
                    }))
                } @else {
                    (parts::empty("No request ended like this.", &html! { a href="/requests" { "Show all requests" } }))
                }
            } @else { (rows(&page.rows)) }
            (parts::pager(view, &page))
        },
    )
}

fn state(request: &RecordedRequest) -> State {
    match request.status {
        Some(200..=299) if request.replayed => ("quiet", "replayed"),
        Some(200..=299) => ("good", "answered"),
        Some(400..=499) => ("bad", "refused"),
        Some(_) => ("bad", "failed"),
        None => ("wait", "no answer"),
    }
}

fn rows(requests: &[&RecordedRequest]) -> Markup {
    let row = |request: &&RecordedRequest| Row {
        id: format!("request-{}", request.number),
        cells: vec![
            html! {
                div.line {
                    div.what {
                        strong { (request.method) } " " code { (request.path) }
                        span.soft {
                            code { (request.request_id) } ", version " (request.stripe_version)
                            @if let Some(key) = &request.idempotency_key { ", key " code { (key) } }
                        }
                    }
                    @if let Some(status) = request.status { (badge((state(request).0, &status.to_string()))) }
                    (badge(state(request)))
                }
            },
            html! {
                @if request.params.as_object().is_some_and(|params| !params.is_empty()) {
                    (parts::json("Parameters", &request.params))
                }
            },
        ],
    };
    let rows: Vec<Row> = requests.iter().map(row).collect();
    parts::rows("API requests", &rows)
}
