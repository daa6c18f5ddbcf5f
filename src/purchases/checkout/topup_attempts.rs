//! What is known about the calls that open a top-up's checkout.
//!
//! Invariant: `unknown_since` is written before the calls, and only the process that wrote it last may write their
//! result.

use crate::db::Tx;
use crate::db::{StoreError, args, statements};
use crate::domain::attempt::Attempt;
use crate::domain::ids::TopupId;
use crate::providers::port::CheckoutRequest;
use crate::purchases::topups::to_json;

statements! {
    /// Calls may follow: from now on it is unknown whether the checkout was opened.
    MARK_UNKNOWN = "UPDATE topups SET key_used_at = COALESCE(key_used_at, created_at), unknown_since = :now_ms, \
        updated_at = :now_ms WHERE id = :id AND provider_session_id IS NULL";
    /// A process that was overtaken finds another mark and changes nothing.
    NEXT_KEY = "UPDATE topups SET provider_attempt = :key, key_used_at = :key_used_at_ms, unknown_since = \
        :key_used_at_ms, key_failures = 0, \
        provider_request = :request_json, expires_at = :expires_at_ms, updated_at = :key_used_at_ms \
        WHERE id = :id AND unknown_since = :mark_ms AND provider_session_id IS NULL";
    KEEP_ATTEMPT = "UPDATE topups SET unknown_since = :unknown_since_ms, key_failures = :key_failures, updated_at = \
        :now_ms \
        WHERE id = :id AND unknown_since = :mark_ms AND provider_attempt = :key AND provider_session_id IS NULL";
}

/// Records that calls are about to be made for a top-up without a checkout.
///
/// # Errors
/// When the database fails.
pub async fn mark_unknown(tx: &mut Tx, id: &TopupId, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&MARK_UNKNOWN, &args![id = id.as_str(), now_ms]).await.map(drop)
}

/// Stores the next idempotency key, which is about to be used, and its request. Returns `false` if another process has
/// taken over the top-up since `mark_ms`, or if its session is already known.
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

/// Stores what is known about calls that opened no checkout. Does nothing if another process has taken over the top-up
/// since `mark_ms`.
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
