//! The use cases, one file each. They know the rules, the ports and the store; they know nothing of HTTP or Stripe.

pub mod accept_payment;
pub mod adjust_account;
pub mod adopt_purchase;
pub mod api_keys;
pub mod apply_event;
mod apply_reversal;
mod apply_thin;
pub mod audit;
pub mod caller_key;
pub mod check_clock;
pub mod check_key;
pub mod check_session;
pub mod check_topup;
pub mod create_checkout;
mod create_once;
pub mod explain_topup;
pub mod failed_deliveries;
pub mod key_uses;
pub mod known_keys;
pub mod learn_fees;
mod make_refund;
mod open_checkout;
pub mod operator;
pub mod purge_keys;
pub mod questions;
pub mod reconcile;
pub mod refund_topup;
pub mod schedule;
pub mod seal;
pub mod session_checks;
mod settle_refunds;
pub mod tasks;
pub mod unapplied;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::pricing::Pricing;
use crate::ports::{Clock, IdGenerator, PaymentGateway, WebhookReader};
use crate::store::Db;
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
    /// Stripe, to be called.
    pub gateway: Arc<dyn PaymentGateway>,
    /// Stripe, to be believed.
    pub webhooks: Arc<dyn WebhookReader>,
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
    pub reconciliation: reconcile::schedule::ScheduleSettings,
    /// When API keys were used.
    pub key_uses: key_uses::KeyUses,
    /// What checkouts are sealed with; none if no service has used the database yet.
    pub seal: Option<seal::SealKey>,
    /// The bounds of what deliveries ask Stripe.
    pub questions: questions::Questions,
    /// When Stripe is asked again what it kept.
    pub fees: learn_fees::FeePause,
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
