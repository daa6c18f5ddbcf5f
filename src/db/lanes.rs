//! How many writes are under way at once, where several can be.
//!
//! What always holds: reads have connections that no write takes; a write that waits for a row which another transaction
//! holds gives its connection back between two tries, tries in a lane of its own, and is refused when too many wait.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::db::StoreError;

/// How many writes are under way at once. The other connections are for reads.
const WRITES: usize = 8;
/// How many of those may be tries to lock a row that could not be locked before.
const TRIES_ASIDE: usize = 3;
/// How many writes may wait for such rows. Each of them also holds up a caller, such as one of the deliveries that are
/// taken at once, so there are fewer of them than of those.
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

/// A write on its way, in one of the lanes; where writes take turns anyway, in none.
#[derive(Debug)]
pub(crate) struct Place<'l> {
    lanes: Option<&'l Lanes>,
    aside: Option<SemaphorePermit<'l>>,
}

impl<'l> Place<'l> {
    pub(crate) const fn new(lanes: Option<&'l Lanes>) -> Self {
        Self { lanes, aside: None }
    }

    /// Moves to the lane of those that wait for a row.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when too many wait already.
    pub(crate) fn step_aside(&mut self) -> Result<(), StoreError> {
        if let (Some(lanes), None) = (self.lanes, &self.aside) {
            self.aside = Some(lanes.aside.try_acquire().map_err(|_| StoreError::Locked)?);
        }
        Ok(())
    }

    /// Waits for its turn. It ends when what is given is dropped.
    pub(crate) async fn turn(&self) -> Turn<'l> {
        let Some(lanes) = self.lanes else { return Turn([None, None]) };
        // They are never closed.
        let aside = if self.aside.is_some() { lanes.tries_aside.acquire().await.ok() } else { None };
        Turn([aside, lanes.writes.acquire().await.ok()])
    }
}

/// The right to have a connection for one try.
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
