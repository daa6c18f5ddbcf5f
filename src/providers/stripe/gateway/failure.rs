//! Classifies failed calls by what may have been done and which key the retry needs; see [`ProviderError`].

use std::error::Error;

use serde::Deserialize;

use crate::providers::port::{ProviderError, ProviderFailure};
use crate::providers::stripe::transport::{Answer, TransportError};

/// A response that we cannot parse: a retry is better than a guess.
pub(super) fn not_understood(what: impl std::fmt::Display) -> ProviderError {
    ProviderError::Unreachable(format!("the answer is not understood: {what}"))
}

pub(super) fn of_transport(error: TransportError) -> ProviderError {
    match error {
        TransportError::TimedOut => ProviderError::TimedOut,
        error => ProviderError::Unreachable(with_causes(&error)),
    }
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The form of all of Stripe's errors. A response without it was written by a proxy.
#[derive(Deserialize)]
struct Body {
    error: Details,
}

#[derive(Deserialize)]
struct Details {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    request_log_url: Option<String>,
}

pub(super) fn of_answer(answer: &Answer) -> ProviderError {
    let Ok(Body { error }) = serde_json::from_slice(&answer.body) else {
        let (status, id) = (answer.status, answer.request_id.as_deref().unwrap_or("unknown"));
        return not_understood(format!("status {status} without an error of Stripe's (request {id})"));
    };
    let failure = describe(answer, error);
    match (answer.status, failure.code.as_str()) {
        (404, _) => ProviderError::Unknown(failure),
        // The key is in use, an object is locked, or there are too many requests: nothing was done.
        (409 | 429, _) => ProviderError::Limited(failure),
        (_, "amount_too_small") => ProviderError::AmountTooSmall(failure),
        (500.., _) => ProviderError::Failed(failure),
        _ => ProviderError::Refused(failure),
    }
}

fn describe(answer: &Answer, error: Details) -> ProviderFailure {
    let in_url = || error.request_log_url.as_deref().and_then(request_id_in);
    let message = error.message.unwrap_or_default();
    ProviderFailure {
        status: answer.status,
        request_id: answer.request_id.clone().or_else(in_url),
        code: error.code.unwrap_or(error.kind),
        permission: permission_in(&message).map(str::to_owned),
        message,
    }
}

/// Finds the permission in the message for a key that lacks it: `'rak_charge_read'`, or
/// `('charge_read')` in newer ones.
fn permission_in(message: &str) -> Option<&str> {
    let start = message.find("'rak_").or_else(|| Some(message.find("('")?.saturating_add(1)))?;
    message.get(start.saturating_add(1)..)?.split('\'').next()
}

/// Finds the request id in the URL of the request's log in Stripe's dashboard.
fn request_id_in(log_url: &str) -> Option<String> {
    let start = log_url.find("req_")?;
    let id: String = log_url.get(start..)?.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    Some(id)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer(status: u16, body: &impl ToString) -> Answer {
        Answer { status, request_id: Some("req_header".to_owned()), body: body.to_string().into_bytes() }
    }

    fn error(code: &Value) -> Value {
        json!({ "error": { "type": "invalid_request_error", "code": code, "message": "no",
            "request_log_url": "https://dashboard.stripe.com/test/logs/req_body?t=1" } })
    }

    #[test]
    fn the_request_id_is_found_in_the_address_of_the_log() {
        let url = "https://dashboard.stripe.com/test/logs/req_AbC123?t=1800000000";
        assert_eq!(request_id_in(url), Some("req_AbC123".to_owned()));
        assert_eq!(request_id_in("https://dashboard.stripe.com/"), None);
    }

    #[test]
    fn the_missing_permission_is_found_in_both_wordings() {
        let former = "The provided key does not have the required permissions for this endpoint. Having the \
            'rak_dispute_read' permission would allow this request to continue.";
        assert_eq!(permission_in(former), Some("rak_dispute_read"));
        let newer = "The provided key 'rk_test_x' does not have the required permissions for this endpoint. Enabling \
            Webhook Endpoints, Event Destinations Read ('webhook_read') permissions on this key would allow this \
            request to continue.";
        assert_eq!(permission_in(newer), Some("webhook_read"));
        assert_eq!(permission_in("no"), None);
    }

    #[test]
    fn a_failure_says_which_key_the_next_try_needs() {
        let of = |status| of_answer(&answer(status, &error(&Value::Null)));
        assert!(matches!(of(429), ProviderError::Limited(_)));
        assert!(matches!(of(409), ProviderError::Limited(_)));
        assert!(matches!(of(500), ProviderError::Failed(_)));
        assert!(matches!(of(503), ProviderError::Failed(_)));
        assert!(matches!(of(400), ProviderError::Refused(_)));
        assert!(matches!(of(401), ProviderError::Refused(_)));
        assert!(matches!(of(404), ProviderError::Unknown(_)));
        let too_small = of_answer(&answer(400, &error(&json!("amount_too_small"))));
        assert!(matches!(too_small, ProviderError::AmountTooSmall(_)));
        assert!(matches!(of_transport(TransportError::TimedOut), ProviderError::TimedOut));
        let broken = of_transport(TransportError::Broken("connection reset".into()));
        assert!(matches!(broken, ProviderError::Unreachable(text) if text.ends_with(": connection reset")));
    }

    #[test]
    fn the_id_in_the_header_comes_before_the_one_in_the_address() {
        let text = of_answer(&answer(400, &error(&Value::Null))).to_string();
        assert_eq!(text, "the payment provider refused: 400 invalid_request_error: no (request req_header)");
        let without = Answer { request_id: None, ..answer(400, &error(&json!("parameter_missing"))) };
        let text = of_answer(&without).to_string();
        assert_eq!(text, "the payment provider refused: 400 parameter_missing: no (request req_body)");
    }

    #[test]
    fn what_has_no_error_of_stripes_says_nothing_about_the_request() {
        for body in ["", "<html>", "{}", r#"{"error":"no"}"#, r#"{"error":{"message":"no"}}"#, r#"{"error":null}"#] {
            for status in [301, 400, 404, 409, 500, 502] {
                let error = of_answer(&answer(status, &body));
                assert!(matches!(error, ProviderError::Unreachable(_)), "{status} {body}");
                assert!(error.to_string().contains(&format!("status {status}")), "{error}");
                assert!(error.to_string().contains("req_header"), "{error}");
            }
        }
    }
}
