//! Calling Stripe until it made the refund, refused it, or the time is over.
//!
//! Money must not go back twice for one request. As long as it is unknown whether a call was done, the next one uses the
//! same idempotency key. Where that is of no use, because Stripe would repeat its failure or has forgotten the key, Stripe
//! is asked for the refund of this request first: its metadata names it.

use futures_util::FutureExt;

use super::open_checkout::pause;
use super::{App, with_causes};
use crate::domain::ids::PaymentIntentId;
use crate::domain::reversal::RefundReport;
use crate::ports::{GatewayError, RefundOrder};
use crate::store::refund_requests::{self, RefundRequest};

/// How often Stripe is called for one refund.
const MAX_TRIES: u32 = 4;
/// Stripe keeps an idempotency key for a day at least (Stripe, "Idempotent requests"); ours count as forgotten earlier.
const KEY_LIFETIME_MS: i64 = 20 * 60 * 60 * 1_000;

/// How the calls ended.
#[derive(Debug, Clone)]
pub(super) enum Made {
    Refund(RefundReport),
    /// Nothing was done, and the same request would be refused again.
    Refused(StripeRefusal),
}

/// Why Stripe refuses a refund that is right as far as is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StripeRefusal {
    /// Somebody refunded it meanwhile, and the news has not come yet.
    #[error("Stripe says that all of the payment has been refunded already")]
    AlreadyRefunded,
    /// Somebody disputed it meanwhile, and the news has not come yet.
    #[error("Stripe says that the payment is disputed; answer the dispute at Stripe instead")]
    Disputed,
    /// Somebody refunded a part of it meanwhile, and the news has not come yet.
    #[error("Stripe says that less than this amount is left of the payment; look at the preview in a moment")]
    TooMuch,
    /// The Stripe account's balance does not suffice.
    #[error("the balance of the Stripe account is too small for the refund; add funds at Stripe")]
    InsufficientFunds,
}

impl StripeRefusal {
    const ALL: [Self; 4] = [Self::AlreadyRefunded, Self::Disputed, Self::TooMuch, Self::InsufficientFunds];

    /// A stable word for it, which is also stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlreadyRefunded => "already_refunded",
            Self::Disputed => "payment_disputed",
            Self::TooMuch => "amount_too_large",
            Self::InsufficientFunds => "insufficient_funds",
        }
    }

    /// Reads the stored word.
    pub(super) fn of_code(code: &str) -> Self {
        Self::ALL.into_iter().find(|refusal| refusal.code() == code).unwrap_or(Self::AlreadyRefunded)
    }

    /// What Stripe means; `None` if it is nothing about this payment, such as a missing permission.
    fn of(code: &str, message: &str) -> Option<Self> {
        match code {
            "charge_already_refunded" => Some(Self::AlreadyRefunded),
            "charge_disputed" | "refund_disputed_payment" => Some(Self::Disputed),
            "amount_too_large" => Some(Self::TooMuch),
            "balance_insufficient" | "insufficient_funds" => Some(Self::InsufficientFunds),
            // Stripe has no code for it.
            _ if message.starts_with("Refund amount") && message.contains("greater than") => Some(Self::TooMuch),
            _ => None,
        }
    }
}

/// Why it is unknown whether there is a refund, or there is none yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefundTrouble {
    /// It refused for a reason that has nothing to do with the payment.
    #[error("Stripe refused the refund")]
    Refused,
    /// It failed or cannot be reached.
    #[error("Stripe is not available")]
    Unavailable,
    /// It wants us to wait.
    #[error("Stripe is limiting our requests")]
    Limited,
    /// It did not answer in time.
    #[error("Stripe did not answer in time")]
    TooSlow,
    /// Our own database failed between two tries.
    #[error("the database failed between two calls to Stripe")]
    StoreFailed,
}

impl RefundTrouble {
    /// A stable word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Refused => "stripe_refused",
            Self::Unavailable => "stripe_unavailable",
            Self::Limited => "stripe_rate_limited",
            Self::TooSlow => "stripe_timeout",
            Self::StoreFailed => "internal_error",
        }
    }
}

/// Makes the refund. Everything that happens is logged with Stripe's request id.
pub(super) async fn make(app: &App, request: &RefundRequest) -> Result<Made, RefundTrouble> {
    // When the time is over, what went wrong last is told; "too slow" only if nothing else is known.
    let mut last = RefundTrouble::TooSlow;
    let tries = try_to_make(app, request, &mut last);
    match tokio::time::timeout(app.checkout.budget, tries).await {
        Ok(result) => result,
        Err(_) => Err(last),
    }
}

