//! Deliveries of the concurrent runs.

use std::sync::Mutex;

use topup::ports::Clock;

use crate::sim::clock::SimClock;
use crate::sim::network::{Delivery, Network};
use crate::sim::rng::Rng;
use crate::sim::stripe::SharedStripe;
use crate::sim::world::WEBHOOK_SECRET;

/// Takes an event from the network, if there is one, and puts it back unless it is accepted. Several workers may hold
/// copies of it.
pub async fn deliver(
    network: &Mutex<Network>,
    stripe: &SharedStripe,
    clock: &SimClock,
    rng: &mut Rng,
    send: impl AsyncFnOnce(&Delivery) -> bool,
) {
    let now_ms = clock.now_ms();
    let delivery = {
        let mut network = network.lock().expect("nobody panicked");
        network.collect(&mut stripe.lock().truth, rng, now_ms);
        network.next(rng, now_ms)
    };
    let Some(delivery) = delivery else { return };
    if !send(&delivery).await {
        network.lock().expect("nobody panicked").again(delivery, rng, now_ms);
    }
}

/// The signature header and the body of a delivery.
pub fn signed(stripe: &SharedStripe, clock: &SimClock, delivery: &Delivery) -> (String, String) {
    let body = {
        let stripe = stripe.lock();
        delivery.body(&stripe.model, &stripe.truth.events[delivery.event].id)
    };
    (stripe_sandbox::sign(WEBHOOK_SECRET, clock.now_ms() / 1_000, body.as_bytes()), body)
}
