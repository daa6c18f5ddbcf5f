//! Limits how often Stripe is asked about the sessions of waiting customers, per account and in total.
//!
//! Stripe limits the requests of an account, and a customer who reloads a page must not slow down payments. Beyond
//! these limits the answer comes from the database, and the webhook brings the result. Counted per process and by the
//! injected clock, which the crate that limits callers (`http/kit/rate_limit.rs`) does not support.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::domain::account::AccountId;

/// One question every two seconds, with bursts of thirty: more than several polling return pages need.
const PER_ACCOUNT: Pace = Pace { every_ms: 2_000, at_once: 30 };
/// Ten questions a second, with bursts of a hundred: a tenth of what Stripe allows a live account.
const IN_ALL: Pace = Pace { every_ms: 100, at_once: 100 };
/// How many questions may be in flight: a slow Stripe must not hold up more.
const MAX_UNDER_WAY: usize = 16;
/// Above this number, accounts with an unused allowance are forgotten.
const MAX_ACCOUNTS: usize = 10_000;

/// A rate and a burst size.
#[derive(Debug, Clone, Copy)]
struct Pace {
    every_ms: i64,
    at_once: i64,
}

impl Pace {
    /// The time when all questions including this one are paid off; `None` if it exceeds the limit. `paid_off_ms` is
    /// that time for the previous questions.
    const fn ask(self, paid_off_ms: i64, now_ms: i64) -> Option<i64> {
        let longest_ms = self.every_ms.saturating_mul(self.at_once);
        let owed_ms = paid_off_ms.saturating_sub(now_ms);
        // A debt above the maximum was recorded by a clock that was ahead.
        let owed_ms = if owed_ms < 0 || owed_ms > longest_ms { 0 } else { owed_ms };
        let owed_ms = owed_ms.saturating_add(self.every_ms);
        if owed_ms > longest_ms { None } else { Some(now_ms.saturating_add(owed_ms)) }
    }
}

#[derive(Debug, Default)]
struct LastCheck {
    in_all: i64,
    accounts: HashMap<AccountId, i64>,
}

/// The limits of this process.
#[derive(Debug)]
pub struct SessionChecks {
    asked: Mutex<LastCheck>,
    under_way: Semaphore,
}

impl Default for SessionChecks {
    fn default() -> Self {
        Self { asked: Mutex::default(), under_way: Semaphore::new(MAX_UNDER_WAY) }
    }
}

impl SessionChecks {
    /// Counts a question about a session of this account. Returns a permit to hold while the question is in flight;
    /// `None` if a limit is exceeded.
    pub fn ask(&self, account: &AccountId, now_ms: i64) -> Option<SemaphorePermit<'_>> {
        let permit = self.under_way.try_acquire().ok()?;
        let mut asked = self.asked();
        let of_account = asked.accounts.get(account).copied().unwrap_or(i64::MIN);
        let of_account = PER_ACCOUNT.ask(of_account, now_ms)?;
        asked.in_all = IN_ALL.ask(asked.in_all, now_ms)?;
        if asked.accounts.len() >= MAX_ACCOUNTS {
            asked.accounts.retain(|_, paid_off_ms| *paid_off_ms > now_ms);
        }
        asked.accounts.insert(account.clone(), of_account);
        Some(permit)
    }

    fn asked(&self) -> MutexGuard<'_, LastCheck> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: usize) -> AccountId {
        AccountId::parse(format!("user_{number}")).expect("an account")
    }

    fn granted(checks: &SessionChecks, account: &AccountId, times: usize, now_ms: i64) -> usize {
        (0..times).filter(|_| checks.ask(account, now_ms).is_some()).count()
    }

    #[test]
    fn an_account_asks_thirty_times_at_once_and_then_every_two_seconds() {
        let checks = SessionChecks::default();
        assert_eq!(granted(&checks, &account(1), 40, 1_000_000), 30);
        assert_eq!(granted(&checks, &account(2), 1, 1_000_000), 1, "others do not notice");
        assert_eq!(granted(&checks, &account(1), 5, 1_001_999), 0);
        assert_eq!(granted(&checks, &account(1), 5, 1_002_000), 1);
        assert_eq!(granted(&checks, &account(1), 40, 1_062_000), 30);
    }

    #[test]
    fn all_accounts_together_ask_a_hundred_times_at_once_and_then_ten_times_a_second() {
        let checks = SessionChecks::default();
        let all = |now_ms| (0..200).map(|number| granted(&checks, &account(number), 1, now_ms)).sum::<usize>();
        assert_eq!((all(1_000_000), all(1_000_099), all(1_001_000)), (100, 0, 10));
    }

    #[test]
    fn so_many_are_under_way_at_once() {
        let checks = SessionChecks::default();
        let held: Vec<_> = (0..20).filter_map(|number| checks.ask(&account(number), 0)).collect();
        assert_eq!(held.len(), MAX_UNDER_WAY);
        drop(held);
        assert!(checks.ask(&account(1), 0).is_some());
    }

    #[test]
    fn a_clock_that_was_ahead_blocks_nobody_and_the_list_stays_short() {
        let checks = SessionChecks::default();
        assert_eq!(granted(&checks, &account(1), 40, 9_000_000_000), 30);
        assert_eq!(granted(&checks, &account(1), 40, 1_000_000), 30);
        for number in 0..MAX_ACCOUNTS * 2 {
            let now_ms = 2_000_000 + i64::try_from(number).expect("small") * 1_000;
            assert_eq!(granted(&checks, &account(number), 1, now_ms), 1);
        }
        assert!(checks.asked().accounts.len() <= MAX_ACCOUNTS);
    }
}
