//! Faults that a test injects into API requests: an answer is replaced, delayed, held or withheld.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::model::error::ApiError;

/// A fault, which applies to matching requests up to `times` times.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fault {
    /// `GET`, `POST` or `DELETE`; any method when unset.
    #[serde(default)]
    pub(crate) method: Option<String>,
    /// The path of the request; a `*` at the end matches any suffix.
    pub(crate) path: String,
    #[serde(default = "once")]
    pub(crate) times: u32,
    #[serde(default)]
    pub(crate) when: When,
    /// Parameters that the request must have, such as `{"payment_intent": "pi_1"}`.
    #[serde(default)]
    pub(crate) params: Map<String, Value>,
    #[serde(flatten)]
    pub(crate) kind: Kind,
}

fn once() -> u32 {
    1
}

/// Whether the fault happens before or after the work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum When {
    #[default]
    Before,
    After,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Returns this status with Stripe's error body for it, and this message if given.
    Status {
        status: u16,
        #[serde(default)]
        message: Option<String>,
    },
    /// Delays the answer.
    Delay { delay_ms: u64 },
    /// Closes the connection without an answer.
    Disconnect,
    /// Fails now (with this status, or by closing the connection if unset) and does the work this many seconds later.
    Later { status: Option<u16>, after_seconds: u32 },
    /// Holds the request until `POST /_sandbox/release`.
    Hold,
    /// Never answers: the connection is closed when the outage ends or the request is released.
    #[serde(skip)]
    Silence,
    /// Merges these members into the answer.
    Patch { body: Value },
}

impl Kind {
    /// What happens to the request.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Status { status, .. } => format!("answered with {status}"),
            Self::Delay { delay_ms } => format!("answered {delay_ms} ms late"),
            Self::Disconnect => "the connection is closed".to_owned(),
            Self::Later { status: Some(status), after_seconds } => {
                format!("answered with {status} and done {after_seconds} s later")
            }
            Self::Later { status: None, after_seconds } => {
                format!("the connection is closed and the work done {after_seconds} s later")
            }
            Self::Hold => "held until it is let go".to_owned(),
            Self::Silence => "not answered".to_owned(),
            Self::Patch { .. } => "answered with changed members".to_owned(),
        }
    }
}

/// Whether a path matches the pattern; a `*` at its end matches any suffix.
pub(crate) fn fits(wanted: &str, path: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => wanted == path,
    }
}

/// Takes the first fault that matches the request.
pub(crate) fn take(faults: &mut Vec<Fault>, method: &str, path: &str, params: &Value) -> Option<Fault> {
    let position = faults.iter().position(|fault| fault.fits(method, path, params))?;
    let fault = faults.get_mut(position)?;
    fault.times = fault.times.saturating_sub(1);
    let taken = fault.clone();
    if taken.times == 0 {
        faults.remove(position);
    }
    Some(taken)
}

impl Fault {
    fn fits(&self, method: &str, path: &str, params: &Value) -> bool {
        fits(&self.path, path)
            && self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.params.iter().all(|(name, wanted)| params.get(name) == Some(wanted))
    }

    /// The reason why this fault can never take effect, if there is one.
    pub(crate) fn mistake(&self) -> Option<&'static str> {
        match &self.kind {
            _ if !self.path.starts_with("/v1/") => Some("`path` must begin with /v1/"),
            _ if self.times == 0 => Some("`times` must be at least 1"),
            Kind::Status { status, .. } if !(400..600).contains(status) => Some("`status` must be between 400 and 599"),
            Kind::Later { status: Some(status), .. } if !(500..600).contains(status) => {
                Some("`status` must be between 500 and 599, or left out for a closed connection")
            }
            Kind::Later { .. } if self.when == When::After => Some("`when` has no meaning for `later`"),
            Kind::Delay { delay_ms } if *delay_ms > 600_000 => Some("`delay_ms` must be at most 600000"),
            Kind::Patch { body } if !body.is_object() => Some("`body` must be an object"),
            _ => None,
        }
    }
}

/// Stripe's error for a status, with the given message.
pub(crate) fn error_with(status: u16, message: Option<&str>) -> ApiError {
    let mut error = error_for(status);
    if let Some(message) = message {
        message.clone_into(&mut error.message);
    }
    error
}

/// Stripe's error for a status.
pub(crate) fn error_for(status: u16) -> ApiError {
    match status {
        401 => ApiError::new(status, "invalid_request_error", "Invalid API Key provided."),
        403 => ApiError::new(
            status,
            "invalid_request_error",
            "The provided key does not have the required permissions for this endpoint. Having the \
             'rak_checkout_session_write' permission would allow this request to continue.",
        ),
        409 => ApiError::new(
            status,
            "invalid_request_error",
            "This object cannot be accessed right now because another API request or Stripe process is currently \
             accessing it. If you see this error intermittently, retry the request.",
        )
        .code("lock_timeout"),
        429 => ApiError::new(
            status,
            "invalid_request_error",
            "Request rate limit exceeded. You can learn more about rate limits here \
             https://stripe.com/docs/rate-limits.",
        )
        .code("rate_limit"),
        400..=499 => ApiError::new(status, "invalid_request_error", "The request was refused."),
        _ => ApiError::new(
            status,
            "api_error",
            "Sorry! There was an error while talking to one of our backends. Support has been notified.",
        )
        .executed(),
    }
}

/// Merges `patch` into `body` recursively.
pub(crate) fn merge(body: &mut Value, patch: &Value) {
    match (body, patch) {
        (Value::Object(members), Value::Object(changes)) => {
            for (name, change) in changes {
                merge(members.entry(name.clone()).or_insert(json!(null)), change);
            }
        }
        (other, change) => *other = change.clone(),
    }
}
