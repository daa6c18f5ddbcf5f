//! Ending, resuming and changing a subscription.

use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::api_keys::Scope;
use crate::domain::account::Visible;
use crate::domain::ids::SubscriptionId;
use crate::domain::plan::PlanId;
use crate::http::admin::caller::Admin;
use crate::http::auth::Caller;
use crate::http::customer::subscriptions::view::Subscription;
use crate::http::kit::body::{read_json, read_query};
use crate::http::kit::openapi::{CallerProblems, Problem404, ProviderProblems};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::kit::timestamp::{parse_time, rfc3339};
use crate::http::state::{HttpState, State};
use crate::subscriptions::change_subscription::{ChangeError, EndAt, cancel, change, preview, resume};
use crate::subscriptions::subscription_rows::Subscription as Stored;

/// When a subscription ends.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancelSubscription {
    /// `period_end`: with the period that is paid. `now`: at once, which needs the admin scope; nothing is refunded.
    #[validate(required(message = "is missing; send period_end or now"))]
    #[schema(required, nullable = false, example = "period_end")]
    at: Option<String>,
}

/// The plan to change to.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangePlan {
    #[validate(required(message = "is missing; say which plan"))]
    #[schema(required, nullable = false, example = "pro")]
    plan_id: Option<String>,
    /// The `prorationDate` of a preview, so that what is charged is what was shown.
    #[schema(example = "2026-11-21T12:01:00Z")]
    proration_date: Option<String>,
}

/// What a change of the plan would cost.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangePreview {
    #[schema(example = "pro")]
    plan_id: String,
    /// `now`, or `period_end`: a plan that costs less, or has another interval, takes effect with the next period.
    #[schema(example = "now")]
    takes_effect: &'static str,
    #[schema(example = "2026-11-21T12:01:00Z")]
    effective_at: String,
    /// What is paid now, in minor units; negative if money is kept for later invoices.
    #[schema(example = 1_045)]
    amount_due: i64,
    /// What a period costs from then on, with the fee line.
    #[schema(example = 2_091)]
    period_amount: i64,
    #[schema(example = "usd")]
    currency: String,
    /// Send it with the change, so that the amount stays; null if nothing is paid now.
    #[schema(example = "2026-11-21T12:01:00Z")]
    proration_date: Option<String>,
}

#[derive(Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PreviewQuery {
    #[validate(required(message = "is missing; say which plan"))]
    plan_id: Option<String>,
}

/// The subscription that a path names, and whose the caller may see.
///
/// # Errors
/// 401 without valid credentials, 403 when an API key lacks the scope, 404 when the text is no id.
pub(crate) async fn visible(
    request: &HttpRequest,
    state: &HttpState,
    path: &str,
    scope: Scope,
) -> Result<(SubscriptionId, Visible), ApiError> {
    let caller = Caller::of(request, state).await?;
    caller.check_scope(scope)?;
    let id = SubscriptionId::parse(state.app.provider.name, path);
    Ok((id.map_err(|_| ApiError::from(ChangeError::NotFound))?, caller.visible()))
}

/// Refuses an account that asks for more than its share: each of these requests asks Stripe several times.
fn check_rate(state: &HttpState, visible: &Visible) -> Result<(), ApiError> {
    match visible {
        Visible::Account(account) => state.limits.check_account(account),
        Visible::All => Ok(()),
    }
}

/// Runs a change and shows the subscription afterwards.
async fn changed(
    state: &State,
    change: impl Future<Output = Result<Stored, ChangeError>> + Send + 'static,
) -> Result<Json<Subscription>, ApiError> {
    let app = state.app.clone();
    let run = async move {
        let row = Box::pin(change).await?;
        let invoices = app.db.invoices_of(&row.provider_subscription_id).await?;
        Ok::<_, ApiError>((row, invoices))
    };
    let (row, invoices) = state.run(run).await??;
    Subscription::of(row, &invoices).map(Json)
}

fn plan_id(text: Option<&str>) -> Result<PlanId, ApiError> {
    PlanId::parse(text.unwrap_or_default())
        .map_err(|error| ApiError::field("planId", "unknown_plan", error.to_string()))
}

/// Ends a subscription.
///
/// Requires a customer's token, or an API key with the scope `checkout`; to end it at once, a token with the admin scope
/// or an API key with the scope `admin`. A change of the plan that waits for the end of the period is taken back.
#[utoipa::path(
    operation_id = "cancelSubscription",
    tag = "subscriptions",
    params(("id" = String, Path, description = "The id of the subscription", example = "sub_1Qw2e3R4t5Y6u7I8")),
    request_body = CancelSubscription,
    responses(
        (status = 200, description = "The subscription, which ends at `cancelAt` or has ended.", body = Subscription),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The subscription does not run (`subscription_not_running`).", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 501, description = "The payment provider keeps no subscriptions (`provider_unsupported`).", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/subscriptions/{id}/cancel")]
