//! Runs one API call against the state: idempotency key, command and saved answer, in one step.
//!
//! This module does not know HTTP, the clock or tasks. The server adds faults, delays and the request log
//! ([`crate::server_call`]); a simulator calls the same code through [`crate::Model`]. Both get the same answers.

use serde_json::Value;

use crate::{
    faults::{self, Kind},
    model::{
        Cause, Context, State, api,
        error::ApiError,
        idempotency::{self, MAX_KEY_LENGTH, SavedAnswer},
        late,
        params::Params,
        request::{Method, Request},
    },
};

/// A parsed and authorized request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) request: Request,
    pub(crate) request_id: String,
    pub(crate) key: Option<String>,
    pub(crate) api_version: String,
}

impl Call {
    /// Keys apply to POST only; on other methods they are ignored.
    pub(crate) fn new(request: Request, request_id: &str, key: Option<String>, api_version: &str) -> Self {
        let key = key.filter(|key| request.method == Method::Post && !key.is_empty());
        Self { request, request_id: request_id.to_owned(), key, api_version: api_version.to_owned() }
    }

    /// The cause that this call's events record.
    pub(crate) fn cause(&self) -> Cause {
        Cause { request_id: self.request_id.clone(), idempotency_key: self.key.clone() }
    }
}

/// The response to the client.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// The id of the original request, if this answer is a replay.
    pub(crate) replay_of: Option<String>,
    /// Whether the answer is saved under the idempotency key.
    kept: bool,
}

impl Answer {
    /// `now` is in seconds since 1970.
    pub(crate) fn error(error: &ApiError, request_id: &str, now: i64) -> Self {
        Self { status: error.status, body: error.body(request_id, now), replay_of: None, kept: error.executed }
    }
}

/// Runs a call, or replays the answer saved under its key. `before` replaces the work; `after` changes the answer.
pub(crate) fn carry_out(
    state: &mut State,
    context: &mut Context<'_>,
    call: &Call,
    before: Option<&Kind>,
    after: Option<&Kind>,
) -> Answer {
    let params = call.request.params.to_json();
    let refuse = |error: &ApiError, now: i64| Answer::error(error, &call.request_id, now);
    let replay = match kept_answer(state, call, &params) {
        Ok(replay) => replay,
        Err(error) => return refuse(&error, context.now()),
    };
    if call.key.as_ref().is_some_and(|key| replay.is_none() && late::is_waiting(state, key)) {
        return refuse(&idempotency::in_use(call.key.as_deref().unwrap_or_default()), context.now());
    }
    let is_new = replay.is_none();
    let mut answer = match (before, replay) {
        (Some(Kind::Status { status, message }), _) => {
            refuse(&faults::error_with(*status, message.as_deref()), context.now())
        }
        (Some(Kind::Later { status, after_seconds }), None) => {
            let at_ms = context.now_ms.saturating_add(i64::from(*after_seconds).saturating_mul(1_000));
            late::plan(state, &call.request, &call.cause(), &call.api_version, at_ms);
            let mut answer = refuse(&faults::error_for(status.unwrap_or(500)), context.now());
            // A closed connection leaves nothing to replay: the key gets the answer of the late work.
            answer.kept &= status.is_some();
            answer
        }
        (_, Some(saved)) => {
            Answer { status: saved.status, body: saved.body, replay_of: Some(saved.request_id), kept: false }
        }
        (_, None) => match api::handle(state, context, &call.request) {
            Ok(body) => Answer { status: 200, body, replay_of: None, kept: true },
            Err(error) => refuse(&error, context.now()),
        },
    };
    match after {
        Some(Kind::Status { status, message }) => {
            let done = answer.kept;
            let replaced = refuse(&faults::error_with(*status, message.as_deref()), context.now());
            // If the key does not save the replacement, it saves the real answer, which a retry then gets.
            if done && !replaced.kept {
                keep(state, context, call, &params, &answer);
            }
            answer = replaced;
        }
        Some(Kind::Patch { body }) => faults::merge(&mut answer.body, body),
        _ => {}
    }
    if answer.kept && is_new {
        keep(state, context, call, &params, &answer);
    }
    answer
}

/// Looks up the saved answer. Refuses a key longer than Stripe's limit first.
fn kept_answer(state: &State, call: &Call, params: &Value) -> Result<Option<SavedAnswer>, ApiError> {
    let Some(key) = &call.key else { return Ok(None) };
    if key.len() > MAX_KEY_LENGTH {
        return Err(idempotency::too_long());
    }
    state.saved_answer(key, &call.request.path, params)
}

/// Saves an answer under the call's key.
fn keep(state: &mut State, context: &Context<'_>, call: &Call, params: &Value, answer: &Answer) {
    let Some(key) = &call.key else { return };
    let saved = SavedAnswer {
        path: call.request.path.clone(),
        params: params.clone(),
        status: answer.status,
        body: answer.body.clone(),
        request_id: call.request_id.clone(),
        saved_at: context.now(),
        key: key.clone(),
    };
    state.keep_answer(saved);
}

/// Parses a request whose body is JSON, as those of Stripe's API v2 are.
pub(crate) fn read_json_request(method: &str, path: &str, query: &str, body: &[u8]) -> Result<Request, ApiError> {
    let mut request = read_request(method, path, &[query.as_bytes()])?;
    if !body.is_empty() && method == "POST" {
        let refuse = |_| ApiError::invalid("Invalid request: the body must be a JSON object.");
        let json: serde_json::Map<String, Value> = serde_json::from_slice(body).map_err(refuse)?;
        request.params.add_json(json)?;
    }
    Ok(request)
}

/// Parses a request's method and parameters. `encoded` is its query and then its form.
pub(crate) fn read_request(method: &str, path: &str, encoded: &[&[u8]]) -> Result<Request, ApiError> {
    let method = Method::parse(method).ok_or_else(|| {
        ApiError::new(405, "invalid_request_error", format!("Unrecognized request method ({method}: {path})."))
    })?;
    let mut params = Params::default();
    for part in encoded {
        params.read(part)?;
    }
    Ok(Request { method, path: path.to_owned(), params })
}
