//! Bounds the reads that add up many entries of an account: statements and usage. A customer may ask for them, so they
//! must not take the database from those who buy and spend.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::account::AccountId;
use crate::http::kit::problem::ApiError;

/// How many run at once in this process; the others wait in the order in which they came.
const MAX_RUNNING: usize = 4;
/// How many of one account run or wait.
const MAX_OF_ACCOUNT: usize = 4;
/// How many run or wait in all.
const MAX_IN_ALL: usize = 64;

type Counts = Arc<Mutex<HashMap<AccountId, usize>>>;

/// The long reads of this process.
#[derive(Debug)]
pub struct LongReads {
    running: Arc<Semaphore>,
    counts: Counts,
}

impl Default for LongReads {
    fn default() -> Self {
        Self { running: Arc::new(Semaphore::new(MAX_RUNNING)), counts: Counts::default() }
    }
}

/// A read that runs or waits; dropping it makes room for the next.
#[derive(Debug)]
pub struct LongRead {
    running: Arc<Semaphore>,
    counts: Counts,
    account: AccountId,
}

impl LongReads {
    /// Counts a read of an account.
    ///
    /// # Errors
    /// 503 when there are too many, of this account or in all.
    pub fn begin(&self, account: &AccountId) -> Result<LongRead, ApiError> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let of_account = counts.get(account).copied().unwrap_or(0);
        if of_account >= MAX_OF_ACCOUNT || counts.values().sum::<usize>() >= MAX_IN_ALL {
            let detail = "too many statements and usages are being added up; try again";
            return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_busy", detail).retry_after(1));
        }
        counts.insert(account.clone(), of_account.saturating_add(1));
        drop(counts);
        let (running, counts) = (self.running.clone(), self.counts.clone());
        Ok(LongRead { running, counts, account: account.clone() })
    }
}

impl LongRead {
    /// Waits until it may run.
    ///
    /// # Errors
    /// 500 if the service has closed the queue, which it never does.
    pub async fn turn(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        self.running.clone().acquire_owned().await.map_err(|error| ApiError::internal(&error))
    }
}

impl Drop for LongRead {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.account) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn account(number: usize) -> AccountId {
        AccountId::parse(format!("user_{number}")).expect("an account")
    }

    #[tokio::test]
    async fn an_account_has_a_few_and_few_run() {
        let reads = LongReads::default();
        let mut begun: Vec<_> = (0..MAX_OF_ACCOUNT).map(|_| reads.begin(&account(1)).expect("room")).collect();
        assert!(reads.begin(&account(1)).is_err());
        let other = reads.begin(&account(2)).expect("room for another account");
        let mut turns = Vec::new();
        for read in &begun {
            turns.push(read.turn().await.expect("a turn"));
        }
        assert!(other.turn().now_or_never().is_none(), "it waits for one of the four");
        turns.pop();
        drop(other.turn().await.expect("a turn"));
        begun.pop();
        begun.push(reads.begin(&account(1)).expect("room again"));
        begun.extend((3..=MAX_IN_ALL - 4).map(|number| reads.begin(&account(number)).expect("room")));
        begun.push(reads.begin(&account(2)).expect("room"));
        assert!(reads.begin(&account(99)).is_err(), "there is a bound for all");
        drop((begun, other));
        assert!(reads.counts.lock().expect("counts").is_empty());
    }
}
