//! The hosted checkout page and the 3-D Secure challenge.

use maud::{Markup, html};
use serde::Deserialize;

use super::{
    bank_debit::{self, DebitForm, DebitProblems},
    field::{Field, field},
    layout,
    saved_cards::{self, SavedCard},
};
use crate::model::{
    card::TEST_CARDS,
    currency,
    pages_api::CardParams,
    sepa,
    session::{LineItem, Mode, Session},
};

/// How many test cards the page lists; the rest cover special cases.
const LISTED_CARDS: usize = 14;

/// What the customer entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Form {
    pub(crate) email: String,
    pub(crate) card_number: String,
    pub(crate) exp: String,
    pub(crate) cvc: String,
    pub(crate) name: String,
    pub(crate) tax_id: String,
    /// `true` if the customer ticked the box that saves the card.
    pub(crate) save: String,
}

/// The mistakes, by field; `top` is about the payment as a whole.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    pub(crate) top: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) card_number: Option<String>,
    pub(crate) exp: Option<String>,
    pub(crate) cvc: Option<String>,
}

impl Problems {
    pub(crate) fn top(message: String) -> Self {
        Self { top: Some(message), ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        [&self.top, &self.email, &self.card_number, &self.exp, &self.cvc].iter().all(|problem| problem.is_none())
    }
}

impl Form {
    /// The card, if number, date and code can be parsed.
    pub(crate) fn card(&self) -> Option<CardParams> {
        let (month, year) = self.expiry()?;
        let number: String = self.card_number.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        (!number.is_empty() && !self.cvc.trim().is_empty()).then(|| CardParams {
            number,
            exp_month: month,
            exp_year: year,
            cvc: Some(self.cvc.trim().to_owned()),
        })
    }

    /// Parses `12 / 34`, `12/34`, `1234` or `12 / 2034`.
    fn expiry(&self) -> Option<(i64, i64)> {
        let digits: String = self.exp.chars().filter(|c| !c.is_whitespace() && *c != '/').collect();
        let (month, year) = match self.exp.split_once('/') {
            Some((month, year)) => (month.trim().to_owned(), year.trim().to_owned()),
            None => (digits.get(..2)?.to_owned(), digits.get(2..)?.to_owned()),
        };
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(&month) || !is_number(&year) || month.len() > 2 || !matches!(year.len(), 2 | 4) {
            return None;
        }
        let short: i64 = year.parse().ok()?;
        let full = if year.len() == 2 { short.saturating_add(2_000) } else { short };
        Some((month.parse().ok()?, full))
    }

