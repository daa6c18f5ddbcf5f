//! Checked sums of credits, for numbers that are stored.

use crate::db::StoreError;

/// Adds credits.
///
/// # Errors
/// When the sum is out of range.
pub(crate) fn sum(left: i64, right: i64) -> Result<i64, StoreError> {
    left.checked_add(right).ok_or_else(|| StoreError::Corrupt(format!("credits out of range: {left} + {right}")))
}

/// Subtracts credits.
///
/// # Errors
/// When the difference is out of range.
pub(crate) fn difference(left: i64, right: i64) -> Result<i64, StoreError> {
    left.checked_sub(right).ok_or_else(|| StoreError::Corrupt(format!("credits out of range: {left} - {right}")))
}

/// Changes the sign, as for an entry that takes credits.
///
/// # Errors
/// When the result is out of range.
pub(crate) fn negative(credits: i64) -> Result<i64, StoreError> {
    difference(0, credits)
}
