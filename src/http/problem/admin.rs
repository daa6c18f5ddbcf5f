//! What can go wrong for an operator.

use actix_web::http::StatusCode;

use super::ApiError;
use crate::app::adjust_account::AdjustError;
use crate::app::refund_topup::{RefundError, RefundTrouble};

impl From<RefundError> for ApiError {
    fn from(error: RefundError) -> Self {
        let conflict = |code, detail: String| Self::new(StatusCode::CONFLICT, code, detail);
        match error {
            RefundError::NotFound => Self::not_found("there is no such top-up"),
            RefundError::NoSuchPayment => Self::not_found("the top-up has no such payment"),
            RefundError::NotPossible(refusal) => {
                let problem = conflict(refusal.code(), refusal.to_string());
                if refusal.code() == "refund_in_progress" { problem.retry_after(1) } else { problem }
            }
            RefundError::RefusedByStripe(refusal) => conflict(refusal.code(), refusal.to_string()),
            RefundError::OtherRequest => Self::other_request(),
            RefundError::StillRunning => Self::still_running(),
            RefundError::Stripe(trouble) => trouble.into(),
            RefundError::NotBooked(cause) => Self::internal(&cause),
            RefundError::Store(error) => error.into(),
        }
    }
}

impl From<AdjustError> for ApiError {
    fn from(error: AdjustError) -> Self {
        match error {
            AdjustError::Forbidden => Self::forbidden("account_forbidden", error.to_string()),
            AdjustError::InsufficientCredits => {
                let detail = "the account has fewer credits than are to be taken";
                Self::new(StatusCode::CONFLICT, "insufficient_credits", detail)
            }
            AdjustError::OtherRequest => Self::other_request(),
            AdjustError::Store(error) => error.into(),
        }
    }
}

impl From<RefundTrouble> for ApiError {
    fn from(trouble: RefundTrouble) -> Self {
        let problem = |status, what: &str| {
            let way_out = "whether the refund was made is not known; repeat the request with the same Idempotency-Key";
            Self::new(status, trouble.code(), format!("{what}; {way_out}"))
        };
        match trouble {
            RefundTrouble::Refused => Self::new(
                StatusCode::BAD_GATEWAY,
                trouble.code(),
                "the payment provider refused the refund, and the log says why; nothing was refunded",
            ),
            RefundTrouble::Unavailable => {
                problem(StatusCode::SERVICE_UNAVAILABLE, "the payment provider is not available").retry_after(5)
            }
            RefundTrouble::Limited => {
                problem(StatusCode::SERVICE_UNAVAILABLE, "the payment provider wants us to wait").retry_after(10)
            }
            RefundTrouble::TooSlow => {
                problem(StatusCode::GATEWAY_TIMEOUT, "the payment provider did not answer in time")
            }
            RefundTrouble::StoreFailed => Self::internal(&trouble),
        }
    }
}
