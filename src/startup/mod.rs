//! Builds the service, starts it, and stops it gracefully.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web;
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;

use crate::access::key_uses::noting_job;
use crate::app::ScheduleSettings;
use crate::app::check_clock::clock_job;
use crate::app::check_key::{KeyVerdict, Lack, check_key};
use crate::app::fee_pause::FeePause;
use crate::app::key_uses::KeyUses;
use crate::app::limits_seen::LimitsSeen;
use crate::app::payer_notes::PayerNotes;
use crate::app::questions::Questions;
use crate::app::schedule::{Job, Schedule};
use crate::app::session_checks::SessionChecks;
use crate::app::tasks::Tasks;
use crate::app::{App, CALL_TIMEOUT, CHECKOUT_BUDGET, CheckoutSettings, FIRST_PAUSE, with_causes};
use crate::books::instance::OtherUse;
use crate::books::settle_account::settling_job;
use crate::books::usage::record_usage::recording_job;
use crate::config::Config;
use crate::console::overview::LastOverview;
use crate::console::payer_jobs;
use crate::console::payers::store_notes;
use crate::db::{Db, StoreError};
use crate::http::auth::jwt::{TokenVerifier, TokenVerifierError};
use crate::http::kit::body_budget::BodyBudget;
use crate::http::kit::connections::ConnectionTimes;
use crate::http::kit::long_reads::LongReads;
use crate::http::kit::notices::Notices;
use crate::http::kit::rate_limit::CheckoutLimits;
use crate::http::state::{HttpState, MAX_WEBHOOK_BYTES_IN_FLIGHT, MAX_WEBHOOKS_IN_FLIGHT};
use crate::inbox::failed_deliveries::erasing_job;
use crate::inbox::failed_events::OpenFailures;
use crate::outbox::job::{is_right_key, outbox_jobs};
use crate::outbox::sender::{Lookup, NoSender, SystemLookup};
use crate::ports::{Clock, IdGenerator};
use crate::providers::port::Resource;
use crate::providers::stripe::StripeWebhooks;
use crate::providers::stripe::clock::{NoClient, StripeClock};
use crate::providers::stripe::gateway::StripeGateway;
use crate::providers::stripe::signature::{EmptySecret, SignatureVerifier};
use crate::providers::stripe::transport::InvalidStripeSettings;
use crate::purchases::adopt::seal;
use crate::purchases::fee::learn_fees::learning_job;
use crate::purchases::purge_keys::purging_job;
use crate::reconcile::schedule::{catching_up_job, comparing_job};
use crate::recurring::auto_topup::job::auto_topup_jobs;
use crate::system::{SystemClock, SystemIds};

pub mod command;
mod console;
mod database;
mod metrics_server;
mod server;

use console::{console_settings, recurring_settings};
use database::check_database;
use metrics_server::{MetricsServer, build_metrics_server, tidying_job};
use server::build_server;

/// How long a stop waits for use cases whose client has disconnected. Each of their steps has its own limit.
const TASKS_TIMEOUT: Duration = Duration::from_mins(1);

/// The service's external dependencies besides the settings; tests supply their own.
#[derive(Clone)]
pub struct Environment {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Generates ids and secrets.
    pub ids: Arc<dyn IdGenerator>,
    /// The time limit of one call to Stripe.
    pub call_timeout: Duration,
    /// The time limit for all calls of one checkout.
    pub checkout_budget: Duration,
    /// The pause before the first retry of a call to Stripe.
    pub first_pause: Duration,
    /// How many bytes of webhook bodies may be in memory at once.
    pub webhook_bytes: usize,
    /// How long a client's connection may stay in each phase.
    pub connection_times: ConnectionTimes,
    /// Resolves the names of endpoints.
    pub lookup: Arc<dyn Lookup>,
    /// The number of web worker threads; `None` for one per processor.
    pub workers: Option<usize>,
    /// The demo page of `topup dev`.
    #[cfg(feature = "dev")]
    pub demo: Option<crate::http::demo::Demo>,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            call_timeout: CALL_TIMEOUT,
            checkout_budget: CHECKOUT_BUDGET,
            first_pause: FIRST_PAUSE,
            webhook_bytes: MAX_WEBHOOK_BYTES_IN_FLIGHT,
            connection_times: ConnectionTimes::default(),
            lookup: Arc::new(SystemLookup),
            workers: None,
            #[cfg(feature = "dev")]
            demo: None,
        }
    }
}

