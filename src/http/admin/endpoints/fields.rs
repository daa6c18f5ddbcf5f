//! The fields of an endpoint, and the errors about them.

use validator::ValidationError;

use crate::domain::ids::EndpointId;
use crate::http::kit::problem::ApiError;
use crate::messages::event_type::EventType;
use crate::outbox::change_endpoint::MAX_DESCRIPTION_CHARACTERS;

/// Reads an endpoint's id from a path.
///
/// # Errors
/// 404 when it is none.
pub fn endpoint_id(text: &str) -> Result<EndpointId, ApiError> {
    EndpointId::parse(text).map_err(|_| ApiError::not_found("there is no such endpoint"))
}

/// Reads the names of types.
///
/// # Errors
/// 400 when one is unknown.
pub fn event_types(names: &[String]) -> Result<Vec<EventType>, ApiError> {
    let parsed: Option<Vec<EventType>> = names.iter().map(|name| EventType::parse(name)).collect();
    parsed.ok_or_else(|| {
        let known = EventType::ALL.map(EventType::as_str).join(", ");
        ApiError::field("types", "unknown_type", format!("must be some of {known}; or none, for all"))
    })
}

/// Checks a description.
///
/// # Errors
/// When it is too long, or has other than printable characters.
pub fn is_description(text: &str) -> Result<(), ValidationError> {
    if text.chars().count() <= MAX_DESCRIPTION_CHARACTERS && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(ValidationError::new("invalid_description").with_message("must be at most 200 printable characters".into()))
}
