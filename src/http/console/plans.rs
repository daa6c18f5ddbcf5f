//! Plans: what is sold by subscription.

use actix_web::HttpRequest;
use maud::{Markup, html};

use crate::console::words::{credits, money};
use crate::domain::credit_unit::DisplayDecimals;
use crate::domain::plan::Rollover;
use crate::http::console::layout::{Place, at};
use crate::http::console::page::Page;
use crate::http::console::parts::{at_stripe, badge, table, time};
use crate::http::console::session::SignedIn;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;
use crate::plans::plan_rows::AppliedPlan;

/// All plans.
pub(super) async fn list(request: HttpRequest, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    let app = state.app.clone();
    let read = async move { Ok::<_, ApiError>(app.db.plans(app.provider.name).await?) };
    let plans = signed.run(read).await?;
    let decimals = state.app.pricing.decimals();
    let rows: Vec<Markup> = plans.iter().map(|applied| row(&signed, applied, decimals)).collect();
    let content = html! {
        h1 { "Plans" }
        @if rows.is_empty() { p.empty { "No plan is declared yet." } } @else {
            (table("Plans", &["Plan", "State", "Price", "Credits", "What is left", "Trial", "Applied"], &rows))
        }
        p.hint {
            "Plans are declared in a file and applied with " code { "topup plans apply plans.toml" } ", or with "
            code { "PUT /admin/plans" } ". Running subscriptions keep the price that they began with."
        }
    };
    Ok(at(&signed, Place::Plans).show("Plans", &content))
}

fn row(signed: &SignedIn, applied: &AppliedPlan, decimals: DisplayDecimals) -> Markup {
    let plan = &applied.plan;
    html! {
        td { strong { (plan.name) } br; code.soft { (plan.id) } (at_stripe(signed, &format!("products/{}", applied.product))) }
        td { @if plan.is_active { (badge("good", "sold")) } @else { (badge("quiet", "not sold")) } }
        td {
            @for price in &applied.prices {
                (money(price.amount_minor, price.currency.as_str()))
                @if price.fee_minor > 0 { " + " (money(price.fee_minor, price.currency.as_str())) " fee" }
                " each " (plan.interval) br;
            }
        }
        td.number { (credits(plan.credits_per_period, decimals)) }
        td {
            @match plan.rollover {
                Rollover::Expire => "ends with the next period",
                Rollover::Keep => "stays",
                Rollover::Cap(most) => { "stays, at most " (credits(most, decimals)) },
            }
        }
        td {
            @if plan.trial_days == 0 { "–" } @else {
                (plan.trial_days) " days, " (credits(plan.trial_credits, decimals)) " credits"
            }
        }
        td { (time(applied.updated_at_ms)) }
    }
}
