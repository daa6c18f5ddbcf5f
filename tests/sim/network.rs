//! The network between Stripe and the service: events arrive late, in any order, twice, as two events about one change,
//! in any API version, or not at all. A delivery without a 200 is retried.

use stripe_sandbox::{API_VERSIONS, Model};
use topup::providers::stripe::event::EVENT_TYPES;

use super::rng::Rng;
use super::truth::Truth;

/// A delivery in transit.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The event's index in the truth.
    pub event: usize,
    /// The delivered event id: its own, or that of a second event about the same change.
    pub id: String,
    /// The API version of its body.
    pub version: &'static str,
    /// Whether it is a thin payload.
    pub thin: bool,
    /// The earliest time of arrival.
    pub due_ms: i64,
    /// The number of attempts so far.
    attempts: u32,
}

impl Delivery {
    /// The request body. `own` is the event's id at Stripe.
    pub fn body(&self, model: &Model, own: &str) -> String {
        if self.thin {
            return model.thin_event_body(own).expect("it happened");
        }
        let body = model.event_body(own, Some(self.version)).expect("it happened");
        body.replace(&format!("\"{own}\""), &format!("\"{}\"", self.id))
    }
}

/// Stripe gives up after this many attempts.
const MAX_ATTEMPTS: u32 = 10;

/// All deliveries in transit.
#[derive(Debug, Default)]
pub struct Network {
    /// In no particular order.
    pub pending: Vec<Delivery>,
    /// The number of events that never arrive.
    pub dropped: u64,
    /// The number of events sent twice or more.
    pub doubled: u64,
    clones: u64,
}

impl Network {
    /// Queues the events that happened at Stripe since the last call.
    pub fn collect(&mut self, truth: &mut Truth, rng: &mut Rng, now_ms: i64) {
        while let Some(event) = truth.unsent.pop_front() {
            let told = &truth.events[event];
            // An endpoint gets the types it subscribed to; some subscribe to all.
            if !EVENT_TYPES.contains(&told.kind.as_str()) && !rng.percent(3) {
                continue;
            }
            if rng.percent(8) {
                self.dropped += 1;
                continue;
            }
            let copies = if rng.percent(15) { rng.between(2, 3) } else { 1 };
            for copy in 0..copies {
                let mut id = told.id.clone();
                if copy > 0 {
                    self.doubled += 1;
                    if rng.percent(25) {
                        self.clones += 1;
                        id = format!("evt_again{}_{}", self.clones, told.id);
                    }
                }
                let version = rng.pick(API_VERSIONS);
                // At Stripe, a second event about the same change can only be read by its own id.
                let thin = id == told.id && rng.percent(12);
                let due_ms = now_ms + delay_ms(rng);
                self.pending.push(Delivery { event, id, version, thin, due_ms, attempts: 0 });
            }
        }
    }

    /// Takes a delivery that is due, if there is one.
    pub fn next(&mut self, rng: &mut Rng, now_ms: i64) -> Option<Delivery> {
        let due: Vec<usize> = (0..self.pending.len()).filter(|place| self.pending[*place].due_ms <= now_ms).collect();
        if due.is_empty() {
            return None;
        }
        let place = *rng.pick(&due);
        Some(self.pending.swap_remove(place))
    }

    /// Takes up to `most` due deliveries of these types that are not thin and not about recurring money.
    pub fn take(&mut self, truth: &Truth, types: &[&str], most: usize, now_ms: i64) -> Vec<Delivery> {
        let mut taken = Vec::new();
        while taken.len() < most {
            let wanted = |delivery: &Delivery| {
                delivery.due_ms <= now_ms
                    && !delivery.thin
                    && !truth.events[delivery.event].is_recurring
                    && types.contains(&truth.events[delivery.event].kind.as_str())
            };
            let Some(place) = self.pending.iter().position(wanted) else { break };
            taken.push(self.pending.remove(place));
        }
        taken
    }

    /// Schedules a retry of a delivery without a 200.
    pub fn again(&mut self, mut delivery: Delivery, rng: &mut Rng, now_ms: i64) {
        delivery.attempts += 1;
        if delivery.attempts >= MAX_ATTEMPTS {
            self.dropped += 1;
            return;
        }
        delivery.due_ms = now_ms + delay_ms(rng);
        self.pending.push(delivery);
    }
}

/// Mostly none, sometimes longer than that of later events.
fn delay_ms(rng: &mut Rng) -> i64 {
    match rng.below(10) {
        0..=5 => 0,
        6..=7 => rng.between(1, 5_000),
        8 => rng.between(5_000, 600_000),
        _ => rng.between(600_000, 3 * 86_400_000),
    }
}
