//! The form for a card on the pages of invoices and of the customer portal.

use maud::{Markup, html};

use super::{
    checkout::{Form, Problems},
    field::{Field, field},
};

/// A form that sends a card to `action`.
pub(crate) fn card_form(action: &str, button: &str, form: &Form, problems: &Problems) -> Markup {
    html! {
        @if let Some(message) = &problems.top {
            p.alert role="alert" { (message) }
        } @else if !problems.is_empty() {
            p.alert role="alert" { "Please check the fields marked below." }
        }
        form method="post" action=(action) novalidate {
            (field(&Field { name: "card_number", label: "Card number", kind: "text", autocomplete: "cc-number",
                hint: "1234 1234 1234 1234", value: &form.card_number, problem: problems.card_number.as_deref() }))
            div.row {
                div {
                    (field(&Field { name: "exp", label: "Expiry", kind: "text", autocomplete: "cc-exp",
                        hint: "MM / YY", value: &form.exp, problem: problems.exp.as_deref() }))
                }
                div {
                    (field(&Field { name: "cvc", label: "CVC", kind: "text", autocomplete: "cc-csc",
                        hint: "123", value: "", problem: problems.cvc.as_deref() }))
                }
            }
            button #pay type="submit" { (button) }
        }
    }
}

/// The page that plays the customer's bank.
pub(crate) fn challenge(action: &str, what: &str) -> Markup {
    super::layout::page(
        "3-D Secure",
        &html! {
            main.narrow {
                section.card {
                    h1 { "3-D Secure test page" }
                    p {
                        "Here the customer's bank would ask for a code or a tap in its app, for " strong { (what) } "."
                    }
                    form method="post" action=(action) {
                        button #complete-3ds type="submit" name="outcome" value="complete" { "Complete" }
                        button.plain #fail-3ds type="submit" name="outcome" value="fail" { "Fail" }
                    }
                }
            }
        },
    )
}
