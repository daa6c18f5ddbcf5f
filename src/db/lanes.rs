//! Limits how many writes run at once on a database with several writers.
//!
//! Invariants: reads have connections that writes never take. A write that waits for a row lock gives its connection
//! back between attempts, retries in a separate lane, and is refused when too many wait.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::db::StoreError;

/// How many writes run at once. The other connections are for reads.
const WRITES: usize = 8;
/// How many of those may be retries for a row lock that was not granted before.
const TRIES_ASIDE: usize = 3;
/// How many writes may wait for row locks. Each also holds up a caller, such as one of the deliveries that are admitted
/// at once, so this limit is lower than that one.
const MAX_ASIDE: usize = 16;

/// The lanes of a database.
#[derive(Debug)]
pub(crate) struct Lanes {
    writes: Semaphore,
    tries_aside: Semaphore,
    aside: Semaphore,
}

impl Default for Lanes {
    fn default() -> Self {
        let new = Semaphore::new;
        Self { writes: new(WRITES), tries_aside: new(TRIES_ASIDE), aside: new(MAX_ASIDE) }
    }
}

/// A write's place in one of the lanes; in none on a database with a single writer.
#[derive(Debug)]
pub(crate) struct Place<'l> {
    lanes: Option<&'l Lanes>,
    aside: Option<SemaphorePermit<'l>>,
}

impl<'l> Place<'l> {
    pub(crate) const fn new(lanes: Option<&'l Lanes>) -> Self {
        Self { lanes, aside: None }
    }

    /// Moves to the lane of the writes that wait for a row lock.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when too many wait already.
    pub(crate) fn step_aside(&mut self) -> Result<(), StoreError> {
        if let (Some(lanes), None) = (self.lanes, &self.aside) {
            self.aside = Some(lanes.aside.try_acquire().map_err(|_| StoreError::Locked)?);
        }
        Ok(())
    }

    /// Waits for the write's turn, which lasts until the returned value is dropped.
    pub(crate) async fn turn(&self) -> Turn<'l> {
        let Some(lanes) = self.lanes else { return Turn([None, None]) };
        // The semaphores are never closed.
        let aside = if self.aside.is_some() { lanes.tries_aside.acquire().await.ok() } else { None };
        Turn([aside, lanes.writes.acquire().await.ok()])
    }
}

/// The right to use a connection for one attempt.
#[derive(Debug)]
pub(crate) struct Turn<'l>(#[expect(dead_code, reason = "held until it is dropped")] [Option<SemaphorePermit<'l>>; 2]);

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn writes_that_wait_for_a_row_leave_turns_to_the_others_and_are_bounded() {
        let lanes = Lanes::default();
        let mut waiting: Vec<Place<'_>> = (0..=MAX_ASIDE).map(|_| Place::new(Some(&lanes))).collect();
        let refused: Vec<bool> = waiting.iter_mut().map(|place| place.step_aside().is_err()).collect();
        assert_eq!(refused.iter().position(|refused| *refused), Some(MAX_ASIDE), "only the last");
        let aside = &waiting[..MAX_ASIDE];
        let tries: Vec<Turn<'_>> = aside.iter().filter_map(|place| place.turn().now_or_never()).collect();
        assert_eq!(tries.len(), TRIES_ASIDE);
        let others: Vec<Turn<'_>> =
            (0..WRITES).filter_map(|_| Place::new(Some(&lanes)).turn().now_or_never()).collect();
        assert_eq!(others.len(), WRITES - TRIES_ASIDE);
        drop(waiting);
        assert!(Place::new(Some(&lanes)).step_aside().is_ok());
    }
}
