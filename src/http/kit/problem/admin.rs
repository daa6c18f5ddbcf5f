//! Errors for operators.

use actix_web::http::StatusCode;

use crate::books::adjust_account::AdjustError;
use crate::domain::refund::RefundRefusal;
use crate::http::kit::problem::ApiError;
use crate::providers::port::ProviderError;
use crate::purchases::check_topup::CheckTopupError;
use crate::purchases::receipt::ReceiptError;
use crate::purchases::refund::refund_topup::{RefundError, RefundTrouble, Trouble};

impl From<RefundError> for ApiError {
    fn from(error: RefundError) -> Self {
        let conflict = |code, detail: String| Self::new(StatusCode::CONFLICT, code, detail);
        match error {
            RefundError::NotFound => Self::not_found("there is no such top-up"),
            RefundError::NoSuchPayment => Self::not_found("the top-up has no such payment"),
            RefundError::NotPossible(refusal) => match refusal {
                RefundRefusal::NotAMultiple { .. } => Self::field("amount", refusal.code(), refusal.to_string()),
                RefundRefusal::NotAWholeAmount { .. } | RefundRefusal::TaxInSteps { .. } => {
                    Self::field("credits", refusal.code(), refusal.to_string())
                }
                RefundRefusal::OutOfRange => Self::internal(&refusal),
                RefundRefusal::InProgress => conflict(refusal.code(), refusal.to_string()).retry_after(1),
                _ => conflict(refusal.code(), refusal.to_string()),
            },
            RefundError::RefusedByProvider(refusal) => conflict(refusal.code(), refusal.to_string()),
            RefundError::OtherRequest => Self::other_request(),
            RefundError::StillRunning => Self::still_running(),
            RefundError::Provider(trouble) => trouble.into(),
            RefundError::NotBooked(cause) => cause.into(),
            RefundError::Store(error) => error.into(),
        }
    }
}

impl From<AdjustError> for ApiError {
    fn from(error: AdjustError) -> Self {
        match error {
            AdjustError::Forbidden => Self::forbidden("account_forbidden", error.to_string()),
            AdjustError::UnknownAccount(_) => {
                let way_out = "check its id, or send \"create\": true if it is to be a new one";
                Self::new(StatusCode::NOT_FOUND, "unknown_account", format!("{error}; {way_out}"))
            }
            AdjustError::InsufficientCredits => {
                let detail = "the account has fewer credits than are to be taken, or open holds reserve them";
                Self::new(StatusCode::CONFLICT, "insufficient_credits", detail)
            }
            AdjustError::OtherRequest => Self::other_request(),
            AdjustError::Store(error) => error.into(),
        }
    }
}

impl From<RefundTrouble> for ApiError {
    fn from(trouble: RefundTrouble) -> Self {
        let code = trouble.code();
        match trouble.clone() {
            RefundTrouble::NotPossible(reason) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                code,
                format!("Stripe does not refund this payment: {reason} Nothing was refunded."),
            ),
            RefundTrouble::Refused => Self::new(
                StatusCode::BAD_GATEWAY,
                code,
                "the payment provider refused the refund, and the log says why; nothing was refunded",
            ),
            RefundTrouble::Unfinished { what, may_be_done } => {
                let known =
                    if may_be_done { "whether the refund was made is not known" } else { "nothing was refunded" };
                let problem = |status, what: &str| {
                    let way_out = "repeat the request with the same Idempotency-Key, and it is made once";
                    Self::new(status, code, format!("{what}; {known}; {way_out}"))
                };
                match what {
                    Trouble::Unavailable => {
                        problem(StatusCode::SERVICE_UNAVAILABLE, "the payment provider is not available").retry_after(5)
                    }
                    Trouble::Limited => {
                        problem(StatusCode::SERVICE_UNAVAILABLE, "the payment provider wants us to wait")
                            .retry_after(10)
                    }
                    Trouble::Unsettled => {
                        let what = "an earlier try of this refund may have been made, and the payment provider does not \
                                    say yet; it does within a quarter of an hour";
                        problem(StatusCode::SERVICE_UNAVAILABLE, what).retry_after(30)
                    }
                    Trouble::TooSlow => {
                        problem(StatusCode::GATEWAY_TIMEOUT, "the payment provider did not answer in time")
                    }
                    Trouble::StoreFailed => problem(StatusCode::SERVICE_UNAVAILABLE, "the database is not available")
                        .with_code("database_unavailable")
                        .retry_after(5),
                }
            }
        }
    }
}

