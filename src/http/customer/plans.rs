//! Plans that can be subscribed to.

use actix_web::web::Json;
use actix_web::{HttpRequest, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::domain::currency::Currency;
use crate::domain::tax::TaxBehavior;
use crate::http::kit::body::read_query;
use crate::http::kit::openapi::{Problem503, PublicProblems};
use crate::http::kit::problem::ApiError;
use crate::http::state::State;
use crate::plans::plan_rows::{AppliedPlan, PlanPrice};

#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct PlansQuery {
    currency: Option<String>,
}

/// The plans that are sold.
#[derive(Debug, Serialize, ToSchema)]
pub struct Plans {
    data: Vec<Plan>,
}

/// A plan.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    #[schema(example = "pro")]
    id: String,
    /// What customers read.
    #[schema(example = "Pro")]
    name: String,
    /// The unit of a period: `day`, `week`, `month` or `year`.
    #[schema(example = "month")]
    interval: &'static str,
    /// How many of them a period has.
    #[schema(example = 1)]
    interval_count: i64,
    /// The credits of a paid period.
    #[schema(example = 10_000)]
    credits_per_period: i64,
    /// What happens to credits that are left when the next period is paid: `expire`, `keep`, or `cap`: no more than
    /// `rolloverCap` stay.
    #[schema(example = "expire")]
    rollover: &'static str,
    /// The most credits that stay; null unless `rollover` is `cap`.
    #[schema(example = 5_000)]
    rollover_cap: Option<i64>,
    /// For how many days a new subscriber pays nothing.
    #[schema(example = 14)]
    trial_days: i64,
    /// The credits of the trial.
    #[schema(example = 500)]
    trial_credits: i64,
    /// Whether it is sold. Running subscriptions go on in any case.
    #[schema(example = true)]
    active: bool,
    /// What a period costs, one price for each currency.
    prices: Vec<Price>,
}

/// The price of a period, in minor units.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    #[schema(example = "usd")]
    currency: String,
    /// The price of the plan.
    #[schema(example = 2_000)]
    amount: i64,
    /// The fee line beside it; 0 if the seller absorbs the fee.
    #[schema(example = 91)]
    fee_amount: i64,
    /// What the customer pays each period, and tax on top of it if `taxBehavior` is `exclusive`.
    #[schema(example = 2_091)]
    total_amount: i64,
    /// `exclusive`: tax comes on top. `inclusive`: the amounts contain it. null: no tax is charged.
    #[schema(example = "exclusive")]
    tax_behavior: Option<&'static str>,
}

impl From<AppliedPlan> for Plan {
    fn from(applied: AppliedPlan) -> Self {
        let AppliedPlan { plan, prices, .. } = applied;
        let price = |price: PlanPrice| Price {
            currency: price.currency.as_str().to_owned(),
            amount: price.amount_minor,
            fee_amount: price.fee_minor,
            total_amount: price.amount_minor.saturating_add(price.fee_minor),
            tax_behavior: price.tax.map(TaxBehavior::as_str),
        };
        Self {
            id: plan.id.to_string(),
            interval: plan.interval.unit.as_str(),
            interval_count: plan.interval.count,
            credits_per_period: plan.credits_per_period,
            rollover: plan.rollover.as_str(),
            rollover_cap: plan.rollover.cap(),
            trial_days: plan.trial_days,
            trial_credits: plan.trial_credits,
            active: plan.is_active,
            prices: prices.into_iter().map(price).collect(),
            name: plan.name,
        }
    }
}

/// Lists the plans that are sold.
///
/// Needs no credentials. With a currency, only the plans and prices in it.
#[utoipa::path(
    operation_id = "listPlans",
    tag = "subscriptions",
    params(("currency" = Option<String>, Query, description = "The currency; by default all of them", example = "usd")),
    responses(
        (status = 200, description = "The plans, in the order of their ids.", body = Plans),
        PublicProblems,
        Problem503,
    ),
    security(()),
)]
#[get("/plans")]
pub async fn list(request: HttpRequest, state: State) -> Result<Json<Plans>, ApiError> {
    let PlansQuery { currency } = read_query(&request)?;
    let currency = currency.map(|text| Currency::parse(&text)).transpose();
    let currency = currency.map_err(|error| ApiError::field("currency", "unknown_currency", error.to_string()))?;
    let app = state.app.clone();
    let plans = state.run(async move { app.db.plans(app.provider.name).await }).await??;
    let sold = plans.into_iter().filter(|applied| applied.plan.is_active).filter_map(|mut applied| {
        applied.prices.retain(|price| currency.is_none_or(|wanted| wanted == price.currency));
        (!applied.prices.is_empty()).then_some(applied)
    });
    Ok(Json(Plans { data: sold.map(Plan::from).collect() }))
}

impl Plans {
    /// A list of these plans.
    pub(crate) const fn of(data: Vec<Plan>) -> Self {
        Self { data }
    }
}
