//! Lists of top-ups, and one top-up with everything that happened to it.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use maud::{Markup, html};

use crate::console::actions;
use crate::console::find::{Told, tell_topup};
use crate::console::words;
use crate::domain::account::Visible;
use crate::domain::checkout::TopupState;
use crate::domain::tax::TaxBehavior;
use crate::http::console::form::{Fields, account_path, after, topup_id, topup_path};
use crate::http::console::layout::{Place, at, change_fields};
use crate::http::console::page::{Page, see_other};
use crate::http::console::parts::{self, at_stripe, facts, more, time, topup_state};
use crate::http::console::session::SignedIn;
use crate::http::console::timeline::timeline;
use crate::http::kit::paging::page;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;
use crate::purchases::receipt::receipt_of_topup;
use crate::purchases::topup_history::TopupFilter;

const ROWS: i64 = 50;

/// All top-ups, or those in one state.
pub(super) async fn list(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let fields = Fields::of_query(&request)?;
    let chosen = fields.optional("state").filter(|word| *word == "surplus" || TopupState::parse(word).is_some());
    let surplus = chosen == Some("surplus");
    let filter = TopupFilter {
        account: None,
        state: chosen.filter(|_| !surplus).map(str::to_owned),
        surplus,
        before: fields.before()?,
        limit: ROWS + 1,
    };
    let app = state.app.clone();
    let found = signed.run(async move { app.db.list_topups(&filter).await }).await?;
    let (rows, next) = page(found, ROWS, |topup| (topup.created_at, topup.id.clone()));
    let content = html! {
        h1 { "Top-ups" }
        form.filters method="get" action="/console/topups" {
            div.field {
                label for="state" { "State" }
                select #state name="state" {
                    option value="" selected[chosen.is_none()] { "all" }
                    @for word in ["paid", "open", "processing", "expired", "failed", "surplus"] {
                        option value=(word) selected[chosen == Some(word)] {
                            @if word == "surplus" { "paid twice" } @else { (word) }
                        }
                    }
                }
            }
            button.plain type="submit" { "Show" }
        }
        @if rows.is_empty() { p.empty { "None." } } @else { (parts::topups(&rows, state.app.pricing.decimals(), true)) }
        (more("/console/topups", &[("state", chosen.unwrap_or_default())], next.as_deref()))
    };
    Ok(at(&signed, Place::Topups).show("Top-ups", &content))
}

/// One top-up.
pub(super) async fn read(request: HttpRequest, path: Path<String>, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let fields = Fields::of_query(&request)?;
    let told = find(&signed, &path).await?;
    let id = told.explanation.topup.id.to_string();
    let content = html! {
        h1 { "Top-up" }
        p.subtitle { (parts::id(&id)) }
        (parts::story(&signed, &id, &told.story))
        (webhooks_refused(&signed, &told))
        (details(&signed, &told))
        (actions_of(&signed, &told))
        section aria-labelledby="timeline-title" {
            h2 #timeline-title { "Timeline" }
            (timeline(&signed, &told.explanation))
        }
    };
    let framed = at(&signed, Place::Topups).after_change(&fields).await?;
    Ok(framed.show("Top-up", &content))
}

pub(super) async fn find(signed: &SignedIn, id: &str) -> Result<Told, super::page::PageError> {
    let id = topup_id(id)?;
    let app = signed.state.app.clone();
    let told = signed.run(async move { tell_topup(&app, &id).await }).await?;
    Ok(told.ok_or_else(|| ApiError::not_found("there is no such top-up"))?)
}

/// A wrong signing secret is the usual reason for missing webhooks, and no delivery that is refused can be attributed.
pub(super) fn webhooks_refused(signed: &SignedIn, told: &Told) -> Markup {
    let refused = signed.state.notices.refused_deliveries();
    let is_paid = told.explanation.topup.state == TopupState::Paid;
    html! {
        @if let Some(refused) =
            refused.filter(|refused| !is_paid && refused.last_ms >= told.explanation.topup.created_at_ms) {
            p.notice.bad role="note" {
                strong { "Deliveries are refused. " }
                "Since this process started, " (refused.count) " were, the last at " (time(refused.last_ms)) ": "
                (refused.reason) ". If they are Stripe's, compare STRIPE_WEBHOOK_SECRET with the endpoint's signing \
                    secret \
                in Stripe's dashboard; Stripe repeats them for three days."
            }
        }
    }
}

