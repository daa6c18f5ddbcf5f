//! Fields that several audiences' routes have in common.

use validator::ValidationError;

use crate::domain::account::AccountId;
use crate::http::kit::problem::ApiError;
use crate::inbox::failed_deliveries::is_close_reason;

/// Reads an account id from a path.
///
/// # Errors
/// 400 when it is none.
pub fn account_id(text: &str) -> Result<AccountId, ApiError> {
    AccountId::parse(text).map_err(|error| ApiError::field("accountId", "invalid_account", error.to_string()))
}

/// Checks a reason that is kept for the record.
///
/// # Errors
/// When it is empty, too long, or has other than printable characters.
pub fn is_reason(reason: &str) -> Result<(), ValidationError> {
    if is_close_reason(reason) {
        return Ok(());
    }
    let message = "must be 1 to 500 printable characters";
    Err(ValidationError::new("invalid_reason").with_message(message.into()))
}
