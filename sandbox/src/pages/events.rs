//! The list of events, and the page of one with its deliveries.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    attempts,
    control_forms::{button, confirmed, control, form, row_button, select},
    layout,
    parts::{self, Row, badge, exactly, link, when},
    view::View,
    words::State,
};
use crate::model::{api, currency, event::Event, version::API_VERSIONS};

const TYPES: [(&str, &str); 7] = [
    ("", "All"),
    ("checkout.session.*", "Sessions"),
    ("payment_intent.*", "Payments"),
    ("charge.*", "Charges"),
    ("refund.*", "Refunds"),
    ("charge.dispute.*", "Disputes"),
    ("customer.*", "Customers"),
];

/// The page of the list.
pub(super) fn list(view: &View<'_>) -> Markup {
    let kind = view.asked.get("type");
    let all = view.state().events.iter().rev().filter(|event| kind.is_none_or(|kind| api::matches(kind, &event.kind)));
    let page = parts::page(view, all, |event| event.id.clone());
    layout::site(
        view,
        "/events",
        "Events",
        &html! {
            h1 { "Events" }
            p.lead {
                "What happened, as webhooks tell it. “Send again” sends an event once more to every endpoint that \
                 subscribes to it, without retries."
            }
            (attempts::under_way(view))
            (parts::tabs(view, "type", &TYPES))
            @if page.rows.is_empty() {
                @if view.state().events.iter().next().is_none() {
                    (parts::empty("No events yet.", &html! {
                        "Events are written when something happens: pay a checkout, or run "
                        code { "stripe-sandbox trigger charge.refunded --base " (view.base_url) }
                    }))
                } @else {
                    (parts::empty("No event is of this type.", &html! { a href="/events" { "Show all events" } }))
                }
            } @else { (rows(view, &page.rows)) }
            (parts::pager(view, &page))
        },
    )
}

/// A list of events; each has its JSON folded.
pub(super) fn rows(view: &View<'_>, events: &[&Event]) -> Markup {
    let row = |event: &&Event| Row {
        id: event.id.clone(),
        cells: vec![line(view, event, &again(view, event)), parts::json("JSON", &event.to_json())],
    };
    let rows: Vec<Row> = events.iter().map(row).collect();
    parts::rows("Events", &rows)
}

/// A list of events for the overview.
pub(super) fn brief(view: &View<'_>, events: &[&Event]) -> Markup {
    let row = |event: &&Event| Row { id: event.id.clone(), cells: vec![line(view, event, &html! {})] };
    let rows: Vec<Row> = events.iter().map(row).collect();
    parts::rows("Events", &rows)
}

fn line(view: &View<'_>, event: &Event, control: &Markup) -> Markup {
    html! {
        div.line {
            div.what {
                strong { a href={ "/events/" (event.id) } title=(event.id) { (event.kind) } }
                span.soft { (object(view, &event.object)) }
            }
            (badge(state(view, event)))
            (when(view, event.created))
            (control)
        }
    }
}

/// The button that sends an event once more.
fn again(view: &View<'_>, event: &Event) -> Markup {
    row_button(view, &format!("events/{}/resend", event.id), "Send again", &event.kind)
}

/// What an event is about: its object, with a link.
fn object(view: &View<'_>, object: &Value) -> Markup {
    let member = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let amount = object.get("amount_total").or(object.get("amount")).and_then(Value::as_i64);
    let money = amount.map(|amount| currency::format(amount, member("currency")));
    html! {
        (member("object").replace(['.', '_'], " ")) " " (link(view, member("id")))
        @if let Some(money) = money { ", " (money) }
    }
}

/// Whether the endpoints have it.
fn state(view: &View<'_>, event: &Event) -> State {
    let waits = view.is_pending(&event.id);
    let is_held = view.core.mode.holds(&event.kind);
    let is_tried = event.targets.iter().any(|target| target.answered);
    match (waits, event.targets.as_slice()) {
        (true, _) if is_held => ("wait", "held back"),
        (true, _) if is_tried => ("wait", "is sent again"),
        (true, _) => ("wait", "not delivered yet"),
        (false, []) => ("quiet", "no endpoint"),
        (false, targets) if targets.iter().all(|target| target.delivered) => ("good", "delivered"),
        (false, _) => ("bad", "not delivered"),
    }
}

/// The page of one event, if there is one.
pub(super) fn show(view: &View<'_>, id: &str) -> Option<Markup> {
    let event = view.state().events.get(id)?;
    let cause = event.cause.as_ref().map(|cause| cause.request_id.as_str());
    let attempts = attempts::of_event(view, id);
    let content = html! {
        p.crumb { a href="/events" { "Events" } }
        h1 { (event.kind) " " (badge(state(view, event))) }
        (parts::facts(&[
            ("Happened", exactly(view, event.created)),
            ("Object", object(view, &event.object)),
            ("Event", html! { code { (event.id) } }),
            ("Caused by", html! {
                @if let Some(request) = cause { "API request " code { (request) } } @else {
                    "no API request: a person on a page, a control, or time"
                }
            }),
        ]))
        h2 { "What you can do" }
        (controls(view, event))
        h2 { "Deliveries" }
        (attempts::waiting(view, &view.deliveries_of(id)))
        @if attempts.is_empty() {
            (parts::empty("No attempt yet.", &html! {
                @if event.targets.is_empty() {
                    "No endpoint subscribed to it when it happened. "
                    a href="/_sandbox#endpoints" { "See the endpoints" }
                } @else { "It is sent as soon as nothing holds it back." }
            }))
        } @else { (attempts::rows(view, &attempts)) }
        h2 { "As the API shows it" }
        (parts::json("The event", &event.to_json()))
    };
    Some(layout::site(view, "/events", &event.kind, &content))
}

fn controls(view: &View<'_>, event: &Event) -> Markup {
    let path = |action: &str| format!("events/{}/{action}", event.id);
    html! {
        div.cards {
            (control("resend", "Send again",
                "Sends the event once more to every endpoint that subscribes to it, without retries.",
                &form(view, &path("resend"), "version", &html! {
                    (versions("version", "Shape", None))
                    button type="submit" { "Send again" span.for-ears { ": " (event.kind) } }
                })))
            @if view.is_pending(&event.id) {
                (control("deliver", "Deliver now",
                    "Sends the copies that are not delivered at once, even if they are held back or wait for a retry.",
                    &button(view, &path("deliver"), "Deliver now", &event.kind, &[])))
                (control("drop", "Drop",
                    "Gives up the copies that are not delivered, as if the network had lost every attempt.",
                    &confirmed(view, &path("drop"), ("Drop it", &event.kind),
                        "The receivers will not get it by themselves any more. It can still be sent again.", &[])))
            }
        }
    }
}

/// A select of API versions; a version set through the JSON control may not be in the list.
pub(super) fn versions(id: &str, label: &str, chosen: Option<&str>) -> Markup {
    let other = chosen.filter(|chosen| !API_VERSIONS.contains(chosen));
    let mut choices = vec![("", "the endpoint's version")];
    choices.extend(API_VERSIONS.iter().copied().chain(other).map(|version| (version, version)));
    select(id, "api_version", label, chosen.unwrap_or_default(), &choices)
}
