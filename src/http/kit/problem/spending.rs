//! Errors of spending.

use actix_web::http::StatusCode;

use crate::books::block_account::BlockError;
use crate::books::grant::promote::PromoteError;
use crate::books::grant::void_grant::VoidError;
use crate::books::spend::action::Refusal;
use crate::books::spend::refund_spend::RefundSpendError;
use crate::books::spend::spend_credits::SpendError;
use crate::books::usage::read_usage::UsageError;
use crate::domain::ledger::Funds;
use crate::domain::spend_limit::{Period, SpendLimit};
use crate::http::kit::problem::{ApiError, Shortage};

/// When to try again while other holds reserve the credits.
const HELD_RETRY_SECONDS: u64 = 1;

impl From<SpendError> for ApiError {
    fn from(error: SpendError) -> Self {
        match error {
            SpendError::Refused(refusal) => refusal.into(),
            SpendError::OtherRequest => Self::other_request(),
            SpendError::Store(error) => error.into(),
        }
    }
}

impl From<RefundSpendError> for ApiError {
    fn from(error: RefundSpendError) -> Self {
        match error {
            RefundSpendError::TooMany { left } => {
                let code = if left == 0 { "nothing_to_refund" } else { "amount_too_large" };
                Self::new(StatusCode::CONFLICT, code, error.to_string())
            }
            RefundSpendError::OtherRequest => Self::other_request(),
            RefundSpendError::Store(error) => error.into(),
        }
    }
}

impl From<UsageError> for ApiError {
    fn from(error: UsageError) -> Self {
        match error {
            UsageError::TooMany => Self::field("from", "too_many", error.to_string()),
            UsageError::Store(error) => error.into(),
        }
    }
}

impl From<PromoteError> for ApiError {
    fn from(error: PromoteError) -> Self {
        match error {
            PromoteError::Forbidden => Self::forbidden("account_forbidden", error.to_string()),
            PromoteError::UnknownAccount(_) => {
                let detail = format!("{error}; check its id, or send \"create\": true if it is to be a new one");
                Self::new(StatusCode::NOT_FOUND, "unknown_account", detail)
            }
            PromoteError::AlreadyEnded => Self::field("expiresAt", "in_the_past", "must be in the future"),
            PromoteError::OtherRequest => Self::other_request(),
            PromoteError::Store(error) => error.into(),
        }
    }
}

impl From<BlockError> for ApiError {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::Forbidden => Self::forbidden("account_forbidden", error.to_string()),
            BlockError::UnknownAccount(_) => Self::new(StatusCode::NOT_FOUND, "unknown_account", error.to_string()),
            BlockError::Store(error) => error.into(),
        }
    }
}

impl From<VoidError> for ApiError {
    fn from(error: VoidError) -> Self {
        match error {
            VoidError::Unknown => Self::not_found(error.to_string()),
            VoidError::Bought => Self::new(StatusCode::CONFLICT, "grant_bought", error.to_string()),
            VoidError::Store(error) => error.into(),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Insufficient { required, funds } => {
                let detail = format!(
                    "the account has {} credits available and {required} are needed; top it up",
                    funds.available()
                );
                let error = Self::new(StatusCode::PAYMENT_REQUIRED, "insufficient_credits", detail);
                error.with_shortage(required, funds, None)
            }
            Refusal::CreditsHeld { required, funds } => {
                let detail = format!(
                    "{required} credits are needed, and of the account's {} open holds reserve {}; try again when they \
                     have ended",
                    funds.remaining, funds.held
                );
                let error = Self::new(StatusCode::CONFLICT, "credits_held", detail);
                error.with_shortage(required, funds, None).retry_after(HELD_RETRY_SECONDS)
            }
            Refusal::LimitReached { required, limit, funds } => {
                let error =
                    Self::new(StatusCode::PAYMENT_REQUIRED, "spend_limit_reached", limit_reached(required, &limit));
                error.with_shortage(required, funds, Some(*limit))
            }
            Refusal::Blocked => Self::forbidden("account_blocked", "an operator blocked this account"),
            Refusal::HoldCaptured => {
                Self::new(StatusCode::CONFLICT, "hold_captured", "the hold was captured already, with another request")
            }
            Refusal::HoldReleased => Self::new(StatusCode::CONFLICT, "hold_released", "the hold was released already"),
            Refusal::HoldExpired => {
                let detail = "the hold has ended; capture it from what is available, or make a new one";
                Self::new(StatusCode::CONFLICT, "hold_expired", detail)
            }
            Refusal::UnknownHold => Self::not_found("there is nothing with that id"),
        }
    }
}

fn limit_reached(required: i64, limit: &SpendLimit) -> String {
    let whose = if limit.subject.is_empty() { "the account".to_owned() } else { format!("\"{}\"", limit.subject) };
    let (when, then) = match limit.period {
        Period::Day => (" a day", "wait for the next day (UTC), or raise the limit"),
        Period::Month => (" a month", "wait for the next month (UTC), or raise the limit"),
        Period::Total => (" in all", "raise the limit"),
    };
    let (credits, room) = (limit.credits, limit.room());
    format!("{whose} may spend {credits} credits{when}; {room} are left and {required} are needed; {then}")
}

impl ApiError {
    fn with_shortage(self, required: i64, funds: Funds, limit: Option<SpendLimit>) -> Self {
        Self { shortage: Some(Box::new(Shortage { required, funds, limit })), ..self }
    }
}
