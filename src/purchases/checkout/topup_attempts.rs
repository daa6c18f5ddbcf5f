//! What is known about the calls to Stripe that are to open a purchase's checkout.
//!
//! What always holds: `unknown_since` is written before calls are made, and the process that wrote it last is the only one
//! that may write what came of them.

use crate::db::Tx;
use crate::db::{StoreError, statements};
use crate::domain::attempt::Attempt;
use crate::domain::ids::TopupId;
use crate::providers::port::CheckoutRequest;
use crate::purchases::topups::to_json;

statements! {
    /// Calls may follow: from now on it is unknown whether the checkout is opened.
    MARK_UNKNOWN = "UPDATE topups SET key_used_at = COALESCE(key_used_at, created_at), unknown_since = $2, \
        updated_at = $2 WHERE id = $1 AND session_id IS NULL";
    /// Who has been overtaken finds another mark, and changes nothing.
    NEXT_KEY = "UPDATE topups SET stripe_attempt = $3, key_used_at = $4, unknown_since = $4, key_failures = 0, \
        stripe_request = $5, expires_at = $6, updated_at = $4 \
        WHERE id = $1 AND unknown_since = $2 AND session_id IS NULL";
    KEEP_ATTEMPT = "UPDATE topups SET unknown_since = $4, key_failures = $5, updated_at = $6 \
        WHERE id = $1 AND unknown_since = $2 AND stripe_attempt = $3 AND session_id IS NULL";
}

/// Notes that calls to Stripe are about to be made for a purchase without a checkout.
///
/// # Errors
/// When the database fails.
pub async fn mark_unknown(tx: &mut Tx, id: &TopupId, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&MARK_UNKNOWN, &[id.as_str().into(), now_ms.into()]).await.map(drop)
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
    let values = [
        id.as_str().into(),
        mark_ms.into(),
        next.key.into(),
        next.key_used_at_ms.into(),
        request_json.as_str().into(),
        expires_at_ms.into(),
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
    let values = [
        id.as_str().into(),
        mark_ms.into(),
        attempt.key.into(),
        attempt.unknown_since_ms.into(),
        attempt.key_failures.into(),
        now_ms.into(),
    ];
    tx.execute(&KEEP_ATTEMPT, &values).await.map(drop)
}
