//! Balances of accounts, and their ledger entries.

use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::api_keys::Scope;
use crate::books::grant::next_expiry::{NextExpiry as StoredExpiry, credits_now};
use crate::books::ledger::LedgerEntry;
use crate::books::settle_account::balance_now;
use crate::domain::account::AccountId;
use crate::domain::ledger::description;
use crate::http::auth::Caller;
use crate::http::kit::body::read_query;
use crate::http::kit::fields::account_id;
use crate::http::kit::openapi::{CallerProblems, Problem503};
use crate::http::kit::problem::ApiError;
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;

/// The balance of an account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "these are the API's names")]
pub struct Credits {
    #[schema(example = "user_1")]
    account_id: String,
    /// The balance: `totalCredits` minus `usedCredits`. Negative if credits were taken back after they had been spent.
    #[schema(example = 250)]
    remaining_credits: i64,
    /// Credits granted, minus credits taken back or expired.
    #[schema(example = 250)]
    total_credits: i64,
    /// Credits spent.
    #[schema(example = 0)]
    used_credits: i64,
    /// Credits that open holds reserve.
    #[schema(example = 0)]
    held_credits: i64,
    /// Credits that can be spent or reserved now: `remainingCredits` minus `heldCredits`, at least 0.
    #[schema(example = 250)]
    available_credits: i64,
    /// How far the balance is below zero, because credits were taken back after they had been spent; otherwise 0. Later
    /// top-ups fill this gap first.
    #[schema(example = 0)]
    owed_credits: i64,
    /// How many digits of a number of credits people should read as decimals: with 2, show 250 as 2.50.
    #[schema(example = 0, minimum = 0, maximum = 6)]
    credit_display_decimals: u8,
    /// The credits that end next; null if none do.
    next_expiry: Option<NextExpiry>,
    /// The time of the latest ledger entry; null if there is none.
    #[schema(example = "2026-11-21T12:01:00Z")]
    updated_at: Option<String>,
}

/// Credits that end.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextExpiry {
    /// When they end.
    #[schema(example = "2027-11-21T12:01:00Z")]
    at: String,
    /// How many of them are left now. They are spent before credits that end later, so fewer may end.
    #[schema(example = 180)]
    credits: i64,
}

/// A page of ledger entries, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Transactions {
    data: Vec<Transaction>,
    /// Pass it as `cursor` to get the next page; null on the last page.
    #[schema(example = "41")]
    next_cursor: Option<String>,
}

/// A ledger entry.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    #[schema(example = "entry_019a0000000070008000000000000000")]
    id: String,
    /// `topup`: credits bought. `reversal`: credits taken back by a refund or dispute, or returned when the refund
    /// failed or the dispute was won. `adjustment`: a correction by an operator. `spend`: credits spent, one entry for
    /// each grant that they came from. `spend_refund`: spent credits given back. `bonus`: credits given on top of a
    /// purchase. `bonus_reversal`: a part of a bonus, taken back or returned with its purchase. `promotion`: credits
    /// given by an operator. `expiry`: credits whose time ended. `void`: credits of a promotion that an operator ended early.
    /// `subscription`: the credits of a paid period, or of a trial. `subscription_reversal`: those taken back by a refund or
    /// dispute, or returned.
    #[schema(example = "topup")]
    kind: String,
    /// The reason of a reversal, also of a bonus. `refund` and `dispute` took credits; `refund_failed`, `dispute_won` and
    /// `dispute_returned` (the disputed money came back in another way) returned them. For a promotion or a refund of a
    /// spend, the text that came with it. Null for other kinds.
    #[schema(example = "refund")]
    reason: Option<String>,
    /// A human-readable description of kind and reason.
    #[schema(example = "Credits bought")]
    description: String,
    /// The number of credits; negative if they were taken.
    #[schema(example = 250)]
    credits: i64,
    /// The balance after this entry.
    #[schema(example = 250)]
    balance_after: i64,
    /// What caused the entry: the id of the top-up, adjustment, spend, refund or grant. For a reversal, for the further
    /// entries of a spend, and for the end of a grant, a number follows.
    #[schema(example = "topup_019a0000000070008000000000000000")]
    source: String,
    #[schema(example = "2026-11-21T12:01:00Z")]
    created_at: String,
}

#[derive(Debug, Deserialize, Validate)]
struct PageQuery {
    #[validate(range(min = 1, max = MAX_LIMIT, message = "must be 1 to 100"))]
    limit: Option<i64>,
    #[validate(length(min = 1, max = 19, message = "must be the nextCursor of an earlier page"))]
    cursor: Option<String>,
}

