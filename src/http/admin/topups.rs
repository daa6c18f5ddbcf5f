//! Top-ups for the operator: lists, and the details of one.

use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::domain::checkout::TopupState;
use crate::http::admin::caller::Admin;
use crate::http::admin::refunds::topup_id;
use crate::http::admin::topup_details::TopupDetails;
use crate::http::kit::body::read_query;
use crate::http::kit::fields::account_id;
use crate::http::kit::openapi::{CallerProblems, Problem404, Problem503, ProviderProblems};
use crate::http::kit::paging::{before, page};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;
use crate::purchases::check_topup::{Checked, check_topup};
use crate::purchases::explain_topup::{Explanation, explain_topup};
use crate::purchases::topup_history::{ListedTopup, TopupFilter};

/// A page of top-ups, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Topups {
    data: Vec<TopupSummary>,
    /// Pass it as `cursor` to get the next page; null on the last page.
    #[schema(example = "1795262400000_topup_019a0000000070008000000000000000")]
    next_cursor: Option<String>,
}

/// A top-up in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopupSummary {
    #[schema(example = "topup_019a0000000070008000000000000000")]
    id: String,
    #[schema(example = "user_1")]
    account_id: String,
    /// `creating`, `open`, `processing`, `paid`, `expired` or `failed`.
    #[schema(example = "paid")]
    state: String,
    #[schema(example = 250)]
    credits: i64,
    /// How many of these credits refunds and disputes have taken back.
    #[schema(example = 100)]
    taken_credits: i64,
    /// The credits given on top when it is paid.
    #[schema(example = 0)]
    bonus_credits: i64,
    #[schema(example = "usd")]
    currency: String,
    /// The amount that the customer pays, in minor units.
    #[schema(example = 289)]
    total_amount: i64,
    /// The number of payments beyond the credited one. They credit nothing and should be refunded.
    #[schema(example = 0)]
    surplus_payments: i64,
    #[schema(example = "2026-11-21T12:00:00Z")]
    created_at: String,
    #[schema(example = "2026-11-21T12:01:00Z")]
    paid_at: Option<String>,
}

#[derive(Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListQuery {
    account_id: Option<String>,
    #[validate(custom(function = is_state))]
    state: Option<String>,
    surplus: Option<bool>,
    #[validate(range(min = 1, max = 100, message = "must be 1 to 100"))]
    limit: Option<i64>,
    cursor: Option<String>,
}

fn is_state(state: &str) -> Result<(), ValidationError> {
    let message = "must be creating, open, processing, paid, expired or failed";
    let unknown = || ValidationError::new("unknown_state").with_message(message.into());
    TopupState::parse(state).map(drop).ok_or_else(unknown)
}

