//! Questions to Stripe that a delivery needs answered before it can be decided.
//!
//! What always holds: a delivery gives up its turn before it asks, so payments, expiries and everything else that is
//! decided from what is known here never wait for Stripe. Few deliveries ask at once and few wait for their place; the
//! others are told to come again. Whose payment it is, Stripe is asked once, also for the payments of other products.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::App;
use super::apply_event::ApplyEventError;
use crate::domain::ids::{PaymentIntentId, TopupId};
use crate::ports::GatewayError;

/// How many deliveries ask Stripe at once. Stripe allows 25 requests a second in test mode and 100 in live mode, to
/// everything on the account together.
const MAX_ASKING: usize = 8;
/// How many deliveries may be asking or waiting for their place.
const MAX_DELIVERIES: usize = 64;
/// How long a delivery waits for its place. Stripe delivers it again.
const WAIT: Duration = Duration::from_secs(5);
/// How long a delivery waits for the answer to a question that another one has asked.
const WAIT_FOR_THE_SAME: Duration = Duration::from_secs(2);
/// Of how many payments it is remembered whose they are.
const MAX_REMEMBERED: usize = 10_000;
/// How long it is remembered what a payment's metadata says.
const REMEMBER_MS: i64 = 24 * 3_600_000;
/// How long it is remembered that Stripe does not know a payment.
const REMEMBER_UNKNOWN_MS: i64 = 600_000;

/// The place among the deliveries that are applied at once.
pub type Turn = OwnedSemaphorePermit;

/// The bounds of all questions that deliveries ask, and what is remembered of the answers.
#[derive(Debug)]
pub struct Questions {
    deliveries: Semaphore,
    asking: Semaphore,
    payments: Mutex<Payments>,
}

impl Default for Questions {
    fn default() -> Self {
        Self {
            deliveries: Semaphore::new(MAX_DELIVERIES),
            asking: Semaphore::new(MAX_ASKING),
            payments: Mutex::default(),
        }
    }
}

/// Which purchase Stripe's metadata of a payment names, and until when that is believed.
#[derive(Debug, Clone)]
struct Answer {
    topup: Option<TopupId>,
    until_ms: i64,
}

/// What is remembered of one payment. Whoever asks holds the lock, so that the others wait for the same answer.
type Memory = Arc<AsyncMutex<Option<Answer>>>;

/// The latest payments that were asked about. The one that came first is forgotten first.
#[derive(Debug, Default)]
struct Payments {
    by_id: HashMap<PaymentIntentId, Memory>,
    order: VecDeque<PaymentIntentId>,
}

impl Payments {
    fn memory(&mut self, payment: &PaymentIntentId) -> Memory {
        if let Some(memory) = self.by_id.get(payment) {
            return memory.clone();
        }
        while self.order.len() >= MAX_REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.by_id.remove(&oldest);
            }
        }
        let memory = Memory::default();
        self.by_id.insert(payment.clone(), memory.clone());
        self.order.push_back(payment.clone());
        memory
    }
}

/// Asks Stripe on behalf of one delivery, within the bounds of all deliveries, or of a caller with bounds of its own.
pub(super) struct Inquiry<'a> {
    pub(super) app: &'a App,
    turn: Mutex<Option<Turn>>,
    is_delivery: bool,
}

/// Permission to ask; none for a caller with bounds of its own.
type Place<'a> = Option<(SemaphorePermit<'a>, SemaphorePermit<'a>)>;

impl<'a> Inquiry<'a> {
    /// For a delivery, which gives up its turn before it asks.
    pub(super) const fn of_delivery(app: &'a App, turn: Option<Turn>) -> Self {
        Self { app, turn: Mutex::new(turn), is_delivery: true }
    }

    /// For a caller with a pace of its own. It believes no remembered answer.
    pub(super) const fn paced(app: &'a App) -> Self {
        Self { app, turn: Mutex::new(None), is_delivery: false }
    }

    /// Waits for a place among those who ask.
    ///
    /// # Errors
    /// [`ApplyEventError::Busy`] when too many are waiting, or for too long.
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

    /// Asks Stripe one thing.
    ///
    /// # Errors
    /// [`ApplyEventError::Busy`] without asking, or Stripe's failure.
    pub(super) async fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, GatewayError>>,
    ) -> Result<T, ApplyEventError> {
        let _place = self.place().await?;
        Ok(question.await?)
    }

    /// Which purchase the metadata of a payment names; `None` if none of ours, or Stripe does not know the payment.
    ///
    /// # Errors
    /// See [`Inquiry::ask`].
    pub(super) async fn named_topup(&self, payment: &PaymentIntentId) -> Result<Option<TopupId>, ApplyEventError> {
        let payments = &self.app.questions.payments;
        let memory = payments.lock().unwrap_or_else(PoisonError::into_inner).memory(payment);
        if let Ok(remembered) = memory.try_lock()
            && let Some(answer) = self.believed(remembered.as_ref())
        {
            return Ok(answer.topup.clone());
        }
        let _place = self.place().await?;
        // Another delivery may be asking the same. A question that hangs is asked once more.
        let mut remembered = tokio::time::timeout(WAIT_FOR_THE_SAME, memory.lock()).await.ok();
        if let Some(answer) = self.believed(remembered.as_ref().and_then(|remembered| remembered.as_ref())) {
            return Ok(answer.topup.clone());
        }
        let (topup, for_ms) = match self.app.gateway.read_payment(payment).await {
            Ok(owner) => (owner.map(|owner| owner.topup), REMEMBER_MS),
            Err(GatewayError::Unknown(_)) => (None, REMEMBER_UNKNOWN_MS),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_number_of_payments_is_remembered_and_the_oldest_is_forgotten() {
        let mut payments = Payments::default();
        let id = |number: usize| PaymentIntentId::parse(format!("pi_{number}")).expect("an id");
        let first = payments.memory(&id(0));
        assert!(Arc::ptr_eq(&first, &payments.memory(&id(0))), "one memory for each payment");
        for number in 1..=MAX_REMEMBERED {
            payments.memory(&id(number));
        }
        assert_eq!((payments.by_id.len(), payments.order.len()), (MAX_REMEMBERED, MAX_REMEMBERED));
        assert!(!payments.by_id.contains_key(&id(0)) && payments.by_id.contains_key(&id(1)));
    }
}
