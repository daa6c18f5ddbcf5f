//! Questions to Stripe that a delivery needs answered before it can be decided.
//!
//! What always holds: a delivery gives up its turn before it asks, so payments, expiries and everything else that is
//! decided from what is known here never wait for Stripe. Few deliveries ask at once and few wait for their place; the
//! others are told to come again. Whose payment it is, Stripe is asked once, also for the payments of other products.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore};

use crate::domain::ids::{PaymentId, TopupId};

/// How many deliveries ask Stripe at once. Stripe allows 25 requests a second in test mode and 100 in live mode, to
/// everything on the account together.
const MAX_ASKING: usize = 8;
/// How many deliveries may be asking or waiting for their place.
const MAX_DELIVERIES: usize = 64;
/// Of how many payments it is remembered whose they are.
const MAX_REMEMBERED: usize = 10_000;

/// The place among the deliveries that are applied at once.
pub type Turn = OwnedSemaphorePermit;

/// The bounds of all questions that deliveries ask, and what is remembered of the answers.
#[derive(Debug)]
pub struct Questions {
    pub(crate) deliveries: Semaphore,
    pub(crate) asking: Semaphore,
    pub(crate) payments: Mutex<Payments>,
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
pub(crate) struct Answer {
    pub(crate) topup: Option<TopupId>,
    pub(crate) until_ms: i64,
}

/// What is remembered of one payment. Whoever asks holds the lock, so that the others wait for the same answer.
pub(crate) type Memory = Arc<AsyncMutex<Option<Answer>>>;

/// The latest payments that were asked about. The one that came first is forgotten first.
#[derive(Debug, Default)]
pub(crate) struct Payments {
    by_id: HashMap<PaymentId, Memory>,
    order: VecDeque<PaymentId>,
}

impl Payments {
    pub(crate) fn memory(&mut self, payment: &PaymentId) -> Memory {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_number_of_payments_is_remembered_and_the_oldest_is_forgotten() {
        let mut payments = Payments::default();
        let id = |number: usize| {
            PaymentId::parse(crate::providers::stripe::name::NAME, format!("pi_{number}")).expect("an id")
        };
        let first = payments.memory(&id(0));
        assert!(Arc::ptr_eq(&first, &payments.memory(&id(0))), "one memory for each payment");
        for number in 1..=MAX_REMEMBERED {
            payments.memory(&id(number));
        }
        assert_eq!((payments.by_id.len(), payments.order.len()), (MAX_REMEMBERED, MAX_REMEMBERED));
        assert!(!payments.by_id.contains_key(&id(0)) && payments.by_id.contains_key(&id(1)));
    }
}
