//! The operator log.

use actix_web::HttpRequest;
use maud::{Markup, html};

use crate::console::operator_log::LoggedEntry;
use crate::console::words::credits;
use crate::domain::credit_unit::DisplayDecimals;
use crate::http::console::form::{Fields, account_path, failure_path, topup_path};
use crate::http::console::layout::{Place, action_word, at};
use crate::http::console::page::Page;
use crate::http::console::parts::{badge, more, short_id, table, time};
use crate::http::console::session::SignedIn;
use crate::http::kit::paging::page;
use crate::http::state::State;

const ROWS: i64 = 50;

/// All entries, newest first.
pub(super) async fn list(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let fields = Fields::of_query(&request)?;
    let (before_ms, id) = fields.before()?;
    let app = state.app.clone();
    let read = async move {
        let (id, phase) = id.split_once(':').unwrap_or((&id, ""));
        app.db.operator_log((before_ms, id, phase), ROWS + 1).await
    };
    let found = signed.run(read).await?;
    let (rows, next) = page(found, ROWS, |entry| (entry.created_at, format!("{}:{}", entry.change_id, entry.phase)));
    let content = html! {
        h1 { "Operator log" }
        p.lead { "Everything that was done in this console, and by whom. Each change is written down before it is \
            made, and once more \
            when its outcome is known. Nothing here can be changed or removed." }
        @if rows.is_empty() { p.empty { "None." } } @else { (entries(&rows, state.app.pricing.decimals())) }
        (more("/console/log", &[], next.as_deref()))
    };
    Ok(at(&signed, Place::Log).show("Operator log", &content))
}

/// A table of entries.
pub(super) fn entries(entries: &[LoggedEntry], decimals: DisplayDecimals) -> Markup {
    let rows: Vec<Markup> = entries
        .iter()
        .map(|entry| {
            let phase = match entry.phase.as_str() {
                "done" => badge("good", "done"),
                "refused" => badge("bad", "not done"),
                _ => badge("quiet", "asked"),
            };
            html! {
                td { (time(entry.created_at)) }
                td { (action_word(&entry.action)) }
                td { (phase) }
                td { (subject(entry)) }
                td.number { @if entry.credits != 0 { (credits(entry.credits, decimals)) } }
                td { (entry.detail) }
                td { (entry.made_by) }
            }
        })
        .collect();
    table("Operator log", &["When", "What", "Outcome", "To what", "Credits counted", "Details", "By"], &rows)
}

fn subject(entry: &LoggedEntry) -> Markup {
    let (text, short) = (&entry.subject, short_id(&entry.subject));
    html! {
        @match entry.action.as_str() {
            "refund" | "ask_stripe" => a href=(topup_path(text)) title=(text) { (short) },
            "adjustment" | "block" | "unblock" => a href=(account_path(text)) { (text) },
            "replay" | "close_delivery" => a href=(failure_path(text)) title=(text) { (short) },
            _ => code title=(text) { (short) },
        }
    }
}
