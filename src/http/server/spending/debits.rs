//! Debits: credits taken at once.

use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::books::settle_account::balance_now;
use crate::books::spend::action::Shortfall;
use crate::books::spend::spend_credits::{Answer, DebitRequest, SpendError, debit};
use crate::domain::account::AccountId;
use crate::domain::ids::SpendId;
use crate::http::kit::body::read_json;
use crate::http::kit::idempotency_key::required_key;
use crate::http::kit::openapi::{CallerProblems, Problem404, Problem422, Problem503};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::server::spending::caller::{Spender, looker, may_look, not_found};
use crate::http::server::spending::fields::{
    MAX_CREDITS, Metadata, OnShortfall, check_minimum, is_metadata, is_operation, is_subject, purpose,
};
use crate::http::server::spending::views::{Spend, SpendDetails, spend, spend_details};
use crate::http::state::{State, in_time};

/// How many credits to take, and for what.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateDebit {
    /// The number of credits, 1 to 9,007,199,254,740,991.
    #[validate(required(message = "is missing; say how many credits"), range(min = 1, max = MAX_CREDITS, message = "must be 1 to 9007199254740991"))]
    #[schema(required, nullable = false, example = 12)]
    pub(super) credits: Option<i64>,
    /// What to do when the account has fewer: `reject` (the default) takes nothing, `cap` takes what there is.
    #[schema(nullable = false)]
    pub(super) on_shortfall: Option<OnShortfall>,
    /// With `cap`: the fewest credits to take; with fewer, nothing is taken. Default 0.
    #[validate(range(min = 0, max = MAX_CREDITS, message = "must be 0 to `credits`"))]
    #[schema(example = 1)]
    pub(super) minimum_credits: Option<i64>,
    /// The kind of work, such as `chat.completion`: 1 to 64 of a-z, 0-9, `_`, `.` and `-`.
    #[validate(custom(function = is_operation))]
    #[schema(example = "chat.completion")]
    pub(super) operation: Option<String>,
    /// A part of the account, such as a member or a key of the customer: 1 to 200 printable characters.
    #[validate(custom(function = is_subject))]
    #[schema(example = "member_7")]
    pub(super) subject: Option<String>,
    /// Data of your own: at most 16 texts, 2 KiB as JSON. The customer can read it.
    #[validate(custom(function = is_metadata))]
    #[schema(value_type = Option<BTreeMap<String, String>>, example = json!({"model": "large"}))]
    pub(super) metadata: Option<Metadata>,
}

impl CreateDebit {
    /// The request for the use case.
    ///
    /// # Errors
    /// 400 when fields contradict each other.
    pub(super) fn request(self, account: AccountId, key: String) -> Result<DebitRequest, ApiError> {
        let credits = self.credits.unwrap_or_default();
        check_minimum(self.minimum_credits, credits)?;
        let on_shortfall = self.on_shortfall.map_or(Shortfall::Reject, Shortfall::from);
        if on_shortfall == Shortfall::Reject && self.minimum_credits.is_some() {
            let message = "is only for `onShortfall`: `cap`";
            return Err(ApiError::field("minimumCredits", "not_allowed", message));
        }
        Ok(DebitRequest {
            account,
            credits,
            on_shortfall,
            minimum_credits: self.minimum_credits.unwrap_or_default(),
            purpose: purpose(self.operation, self.subject, self.metadata.as_ref())?,
            key,
        })
    }
}

/// An answer that says whether an earlier request did what it reports.
pub(super) fn answer(body: &impl Serialize, is_replay: bool) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if is_replay {
        response.insert_header(("Idempotent-Replayed", "true"));
    }
    response.json(body)
}

/// Takes credits from an account.
///
/// Requires an API key with the scope `spend`. The credits are taken from the account's grants in burn order. A request
/// repeated with the same key and body returns the first debit, with the header `Idempotent-Replayed: true`; a refusal
/// is not stored, so the same key may succeed after a top-up. Name the work with the key, not the try.
#[utoipa::path(
    operation_id = "createDebit",
    tag = "spending",
    params(
        ("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1"),
        ("idempotency-key" = String, Header, description = "1 to 255 printable ASCII characters that name the work, so that it is charged once however often the request is repeated", example = "request_5f7c8ec7"),
    ),
    request_body = CreateDebit,
    responses(
        (status = 200, description = "The credits were taken.", body = Spend),
        (status = 402, description = "The account has too few credits (`insufficient_credits`); the problem has the numbers.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The balance would be enough, but open holds reserve it (`credits_held`): try again after `Retry-After`, and do not top up.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        Problem422, CallerProblems, Problem503,
    ),
    security(("apiKey" = [])),
)]
#[post("/accounts/{accountId}/credits/debits")]
pub async fn create(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<HttpResponse, ApiError> {
    let spender = Spender::of(&request, &state).await?;
    let account = spender.account(&path)?;
    let key = required_key(request.headers())?;
    let body: CreateDebit = read_json(&request, payload, &state).await?;
    let Answer { value, funds, is_replay } = in_time(debit(&state.app, body.request(account, key)?)).await??;
    Ok(answer(&spend(value, funds)?, is_replay))
}

/// Returns a debit or the spend of a captured hold, with the grants that its credits came from.
///
/// Requires the account's own token, a token with the admin scope, or an API key with the scope `read`.
#[utoipa::path(
    operation_id = "getDebit",
    tag = "spending",
    params(("id" = String, Path, description = "The id of the spend", example = "spend_019a0000000070008000000000000000")),
    responses((status = 200, description = "The spend.", body = SpendDetails), Problem404, CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/credits/debits/{id}")]
pub async fn read(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<SpendDetails>, ApiError> {
    let caller = looker(&request, &state).await?;
    let id = SpendId::parse(&path).map_err(|_| not_found())?;
    let app = state.app.clone();
    let found = state.run(async move { app.db.spend(&id).await }).await??.ok_or_else(not_found)?;
    let account = may_look(&caller, &found.account_id)?;
    let app = state.app.clone();
    let (found, parts, balance) = state
        .run(async move {
            let parts = app.db.spend_parts(&found).await?;
            let balance = balance_now(&app, &account).await?;
            Ok::<_, SpendError>((found, parts, balance))
        })
        .await??;
    spend_details(found, parts, balance.funds()).map(Json)
}
