//! What happens after a failed renewal: the retries, and what the dashboard's setting says after the last one.

use serde::{Deserialize, Serialize};

const A_DAY: i64 = 86_400;
/// Stripe's Smart Retries make at most eight.
pub(crate) const MAX_RETRIES: usize = 8;

/// What becomes of a subscription whose invoice was retried in vain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AfterRetries {
    #[default]
    Cancel,
    Unpaid,
    PastDue,
}

/// The dashboard's settings for subscriptions, for all customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct BillingSettings {
    /// The days after the first attempt on which it is made again; zero ends the list.
    pub(crate) retry_days: [u16; MAX_RETRIES],
    pub(crate) after_retries: AfterRetries,
    /// How many days before a renewal `invoice.upcoming` is sent; zero sends none.
    pub(crate) upcoming_days: u16,
}

impl Default for BillingSettings {
    fn default() -> Self {
        Self { retry_days: [3, 5, 7, 0, 0, 0, 0, 0], after_retries: AfterRetries::Cancel, upcoming_days: 7 }
    }
}

impl BillingSettings {
    /// When the next attempt is due after `attempts` attempts, the last of them at `now`; `None` after the last retry.
    pub(crate) fn next_attempt(&self, attempts: i64, now: i64) -> Option<i64> {
        let made = usize::try_from(attempts.saturating_sub(1)).ok()?;
        let day = self.retry_days.get(made).copied().filter(|day| *day > 0)?;
        let before = made.checked_sub(1).and_then(|place| self.retry_days.get(place)).copied().unwrap_or(0);
        let pause = i64::from(day.saturating_sub(before)).max(1);
        Some(now.saturating_add(pause.saturating_mul(A_DAY)))
    }

    /// When a renewal at `end` is announced.
    pub(crate) fn upcoming_at(&self, end: i64) -> Option<i64> {
        (self.upcoming_days > 0).then(|| end.saturating_sub(i64::from(self.upcoming_days).saturating_mul(A_DAY)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_follow_the_days_of_the_schedule_and_end_with_it() {
        let settings = BillingSettings::default();
        let (mut now, mut tries) = (0, Vec::new());
        for attempts in 1.. {
            let Some(next) = settings.next_attempt(attempts, now) else { break };
            now = next;
            tries.push(now / A_DAY);
        }
        assert_eq!(tries, [3, 5, 7]);
        assert_eq!(settings.next_attempt(0, 0), None, "there was no attempt");
        let full = BillingSettings { retry_days: [1, 2, 3, 4, 5, 6, 7, 8], ..settings };
        assert_eq!(full.next_attempt(8, 0), Some(A_DAY));
        assert_eq!(full.next_attempt(9, 0), None);
    }
}
