//! The section of the hosted page where the customer pays by SEPA debit.

use maud::{Markup, html};
use serde::Deserialize;

use super::field::{Field, field};
use crate::model::{
    email::is_email,
    iban::{self, TEST_IBANS},
    session::Session,
};

/// What the customer entered. The field names differ from those of the card form on the same page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DebitForm {
    pub(crate) debit_email: String,
    pub(crate) debit_name: String,
    pub(crate) iban: String,
}

/// The mistakes, by field.
#[derive(Debug, Default)]
pub(crate) struct DebitProblems {
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) iban: Option<String>,
}

impl DebitForm {
    /// The mistakes. A debit needs the account holder's name, for the mandate.
    pub(crate) fn problems(&self, needs_email: bool) -> DebitProblems {
        let say = |is_so: bool, message: &str| is_so.then(|| message.to_owned());
        DebitProblems {
            email: say(needs_email && !is_email(self.debit_email.trim()), "Your email is invalid."),
            name: say(self.debit_name.trim().is_empty(), "Your name is incomplete."),
            iban: iban::mistake(&self.iban).map(str::to_owned),
        }
    }
}

impl DebitProblems {
    pub(crate) fn is_empty(&self) -> bool {
        [&self.email, &self.name, &self.iban].iter().all(|problem| problem.is_none())
    }
}

/// The form with the test numbers.
pub(crate) fn section(session: &Session, form: &DebitForm, problems: &DebitProblems, total: &str) -> Markup {
    html! {
        h2 #debit { "Pay by SEPA bank debit" }
        @if !problems.is_empty() { p.alert role="alert" { "Please check the fields marked below." } }
        form method="post" action={ "/c/pay/" (session.id) "/debit" } novalidate {
            @if session.customer_email.is_none() {
                (field(&Field { name: "debit_email", label: "Email", kind: "email", autocomplete: "email", hint: "",
                    value: &form.debit_email, problem: problems.email.as_deref() }))
            }
            (field(&Field { name: "iban", label: "IBAN", kind: "text", autocomplete: "off",
                hint: "AT61 1904 3002 3457 3201", value: &form.iban, problem: problems.iban.as_deref() }))
            (field(&Field { name: "debit_name", label: "Name of the account's owner", kind: "text",
                autocomplete: "name", hint: "", value: &form.debit_name, problem: problems.name.as_deref() }))
            p.soft { "The money comes later than the order: the checkout is complete, and not yet paid." }
            button.wide #pay-debit type="submit" { "Pay " (total) " by debit" }
        }
        details open {
            summary { "Test IBANs" }
            table {
                tbody { @for test in TEST_IBANS { tr { td { code.test-iban { (test.iban) } } td { (test.what) } } } }
            }
        }
    }
}
