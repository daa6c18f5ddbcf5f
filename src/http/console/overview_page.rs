//! What an operator sees first.

use std::sync::Arc;

use actix_web::HttpRequest;
use maud::{Markup, html};

use crate::console::overview::{DayMoves, FeeSums, Overview, overview};
use crate::console::words::{credits, money, of_credits};
use crate::http::console::chart::{Series, chart};
use crate::http::console::form::with_id;
use crate::http::console::layout::{Place, at};
use crate::http::console::month_report;
use crate::http::console::page::Page;
use crate::http::console::parts::{NBSP, facts, time};
use crate::http::console::reconciliations::state_badge;
use crate::http::console::session::SignedIn;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;
use crate::inbox::failed_events::OpenFailures;
use crate::reconcile::Run;

/// The most extra subscriptions that are counted.
const MAX_EXTRA: i64 = 1_000;

/// The overview.
pub(super) async fn show(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let inner = state.clone();
    let read = async move {
        let app = &inner.app;
        let overview = overview(app, &inner.last_overview).await?;
        let failures = app.db.open_failures().await?;
        let warnings = app.db.open_fraud_signals().await?;
        let runs = app.db.reconciliations(1).await?;
        let extra = app.db.extra_subscriptions(MAX_EXTRA).await?.len();
        Ok::<_, ApiError>((overview, failures, warnings, runs.into_iter().next(), extra))
    };
    let (found, failures, warnings, run, extra) = signed.run(read).await?;
    let content = html! {
        h1 { "Overview" }
        (attention(failures, warnings, run.as_ref(), extra))
        (numbers(&signed, &found))
        (charts(&signed, &found))
        div.columns {
            section aria-labelledby="owed-title" {
                h2 #owed-title { "What is owed to customers" } (owed(&signed, &found))
            }
            section aria-labelledby="fees-title" {
                h2 #fees-title { "Fees of the last 30 days" } (fees(&found))
            }
        }
        (month_report::links(&signed))
        p.hint { "Computed at " (time(found.at_ms)) ", at most once a minute. Days are those of UTC." }
    };
    Ok(at(&signed, Place::Overview).show("Overview", &content))
}

/// What needs a person.
fn attention(failures: OpenFailures, warnings: i64, run: Option<&Run>, extra: usize) -> Markup {
    let OpenFailures { transient, permanent } = failures;
    let open = transient.saturating_add(permanent);
    html! {
        ul.attention {
            li class=(if open > 0 { "bad" } else { "good" }) {
                a href="/console/failures" {
                    @if open == 0 { "No failed delivery is open" }
                    @else {
                        (open) (NBSP) "failed " @if open == 1 { "delivery is" } @else { "deliveries are" } " open" @if
                            permanent > 0 {
                            " (" (permanent) " refused for good)"
                        }
                    }
                }
            }
            @if extra > 0 {
                li.bad {
                    a href="/console/subscriptions" {
                        (extra) (NBSP) @if extra == 1 { "subscription runs" } @else { "subscriptions run" }
                        " beside another one of the same account"
                    }
                }
            }
            @if warnings > 0 {
                li.bad {
                    a href="/console/disputes" {
                        (warnings) (NBSP) @if warnings == 1 { "payment may" } @else { "payments may" } " be fraud"
                    }
                }
            }
            @match run {
                Some(run) => {
                    li class=(run_class(run)) {
                        a href=(with_id("/console/reconciliation", &run.id)) {
                            "Last comparison with Stripe"
                        } " " (state_badge(run)) " " (time(run.started_at))
                    }
                }
                None => li.wait { a href="/console/reconciliations" { "Never compared with Stripe yet" } },
            }
        }
    }
}

const fn run_class(run: &Run) -> &'static str {
    match run.left_over {
        Some(0) => "good",
        Some(_) => "bad",
        // It is running, or it failed.
        None => "wait",
    }
}

fn total(days: &[DayMoves], of: impl Fn(&DayMoves) -> i64) -> i64 {
    days.iter().fold(0, |sum, day| sum.saturating_add(of(day)))
}

fn numbers(signed: &SignedIn, found: &Overview) -> Markup {
    let decimals = signed.state.app.pricing.decimals();
    let shown = |number| credits(number, decimals);
    html! {
        h2.for-ears { "The last 30 days" }
        dl.numbers {
            div { dt { "Sold" } dd { (shown(total(&found.days, |day| day.sold))) } }
            div { dt { "Spent" } dd { (shown(total(&found.days, |day| day.spent))) } }
            div { dt { "Expired" } dd { (shown(total(&found.days, |day| day.expired))) } }
            div { dt { "Refunded" } dd { (shown(total(&found.days, |day| day.refunded))) } }
            div { dt { "Outstanding" } dd { (shown(found.outstanding.credits)) } }
        }
    }
}

fn charts(signed: &SignedIn, found: &Arc<Overview>) -> Markup {
    let decimals = signed.state.app.pricing.decimals();
    let days_ms: Vec<i64> = found.days.iter().map(|day| day.day_ms).collect();
    let values = |of: fn(&DayMoves) -> i64| found.days.iter().map(of).collect::<Vec<i64>>();
    let series = [
        Series { name: "Sold", class: "one", values: values(|day| day.sold) },
        Series { name: "Spent", class: "two", values: values(|day| day.spent) },
        Series { name: "Expired", class: "", values: values(|day| day.expired) },
        Series { name: "Refunded", class: "", values: values(|day| day.refunded) },
    ];
    chart("Credits by day, the last 30 days", &days_ms, &series, 2, decimals)
}

fn owed(signed: &SignedIn, found: &Overview) -> Markup {
    let (pricing, decimals) = (signed.state.app.pricing.main(), signed.state.app.pricing.decimals());
    let outstanding = found.outstanding;
    let (unit, price) = (pricing.unit().credits(), pricing.unit().amount_minor());
    let worth = i128::from(outstanding.credits).saturating_mul(i128::from(price)).checked_div(i128::from(unit));
    let worth = worth.and_then(|worth| i64::try_from(worth).ok()).unwrap_or(i64::MAX);
    let currency = pricing.currency();
    facts(&[
        (
            "Outstanding credits",
            html! { (of_credits(outstanding.credits, decimals)) " on " (outstanding.accounts) " accounts" },
        ),
        ("At today's price", html! { strong { (money(worth, currency.as_str())) } }),
        ("Owed by customers", html! { (of_credits(outstanding.owed, decimals)) " below zero" }),
    ])
}

fn fees(found: &Overview) -> Markup {
    html! {
        @if found.fees.is_empty() { p.empty { "No payment yet." } }
        @for fees in &found.fees { (fees_in_currency(fees)) }
    }
}

fn fees_in_currency(fees: &FeeSums) -> Markup {
    let shown = |amount| money(amount, &fees.currency);
    let difference = fees.real.saturating_sub(fees.expected);
    facts(&[
        ("Expected", html! { (shown(fees.expected)) " for " (fees.charges) " payments" }),
        ("Charged by Stripe", html! { (shown(fees.real)) }),
        (
            "Difference",
            html! {
                @if difference > 0 { "+" } (shown(difference)) @if difference > 0 {
                    " more than expected: compare FEE_RATE_PERCENT and FEE_FIXED"
                }
            },
        ),
        ("Not known", html! { (fees.unknown) " payments, or in another currency" }),
    ])
}
