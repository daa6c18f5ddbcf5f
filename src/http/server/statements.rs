//! Statements: what an account had, how that changed, and what it has; as CSV with every entry.

use actix_web::http::header::{ACCEPT, VARY};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::api_keys::Scope;
use crate::books::statement::{KindSum, read_statement, stretch};
use crate::domain::account::AccountId;
use crate::http::auth::Caller;
use crate::http::kit::body::read_query;
use crate::http::kit::fields::account_id;
use crate::http::kit::openapi::{CallerProblems, Problem503};
use crate::http::kit::problem::ApiError;
use crate::http::kit::timestamp::rfc3339;
use crate::http::server::statement_csv::csv;
use crate::http::server::time_range::time_range;
use crate::http::state::State;

/// The longest statement.
const MAX_DAYS: i64 = 366;

/// What entries of one kind moved.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatementKind {
    /// The kind of the entries.
    #[schema(example = "spend")]
    kind: String,
    /// The sum of their credits; negative if they took credits.
    #[schema(example = -70)]
    credits: i64,
    /// How many entries there are.
    #[schema(example = 12)]
    entries: i64,
}

/// An account's statement.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    #[schema(example = "user_1")]
    account_id: String,
    /// The balance before the first entry of this time.
    #[schema(example = 0)]
    opening_credits: i64,
    /// What moved in between, by kind of entry; together it is the closing less the opening.
    data: Vec<StatementKind>,
    /// The balance after the last entry of this time.
    #[schema(example = 180)]
    closing_credits: i64,
    /// The time of reading.
    #[schema(example = "2026-11-21T12:01:00Z")]
    as_of: String,
}

#[derive(Debug, Deserialize, Validate)]
struct StatementQuery {
    from: Option<String>,
    to: Option<String>,
}

/// Returns the statement of the caller's account.
///
/// Requires a customer's token, or an API key with the scope `read` that is bound to one account. With
/// `Accept: text/csv` the answer has every entry instead, oldest first.
#[utoipa::path(
    operation_id = "getStatement",
    tag = "credits",
    params(
        ("from" = String, Query, description = "The beginning", example = "2026-11-01T00:00:00Z"),
        ("to" = Option<String>, Query, description = "The end, which is not included, at most 366 days later; default now", example = "2026-12-01T00:00:00Z"),
    ),
    responses((status = 200, description = "The statement.", content((Statement = "application/json"), (String = "text/csv"))), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/credits/statement")]
pub async fn read_own(request: HttpRequest, state: State) -> Result<HttpResponse, ApiError> {
    statement(&request, &state, None).await
}

/// Returns the statement of an account.
///
/// Requires the account's own token, a token with the admin scope, or an API key with the scope `read`. With
/// `Accept: text/csv` the answer has every entry instead, oldest first.
#[utoipa::path(
    operation_id = "getAccountStatement",
    tag = "credits",
    params(
        ("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1"),
        ("from" = String, Query, description = "The beginning", example = "2026-11-01T00:00:00Z"),
        ("to" = Option<String>, Query, description = "The end, which is not included, at most 366 days later; default now", example = "2026-12-01T00:00:00Z"),
    ),
    responses((status = 200, description = "The statement.", content((Statement = "application/json"), (String = "text/csv"))), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/accounts/{accountId}/credits/statement")]
pub async fn read(request: HttpRequest, path: Path<String>, state: State) -> Result<HttpResponse, ApiError> {
    statement(&request, &state, Some(account_id(&path)?)).await
}

async fn statement(request: &HttpRequest, state: &State, named: Option<AccountId>) -> Result<HttpResponse, ApiError> {
    let account = Caller::of(request, state).await?.account(named, Scope::Read)?;
    let query: StatementQuery = read_query(request)?;
    let now_ms = state.app.clock.now_ms();
    let range = time_range(query.from.as_deref(), query.to.as_deref(), now_ms, MAX_DAYS)?;
    let (app, of) = (state.app.clone(), account.clone());
    if wants_csv(request) {
        let stretch = state.run(async move { stretch(&app, &of, range).await }).await??;
        return Ok(csv(state, account, stretch));
    }
    let place = state.long_reads.begin(&account)?;
    let statement = async move {
        let _turn = place.turn().await?;
        read_statement(&app, &of, range).await.map_err(ApiError::from)
    };
    let statement = state.run(statement).await??;
    let kind = |KindSum { kind, credits, entries }| StatementKind { kind, credits, entries };
    Ok(HttpResponse::Ok().insert_header((VARY, "accept")).json(Statement {
        account_id: account.as_str().to_owned(),
        opening_credits: statement.opening_credits,
        data: statement.kinds.into_iter().map(kind).collect(),
        closing_credits: statement.closing_credits,
        as_of: rfc3339(statement.as_of_ms)?,
    }))
}

/// Whether the caller names CSV among what it accepts. Everything else gets JSON.
fn wants_csv(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    let mut types = accepted.flat_map(|value| value.split(',')).filter_map(|range| range.split(';').next());
    types.any(|name| name.trim().eq_ignore_ascii_case("text/csv"))
}
