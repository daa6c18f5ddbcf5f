//! Top-ups for the operator: lists, and the details of one.

use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::domain::account::AccountId;
use crate::domain::checkout::TopupState;
use crate::http::admin::caller::{Admin, before, page};
use crate::http::admin::refunds::topup_id;
use crate::http::admin::topup_details::TopupDetails;
use crate::http::kit::body::read_query;
use crate::http::kit::openapi::{CallerProblems, Problem404, Problem503, ProviderProblems};
use crate::http::kit::problem::ApiError;
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;
use crate::purchases::check_topup::{Checked, check_topup};
use crate::purchases::explain_topup::explain_topup;
use crate::purchases::topup_history::{ListedTopup, TopupFilter};

/// A page of purchases, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Topups {
    data: Vec<TopupSummary>,
    /// Send it as `cursor` for the next page; null on the last one.
    #[schema(example = "1795262400000_topup_019a0000000070008000000000000000")]
    next_cursor: Option<String>,
}

/// A purchase in a list.
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
    /// How many of them refunds and disputes have taken back.
    #[schema(example = 100)]
    taken_credits: i64,
    #[schema(example = "usd")]
    currency: String,
    /// What the customer is charged, in minor units.
    #[schema(example = 289)]
    total_amount: i64,
    /// How many payments came besides the one that paid. They credit nothing and should be refunded.
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

/// Purchases, newest first.
///
/// `surplus=true` gives those that were paid more than once, whose second payment should be refunded.
#[utoipa::path(
    operation_id = "listTopups",
    tag = "admin",
    params(
        ("accountId" = Option<String>, Query, description = "Only those of this account", example = "user_1"),
        ("state" = Option<String>, Query, description = "Only those in this state", example = "paid"),
        ("surplus" = Option<bool>, Query, description = "Only those that were paid more than once", example = true),
        ("limit" = Option<i64>, Query, description = "Purchases per page, 1 to 100; 20 by default", example = 20),
        ("cursor" = Option<String>, Query, description = "The nextCursor of the page before", example = "1795262400000_topup_019a0000000070008000000000000000"),
    ),
    responses((status = 200, description = "A page of purchases.", body = Topups), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/topups")]
pub async fn list(request: HttpRequest, state: State) -> Result<Json<Topups>, ApiError> {
    let admin = Admin::of(&request, &state).await?;
    let query: ListQuery = read_query(&request)?;
    let named = query.account_id.map(AccountId::parse).transpose();
    let named = named.map_err(|error| ApiError::field("accountId", "invalid_account", error.to_string()))?;
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
        currency: topup.currency,
        total_amount: topup.total_amount,
        surplus_payments: topup.surplus_payments,
        created_at: rfc3339(topup.created_at)?,
        paid_at: topup.paid_at.map(rfc3339).transpose()?,
    })
}

/// Explains one purchase.
///
/// What was agreed, Stripe's objects, the events that came, and the ledger entries that followed. Stripe is
/// not asked; `POST …/check` does that.
#[utoipa::path(
    operation_id = "getTopup",
    tag = "admin",
    params(("id" = String, Path, description = "The top-up", example = "topup_019a0000000070008000000000000000")),
    responses((status = 200, description = "All that is known of it.", body = TopupDetails), Problem404, CallerProblems, Problem503),
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

/// What Stripe was asked about a purchase, and how it stands now.
#[derive(Debug, Serialize, ToSchema)]
pub struct TopupCheck {
    /// `credited`, `already_paid`, `processing`, `expired`, `failed`, `nothing_to_do` (Stripe says nothing new),
    /// `reversals_applied`, `surplus_payment`, `rejected` (it contradicts what was agreed) or `not_found` (Stripe knows no
    /// checkout of it).
    #[schema(example = "credited")]
    outcome: String,
    /// The same in words.
    #[schema(example = "Stripe says that it is paid: 250 credits are in the books, the account has 250")]
    detail: String,
    topup: TopupDetails,
}

/// Asks Stripe now how a purchase stands, and brings what it says into the books as the customer's return page does.
///
/// For when a customer has paid and the webhook has not come. A purchase whose checkout session is not known here is looked
/// for in Stripe's list; of one that is paid, refunds and disputes are asked for. It is safe at any time: no purchase is
/// credited twice.
#[utoipa::path(
    operation_id = "checkTopup",
    tag = "admin",
    params(("id" = String, Path, description = "The top-up", example = "topup_019a0000000070008000000000000000")),
    responses((status = 200, description = "Stripe was asked.", body = TopupCheck), Problem404, CallerProblems, ProviderProblems),
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
    let (Checked { outcome, detail }, explained) = state.run(work).await??;
    let topup = explained.ok_or_else(|| ApiError::not_found("there is no such top-up"))?;
    Ok(Json(TopupCheck { outcome: outcome.to_owned(), detail, topup: TopupDetails::try_from(topup)? }))
}
