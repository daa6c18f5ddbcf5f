//! The list of disputes, and the page of one.

use maud::{Markup, html};

use super::{
    control_forms::{Input, Mode, choices, control, form, input},
    layout,
    parts::{self, Row, badge, exactly, link, when},
    payment_cell,
    view::View,
    words,
};
use crate::model::{
    currency,
    dispute::{Dispute, DisputeStatus, withdrawn},
    dispute_json,
};

/// The page of the list.
pub(super) fn list(view: &View<'_>) -> Markup {
    let page = parts::page(view, view.state().disputes.iter().rev(), |dispute| dispute.id.clone());
    layout::site(
        view,
        "/disputes",
        "Disputes",
        &html! {
            h1 { "Disputes" }
            p.lead {
                "Payments that customers question at their bank. The page of a dispute has the bank's decisions; \
                 evidence is sent with " code { "POST /v1/disputes/{id}" } "."
            }
            @if page.rows.is_empty() {
                (parts::empty("No disputes yet.", &html! {
                    "Dispute a " a href="/payments?state=paid" { "paid payment" } " on its page, or pay with the test \
                     card " code { "4000 0000 0000 0259" } "."
                }))
            } @else { (table(view, &page.rows)) }
            (parts::pager(view, &page))
        },
    )
}

/// A table of disputes.
pub(super) fn table(view: &View<'_>, disputes: &[&Dispute]) -> Markup {
    let row = |dispute: &&Dispute| Row {
        id: dispute.id.clone(),
        cells: vec![
            html! {
                a href={ "/disputes/" (dispute.id) } title=(dispute.id) {
                    (currency::format(dispute.amount, &dispute.currency)) span.for-ears { ", " (dispute.id) }
                }
            },
            badge(words::dispute(dispute.status)),
            payment_cell::cell(view, &dispute.charge),
            html! { (words::reason(&dispute.reason)) },
            html! { @if dispute.status.takes_evidence() { (when(view, dispute.due_by)) } @else { "–" } },
            when(view, dispute.created),
        ],
    };
    let rows: Vec<Row> = disputes.iter().map(row).collect();
    parts::table("Disputes", &["Amount", "State", "Payment", "Reason", "Due", "Opened"], &rows)
}

/// The page of one dispute, if there is one.
pub(super) fn show(view: &View<'_>, id: &str) -> Option<Markup> {
    let dispute = view.state().disputes.get(id)?;
    let amount = currency::format(dispute.amount, &dispute.currency);
    let content = html! {
        p.crumb { a href="/disputes" { "Disputes" } }
        h1 { "Dispute of " (amount) " " (badge(words::dispute(dispute.status))) }
        (facts(view, dispute))
        h2 { "What you can do" }
        (controls(view, dispute))
        h2 { "As the API shows it" }
        (parts::json("The dispute", &dispute_json::dispute(view.state(), dispute)))
    };
    Some(layout::site(view, "/disputes", &format!("Dispute of {amount}"), &content))
}

fn facts(view: &View<'_>, dispute: &Dispute) -> Markup {
    let kept = withdrawn(view.state(), dispute);
    let mut facts = vec![
        ("Opened", exactly(view, dispute.created)),
        ("Payment", payment_cell::cell(view, &dispute.charge)),
        ("Reason", html! { (words::reason(&dispute.reason)) }),
        ("The bank has", html! { (currency::format(kept, &dispute.currency)) }),
        ("Dispute", html! { code { (dispute.id) } }),
        ("Charge", link(view, &dispute.charge)),
    ];
    if dispute.status.takes_evidence() {
        facts.insert(1, ("To be answered by", exactly(view, dispute.due_by)));
    }
    for (name, text) in &dispute.evidence {
        facts.push(("Evidence", html! { (words::reason(name)) ": " (text) }));
    }
    parts::facts(&facts)
}