async fn try_to_make(app: &App, request: &RefundRequest, last: &mut RefundTrouble) -> Result<Made, RefundTrouble> {
    let order = order(request)?;
    if app.clock.now_ms().saturating_sub(request.created_at) > KEY_LIFETIME_MS
        && let Some(report) = find(app, &order, last).await?
    {
        return Ok(Made::Refund(report));
    }
    let mut attempt = request.stripe_attempt;
    for number in 0..MAX_TRIES {
        if number > 0 {
            tokio::time::sleep(pause(app, number)).await;
        }
        let error = match app.gateway.create_refund(&order, &format!("{}-{attempt}", request.id)).await {
            Ok(report) => {
                tracing::info!(request = request.id, refund = %report.id, attempt, "refund made");
                return Ok(Made::Refund(report));
            }
            Err(error) => error,
        };
        tracing::warn!(request = request.id, attempt, %error, "Stripe did not make the refund");
        *last = trouble(&error);
        match &error {
            GatewayError::Refused(failure) | GatewayError::Unknown(failure) | GatewayError::AmountTooSmall(failure) => {
                if let Some(refusal) = StripeRefusal::of(&failure.code, &failure.message) {
                    return Ok(Made::Refused(refusal));
                }
                // Nothing was done. What is wrong may be put right, and then the key is not to stand for the refusal.
                next_attempt(app, request, attempt).await?;
                return Err(RefundTrouble::Refused);
            }
            // Unknown whether it was done, and the key would repeat the failure for ever.
            GatewayError::Failed(_) => {
                if let Some(report) = find(app, &order, last).await? {
                    return Ok(Made::Refund(report));
                }
                attempt = next_attempt(app, request, attempt).await?;
            }
            GatewayError::Unreachable(_) | GatewayError::Limited(_) | GatewayError::TimedOut => {}
        }
    }
    Err(*last)
}

fn order(request: &RefundRequest) -> Result<RefundOrder, RefundTrouble> {
    let payment_intent = PaymentIntentId::parse(request.payment_intent_id.as_str());
    let payment_intent = payment_intent.map_err(|_| RefundTrouble::StoreFailed)?;
    Ok(RefundOrder {
        request_id: request.id.clone(),
        payment_intent,
        amount_minor: request.amount,
        reason: request.reason.clone(),
    })
}

const fn trouble(error: &GatewayError) -> RefundTrouble {
    match error {
        GatewayError::Refused(_) | GatewayError::Unknown(_) | GatewayError::AmountTooSmall(_) => RefundTrouble::Refused,
        GatewayError::Failed(_) | GatewayError::Unreachable(_) => RefundTrouble::Unavailable,
        GatewayError::Limited(_) => RefundTrouble::Limited,
        GatewayError::TimedOut => RefundTrouble::TooSlow,
    }
}

/// Asks for the refund of this request. When Stripe does not say, nothing new may be tried.
async fn find(app: &App, order: &RefundOrder, last: &mut RefundTrouble) -> Result<Option<RefundReport>, RefundTrouble> {
    app.gateway.find_refund(&order.payment_intent, &order.request_id).await.map_err(|error| {
        tracing::warn!(request = order.request_id, %error, "Stripe does not say whether the refund was made");
        *last = trouble(&error);
        *last
    })
}

/// Moves to the next key, and stores it before it is used.
async fn next_attempt(app: &App, request: &RefundRequest, attempt: i64) -> Result<i64, RefundTrouble> {
    let (id, now_ms) = (request.id.clone(), app.clock.now_ms());
    let moved = app
        .db
        .write(move |tx| {
            let id = id.clone();
            async move { refund_requests::next_attempt(tx, &id, attempt, now_ms).await }.boxed()
        })
        .await;
    match moved {
        Ok(true) => Ok(attempt.saturating_add(1)),
        // Another process took the request over while this one was stuck: it goes on, this one gives up.
        Ok(false) => Err(RefundTrouble::Unavailable),
        Err(error) => {
            tracing::error!(request = request.id, error = with_causes(&error), "the next attempt cannot be stored");
            Err(RefundTrouble::StoreFailed)
        }
    }
}
