//! The control page: a person plays the customer, the bank, the network or the clock. It works without JavaScript:
//! every control is a form that posts to the counterpart of a JSON control.

use maud::{Markup, html};

use super::{
    control_forms::{FORMS, button, check},
    control_rows::{Can, Changing, Payment, Rows},
    endpoints, layout, time,
};
use crate::{delivery_mode::Hold, model::version::API_VERSIONS};

/// The page, with the error of the last form.
pub(crate) fn page(rows: &Rows, mistake: Option<&str>) -> Markup {
    layout::page(
        "Controls",
        &html! {
            main.controls {
                h1 { "Controls" }
                p {
                    "Do by hand what a customer, a bank, the network or time does. Everything here is pretended: no \
                    money moves. " a href="/" { "Back to the overview" }
                }
                @if let Some(mistake) = mistake { p.alert role="alert" { (mistake) } }
                (payments(&rows.payments))
                (moving("Refunds", "refunds", "status", &rows.refunds,
                    &["succeeded", "failed", "canceled", "requires_action", "pending"]))
                (moving("Disputes", "disputes", "to", &rows.disputes,
                    &["won", "lost", "under_review", "needs_response", "warning_closed", "withdrawn"]))
                (events(rows))
                (endpoints::section(&rows.endpoints))
                (delivery_mode(rows))
                (outage(rows))
                (clock(rows))
            }
        },
    )
}

fn payments(rows: &[Payment]) -> Markup {
    html! {
        section #payments aria-labelledby="payments-title" {
            h2 #payments-title { "Sessions and payments" }
            @if rows.is_empty() { p.soft { "None yet." } }
            @for row in rows {
                div.card.control {
                    p { strong { (row.total) } " " (row.about) " · " (row.status) br; code.soft { (row.id) } }
                    div.actions { (payment_actions(row)) }
                }
            }
        }
    }
}

fn payment_actions(row: &Payment) -> Markup {
    let path = |action: &str| format!("{}/{action}", row.path);
    html! {
        @match row.can {
            Can::Expire => { (button(&path("expire"), "Session expires", &row.id, &[])) }
            Can::Authenticate => {
                (button(&path("challenge"), "3-D Secure passed", &row.id, &[("outcome", "passed")]))
                (button(&path("challenge"), "3-D Secure failed", &row.id, &[("outcome", "failed")]))
            }
            Can::Settle => {
                (button(&path("settle"), "Money arrives", &row.id, &[("outcome", "succeeded")]))
                (button(&path("settle"), "Payment fails", &row.id, &[("outcome", "failed")]))
            }
            Can::ComeBack => @if let Some(intent) = &row.intent { (coming_back(intent)) },
            Can::Nothing => p.soft { "Nothing to do." },
        }
    }
}

/// The refund and dispute forms of a paid payment.
fn coming_back(intent: &str) -> Markup {
    let (refund, dispute) = (format!("payment_intents/{intent}/refund"), format!("payment_intents/{intent}/dispute"));
    let field = format!("amount-{intent}");
    html! {
        form method="post" action={ (FORMS) "/" (refund) } {
            label for=(field) { "Amount, such as 1.50 (empty: all)" }
            input id=(field) name="amount" inputmode="decimal" pattern="[0-9]+([.][0-9]+)?";
            button.plain type="submit" aria-label={ "Refund: " (intent) } { "Refund" }
        }
        (button(&dispute, "Dispute", intent, &[]))
        (button(&dispute, "Inquiry", intent, &[("inquiry", "true")]))
        (button(&format!("payment_intents/{intent}/fraud_warning"), "Fraud warning", intent, &[]))
    }
}

/// The table of refunds or disputes, with a form that moves each to another state.
fn moving(title: &str, path: &str, name: &str, rows: &[Changing], choices: &[&str]) -> Markup {
    html! {
        section id=(path) aria-label=(title) {
            h2 { (title) }
            @if rows.is_empty() { p.soft { "None yet." } }
            @for row in rows {
                div.card.control {
                    p { strong { (row.amount) } " " (row.about) " · " (row.status) br; code.soft { (row.id) } }
                    form method="post" action={ (FORMS) "/" (path) "/" (row.id) } {
                        label for={ (name) "-" (row.id) } { "Next state" }
                        select id={ (name) "-" (row.id) } name=(name) {
                            @for choice in choices { option value=(choice) { (choice) } }
                        }
                        button.plain type="submit" aria-label={ "Change: " (row.id) } { "Change" }
                    }
                }
            }
        }
    }
}

