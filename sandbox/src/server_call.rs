//! One API call over HTTP: key lock, fault, work, request log.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    call::{self, Answer, Call},
    engine::{Core, Engine, RecordedRequest},
    faults::{self, Fault, Kind, When},
    model::{Context, State, error::ApiError, idempotency, request::Method},
    outage,
};

/// The longest time that a request is held.
const MAX_HOLD: Duration = Duration::from_mins(10);

/// Releases an idempotency key when its request ends, however it ends.
struct KeyInUse {
    engine: Arc<Engine>,
    key: String,
}

impl Drop for KeyInUse {
    fn drop(&mut self) {
        self.engine.with(|core| core.in_progress.remove(&self.key));
    }
}

/// Runs a call. `None` means that the connection is closed without an answer.
pub(crate) async fn carry_out(engine: Arc<Engine>, call: Call) -> Option<Answer> {
    let (number, fault) = engine.with(|core| {
        let number = core.record_request(note(&call));
        let method = call.request.method.as_str();
        let now_ms = core.now_ms();
        // Usually there are no faults, and the parameters need not be serialized again.
        let params = if core.faults.is_empty() { Value::Null } else { call.request.params.to_json() };
        let fault = faults::take(&mut core.faults, method, &call.request.path, &params);
        (number, fault.or_else(|| outage::take(&mut core.outage, &call.request.path, now_ms)))
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

/// The log entry of a request that just arrived.
fn note(call: &Call) -> RecordedRequest {
    RecordedRequest {
        number: 0,
        request_id: call.request_id.clone(),
        method: call.request.method.as_str().to_owned(),
        path: call.request.path.clone(),
        params: call.request.params.to_json(),
        idempotency_key: call.key.clone(),
        stripe_version: call.api_version.clone(),
        replayed: false,
        status: None,
    }
}

async fn answer(engine: &Arc<Engine>, call: &Call, fault: Option<&Fault>) -> Option<Answer> {
    let _in_use = match take_key(engine, call) {
        Ok(in_use) => in_use,
        Err(error) => return Some(Answer::error(&error, &call.request_id, engine.now_ms().div_euclid(1_000))),
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
        Some(Kind::Silence) => {
            stay_silent(engine).await;
            return None;
        }
        Some(kind) => wait(engine, kind).await,
        None => {}
    }
    let (answer, version) = work(engine, call, before, after);
    engine.saved(version).await;
    if let Some(Kind::Later { status: None, .. }) = before {
        return None;
    }
    match after {
        Some(Kind::Disconnect) => return None,
        Some(kind) => wait(engine, kind).await,
        None => {}
    }
    Some(answer)
}

fn take_key(engine: &Arc<Engine>, call: &Call) -> Result<Option<KeyInUse>, ApiError> {
    let Some(key) = &call.key else { return Ok(None) };
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
        Kind::Hold => hold(engine, MAX_HOLD, |_| false).await,
        Kind::Status { .. } | Kind::Disconnect | Kind::Later { .. } | Kind::Silence | Kind::Patch { .. } => {}
    }
}

/// Holds a request until the outage is over, so that the connection tells the client nothing.
async fn stay_silent(engine: &Engine) {
    let until_ms = engine.with(|core| core.outage.as_ref().and_then(|outage| outage.until_ms));
    let left_ms = until_ms.map(|until_ms| until_ms.saturating_sub(engine.now_ms()).max(0));
    let limit = left_ms.and_then(|left_ms| u64::try_from(left_ms).ok()).map_or(MAX_HOLD, Duration::from_millis);
    hold(engine, limit.min(MAX_HOLD), |core| core.outage.is_none() || until_ms.is_some_and(|at| at <= core.now_ms()))
        .await;
}

/// Holds a request until it is released, `is_over` returns true or `limit` passes. Counts it as held meanwhile.
async fn hold(engine: &Engine, limit: Duration, is_over: impl Fn(&Core) -> bool) {
    let seen = engine.with(|core| {
        core.held = core.held.saturating_add(1);
        core.releases
    });
    engine.changed();
    engine.wait_until(limit, |core| core.releases > seen || is_over(core)).await;
    engine.with(|core| core.held = core.held.saturating_sub(1));
}

/// Does the work in one step under the lock. A read has no cause and leaves nothing to save.
fn work(engine: &Engine, call: &Call, before: Option<&Kind>, after: Option<&Kind>) -> (Answer, u64) {
    let step = |state: &mut State, context: &mut Context<'_>| call::carry_out(state, context, call, before, after);
    if call.request.method == Method::Get {
        return (engine.read(&call.api_version, step), 0);
    }
    engine.run(Some(call.cause()), &call.api_version, step)
}
