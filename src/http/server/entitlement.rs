//! What an account is entitled to: everything that a backend gates on.

use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, get};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::api_keys::Scope;
use crate::http::auth::Caller;
use crate::http::kit::fields::account_id;
use crate::http::kit::openapi::{CallerProblems, Problem503};
use crate::http::kit::problem::ApiError;
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;
use crate::subscriptions::entitlement::entitlement;

/// What an account is entitled to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entitlement {
    #[schema(example = "user_1")]
    account_id: String,
    /// Whether a subscription entitles the account to its plan now: it runs, or its renewal is not paid and its grace is
    /// not over.
    #[schema(example = true)]
    entitled: bool,
    /// The plan; null without a running subscription.
    plan: Option<EntitledPlan>,
    #[schema(example = "sub_1Qw2e3R4t5Y6u7I8")]
    subscription_id: Option<String>,
    /// The status of the subscription.
    #[schema(example = "active")]
    status: Option<String>,
    /// When the period ends.
    #[schema(example = "2026-12-21T12:01:00Z")]
    period_end: Option<String>,
    /// When the subscription ends, if that is decided.
    #[schema(example = "2026-12-21T12:01:00Z")]
    cancel_at: Option<String>,
    /// While the renewal is not paid: until when it entitles all the same (`PAST_DUE_GRACE_DAYS`).
    #[schema(example = "2026-12-24T12:01:00Z")]
    grace_until: Option<String>,
    /// The credits that can be spent now, whatever they came from.
    #[schema(example = 9_500)]
    available_credits: i64,
}

/// The plan of an entitlement.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntitledPlan {
    #[schema(example = "pro")]
    id: String,
    #[schema(example = "Pro")]
    name: Option<String>,
}

/// Returns what an account is entitled to.
///
/// One answer for everything that a backend gates on. Requires a customer's token for its own account, or an API key with
/// the scope `read`.
#[utoipa::path(
    operation_id = "getEntitlement",
    tag = "subscriptions",
    params(("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1")),
    responses((status = 200, description = "The entitlement.", body = Entitlement), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/accounts/{accountId}/entitlement")]
pub async fn read(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Entitlement>, ApiError> {
    let caller = Caller::of(&request, &state).await?;
    let account = caller.account(Some(account_id(&path)?), Scope::Read)?;
    let (app, of) = (state.app.clone(), account.clone());
    let found = state.run(async move { entitlement(&app, &of).await }).await??;
    let (plan_name, row) = (found.plan_name, found.subscription);
    let time = |ms: Option<i64>| ms.map(rfc3339).transpose();
    let (period_end, cancel_at) = row.as_ref().map_or((None, None), |row| (row.period_end, row.cancel_at));
    Ok(Json(Entitlement {
        account_id: account.to_string(),
        entitled: found.is_entitled,
        plan: row.as_ref().and_then(|row| row.plan_id.clone()).map(|id| EntitledPlan { id, name: plan_name }),
        period_end: time(period_end)?,
        cancel_at: time(cancel_at)?,
        status: row.as_ref().map(|row| row.status.clone()),
        subscription_id: row.map(|row| row.provider_subscription_id),
        grace_until: time(found.grace_until_ms)?,
        available_credits: found.available_credits,
    }))
}
