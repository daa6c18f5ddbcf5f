//! The HTTP API: it parses, calls one use case, and maps the result. One file per resource.

mod accepted_events;
pub mod accounts;
mod admin;
mod admin_adjustments;
mod admin_adoptions;
mod admin_refunds;
mod admin_topups;
pub mod auth;
mod body;
pub mod body_budget;
mod client_address;
pub mod connections;
#[cfg(feature = "dev")]
pub mod demo;
mod health;
mod idempotency_key;
pub mod middleware;
pub mod notices;
pub mod openapi;
mod plain_errors;
pub mod problem;
mod quote;
pub mod rate_limit;
mod reconciliations;
mod request_log;
mod sessions;
mod static_file;
mod stray_deliveries;
mod timestamp;
mod topup_details;
pub mod webhook_events;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web;
use ipnet::IpNet;
use tokio::sync::Semaphore;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::app::known_keys::KnownKeys;
use crate::domain::redirect::AllowedOrigin;
use auth::jwt::TokenVerifier;
use body_budget::BodyBudget;
use problem::ApiError;
use rate_limit::CheckoutLimits;

/// How many bytes of webhook bodies may be in memory at once. It is counted in bytes and not in bodies, because anybody
/// can begin to send a body: one that trickles in takes what has arrived of it, and gives that up when others need it.
pub const MAX_WEBHOOK_BYTES_IN_FLIGHT: usize = 32 * 1024 * 1024;
/// How many deliveries are verified and applied at once; the others wait for a moment.
pub const MAX_WEBHOOKS_IN_FLIGHT: usize = 64;

/// What the handlers share.
pub struct HttpState {
    /// The use cases.
    pub app: Arc<App>,
    /// The servers' keys that were found good a moment ago.
    pub keys: Arc<KnownKeys>,
    /// Verifies customers' tokens; none if only API keys are used.
    pub tokens: Option<TokenVerifier>,
    /// The pages that customers may be sent to.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Checkouts per account, and requests without valid credentials per address.
    pub limits: CheckoutLimits,
    /// The networks whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Where the service is reached, without a slash at the end.
    pub public_url: String,
    /// What strangers make us write into the log.
    pub notices: notices::Notices,
    /// The memory that webhook bodies share.
    pub webhook_bytes: Arc<BodyBudget>,
    /// One permit for each delivery that may be applied at once.
    pub webhook_permits: Arc<Semaphore>,
}

/// How long a caller waits for a use case; a checkout's calls to Stripe have less. Reading the body has a limit of its
/// own.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

impl HttpState {
    /// Runs a use case in a task of its own and waits for it, for a bounded time. What was begun goes on in any case.
    ///
    /// # Errors
    /// 503 when it takes too long, 500 when it panicked.
    async fn run<T: Send + 'static>(&self, use_case: impl Future<Output = T> + Send + 'static) -> Result<T, ApiError> {
        Ok(in_time(self.app.tasks.run(use_case)).await??)
    }
}

/// Waits for a use case, for a bounded time.
///
/// # Errors
/// 503 when it takes too long.
async fn in_time<T>(use_case: impl Future<Output = T>) -> Result<T, ApiError> {
    tokio::time::timeout(REQUEST_TIMEOUT, use_case).await.map_err(|_| {
        let detail = "the request took too long; what it began may still be done";
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "request_timeout", detail).retry_after(5)
    })
}

/// Every route of the API. A route that is not here does not exist, and one that is here is in the documentation.
pub fn routes(config: &mut ServiceConfig<'_>) {
    // Asked in this order. Deliveries come in bursts, and the patterns of the others would be matched against each of them.
    config
        .service(webhooks::receive)
        .service(sessions::create)
        .service(sessions::read)
        .service(quote::read)
        .service(accounts::read_own_credits)
        .service(accounts::read_own_transactions)
        .service(accounts::read_credits)
        .service(accounts::read_transactions)
        .service(admin_topups::list)
        .service(admin_topups::read)
        .service(admin_topups::check)
        .service(admin_refunds::create)
        .service(admin_refunds::preview)
        .service(admin_adjustments::create)
        .service(admin_adjustments::list)
        .service(webhook_events::list_failed_events)
        .service(webhook_events::read_failed_event)
        .service(webhook_events::replay_failed_event)
        .service(admin_adoptions::adopt_purchases)
        .service(webhook_events::close_failed_event)
        .service(accepted_events::accept)
        .service(reconciliations::list_reconciliations)
        .service(reconciliations::read_reconciliation)
        .service(health::live)
        .service(health::ready);
}

/// The handlers' shared state, as actix hands it to them.
pub type State = web::Data<HttpState>;
