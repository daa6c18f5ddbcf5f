//! Looks for what keeps money from arriving: settings, database, Stripe, webhook endpoint, keys of the login, and the
//! public address.
//!
//! Invariants: nothing is written anywhere. Every check has a time limit, and what one of them needs and cannot have
//! (a database, Stripe) is reported once, while the others go on. No finding contains a secret.

mod ago;
mod books;
mod database;
mod finding;
pub mod last_event;
mod login;
mod plans;
mod public_url;
mod settings;
mod stripe;
mod tax;
mod webhooks;

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join4;

use crate::config::jwt::JwtSettings;
use crate::config::{InvalidEnvFile, Source, UsableSettings};
use crate::ports::Clock;
pub use finding::{Finding, FindingState};

/// Every name that a finding can have, in the order of the examination.
pub const IDS: [&str; 45] = [
    "settings",
    "settings.hint",
    "settings.payloads",
    "settings.proxies",
    "database.reachable",
    "database.version",
    "database.role",
    "database.durability",
    "database.pooler",
    "database.clock",
    "database.space",
    "database.privacy",
    "database.migrations",
    "database.use",
    "stripe.key",
    "stripe.mode",
    "stripe.charges",
    "stripe.payouts",
    "stripe.clock",
    "stripe.tax",
    "stripe.permission.checkout_sessions",
    "stripe.permission.payment_intents",
    "stripe.permission.refunds",
    "stripe.permission.disputes",
    "stripe.permission.balance_transactions",
    "stripe.permission.events",
    "stripe.permission.customers",
    "stripe.permission.setup_intents",
    "stripe.permission.payment_methods",
    "stripe.permission.prices",
    "stripe.permission.subscriptions",
    "stripe.permission.invoices",
    "webhook.endpoint",
    "webhook.status",
    "webhook.events",
    "webhook.version",
    "webhook.secret",
    "webhook.undelivered",
    "events.last",
    "deliveries.failed",
    "reconciliation.schedule",
    "reconciliation.last",
    "login.keys",
    "public_url",
    "public_url.webhooks",
];

/// What counts as too little or too late.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The time limit of each group of checks.
    pub check: Duration,
    /// With less room than this, the next writes may fail.
    pub least_free_bytes: u64,
    /// With less room than this, an operator should know.
    pub low_free_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { check: Duration::from_secs(10), least_free_bytes: 64 * 1024 * 1024, low_free_bytes: 1024 * 1024 * 1024 }
    }
}

/// Asks the login for its keys.
#[async_trait]
pub trait KeySetProbe: Send + Sync {
    /// How many of the login's keys can verify tokens; `None` if the settings name no key set. The error says what is
    /// wrong.
    async fn usable_keys(&self, settings: &JwtSettings) -> Option<Result<usize, String>>;
}

/// What the examination needs from outside.
pub struct Surroundings<'s> {
    /// The settings, right or wrong.
    pub source: &'s Source,
    /// This machine's clock.
    pub clock: &'s dyn Clock,
    /// Asks the login for its keys.
    pub key_sets: &'s dyn KeySetProbe,
    /// What counts as too little or too late.
    pub limits: Limits,
}

/// Examines everything. The findings are in the order of [`IDS`].
pub async fn examine(surroundings: &Surroundings<'_>) -> Vec<Finding> {
    let Surroundings { source, clock, key_sets, limits } = *surroundings;
    let settings = UsableSettings::read(source);
    let mut findings = settings::findings(source, &settings);
    let (database, stripe, login, public_url) = join4(
        database::examine(&settings, clock, limits),
        self::stripe::examine(&settings, clock, limits),
        login::examine(&settings, key_sets, limits),
        public_url::examine(&settings, limits),
    )
    .await;
    findings.extend(database.findings);
    findings.extend(stripe.findings);
    findings.extend(tax::findings(&settings, database.db.as_ref(), stripe.provider.as_ref(), limits).await);
    findings.extend(plans::findings(database.db.as_ref(), stripe.provider.as_ref(), limits).await);
    let news = webhooks::Deliveries::find(database.db.as_ref(), stripe.provider.as_ref(), clock, limits).await;
    findings.extend(webhooks::findings(&settings, stripe.endpoints.as_ref(), &news, clock));
    findings.extend(books::findings(&settings, database.db.as_ref(), &news, clock, limits).await);
    findings.extend(login);
    findings.extend(public_url);
    if let Some(db) = database.db {
        db.close().await;
    }
    findings
}

/// The findings if the settings cannot even be read.
#[must_use]
pub fn unreadable_settings(error: &InvalidEnvFile) -> Vec<Finding> {
    vec![Finding::failed(settings::SETTINGS, error.to_string(), "correct the file; nothing else was examined")]
}

/// Runs a check within its time limit; `None` if it takes longer.
async fn in_time<T>(limits: Limits, check: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limits.check, check).await.ok()
}