/// Returns the caller's balance.
///
/// Requires a customer's token, or an API key with the scope `read` that is bound to one account. The account is the
/// token's subject, or the one that the key is bound to.
#[utoipa::path(
    operation_id = "getBalance",
    tag = "credits",
    responses((status = 200, description = "The balance; all zeros for an account that never had credits.", body = Credits), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/credits")]
pub async fn read_own_credits(request: HttpRequest, state: State) -> Result<Json<Credits>, ApiError> {
    credits(&request, &state, None).await
}

/// Returns the balance of an account.
///
/// Requires the account's own token, a token with the admin scope, or an API key with the scope `read`. The balance of
/// an account that never had credits is all zeros.
#[utoipa::path(
    operation_id = "getAccountBalance",
    tag = "credits",
    params(("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1")),
    responses((status = 200, description = "The balance; all zeros for an account that never had credits.", body = Credits), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/accounts/{accountId}/credits")]
pub async fn read_credits(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Credits>, ApiError> {
    credits(&request, &state, Some(path.into_inner())).await
}

/// Lists the caller's ledger entries, newest first.
///
/// Requires a customer's token, or an API key with the scope `read` that is bound to one account. Pass the `nextCursor`
/// of one page as the `cursor` of the next.
#[utoipa::path(
    operation_id = "listTransactions",
    tag = "credits",
    params(
        ("limit" = Option<i64>, Query, description = "Entries per page, 1 to 100; default 20", example = 20),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page", example = "41"),
    ),
    responses((status = 200, description = "A page of ledger entries.", body = Transactions), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/credits/transactions")]
pub async fn read_own_transactions(request: HttpRequest, state: State) -> Result<Json<Transactions>, ApiError> {
    transactions(&request, &state, None).await
}

/// Lists the ledger entries of an account, newest first.
///
/// Requires the account's own token, a token with the admin scope, or an API key with the scope `read`. Pass the
/// `nextCursor` of one page as the `cursor` of the next.
#[utoipa::path(
    operation_id = "listAccountTransactions",
    tag = "credits",
    params(
        ("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1"),
        ("limit" = Option<i64>, Query, description = "Entries per page, 1 to 100; default 20", example = 20),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page", example = "41"),
    ),
    responses((status = 200, description = "A page of ledger entries.", body = Transactions), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/accounts/{accountId}/credits/transactions")]
pub async fn read_transactions(
    request: HttpRequest,
    path: Path<String>,
    state: State,
) -> Result<Json<Transactions>, ApiError> {
    transactions(&request, &state, Some(path.into_inner())).await
}

async fn account(request: &HttpRequest, state: &State, named: Option<String>) -> Result<AccountId, ApiError> {
    let caller = Caller::of(request, state).await?;
    caller.account(named.as_deref().map(account_id).transpose()?, Scope::Read)
}

async fn credits(request: &HttpRequest, state: &State, named: Option<String>) -> Result<Json<Credits>, ApiError> {
    let account = account(request, state, named).await?;
    let app = state.app.clone();
    let (balance, next_expiry) = state.run(async move { credits_now(&app, &account).await }).await??;
    Ok(Json(Credits {
        account_id: balance.account.as_str().to_owned(),
        remaining_credits: balance.remaining_credits,
        total_credits: balance.total_credits,
        used_credits: balance.used_credits,
        held_credits: balance.held_credits,
        available_credits: balance.funds().available(),
        owed_credits: owed(balance.remaining_credits)?,
        credit_display_decimals: state.app.pricing.decimals().get(),
        next_expiry: next_expiry.map(expiry).transpose()?,
        updated_at: balance.updated_at_ms.map(rfc3339).transpose()?,
    }))
}

fn expiry(next: StoredExpiry) -> Result<NextExpiry, ApiError> {
    Ok(NextExpiry { at: rfc3339(next.ends_at)?, credits: next.credits })
}

/// The credits missing to a balance of zero.
fn owed(remaining_credits: i64) -> Result<i64, ApiError> {
    let owed = if remaining_credits < 0 { remaining_credits.checked_neg() } else { Some(0) };
    owed.ok_or_else(|| ApiError::out_of_range("a balance"))
}

async fn transactions(
    request: &HttpRequest,
    state: &State,
    named: Option<String>,
) -> Result<Json<Transactions>, ApiError> {
    let account = account(request, state, named).await?;
    let query: PageQuery = read_query(request)?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let below =
        match query.cursor {
            None => i64::MAX,
            Some(cursor) => cursor.parse().ok().filter(|sequence| *sequence >= 1).ok_or_else(|| {
                ApiError::field("cursor", "invalid_cursor", "must be the nextCursor of an earlier page")
            })?,
        };
    let app = state.app.clone();
    let read = async move {
        // What has ended by now gets its entry first.
        balance_now(&app, &account).await?;
        // Reads one more than requested, to tell whether there is another page.
        app.db.entries(&account, below, limit.saturating_add(1)).await
    };
    let mut entries = state.run(read).await??;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = entries.len() > wanted;
    entries.truncate(wanted);
    let next_cursor = entries.last().filter(|_| has_more).map(|entry| entry.sequence.to_string());
    let data = entries.into_iter().map(transaction).collect::<Result<_, _>>()?;
    Ok(Json(Transactions { data, next_cursor }))
}

pub(crate) fn transaction(entry: LedgerEntry) -> Result<Transaction, ApiError> {
    Ok(Transaction {
        id: entry.id,
        description: description(&entry.kind, entry.reason.as_deref()).to_owned(),
        kind: entry.kind,
        reason: entry.reason,
        credits: entry.credits,
        balance_after: entry.balance_after,
        source: entry.source,
        created_at: rfc3339(entry.created_at)?,
    })
}
