//! The list of customers, and the page of one with saved cards and payments.

use maud::{Markup, html};

use super::{
    cards,
    control_forms::button,
    customer_cell, layout,
    parts::{self, Row, exactly, when},
    paying::{self, Paying},
    payments,
    view::View,
    words,
};
use crate::model::{
    currency,
    customer::{self, Customer},
    payment::PaymentMethod,
    setup_intent::{SetupIntent, SetupStatus},
};

/// How many payments the page of a customer lists.
const PAYMENTS: usize = 20;

/// The page of the list.
pub(super) fn list(view: &View<'_>) -> Markup {
    let page = parts::page(view, all(view), |customer| customer.id.clone());
    layout::site(
        view,
        "/customers",
        "Customers",
        &html! {
            h1 { "Customers" }
            p.lead {
                "Who pays, with their saved cards. The page of a customer lets a card expire, be replaced or decline."
            }
            @if page.rows.is_empty() {
                (parts::empty("No customers yet.", &html! {
                    "Create one with " code { "POST /v1/customers" } ", or open a checkout with "
                    code { "customer_creation=always" } "."
                }))
            } @else { (table(view, &page.rows)) }
            (parts::pager(view, &page))
        },
    )
}

/// The customers that are not deleted, newest first.
pub(super) fn all<'a>(view: &View<'a>) -> impl Iterator<Item = &'a Customer> + Clone + use<'a> {
    view.state().customers.iter().rev().filter(|customer| !customer.deleted)
}

/// A table of customers.
pub(super) fn table(view: &View<'_>, customers: &[&Customer]) -> Markup {
    let row = |customer: &&Customer| Row {
        id: customer.id.clone(),
        cells: vec![
            customer_cell::cell(view, &customer.id),
            html! { (words::count(methods(view, &customer.id).count(), "saved card", "saved cards")) },
            html! { (customer.profile.email.as_deref().unwrap_or("–")) },
            when(view, customer.created),
        ],
    };
    let rows: Vec<Row> = customers.iter().map(row).collect();
    parts::table("Customers", &["Customer", "Cards", "E-mail", "Created"], &rows)
}

fn methods<'a>(view: &View<'a>, customer: &str) -> impl Iterator<Item = &'a PaymentMethod> {
    view.state().payment_methods.iter().filter(move |method| method.customer.as_deref() == Some(customer))
}

/// The page of one customer, if there is one.
pub(super) fn show(view: &View<'_>, id: &str) -> Option<Markup> {
    let customer = view.state().customers.get(id).filter(|customer| !customer.deleted)?;
    let profile = &customer.profile;
    let named = profile.name.as_deref().or(profile.email.as_deref()).unwrap_or("Customer");
    let methods: Vec<&PaymentMethod> = methods(view, id).collect();
    let all = paying::all(view);
    let payments: Vec<&Paying<'_>> = all.iter().filter(|paying| paying.customer() == Some(id)).take(PAYMENTS).collect();
    let default = profile.invoice_settings.default_payment_method.as_deref();
    let content = html! {
        p.crumb { a href="/customers" { "Customers" } }
        h1 { (named) }
        (facts(view, customer))
        h2 { "Saved cards" }
        @if methods.is_empty() {
            (parts::empty("No saved cards.", &html! {
                "Attach one with " code { "POST /v1/payment_methods/pm_card_visa/attach" }
                ", or let the customer save one in a checkout."
            }))
        } @else {
            div.cards { @for method in &methods { (cards::card(view, method, default == Some(method.id.as_str()))) } }
        }
        (setups(view, id))
        h2 { "Payments" }
        @if payments.is_empty() {
            (parts::empty("No payments yet.", &html! {
                "Open a checkout with " code { "customer=" (id) } "."
            }))
        } @else { (payments::table(view, &payments)) }
        h2 { "As the API shows it" }
        (parts::json("The customer", &customer::to_json(customer)))
    };
    Some(layout::site(view, "/customers", named, &content))
}

/// The setups of cards that wait for 3-D Secure without a page on which the customer could pass it.
fn setups(view: &View<'_>, customer: &str) -> Markup {
    let waits = |setup: &&SetupIntent| {
        setup.customer.as_deref() == Some(customer)
            && setup.session.is_none()
            && setup.status == SetupStatus::RequiresAction
    };
    let waiting: Vec<&SetupIntent> = view.state().setup_intents.iter().filter(waits).collect();
    html! {
        @if !waiting.is_empty() {
            h2 { "Cards that wait for 3-D Secure" }
            div.cards {
                @for setup in waiting {
                    @let path = format!("setup_intents/{}/challenge", setup.id);
                    div.card.control id=(setup.id) {
                        h3 { code { (setup.id) } }
                        p {
                            "The customer passes 3-D Secure, and the card is saved; or fails, and another card is \
                             needed."
                        }
                        div.actions {
                            (button(view, &path, "Pass", &setup.id, &[("outcome", "passed")]))
                            (button(view, &path, "Fail", &setup.id, &[("outcome", "failed")]))
                        }
                    }
                }
            }
        }
    }
}

fn facts(view: &View<'_>, customer: &Customer) -> Markup {
    let profile = &customer.profile;
    let mut facts = vec![("Created", exactly(view, customer.created)), ("Customer", html! { code { (customer.id) } })];
    for (name, text) in [
        ("E-mail", &profile.email),
        ("Phone", &profile.phone),
        ("Description", &profile.description),
        ("Test clock", &customer.test_clock),
    ] {
        if let Some(text) = text {
            facts.push((name, html! { (text) }));
        }
    }
    if profile.balance != 0 {
        let currency = customer.currency.as_deref().unwrap_or("usd");
        facts.push(("Balance", html! { (currency::format(profile.balance, currency)) }));
    }
    if customer.delinquent {
        facts.push(("Delinquent", html! { "The latest automatic charge of an invoice failed." }));
    }
    if !profile.metadata.is_empty() {
        let metadata = &profile.metadata;
        facts.push(("Metadata", html! { @for (name, value) in metadata { code { (name) "=" (value) } " " } }));
    }
    parts::facts(&facts)
}
