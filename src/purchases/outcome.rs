//! The outcomes of a webhook delivery, and the errors that make the provider retry it.

use crate::app::tasks::TaskFailed;
use crate::db::StoreError;
use crate::domain::checkout::Mismatch;
use crate::domain::judge::Applied;
use crate::providers::event::WebhookError;
use crate::providers::port::ProviderError;

/// Why a delivery is not answered with 200.
#[derive(Debug, thiserror::Error)]
pub enum ApplyEventError {
    /// The signature is invalid, or the body is not an event: 400. Nothing was written.
    #[error(transparent)]
    NotBelieved(WebhookError),
    /// The event is authentic but cannot be parsed: 5xx, so that it is redelivered once we can.
    #[error(transparent)]
    NotUnderstood(WebhookError),
    /// The provider had to be asked and did not answer: 5xx.
    #[error("Stripe cannot be asked about the event")]
    Provider(#[from] ProviderError),
    /// Too many deliveries are waiting for answers from the provider: 503. Nothing was done.
    #[error("too many deliveries are waiting for an answer of Stripe's")]
    Busy,
    /// The database failed: 5xx.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The task panicked: 5xx.
    #[error(transparent)]
    Task(#[from] TaskFailed),
}

/// The outcome of a delivery. The texts are for the log and for operators who replay a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventOutcome {
    /// The event is decided, now or before; with a one-word result.
    Decided(&'static str),
    /// The event does not concern this installation.
    Foreign(&'static str),
    /// The event contradicts the agreement and will never have an effect.
    Rejected(Mismatch),
}

impl From<Applied> for EventOutcome {
    fn from(applied: Applied) -> Self {
        match applied {
            Applied::Rejected(mismatch) => Self::Rejected(mismatch),
            Applied::Foreign => Self::Foreign("another environment's top-up"),
            applied => Self::Decided(applied.as_str()),
        }
    }
}
