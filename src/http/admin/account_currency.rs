//! The currency in which an account buys when a purchase names none.

use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::domain::account::AccountId;
use crate::domain::currency::Currency;
use crate::domain::pricing::Pricing;
use crate::http::admin::caller::Admin;
use crate::http::kit::body::read_json;
use crate::http::kit::fields::account_id;
use crate::http::kit::openapi::{CallerProblems, Problem422, Problem503};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::state::State;
use crate::purchases::account_currency::{read_account_currency, set_account_currency};

/// The currency to set.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetAccountCurrency {
    /// A currency that credits are sold in, in lower case; null for the main one.
    #[schema(example = "eur")]
    currency: Option<String>,
}

/// The currency of an account's purchases.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountCurrency {
    #[schema(example = "user_1")]
    account_id: String,
    /// The currency of a purchase that names none.
    #[schema(example = "eur")]
    currency: String,
}

/// Returns the currency in which an account buys when a purchase names none.
///
/// Requires a token with the admin scope, or an API key with the scope `admin`.
#[utoipa::path(
    operation_id = "getAccountCurrency",
    tag = "admin",
    params(("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1")),
    responses((status = 200, description = "The currency.", body = AccountCurrency), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/accounts/{accountId}/currency")]
pub async fn read(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<AccountCurrency>, ApiError> {
    let admin = Admin::of(&request, &state).await?;
    let account = account_id(&path)?;
    let (app, of) = (state.app.clone(), account.clone());
    let read = async move { read_account_currency(&app, &of, &admin.operator).await };
    let currency = state.run(read).await??;
    Ok(Json(view(&account, currency)))
}

/// Sets the currency in which an account buys when a purchase names none.
///
/// It changes no purchase that was made, and a purchase can still name another currency. The account need not have
/// credits yet. Requires a token with the admin scope, or an API key with the scope `admin`.
#[utoipa::path(
    operation_id = "setAccountCurrency",
    tag = "admin",
    params(("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1")),
    request_body = SetAccountCurrency,
    responses(
        (status = 200, description = "The currency in force now.", body = AccountCurrency),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem422, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[put("/admin/accounts/{accountId}/currency")]
pub async fn set(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<Json<AccountCurrency>, ApiError> {
    let admin = Admin::of(&request, &state).await?;
    let body: SetAccountCurrency = read_json(&request, payload, &state).await?;
    let account = account_id(&path)?;
    let prices = |code: String| state.app.pricing.by_code(Some(&code)).map(Pricing::currency);
    let currency = body.currency.map(prices).transpose()?;
    let (app, of) = (state.app.clone(), account.clone());
    let set = async move { set_account_currency(&app, of, currency, &admin.operator).await };
    let currency = state.run(set).await??;
    Ok(Json(view(&account, currency)))
}

fn view(account: &AccountId, currency: Currency) -> AccountCurrency {
    AccountCurrency { account_id: account.as_str().to_owned(), currency: currency.as_str().to_owned() }
}