    /// The fields that are missing or incomplete.
    pub(crate) fn incomplete(&self, needs_email: bool) -> Problems {
        let say = |is_so: bool, message: &str| is_so.then(|| message.to_owned());
        Problems {
            top: None,
            email: say(needs_email && self.email.trim().is_empty(), "Your email is incomplete."),
            card_number: say(self.card_number.trim().is_empty(), "Your card number is incomplete."),
            exp: say(self.expiry().is_none(), "Your card's expiration date is incomplete."),
            cvc: say(self.cvc.trim().is_empty(), "Your card's security code is incomplete."),
        }
    }
}

/// What the customer entered, and the mistakes in it.
#[derive(Debug, Default)]
pub(crate) struct Typed {
    pub(crate) card: Form,
    pub(crate) problems: Problems,
    pub(crate) debit: DebitForm,
    pub(crate) debit_problems: DebitProblems,
    pub(crate) saved: Vec<SavedCard>,
}

/// The payment page.
pub(crate) fn page(session: &Session, typed: &Typed) -> Markup {
    let by_debit = sepa::is_offered(session);
    let by_card = !by_debit || session.payment_method_types.iter().any(|kind| kind == "card");
    let total = total_of(session);
    let title = format!("{} {total}", verb(session));
    layout::page(
        title.trim(),
        &html! {
            main.checkout {
                section aria-labelledby="order" {
                    @if session.mode == Mode::Setup {
                        h1 #order { "Save a card" }
                        p { "Nothing is charged now." }
                    } @else {
                        h1 #order { "Your order" }
                        p.total #total { (total) }
                    }
                    ul.items {
                        @for item in &session.line_items { (line_item(session, item)) }
                    }
                    @if let Some(url) = &session.cancel_url {
                        p { a #cancel href=(url) { "Cancel and go back" } }
                    }
                }
                section.card aria-label="Payment" {
                    (saved_cards::section(session, &typed.saved, verb(session)))
                    @if by_card { (by_card_section(session, &typed.card, &typed.problems, &total)) }
                    @if by_debit {
                        @if by_card { hr; }
                        (bank_debit::section(session, &typed.debit, &typed.debit_problems, &total))
                    }
                }
            }
        },
    )
}

/// What the button does.
fn verb(session: &Session) -> &'static str {
    match session.mode {
        Mode::Setup => "Save",
        Mode::Payment => "Pay",
        Mode::Subscription => "Subscribe:",
    }
}

/// The amount, or what is saved in its place.
fn total_of(session: &Session) -> String {
    match session.mode {
        Mode::Setup => "card".to_owned(),
        Mode::Payment | Mode::Subscription => currency::format(session.amount_total, &session.currency),
    }
}

fn by_card_section(session: &Session, form: &Form, problems: &Problems, total: &str) -> Markup {
    html! {
        h2 #payment { (if session.mode == Mode::Setup { "Card" } else { "Pay with card" }) }
        @if let Some(message) = &problems.top {
            p.alert role="alert" { (message) }
        } @else if !problems.is_empty() {
            p.alert role="alert" { "Please check the fields marked below." }
        }
        (payment_form(session, form, problems, total))
        (test_cards())
    }
}

fn line_item(session: &Session, item: &LineItem) -> Markup {
    let each = match &item.unit_amount_decimal {
        Some(exact) => format!("{exact} minor units"),
        None => currency::format(item.unit_amount, &session.currency),
    };
    html! {
        li {
            span {
                (item.name)
                @if let Some(description) = &item.description { small { (description) } }
                @if item.quantity > 1 { small { "Qty " (item.quantity) " · " (each) " each" } }
            }
            span.amount { (currency::format(item.amount, &session.currency)) }
        }
    }
}

fn payment_form(session: &Session, form: &Form, problems: &Problems, total: &str) -> Markup {
    html! {
        form method="post" action={ "/c/pay/" (session.id) } novalidate {
            @if let Some(email) = &session.customer_email {
                div.field {
                    label for="email" { "Email" }
                    input #email type="email" value=(email) readonly;
                }
            } @else {
                (field(&Field { name: "email", label: "Email", kind: "email", autocomplete: "email", hint: "",
                    value: &form.email, problem: problems.email.as_deref() }))
            }
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
            (field(&Field { name: "name", label: "Name on card", kind: "text", autocomplete: "cc-name", hint: "",
                value: &form.name, problem: None }))
            @if session.tax_id_collection {
                (field(&Field { name: "tax_id", label: "Tax id, if you are a business", kind: "text", autocomplete: "off",
                    hint: "DE123456789", value: &form.tax_id, problem: None }))
            }
            (saved_cards::save_box(session, form.save == "true"))
            button.wide #pay type="submit" { (verb(session)) " " (total) }
        }
    }
}

fn test_cards() -> Markup {
    html! {
        details open {
            summary { "Test cards" }
            p.soft { "Any future expiry, any CVC, any name." }
            table {
                tbody {
                    @for card in TEST_CARDS.iter().take(LISTED_CARDS) {
                        tr {
                            td { code.test-number { (grouped(card.number)) } }
                            td { (card.what) }
                        }
                    }
                }
            }
        }
    }
}

fn grouped(number: &str) -> String {
    let mut text = String::new();
    for (position, digit) in number.chars().enumerate() {
        if position > 0 && position % 4 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// The page that plays the customer's bank.
pub(crate) fn challenge(session: &Session) -> Markup {
    let what = match session.mode {
        Mode::Setup => "the saving of a card".to_owned(),
        Mode::Payment | Mode::Subscription => format!("a payment of {}", total_of(session)),
    };
    layout::page(
        "3-D Secure",
        &html! {
            main.narrow {
                section.card {
                    h1 { "3-D Secure test page" }
                    p {
                        "Here the customer's bank would ask for a code or a tap in its app, for "
                        strong { (what) } "."
                    }
                    form method="post" action={ "/c/pay/" (session.id) "/challenge" } {
                        button.wide #complete-3ds type="submit" name="outcome" value="complete" { "Complete" }
                        button.plain.wide #fail-3ds type="submit" name="outcome" value="fail" { "Fail" }
                    }
                }
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn expiry_dates_are_read_as_people_type_them() {
        let read = |exp: &str| Form { exp: exp.to_owned(), ..Form::default() }.expiry();
        for text in ["12 / 34", "12/34", "1234", "12 / 2034", " 12/34 "] {
            assert_eq!(read(text), Some((12, 2034)), "{text}");
        }
        for text in ["", "12", "12/", "/34", "1a/34", "123/34", "12/345", "12/+4"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