/// Why the service does not start. Each message says how to fix it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {}", listen_hint(.source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The reason.
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error("the database cannot be opened; check DATABASE_URL, and run `topup migrate` once to create it")]
    Database(#[source] StoreError),
    /// The database lacks migrations, or has some that this version does not know.
    #[error("the database is not at this version's state; run `topup migrate` (a newer database needs a newer topup)")]
    NotMigrated,
    /// The database is used for something else.
    #[error(transparent)]
    OtherUse(#[from] OtherUse),
    /// The recorder of measurements cannot be made.
    #[error("the service cannot be measured; without METRICS_ADDRESS it is not")]
    Metrics(#[source] metrics_exporter_prometheus::BuildError),
    /// Stripe's settings are invalid.
    #[error(transparent)]
    Stripe(#[from] InvalidStripeSettings),
    /// Stripe rejects the key.
    #[error(
        "Stripe does not accept STRIPE_SECRET_KEY; copy the key once more from Stripe's dashboard (Developers, API keys): \
         it is wrong, or was rolled or deleted"
    )]
    KeyRejected,
    /// The key lacks even the permission to read checkouts.
    #[error("STRIPE_SECRET_KEY may not use checkouts; give the restricted key the permission {}", Resource::CheckoutSessions.permission())]
    KeyCannotSell,
    /// There is no usable webhook secret.
    #[error("STRIPE_WEBHOOK_SECRET is not usable")]
    WebhookSecret(#[from] EmptySecret),
    /// The HTTP client for Stripe's time cannot be created.
    #[error(transparent)]
    StripeClock(#[from] NoClient),
    /// The verifier for tokens cannot be created.
    #[error("the JWT settings cannot be used")]
    Tokens(#[from] TokenVerifierError),
    /// The HTTP client for messages to endpoints cannot be made.
    #[error(transparent)]
    Sender(#[from] NoSender),
    /// The endpoints' secrets follow from another key.
    #[error(
        "the secrets of the endpoints that this database has follow from another WEBHOOK_SIGNING_KEY, and no receiver \
         could verify a message; put that key back, or delete all endpoints (`topup endpoints delete`) and create them \
         anew"
    )]
    OtherSigningKey,
    /// The web server failed.
    #[error("the web server failed")]
    Server(#[source] io::Error),
}

fn listen_hint(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the port is in use; stop the other program or choose another port".to_owned(),
        io::ErrorKind::PermissionDenied => "not allowed; ports below 1024 need a privilege".to_owned(),
        _ => error.to_string(),
    }
}

/// Binds an address early, so that everything else can be told about it before the service runs.
///
/// # Errors
/// When it is in use or not allowed.
pub fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|source| StartError::Listen { address, source })
}

/// The service, listening on its address.
pub struct Application {
    server: Server,
    address: SocketAddr,
    app: Arc<App>,
    metrics: Option<MetricsServer>,
    jobs: Vec<Job>,
}

impl Application {
    /// Checks that the database may be used with these settings, and starts listening.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn build(config: Config, listener: TcpListener, environment: Environment) -> Result<Self, StartError> {
        let address = listener.local_addr().map_err(StartError::Server)?;
        let db = Db::connect(config.database_url.expose_secret(), false).await.map_err(StartError::Database)?;
        check_database(&db, &config, environment.clock.as_ref()).await?;
        tell_of_open_failures(&db).await?;
        if !is_right_key(&db, &config.outbox).await.map_err(StartError::Database)? {
            return Err(StartError::OtherSigningKey);
        }
        let seal = seal::load_or_make(&db, environment.ids.as_ref()).await.map_err(StartError::Database)?;
        let app = Arc::new(App { seal, ..build_app(&config, db, &environment)? });
        let tokens = config.jwt.clone().map(|jwt| TokenVerifier::new(jwt, environment.clock.clone())).transpose()?;
        let state = web::Data::new(HttpState {
            app: app.clone(),
            keys: Arc::default(),
            tokens,
            allowed_origins: config.allowed_origins.clone(),
            limits: CheckoutLimits::per_minute(config.rate_limit_per_minute),
            trusted_proxies: config.trusted_proxies.clone(),
            public_url: config.public_url.clone(),
            console: config.console.is_on.then(|| console_settings(&config)),
            last_overview: LastOverview::default(),
            notices: Notices::default(),
            long_reads: LongReads::default(),
            webhook_bytes: BodyBudget::new(environment.webhook_bytes),
            webhook_permits: Arc::new(Semaphore::new(MAX_WEBHOOKS_IN_FLIGHT)),
        });
        let server = build_server(&config, listener, state, &environment)?;
        let stripe_clock = Arc::new(StripeClock::new(config.stripe.api_base.as_deref())?);
        let mut jobs = scheduled_jobs(stripe_clock);
        jobs.extend(outbox_jobs(&config.outbox, &environment.lookup)?);
        if config.recurring.auto_topup {
            jobs.extend(auto_topup_jobs());
        }
        let metrics = config.metrics_address.map(|address| build_metrics_server(address, app.clone())).transpose()?;
        if metrics.is_some() {
            jobs.push(tidying_job());
        }
        Ok(Self { server, address, app, metrics, jobs })
    }

    /// The address on which it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address on which Prometheus may ask, if any.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|metrics| metrics.address)
    }

    /// The dependencies of the use cases.
    #[must_use]
    pub fn app(&self) -> Arc<App> {
        self.app.clone()
    }

    /// Checks whether the Stripe key has all permissions that the service needs, and logs those it lacks. An
    /// unreachable Stripe only causes a warning.
    ///
    /// # Errors
    /// When Stripe rejects the key, or the key may not read checkouts: then nothing could be sold.
    pub async fn check_key(&self) -> Result<(), StartError> {
        match check_key(&self.app).await {
            KeyVerdict::Good => tracing::info!("Stripe accepts the key"),
            KeyVerdict::Rejected => return Err(StartError::KeyRejected),
            KeyVerdict::Unknown(reason) => {
                tracing::warn!(reason, "Stripe cannot be asked what the key may do; it is used as it is");
            }
            KeyVerdict::Lacks(lacks) => {
                for Lack { resource, permission } in &lacks {
                    let (add, without_it) = (resource.permission(), resource.without_it());
                    tracing::warn!(add, permission, without_it, "STRIPE_SECRET_KEY lacks a permission");
                }
                if lacks.iter().any(|lack| lack.resource == Resource::CheckoutSessions) {
                    return Err(StartError::KeyCannotSell);
                }
            }
        }
        Ok(())
    }

    /// Serves until `stop` completes. Then refuses new requests, finishes running ones and every use case they started,
    /// and closes the database.
    ///
    /// # Errors
    /// When the web server fails.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> Result<(), StartError> {
        let handle = self.server.handle();
        let metrics = self.metrics.map(|metrics| {
            let stop = metrics.server.handle();
            tokio::spawn(metrics.server);
            stop
        });
        let schedule = Schedule::start(&self.app, self.jobs);
        let mut server = tokio::spawn(self.server);
        let failed = |error: tokio::task::JoinError| StartError::Server(io::Error::other(error));
        tokio::select! {
            result = &mut server => return result.map_err(failed)?.map_err(StartError::Server),
            () = stop => {}
        }
        tracing::info!("stopping: no new requests");
        schedule.stop();
        handle.stop(true).await;
        if let Some(metrics) = metrics {
            metrics.stop(true).await;
        }
        if tokio::time::timeout(TASKS_TIMEOUT, self.app.tasks.finish()).await.is_err() {
            tracing::warn!("some use cases are still running; what they have not committed is not done");
        }
        if let Err(error) = store_notes(&self.app).await {
            tracing::warn!(error = with_causes(&error), "what was learnt about payers is not stored");
        }
        self.app.db.close().await;
        tracing::info!("stopped");
        server.await.map_err(failed)?.map_err(StartError::Server)
    }
}

