//! The settings of a command that runs beside the service. It serves no requests and receives no deliveries, so it
//! needs neither the webhook secret nor the allowed origins.

use secrecy::SecretString;

use super::console::read_personal_data_days;
use super::fraud::read_freeze;
use super::recurring::{RecurringConfig, read_recurring};
use super::{
    ConfigErrors, LogSettings, Reader, Source, StripeSettings, read_database_url, read_log, read_payload_days,
    read_pricing, read_stripe,
};
use crate::config::outgoing::read_outbox;
use crate::config::subscriptions::read_subscriptions;
use crate::domain::outbox_settings::OutboxSettings;
use crate::domain::price_list::PriceList;
use crate::domain::subscription_settings::SubscriptionSettings;

/// The settings of a command that calls Stripe and writes to the books.
#[derive(Debug, Clone)]
pub struct CommandConfig {
    /// The database's address; it may hold a password.
    pub database_url: SecretString,
    /// How Stripe is called. There are no webhook secrets.
    pub stripe: StripeSettings,
    /// The prices.
    pub pricing: PriceList,
    /// For how many days the payload of a failed delivery is kept; 0 means not at all.
    pub webhook_payload_days: i64,
    /// What the product is told, and how.
    pub outbox: OutboxSettings,
    /// For how many days personal data of payers is kept.
    pub personal_data_days: i64,
    /// How subscriptions are sold.
    pub subscriptions: SubscriptionSettings,
    /// Saved cards and what they are charged for.
    pub recurring: RecurringConfig,
    /// Whether a new warning of fraud blocks the account's spending.
    pub freeze_on_fraud_warning: bool,
    /// What is logged.
    pub log: LogSettings,
}

impl CommandConfig {
    /// Reads and checks the settings, which are the service's own.
    ///
    /// # Errors
    /// All mistakes at once, each with the setting's name and how to fix it.
    pub fn load(source: &Source) -> Result<Self, ConfigErrors> {
        let mut reader = Reader::new(source);
        let database_url = read_database_url(&mut reader);
        let stripe = read_stripe(&mut reader, Vec::new());
        let pricing = read_pricing(&mut reader);
        let payload_days = read_payload_days(&mut reader);
        let outbox = read_outbox(&mut reader);
        let days = payload_days.zip(read_personal_data_days(&mut reader)).zip(read_freeze(&mut reader));
        let recurring = read_recurring(&mut reader).zip(read_subscriptions(&mut reader));
        let log = read_log(&mut reader);
        match (stripe, pricing, days, recurring, log) {
            (
                Some(stripe),
                Some(pricing),
                Some(((webhook_payload_days, personal_data_days), freeze_on_fraud_warning)),
                Some((recurring, subscriptions)),
                Some(log),
            ) if reader.errors.is_empty() => Ok(Self {
                database_url,
                stripe,
                pricing,
                webhook_payload_days,
                outbox,
                personal_data_days,
                subscriptions,
                recurring,
                freeze_on_fraud_warning,
                log,
            }),
            _ => Err(ConfigErrors(reader.errors)),
        }
    }

    /// Reads only what the product is told, and how.
    ///
    /// # Errors
    /// When a value is not right.
    pub fn load_outbox(source: &Source) -> Result<OutboxSettings, ConfigErrors> {
        let mut reader = Reader::new(source);
        let outbox = read_outbox(&mut reader);
        if reader.errors.is_empty() { Ok(outbox) } else { Err(ConfigErrors(reader.errors)) }
    }

    /// Reads only for how many days payloads are kept.
    ///
    /// # Errors
    /// When the value is not a number of days.
    pub fn load_payload_days(source: &Source) -> Result<i64, ConfigErrors> {
        let mut reader = Reader::new(source);
        match read_payload_days(&mut reader) {
            Some(days) if reader.errors.is_empty() => Ok(days),
            _ => Err(ConfigErrors(reader.errors)),
        }
    }
}