fn events(rows: &Rows) -> Markup {
    html! {
        section #events aria-labelledby="events-title" {
            h2 #events-title { "Events" }
            @if rows.is_delivering {
                form.actions method="get" action="/_sandbox" {
                    p role="status" { "Something is being delivered at this moment." }
                    button.plain type="submit" { "Look again" }
                }
            }
            @if rows.events.is_empty() { p.soft { "None yet." } }
            @for row in &rows.events {
                div.card.control {
                    p {
                        strong { (row.kind) } " " (row.at) @if row.pending { " · not delivered yet" }
                        br; code.soft { (row.id) }
                    }
                    div.actions {
                        form method="post" action={ (FORMS) "/events/" (row.id) "/resend" } {
                            label for={ "version-" (row.id) } { "In version" }
                            (versions(&format!("version-{}", row.id), "the endpoint's", None))
                            button.plain type="submit" aria-label={ "Send again: " (row.id) } { "Send again" }
                        }
                        @if row.pending {
                            (button(&format!("events/{}/deliver", row.id), "Deliver now", &row.id, &[]))
                            (button(&format!("events/{}/drop", row.id), "Drop", &row.id, &[]))
                        }
                    }
                }
            }
        }
    }
}

fn versions(id: &str, none: &str, chosen: Option<&str>) -> Markup {
    // A version set through the JSON control may not be in the list.
    let other = chosen.filter(|chosen| !API_VERSIONS.contains(chosen));
    html! {
        select id=(id) name="api_version" {
            option value="" selected[chosen.is_none()] { (none) }
            @for version in API_VERSIONS.iter().copied().chain(other) {
                option value=(version) selected[chosen == Some(version)] { (version) }
            }
        }
    }
}

fn delivery_mode(rows: &Rows) -> Markup {
    let mode = &rows.mode;
    let types = match &mode.hold {
        Hold::Types(types) => types.join(" "),
        Hold::All(_) => String::new(),
    };
    html! {
        section #deliveries aria-labelledby="deliveries-title" {
            h2 #deliveries-title { "Deliveries" }
            form.card method="post" action={ (FORMS) "/deliveries/mode" } {
                (check("hold_all", "Hold everything back", mode.hold == Hold::All(true)))
                label for="hold" { "Hold back these types (charge.* and the like, with spaces between)" }
                input #hold name="hold" value=(types);
                (check("shuffle", "Shuffle the order", mode.shuffle))
                (check("duplicate", "Deliver everything twice", mode.duplicate))
                label for="drop_next" { "Drop so many of the next" }
                input #drop_next name="drop_next" inputmode="numeric" pattern="[0-9]*" value=(mode.drop_next);
                label for="drop_type" { "of this type (empty: any)" }
                input #drop_type name="drop_type" value=(mode.drop_type.as_deref().unwrap_or_default());
                label for="mode-version" { "In version" }
                (versions("mode-version", "the endpoint's", mode.api_version.as_deref()))
                button type="submit" { "Use this mode" }
            }
            (button("deliveries/mode/clear", "Deliver normally", "deliveries", &[]))
        }
    }
}

fn outage(rows: &Rows) -> Markup {
    html! {
        section #outage aria-labelledby="outage-title" {
            h2 #outage-title { "Outage of the API" }
            @if let Some(outage) = &rows.outage {
                p role="status" {
                    "Requests to " code { (outage.path) } " fail (" (outage.kind.as_str()) ")"
                    @if let Some(times) = outage.times { ", " (times) " more times" }
                    @if let Some(until_ms) = outage.until_ms {
                        ", for " (until_ms.div_euclid(1_000).saturating_sub(rows.now)) " more seconds"
                    }
                    "."
                }
                (button("outage/clear", "End the outage", "API", &[]))
            }
            form.card method="post" action={ (FORMS) "/outage" } {
                label for="kind" { "How requests fail" }
                select #kind name="kind" {
                    option value="429" { "429, too many requests" }
                    option value="500" { "500, an error of Stripe's" }
                    option value="timeout" { "no answer" }
                    option value="unreachable" { "the connection is closed" }
                }
                label for="for_seconds" { "For so many seconds (empty: no end by time)" }
                input #for_seconds name="for_seconds" inputmode="numeric" pattern="[0-9]*" value="60";
                label for="times" { "For so many requests (empty: all)" }
                input #times name="times" inputmode="numeric" pattern="[0-9]*";
                label for="path" { "Path" }
                input #path name="path" value="/v1/*";
                button type="submit" { "Begin the outage" }
            }
        }
    }
}

/// Formats as `1 day 2 h 3 min`, without parts that are zero.
fn span(seconds: i64) -> String {
    let parts = [
        (seconds.div_euclid(86_400), "d"),
        (seconds.div_euclid(3_600).rem_euclid(24), "h"),
        (seconds.div_euclid(60).rem_euclid(60), "min"),
        (seconds.rem_euclid(60), "s"),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    parts.join(" ")
}

fn clock(rows: &Rows) -> Markup {
    let ahead = rows.ahead_seconds;
    html! {
        section #clock aria-labelledby="clock-title" {
            h2 #clock-title { "Clock" }
            p {
                "It is " strong { (time::utc(rows.now)) }
                @if ahead > 0 { ", " (span(ahead)) " ahead of this machine" }
                ". Time can be advanced, and not turned back."
            }
            div.actions {
                @for (label, seconds) in
                    [("1 minute", "60"), ("3 minutes", "180"), ("1 hour", "3600"), ("1 day", "86400"), ("1 week", "604800")]
                {
                    (button("clock", label, "advance the clock", &[("advance_seconds", seconds)]))
                }
            }
        }
    }
}
