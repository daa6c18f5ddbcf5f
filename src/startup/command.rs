//! Prepares the use cases without the service, for commands that run beside it.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::console::recurring_settings;
use super::database::{check_migrated, wanted_instance};
use super::{Environment, StartError};
use crate::app::ScheduleSettings;
use crate::app::fee_pause::FeePause;
use crate::app::key_uses::KeyUses;
use crate::app::limits_seen::LimitsSeen;
use crate::app::payer_notes::PayerNotes;
use crate::app::questions::Questions;
use crate::app::session_checks::SessionChecks;
use crate::app::tasks::Tasks;
use crate::app::{App, CheckoutSettings, FIRST_PAUSE};
use crate::config::CommandConfig;
use crate::db::Db;
use crate::providers::stripe::StoredDeliveries;
use crate::providers::stripe::gateway::StripeGateway;
use crate::purchases::adopt::seal;

/// Connects to the database and checks that it may be used with these settings. Opens no checkouts and receives no
/// deliveries.
///
/// # Errors
/// See [`StartError`].
pub async fn connect(config: CommandConfig, environment: Environment) -> Result<App, StartError> {
    let db = Db::connect(config.database_url.expose_secret(), false).await.map_err(StartError::Database)?;
    check_migrated(&db).await?;
    let livemode = config.stripe.livemode;
    // A database that no service has used contains nothing to mix up; the first service decides what it is used for.
    if let Some(remembered) = db.instance().await.map_err(StartError::Database)? {
        remembered.check(&wanted_instance(livemode, &config.pricing))?;
    }
    let seal = seal::load(&db).await.map_err(StartError::Database)?;
    let api_base = config.stripe.api_base.as_deref();
    let gateway = StripeGateway::new(&config.stripe.secret_key, api_base, environment.call_timeout)?;
    Ok(App {
        db,
        provider: gateway.into_provider(Arc::new(StoredDeliveries)),
        clock: environment.clock,
        ids: environment.ids,
        pricing: config.pricing,
        checkout: CheckoutSettings {
            livemode,
            expires_minutes: 0,
            max_open: 0,
            payment_methods: Vec::new(),
            makes_invoices: false,
            budget: environment.checkout_budget,
            first_pause: FIRST_PAUSE,
        },
        subscriptions: config.subscriptions,
        session_checks: SessionChecks::default(),
        payload_days: config.webhook_payload_days,
        personal_data_days: config.personal_data_days,
        freeze_on_fraud_warning: config.freeze_on_fraud_warning,
        payers: PayerNotes::default(),
        reconciliation: ScheduleSettings::NEVER,
        seal,
        questions: Questions::default(),
        fees: FeePause::default(),
        limits_seen: LimitsSeen::default(),
        recurring: recurring_settings(config.recurring),
        outbox: config.outbox,
        key_uses: KeyUses::default(),
        tasks: Tasks::new(tokio::runtime::Handle::current()),
    })
}
