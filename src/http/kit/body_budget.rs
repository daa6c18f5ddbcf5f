//! The memory shared by all webhook bodies, and which body gives way when it runs out.
//!
//! Anyone can send half a body, so a body that is still arriving has no claim to its memory. When memory runs out, the
//! most expensive body gives way: its bytes, times how long they have been held, times all bytes held by its address. A
//! genuine delivery is small and arrives at once, so it outlasts any number of slow senders. A complete body keeps its
//! memory until it has been processed.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::Instant;

use futures_util::task::AtomicWaker;

use crate::http::kit::client_address::network_of;

/// The minimum age in the cost, so that between two new bodies only the size decides.
const YOUNGEST_MS: u128 = 50;

/// A number of bytes shared by all bodies.
pub struct BodyBudget {
    limit: usize,
    bodies: Mutex<Bodies>,
}

#[derive(Default)]
struct Bodies {
    taken: usize,
    next: u64,
    arriving: HashMap<u64, Arriving>,
    of_network: HashMap<IpAddr, usize>,
}

/// An incomplete body.
struct Arriving {
    network: IpAddr,
    bytes: usize,
    since: Instant,
    lost: Arc<Lost>,
}

/// Tells the reader of a body that the body has given way.
#[derive(Default)]
struct Lost {
    is_lost: AtomicBool,
    waker: AtomicWaker,
}

/// One body's share of the budget, released when dropped.
pub struct BodyShare {
    budget: Arc<BodyBudget>,
    number: u64,
    network: IpAddr,
    lost: Arc<Lost>,
    /// The bytes of a complete body; before that they are counted in [`Arriving`].
    whole: usize,
}

impl Bodies {
    fn release(&mut self, network: IpAddr, bytes: usize) {
        self.taken = self.taken.saturating_sub(bytes);
        if let Some(of_network) = self.of_network.get_mut(&network) {
            *of_network = of_network.saturating_sub(bytes);
            if *of_network == 0 {
                self.of_network.remove(&network);
            }
        }
    }

    /// The cost of a body if it had `more` additional bytes.
    fn cost(&self, body: &Arriving, more: usize, now: Instant) -> u128 {
        let of_network = self.of_network.get(&body.network).copied().unwrap_or_default().saturating_add(more);
        let size = |bytes: usize| u128::try_from(bytes).unwrap_or(u128::MAX);
        let age_ms = now.saturating_duration_since(body.since).as_millis().saturating_add(YOUNGEST_MS);
        size(body.bytes.saturating_add(more)).saturating_mul(age_ms).saturating_mul(size(of_network))
    }

    /// The most expensive arriving body, and its cost.
    fn costliest(&self, now: Instant) -> Option<(u64, u128)> {
        let costs = self.arriving.iter().map(|(number, body)| (*number, self.cost(body, 0, now)));
        costs.max_by_key(|(_, cost)| *cost)
    }

    fn give_way(&mut self, number: u64) {
        let Some(body) = self.arriving.remove(&number) else { return };
        self.release(body.network, body.bytes);
        body.lost.is_lost.store(true, Ordering::Release);
        body.lost.waker.wake();
    }
}

impl BodyBudget {
    /// Creates a budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, bodies: Mutex::default() })
    }

    fn bodies(&self) -> MutexGuard<'_, Bodies> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a body that starts arriving from this address.
    #[must_use]
    pub fn begin(self: &Arc<Self>, address: IpAddr, now: Instant) -> BodyShare {
        let (network, lost) = (network_of(address), Arc::new(Lost::default()));
        let mut bodies = self.bodies();
        let number = bodies.next;
        bodies.next = bodies.next.wrapping_add(1);
        bodies.arriving.insert(number, Arriving { network, bytes: 0, since: now, lost: lost.clone() });
        BodyShare { budget: self.clone(), number, network, lost, whole: 0 }
    }
}

impl BodyShare {
    /// Takes more bytes. `false` if there is no room and no more expensive body that could give way.
    #[must_use]
    pub fn take(&self, more: usize, now: Instant) -> bool {
        let mut bodies = self.budget.bodies();
        while bodies.taken.saturating_add(more) > self.budget.limit {
            let own = bodies.arriving.get(&self.number).map(|body| bodies.cost(body, more, now));
            match (bodies.costliest(now), own) {
                (Some((other, cost)), Some(own)) if other != self.number && cost > own => bodies.give_way(other),
                _ => return false,
            }
        }
        let Some(body) = bodies.arriving.get_mut(&self.number) else { return false };
        body.bytes = body.bytes.saturating_add(more);
        bodies.taken = bodies.taken.saturating_add(more);
        let of_network = bodies.of_network.entry(self.network).or_default();
        *of_network = of_network.saturating_add(more);
        true
    }

