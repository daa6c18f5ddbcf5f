//! How often Stripe is asked about sessions whose customers wait, per account and in all.
//!
//! Stripe limits what one of its accounts may ask, and payments must not wait because somebody reloads a page. Beyond these
//! bounds the database answers, and the webhook brings the news. Counted in this process alone,
//! by the injected clock, which the crate that limits callers (`http/kit/rate_limit.rs`) does not take.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::domain::account::AccountId;

/// One question every two seconds, thirty at once: more than several return pages that ask again and again.
const PER_ACCOUNT: Pace = Pace { every_ms: 2_000, at_once: 30 };
/// Ten questions a second, a hundred at once: a tenth of what Stripe allows a live account.
const IN_ALL: Pace = Pace { every_ms: 100, at_once: 100 };
/// How many questions may be under way at once: a Stripe that answers slowly must not hold up more.
const MAX_UNDER_WAY: usize = 16;
/// Beyond this many accounts those are forgotten that may ask as often as one that never asked.
const MAX_ACCOUNTS: usize = 10_000;

/// So often, and so many at once after a rest.
#[derive(Debug, Clone, Copy)]
struct Pace {
    every_ms: i64,
    at_once: i64,
}

impl Pace {
    /// When everything that was asked is paid off, if one more question is asked; `None` if that is too many. `paid_off_ms` is
    /// the same for the questions so far.
    const fn ask(self, paid_off_ms: i64, now_ms: i64) -> Option<i64> {
        let longest_ms = self.every_ms.saturating_mul(self.at_once);
        let owed_ms = paid_off_ms.saturating_sub(now_ms);
        // More than can be owed was written by a clock that was ahead.
        let owed_ms = if owed_ms < 0 || owed_ms > longest_ms { 0 } else { owed_ms };
        let owed_ms = owed_ms.saturating_add(self.every_ms);
        if owed_ms > longest_ms { None } else { Some(now_ms.saturating_add(owed_ms)) }
    }
}

#[derive(Debug, Default)]
struct Asked {
    in_all: i64,
    accounts: HashMap<AccountId, i64>,
}

/// The bounds of this process.
#[derive(Debug)]
pub struct SessionChecks {
    asked: Mutex<Asked>,
    under_way: Semaphore,
}

impl Default for SessionChecks {
    fn default() -> Self {
        Self { asked: Mutex::default(), under_way: Semaphore::new(MAX_UNDER_WAY) }
    }
}

impl SessionChecks {
    /// Counts a question about a session of this account. `None` when it is one too many; a permit to hold while it is under
    /// way otherwise.
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

    fn asked(&self) -> MutexGuard<'_, Asked> {
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
