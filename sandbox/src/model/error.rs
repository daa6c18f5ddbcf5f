//! Stripe's errors, with its messages and format (docs: "Errors", "Error codes").
//!
//! An error also says whether Stripe would save it under an idempotency key. A request that fails validation was not
//! executed and is not saved; one that was executed and failed is.

use serde_json::{Map, Value, json};

/// An API error.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) code: Option<&'static str>,
    pub(crate) param: Option<String>,
    pub(crate) message: String,
    /// Further members of the error: `decline_code`, `charge`, `payment_intent`, …
    pub(crate) details: Map<String, Value>,
    /// Whether the answer is saved under the idempotency key.
    pub(crate) executed: bool,
}

impl ApiError {
    pub(crate) fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, code: None, param: None, message: message.into(), details: Map::new(), executed: false }
    }

    /// A 400 for an invalid request.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", message)
    }

    pub(crate) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub(crate) fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub(crate) fn detail(mut self, name: &str, value: Value) -> Self {
        self.details.insert(name.to_owned(), value);
        self
    }

    /// Marks the request as executed, so its idempotency key saves this answer.
    pub(crate) fn executed(mut self) -> Self {
        self.executed = true;
        self
    }

    pub(crate) fn missing_param(param: &str) -> Self {
        Self::invalid(format!("Missing required param: {param}.")).code("parameter_missing").param(param)
    }

    /// The object in the path does not exist.
    pub(crate) fn not_found(object: &str, id: &str, param: &str) -> Self {
        let mut error = Self::missing_reference(object, id, param);
        error.status = 404;
        error
    }

    /// An object named by a parameter does not exist.
    pub(crate) fn missing_reference(object: &str, id: &str, param: &str) -> Self {
        Self::invalid(format!("No such {object}: '{id}'")).code("resource_missing").param(param)
    }

    /// Valid on Stripe but not supported here. Refused explicitly, because ignoring it would cause surprises later.
    pub(crate) fn unsupported(what: &str, param: &str) -> Self {
        Self::invalid(format!("The sandbox does not support {what}. Stripe itself would accept this request."))
            .param(param)
    }

    /// A bug in the sandbox, never the caller's fault.
    pub(crate) fn internal(what: &str) -> Self {
        Self::new(500, "api_error", format!("The sandbox failed: {what}")).executed()
    }

    /// The response body. `log_time` is when the request arrived, in seconds.
    pub(crate) fn body(&self, request_id: &str, log_time: i64) -> Value {
        let mut error = self.details.clone();
        error.insert("type".to_owned(), json!(self.kind));
        error.insert("message".to_owned(), json!(self.message));
        if let Some(code) = self.code {
            error.insert("code".to_owned(), json!(code));
            let page = code.replace('_', "-");
            let page = format!("https://stripe.com/docs/error-codes/{page}");
            error.insert("doc_url".to_owned(), json!(page));
        }
        if let Some(param) = &self.param {
            error.insert("param".to_owned(), json!(param));
        }
        let log = format!("https://dashboard.stripe.com/test/logs/{request_id}?t={log_time}");
        error.insert("request_log_url".to_owned(), json!(log));
        json!({ "error": error })
    }
}
