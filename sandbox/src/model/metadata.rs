//! Metadata updates: each pair sets a key, an empty value unsets its key, and an empty `metadata` unsets them all.

use std::collections::BTreeMap;

use super::{
    error::ApiError,
    params::{Param, Params},
};

const MAX_KEYS: usize = 50;

/// The metadata after the update. `spec` has already checked the lengths.
pub(crate) fn changed(
    current: &BTreeMap<String, String>,
    params: &Params,
) -> Result<BTreeMap<String, String>, ApiError> {
    let mut metadata = current.clone();
    match params.0.get("metadata") {
        Some(Param::Text(text)) if text.is_empty() => metadata.clear(),
        Some(Param::Nested(changes)) => {
            for (key, value) in &changes.0 {
                match value {
                    Param::Text(text) if text.is_empty() => metadata.remove(key),
                    Param::Text(text) => metadata.insert(key.clone(), text.clone()),
                    Param::Nested(_) => None,
                };
            }
        }
        _ => {}
    }
    if metadata.len() > MAX_KEYS {
        let message = format!("Metadata can have up to {MAX_KEYS} keys, but you've set {}", metadata.len());
        return Err(ApiError::invalid(message).param("metadata"));
    }
    Ok(metadata)
}

/// The parameters without an empty `metadata`, which `spec` would refuse.
pub(crate) fn without_unset(params: &Params) -> Params {
    let mut rest = params.clone();
    if matches!(rest.0.get("metadata"), Some(Param::Text(text)) if text.is_empty()) {
        rest.0.remove("metadata");
    }
    rest
}
