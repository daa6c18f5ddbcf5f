//! How many checkouts one account, or one address of nobody, may open.
//!
//! Held in memory by `governor`, for this process alone: it keeps one caller from filling the database and Stripe's
//! limits, it does not count money.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use actix_web::http::StatusCode;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use super::problem::ApiError;
use crate::domain::account::AccountId;

/// Beyond this many keys those that are full again are forgotten.
const MAX_KEYS: usize = 100_000;

/// The limits of this process.
pub struct CheckoutLimits {
    accounts: DefaultKeyedRateLimiter<AccountId>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl CheckoutLimits {
    /// Allows so many a minute, all at once or spread.
    #[must_use]
    pub fn per_minute(count: NonZeroU32) -> Self {
        let quota = Quota::per_minute(count);
        Self {
            accounts: DefaultKeyedRateLimiter::keyed(quota),
            addresses: DefaultKeyedRateLimiter::keyed(quota),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a checkout of an account.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub fn check_account(&self, account: &AccountId) -> Result<(), ApiError> {
        self.check(&self.accounts, account)
    }

    /// Counts an attempt of somebody who is nobody. One customer has a whole /64 of IPv6.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub fn check_address(&self, address: IpAddr) -> Result<(), ApiError> {
        let key = match address {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
            IpAddr::V4(_) => address,
        };
        self.check(&self.addresses, &key)
    }

    fn check<K: Hash + Eq + Clone>(&self, limiter: &DefaultKeyedRateLimiter<K>, key: &K) -> Result<(), ApiError> {
        if limiter.len() > MAX_KEYS {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        limiter.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            let seconds = wait.as_secs().saturating_add(1);
            let detail = format!("too many checkouts; try again in {seconds} seconds");
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).retry_after(seconds)
        })
    }
}
