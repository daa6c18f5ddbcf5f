//! The fields that debits and holds have in common.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::ValidationError;

use crate::books::spend::action::Shortfall;
use crate::books::spend::spends::Purpose;
use crate::domain::account::AccountId;
pub(super) use crate::domain::credit_unit::MAX_CREDITS;
use crate::http::kit::problem::ApiError;

const MAX_METADATA_ENTRIES: usize = 16;
const MAX_METADATA_BYTES: usize = 2_048;
const MAX_OPERATION_CHARACTERS: usize = 64;

/// What to do when the account has fewer credits than asked for.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnShortfall {
    /// Take nothing.
    Reject,
    /// Take what there is.
    Cap,
}

impl From<OnShortfall> for Shortfall {
    fn from(choice: OnShortfall) -> Self {
        match choice {
            OnShortfall::Reject => Self::Reject,
            OnShortfall::Cap => Self::Cap,
        }
    }
}

/// The caller's own data.
pub(super) type Metadata = BTreeMap<String, String>;

pub(super) fn is_operation(text: &str) -> Result<(), ValidationError> {
    let is_valid = (1..=MAX_OPERATION_CHARACTERS).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'));
    if is_valid {
        return Ok(());
    }
    Err(ValidationError::new("invalid_operation").with_message("must be 1 to 64 of a-z, 0-9, `_`, `.` and `-`".into()))
}

pub(super) fn is_subject(text: &str) -> Result<(), ValidationError> {
    if AccountId::parse(text).is_ok() {
        return Ok(());
    }
    let message = "must be 1 to 200 printable characters, and neither start nor end with a space";
    Err(ValidationError::new("invalid_subject").with_message(message.into()))
}

pub(super) fn is_metadata(metadata: &Metadata) -> Result<(), ValidationError> {
    let bytes = serde_json::to_string(metadata).map_or(usize::MAX, |text| text.len());
    if metadata.len() <= MAX_METADATA_ENTRIES && bytes <= MAX_METADATA_BYTES {
        return Ok(());
    }
    let message = "may have at most 16 entries and 2048 bytes as JSON";
    Err(ValidationError::new("too_much_metadata").with_message(message.into()))
}

/// The metadata as it is stored.
pub(super) fn stored(metadata: Option<&Metadata>) -> Result<Option<String>, ApiError> {
    let text = metadata.map(serde_json::to_string).transpose();
    text.map_err(|error| ApiError::internal(&error))
}

pub(super) fn purpose(
    operation: Option<String>,
    subject: Option<String>,
    metadata: Option<&Metadata>,
) -> Result<Purpose, ApiError> {
    Ok(Purpose {
        operation: operation.unwrap_or_default(),
        subject: subject.unwrap_or_default(),
        metadata: stored(metadata)?,
    })
}

/// The fewest credits that a partial debit or hold may have.
pub(super) fn check_minimum(minimum: Option<i64>, credits: i64) -> Result<(), ApiError> {
    if minimum.is_some_and(|minimum| minimum > credits) {
        return Err(ApiError::field("minimumCredits", "out_of_range", "must be at most `credits`"));
    }
    Ok(())
}
