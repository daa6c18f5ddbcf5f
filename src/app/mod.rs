//! The dependencies of every use case ([`App`]), and where use cases run.

pub mod check_clock;
pub mod check_key;
pub mod fee_pause;
pub mod key_uses;
pub mod limits_seen;
pub mod payer_notes;
pub mod questions;
pub mod schedule;
pub mod session_checks;
pub mod tasks;

use std::sync::Arc;
use std::time::Duration;

use crate::db::Db;
use crate::domain::outbox_settings::OutboxSettings;
use crate::domain::price_list::PriceList;
use crate::domain::subscription_settings::SubscriptionSettings;
use crate::ports::{Clock, IdGenerator};
use crate::providers::port::Provider;
use crate::purchases::adopt::seal::SealKey;
use fee_pause::FeePause;
use key_uses::KeyUses;
use limits_seen::LimitsSeen;
use payer_notes::PayerNotes;
use questions::Questions;
use session_checks::SessionChecks;
use tasks::Tasks;

/// The time limit for all provider calls of one checkout, including retries. Shorter than the time that browsers,
/// proxies and our own request limit wait.
pub const CHECKOUT_BUDGET: Duration = Duration::from_secs(20);
/// The time limit of one call to Stripe, which usually answers in about a second.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(8);
/// The pause before the first retry of a call. It doubles each time, plus a random part of up to the same length.
pub const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The dependencies of every use case.
pub struct App {
    /// The database.
    pub db: Db,
    /// The payment provider.
    pub provider: Provider,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Generates ids and secrets.
    pub ids: Arc<dyn IdGenerator>,
    /// The prices.
    pub pricing: PriceList,
    /// The settings of checkouts.
    pub checkout: CheckoutSettings,
    /// The settings of subscriptions.
    pub subscriptions: SubscriptionSettings,
    /// Limits how often Stripe is asked about the sessions of waiting customers.
    pub session_checks: SessionChecks,
    /// For how many days the payload of a failed delivery is kept; 0 means not at all.
    pub payload_days: i64,
    /// When the books are compared with the provider's.
    pub reconciliation: ScheduleSettings,
    /// Uses of API keys that have not been stored yet.
    pub key_uses: KeyUses,
    /// For how many days personal data of payers is kept; 0 means not at all.
    pub personal_data_days: i64,
    /// What was learnt about payers and has not been stored yet.
    pub payers: PayerNotes,
    /// Whether a new warning of fraud blocks the account's spending.
    pub freeze_on_fraud_warning: bool,
    /// The key that seals checkouts; `None` if no service has used the database yet.
    pub seal: Option<SealKey>,
    /// Limits the questions to Stripe that deliveries need answered.
    pub questions: Questions,
    /// When Stripe is asked for fees again.
    pub fees: FeePause,
    /// Whether accounts with limits spend here.
    pub limits_seen: LimitsSeen,
    /// Saved cards and what they are charged for.
    pub recurring: RecurringSettings,
    /// What the product is told, and how.
    pub outbox: OutboxSettings,
    /// Runs writes, so that they complete even if the client disconnects.
    pub tasks: Tasks,
}

/// The settings of checkouts.
#[derive(Debug, Clone)]
pub struct CheckoutSettings {
    /// Whether real money moves.
    pub livemode: bool,
    /// How long a checkout stays open.
    pub expires_minutes: i64,
    /// How many open checkouts one account may have.
    pub max_open: i64,
    /// Stripe's names of the payment methods; if empty, the settings in Stripe's dashboard apply.
    pub payment_methods: Vec<String>,
    /// Whether a paid invoice is made of each purchase.
    pub makes_invoices: bool,
    /// The time limit for all provider calls of one checkout.
    pub budget: Duration,
    /// The pause before the first retry of a call, see [`FIRST_PAUSE`].
    pub first_pause: Duration,
}

/// The settings of saved cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecurringSettings {
    /// Whether customers may save cards.
    pub saves_cards: bool,
    /// Whether they may have saved cards charged when their credits run low.
    pub auto_topup: bool,
    /// The most such charges of all accounts in an hour.
    pub auto_topups_per_hour: i64,
}

/// When the service runs scheduled reconciliations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleSettings {
    /// The interval in hours; 0 means never.
    pub every_hours: i64,
    /// How many days each reconciliation covers.
    pub since_days: i64,
}

impl ScheduleSettings {
    /// No scheduled reconciliations.
    pub const NEVER: Self = Self { every_hours: 0, since_days: 1 };
}

/// Formats an error with all its causes, for the log and for people. A cause that the error before it has told already
/// is not told twice, as those of the database's driver would be.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::with_causes;

    #[derive(Debug, thiserror::Error)]
    #[error("the file is missing")]
    struct Missing;

    #[derive(Debug, thiserror::Error)]
    #[error("the driver says: {0}")]
    struct Driver(#[source] Missing);

    #[derive(Debug, thiserror::Error)]
    #[error("the database cannot be opened")]
    struct Database(#[source] Driver);

    #[test]
    fn a_cause_is_told_once() {
        let text = with_causes(&Database(Driver(Missing)));
        assert_eq!(text, "the database cannot be opened: the driver says: the file is missing");
    }
}