/// Lists top-ups, newest first.
///
/// Requires a token with the admin scope, or an API key with the scope `admin`. A key bound to one account sees only
/// that account's top-ups. `surplus=true` lists top-ups that were paid more than once; the surplus payment should be
/// refunded.
#[utoipa::path(
    operation_id = "listTopups",
    tag = "admin",
    params(
        ("accountId" = Option<String>, Query, description = "Only top-ups of this account", example = "user_1"),
        ("state" = Option<String>, Query, description = "Only top-ups in this state: `creating`, `open`, `processing`, `paid`, `expired` or `failed`", example = "paid"),
        ("surplus" = Option<bool>, Query, description = "`true`: only top-ups that were paid more than once", example = true),
        ("limit" = Option<i64>, Query, description = "Top-ups per page, 1 to 100; default 20", example = 20),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page", example = "1795262400000_topup_019a0000000070008000000000000000"),
    ),
    responses((status = 200, description = "A page of top-ups.", body = Topups), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/topups")]
pub async fn list(request: HttpRequest, state: State) -> Result<Json<Topups>, ApiError> {
    let admin = Admin::of(&request, &state).await?;
    let query: ListQuery = read_query(&request)?;
    let named = query.account_id.as_deref().map(account_id).transpose()?;
    let bound = admin.operator.account;
    if bound.is_some() && named.is_some() && bound != named {
        return Err(ApiError::forbidden("account_forbidden", "these credentials are not for that account"));
    }
    let limit = query.limit.unwrap_or(20);
    let filter = TopupFilter {
        account: bound.or(named).map(|account| account.to_string()),
        state: query.state,
        surplus: query.surplus.unwrap_or(false),
        before: before(query.cursor.as_deref())?,
        limit: limit.saturating_add(1),
    };
    let app = state.app.clone();
    let found = async move { app.db.list_topups(&filter).await };
    let (data, next_cursor) = page(state.run(found).await??, limit, |topup| (topup.created_at, topup.id.clone()));
    Ok(Json(Topups { data: data.into_iter().map(summary).collect::<Result<_, _>>()?, next_cursor }))
}

fn summary(topup: ListedTopup) -> Result<TopupSummary, ApiError> {
    Ok(TopupSummary {
        id: topup.id,
        account_id: topup.account_id,
        state: topup.state,
        credits: topup.credits,
        taken_credits: topup.taken_credits,
        bonus_credits: topup.bonus_credits,
        currency: topup.currency,
        total_amount: topup.total_amount,
        surplus_payments: topup.surplus_payments,
        created_at: rfc3339(topup.created_at)?,
        paid_at: topup.paid_at.map(rfc3339).transpose()?,
    })
}

/// Explains one top-up from Topup's own records.
///
/// Returns the agreed terms, the payments, refunds and disputes, the events received, and the ledger entries. Does not
/// call Stripe; `POST …/check` does. Requires a token with the admin scope, or an API key with the scope `admin`.
#[utoipa::path(
    operation_id = "getTopup",
    tag = "admin",
    params(("id" = String, Path, description = "The id of the top-up", example = "topup_019a0000000070008000000000000000")),
    responses((status = 200, description = "The details of the top-up.", body = TopupDetails), Problem404, CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/topups/{id}")]
pub async fn read(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<TopupDetails>, ApiError> {
    let admin = Admin::of(&request, &state).await?;
    let topup = topup_id(&path)?;
    let app = state.app.clone();
    let explain = async move { explain_topup(&app, &topup, &admin.operator).await };
    let found = state.run(explain).await??.ok_or_else(|| ApiError::not_found("there is no such top-up"))?;
    TopupDetails::try_from(found).map(Json)
}

/// The result of checking a top-up at Stripe, and the top-up afterwards.
#[derive(Debug, Serialize, ToSchema)]
pub struct TopupCheck {
    /// `credited`, `already_paid`, `processing`, `expired`, `failed`, `nothing_to_do` (Stripe reports nothing new),
    /// `reversals_applied`, `surplus_payment`, `rejected` (Stripe's data contradicts the agreed terms) or `not_found`
    /// (Stripe has no checkout session for it).
    #[schema(example = "credited")]
    outcome: String,
    /// The outcome in words.
    #[schema(example = "Stripe says that it is paid: 250 credits are in the books, the account has 250")]
    detail: String,
    topup: TopupDetails,
}

impl TopupCheck {
    /// A check and the top-up after it.
    ///
    /// # Errors
    /// 500 when a stored time is corrupt.
    pub(super) fn new(checked: Checked, topup: Explanation) -> Result<Self, ApiError> {
        let Checked { outcome, detail } = checked;
        Ok(Self { outcome: outcome.to_owned(), detail, topup: TopupDetails::try_from(topup)? })
    }
}

/// Checks the state of a top-up at Stripe and applies the result.
///
/// Use it when a customer has paid but the webhook has not arrived. If the id of the checkout session is not known,
/// Topup searches Stripe's list of sessions. If the top-up is paid, Topup applies its refunds and disputes. The call is
/// safe to repeat at any time: a top-up is never credited twice. Requires a token with the admin scope, or an API key
/// with the scope `admin`.
#[utoipa::path(
    operation_id = "checkTopup",
    tag = "admin",
    params(("id" = String, Path, description = "The id of the top-up", example = "topup_019a0000000070008000000000000000")),
    responses((status = 200, description = "The top-up was checked at Stripe.", body = TopupCheck),
        (status = 501, description = "The payment provider cannot tell (`provider_unsupported`).", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, ProviderProblems),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/topups/{id}/check")]
pub async fn check(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<TopupCheck>, ApiError> {
    let admin = Admin::of(&request, &state).await?;
    let id = topup_id(&path)?;
    let app = state.app.clone();
    let work = async move {
        let checked = Box::pin(check_topup(&app, &id, &admin.operator)).await?;
        let explained = explain_topup(&app, &id, &admin.operator).await?;
        Ok::<_, ApiError>((checked, explained))
    };
    let (checked, explained) = state.run(work).await??;
    let topup = explained.ok_or_else(|| ApiError::not_found("there is no such top-up"))?;
    TopupCheck::new(checked, topup).map(Json)
}
