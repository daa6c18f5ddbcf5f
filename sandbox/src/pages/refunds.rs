//! The list of refunds, and the page of one.

use maud::{Markup, html};

use super::{
    control_forms::{choices, control, form},
    layout,
    parts::{self, Row, badge, exactly, link, when},
    payment_cell,
    view::View,
    words,
};
use crate::model::{
    currency,
    refund::{self, Refund, RefundStatus},
};

/// What a refund can become, and what that does.
const NEXT: [(RefundStatus, &str, &str); 5] = [
    (RefundStatus::Succeeded, "Succeeds", "The money has reached the customer."),
    (
        RefundStatus::Failed,
        "Fails",
        "The customer's bank returns it: the money is back in the account, the payment can be refunded again, and \
         refund.failed is sent too. Final.",
    ),
    (
        RefundStatus::RequiresAction,
        "Waits for the customer",
        "Stripe asks the customer where to send the money. Only then can it be canceled by the API.",
    ),
    (RefundStatus::Pending, "Pending", "The money is on its way and has not arrived."),
    (RefundStatus::Canceled, "Canceled", "The money stays in the account; the payment can be refunded again. Final."),
];

/// The page of the list.
pub(super) fn list(view: &View<'_>) -> Markup {
    let page = parts::page(view, view.state().refunds.iter().rev(), |refund| refund.id.clone());
    layout::site(
        view,
        "/refunds",
        "Refunds",
        &html! {
            h1 { "Refunds" }
            p.lead { "Money that was returned to customers. The page of a refund lets it fail, wait or be canceled." }
            @if page.rows.is_empty() {
                (parts::empty("No refunds yet.", &html! {
                    "Refund a " a href="/payments?state=paid" { "paid payment" } " on its page, or with "
                    code { "POST /v1/refunds" } "."
                }))
            } @else { (table(view, &page.rows)) }
            (parts::pager(view, &page))
        },
    )
}

/// A table of refunds.
pub(super) fn table(view: &View<'_>, refunds: &[&Refund]) -> Markup {
    let row = |refund: &&Refund| Row {
        id: refund.id.clone(),
        cells: vec![
            html! {
                a href={ "/refunds/" (refund.id) } title=(refund.id) {
                    (currency::format(refund.amount, &refund.currency)) span.for-ears { ", " (refund.id) }
                }
            },
            badge(words::refund(refund.status)),
            payment_cell::cell(view, &refund.charge),
            html! { (refund.reason.as_deref().map_or_else(|| "–".to_owned(), words::reason)) },
            when(view, refund.created),
        ],
    };
    let rows: Vec<Row> = refunds.iter().map(row).collect();
    parts::table("Refunds", &["Amount", "State", "Payment", "Reason", "Created"], &rows)
}

/// The page of one refund, if there is one.
pub(super) fn show(view: &View<'_>, id: &str) -> Option<Markup> {
    let refund = view.state().refunds.get(id)?;
    let amount = currency::format(refund.amount, &refund.currency);
    let content = html! {
        p.crumb { a href="/refunds" { "Refunds" } }
        h1 { "Refund of " (amount) " " (badge(words::refund(refund.status))) }
        (facts(view, refund))
        h2 { "What you can do" }
        (controls(view, refund))
        h2 { "As the API shows it" }
        (parts::json("The refund", &refund::to_json(view.state(), refund)))
    };
    Some(layout::site(view, "/refunds", &format!("Refund of {amount}"), &content))
}

fn facts(view: &View<'_>, refund: &Refund) -> Markup {
    let mut facts = vec![
        ("Created", exactly(view, refund.created)),
        ("Payment", payment_cell::cell(view, &refund.charge)),
        ("Refund", html! { code { (refund.id) } }),
        ("Charge", link(view, &refund.charge)),
    ];
    if let Some(reason) = &refund.reason {
        facts.push(("Reason", html! { (words::reason(reason)) }));
    }
    if let Some(reason) = &refund.failure_reason {
        facts.push(("Failed because", html! { (words::reason(reason)) }));
    }
    parts::facts(&facts)
}

fn controls(view: &View<'_>, refund: &Refund) -> Markup {
    if matches!(refund.status, RefundStatus::Failed | RefundStatus::Canceled) {
        return parts::empty("This refund has ended.", &html! { "Its payment can be refunded again." });
    }
    let next: Vec<(&str, &str, &str)> = NEXT
        .iter()
        .filter(|(status, _, _)| *status != refund.status)
        .map(|(status, label, hint)| (status.as_str(), *label, *hint))
        .collect();
    control(
        "change",
        "Change its state",
        "Does what a bank does with a refund. Each change sends refund.updated and charge.refund.updated.",
        &form(
            view,
            &format!("refunds/{}", refund.id),
            "change",
            &html! {
                (choices("Next state", "status", &next))
                button type="submit" { "Change" span.for-ears { ": " (refund.id) } }
            },
        ),
    )
}
