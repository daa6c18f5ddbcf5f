//! Subscriptions: all of them, and one with its history.

use actix_web::HttpRequest;
use actix_web::web::Path;
use maud::{Markup, html};

use crate::console::words::{credits, money};
use crate::domain::account::Visible;
use crate::domain::credit_unit::DisplayDecimals;
use crate::domain::ids::SubscriptionId;
use crate::http::console::form::{Fields, account_path};
use crate::http::console::layout::{Place, at};
use crate::http::console::page::Page;
use crate::http::console::parts::{self, at_stripe, badge, facts, more, short_id, table, time, time_or_dash};
use crate::http::console::session::SignedIn;
use crate::http::kit::paging::page;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;
use crate::subscriptions::change_subscription::find;
use crate::subscriptions::grant_rows::PeriodGrant;
use crate::subscriptions::invoice_rows::Invoice;
use crate::subscriptions::subscription_rows::Subscription;

const ROWS: i64 = 100;

/// All subscriptions, newest first; those that an account should not have come first.
pub(super) async fn list(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let (before_ms, id) = Fields::of_query(&request)?.before()?;
    let app = state.app.clone();
    let read = async move {
        let extra = app.db.extra_subscriptions(ROWS).await?;
        Ok::<_, ApiError>((extra, app.db.subscriptions((before_ms, &id), ROWS + 1).await?))
    };
    let (extra, found) = signed.run(read).await?;
    let (rows, next) = page(found, ROWS, |row| (row.created_at, row.provider_subscription_id.clone()));
    let content = html! {
        h1 { "Subscriptions" }
        @if !extra.is_empty() {
            section aria-labelledby="extra-title" {
                h2 #extra-title { "More than an account may have" }
                p.hint {
                    "These run beside another one of the same account (" code { "SUBSCRIPTIONS_MAX" } "). End one of the two "
                    "and refund it in Stripe's dashboard."
                }
                (rows_of("Subscriptions beside another", &extra))
            }
        }
        section aria-labelledby="all-title" {
            h2 #all-title { "All" }
            @if rows.is_empty() { p.empty { "None." } } @else { (rows_of("Subscriptions", &rows)) }
        }
        (more("/console/subscriptions", &[], next.as_deref()))
    };
    Ok(at(&signed, Place::Subscriptions).show("Subscriptions", &content))
}

/// One subscription, with its invoices and what its periods brought.
pub(super) async fn read(request: HttpRequest, path: Path<String>, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let id = SubscriptionId::parse(state.app.provider.name, path.into_inner())
        .map_err(|_| ApiError::not_found("there is no such subscription"))?;
    let (app, of) = (state.app.clone(), id.clone());
    let read = async move {
        let row = find(&app, &of, &Visible::All).await?;
        let invoices = app.db.invoices_of(of.as_str()).await?;
        Ok::<_, ApiError>((row, invoices, app.db.period_grants_of(of.as_str()).await?))
    };
    let (row, invoices, periods) = signed.run(read).await?;
    let decimals = state.app.pricing.decimals();
    let content = html! {
        h1 { "Subscription" }
        p.subtitle { (parts::id(id.as_str())) " " (status(&row)) (at_stripe(&signed, &format!("subscriptions/{id}"))) }
        (facts(&[
            ("Account", account(&row.account_id)),
            ("Plan", html! { (row.plan_id.as_deref().unwrap_or("none of ours")) }),
            ("Period", html! { (time_or_dash(row.period_start)) " – " (time_or_dash(row.period_end)) }),
            ("Trial ends", time_or_dash(row.trial_end)),
            ("Ends", html! { (time_or_dash(row.cancel_at.or(row.ended_at))) @if let Some(why) = &row.cancel_reason {
                " (" (why.replace('_', " ")) ")"
            } }),
            ("Next plan", html! { (row.next_plan_id.as_deref().unwrap_or("–")) }),
            ("Began", time(row.created_at)),
        ]))
        section aria-labelledby="periods-title" {
            h2 #periods-title { "What its periods brought" }
            @if periods.is_empty() { p.empty { "Nothing yet: credits come with a paid invoice." } }
            @else { (period_rows(&periods, decimals)) }
        }
        section aria-labelledby="invoices-title" {
            h2 #invoices-title { "Invoices" }
            @if invoices.is_empty() { p.empty { "None." } } @else { (invoice_rows(&signed, &invoices)) }
        }
    };
    Ok(at(&signed, Place::Subscriptions).show("Subscription", &content))
}

