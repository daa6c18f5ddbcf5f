//! Updates of an object by the checked parameters of a request: a parameter that is not given changes nothing, and one
//! that is unset becomes `null`.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::error::ApiError;

/// The object after the update. Members that it does not have are ignored: the caller handles those.
pub(crate) fn edited<T: Serialize + DeserializeOwned>(current: &T, changes: &Value) -> Result<T, ApiError> {
    let mut whole = serde_json::to_value(current).map_err(|_| ApiError::internal("an object is no JSON"))?;
    for (name, change) in changes.as_object().into_iter().flatten() {
        if let Some(member) = whole.get_mut(name) {
            *member = change.clone();
        }
    }
    serde_json::from_value(whole).map_err(|_| ApiError::internal("an update is no object"))
}
