//! What the handlers share, and how they run use cases.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web;
use ipnet::IpNet;
use tokio::sync::Semaphore;

use crate::access::known_keys::KnownKeys;
use crate::app::App;
use crate::domain::redirect::AllowedOrigin;
use crate::http::auth::jwt::TokenVerifier;
use crate::http::kit::body_budget::BodyBudget;
use crate::http::kit::notices::Notices;
use crate::http::kit::problem::ApiError;
use crate::http::kit::rate_limit::CheckoutLimits;

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
    pub notices: Notices,
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
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        use_case: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, ApiError> {
        Ok(in_time(self.app.tasks.run(use_case)).await??)
    }
}

/// Waits for a use case, for a bounded time.
///
/// # Errors
/// 503 when it takes too long.
pub(crate) async fn in_time<T>(use_case: impl Future<Output = T>) -> Result<T, ApiError> {
    tokio::time::timeout(REQUEST_TIMEOUT, use_case).await.map_err(|_| {
        let detail = "the request took too long; what it began may still be done";
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "request_timeout", detail).retry_after(5)
    })
}

/// The handlers' shared state, as actix hands it to them.
pub type State = web::Data<HttpState>;
