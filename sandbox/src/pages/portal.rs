//! The customer portal: subscriptions, the card and the invoices of one customer.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    card_form::card_form,
    checkout::{Form, Problems},
    layout,
};
use crate::model::{
    State,
    billing::{
        catalog, change,
        interval::date_text,
        invoice::InvoiceStatus,
        portal::{self, PortalSession},
        subscription::{Status, Subscription},
    },
    currency,
};

const INVOICES_SHOWN: usize = 24;

/// What the portal shows.
pub(crate) struct View {
    pub(crate) session: PortalSession,
    features: Value,
    subscriptions: Vec<Plan>,
    card: Option<String>,
    invoices: Vec<Bill>,
}

struct Plan {
    id: String,
    name: String,
    rate: String,
    status: &'static str,
    renews: Option<String>,
    ends: Option<String>,
    price: String,
    offers: Vec<(String, String)>,
}

struct Bill {
    id: String,
    date: String,
    total: String,
    status: &'static str,
}

/// Reads what the customer of a session may see. `None` for an unknown session.
pub(crate) fn state_of(state: &State, id: &str) -> Option<View> {
    let session = state.portal_sessions.get(id)?.clone();
    let features = portal::features(state, &session.configuration);
    let offers: Vec<(String, String)> = portal::offered_prices(&features)
        .into_iter()
        .filter_map(|id| Some((id.clone(), rate_of(state, &id)?)))
        .collect();
    let mine = state.subscriptions.iter().rev().filter(|found| found.customer == session.customer);
    let subscriptions = mine.filter(|found| !found.is_ended()).map(|found| plan_of(state, found, &offers)).collect();
    let method = change::method_of(state, &session.customer, None);
    let card = method.and_then(|id| state.payment_methods.get(&id)?.card.clone());
    let invoices = state.invoices.iter().rev().filter(|found| found.customer.as_ref() == Some(&session.customer));
    let invoices = invoices.filter(|found| found.status != InvoiceStatus::Draft).take(INVOICES_SHOWN);
    Some(View {
        subscriptions,
        card: card.map(|card| format!("{} •••• {}", card.brand, card.last4)),
        invoices: invoices
            .map(|found| Bill {
                id: found.id.clone(),
                date: date_text(found.created),
                total: currency::format(found.total().max(0), &found.currency),
                status: found.status.as_str(),
            })
            .collect(),
        features,
        session,
    })
}

fn rate_of(state: &State, price: &str) -> Option<String> {
    let found = catalog::price(state, price)?;
    let amount = currency::format(found.amount(1), &found.currency);
    let interval = found.interval.map_or_else(String::new, |interval| format!(" / {}", interval.unit.as_str()));
    Some(format!("{}: {amount}{interval}", found.product_name))
}

fn plan_of(state: &State, found: &Subscription, offers: &[(String, String)]) -> Plan {
    let price = found.items.first().map(|item| item.price.clone()).unwrap_or_default();
    let name = catalog::price(state, &price).map(|price| price.product_name).unwrap_or_default();
    let end = match (found.status, found.trial_end) {
        (Status::Trialing, Some(end)) => end,
        _ => found.period_end(),
    };
    Plan {
        id: found.id.clone(),
        rate: rate_of(state, &price).unwrap_or_default(),
        name,
        status: found.status.as_str(),
        renews: found.ends_at().is_none().then(|| date_text(end)),
        ends: found.ends_at().map(date_text),
        offers: offers.iter().filter(|(id, _)| *id != price && found.items.len() == 1).cloned().collect(),
        price,
    }
}

