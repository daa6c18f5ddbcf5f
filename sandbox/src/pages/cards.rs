//! A saved card on the page of its customer: what happens to it, and what banks and card networks can do to it.

use maud::{Markup, html};

use super::{
    control_forms::{button, confirmed, form, select},
    parts::badge,
    view::View,
    words,
};
use crate::model::{card::Outcome, payment::PaymentMethod};

const ANSWERS: [(&str, &str); 6] = [
    ("", "accepts"),
    ("insufficient_funds", "declines: insufficient funds"),
    ("generic_decline", "declines without a reason"),
    ("lost_card", "declines: lost card"),
    ("expired_card", "declines: expired card"),
    ("authentication_required", "wants 3-D Secure"),
];

/// The card with its controls.
pub(super) fn card(view: &View<'_>, method: &PaymentMethod, is_default: bool) -> Markup {
    let path = |action: &str| format!("payment_methods/{}/{action}", method.id);
    let name = method.card.as_ref().map_or_else(
        || method.kind().replace('_', " "),
        |card| format!("{} ending in {}, {:02}/{}", card.brand, card.last4, card.exp_month, card.exp_year),
    );
    html! {
        div.card.control id=(method.id) {
            h3 { (name) " " @if is_default { (badge(("good", "default"))) } }
            p { code { (method.id) } ". " (charges(method)) }
            @if method.card.is_some() {
                (form(view, &path("charges"), "charges", &html! {
                    (select(&format!("decline-{}", method.id), "decline", "When it is charged from now on, the bank",
                        chosen(method), &ANSWERS))
                    p.hint { "The card stays saved; no event says so." }
                    button.plain type="submit" { "Set the answer" span.for-ears { ": " (name) } }
                }))
                h4 { "A new card" }
                p {
                    "The card network replaces it by one with another number and expiry, which works. Its id stays, \
                     and payment_method.automatically_updated is sent."
                }
                (button(view, &path("renew"), "Replace it", &name, &[]))
                h4 { "Its end" }
                p { "It expired last month: charges are declined from now on. No event says so." }
                (button(view, &path("expire"), "Let it expire", &name, &[]))
            }
            (confirmed(view, &path("detach"), ("Detach", &name),
                "It is not saved any more and can never be used again. payment_method.detached is sent.", &[]))
        }
    }
}

fn charges(method: &PaymentMethod) -> String {
    match method.outcome {
        Outcome::Succeeds => "Charges succeed.".to_owned(),
        Outcome::Declined(decline) => format!("Charges are declined: {}", words::decline(decline)),
        Outcome::Challenge(_) if method.set_up => "The customer must pass 3-D Secure, if asked.".to_owned(),
        Outcome::Challenge(_) => "The customer must pass 3-D Secure.".to_owned(),
        Outcome::Delayed => "Charges succeed or fail later.".to_owned(),
    }
}

/// The answer that the form shows as chosen.
fn chosen(method: &PaymentMethod) -> &'static str {
    let code = match method.outcome {
        Outcome::Declined(decline) => decline.decline_code().unwrap_or(decline.code()),
        Outcome::Challenge(_) => "authentication_required",
        Outcome::Succeeds | Outcome::Delayed => "",
    };
    ANSWERS.iter().find(|(known, _)| *known == code).map_or("", |(known, _)| known)
}
