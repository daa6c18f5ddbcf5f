//! An API request and its response, independent of the transport.

use std::error::Error;

/// The HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads an object or a list.
    Get,
    /// Creates or changes an object.
    Post,
    /// Deletes an object.
    Delete,
}

impl Method {
    /// The method's name in HTTP.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A request to Stripe, ready to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// The path with the API version: `/v1/checkout/sessions`.
    pub path: String,
    /// The encoded query of a read.
    pub query: Option<String>,
    /// The encoded form of a write.
    pub form: Option<String>,
    /// The idempotency key, under which Stripe does the work once.
    pub idempotency_key: Option<String>,
}

/// A response with any status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Request-Id` header, which identifies the call in Stripe's dashboard and for its support.
    pub request_id: Option<String>,
    /// The raw body.
    pub body: Vec<u8>,
}

/// There is no complete response. It is unknown whether Stripe did the work.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The call timed out.
    #[error("no answer in time")]
    TimedOut,
    /// There was no connection, it broke, or the request cannot be sent.
    #[error("the request was not answered")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
    /// The response is larger than any of Stripe's.
    #[error("the answer with status {status} has more than {limit_bytes} bytes")]
    TooLarge {
        /// The HTTP status.
        status: u16,
        /// The most bytes that are read.
        limit_bytes: usize,
    },
}

/// Sends requests to Stripe.
pub trait Transport: Send + Sync {
    /// Sends a request once, with a timeout, and reads a response of bounded size.
    fn send(&self, request: Request) -> impl Future<Output = Result<Answer, TransportError>> + Send;
}
