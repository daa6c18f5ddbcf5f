//! What is known about the calls to Stripe that are to open a purchase's checkout.
//!
//! What always holds: `unknown_since` is written before calls are made, and the process that wrote it last is the only one
//! that may write what came of them.

use crate::db::Tx;
use crate::db::{StoreError, args, statements};
use crate::domain::attempt::Attempt;
use crate::domain::ids::TopupId;
use crate::providers::port::CheckoutRequest;
use crate::purchases::topups::to_json;

statements! {
    /// Calls may follow: from now on it is unknown whether the checkout is opened.
    MARK_UNKNOWN = "UPDATE topups SET key_used_at = COALESCE(key_used_at, created_at), unknown_since = :now_ms, \
        updated_at = :now_ms WHERE id = :id AND provider_session_id IS NULL";
    /// Who has been overtaken finds another mark, and changes nothing.
    NEXT_KEY = "UPDATE topups SET provider_attempt = :key, key_used_at = :key_used_at_ms, unknown_since = :key_used_at_ms, key_failures = 0, \
        provider_request = :request_json, expires_at = :expires_at_ms, updated_at = :key_used_at_ms \
        WHERE id = :id AND unknown_since = :mark_ms AND provider_session_id IS NULL";
    KEEP_ATTEMPT = "UPDATE topups SET unknown_since = :unknown_since_ms, key_failures = :key_failures, updated_at = :now_ms \
        WHERE id = :id AND unknown_since = :mark_ms AND provider_attempt = :key AND provider_session_id IS NULL";
}

/// Notes that calls to Stripe are about to be made for a purchase without a checkout.
///
/// # Errors
/// When the database fails.
pub async fn mark_unknown(tx: &mut Tx, id: &TopupId, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&MARK_UNKNOWN, &args![id = id.as_str(), now_ms]).await.map(drop)
}

/// Moves to the next idempotency key towards Stripe, which is about to be used, with the request that will go with it.
/// `false` when another process has taken the purchase over since `mark_ms`, or its checkout is known.
///
/// # Errors
/// When the database fails.
pub async fn next_key(
    tx: &mut Tx,
    id: &TopupId,
    mark_ms: i64,
    next: &Attempt,
    request: &CheckoutRequest,
) -> Result<bool, StoreError> {
    let request_json = to_json(request)?;
    let expires_at_ms = request.expires_at_seconds.saturating_mul(1_000);
    let values = args![
        id = id.as_str(),
        mark_ms,
        key = next.key,
        key_used_at_ms = next.key_used_at_ms,
        request_json = request_json.as_str(),
        expires_at_ms
    ];
    Ok(tx.execute(&NEXT_KEY, &values).await? == 1)
}

/// Stores what is known about the calls that opened no checkout. Does nothing when another process has taken the purchase
/// over since `mark_ms`.
///
/// # Errors
/// When the database fails.
pub async fn keep_attempt(
    tx: &mut Tx,
    id: &TopupId,
    mark_ms: i64,
    attempt: &Attempt,
    now_ms: i64,
) -> Result<(), StoreError> {
    let values = args![
        id = id.as_str(),
        mark_ms,
        key = attempt.key,
        unknown_since_ms = attempt.unknown_since_ms,
        key_failures = attempt.key_failures,
        now_ms
    ];
    tx.execute(&KEEP_ATTEMPT, &values).await.map(drop)
}