/// The scheduled jobs of a running service.
fn scheduled_jobs(stripe_clock: Arc<StripeClock>) -> Vec<Job> {
    vec![
        clock_job(stripe_clock),
        erasing_job(),
        learning_job(),
        purging_job(),
        settling_job(),
        recording_job(),
        comparing_job(),
        catching_up_job(),
        noting_job(),
        payer_jobs::storing_job(),
        payer_jobs::erasing_job(),
    ]
}

async fn tell_of_open_failures(db: &Db) -> Result<(), StartError> {
    let OpenFailures { transient, permanent } = db.open_failures().await.map_err(StartError::Database)?;
    let see = "see `topup webhooks failed`";
    if transient > 0 || permanent > 0 {
        tracing::warn!(transient, permanent, see, "deliveries of Stripe's have failed and are open");
    } else {
        tracing::info!(transient, permanent, "no failed delivery of Stripe's is open");
    }
    Ok(())
}

fn build_app(config: &Config, db: Db, environment: &Environment) -> Result<App, StartError> {
    let stripe = &config.stripe;
    let gateway = StripeGateway::new(&stripe.secret_key, stripe.api_base.as_deref(), environment.call_timeout)?;
    let verifier = SignatureVerifier::new(stripe.webhook_secrets.clone())?;
    Ok(App {
        db,
        provider: gateway.into_provider(Arc::new(StripeWebhooks::new(verifier))),
        clock: environment.clock.clone(),
        ids: environment.ids.clone(),
        pricing: config.pricing.clone(),
        checkout: CheckoutSettings {
            livemode: stripe.livemode,
            expires_minutes: config.checkout_expires_minutes,
            max_open: config.max_open_checkouts,
            payment_methods: config.payment_methods.clone(),
            makes_invoices: config.makes_invoices,
            budget: environment.checkout_budget,
            first_pause: environment.first_pause,
        },
        subscriptions: config.subscriptions,
        session_checks: SessionChecks::default(),
        payload_days: config.webhook_payload_days,
        personal_data_days: config.console.personal_data_days,
        freeze_on_fraud_warning: config.freeze_on_fraud_warning,
        payers: PayerNotes::default(),
        reconciliation: ScheduleSettings {
            every_hours: config.reconcile_every_hours,
            since_days: config.reconcile_since_days,
        },
        seal: None,
        questions: Questions::default(),
        fees: FeePause::default(),
        limits_seen: LimitsSeen::default(),
        recurring: recurring_settings(config.recurring),
        outbox: config.outbox.clone(),
        key_uses: KeyUses::default(),
        tasks: Tasks::new(tokio::runtime::Handle::current()),
    })
}
