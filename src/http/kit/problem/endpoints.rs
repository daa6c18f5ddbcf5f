//! Errors about endpoints.

use actix_web::http::StatusCode;

use crate::http::kit::problem::ApiError;
use crate::outbox::change_endpoint::EndpointError;

impl From<EndpointError> for ApiError {
    fn from(error: EndpointError) -> Self {
        let conflict = |code, error: &EndpointError| Self::new(StatusCode::CONFLICT, code, error.to_string());
        match error {
            EndpointError::Url(invalid) => Self::field("url", invalid.code(), invalid.to_string()),
            EndpointError::NotFound => Self::not_found(error.to_string()),
            EndpointError::TooMany => conflict("too_many_endpoints", &error),
            EndpointError::Disabled => conflict("endpoint_disabled", &error),
            EndpointError::OtherKey => conflict("signing_key_changed", &error),
            EndpointError::NoRandomness(_) => Self::internal(&error),
            EndpointError::Store(error) => error.into(),
        }
    }
}
