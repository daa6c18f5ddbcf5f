//! Holds: credits reserved for work whose price is not known yet.

use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::access::api_keys::Scope;
use crate::app::App;
use crate::books::hold::holds::Hold as StoredHold;
use crate::books::settle_account::balance_now;
use crate::books::spend::action::Shortfall;
use crate::books::spend::spend_credits::{
    Answer, HoldRequest, SpendError, capture_hold, extend_hold, place_hold, release_hold,
};
use crate::domain::account::AccountId;
use crate::domain::ids::HoldId;
use crate::domain::ledger::Funds;
use crate::http::auth::Caller;
use crate::http::kit::body::{read_json, read_query};
use crate::http::kit::fields::account_id;
use crate::http::kit::idempotency_key::required_key;
use crate::http::kit::openapi::{CallerProblems, Problem404, Problem422, Problem503};
use crate::http::kit::paging::{before, page};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::server::spending::caller::{Spender, looker, may_look, not_found};
use crate::http::server::spending::debits::answer;
use crate::http::server::spending::fields::{
    MAX_CREDITS, Metadata, OnShortfall, check_minimum, is_metadata, is_operation, is_subject, purpose, stored,
};
use crate::http::server::spending::views::{Hold, Holds, Spend, hold, spend};
use crate::http::state::{State, in_time};

const DEFAULT_SECONDS: i64 = 15 * 60;
const MAX_SECONDS: i64 = 24 * 60 * 60;
/// The longest life of a hold, with all extensions.
const MAX_EXTENDED_SECONDS: i64 = 7 * MAX_SECONDS;

/// How many credits to reserve, for how long, and for what.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateHold {
    /// The number of credits, 1 to 9,007,199,254,740,991.
    #[validate(required(message = "is missing; say how many credits"), range(min = 1, max = MAX_CREDITS, message = "must be 1 to 9007199254740991"))]
    #[schema(required, nullable = false, example = 50)]
    credits: Option<i64>,
    /// The fewest credits that are of use: with fewer available than `credits`, what there is is reserved. Default
    /// `credits`.
    #[validate(range(min = 1, max = MAX_CREDITS, message = "must be 1 to `credits`"))]
    #[schema(example = 10)]
    minimum_credits: Option<i64>,
    /// After how many seconds it ends by itself, 1 to 86,400; default 900.
    #[validate(range(min = 1, max = MAX_SECONDS, message = "must be 1 to 86400"))]
    #[schema(example = 900)]
    expires_in_seconds: Option<i64>,
    /// The kind of work, such as `chat.completion`: 1 to 64 of a-z, 0-9, `_`, `.` and `-`.
    #[validate(custom(function = is_operation))]
    #[schema(example = "chat.completion")]
    operation: Option<String>,
    /// A part of the account, such as a member or a key of the customer: 1 to 200 printable characters.
    #[validate(custom(function = is_subject))]
    #[schema(example = "member_7")]
    subject: Option<String>,
    /// Data of your own: at most 16 texts, 2 KiB as JSON. The customer can read it.
    #[validate(custom(function = is_metadata))]
    #[schema(value_type = Option<BTreeMap<String, String>>, example = json!({"model": "large"}))]
    metadata: Option<Metadata>,
}

/// The new totals of a hold.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExtendHold {
    /// The new total of reserved credits. A total below the present one changes nothing, so that a repeated or late
    /// request does no harm.
    #[validate(range(min = 1, max = MAX_CREDITS, message = "must be 1 to 9007199254740991"))]
    #[schema(example = 80)]
    credits: Option<i64>,
    /// After how many seconds from now it ends, 1 to 604,800; at most seven days after the hold was made. An earlier
    /// end than the present one changes nothing.
    #[validate(range(min = 1, max = MAX_EXTENDED_SECONDS, message = "must be 1 to 604800"))]
    #[schema(example = 900)]
    expires_in_seconds: Option<i64>,
}

/// What the work came to.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CaptureHold {
    /// The credits to take; 0 frees the hold and records that the work cost nothing.
    #[validate(required(message = "is missing; say how many credits"), range(min = 0, max = MAX_CREDITS, message = "must be 0 to 9007199254740991"))]
    #[schema(required, nullable = false, example = 42)]
    credits: Option<i64>,
    /// What to do when this is more than the hold reserves and the account has available: `cap` (the default) takes
    /// what there is, `reject` takes nothing and leaves the hold as it is.
    #[schema(nullable = false)]
    on_shortfall: Option<OnShortfall>,
    /// Replaces the hold's metadata: at most 16 texts, 2 KiB as JSON.
    #[validate(custom(function = is_metadata))]
    #[schema(value_type = Option<BTreeMap<String, String>>, example = json!({"tokens": "1843"}))]
    metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize, Validate)]
struct HoldsQuery {
    #[validate(custom(function = is_open))]
    state: Option<String>,
    #[validate(range(min = 1, max = 100, message = "must be 1 to 100"))]
    limit: Option<i64>,
    cursor: Option<String>,
}

