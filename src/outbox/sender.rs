//! Sends one attempt over HTTP.
//!
//! Invariants: a connection goes to an address that was judged, and to no other: names are resolved here, once for each
//! connection, and what is judged is what is connected to, while TLS checks the name. No redirect is followed, no proxy
//! of the environment is used, the time and the size of an answer are bounded.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response};
use url::Url;

use crate::outbox::address::{Verdict, judge};
use crate::outbox::endpoint_url::literal;
use crate::outbox::retries::retry_after_ms;
use crate::outgoing;
use crate::traces;

/// How long one attempt may take, with the resolution of the name.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(12);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Shorter than most servers keep a connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
const MAX_ANSWER_BYTES: usize = 16 * 1024;
const MAX_ERROR_CHARACTERS: usize = 200;

/// Resolves names.
pub trait Lookup: Send + Sync {
    /// The addresses of a name.
    fn lookup(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) }.boxed()
    }
}

/// An address that must not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCalled {
    /// The name has no address.
    #[error("the name has no address")]
    NoAddress,
    /// It is not public.
    #[error("the address {0} is private, and WEBHOOK_ALLOWED_NETWORKS does not name its network")]
    Private(IpAddr),
    /// It is never called.
    #[error("the address {0} is never called")]
    Never(IpAddr),
    /// It is public, and the URL is without TLS.
    #[error("the address {0} is public and needs https")]
    NeedsTls(IpAddr),
}

/// Judges all addresses of a name. One that must not be called is enough to refuse them all.
///
/// # Errors
/// See [`NotCalled`].
pub fn check(addresses: &[IpAddr], allowed: &[IpNet], has_tls: bool) -> Result<(), NotCalled> {
    if addresses.is_empty() {
        return Err(NotCalled::NoAddress);
    }
    for address in addresses {
        match judge(*address, allowed) {
            Verdict::Allowed => {}
            Verdict::Public if has_tls => {}
            Verdict::Public => return Err(NotCalled::NeedsTls(*address)),
            Verdict::Private => return Err(NotCalled::Private(*address)),
            Verdict::Never => return Err(NotCalled::Never(*address)),
        }
    }
    Ok(())
}

/// Resolves names to addresses that may be called.
struct CheckedLookup {
    lookup: Arc<dyn Lookup>,
    allowed: Arc<[IpNet]>,
    has_tls: bool,
}

impl Resolve for CheckedLookup {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, allowed, has_tls) = (self.lookup.lookup(name.as_str()), self.allowed.clone(), self.has_tls);
        Box::pin(async move {
            let found = found.await?;
            check(&found, &allowed, has_tls)?;
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

/// The HTTP client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for messages to endpoints cannot be made")]
pub struct NoSender(#[from] reqwest::Error);

/// A request to be sent.
pub struct Attempt<'a> {
    /// The endpoint's address.
    pub url: &'a Url,
    /// The message's id, the same for each attempt.
    pub id: &'a str,
    /// The time of the attempt, in seconds since 1970.
    pub timestamp_seconds: i64,
    /// The signatures, separated by spaces.
    pub signatures: String,
    /// The message.
    pub body: String,
}

/// The result of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The status of the answer; `None` if there was none.
    pub status: Option<u16>,
    /// Why there was none, or what was wrong with it.
    pub error: Option<String>,
    /// The pause that the answer asks for, in milliseconds.
    pub retry_after_ms: Option<i64>,
    /// How long it took.
    pub milliseconds: i64,
}

impl Outcome {
    /// Whether the receiver has the message.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.error.is_none() && self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// What carries attempts to receivers.
pub trait Courier: Send + Sync {
    /// Makes an attempt. A failure is an outcome, too.
    fn carry<'a>(&'a self, attempt: Attempt<'a>, now_ms: i64) -> BoxFuture<'a, Outcome>;
}

/// Sends attempts over HTTP.
pub struct Sender {
    with_tls: Client,
    without_tls: Client,
    allowed: Arc<[IpNet]>,
}

impl Sender {
    /// Creates a sender that may call public addresses and these networks.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(allowed: &[IpNet], lookup: &Arc<dyn Lookup>) -> Result<Self, NoSender> {
        let allowed: Arc<[IpNet]> = allowed.into();
        let client = |has_tls| {
            let checked = CheckedLookup { lookup: lookup.clone(), allowed: allowed.clone(), has_tls };
            outgoing::client()
                .no_proxy()
                .https_only(has_tls)
                .dns_resolver(Arc::new(checked))
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(ATTEMPT_TIMEOUT)
                .pool_idle_timeout(IDLE_TIMEOUT)
                .pool_max_idle_per_host(4)
                .user_agent(concat!("topup/", env!("CARGO_PKG_VERSION")))
                .build()
        };
        Ok(Self { with_tls: client(true)?, without_tls: client(false)?, allowed })
    }

    /// Sends an attempt.
    pub async fn send(&self, attempt: Attempt<'_>, now_ms: i64) -> Outcome {
        let started = Instant::now();
        let exchange = tokio::time::timeout(ATTEMPT_TIMEOUT, self.exchange(attempt)).await;
        let milliseconds = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let failed = |error: String| Outcome { status: None, error: Some(error), retry_after_ms: None, milliseconds };
        match exchange {
            Err(_) => failed("no answer in time".to_owned()),
            Ok(Err(error)) => failed(error),
            Ok(Ok((status, retry_after))) => {
                let retry_after_ms = retry_after.and_then(|header| retry_after_ms(&header, now_ms));
                let error = (!(200..300).contains(&status)).then(|| format!("the answer has the status {status}"));
                Outcome { status: Some(status), error, retry_after_ms, milliseconds }
            }
        }
    }

    /// Returns the answer's status, and its `Retry-After`.
    async fn exchange(&self, attempt: Attempt<'_>) -> Result<(u16, Option<String>), String> {
        let has_tls = attempt.url.scheme() == "https";
        if let Some(address) = literal(attempt.url) {
            check(&[address], &self.allowed, has_tls).map_err(|error| error.to_string())?;
        }
        let client = if has_tls { &self.with_tls } else { &self.without_tls };
        let mut request = client
            .post(attempt.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", attempt.id)
            .header("webhook-timestamp", attempt.timestamp_seconds)
            .header("webhook-signature", attempt.signatures)
            .body(attempt.body);
        for (name, value) in traces::outgoing_headers() {
            request = request.header(name, value);
        }
        let answer = request.send().await.map_err(|error| in_words(&error))?;
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = answer.status().as_u16();
        read_answer(answer).await;
        Ok((status, retry_after))
    }
}

impl Courier for Sender {
    fn carry<'a>(&'a self, attempt: Attempt<'a>, now_ms: i64) -> BoxFuture<'a, Outcome> {
        self.send(attempt, now_ms).boxed()
    }
}

/// Reads the answer, so that the connection can be used again. What it says does not matter, and neither does a body
/// that is too long or breaks off.
async fn read_answer(answer: Response) {
    let _read = outgoing::bounded_body(answer, MAX_ANSWER_BYTES).await;
}

/// The innermost cause of an error. It does not contain the URL.
fn in_words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return if error.is_connect() { "no connection in time" } else { "no answer in time" }.to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string().chars().filter(|character| !character.is_control()).take(MAX_ERROR_CHARACTERS).collect()
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
