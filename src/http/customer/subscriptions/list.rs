//! The subscriptions of an account.

use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::api_keys::Scope;
use crate::http::auth::Caller;
use crate::http::customer::subscriptions::changes::visible;
use crate::http::customer::subscriptions::view::{Subscription, SubscriptionDetails, details};
use crate::http::kit::body::read_query;
use crate::http::kit::fields::account_id;
use crate::http::kit::openapi::{CallerProblems, Problem404, Problem503};
use crate::http::kit::problem::ApiError;
use crate::http::state::State;
use crate::subscriptions::change_subscription::find;
use crate::subscriptions::list_subscriptions::of_account;

/// Subscriptions, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Subscriptions {
    data: Vec<Subscription>,
}

#[derive(Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OfAccount {
    account_id: Option<String>,
}

/// Lists the subscriptions of an account, also ended ones.
///
/// Requires a customer's token, which shows that customer's; or an API key with the scope `read`, which names the account
/// unless it is bound to one.
#[utoipa::path(
    operation_id = "listSubscriptions",
    tag = "subscriptions",
    params(("accountId" = Option<String>, Query, description = "The account; for API keys and tokens with the admin scope", example = "user_1")),
    responses((status = 200, description = "The subscriptions, newest first.", body = Subscriptions), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/subscriptions")]
pub async fn list(request: HttpRequest, state: State) -> Result<Json<Subscriptions>, ApiError> {
    let caller = Caller::of(&request, &state).await?;
    let query: OfAccount = read_query(&request)?;
    let named = query.account_id.as_deref().map(account_id).transpose()?;
    let account = caller.account(named, Scope::Read)?;
    let app = state.app.clone();
    let found = state.run(async move { of_account(&app, &account).await }).await??;
    let data = found.into_iter().map(|(row, invoices)| Subscription::of(row, &invoices)).collect::<Result<_, _>>()?;
    Ok(Json(Subscriptions { data }))
}

/// Returns a subscription with its invoices and what its periods brought.
///
/// Requires a customer's token, or an API key with the scope `read`.
#[utoipa::path(
    operation_id = "getSubscription",
    tag = "subscriptions",
    params(("id" = String, Path, description = "The id of the subscription", example = "sub_1Qw2e3R4t5Y6u7I8")),
    responses((status = 200, description = "The subscription.", body = SubscriptionDetails), Problem404, CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/subscriptions/{id}")]
pub async fn read(
    request: HttpRequest,
    path: Path<String>,
    state: State,
) -> Result<Json<SubscriptionDetails>, ApiError> {
    let (id, visible) = visible(&request, &state, &path, Scope::Read).await?;
    let app = state.app.clone();
    let read = async move {
        let row = find(&app, &id, &visible).await?;
        let invoices = app.db.invoices_of(id.as_str()).await?;
        let periods = app.db.period_grants_of(id.as_str()).await?;
        Ok::<_, ApiError>((row, invoices, periods))
    };
    let (row, invoices, periods) = state.run(read).await??;
    details(row, invoices, periods).map(Json)
}
