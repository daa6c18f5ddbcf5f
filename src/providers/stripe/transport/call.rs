//! A call and its answer, whatever carries them.

use std::error::Error;

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes or changes.
    Post,
    /// Deletes.
    Delete,
}

impl Method {
    /// The word in a request.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A request to Stripe, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// How.
    pub method: Method,
    /// From the root of the API, with its version: `/v1/checkout/sessions`.
    pub path: String,
    /// The parameters of a request that reads, encoded.
    pub query: Option<String>,
    /// The parameters of a request that makes something, encoded.
    pub form: Option<String>,
    /// The key under which Stripe does it once.
    pub idempotency_key: Option<String>,
}

/// An answer, of any status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The header `Request-Id`, by which Stripe's support and its dashboard find the call.
    pub request_id: Option<String>,
    /// The body, unread.
    pub body: Vec<u8>,
}

/// There is no whole answer. Whether Stripe did what was asked is unknown.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// It took longer than a call may.
    #[error("no answer in time")]
    TimedOut,
    /// No connection, or it broke, or the request cannot be sent.
    #[error("the request was not answered")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
    /// More than any answer of Stripe's.
    #[error("the answer with status {status} has more than {limit_bytes} bytes")]
    TooLarge {
        /// The HTTP status.
        status: u16,
        /// The most that is read.
        limit_bytes: usize,
    },
}

/// Carries requests to Stripe.
pub trait Transport: Send + Sync {
    /// Sends a request once, within a bounded time, and reads a bounded answer.
    fn send(&self, request: Request) -> impl Future<Output = Result<Answer, TransportError>> + Send;
}
