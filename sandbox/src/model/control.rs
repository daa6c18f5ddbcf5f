//! Controls on objects and lists, such as `/_sandbox/sessions/{id}/settle`: what a customer, a bank or a user of
//! Stripe's dashboard does without an API request. The server and [`crate::Model`] both call this module.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Context, State,
    account::AccountDefaults,
    account_api, billing, control_cards,
    control_money::{self, Challenge, Challenged, Settle, Settled, read},
    error::ApiError,
    pages_api, session_confirm, session_expiry, settle,
};

/// Runs a control. Returns the object as it is afterwards.
pub(crate) fn handle(
    state: &mut State,
    context: &mut Context<'_>,
    path: &str,
    body: &Value,
) -> Result<Value, ApiError> {
    let segments: Vec<&str> = path.trim_start_matches("/_sandbox/").split('/').collect();
    let answered = answer(state, context, (path, &segments), body);
    state.follow(context);
    answered
}

fn answer(
    state: &mut State,
    context: &mut Context<'_>,
    (path, segments): (&str, &[&str]),
    body: &Value,
) -> Result<Value, ApiError> {
    match segments {
        ["account"] => {
            state.account = read(body)?;
            Ok(json!({ "defaults": state.account }))
        }
        ["account", "standing"] => {
            state.standing = read(body)?;
            Ok(account_api::to_json(state.standing))
        }
        ["account", "all"] => {
            state.account = AccountDefaults::ALL_ON;
            Ok(json!({ "defaults": state.account }))
        }
        ["sessions", id, action] => {
            match *action {
                "settle" => settle(state, context, id, body)?,
                "challenge" => challenge(state, context, id, body)?,
                "expire" => session_expiry::expire_now(state, context, id)?,
                _ => return Err(unknown(path)),
            }
            pages_api::retrieve(state, context, id)
        }
        ["lists"] => set_lag(state, body),
        other => control_money::handle(state, context, other, body)
            .or_else(|| control_cards::handle(state, context, other, body))
            .or_else(|| billing::control::handle(state, context, other, body))
            .unwrap_or_else(|| Err(unknown(path))),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListLag {
    lag_seconds: u32,
}

/// Makes lists lag: they show objects only once they are this old.
fn set_lag(state: &mut State, body: &Value) -> Result<Value, ApiError> {
    let ListLag { lag_seconds } = read(body)?;
    state.list_lag = i64::from(lag_seconds);
    Ok(json!({ "lag_seconds": lag_seconds }))
}

/// The error format of controls; these answers are not Stripe's.
pub(crate) fn refusal(message: &str) -> Value {
    json!({ "error": { "message": message } })
}

fn unknown(path: &str) -> ApiError {
    ApiError::new(404, "invalid_request_error", format!("There is no control {path}."))
}

/// A delayed payment succeeds or fails.
fn settle(state: &mut State, context: &mut Context<'_>, id: &str, body: &Value) -> Result<(), ApiError> {
    let wanted: Settle = read(body)?;
    settle::settle(state, context, id, wanted.outcome == Settled::Succeeded)
}

/// The customer passes or fails the 3-D Secure challenge.
fn challenge(state: &mut State, context: &mut Context<'_>, id: &str, body: &Value) -> Result<(), ApiError> {
    let wanted: Challenge = read(body)?;
    match session_confirm::finish_challenge(state, context, id, wanted.outcome == Challenged::Passed) {
        // A decline is a valid result of the challenge.
        Err(error) if error.code != Some("payment_intent_unexpected_state") && error.status != 404 => Ok(()),
        other => other.map(|_| ()),
    }
}
