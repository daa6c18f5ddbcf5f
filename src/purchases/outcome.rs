//! What a delivery comes to, and why it may come to nothing for now.

use crate::app::tasks::TaskFailed;
use crate::db::StoreError;
use crate::domain::checkout::Mismatch;
use crate::domain::judge::Applied;
use crate::providers::event::WebhookError;
use crate::providers::port::ProviderError;

/// Why a delivery is not answered with 200.
#[derive(Debug, thiserror::Error)]
pub enum ApplyEventError {
    /// It is not believed, or is no event at all: 400. Nothing was written.
    #[error(transparent)]
    NotBelieved(WebhookError),
    /// It is believed and not understood: 5xx, so that it is there when we do.
    #[error(transparent)]
    NotUnderstood(WebhookError),
    /// Stripe had to be asked and did not say: 5xx.
    #[error("Stripe cannot be asked about the event")]
    Provider(#[from] ProviderError),
    /// Too many deliveries are waiting for an answer of Stripe's: 503. Nothing was done.
    #[error("too many deliveries are waiting for an answer of Stripe's")]
    Busy,
    /// The database failed: 5xx.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It panicked: 5xx.
    #[error(transparent)]
    Task(#[from] TaskFailed),
}

/// What a delivery came to. The words are for the log and for whoever replays one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventOutcome {
    /// It is decided, now or before; what came of it, in a word.
    Decided(&'static str),
    /// It is nothing of ours.
    Foreign(&'static str),
    /// It contradicts what was agreed and never has an effect.
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
