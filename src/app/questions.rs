//! Questions to Stripe that a delivery needs answered before it can be applied.
//!
//! Invariants: a delivery gives up its permit before it asks, so payments, expiries and everything else that needs only
//! local data never wait for Stripe. Few deliveries ask at once, and few wait to ask; the others are told to retry.
//! Stripe is asked only once which top-up a payment belongs to, even if the payment is another product's.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore};

use crate::domain::ids::{PaymentId, TopupId};

/// How many deliveries ask Stripe at once. Stripe allows 25 requests a second in test mode and 100 in live mode, for
/// the whole account.
const MAX_ASKING: usize = 8;
/// How many deliveries may be asking or waiting to ask.
const MAX_DELIVERIES: usize = 64;
/// For how many payments the owner is cached.
const MAX_REMEMBERED: usize = 10_000;

/// The permit of a delivery that is being applied.
pub type Turn = OwnedSemaphorePermit;

/// The limits for all questions of deliveries, and the cached answers.
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

/// The top-up named in a payment's metadata at Stripe, and how long this answer is valid.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) topup: Option<TopupId>,
    pub(crate) until_ms: i64,
}

/// The cached answer for one payment. The task that asks Stripe holds the lock, so that others wait for the same
/// answer.
pub(crate) type Memory = Arc<AsyncMutex<Option<Answer>>>;

/// The payments that were asked about most recently; the oldest is evicted first.
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
