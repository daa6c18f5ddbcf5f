//! The page of controls: a person plays the network, Stripe or time. It works without JavaScript: every control is a
//! form that posts to the counterpart of a JSON control. The controls of a payment, a refund, a dispute or an event
//! stand on the page of that object.

use maud::{Markup, html};

use super::{
    api_controls, attempts,
    control_forms::{Input, Mode, control, form, input, select},
    endpoints, layout,
    parts::{link, when},
    time,
    view::View,
    webhook_controls,
};

/// How many of the next automatic steps the clock shows.
const STEPS: usize = 6;

/// The page.
pub(super) fn show(view: &View<'_>) -> Markup {
    layout::site(
        view,
        "/_sandbox",
        "Controls",
        &html! {
            h1 { "Controls" }
            p.lead {
                "Do by hand what the network, Stripe or time does. Everything here is pretended: no money moves. What \
                 a customer or a bank does stands on the page of the " a href="/payments" { "payment" } ", the "
                a href="/refunds" { "refund" } " or the " a href="/disputes" { "dispute" } "; each "
                a href="/events" { "event" } " can be sent again."
            }
            (attempts::under_way(view))
            (clock(view))
            (endpoints::section(view))
            (webhook_controls::section(view))
            (api_controls::failures(view))
            (api_controls::account(view))
        },
    )
}

fn clock(view: &View<'_>) -> Markup {
    let ahead = view.ahead_seconds();
    html! {
        section #clock aria-labelledby="clock-title" {
            h2 #clock-title { "Clock" }
            p #clock-words {
                "It is " strong { (time::utc(view.now())) }
                @if ahead > 0 { ", " (time::span(ahead)) " ahead of this machine" }
                "."
            }
            div.cards {
                (control("advance", "Advance the clock",
                    "Everything due until then happens at once: sessions expire, bank debits settle, disputes are \
                     lost, webhooks are sent again. The clock cannot be turned back.",
                    &form(view, "clock", "advance", &html! {
                        (select("advance_seconds", "advance_seconds", "By", "3600", &[("60", "1 minute"),
                            ("180", "3 minutes"), ("3600", "1 hour"), ("86400", "1 day"), ("604800", "1 week"),
                            ("2592000", "30 days")]))
                        button type="submit" { "Advance" span.for-ears { " the clock" } }
                    })))
                (control("until", "Advance to a moment",
                    "The same, up to a moment by the sandbox's clock, in UTC.",
                    &form(view, "clock", "until", &html! {
                        (input(&Input { id: "until-time", name: "until", label: "Moment",
                            hint: "Such as 2027-01-31 or 2027-01-31 08:30.", value: "", mode: Mode::Text }))
                        button.plain type="submit" { "Advance" span.for-ears { " to this moment" } }
                    })))
            }
            (steps(view))
        }
    }
}

/// What happens by itself, soonest first, with a button that makes it happen now.
fn steps(view: &View<'_>) -> Markup {
    let state = view.state();
    let seconds = |at: &i64| at.saturating_add(999).div_euclid(1_000);
    let sessions = state.open_until.keys().take(STEPS).map(|(at, id)| (*at, id, "The session expires"));
    let debits = state.settlements.keys().take(STEPS).map(|(at, id)| (seconds(at), id, "The bank debit is decided"));
    let money = state.due.keys().take(STEPS).map(|(at, id)| {
        let what = if id.starts_with("du_") { "The dispute is lost unanswered" } else { "The refund moves on" };
        (*at, id, what)
    });
    let mut steps: Vec<(i64, &String, &str)> = sessions.chain(debits).chain(money).collect();
    steps.sort_by_key(|(at, ..)| *at);
    steps.truncate(STEPS);
    html! {
        h3 { "What happens next by itself" }
        @if steps.is_empty() {
            p.soft { "Nothing: no session is open, and no debit, refund or dispute waits for a time." }
        } @else {
            ul.next {
                @for (at, id, what) in &steps {
                    li id={ "step-" (id) } {
                        span { (what) " " (when(view, *at)) ": " (link(view, id)) }
                        (form(view, "clock", &format!("to-{id}"), &html! {
                            input type="hidden" name="now" value=(at);
                            button.plain type="submit" { "Advance to it" span.for-ears { ": " (what) } }
                        }))
                    }
                }
            }
        }
    }
}
