//! Makes a refund at the provider: maps each refusal, and describes failures while the outcome is unknown.
//!
//! Invariant: one request refunds at most once. [`crate::purchases::checkout::create_once`] decides about keys and
//! retries.

use async_trait::async_trait;

use crate::app::App;
use crate::db::{StoreError, Tx, Write};
use crate::domain::attempt::Attempt;
use crate::domain::reversal::RefundReport;
use crate::providers::port::{ProviderError, ProviderFailure, RefundOrder};
pub use crate::purchases::checkout::create_once::Trouble;
use crate::purchases::checkout::create_once::{Creation, Failure, Work, create_once};
use crate::purchases::refund::refund_requests::{self, RefundRequest};

/// The most characters of a provider's message that are passed on.
const MAX_REASON_CHARACTERS: usize = 300;

/// The outcome of the calls.
#[derive(Debug, Clone)]
pub(crate) enum RefundResult {
    Refund(RefundReport),
    /// Nothing was refunded, and a retry would be refused again.
    Refused(ProviderRefusal),
}

/// Why the provider refuses a refund that is valid by our own data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProviderRefusal {
    /// The payment has been refunded already; the webhook has not arrived yet.
    #[error("Stripe says that all of the payment has been refunded already")]
    AlreadyRefunded,
    /// The payment has been disputed; the webhook has not arrived yet.
    #[error("Stripe says that the payment is disputed; answer the dispute at Stripe instead")]
    Disputed,
    /// A part of the payment has been refunded already; the webhook has not arrived yet.
    #[error("Stripe says that less than this amount is left of the payment; look at the preview in a moment")]
    TooMuch,
    /// The balance of our account at the provider is too low.
    #[error("the balance of the Stripe account is too small for the refund; add funds at Stripe")]
    InsufficientFunds,
}

impl ProviderRefusal {
    const ALL: [Self; 4] = [Self::AlreadyRefunded, Self::Disputed, Self::TooMuch, Self::InsufficientFunds];

    /// A stable code, which is also stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlreadyRefunded => "already_refunded",
            Self::Disputed => "payment_disputed",
            Self::TooMuch => "amount_too_large",
            Self::InsufficientFunds => "insufficient_funds",
        }
    }

    /// Parses the stored code.
    pub(crate) fn of_code(code: &str) -> Self {
        Self::ALL.into_iter().find(|refusal| refusal.code() == code).unwrap_or(Self::AlreadyRefunded)
    }

    /// Maps the provider's error; `None` if it is another error.
    fn of(failure: &ProviderFailure) -> Option<Self> {
        match failure.code.as_str() {
            "charge_already_refunded" => Some(Self::AlreadyRefunded),
            "charge_disputed" | "refund_disputed_payment" => Some(Self::Disputed),
            "amount_too_large" => Some(Self::TooMuch),
            "balance_insufficient" | "insufficient_funds" => Some(Self::InsufficientFunds),
            // Stripe has no code for this.
            _ if failure.message.starts_with("Refund amount") && failure.message.contains("greater than") => {
                Some(Self::TooMuch)
            }
            _ => None,
        }
    }
}

/// The provider's reason for not refunding this payment. `None` if the refusal is about our settings or our request,
/// such as a missing permission.
fn reason(failure: &ProviderFailure) -> Option<String> {
    let is_about_us = matches!(failure.status, 401 | 403)
        || failure.code.starts_with("parameter_")
        || failure.code.ends_with("_api_key_expired")
        || matches!(
            failure.code.as_str(),
            "idempotency_error"
                | "api_key_expired"
                | "authentication_error"
                | "secret_key_required"
                | "livemode_mismatch"
                | "testmode_charges_only"
                | "account_invalid"
                | "tls_version_unsupported"
        );
    if is_about_us {
        return None;
    }
    let words: String =
        failure.message.chars().filter(|character| !character.is_control()).take(MAX_REASON_CHARACTERS).collect();
    Some(if words.trim().is_empty() { failure.code.clone() } else { words })
}

