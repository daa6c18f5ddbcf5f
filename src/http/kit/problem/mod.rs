//! Errors as the caller sees them: RFC 9457 `application/problem+json`. The only place that maps errors to HTTP.
//!
//! A problem says what is wrong and how to fix it, has a `code` that never changes, and reveals no internals. Our own
//! failures are logged here, once, with their causes; the request id in the log's span is the caller's `x-request-id`.

mod admin;
mod console;
mod endpoints;
mod reached_limit;
mod recurring;
mod spending;
mod subscriptions;

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::tasks::TaskFailed;
use crate::app::with_causes;
use crate::db::StoreError;
use crate::domain::ledger::Funds;
use crate::domain::price_list::NotSoldIn;
use crate::domain::pricing::QuoteError;
use crate::domain::spend_limit::SpendLimit;
use crate::purchases::account_currency::{CurrencyError, PriceError};
use crate::purchases::checkout::create_checkout::CreateCheckoutError;
use crate::purchases::outcome::ApplyEventError;
use reached_limit::ReachedLimit;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An error as defined by RFC 9457.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "type": "urn:topup:problem:invalid_request", "title": "Bad Request", "status": 400,
    "detail": "credits: the smallest purchase is 18 credits", "code": "invalid_request",
    "errors": [{ "field": "credits", "code": "too_few", "message": "the smallest purchase is 18 credits" }],
    "error": "credits: the smallest purchase is 18 credits"
}))]
pub struct Problem {
    /// `urn:topup:problem:` followed by the code.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// The reason phrase of the HTTP status.
    pub title: String,
    /// The HTTP status code.
    pub status: u16,
    /// What is wrong and how to fix it.
    pub detail: String,
    /// A stable, machine-readable code.
    pub code: String,
    /// The invalid fields; absent if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// For problems about credits: how many are needed at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub required_credits: Option<i64>,
    /// For problems about credits: how many can be spent or reserved now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub available_credits: Option<i64>,
    /// For problems about credits: how many open holds reserve.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub held_credits: Option<i64>,
    /// For problems about credits: how far the balance is below zero; otherwise 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub owed_credits: Option<i64>,
    /// For `spend_limit_reached`: the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub limit: Option<ReachedLimit>,
    /// A copy of `detail`, for clients of the API that this one replaced.
    pub error: String,
}

/// What an account lacks.
#[derive(Debug, Clone)]
struct Shortage {
    /// How many credits are needed at least.
    required: i64,
    funds: Funds,
    /// The limit that leaves too few.
    limit: Option<SpendLimit>,
}

/// An invalid field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The name of the field in the request.
    pub field: String,
    /// A stable, machine-readable code.
    pub code: String,
    /// What is wrong and how to fix it.
    pub message: String,
}

impl FieldError {
    /// Creates an error for a field.
    pub fn new(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), code: code.to_owned(), message: message.into() }
    }
}

/// An error to be returned to the caller.
#[derive(Debug, Clone)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    shortage: Option<Box<Shortage>>,
    retry_after_seconds: Option<u64>,
}

