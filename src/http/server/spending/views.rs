//! Spends and holds as the caller sees them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::books::hold::holds::Hold as StoredHold;
use crate::books::spend::spends::{Spend as StoredSpend, SpendPart};
use crate::domain::ledger::Funds;
use crate::http::kit::problem::ApiError;
use crate::http::kit::timestamp::rfc3339;
use crate::http::server::spending::fields::Metadata;

/// An account's credits after a request.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountBalance {
    #[schema(example = "user_1")]
    account_id: String,
    /// The sum of all ledger entries. Negative if credits were taken back after they had been spent.
    #[schema(example = 250)]
    remaining_credits: i64,
    /// Credits that open holds reserve.
    #[schema(example = 50)]
    held_credits: i64,
    /// Credits that can be spent or reserved now: `remainingCredits` minus `heldCredits`, at least 0.
    #[schema(example = 200)]
    available_credits: i64,
    /// How far the balance is below zero; otherwise 0.
    #[schema(example = 0)]
    owed_credits: i64,
}

impl AccountBalance {
    /// The balance of an account.
    #[must_use]
    pub fn of(account: &str, funds: Funds) -> Self {
        Self {
            account_id: account.to_owned(),
            remaining_credits: funds.remaining,
            held_credits: funds.held,
            available_credits: funds.available(),
            owed_credits: funds.owed(),
        }
    }
}

/// Credits spent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Spend {
    #[schema(example = "spend_019a0000000070008000000000000000")]
    id: String,
    #[schema(example = "user_1")]
    account_id: String,
    /// The credits taken.
    #[schema(example = 12)]
    credits: i64,
    /// The credits asked for.
    #[schema(example = 12)]
    requested_credits: i64,
    /// The credits asked for and not taken, because the account did not have them (`onShortfall: cap`).
    #[schema(example = 0)]
    uncollected_credits: i64,
    /// How many of the credits were given back.
    #[schema(example = 0)]
    refunded_credits: i64,
    /// The kind of work; null if none was named.
    #[schema(example = "chat.completion")]
    operation: Option<String>,
    /// The part of the account that spent; null if none was named.
    #[schema(example = "member_7")]
    subject: Option<String>,
    /// The caller's own data. The customer can read it.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"model": "large"}))]
    metadata: Metadata,
    /// The hold that was captured; null for a debit.
    #[schema(example = "hold_019a0000000070008000000000000000")]
    hold_id: Option<String>,
    #[schema(example = "2026-11-21T12:01:00Z")]
    created_at: String,
    /// The account's credits after this request.
    balance: AccountBalance,
}

/// A spend with the grants that its credits came from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpendDetails {
    #[serde(flatten)]
    spend: Spend,
    /// The grants that the credits came from, in the order in which they were taken.
    parts: Vec<Part>,
}

/// Credits that one grant gave.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// The grant: the id of a top-up, an adjustment or a promotion. Null for credits that a refund or dispute had taken
    /// before the work was charged.
    #[schema(example = "topup_019a0000000070008000000000000000")]
    grant_id: Option<String>,
    #[schema(example = 12)]
    credits: i64,
}

/// Credits reserved for a spend.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    #[schema(example = "hold_019a0000000070008000000000000000")]
    id: String,
    #[schema(example = "user_1")]
    account_id: String,
    /// `open`: it reserves credits. `captured`: they were spent. `released`: they were freed. `expired`: its time
    /// ended; it reserves nothing, and can still be captured from what is available.
    #[schema(example = "open")]
    state: String,
    /// The credits that it reserves, or reserved.
    #[schema(example = 50)]
    credits: i64,
    /// The credits asked for; more than `credits` if there were fewer and `minimumCredits` allowed that.
    #[schema(example = 50)]
    requested_credits: i64,
    /// The credits that were captured; null before.
    #[schema(example = 42)]
    captured_credits: Option<i64>,
    /// The spend that captured it; null before.
    #[schema(example = "spend_019a0000000070008000000000000000")]
    spend_id: Option<String>,
    /// The kind of work; null if none was named.
    #[schema(example = "chat.completion")]
    operation: Option<String>,
    /// The part of the account that reserved; null if none was named.
    #[schema(example = "member_7")]
    subject: Option<String>,
    /// The caller's own data. The customer can read it.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"model": "large"}))]
    metadata: Metadata,
    /// When it ends by itself.
    #[schema(example = "2026-11-21T12:16:00Z")]
    expires_at: String,
    #[schema(example = "2026-11-21T12:01:00Z")]
    created_at: String,
    /// The account's credits after this request.
    balance: AccountBalance,
}

/// A page of open holds, those that end first before the others.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Holds {
    /// The holds.
    pub data: Vec<Hold>,
    /// Pass it as `cursor` to get the next page; null on the last page.
    #[schema(example = "1795262400000_hold_019a0000000070008000000000000000")]
    pub next_cursor: Option<String>,
}

/// A spend as the caller sees it.
///
/// # Errors
/// 500 when the stored row is corrupt.
pub fn spend(stored: StoredSpend, funds: Funds) -> Result<Spend, ApiError> {
    Ok(Spend {
        balance: AccountBalance::of(&stored.account_id, funds),
        id: stored.id,
        account_id: stored.account_id,
        credits: stored.credits,
        requested_credits: stored.asked_credits,
        uncollected_credits: stored.asked_credits.saturating_sub(stored.credits),
        refunded_credits: stored.refunded_credits,
        operation: some(stored.operation),
        subject: some(stored.subject),
        metadata: metadata(stored.metadata.as_deref())?,
        hold_id: stored.hold_id,
        created_at: rfc3339(stored.created_at)?,
    })
}

/// A spend with its parts.
///
/// # Errors
/// 500 when the stored row is corrupt.
pub fn spend_details(stored: StoredSpend, parts: Vec<SpendPart>, funds: Funds) -> Result<SpendDetails, ApiError> {
    let part = |part: SpendPart| Part { grant_id: part.grant_id, credits: part.credits.saturating_neg() };
    Ok(SpendDetails { spend: spend(stored, funds)?, parts: parts.into_iter().map(part).collect() })
}

/// A hold as the caller sees it at this time.
///
/// # Errors
/// 500 when the stored row is corrupt.
pub fn hold(stored: StoredHold, funds: Funds, now_ms: i64) -> Result<Hold, ApiError> {
    let state = stored.state_at(now_ms)?;
    Ok(Hold {
        balance: AccountBalance::of(&stored.account_id, funds),
        id: stored.id,
        account_id: stored.account_id,
        state: state.as_str().to_owned(),
        credits: stored.credits,
        requested_credits: stored.asked_credits,
        captured_credits: stored.captured_credits,
        spend_id: stored.spend_id,
        operation: some(stored.operation),
        subject: some(stored.subject),
        metadata: metadata(stored.metadata.as_deref())?,
        expires_at: rfc3339(stored.expires_at)?,
        created_at: rfc3339(stored.created_at)?,
    })
}

fn some(text: String) -> Option<String> {
    if text.is_empty() { None } else { Some(text) }
}

fn metadata(stored: Option<&str>) -> Result<Metadata, ApiError> {
    let Some(text) = stored else { return Ok(Metadata::new()) };
    serde_json::from_str(text).map_err(|error| ApiError::internal(&error))
}