/// Why the refund was not made, or why its outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefundTrouble {
    /// The provider refuses to refund this payment, for the given reason. Nothing was refunded.
    #[error("Stripe does not refund this payment: {0}")]
    NotPossible(String),
    /// The provider refused for a reason unrelated to the payment. Nothing was refunded.
    #[error("Stripe refused the refund")]
    Refused,
    /// The request has to be retried.
    #[error("the refund is not finished: {what:?}")]
    Unfinished {
        /// The cause.
        what: Trouble,
        /// Whether the refund may already have been made.
        may_be_done: bool,
    },
}

impl RefundTrouble {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotPossible(_) => "refund_not_possible",
            Self::Refused => "provider_refused",
            Self::Unfinished { what: Trouble::Unavailable, .. } => "provider_unavailable",
            Self::Unfinished { what: Trouble::Limited, .. } => "provider_rate_limited",
            Self::Unfinished { what: Trouble::TooSlow, .. } => "provider_timeout",
            Self::Unfinished { what: Trouble::Unsettled, .. } => "refund_unsettled",
            Self::Unfinished { what: Trouble::StoreFailed, .. } => "internal_error",
        }
    }
}

struct Refund {
    order: RefundOrder,
}

#[async_trait]
impl Creation for Refund {
    type Created = RefundReport;

    fn id(&self) -> &str {
        &self.order.request_id
    }

    async fn call(&self, app: &App, key: &str) -> Result<RefundReport, ProviderError> {
        let report = app.provider.refunds.create_refund(&self.order, key).await?;
        tracing::info!(key, refund = %report.id, "refund made");
        Ok(report)
    }

    async fn look(&self, app: &App, _: &Attempt) -> Result<Option<RefundReport>, ProviderError> {
        app.provider.refunds.find_refund(&self.order.payment, &self.order.request_id).await
    }

    fn is_stale(&self, _: i64) -> bool {
        false
    }

    /// "Nothing left to refund" or "too little left" may be the effect of our own earlier call.
    fn may_be_ours(&self, error: &ProviderError) -> bool {
        let (ProviderError::Refused(failure) | ProviderError::Unknown(failure)) = error else { return false };
        matches!(ProviderRefusal::of(failure), Some(ProviderRefusal::AlreadyRefunded | ProviderRefusal::TooMuch))
    }

    async fn next_key(&mut self, app: &App, mark_ms: i64, next: &Attempt) -> Result<bool, StoreError> {
        let request = self.order.request_id.clone();
        app.db.write(StoreNextKey { request, mark_ms, next: *next }).await
    }
}

/// Stores the key of the next call. Returns `false` if another process has taken over the request.
struct StoreNextKey {
    request: String,
    mark_ms: i64,
    next: Attempt,
}

impl Write for StoreNextKey {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        refund_requests::next_key(tx, &self.request, self.mark_ms, &self.next).await
    }
}

/// Makes the refund. Each call is logged with the provider's request id. Afterwards `work` holds what is known.
pub(crate) async fn make(app: &App, request: &RefundRequest, work: &mut Work) -> Result<RefundResult, RefundTrouble> {
    let unfinished = |what| RefundTrouble::Unfinished { what, may_be_done: true };
    let order = order(request).map_err(|()| unfinished(Trouble::StoreFailed))?;
    match create_once(app, &mut Refund { order }, work).await {
        Ok(report) => Ok(RefundResult::Refund(report)),
        Err(Failure::Refused(error)) => match error {
            ProviderError::Refused(failure)
            | ProviderError::Unknown(failure)
            | ProviderError::AmountTooSmall(failure) => match ProviderRefusal::of(&failure) {
                Some(refusal) => Ok(RefundResult::Refused(refusal)),
                None => Err(reason(&failure).map_or(RefundTrouble::Refused, RefundTrouble::NotPossible)),
            },
            _ => Err(RefundTrouble::Refused),
        },
        Err(Failure::Unfinished(what)) => Err(RefundTrouble::Unfinished { what, may_be_done: work.may_be_done() }),
    }
}

fn order(request: &RefundRequest) -> Result<RefundOrder, ()> {
    let payment = request.payment().map_err(|_| ())?;
    Ok(RefundOrder {
        request_id: request.id.clone(),
        payment,
        amount_minor: request.amount,
        reason: request.reason.clone(),
    })
}
