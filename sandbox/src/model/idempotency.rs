//! Idempotency keys (docs: "Idempotent requests"): the first answer, success or error, is kept for a day and replayed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{State, error::ApiError, table::Row};

const KEPT_SECONDS: i64 = 24 * 60 * 60;
pub(crate) const MAX_KEY_LENGTH: usize = 255;

/// The saved answer to the first request with a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SavedAnswer {
    pub(crate) key: String,
    pub(crate) path: String,
    /// The decoded parameters. A retry with the same key must have the same.
    pub(crate) params: Value,
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) request_id: String,
    pub(crate) saved_at: i64,
}

impl Row for SavedAnswer {
    fn id(&self) -> &str {
        &self.key
    }
}

impl State {
    /// The answer saved under this key, if its request was the same.
    pub(crate) fn saved_answer(&self, key: &str, path: &str, params: &Value) -> Result<Option<SavedAnswer>, ApiError> {
        let Some(saved) = self.saved_answers.get(key) else {
            return Ok(None);
        };
        if saved.path != path {
            return Err(mismatch(format!(
                "Keys for idempotent requests can only be used for the same endpoint they were first used for \
                 ('{path}' vs '{}'). Try using a key other than '{key}' if you meant to execute a different request.",
                saved.path
            )));
        }
        if saved.params != *params {
            return Err(mismatch(format!(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. \
                 Try using a key other than '{key}' if you meant to execute a different request."
            )));
        }
        Ok(Some(saved.clone()))
    }

    pub(crate) fn keep_answer(&mut self, answer: SavedAnswer) {
        self.saved_answers.insert(answer);
    }

    /// Removes keys after a day. Returns true if there were any.
    pub(crate) fn forget_old_answers(&mut self, now: i64) -> bool {
        let is_old = |answer: &SavedAnswer| now.saturating_sub(answer.saved_at) > KEPT_SECONDS;
        let mut forgotten = false;
        while let Some(key) =
            self.saved_answers.first().filter(|oldest| is_old(oldest)).map(|oldest| oldest.key.clone())
        {
            self.saved_answers.remove(&key);
            forgotten = true;
        }
        forgotten
    }
}

fn mismatch(message: String) -> ApiError {
    ApiError::new(400, "idempotency_error", message)
}

/// Another request with this key is running.
pub(crate) fn in_use(key: &str) -> ApiError {
    ApiError::new(
        409,
        "invalid_request_error",
        format!(
            "There is currently another in-progress request using this Idempotent Key (that probably means you \
             submitted twice, and the other request is still going through): {key}. Please try again later."
        ),
    )
    .code("idempotency_key_in_use")
}

/// The key is longer than Stripe's limit.
pub(crate) fn too_long() -> ApiError {
    ApiError::new(
        400,
        "idempotency_error",
        format!("Idempotency keys can be at most {MAX_KEY_LENGTH} characters long."),
    )
}
