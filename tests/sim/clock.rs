//! Simulated time: it advances only when the simulation says so, and never goes back.

use std::sync::atomic::{AtomicI64, Ordering};

use topup::ports::Clock;

/// The clock shared by the service, Stripe and the network.
#[derive(Debug)]
pub struct SimClock(AtomicI64);

impl SimClock {
    /// Starts at a day in 2027.
    pub const fn new() -> Self {
        Self(AtomicI64::new(1_800_000_000_000))
    }

    /// Advances the clock.
    pub fn advance_ms(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}