impl ApiError {
    /// Creates an error with a stable code.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), shortage: None, retry_after_seconds: None }
    }

    /// Some fields are invalid: 400.
    #[must_use]
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let detail = errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect::<Vec<_>>();
        Self { errors, ..Self::new(StatusCode::BAD_REQUEST, "invalid_request", detail.join("; ")) }
    }

    /// One field is invalid: 400.
    pub fn field(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError::new(field, code, message)])
    }

    /// Credentials are missing or invalid: 401.
    pub fn unauthorized(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
    }

    /// The caller lacks permission: 403.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// Not found, or the caller may not know that it exists: 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// The idempotency key was used with another request: 422.
    fn other_request() -> Self {
        let detail = "this Idempotency-Key came with another request before; use a new one";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
    }

    /// The first request with the idempotency key is still running: 409.
    fn still_running() -> Self {
        let detail = "the first request with this Idempotency-Key is still running; try again in a moment";
        Self::new(StatusCode::CONFLICT, "idempotency_key_in_use", detail).retry_after(1)
    }

    /// A stored amount is larger than any possible value: the data is corrupt.
    pub(crate) fn out_of_range(what: &str) -> Self {
        StoreError::corrupt("amounts out of range:", what).into()
    }

    /// An internal error: 500. The answer gives no details; the log has the cause.
    pub fn internal(cause: &dyn std::error::Error) -> Self {
        tracing::error!(error = with_causes(cause), "request failed");
        let detail = "something went wrong on our side; the log knows more under this answer's x-request-id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail)
    }

    /// The database is unavailable: 503.
    fn database_unavailable() -> Self {
        let detail = "the database is not available; try the same request again in a moment";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "database_unavailable", detail).retry_after(5)
    }

    /// Sets the time after which to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The error's stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// The body of the answer.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let shortage = self.shortage.as_deref();
        Problem {
            problem_type: format!("urn:topup:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            code: self.code.to_owned(),
            errors: self.errors.clone(),
            required_credits: shortage.map(|shortage| shortage.required),
            available_credits: shortage.map(|shortage| shortage.funds.available()),
            held_credits: shortage.map(|shortage| shortage.funds.held),
            owed_credits: shortage.map(|shortage| shortage.funds.owed()),
            limit: shortage.and_then(|shortage| shortage.limit.as_ref()).map(ReachedLimit::from),
            error: self.detail.clone(),
        }
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}: {}", self.status, self.code, self.detail)
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((actix_web::http::header::CONTENT_TYPE, PROBLEM_JSON));
        if let Some(seconds) = self.retry_after_seconds {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        // Serializing texts does not fail; if it did, the status would still be right.
        response.body(serde_json::to_string(&self.problem()).unwrap_or_default())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let Some(reason) = error.unavailable() else { return Self::internal(&error) };
        tracing::warn!(error = with_causes(&error), "the database could not do it now");
        if !reason.is_busy() {
            return Self::database_unavailable();
        }
        let detail = "the database has too much to do; try the same request again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too_busy", detail).retry_after(1)
    }
}

impl From<TaskFailed> for ApiError {
    fn from(error: TaskFailed) -> Self {
        Self::internal(&error)
    }
}

impl From<QuoteError> for ApiError {
    fn from(error: QuoteError) -> Self {
        Self::field("credits", error.code(), error.to_string())
    }
}

impl From<NotSoldIn> for ApiError {
    fn from(error: NotSoldIn) -> Self {
        Self::field("currency", "unknown_currency", error.to_string())
    }
}

impl From<CurrencyError> for ApiError {
    fn from(error: CurrencyError) -> Self {
        match error {
            CurrencyError::Forbidden => Self::forbidden("account_forbidden", error.to_string()),
            CurrencyError::Price(PriceError::NotSoldIn(error)) => error.into(),
            CurrencyError::Price(PriceError::Store(error)) => error.into(),
        }
    }
}