impl From<CheckTopupError> for ApiError {
    fn from(error: CheckTopupError) -> Self {
        match error {
            CheckTopupError::NotFound => Self::not_found("there is no such top-up"),
            CheckTopupError::Store(error) => error.into(),
            CheckTopupError::Provider(error) => Self::not_told(&error),
        }
    }
}

impl From<ReceiptError> for ApiError {
    fn from(error: ReceiptError) -> Self {
        match error {
            ReceiptError::NotFound | ReceiptError::None(_) => Self::not_found(error.to_string()),
            ReceiptError::Store(error) => error.into(),
            ReceiptError::Provider(error) => Self::not_told(&error),
        }
    }
}

impl ApiError {
    /// The provider did not answer a question.
    pub(crate) fn not_told(stripe: &ProviderError) -> Self {
        Self::without_answer(stripe, "nothing was changed")
    }

    /// The provider did not answer a request to change something, or a question afterwards.
    pub(crate) fn not_known(stripe: &ProviderError) -> Self {
        Self::without_answer(stripe, "read again what is there, it may have been changed")
    }

    fn without_answer(stripe: &ProviderError, nothing: &str) -> Self {
        tracing::warn!(error = %stripe, "Stripe does not answer what it is asked for");
        match stripe {
            ProviderError::TimedOut => {
                let detail = format!("the payment provider did not answer in time; {nothing}, try again");
                Self::new(StatusCode::GATEWAY_TIMEOUT, "provider_timeout", detail)
            }
            ProviderError::Limited(_) => {
                let detail = format!("the payment provider wants us to wait; {nothing}");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "provider_rate_limited", detail).retry_after(10)
            }
            ProviderError::Failed(_) | ProviderError::Unreachable(_) => {
                let detail = format!("the payment provider is not available; {nothing}, try again");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "provider_unavailable", detail).retry_after(5)
            }
            ProviderError::Unsupported(what) => {
                let detail = format!("the payment provider is not able {what}; {nothing}");
                Self::new(StatusCode::NOT_IMPLEMENTED, "provider_unsupported", detail)
            }
            ProviderError::Refused(_) | ProviderError::AmountTooSmall(_) | ProviderError::Unknown(_) => {
                let detail = format!("the payment provider refused to say, and the log says why; {nothing}");
                Self::new(StatusCode::BAD_GATEWAY, "provider_refused", detail)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_nothing_was_refunded_is_said_only_where_it_is_known() {
        let troubles = [Trouble::Unavailable, Trouble::Limited, Trouble::TooSlow, Trouble::Unsettled];
        for what in troubles {
            let unknown: ApiError = RefundTrouble::Unfinished { what, may_be_done: true }.into();
            assert!(!unknown.detail.contains("nothing was refunded"), "{}", unknown.detail);
            let known: ApiError = RefundTrouble::Unfinished { what, may_be_done: false }.into();
            assert!(known.detail.contains("nothing was refunded"), "{}", known.detail);
        }
        let never: ApiError = RefundTrouble::NotPossible("The method cannot be refunded.".to_owned()).into();
        assert_eq!((never.status, never.code), (StatusCode::UNPROCESSABLE_ENTITY, "refund_not_possible"));
        assert!(never.detail.contains("The method cannot be refunded."));
    }
}