pub async fn end(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<Json<Subscription>, ApiError> {
    let (id, visible) = visible(&request, &state, &path, Scope::Checkout).await?;
    let body: CancelSubscription = read_json(&request, payload, &state).await?;
    let at = match body.at.as_deref() {
        Some("period_end") => EndAt::PeriodEnd,
        Some("now") => {
            Admin::of(&request, &state).await?;
            EndAt::Now
        }
        _ => return Err(ApiError::field("at", "unknown", "must be period_end or now")),
    };
    check_rate(&state, &visible)?;
    let app = state.app.clone();
    changed(&state, async move { Box::pin(cancel(&app, &id, &visible, at)).await }).await
}

/// Lets a subscription go on whose end was decided.
///
/// Requires a customer's token, or an API key with the scope `checkout`.
#[utoipa::path(
    operation_id = "resumeSubscription",
    tag = "subscriptions",
    params(("id" = String, Path, description = "The id of the subscription", example = "sub_1Qw2e3R4t5Y6u7I8")),
    responses(
        (status = 200, description = "The subscription, which goes on.", body = Subscription),
        (status = 409, description = "The subscription has ended (`subscription_not_running`).", body = Problem, content_type = "application/problem+json"),
        (status = 501, description = "The payment provider keeps no subscriptions (`provider_unsupported`).", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/subscriptions/{id}/resume")]
pub async fn go_on(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Subscription>, ApiError> {
    let (id, visible) = visible(&request, &state, &path, Scope::Checkout).await?;
    check_rate(&state, &visible)?;
    let app = state.app.clone();
    changed(&state, async move { Box::pin(resume(&app, &id, &visible)).await }).await
}

/// Changes the plan of a subscription.
///
/// A dearer plan with the same interval takes effect at once: the difference for the rest of the period is paid now, and if that fails nothing
/// changes (`updatePending`, with the page to pay in `due`). Its credits come with the payment, less those that the period
/// has brought. Any other plan takes effect with the next period; in a trial every change is at once. The present plan takes
/// a change back that waits.
/// Requires a customer's token, or an API key with the scope `checkout`.
#[utoipa::path(
    operation_id = "changeSubscription",
    tag = "subscriptions",
    params(("id" = String, Path, description = "The id of the subscription", example = "sub_1Qw2e3R4t5Y6u7I8")),
    request_body = ChangePlan,
    responses(
        (status = 200, description = "The subscription afterwards.", body = Subscription),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The latest invoice is not paid (`subscription_past_due`), the plan is the same (`same_plan`) or has no price in the currency (`plan_not_for_sale`), an earlier change waits (`change_pending`), the subscription does not run (`subscription_not_running`) or has no plan (`subscription_without_plan`), or the payment was refused (`change_refused`).", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 501, description = "The payment provider keeps no subscriptions (`provider_unsupported`).", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/subscriptions/{id}/change")]
pub async fn change_plan(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<Json<Subscription>, ApiError> {
    let (id, visible) = visible(&request, &state, &path, Scope::Checkout).await?;
    let body: ChangePlan = read_json(&request, payload, &state).await?;
    let plan = plan_id(body.plan_id.as_deref())?;
    let date = body.proration_date.map(|text| parse_time("prorationDate", &text)).transpose()?;
    let seconds = date.map(|ms| ms.div_euclid(1_000));
    check_rate(&state, &visible)?;
    let app = state.app.clone();
    changed(&state, async move { Box::pin(change(&app, &id, &visible, &plan, seconds)).await }).await
}

/// Says what a change of the plan would cost, and when it would take effect.
///
/// Requires a customer's token, or an API key with the scope `read`.
#[utoipa::path(
    operation_id = "previewSubscriptionChange",
    tag = "subscriptions",
    params(
        ("id" = String, Path, description = "The id of the subscription", example = "sub_1Qw2e3R4t5Y6u7I8"),
        ("planId" = String, Query, description = "The plan to change to", example = "pro"),
    ),
    responses(
        (status = 200, description = "What the change would cost.", body = ChangePreview),
        (status = 409, description = "The plan cannot be changed now; the codes are those of the change.", body = Problem, content_type = "application/problem+json"),
        (status = 501, description = "The payment provider keeps no subscriptions (`provider_unsupported`).", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/subscriptions/{id}/change/preview")]
pub async fn preview_change(
    request: HttpRequest,
    path: Path<String>,
    state: State,
) -> Result<Json<ChangePreview>, ApiError> {
    let (id, visible) = visible(&request, &state, &path, Scope::Read).await?;
    let query: PreviewQuery = read_query(&request)?;
    let plan = plan_id(query.plan_id.as_deref())?;
    check_rate(&state, &visible)?;
    let app = state.app.clone();
    let shown = state.run(async move { Box::pin(preview(&app, &id, &visible, &plan)).await }).await??;
    Ok(Json(ChangePreview {
        plan_id: shown.plan.to_string(),
        takes_effect: shown.timing.as_str(),
        effective_at: rfc3339(shown.effective_at_ms)?,
        amount_due: shown.amount_due_minor,
        period_amount: shown.period_amount_minor,
        currency: shown.currency,
        proration_date: shown.proration_seconds.map(|seconds| rfc3339(seconds.saturating_mul(1_000))).transpose()?,
    }))
}