/// The control's word, its title, and what it does. Only what the status allows is offered.
fn decisions(status: DisputeStatus) -> Vec<(&'static str, &'static str, &'static str)> {
    let under_review = if status.is_inquiry() { DisputeStatus::WarningUnderReview } else { DisputeStatus::UnderReview };
    [
        (DisputeStatus::Won, "won", "Won", "The bank decides for you and gives the money back; Stripe keeps its fee."),
        (DisputeStatus::Lost, "lost", "Lost", "The bank decides for the customer and keeps the money. Final."),
        (under_review, "under_review", "Under review", "The bank looks at the evidence. No money moves."),
        (
            DisputeStatus::NeedsResponse,
            "needs_response",
            "Becomes a chargeback",
            "The bank is not content with the inquiry and takes the money; Stripe charges its fee.",
        ),
        (DisputeStatus::WarningClosed, "warning_closed", "Closed", "The bank asks no more. No money moves. Final."),
        (
            DisputeStatus::AppealUnderReview,
            "withdrawn",
            "The bank appeals",
            "The bank takes the money of the dispute that you won once more.",
        ),
    ]
    .into_iter()
    .filter(|(next, ..)| status.leads_to(*next))
    .map(|(_, word, label, does)| (word, label, does))
    .collect()
}

fn controls(view: &View<'_>, dispute: &Dispute) -> Markup {
    let next = decisions(dispute.status);
    let kept = withdrawn(view.state(), dispute);
    let path = format!("disputes/{}", dispute.id);
    let can_win = next.iter().any(|(word, ..)| *word == "won") && kept > 0;
    let correctable = !dispute.status.is_inquiry();
    html! {
        @if next.is_empty() && !correctable {
            (parts::empty("This dispute has ended.", &html! { "Nothing can be decided any more." }))
        }
        div.cards {
            @if !next.is_empty() {
                (control("decide", "The bank decides",
                    "Each decision is sent as charge.dispute.updated or .closed, and as .funds_withdrawn or \
                     .funds_reinstated if money moves.",
                    &form(view, &path, "decide", &html! {
                        (choices("Next state", "to", &next))
                        button type="submit" { "Decide" span.for-ears { ": " (dispute.id) } }
                    })))
            }
            @if can_win { (won_in_part(view, dispute, kept)) }
            @if correctable { (correction(view, dispute, kept)) }
        }
    }
}

fn won_in_part(view: &View<'_>, dispute: &Dispute, kept: i64) -> Markup {
    control(
        "part",
        "Won in part",
        "The bank gives a part of the money back and keeps the rest. The dispute ends as won.",
        &form(
            view,
            &format!("disputes/{}", dispute.id),
            "part",
            &html! {
                input type="hidden" name="to" value="won";
                (input(&Input { id: "reinstated", name: "reinstated", label: "Given back",
                    hint: &format!("Such as 1.50, at most {}.", currency::format(kept, &dispute.currency)), value: "",
                    mode: Mode::Money }))
                button.plain type="submit" { "Won in part" span.for-ears { ": " (dispute.id) } }
            },
        ),
    )
}

/// Stripe's correction of a dispute's money, possible even after its end.
fn correction(view: &View<'_>, dispute: &Dispute, kept: i64) -> Markup {
    let rest = dispute.amount.saturating_sub(kept);
    let format = |amount: i64| currency::format(amount, &dispute.currency);
    let back = format!("At most {}.", format(kept));
    let out = format!("At most {}.", format(rest));
    let directions: Vec<(&str, &str, &str)> =
        [(kept, ("back", "Money comes back", back.as_str())), (rest, ("out", "Money leaves", out.as_str()))]
            .into_iter()
            .filter(|(most, _)| *most > 0)
            .map(|(_, choice)| choice)
            .collect();
    control(
        "correct",
        "Correct the money",
        "Stripe books a correction without changing the state, even after the end. charge.dispute.funds_reinstated or \
         .funds_withdrawn is sent.",
        &form(
            view,
            &format!("disputes/{}/movement", dispute.id),
            "movement",
            &html! {
                (choices("Direction", "direction", &directions))
                (input(&Input { id: "movement", name: "amount", label: "Amount", hint: "Such as 0.02.", value: "",
                    mode: Mode::Money }))
                button.plain type="submit" { "Correct" span.for-ears { ": " (dispute.id) } }
            },
        ),
    )
}