fn is_open(state: &str) -> Result<(), ValidationError> {
    if state == "open" {
        return Ok(());
    }
    Err(ValidationError::new("invalid_state").with_message("must be open".into()))
}

/// Reserves credits of an account.
///
/// Requires an API key with the scope `spend`. The credits stay in the account and cannot be spent otherwise until the
/// hold is captured, released or ends. A request repeated with the same key and body returns the first hold.
#[utoipa::path(
    operation_id = "createHold",
    tag = "spending",
    params(
        ("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1"),
        ("idempotency-key" = String, Header, description = "1 to 255 printable ASCII characters that name the work", example = "request_5f7c8ec7"),
    ),
    request_body = CreateHold,
    responses(
        (status = 200, description = "The credits are reserved.", body = Hold),
        (status = 402, description = "The account has too few credits (`insufficient_credits`); the problem has the numbers.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The balance would be enough, but other holds reserve it (`credits_held`): try again after `Retry-After`.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        Problem422, CallerProblems, Problem503,
    ),
    security(("apiKey" = [])),
)]
#[post("/accounts/{accountId}/credits/holds")]
pub async fn create(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<HttpResponse, ApiError> {
    let spender = Spender::of(&request, &state).await?;
    let account = spender.account(&path)?;
    let key = required_key(request.headers())?;
    let body: CreateHold = read_json(&request, payload, &state).await?;
    let credits = body.credits.unwrap_or_default();
    check_minimum(body.minimum_credits, credits)?;
    let new = HoldRequest {
        account,
        credits,
        minimum_credits: body.minimum_credits.unwrap_or(credits),
        expires_in_seconds: body.expires_in_seconds.unwrap_or(DEFAULT_SECONDS),
        purpose: purpose(body.operation, body.subject, body.metadata.as_ref())?,
        key,
    };
    let Answer { value, funds, is_replay } = in_time(place_hold(&state.app, new)).await??;
    Ok(answer(&hold(value, funds, state.app.clock.now_ms())?, is_replay))
}

/// Reserves more credits, or for longer.
///
/// Requires an API key with the scope `spend`. The request names new totals, so that repeating it changes nothing. 402
/// or 409 leaves the hold as it was: stop the work and capture what was done.
#[utoipa::path(
    operation_id = "extendHold",
    tag = "spending",
    params(("id" = String, Path, description = "The id of the hold", example = "hold_019a0000000070008000000000000000")),
    request_body = ExtendHold,
    responses(
        (status = 200, description = "The hold.", body = Hold),
        (status = 402, description = "The account has too few credits (`insufficient_credits`).", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Other holds reserve the credits (`credits_held`), or the hold is no longer open (`hold_captured`, `hold_released`, `hold_expired`).", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, Problem503,
    ),
    security(("apiKey" = [])),
)]
#[post("/credits/holds/{id}/extend")]
pub async fn extend(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<Json<Hold>, ApiError> {
    let spender = Spender::of(&request, &state).await?;
    let body: ExtendHold = read_json(&request, payload, &state).await?;
    if body.credits.is_none() && body.expires_in_seconds.is_none() {
        return Err(ApiError::field("credits", "required", "name `credits`, `expiresInSeconds`, or both"));
    }
    let (id, account, stored) = find(&state, &spender, &path).await?;
    let (app, now_ms) = (&state.app, state.app.clock.now_ms());
    if let Some(seconds) = body.expires_in_seconds {
        let end_ms = now_ms.saturating_add(seconds.saturating_mul(1_000));
        if end_ms > stored.created_at.saturating_add(MAX_EXTENDED_SECONDS.saturating_mul(1_000)) {
            let message = "a hold may live for at most seven days after it was made";
            return Err(ApiError::field("expiresInSeconds", "out_of_range", message));
        }
    }
    let extended = in_time(extend_hold(app, &account, &id, body.credits, body.expires_in_seconds)).await??;
    hold(extended.value, extended.funds, now_ms).map(Json)
}

/// Spends what a hold reserves: less, exactly that, or more.
///
/// Requires an API key with the scope `spend`. Up to the reserved number of credits it always succeeds; what exceeds it
/// is taken only from what is available. The rest of the hold is freed. A hold that has ended can still be captured,
/// from what is available. Repeated with the same number of credits, the request returns the same spend.
#[utoipa::path(
    operation_id = "captureHold",
    tag = "spending",
    params(("id" = String, Path, description = "The id of the hold", example = "hold_019a0000000070008000000000000000")),
    request_body = CaptureHold,
    responses(
        (status = 200, description = "The credits were taken.", body = Spend),
        (status = 402, description = "With `reject`: the account has too few credits (`insufficient_credits`).", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The hold was captured with another number of credits (`hold_captured`) or released (`hold_released`); or, with `reject`, other holds reserve the credits (`credits_held`).", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, Problem503,
    ),
    security(("apiKey" = [])),
)]
#[post("/credits/holds/{id}/capture")]
pub async fn capture(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<HttpResponse, ApiError> {
    let spender = Spender::of(&request, &state).await?;
    let body: CaptureHold = read_json(&request, payload, &state).await?;
    let (id, account, _) = find(&state, &spender, &path).await?;
    let shortfall = body.on_shortfall.map_or(Shortfall::Cap, Shortfall::from);
    let (credits, metadata) = (body.credits.unwrap_or_default(), stored(body.metadata.as_ref())?);
    let captured = in_time(capture_hold(&state.app, &account, &id, credits, shortfall, metadata)).await??;
    Ok(answer(&spend(captured.value, captured.funds)?, captured.is_replay))
}

/// Frees what a hold reserves.
///
/// Requires an API key with the scope `spend`. A hold that was released or has ended stays as it is.
#[utoipa::path(
    operation_id = "releaseHold",
    tag = "spending",
    params(("id" = String, Path, description = "The id of the hold", example = "hold_019a0000000070008000000000000000")),
    responses(
        (status = 200, description = "The hold reserves nothing any more.", body = Hold),
        (status = 409, description = "The hold was captured (`hold_captured`).", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, Problem503,
    ),
    security(("apiKey" = [])),
)]
#[post("/credits/holds/{id}/release")]
pub async fn release(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Hold>, ApiError> {
    let spender = Spender::of(&request, &state).await?;
    let (id, account, _) = find(&state, &spender, &path).await?;
    let released = in_time(release_hold(&state.app, &account, &id)).await??;
    hold(released.value, released.funds, state.app.clock.now_ms()).map(Json)
}

/// Returns a hold.
///
/// Requires the account's own token, a token with the admin scope, or an API key with the scope `read`.
#[utoipa::path(
    operation_id = "getHold",
    tag = "spending",
    params(("id" = String, Path, description = "The id of the hold", example = "hold_019a0000000070008000000000000000")),
    responses((status = 200, description = "The hold.", body = Hold), Problem404, CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/credits/holds/{id}")]
pub async fn read(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Hold>, ApiError> {
    let caller = looker(&request, &state).await?;
    let id = HoldId::parse(&path).map_err(|_| not_found())?;
    let app = state.app.clone();
    let found = state.run(async move { app.db.hold(&id).await }).await??.ok_or_else(not_found)?;
    let account = may_look(&caller, &found.account_id)?;
    let app = state.app.clone();
    let balance = state.run(async move { balance_now(&app, &account).await }).await??;
    hold(found, balance.funds(), state.app.clock.now_ms()).map(Json)
}

/// Lists the open holds of an account, those that end first before the others.
///
/// Requires the account's own token, a token with the admin scope, or an API key with the scope `read`.
#[utoipa::path(
    operation_id = "listHolds",
    tag = "spending",
    params(
        ("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1"),
        ("state" = Option<String>, Query, description = "Only `open`", example = "open"),
        ("limit" = Option<i64>, Query, description = "Holds per page, 1 to 100; default 20", example = 20),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page", example = "1795262400000_hold_019a0000000070008000000000000000"),
    ),
    responses((status = 200, description = "A page of open holds.", body = Holds), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/accounts/{accountId}/credits/holds")]
pub async fn list(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Holds>, ApiError> {
    let caller = Caller::of(&request, &state).await?;
    let account = caller.account(Some(account_id(&path)?), Scope::Read)?;
    let query: HoldsQuery = read_query(&request)?;
    let after = after(query.cursor.as_deref())?;
    let (app, limit) = (state.app.clone(), query.limit.unwrap_or(20));
    let (holds, balance) = state.run(async move { open_holds(&app, &account, after, limit).await }).await??;
    let (holds, next_cursor) = page(holds, limit, |stored| (stored.expires_at, stored.id.clone()));
    let now_ms = state.app.clock.now_ms();
    let data = holds.into_iter().map(|stored| hold(stored, balance, now_ms)).collect::<Result<_, _>>()?;
    Ok(Json(Holds { data, next_cursor }))
}

async fn open_holds(
    app: &App,
    account: &AccountId,
    after: (i64, String),
    limit: i64,
) -> Result<(Vec<StoredHold>, Funds), SpendError> {
    let balance = balance_now(app, account).await?;
    let holds = app.db.open_holds(account, (after.0, &after.1), limit.saturating_add(1)).await?;
    Ok((holds, balance.funds()))
}

/// The place after which a page begins.
fn after(cursor: Option<&str>) -> Result<(i64, String), ApiError> {
    if cursor.is_none() { Ok((i64::MIN, String::new())) } else { before(cursor) }
}

/// Finds a hold that the caller may spend.
async fn find(state: &State, spender: &Spender, id: &str) -> Result<(HoldId, AccountId, StoredHold), ApiError> {
    let id = HoldId::parse(id).map_err(|_| not_found())?;
    let found = in_time(state.app.db.hold(&id)).await??.ok_or_else(not_found)?;
    let account = spender.check_found(&found.account_id)?;
    Ok((id, account, found))
}
