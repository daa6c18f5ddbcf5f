//! What every use case works with, and where use cases run.

pub mod check_clock;
pub mod check_key;
pub mod fee_pause;
pub mod key_uses;
pub mod questions;
pub mod schedule;
pub mod session_checks;
pub mod tasks;

use std::sync::Arc;
use std::time::Duration;

use crate::db::Db;
use crate::domain::pricing::Pricing;
use crate::ports::{Clock, IdGenerator};
use crate::providers::port::Provider;
use crate::purchases::adopt::seal::SealKey;
use fee_pause::FeePause;
use key_uses::KeyUses;
use questions::Questions;
use session_checks::SessionChecks;
use tasks::Tasks;

/// How long the calls for one checkout may take in all, with their repetitions. Less than what a browser, a proxy or
/// our own request limit waits.
pub const CHECKOUT_BUDGET: Duration = Duration::from_secs(20);
/// How long one call to Stripe may take. Stripe itself answers in about a second.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(8);
/// The wait before the first repetition of a call; it doubles each time and has a random part of up to the same length.
pub const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// What every use case works with.
pub struct App {
    /// Where everything is kept.
    pub db: Db,
    /// The payment provider.
    pub provider: Provider,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and secrets.
    pub ids: Arc<dyn IdGenerator>,
    /// What credits cost.
    pub pricing: Pricing,
    /// What a checkout is like.
    pub checkout: CheckoutSettings,
    /// How often Stripe is asked about sessions whose customers wait.
    pub session_checks: SessionChecks,
    /// How many days the payload of a failed delivery is kept; 0 means not at all.
    pub payload_days: i64,
    /// When the books are compared with Stripe's.
    pub reconciliation: ScheduleSettings,
    /// When API keys were used.
    pub key_uses: KeyUses,
    /// What checkouts are sealed with; none if no service has used the database yet.
    pub seal: Option<SealKey>,
    /// The bounds of what deliveries ask Stripe.
    pub questions: Questions,
    /// When Stripe is asked again what it kept.
    pub fees: FeePause,
    /// Where writes run, so that a client that goes away interrupts nothing.
    pub tasks: Tasks,
}

/// What a checkout is like.
#[derive(Debug, Clone)]
pub struct CheckoutSettings {
    /// Whether real money moves.
    pub livemode: bool,
    /// How long a checkout stays open.
    pub expires_minutes: i64,
    /// How many checkouts of one account may be open at once.
    pub max_open: i64,
    /// Stripe's names of the payment methods; empty means what Stripe's dashboard says.
    pub payment_methods: Vec<String>,
    /// How long the calls to Stripe for one checkout may take in all.
    pub budget: Duration,
    /// The wait before the first repetition of a call, see [`FIRST_PAUSE`].
    pub first_pause: Duration,
}

/// When the service compares by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleSettings {
    /// How often, in hours; 0 means never.
    pub every_hours: i64,
    /// How far back, in days.
    pub since_days: i64,
}

impl ScheduleSettings {
    /// Nothing is compared by itself.
    pub const NEVER: Self = Self { every_hours: 0, since_days: 1 };
}

/// An error with all its causes, for the log.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
