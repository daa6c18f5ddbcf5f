//! Many debits in one request, each decided by itself.

use std::collections::BTreeMap;

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, post};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use validator::Validate;

use crate::books::spend::spend_credits::debit;
use crate::http::kit::body::{read_json_within, read_object, validate};
use crate::http::kit::idempotency_key::check_key;
use crate::http::kit::openapi::{CallerProblems, Problem503};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::server::spending::caller::Spender;
use crate::http::server::spending::debits::CreateDebit;
use crate::http::server::spending::fields::{Metadata, OnShortfall};
use crate::http::server::spending::views::{Spend, spend};
use crate::http::state::{State, in_time};

/// The most debits of one batch.
const MAX_ITEMS: u64 = 100;
/// 100 debits with 2 KiB of metadata each.
const MAX_BYTES: usize = 384 * 1024;

/// Debits, each with a key of its own.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DebitBatch {
    /// 1 to 100 debits. Each is read by itself, so that one that is malformed does not stop the others.
    #[validate(length(min = 1, max = MAX_ITEMS, message = "must have 1 to 100 debits"))]
    #[schema(value_type = Vec<BatchItem>)]
    items: Vec<Box<RawValue>>,
}

/// A debit of a batch.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchItem {
    /// The idempotency key: 1 to 255 printable ASCII characters that name the work.
    #[schema(example = "request_5f7c8ec7")]
    key: String,
    #[schema(example = "user_1")]
    account_id: String,
    /// As in a single debit.
    #[schema(required, nullable = false, example = 12)]
    credits: Option<i64>,
    /// As in a single debit.
    #[schema(nullable = false)]
    on_shortfall: Option<OnShortfall>,
    /// As in a single debit.
    #[schema(example = 1)]
    minimum_credits: Option<i64>,
    /// As in a single debit.
    #[schema(example = "chat.completion")]
    operation: Option<String>,
    /// As in a single debit.
    #[schema(example = "member_7")]
    subject: Option<String>,
    /// As in a single debit.
    #[schema(value_type = Option<BTreeMap<String, String>>, example = json!({"model": "large"}))]
    metadata: Option<Metadata>,
}

/// The results, in the order of the debits.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchResults {
    results: Vec<BatchResult>,
}

/// The result of one debit.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchResult {
    /// The debit's key; null if it has none that is text.
    #[schema(example = "request_5f7c8ec7")]
    key: Option<String>,
    /// The status that a single debit would have got.
    #[schema(example = 200)]
    status: u16,
    /// The spend, if the credits were taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    spend: Option<Spend>,
    /// Why not, if they were not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<Problem>,
}

/// Takes credits of up to 100 accounts.
///
/// Requires an API key with the scope `spend`. Each debit is decided by itself, as if it had been sent alone: there is
/// no all-or-nothing, and a debit that fails does not stop the others. Debits have no order, except that of those with
/// the same key the first one decides. The answer is 200 if the list could be read; each result has its own status.
/// Repeat a batch whose answer was lost: debits that were made return their first result.
#[utoipa::path(
    operation_id = "createDebits",
    tag = "spending",
    request_body = DebitBatch,
    responses(
        (status = 200, description = "The results, in the order of the debits.", body = BatchResults),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem503,
    ),
    security(("apiKey" = [])),
)]
#[post("/credits/debits/batch")]
pub async fn create(request: HttpRequest, payload: Payload, state: State) -> Result<Json<BatchResults>, ApiError> {
    let spender = Spender::of(&request, &state).await?;
    let body: DebitBatch = read_json_within(&request, payload, &state, MAX_BYTES).await?;
    // Of debits with the same key, the first decides, and the others repeat it. The others have no order.
    let mut by_key: BTreeMap<Option<String>, Vec<(usize, Box<RawValue>)>> = BTreeMap::new();
    for (place, item) in body.items.into_iter().enumerate() {
        let key = serde_json::from_str(item.get()).ok().map(|NamedItem { key }| key);
        by_key.entry(key).or_default().push((place, item));
    }
    let results = by_key.into_iter().map(|(key, items)| one_by_one(&state, &spender, key, items));
    let mut results = in_time(join_all(results)).await?.into_iter().flatten().collect::<Vec<_>>();
    results.sort_by_key(|(place, _)| *place);
    Ok(Json(BatchResults { results: results.into_iter().map(|(_, result)| result).collect() }))
}

async fn one_by_one(
    state: &State,
    spender: &Spender,
    key: Option<String>,
    items: Vec<(usize, Box<RawValue>)>,
) -> Vec<(usize, BatchResult)> {
    let mut results = Vec::with_capacity(items.len());
    for (place, item) in items {
        results.push((place, result(state, spender, key.clone(), &item).await));
    }
    results
}

/// The part of a debit that its result repeats.
#[derive(Deserialize)]
struct NamedItem {
    key: String,
}

async fn result(state: &State, spender: &Spender, key: Option<String>, item: &RawValue) -> BatchResult {
    match decide(state, spender, item).await {
        Ok(spend) => BatchResult { key, status: 200, spend: Some(spend), problem: None },
        Err(error) => {
            let problem = error.problem();
            BatchResult { key, status: problem.status, spend: None, problem: Some(problem) }
        }
    }
}

async fn decide(state: &State, spender: &Spender, item: &RawValue) -> Result<Spend, ApiError> {
    let item: BatchItem = read_object(item.get().as_bytes())?;
    let account = spender.account(&item.account_id)?;
    let key = check_key("key", &item.key)?;
    let body = CreateDebit {
        credits: item.credits,
        on_shortfall: item.on_shortfall,
        minimum_credits: item.minimum_credits,
        operation: item.operation,
        subject: item.subject,
        metadata: item.metadata,
    };
    validate(&body)?;
    let answer = debit(&state.app, body.request(account, key)?).await?;
    spend(answer.value, answer.funds)
}
