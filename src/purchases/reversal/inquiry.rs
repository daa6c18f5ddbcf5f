//! Asks the provider on behalf of a delivery, within the limits of [`Questions`](crate::app::questions::Questions).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::SemaphorePermit;

use crate::app::App;
use crate::app::questions::{Answer, Turn};
use crate::domain::ids::{PaymentId, TopupId};
use crate::providers::port::ProviderError;
use crate::purchases::outcome::ApplyEventError;

/// How long a delivery waits for a free slot. After that the provider has to redeliver it.
const WAIT: Duration = Duration::from_secs(5);
/// How long a delivery waits for the answer to the same request by another delivery.
const WAIT_FOR_THE_SAME: Duration = Duration::from_secs(2);
/// How long the metadata of a payment is cached, in milliseconds.
const REMEMBER_MS: i64 = 24 * 3_600_000;
/// How long it is cached that the provider does not know a payment, in milliseconds.
const REMEMBER_UNKNOWN_MS: i64 = 600_000;

/// Asks the provider for one delivery, within the limits for all deliveries, or for a caller with limits of its own.
pub(crate) struct Inquiry<'a> {
    pub(crate) app: &'a App,
    turn: Mutex<Option<Turn>>,
    is_delivery: bool,
}

/// Permission to ask; `None` for a caller with limits of its own.
type Place<'a> = Option<(SemaphorePermit<'a>, SemaphorePermit<'a>)>;

impl<'a> Inquiry<'a> {
    /// For a delivery, which gives up its turn before it asks.
    pub(crate) const fn of_delivery(app: &'a App, turn: Option<Turn>) -> Self {
        Self { app, turn: Mutex::new(turn), is_delivery: true }
    }

    /// For a caller that paces itself. Ignores cached answers.
    pub(crate) const fn paced(app: &'a App) -> Self {
        Self { app, turn: Mutex::new(None), is_delivery: false }
    }

    /// Waits for a free slot.
    ///
    /// # Errors
    /// [`ApplyEventError::Busy`] when too many deliveries are waiting, or this one has waited too long.
    async fn place(&self) -> Result<Place<'a>, ApplyEventError> {
        if !self.is_delivery {
            return Ok(None);
        }
        drop(self.turn.lock().unwrap_or_else(PoisonError::into_inner).take());
        let questions = &self.app.questions;
        let delivery = questions.deliveries.try_acquire().map_err(|_| ApplyEventError::Busy)?;
        let asking = tokio::time::timeout(WAIT, questions.asking.acquire()).await;
        let asking = asking.map_err(|_| ApplyEventError::Busy)?.map_err(|_| ApplyEventError::Busy)?;
        Ok(Some((delivery, asking)))
    }

    /// Makes one request to the provider.
    ///
    /// # Errors
    /// [`ApplyEventError::Busy`] if the request was not made; otherwise the provider's error.
    pub(crate) async fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ApplyEventError> {
        let _place = self.place().await?;
        Ok(question.await?)
    }

    /// The top-up named in a payment's metadata. `None` if it names none, or the provider does not know the payment.
    ///
    /// # Errors
    /// See [`Inquiry::ask`].
    pub(crate) async fn named_topup(&self, payment: &PaymentId) -> Result<Option<TopupId>, ApplyEventError> {
        let payments = &self.app.questions.payments;
        let memory = payments.lock().unwrap_or_else(PoisonError::into_inner).memory(payment);
        if let Ok(remembered) = memory.try_lock()
            && let Some(answer) = self.believed(remembered.as_ref())
        {
            return Ok(answer.topup.clone());
        }
        let _place = self.place().await?;
        // Another delivery may be making the same request. If that one hangs, we make it as well.
        let mut remembered = tokio::time::timeout(WAIT_FOR_THE_SAME, memory.lock()).await.ok();
        if let Some(answer) = self.believed(remembered.as_ref().and_then(|remembered| remembered.as_ref())) {
            return Ok(answer.topup.clone());
        }
        let (topup, for_ms) = match self.app.provider.payments.read_payment(payment).await {
            Ok(owner) => (owner.map(|owner| owner.topup), REMEMBER_MS),
            Err(ProviderError::Unknown(_)) => (None, REMEMBER_UNKNOWN_MS),
            Err(error) => return Err(error.into()),
        };
        let until_ms = self.app.clock.now_ms().saturating_add(for_ms);
        if let Some(remembered) = &mut remembered {
            **remembered = Some(Answer { topup: topup.clone(), until_ms });
        }
        Ok(topup)
    }

    fn believed<'m>(&self, remembered: Option<&'m Answer>) -> Option<&'m Answer> {
        let now_ms = self.app.clock.now_ms();
        remembered.filter(|answer| self.is_delivery && now_ms < answer.until_ms)
    }
}
