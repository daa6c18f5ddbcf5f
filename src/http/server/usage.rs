//! Usage: how many credits an account spent, by hour, day, operation or subject.

use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::access::api_keys::Scope;
use crate::books::usage::hours::UsageBy;
use crate::books::usage::read_usage::{Usage as UsageOfAccount, UsageKey, UsageSum, read_usage};
use crate::domain::account::AccountId;
use crate::http::auth::Caller;
use crate::http::kit::body::read_query;
use crate::http::kit::fields::account_id;
use crate::http::kit::openapi::{CallerProblems, Problem503};
use crate::http::kit::problem::ApiError;
use crate::http::kit::timestamp::rfc3339;
use crate::http::server::time_range::{full_hours, time_range};
use crate::http::state::State;

/// How many characters of a time are its day.
const DAY_CHARACTERS: usize = 10;

/// Usage of one hour, day, operation or subject.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageEntry {
    /// The beginning of the hour, the day in UTC (`2026-11-21`), the operation or the subject; null where none was
    /// named.
    #[schema(example = "chat.completion")]
    key: Option<String>,
    /// The credits that were spent.
    #[schema(example = 1200)]
    credits: i64,
    /// The credits that were given back in this time, whenever they had been spent.
    #[schema(example = 5)]
    refunded_credits: i64,
    /// The number of spends. A spend of 0 credits is not counted.
    #[schema(example = 48)]
    spends: i64,
}

/// An account's usage.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Hours and days in their order, without those of no usage; operations and subjects with the most credits first.
    data: Vec<UsageEntry>,
    /// Whether there are more than these 1,000 operations or subjects.
    #[schema(example = false)]
    has_more: bool,
    /// The time of reading. Spends of the running hour are counted up to here.
    #[schema(example = "2026-11-21T12:01:00Z")]
    as_of: String,
}

#[derive(Debug, Deserialize, Validate)]
struct UsageQuery {
    from: Option<String>,
    to: Option<String>,
    #[validate(custom(function = is_by))]
    by: Option<String>,
}

fn is_by(by: &str) -> Result<(), ValidationError> {
    if usage_by(by).is_some() {
        return Ok(());
    }
    Err(ValidationError::new("invalid_by").with_message("must be hour, day, operation or subject".into()))
}

fn usage_by(by: &str) -> Option<UsageBy> {
    Some(match by {
        "hour" => UsageBy::Hour,
        "day" => UsageBy::Day,
        "operation" => UsageBy::Operation,
        "subject" => UsageBy::Subject,
        _ => return None,
    })
}

/// How many days may be asked for.
const fn max_days(by: UsageBy) -> i64 {
    match by {
        UsageBy::Hour => 31,
        UsageBy::Day | UsageBy::Operation | UsageBy::Subject => 366,
    }
}

/// Returns the usage of the caller's account.
///
/// Requires a customer's token, or an API key with the scope `read` that is bound to one account. A spend counts when
/// it was made, and what was given back counts when it was given back.
#[utoipa::path(
    operation_id = "getUsage",
    tag = "spending",
    params(
        ("from" = String, Query, description = "The beginning, a full hour", example = "2026-11-01T00:00:00Z"),
        ("to" = Option<String>, Query, description = "The end, a full hour that is not included; default now", example = "2026-12-01T00:00:00Z"),
        ("by" = Option<String>, Query, description = "`day` (the default), `hour` (at most 31 days), `operation` or `subject`; at most 366 days", example = "day"),
    ),
    responses((status = 200, description = "The usage.", body = Usage), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/credits/usage")]
pub async fn read_own(request: HttpRequest, state: State) -> Result<Json<Usage>, ApiError> {
    usage(&request, &state, None).await
}

/// Returns the usage of an account.
///
/// Requires the account's own token, a token with the admin scope, or an API key with the scope `read`. A spend counts
/// when it was made, and what was given back counts when it was given back.
#[utoipa::path(
    operation_id = "getAccountUsage",
    tag = "spending",
    params(
        ("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1"),
        ("from" = String, Query, description = "The beginning, a full hour", example = "2026-11-01T00:00:00Z"),
        ("to" = Option<String>, Query, description = "The end, a full hour that is not included; default now", example = "2026-12-01T00:00:00Z"),
        ("by" = Option<String>, Query, description = "`day` (the default), `hour` (at most 31 days), `operation` or `subject`; at most 366 days", example = "day"),
    ),
    responses((status = 200, description = "The usage.", body = Usage), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/accounts/{accountId}/credits/usage")]
pub async fn read(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Usage>, ApiError> {
    usage(&request, &state, Some(account_id(&path)?)).await
}

async fn usage(request: &HttpRequest, state: &State, named: Option<AccountId>) -> Result<Json<Usage>, ApiError> {
    let account = Caller::of(request, state).await?.account(named, Scope::Read)?;
    let query: UsageQuery = read_query(request)?;
    let by = query.by.as_deref().and_then(usage_by).unwrap_or(UsageBy::Day);
    let now_ms = state.app.clock.now_ms();
    let range = time_range(query.from.as_deref(), query.to.as_deref(), now_ms, max_days(by))?;
    let range = full_hours(range)?;
    let (app, place) = (state.app.clone(), state.long_reads.begin(&account)?);
    let usage = async move {
        let _turn = place.turn().await?;
        read_usage(&app.db, &account, range, by, now_ms).await.map_err(ApiError::from)
    };
    let usage = state.run(usage).await??;
    view(usage, by).map(Json)
}

fn view(usage: UsageOfAccount, by: UsageBy) -> Result<Usage, ApiError> {
    let entry = |UsageSum { key, used }| {
        let key = match key {
            UsageKey::Word(word) => Some(word).filter(|word| !word.is_empty()),
            UsageKey::Time(time_ms) => {
                let mut time = rfc3339(time_ms)?;
                if by == UsageBy::Day {
                    time.truncate(DAY_CHARACTERS);
                }
                Some(time)
            }
        };
        let (credits, refunded_credits, spends) = (used.credits, used.refunded_credits, used.spends);
        Ok(UsageEntry { key, credits, refunded_credits, spends })
    };
    Ok(Usage {
        data: usage.sums.into_iter().map(entry).collect::<Result<_, ApiError>>()?,
        has_more: usage.has_more,
        as_of: rfc3339(usage.as_of_ms)?,
    })
}