/// The home page of the portal, with what went wrong before.
pub(crate) fn page(view: &View, form: &Form, problems: &Problems) -> Markup {
    let base = format!("/p/session/{}", view.session.id);
    layout::page(
        "Billing",
        &html! {
            main.narrow {
                @if let Some(url) = &view.session.return_url {
                    p { a #return href=(url) { "Return to the shop" } }
                }
                @if let Some(message) = &problems.top { p.alert role="alert" { (message) } }
                h1 { "Current plan" }
                @if view.subscriptions.is_empty() { p.soft { "No subscription." } }
                @for plan in &view.subscriptions { (plan_section(view, plan, &base)) }
                @if portal::is_on(&view.features, "payment_method_update") {
                    h2 { "Payment method" }
                    p #card { (view.card.as_deref().unwrap_or("None saved")) }
                    (card_form(&format!("{base}/card"), "Save this card", form, &fields_only(problems)))
                }
                @if portal::is_on(&view.features, "invoice_history") { (invoices(view)) }
            }
        },
    )
}

/// The mistakes without the message that the page shows at its top.
fn fields_only(problems: &Problems) -> Problems {
    Problems {
        top: None,
        email: None,
        card_number: problems.card_number.clone(),
        exp: problems.exp.clone(),
        cvc: problems.cvc.clone(),
    }
}

fn plan_section(view: &View, plan: &Plan, base: &str) -> Markup {
    let updates = portal::is_on(&view.features, "subscription_update") && !plan.offers.is_empty();
    html! {
        section.card aria-label=(plan.name) {
            p { strong { (plan.rate) } " · " span.status { (plan.status) } }
            @if let Some(date) = &plan.renews { p { "Renews on " (date) } }
            @if let Some(date) = &plan.ends { p { "Ends on " (date) } }
            @if portal::is_on(&view.features, "subscription_cancel") {
                @if plan.ends.is_some() {
                    form method="post" action={ (base) "/resume" } {
                        input type="hidden" name="subscription" value=(plan.id);
                        button.resume type="submit" { "Don't cancel" }
                    }
                } @else {
                    p { a.cancel href={ (base) "/cancel/" (plan.id) } { "Cancel plan" } }
                }
            }
            @if updates {
                form method="post" action={ (base) "/plan" } {
                    input type="hidden" name="subscription" value=(plan.id);
                    label for={ "price-" (plan.id) } { "Change plan" }
                    select id={ "price-" (plan.id) } name="price" {
                        @for (price, rate) in &plan.offers { option value=(price) { (rate) } }
                    }
                    button.change type="submit" { "Change plan" }
                }
            }
        }
    }
}

fn invoices(view: &View) -> Markup {
    html! {
        h2 { "Invoice history" }
        @if view.invoices.is_empty() { p.soft { "None yet." } } @else {
            div.scroll { table {
                tr { th { "Date" } th { "Amount" } th { "Status" } }
                @for bill in &view.invoices {
                    tr {
                        td { a href={ "/i/" (bill.id) } { (bill.date) } }
                        td { (bill.total) }
                        td { (bill.status) }
                    }
                }
            } }
        }
    }
}

/// The page that asks before a cancellation.
pub(crate) fn confirm_cancel(view: &View, id: &str) -> Option<Markup> {
    let plan = view.subscriptions.iter().find(|plan| plan.id == id)?;
    let base = format!("/p/session/{}", view.session.id);
    let at_once = view.features.pointer("/subscription_cancel/mode").and_then(Value::as_str) == Some("immediately");
    let reasons = view.features.pointer("/subscription_cancel/cancellation_reason");
    let asks = reasons.and_then(|of| of.get("enabled")).and_then(Value::as_bool).unwrap_or(false);
    let options = reasons.and_then(|of| of.get("options")).and_then(Value::as_array);
    let options: Vec<&str> = options.into_iter().flatten().filter_map(Value::as_str).collect();
    let when = match (&plan.renews, at_once) {
        (_, true) => "It ends now.".to_owned(),
        (Some(date), false) => format!("It stays yours until {date}."),
        (None, false) => "It ends with its period.".to_owned(),
    };
    Some(layout::page(
        "Cancel plan",
        &html! {
            main.narrow {
                section.card {
                    h1 { "Cancel your plan?" }
                    p { (plan.rate) }
                    p { (when) }
                    form method="post" action={ (base) "/cancel" } {
                        input type="hidden" name="subscription" value=(plan.id);
                        @if asks {
                            label for="feedback" { "Why do you cancel?" }
                            select #feedback name="feedback" {
                                option value="" { "No answer" }
                                @for option in &options { option value=(option) { (option.replace('_', " ")) } }
                            }
                        }
                        button #confirm-cancel type="submit" { "Cancel plan" }
                    }
                    p { a href=(base) { "Go back" } }
                }
            }
        },
    ))
}

/// The page that asks before a change of the plan.
pub(crate) fn confirm_change(view: &View, id: &str, price: &str) -> Option<Markup> {
    let plan = view.subscriptions.iter().find(|plan| plan.id == id && plan.price != price)?;
    let (_, rate) = plan.offers.iter().find(|(offered, _)| offered == price)?;
    let base = format!("/p/session/{}", view.session.id);
    Some(layout::page(
        "Change plan",
        &html! {
            main.narrow {
                section.card {
                    h1 { "Confirm your change" }
                    p { (plan.rate) " → " strong { (rate) } }
                    form method="post" action={ (base) "/plan" } {
                        input type="hidden" name="subscription" value=(plan.id);
                        input type="hidden" name="price" value=(price);
                        button #confirm-change type="submit" { "Confirm" }
                    }
                    p { a href=(base) { "Go back" } }
                }
            }
        },
    ))
}