impl From<CreateCheckoutError> for ApiError {
    fn from(error: CreateCheckoutError) -> Self {
        use crate::purchases::checkout::create_checkout::ProviderTrouble::{
            AmountTooSmall, Limited, Mismatch, NoUrl, Refused, StoreFailed, TooSlow, Unavailable, Unsettled,
        };
        let stripe = |status, trouble: crate::purchases::checkout::create_checkout::ProviderTrouble, detail: &str| {
            Self::new(status, trouble.code(), detail)
        };
        let retry = "nothing was charged; try again with the same Idempotency-Key";
        match error {
            CreateCheckoutError::NotForSale(error) => error.into(),
            CreateCheckoutError::NotSoldIn(error) => error.into(),
            CreateCheckoutError::AmountTooSmall | CreateCheckoutError::Provider(AmountTooSmall) => Self::field(
                "credits",
                "amount_too_small",
                "the payment provider needs a larger amount; buy more credits",
            )
            .with_code("amount_too_small"),
            CreateCheckoutError::OtherRequest => Self::other_request(),
            CreateCheckoutError::StillRunning => Self::still_running(),
            CreateCheckoutError::SessionEnded => Self::new(
                StatusCode::CONFLICT,
                "session_ended",
                "the checkout of this Idempotency-Key has ended; use a new key for a new checkout",
            ),
            CreateCheckoutError::TooManyOpen { open, first_ends_after_seconds: seconds } => {
                let detail = format!(
                    "this account has {open} open checkouts, which is the most it may have (MAX_OPEN_CHECKOUTS); pay or use \
                     one of them, or try again in {seconds} seconds, when the first of them ends"
                );
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_open_checkouts", detail).retry_after(seconds)
            }
            CreateCheckoutError::Provider(trouble) => match trouble {
                Refused => stripe(StatusCode::BAD_GATEWAY, trouble, "the payment provider refused the checkout"),
                Mismatch => stripe(
                    StatusCode::BAD_GATEWAY,
                    trouble,
                    "the payment provider opened another checkout than was agreed; nobody was sent there",
                ),
                StoreFailed => Self::database_unavailable(),
                NoUrl => stripe(StatusCode::BAD_GATEWAY, trouble, "the payment provider gave no page to pay on"),
                Unavailable | AmountTooSmall => stripe(
                    StatusCode::SERVICE_UNAVAILABLE,
                    trouble,
                    &format!("the payment provider is not available; {retry}"),
                )
                .retry_after(5),
                Limited => stripe(
                    StatusCode::SERVICE_UNAVAILABLE,
                    trouble,
                    &format!("the payment provider wants us to wait; {retry}"),
                )
                .retry_after(10),
                Unsettled => stripe(
                    StatusCode::SERVICE_UNAVAILABLE,
                    trouble,
                    &format!("an earlier try may have opened the checkout, and the payment provider does not say yet; {retry}"),
                )
                .retry_after(10),
                TooSlow => stripe(
                    StatusCode::GATEWAY_TIMEOUT,
                    trouble,
                    &format!("the payment provider did not answer in time; {retry}"),
                ),
            },
            CreateCheckoutError::Store(error) => error.into(),
        }
    }
}

impl ApiError {
    /// The same error with another code.
    pub(crate) const fn with_code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }
}

impl From<ApplyEventError> for ApiError {
    fn from(error: ApplyEventError) -> Self {
        match error {
            ApplyEventError::NotBelieved(error) => {
                Self::new(StatusCode::BAD_REQUEST, "invalid_webhook", error.to_string())
            }
            ApplyEventError::NotUnderstood(error) => Self::internal(&error),
            ApplyEventError::Busy => too_busy(),
            error @ (ApplyEventError::Provider(_) | ApplyEventError::Task(_)) => Self::internal(&error),
            ApplyEventError::Store(error) => error.into(),
        }
    }
}

/// The body exceeds the limit: 413.
#[must_use]
pub fn too_large(limit: usize) -> ApiError {
    let detail = format!("the body may have at most {limit} bytes");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}

/// Too many requests at once; the sender may try again in a moment.
#[must_use]
pub fn too_busy() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_busy", "too many deliveries at once; try again").retry_after(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_database_cannot_do_now_is_503_whatever_was_to_be_written() {
        for cause in [
            || StoreError::Busy,
            || StoreError::Locked,
            || StoreError::TimedOut,
            || StoreError::Closed,
            || StoreError::Overtaken,
            || StoreError::Stale,
        ] {
            let errors: [ApiError; 6] = [
                cause().into(),
                CreateCheckoutError::Store(cause()).into(),
                ApplyEventError::Store(cause()).into(),
                crate::purchases::refund::refund_topup::RefundError::Store(cause()).into(),
                crate::purchases::refund::refund_topup::RefundError::NotBooked(ApplyEventError::Store(cause())).into(),
                crate::books::adjust_account::AdjustError::Store(cause()).into(),
            ];
            for error in errors {
                assert_eq!(error.status, StatusCode::SERVICE_UNAVAILABLE, "{:?}", cause());
                assert!(["too_busy", "database_unavailable"].contains(&error.code), "{}", error.code);
                assert!(error.error_response().headers().contains_key(RETRY_AFTER));
            }
        }
        let ours = StoreError::Corrupt("a row".to_owned());
        assert_eq!(ApiError::from(ours).status, StatusCode::INTERNAL_SERVER_ERROR);
    }
}
