//! Runs a write again while it settles its account in parts.

use crate::db::StoreError;

/// How often a write is run: each round adopts a part of the account's history.
const MAX_ROUNDS: u32 = 1_000;

/// Runs rounds until one of them has a result; `None` means that the account is not settled wholly yet.
///
/// # Errors
/// The error of a round, or [`StoreError::Busy`] after 1,000 rounds.
pub(crate) async fn until_settled<T, F>(mut round: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<Option<T>, StoreError>>,
{
    for _ in 0..MAX_ROUNDS {
        if let Some(result) = round().await? {
            return Ok(result);
        }
    }
    Err(StoreError::Busy)
}
