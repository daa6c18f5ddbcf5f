//! One API call from its arrival to its answer: idempotency key, fault, command, record.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    clock,
    engine::Engine,
    faults::{self, Fault, Kind, When},
    http::api::note,
    model::{
        Cause, Context, State, api,
        api::{Method, Request},
        error::ApiError,
        idempotency::{self, MAX_KEY_LENGTH, SavedAnswer},
    },
};

/// A held request does not wait longer than this.
const MAX_HOLD: Duration = Duration::from_mins(10);

/// A request that was read and is allowed.
pub(crate) struct Call {
    pub(crate) request: Request,
    pub(crate) request_id: String,
    pub(crate) key: Option<String>,
    pub(crate) api_version: String,
}

/// What goes back to the client.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// The request whose answer this repeats.
    pub(crate) replay_of: Option<String>,
    /// Whether the idempotency key keeps it.
    kept: bool,
}

impl Answer {
    pub(crate) fn error(error: &ApiError, request_id: &str) -> Self {
        let now = clock::now_ms().div_euclid(1_000);
        Self { status: error.status, body: error.body(request_id, now), replay_of: None, kept: error.executed }
    }
}

/// Frees an idempotency key when its request is over, however it ends.
struct KeyInUse {
    engine: Arc<Engine>,
    key: String,
}

impl Drop for KeyInUse {
    fn drop(&mut self) {
        self.engine.with(|core| core.in_progress.remove(&self.key));
    }
}

/// Carries a call out. `None`: the connection is to be closed without an answer.
pub(crate) async fn carry_out(engine: Arc<Engine>, call: Call) -> Option<Answer> {
    let (number, fault) = engine.with(|core| {
        let number = core.record_request(note(&call));
        let method = call.request.method.as_str();
        (number, faults::take(&mut core.faults, method, &call.request.path))
    });
    engine.changed();
    let answer = answer(&engine, &call, fault.as_ref()).await;
    engine.with(|core| {
        if let Some(record) = core.recorded(number) {
            record.status = answer.as_ref().map(|answer| answer.status);
            record.replayed = answer.as_ref().is_some_and(|answer| answer.replay_of.is_some());
        }
    });
    engine.changed();
    answer
}

async fn answer(engine: &Arc<Engine>, call: &Call, fault: Option<&Fault>) -> Option<Answer> {
    let _in_use = match take_key(engine, call) {
        Ok(in_use) => in_use,
        Err(error) => return Some(Answer::error(&error, &call.request_id)),
    };
    let (before, after) = match fault {
        Some(fault) if fault.when == When::Before && !matches!(fault.kind, Kind::Patch { .. }) => {
            (Some(&fault.kind), None)
        }
        Some(fault) => (None, Some(&fault.kind)),
        None => (None, None),
    };
    match before {
        Some(Kind::Disconnect) => return None,
        Some(kind) => wait(engine, kind).await,
        None => {}
    }
    let (answer, version) = work(engine, call, before, after);
    engine.saved(version).await;
    match after {
        Some(Kind::Disconnect) => return None,
        Some(kind) => wait(engine, kind).await,
        None => {}
    }
    Some(answer)
}

fn take_key(engine: &Arc<Engine>, call: &Call) -> Result<Option<KeyInUse>, ApiError> {
    let Some(key) = &call.key else { return Ok(None) };
    if key.len() > MAX_KEY_LENGTH {
        return Err(idempotency::too_long());
    }
    if !engine.with(|core| core.in_progress.insert(key.clone())) {
        return Err(idempotency::in_use(key));
    }
    Ok(Some(KeyInUse { engine: Arc::clone(engine), key: key.clone() }))
}

async fn wait(engine: &Engine, kind: &Kind) {
    match kind {
        Kind::Delay { delay_ms } => {
            let delay = Duration::from_millis(*delay_ms);
            engine.wait_until(delay, |_| false).await;
        }
        Kind::Hold => {
            let seen = engine.with(|core| {
                core.held = core.held.saturating_add(1);
                core.releases
            });
            engine.changed();
            engine.wait_until(MAX_HOLD, |core| core.releases > seen).await;
            engine.with(|core| core.held = core.held.saturating_sub(1));
        }
        Kind::Status { .. } | Kind::Disconnect | Kind::Patch { .. } => {}
    }
}

/// Keeps an answer under the call's key.
fn keep(state: &mut State, context: &Context<'_>, call: &Call, params: &Value, answer: &Answer) {
    let Some(key) = &call.key else { return };
    let saved = SavedAnswer {
        path: call.request.path.clone(),
        params: params.clone(),
        status: answer.status,
        body: answer.body.clone(),
        request_id: call.request_id.clone(),
        saved_at: context.now(),
    };
    state.keep_answer(key.clone(), saved);
}

/// The command, the fault's change to its answer and the kept answer, all in one step under the lock.
fn work(engine: &Engine, call: &Call, before: Option<&Kind>, after: Option<&Kind>) -> (Answer, u64) {
    let cause = Cause { request_id: call.request_id.clone(), idempotency_key: call.key.clone() };
    let params = call.request.params.to_json();
    let step = |state: &mut State, context: &mut Context<'_>| {
        let saved = match &call.key {
            Some(key) => state.saved_answer(key, &call.request.path, &params),
            None => Ok(None),
        };
        let replay = match saved {
            Ok(replay) => replay,
            Err(error) => return Answer::error(&error, &call.request_id),
        };
        let is_new = replay.is_none();
        let mut answer = match (before, replay) {
            (Some(Kind::Status { status }), _) => Answer::error(&faults::error_for(*status), &call.request_id),
            (_, Some(saved)) => {
                Answer { status: saved.status, body: saved.body, replay_of: Some(saved.request_id), kept: false }
            }
            (_, None) => match api::handle(state, context, &call.request) {
                Ok(body) => Answer { status: 200, body, replay_of: None, kept: true },
                Err(error) => Answer::error(&error, &call.request_id),
            },
        };
        match after {
            Some(Kind::Status { status }) => {
                let done = answer.kept;
                let replaced = Answer::error(&faults::error_for(*status), &call.request_id);
                // An answer that the key cannot keep only hides the real one, which a retry will get.
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
    };
    if call.request.method == Method::Get {
        return (engine.read(&call.api_version, step), 0);
    }
    engine.run(Some(cause), &call.api_version, step)
}