    /// Whether the body has given way to another; if not, wakes the task when it does.
    #[must_use]
    pub fn poll_lost(&self, context: &Context<'_>) -> bool {
        self.lost.waker.register(context.waker());
        self.lost.is_lost.load(Ordering::Acquire)
    }

    /// Marks the body as complete, so that it keeps its bytes. `false` if it has just given way.
    #[must_use]
    pub fn keep(&mut self) -> bool {
        let body = self.budget.bodies().arriving.remove(&self.number);
        self.whole = body.as_ref().map_or(0, |body| body.bytes);
        body.is_some()
    }
}

impl Drop for BodyShare {
    fn drop(&mut self) {
        let mut bodies = self.budget.bodies();
        let arriving = bodies.arriving.remove(&self.number).map_or(0, |body| body.bytes);
        let bytes = arriving.saturating_add(self.whole);
        bodies.release(self.network, bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1));
    const STRIPE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));

    fn is_lost(share: &BodyShare) -> bool {
        share.poll_lost(&Context::from_waker(std::task::Waker::noop()))
    }

    #[test]
    fn what_has_been_held_longest_gives_way_and_only_as_much_as_is_needed() {
        let (budget, start) = (BodyBudget::new(1_000), Instant::now());
        let held: Vec<BodyShare> = (0..10)
            .map(|place| {
                let share = budget.begin(STRANGER, start + Duration::from_millis(place * 100));
                assert!(share.take(100, start));
                share
            })
            .collect();
        let good = budget.begin(STRIPE, start + Duration::from_secs(2));
        assert!(good.take(150, start + Duration::from_secs(2)));
        assert_eq!(held.iter().map(is_lost).collect::<Vec<_>>(), [[true; 2].as_slice(), &[false; 8]].concat());
    }

    #[test]
    fn a_small_body_outlasts_large_ones_of_its_own_address() {
        let (budget, now) = (BodyBudget::new(1_000), Instant::now());
        let large = [budget.begin(STRANGER, now), budget.begin(STRANGER, now)];
        assert!(large.iter().all(|body| body.take(500, now)));
        let small = budget.begin(STRANGER, now);
        assert!(small.take(20, now) && !is_lost(&small));
        assert_eq!(large.iter().filter(|body| is_lost(body)).count(), 1);
        // A body that would itself be the most expensive does not get its place back.
        let again = budget.begin(STRANGER, now);
        assert!(!again.take(600, now) && !is_lost(&small));
    }

    #[test]
    fn many_addresses_that_hold_a_little_each_do_not_push_out_a_busy_good_one() {
        let (budget, start) = (BodyBudget::new(10_000), Instant::now());
        let slow: Vec<BodyShare> = (1..=100)
            .map(|last| {
                let share = budget.begin(IpAddr::from([198, 51, 100, last]), start);
                assert!(share.take(100, start));
                share
            })
            .collect();
        let now = start + Duration::from_secs(3);
        let good: Vec<BodyShare> = (0..50).map(|_| budget.begin(STRIPE, now)).collect();
        assert!(good.iter().all(|body| body.take(50, now)));
        assert!(!good.iter().any(is_lost) && slow.iter().any(is_lost));
    }

    #[test]
    fn a_whole_body_keeps_its_place_and_everything_is_given_back() {
        let (budget, start) = (BodyBudget::new(100), Instant::now());
        let mut whole = budget.begin(STRANGER, start);
        assert!(whole.take(100, start) && whole.keep());
        let late = start + Duration::from_hours(1);
        let other = budget.begin(STRIPE, late);
        assert!(!other.take(1, late), "nothing that arrives may push out what has arrived");
        assert!(!is_lost(&whole));
        drop(whole);
        assert!(other.take(100, late));
        drop(other);
        let bodies = budget.bodies();
        assert_eq!((bodies.taken, bodies.arriving.len(), bodies.of_network.len()), (0, 0, 0));
    }

    #[test]
    fn what_gave_way_takes_nothing_more_and_is_no_whole_body() {
        let (budget, start) = (BodyBudget::new(100), Instant::now());
        let mut slow = budget.begin(STRANGER, start);
        assert!(slow.take(100, start));
        let late = start + Duration::from_secs(1);
        let good = budget.begin(STRIPE, late);
        assert!(good.take(50, late));
        assert!(is_lost(&slow) && !slow.take(1, late) && !slow.keep());
        drop(slow);
        assert_eq!(budget.bodies().taken, 50);
    }
}