fn details(signed: &SignedIn, told: &Told) -> Markup {
    let Told { explanation, payer, .. } = told;
    let (topup, fees) = (&explanation.topup, &explanation.fees);
    let decimals = signed.state.app.pricing.decimals();
    let currency = topup.currency.as_str();
    let money = |amount| words::money(amount, currency);
    let surplus = explanation.payments.iter().filter(|payment| payment.state == "surplus").count();
    let surplus = i64::try_from(surplus).unwrap_or(i64::MAX);
    let credited = explanation.payments.iter().find(|payment| payment.state == "credited");
    let real_fee = credited.and_then(|payment| payment.real_fee.zip(payment.real_fee_currency.as_deref()));
    let account = topup.account.as_str();
    let mut pairs = vec![
        ("Account", html! { a href=(account_path(account)) { (account) } }),
        ("State", topup_state(topup.state.as_str(), topup.taken_credits, topup.credits, surplus)),
        (
            "Credits",
            html! {
                (words::credits(topup.credits, decimals)) @if topup.bonus_credits > 0 {
                    " + " (words::credits(topup.bonus_credits, decimals)) " bonus"
                }
            },
        ),
        ("Taken back", html! { (words::credits(topup.taken_credits, decimals)) }),
        (
            "Charged",
            html! {
                (money(topup.charged_minor())) " (" (money(topup.credits_amount_minor)) " + "
                    (money(topup.fee_amount_minor)) " fee"
                    @match (topup.tax, topup.charged_tax_minor()) {
                        (Some(TaxBehavior::Exclusive), Some(tax)) => { " + " (money(tax)) " tax" }
                        (Some(TaxBehavior::Exclusive), None) => { ", and tax" }
                        (Some(TaxBehavior::Inclusive), Some(tax)) => { ", with " (money(tax)) " tax in it" }
                        _ => {}
                    } ")"
            },
        ),
        (
            "Stripe's fee",
            html! {
                @match real_fee {
                    Some((fee, currency)) => (words::money(fee, currency)), None => "not known yet"
                } ", expected " (money(topup.expected_fee_minor)) " (" (fees.fee_mode.replace('_', " ")) ")"
            },
        ),
    ];
    if let Some(session) = &topup.session {
        pairs.push(("Checkout session", html! { (parts::id(session.as_str())) }));
    }
    for payment in &explanation.payments {
        let id = &payment.provider_payment_id;
        let name = if payment.state == "surplus" { "Second payment" } else { "Payment" };
        pairs.push((name, html! { (parts::id(id)) (at_stripe(signed, &format!("payments/{id}"))) }));
    }
    html! {
        div.columns {
            section aria-labelledby="terms-title" { h2 #terms-title { "What was sold" } (facts(&pairs)) }
            section aria-labelledby="payer-title" {
                h2 #payer-title { "Who paid" }
                @match payer {
                    Some(payer) if !payer.is_empty() => (facts(&payer_facts(payer))),
                    _ => p.empty { "Nothing is known, or it was erased." },
                }
            }
        }
    }
}

fn payer_facts(payer: &crate::domain::payer::Payer) -> Vec<(&'static str, Markup)> {
    let search = |text: &str| {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", text).finish();
        html! { a href={ "/console/search?" (query) } { (text) } }
    };
    let mut pairs = Vec::new();
    if let Some(email) = &payer.email {
        pairs.push(("E-mail", search(email)));
    }
    if let Some(name) = &payer.name {
        pairs.push(("Name", html! { (name) }));
    }
    if let Some(digits) = &payer.card_last4 {
        let brand = payer.card_brand.as_deref().unwrap_or("card");
        pairs.push(("Card", html! { (brand) " …" (search(digits)) }));
    }
    if let Some(country) = &payer.card_country {
        pairs.push(("Card's country", html! { (country) }));
    }
    if let Some(address) = &payer.client_ip {
        pairs.push(("IP address", html! { (address) }));
    }
    if let Some(agent) = &payer.user_agent {
        pairs.push(("Browser", html! { (agent) }));
    }
    pairs
}

fn actions_of(signed: &SignedIn, told: &Told) -> Markup {
    let topup = &told.explanation.topup;
    let path = topup_path(topup.id.as_str());
    html! {
        section aria-labelledby="actions-title" {
            h2 #actions-title { "Actions" }
            div.actions {
                @if topup.state == TopupState::Paid {
                    a.button.plain href={ (path) "/refund" } { "Refund…" }
                    a.button.plain href={ (path) "/receipt" } { "Receipt at Stripe" }
                }
                form method="post" action={ (path) "/check" } {
                    (change_fields(signed))
                    button.plain type="submit" { "Ask Stripe now" }
                }
            }
            p.hint { "Asking Stripe applies what it says: a payment whose webhook is missing is credited once, and \
                missing refunds \
                and disputes are taken in." }
        }
    }
}

/// Leads to the customer's receipt, whose address the provider is asked for.
pub(super) async fn receipt(request: HttpRequest, path: Path<String>, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let (id, app) = (topup_id(&path)?, state.app.clone());
    let url = signed.run(async move { receipt_of_topup(&app, &id, &Visible::All).await }).await?;
    Ok(see_other(&url))
}

/// Asks the provider and applies the answer.
pub(super) async fn check(request: HttpRequest, path: Path<String>, payload: Payload, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let fields = signed.form(&request, payload).await?;
    let (id, change) = (topup_id(&path)?, fields.change()?);
    let back: HttpResponse = see_other(&after(&topup_path(id.as_str()), &change));
    let (app, actor) = (state.app.clone(), signed.actor());
    signed.run(async move { Box::pin(actions::check(&app, &actor, change, &id)).await }).await?;
    Ok(back)
}
