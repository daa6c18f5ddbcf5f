//! The state shared by handlers, and how they run use cases.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web;
use ipnet::IpNet;
use tokio::sync::Semaphore;

use crate::access::known_keys::KnownKeys;
use crate::app::App;
use crate::console::overview::LastOverview;
use crate::console::settings::ConsoleSettings;
use crate::domain::redirect::AllowedOrigin;
use crate::http::auth::jwt::TokenVerifier;
use crate::http::kit::body_budget::BodyBudget;
use crate::http::kit::long_reads::LongReads;
use crate::http::kit::notices::Notices;
use crate::http::kit::problem::ApiError;
use crate::http::kit::rate_limit::CheckoutLimits;

/// How many bytes of webhook bodies may be in memory at once. Bytes are limited rather than bodies, because anyone can
/// begin to send a body: a slow one takes only what has arrived of it, and gives that up when others need it.
pub const MAX_WEBHOOK_BYTES_IN_FLIGHT: usize = 32 * 1024 * 1024;
/// How many deliveries are verified and applied at once; others wait for a moment.
pub const MAX_WEBHOOKS_IN_FLIGHT: usize = 64;

/// The state shared by handlers.
pub struct HttpState {
    /// The dependencies of the use cases.
    pub app: Arc<App>,
    /// The servers' API keys that were valid moments ago.
    pub keys: Arc<KnownKeys>,
    /// Verifies customers' tokens; `None` if only API keys are used.
    pub tokens: Option<TokenVerifier>,
    /// The pages to which customers may be redirected.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Limits checkouts per account, and requests without valid credentials per address.
    pub limits: CheckoutLimits,
    /// The networks of proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The service's public URL, without a slash at the end.
    pub public_url: String,
    /// The operator's console; `None` if it is off.
    pub console: Option<ConsoleSettings>,
    /// The console's overview that was computed last.
    pub last_overview: LastOverview,
    /// Limits the log lines that strangers can trigger.
    pub notices: Notices,
    /// Limits statements and usages.
    pub long_reads: LongReads,
    /// The memory shared by webhook bodies.
    pub webhook_bytes: Arc<BodyBudget>,
    /// One permit for each delivery that may be applied at once.
    pub webhook_permits: Arc<Semaphore>,
}

/// How long a caller waits for a use case; a checkout's calls to Stripe have less. Reading the body has its own limit.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

impl HttpState {
    /// Runs a use case in its own task and waits for it with a time limit. The use case continues in any case.
    ///
    /// # Errors
    /// 503 when it takes too long, 500 when it panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        use_case: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, ApiError> {
        Ok(in_time(self.app.tasks.run(use_case)).await??)
    }
}

/// Waits for a use case with a time limit.
///
/// # Errors
/// 503 when it takes too long.
pub(crate) async fn in_time<T>(use_case: impl Future<Output = T>) -> Result<T, ApiError> {
    tokio::time::timeout(REQUEST_TIMEOUT, use_case).await.map_err(|_| {
        let detail = "the request took too long; what it began may still be done";
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "request_timeout", detail).retry_after(5)
    })
}

/// The handlers' shared state, as actix passes it to them.
pub type State = web::Data<HttpState>;