/// The section of an account's page.
pub(super) fn of_account(rows: &[Subscription]) -> Markup {
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="subscriptions-title" {
                h2 #subscriptions-title { "Subscriptions" }
                (rows_of("Subscriptions", rows))
            }
        }
    }
}

fn account(id: &str) -> Markup {
    html! { a href=(account_path(id)) { (id) } }
}

fn status(row: &Subscription) -> Markup {
    let class = match row.status.as_str() {
        "active" | "trialing" => "good",
        "past_due" | "unpaid" => "bad",
        "incomplete" | "paused" => "wait",
        _ => "quiet",
    };
    html! {
        (badge(class, &row.status.replace('_', " ")))
        @if row.is_extra == 1 { " " (badge("bad", "one too many")) }
        @if row.cancel_at.is_some() && row.ended_at.is_none() { " " (badge("wait", "ends soon")) }
        @if row.is_update_pending == 1 { " " (badge("wait", "change not paid")) }
    }
}

fn rows_of(label: &str, subscriptions: &[Subscription]) -> Markup {
    let rows: Vec<Markup> = subscriptions
        .iter()
        .map(|row| {
            let id = &row.provider_subscription_id;
            html! {
                td { a href={ "/console/subscriptions/" (id) } title=(id) { (short_id(id)) } }
                td { (account(&row.account_id)) }
                td { (row.plan_id.as_deref().unwrap_or("–")) }
                td { (status(row)) }
                td { (time_or_dash(row.period_end)) }
                td { (time(row.created_at)) }
            }
        })
        .collect();
    table(label, &["Subscription", "Account", "Plan", "Status", "Period ends", "Began"], &rows)
}

fn period_rows(periods: &[PeriodGrant], decimals: DisplayDecimals) -> Markup {
    let rows: Vec<Markup> = periods
        .iter()
        .map(|period| {
            html! {
                td { (time(period.period_start)) " – " (time(period.period_end)) }
                td { @if period.kind == "trial" { "trial" } @else { (period.plan_id) } }
                td.number { (credits(period.credits, decimals)) @if period.credits < period.worth {
                    " of " (credits(period.worth, decimals))
                } }
                td.number { (credits(period.taken_credits, decimals)) }
                td { code title=(period.provider_invoice_id) { (short_id(&period.provider_invoice_id)) } }
                td { (time(period.created_at)) }
            }
        })
        .collect();
    table("Periods", &["Period", "For", "Credits", "Taken back", "Invoice", "Booked"], &rows)
}

fn invoice_rows(signed: &SignedIn, invoices: &[Invoice]) -> Markup {
    let rows: Vec<Markup> = invoices
        .iter()
        .map(|invoice| {
            let class = match invoice.status.as_str() {
                "paid" => "good",
                "open" if invoice.attempts > 0 => "bad",
                "open" | "draft" => "wait",
                _ => "quiet",
            };
            html! {
                td {
                    code title=(invoice.provider_invoice_id) { (short_id(&invoice.provider_invoice_id)) }
                    (at_stripe(signed, &format!("invoices/{}", invoice.provider_invoice_id)))
                }
                td {
                    (badge(class, &invoice.status)) @if invoice.needs_action == 1 && invoice.status == "open" {
                        " " (badge("wait", "customer has to confirm"))
                    }
                }
                td { (invoice.reason.replace('_', " ")) }
                td.number { (money(invoice.total, &invoice.currency)) }
                td.number { (invoice.attempts) }
                td { (time_or_dash(invoice.next_attempt_at)) }
                td { (time(invoice.created_at)) }
                td { (time_or_dash(invoice.paid_at)) }
            }
        })
        .collect();
    let head = ["Invoice", "Status", "Why", "Total", "Tries", "Next try", "Created", "Paid"];
    table("Invoices", &head, &rows)
}
