//! Limits how many checkouts an account may open, how many questions it may have answered by the payment provider, and
//! how many requests without valid credentials an address may make.
//!
//! Kept in memory by `governor`, per process: it keeps one caller from filling the database and using up Stripe's
//! limits, and is not used to count money.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;

use actix_web::http::StatusCode;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use crate::domain::account::AccountId;
use crate::http::kit::client_address::network_of;
use crate::http::kit::problem::ApiError;

/// Questions per checkout that an account may open: a page asks one each time it is loaded or shown again.
const QUESTIONS_PER_CHECKOUT: NonZeroU32 = NonZeroU32::new(4).expect("is not zero");

/// Above this number, keys with an unused allowance are forgotten.
const MAX_KEYS: usize = 100_000;

/// The limits of this process.
pub struct CheckoutLimits {
    questions: DefaultKeyedRateLimiter<AccountId>,
    accounts: DefaultKeyedRateLimiter<AccountId>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl CheckoutLimits {
    /// Allows `count` per minute for each account and each address, at once or spread, and four times as many questions.
    #[must_use]
    pub fn per_minute(count: NonZeroU32) -> Self {
        let quota = Quota::per_minute(count);
        let questions = Quota::per_minute(count.saturating_mul(QUESTIONS_PER_CHECKOUT));
        Self {
            questions: DefaultKeyedRateLimiter::keyed(questions),
            accounts: DefaultKeyedRateLimiter::keyed(quota),
            addresses: DefaultKeyedRateLimiter::keyed(quota),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a checkout of an account, or other work at the payment provider that a request asks for.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub fn check_account(&self, account: &AccountId) -> Result<(), ApiError> {
        self.check(&self.accounts, account, "too many checkouts")
    }

    /// Counts a question of an account that the payment provider answers. What the books answer is not counted.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub fn check_question(&self, account: &AccountId) -> Result<(), ApiError> {
        self.check(&self.questions, account, "too many questions")
    }

    /// Counts a request without valid credentials. Requests with valid ones are always let in, because many callers may
    /// share an address.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub fn check_address(&self, address: IpAddr) -> Result<(), ApiError> {
        let what = "too many requests without valid credentials from this address";
        self.check(&self.addresses, &network_of(address), what)
    }

    fn check<K: Hash + Eq + Clone>(
        &self,
        limiter: &DefaultKeyedRateLimiter<K>,
        key: &K,
        what: &str,
    ) -> Result<(), ApiError> {
        if limiter.len() > MAX_KEYS {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        limiter.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            let seconds = wait.as_secs().saturating_add(1);
            let detail = format!("{what}; try again in {seconds} seconds");
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).retry_after(seconds)
        })
    }
}
