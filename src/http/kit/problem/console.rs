//! Errors of the operator's console.

use actix_web::http::StatusCode;

use crate::console::actions::ActionError;
use crate::http::kit::problem::ApiError;

impl From<ActionError> for ApiError {
    fn from(error: ActionError) -> Self {
        let conflict = |code, detail: &str| Self::new(StatusCode::CONFLICT, code, detail);
        match error {
            ActionError::OverLimit { left } => {
                let detail = format!(
                    "this key may refund and adjust {left} more credits today (UTC); ask someone with an admin key, or raise \
                     SUPPORT_MAX_CREDITS"
                );
                Self::forbidden("support_limit_reached", detail)
            }
            ActionError::OtherChange => {
                conflict("form_used", "this form was sent before; open the page once more and begin anew")
            }
            ActionError::Revoked => Self::forbidden("key_revoked", "the API key of this session was revoked"),
            ActionError::NotFound(what) => Self::not_found(format!("there is no such {what}")),
            ActionError::Running => conflict("already_running", "a comparison with Stripe is running already"),
            ActionError::Refund(error) => error.into(),
            ActionError::Adjust(error) => error.into(),
            ActionError::Block(error) => error.into(),
            ActionError::Check(error) => error.into(),
            ActionError::Store(error) => error.into(),
        }
    }
}
