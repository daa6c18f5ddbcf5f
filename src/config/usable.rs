//! The settings that can be used although others have mistakes: for the command that looks for mistakes.

use ipnet::IpNet;
use secrecy::SecretString;

use super::jwt::JwtSettings;
use super::recurring::{RecurringConfig, read_recurring};
use super::{
    Reader, Source, StripeSettings, read_database_url, read_jwt, read_payload_days, read_pricing, read_public_url,
    read_reconcile_every_hours, read_stripe, read_webhook_secrets, web,
};
use crate::domain::price_list::PriceList;

/// Each group of settings; `None` if it has a mistake.
#[derive(Debug, Clone)]
pub struct UsableSettings {
    /// The database's address; it may hold a password.
    pub database_url: Option<SecretString>,
    /// How Stripe is called. There are no webhook secrets.
    pub stripe: Option<StripeSettings>,
    /// The webhook endpoint's signing secrets.
    pub webhook_secrets: Option<Vec<SecretString>>,
    /// The service's public URL, without a slash at the end.
    pub public_url: Option<String>,
    /// Whether `PUBLIC_URL` is set, so that the URL is not derived from the address on which the service listens.
    pub names_public_url: bool,
    /// How customers' tokens are verified; also `None` if only API keys are used.
    pub jwt: Option<JwtSettings>,
    /// The prices.
    pub pricing: Option<PriceList>,
    /// The networks of proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Option<Vec<IpNet>>,
    /// For how many days the payload of a failed delivery is kept; 0 means not at all.
    pub webhook_payload_days: Option<i64>,
    /// The interval between reconciliations in hours; 0 means never.
    pub reconcile_every_hours: Option<i64>,
    /// What is saved and charged of customers' cards.
    pub recurring: Option<RecurringConfig>,
    /// Hints about the settings. They contain no values.
    pub warnings: Vec<String>,
}

impl UsableSettings {
    /// Reads every group for itself.
    #[must_use]
    pub fn read(source: &Source) -> Self {
        let mut groups = Groups { source, warnings: source.warnings().to_vec() };
        Self {
            database_url: groups.read(|reader| Some(read_database_url(reader))),
            stripe: groups.read(|reader| read_stripe(reader, Vec::new())),
            webhook_secrets: groups.read(|reader| Some(read_webhook_secrets(reader))),
            public_url: groups.read(|reader| {
                let text = reader.optional("PUBLIC_URL");
                let bind_address = web::read_bind_address(reader);
                read_public_url(reader, text, bind_address)
            }),
            names_public_url: groups.read(|reader| reader.optional("PUBLIC_URL")).is_some(),
            jwt: groups.read(read_jwt).flatten(),
            pricing: groups.read(read_pricing),
            trusted_proxies: groups.read(|reader| Some(web::read_networks(reader, "TRUSTED_PROXIES"))),
            webhook_payload_days: groups.read(read_payload_days),
            reconcile_every_hours: groups.read(read_reconcile_every_hours),
            recurring: groups.read(read_recurring),
            warnings: groups.warnings,
        }
    }
}

struct Groups<'s> {
    source: &'s Source,
    warnings: Vec<String>,
}

impl Groups<'_> {
    /// Reads a group; `None` if it has a mistake. Misspelt names of other settings are not its own.
    fn read<T>(&mut self, read: impl FnOnce(&mut Reader<'_>) -> Option<T>) -> Option<T> {
        let mut reader = Reader::new(self.source);
        let before = reader.errors.len();
        let value = read(&mut reader);
        for warning in &reader.warnings {
            if !self.warnings.contains(warning) {
                self.warnings.push(warning.clone());
            }
        }
        value.filter(|_| reader.errors.len() == before)
    }
}
