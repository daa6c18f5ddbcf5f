//! Plans, for operators: all of them, and applying them.

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::domain::plan::Plan as Declared;
use crate::http::admin::caller::Admin;
use crate::http::customer::plans::{Plan, Plans};
use crate::http::kit::body::{read_json_within, read_query};
use crate::http::kit::openapi::Problem503;
use crate::http::kit::openapi::{CallerProblems, ProviderProblems};
use crate::http::kit::problem::{ApiError, FieldError, Problem};
use crate::http::state::State;
use crate::plans::apply_plans::{PlanChange, apply_plans};
use crate::plans::plan_file::WrittenPlan;

/// The largest list of plans, in bytes.
const MAX_BYTES: usize = 256 * 1024;
const MAX_PLANS: usize = 200;

/// Plans to apply. Plans that are stored and not among these stay as they are; set `active` to false to stop selling one.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyPlans {
    /// 1 to 200 plans, with the fields of `plans.toml`: `id`, `name`, `interval`, `intervalCount`, `creditsPerPeriod`,
    /// `rollover` (`expire`, `keep` or `{"cap": n}`), `trialDays`, `trialCredits`, `active`, and `amount` with the price of
    /// a period in minor units for each currency.
    #[schema(value_type = Vec<Object>, example = json!([{ "id": "pro", "name": "Pro", "interval": "month",
        "creditsPerPeriod": 10_000, "amount": { "usd": 2_000 } }]))]
    plans: Vec<WrittenPlan>,
}

/// What applying changed, or would change.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppliedPlans {
    /// Whether nothing was changed.
    #[schema(example = false)]
    dry_run: bool,
    /// The changes; empty if everything is as it should be.
    changes: Vec<Change>,
    /// All plans afterwards.
    data: Vec<Plan>,
}

/// A change of a plan.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    #[schema(example = "pro")]
    plan_id: String,
    /// What changes, in words.
    #[schema(example = "creditsPerPeriod 10000 -> 12000")]
    change: String,
}

#[derive(Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DryRun {
    dry_run: Option<bool>,
}

/// Lists all plans, also those that are not sold.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` for all accounts.
#[utoipa::path(
    operation_id = "listAllPlans",
    tag = "admin",
    responses((status = 200, description = "All plans.", body = Plans), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/plans")]
pub async fn list(request: HttpRequest, state: State) -> Result<Json<Plans>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    Ok(Json(Plans::of(all(&state).await?)))
}

/// Applies plans: makes their products and prices at Stripe, and stores them.
///
/// Applying the same plans again changes nothing. A changed amount makes a new price, which new subscriptions get;
/// running ones keep theirs. With `dryRun=true` it only says what would change. Requires a token with the admin scope, or
/// an API key with the scope `admin` for all accounts.
#[utoipa::path(
    operation_id = "applyPlans",
    tag = "admin",
    params(("dryRun" = Option<bool>, Query, description = "Only say what would change", example = true)),
    request_body = ApplyPlans,
    responses(
        (status = 200, description = "The plans are applied, or what applying them would change.", body = AppliedPlans),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 501, description = "The payment provider cannot sell plans (`provider_unsupported`).", body = Problem, content_type = "application/problem+json"),
        CallerProblems, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[put("/admin/plans")]
pub async fn apply(request: HttpRequest, payload: Payload, state: State) -> Result<Json<AppliedPlans>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let dry_run = read_query::<DryRun>(&request)?.dry_run.unwrap_or(false);
    let body: ApplyPlans = read_json_within(&request, payload, &state, MAX_BYTES).await?;
    let plans = declared(body.plans)?;
    let app = state.app.clone();
    let changes = state.run(async move { Box::pin(apply_plans(&app, &plans, dry_run)).await }).await??;
    let changes = changes.into_iter().map(|PlanChange { plan, change }| Change { plan_id: plan, change }).collect();
    Ok(Json(AppliedPlans { dry_run, changes, data: all(&state).await? }))
}

fn declared(written: Vec<WrittenPlan>) -> Result<Vec<Declared>, ApiError> {
    if !(1..=MAX_PLANS).contains(&written.len()) {
        return Err(ApiError::field("plans", "length", format!("must be 1 to {MAX_PLANS} plans")));
    }
    let (mut plans, mut errors): (Vec<Declared>, Vec<FieldError>) = (Vec::new(), Vec::new());
    for (number, plan) in (0_u32..).zip(written) {
        let place = format!("plans[{number}].");
        match Declared::new(&plan.draft()) {
            Ok(plan) if plans.iter().any(|other| other.id == plan.id) => {
                errors.push(FieldError::new(
                    &format!("{place}id"),
                    "repeated",
                    "is another plan's; each needs its own",
                ));
            }
            Ok(plan) => plans.push(plan),
            Err(mistakes) => errors.extend(ApiError::plan_mistakes(&place, mistakes)),
        }
    }
    if errors.is_empty() { Ok(plans) } else { Err(ApiError::fields(errors)) }
}

async fn all(state: &State) -> Result<Vec<Plan>, ApiError> {
    let app = state.app.clone();
    let plans = state.run(async move { app.db.plans(app.provider.name).await }).await??;
    Ok(plans.into_iter().map(Plan::from).collect())
}
