//! Attempts to deliver webhooks, and deliveries that still wait.

use maud::{Markup, html};

use super::{
    control_forms::row_button,
    parts::{self, Row, badge, link, when},
    view::View,
    words::State,
};
use crate::{engine::Attempt, model::event::Delivery};

/// An attempt with its number among all of this run.
pub(super) type Numbered<'a> = (u64, &'a Attempt);

/// All attempts that are remembered, newest first.
pub(super) fn all<'a>(view: &View<'a>) -> impl Iterator<Item = Numbered<'a>> + Clone + use<'a> {
    let first = view.core.attempts_forgotten;
    let numbered = view.core.attempts.iter().enumerate();
    let numbered =
        numbered.map(move |(place, attempt)| (first.saturating_add(u64::try_from(place).unwrap_or(u64::MAX)), attempt));
    numbered.rev()
}

/// The attempts for an event, newest first.
pub(super) fn of_event<'a>(view: &View<'a>, event: &str) -> Vec<Numbered<'a>> {
    all(view).filter(|(_, attempt)| attempt.event == event).take(20).collect()
}

/// What an attempt came to.
pub(super) fn state(attempt: &Attempt) -> State {
    match attempt.status {
        Some(200..=299) => ("good", "delivered"),
        Some(_) => ("bad", "refused"),
        None if attempt.error.as_deref() == Some("dropped on request") => ("quiet", "dropped"),
        None => ("bad", "no answer"),
    }
}

/// A list of attempts; each has the receiver's answer folded.
pub(super) fn rows(view: &View<'_>, attempts: &[Numbered<'_>]) -> Markup {
    let row = |(number, attempt): &Numbered<'_>| Row {
        id: format!("attempt-{number}"),
        cells: vec![line(view, attempt, &again(view, attempt)), answer(attempt)],
    };
    let rows: Vec<Row> = attempts.iter().map(row).collect();
    parts::rows("Attempts", &rows)
}

/// A list of attempts for the overview.
pub(super) fn brief(view: &View<'_>, attempts: &[Numbered<'_>]) -> Markup {
    let row = |(number, attempt): &Numbered<'_>| Row {
        id: format!("attempt-{number}"),
        cells: vec![line(view, attempt, &html! {})],
    };
    let rows: Vec<Row> = attempts.iter().map(row).collect();
    parts::rows("Attempts", &rows)
}

fn line(view: &View<'_>, attempt: &Attempt, control: &Markup) -> Markup {
    html! {
        div.line {
            div.what {
                strong { (attempt.r#type) } " " (link(view, &attempt.event))
                span.soft {
                    "to " code { (attempt.url) } ", attempt " (attempt.number)
                    @if let Some(status) = attempt.status { ", answered " (status) }
                    @if let Some(error) = &attempt.error { ", " (error) }
                }
            }
            (badge(state(attempt)))
            (when(view, attempt.at_ms.div_euclid(1_000)))
            (control)
        }
    }
}

fn again(view: &View<'_>, attempt: &Attempt) -> Markup {
    html! {
        @if view.state().events.get(&attempt.event).is_some() {
            (row_button(view, &format!("events/{}/resend", attempt.event), "Send again", &attempt.r#type))
        }
    }
}

fn answer(attempt: &Attempt) -> Markup {
    html! {
        @if !attempt.body.is_empty() {
            details {
                summary { "Answer" span.for-ears { " of " (attempt.url) } }
                pre.payload tabindex="0" role="group" aria-label="The receiver's answer" { (attempt.body) }
            }
        }
    }
}

/// The deliveries that are not done, with why they wait.
pub(super) fn waiting(view: &View<'_>, deliveries: &[(u64, &Delivery)]) -> Markup {
    let row = |(number, delivery): &(u64, &Delivery)| {
        let event = view.state().events.get(&delivery.event);
        let kind = event.map_or("", |event| event.kind.as_str());
        Row {
            id: format!("waiting-{number}"),
            cells: vec![html! {
                div.line {
                    div.what {
                        strong { (kind) } " " (link(view, &delivery.event))
                        span.soft { "to " code { (url(view, delivery)) } ", " (attempts_so_far(delivery.attempts)) }
                    }
                    (reason(view, *number, delivery, kind))
                    (row_button(view, &format!("events/{}/deliver", delivery.event), "Deliver now", kind))
                }
            }],
        }
    };
    let rows: Vec<Row> = deliveries.iter().map(row).collect();
    html! { @if !rows.is_empty() { (parts::rows("Waiting deliveries", &rows)) } }
}

fn url<'a>(view: &View<'a>, delivery: &'a Delivery) -> &'a str {
    view.state().endpoints.get(&delivery.endpoint).map_or(delivery.endpoint.as_str(), |endpoint| endpoint.url.as_str())
}

fn attempts_so_far(attempts: u32) -> String {
    match attempts {
        0 => "no attempt so far".to_owned(),
        1 => "1 attempt failed".to_owned(),
        more => format!("{more} attempts failed"),
    }
}

fn reason(view: &View<'_>, number: u64, delivery: &Delivery, kind: &str) -> Markup {
    let is_disabled = view.state().endpoints.get(&delivery.endpoint).is_some_and(|endpoint| endpoint.disabled);
    html! {
        @if view.core.running.contains(&number) { (badge(("wait", "being sent"))) }
        @else if is_disabled { (badge(("quiet", "endpoint is disabled"))) }
        @else if view.core.mode.holds(kind) && !delivery.forced { (badge(("wait", "held back"))) }
        @else { (badge(("wait", "next attempt"))) " " (when(view, delivery.due_ms.div_euclid(1_000))) }
    }
}

/// The line that says that webhooks are being delivered at this moment.
pub(super) fn under_way(view: &View<'_>) -> Markup {
    let (due, _) = view.core.backlog(view.now_ms);
    html! {
        @if !view.core.running.is_empty() || due > 0 {
            p.soft #sending { "Something is being delivered at this moment." }
        }
    }
}
