//! Requests that fail or get no answer, and are done later anyway.
//!
//! If no answer was saved under the key, the key is in use until then. The answer of the late work is saved only if the
//! key has none yet: Stripe replays the failure that it returned.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Cause, Context, State, api,
    error::ApiError,
    idempotency::SavedAnswer,
    params::{Param, Params},
    request::{Method, Request},
};

/// A request to be done later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LateRequest {
    method: String,
    path: String,
    params: LateParams,
    request_id: String,
    key: Option<String>,
    api_version: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum LateParam {
    Text(String),
    Nested(LateParams),
}

type LateParams = BTreeMap<String, LateParam>;

fn written(params: &Params) -> LateParams {
    let write = |param: &Param| match param {
        Param::Text(text) => LateParam::Text(text.clone()),
        Param::Nested(inner) => LateParam::Nested(written(inner)),
    };
    params.0.iter().map(|(name, param)| (name.clone(), write(param))).collect()
}

fn read(params: LateParams) -> Params {
    let read_one = |param| match param {
        LateParam::Text(text) => Param::Text(text),
        LateParam::Nested(inner) => Param::Nested(read(inner)),
    };
    Params(params.into_iter().map(|(name, param)| (name, read_one(param))).collect())
}

impl LateRequest {
    /// The idempotency key that it came with.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// All texts in the request that may be the id of an object.
    pub(crate) fn mentioned(&self) -> Vec<&str> {
        let mut mentioned: Vec<&str> = self.path.split('/').collect();
        collect_texts(&self.params, &mut mentioned);
        mentioned
    }
}

fn collect_texts<'a>(params: &'a LateParams, texts: &mut Vec<&'a str>) {
    for param in params.values() {
        match param {
            LateParam::Text(text) => texts.push(text),
            LateParam::Nested(inner) => collect_texts(inner, texts),
        }
    }
}

/// Schedules a request.
pub(crate) fn plan(state: &mut State, request: &Request, cause: &Cause, api_version: &str, at_ms: i64) {
    let late = LateRequest {
        method: request.method.as_str().to_owned(),
        path: request.path.clone(),
        params: written(&request.params),
        request_id: cause.request_id.clone(),
        key: cause.idempotency_key.clone(),
        api_version: api_version.to_owned(),
    };
    state.next_late = state.next_late.saturating_add(1);
    state.late.insert((at_ms, state.next_late), late);
}

/// Whether a request with this key is scheduled and no answer is saved under the key.
pub(crate) fn is_waiting(state: &State, key: &str) -> bool {
    state.saved_answers.get(key).is_none() && state.late.values().any(|late| late.key.as_deref() == Some(key))
}

/// Does the requests that are due. Returns true if there were any.
pub(crate) fn carry_out_due(state: &mut State, context: &mut Context<'_>) -> bool {
    let mut happened = false;
    while let Some(key) = state.late.keys().next().filter(|(at_ms, _)| *at_ms <= context.now_ms).copied() {
        let Some(late) = state.late.remove(&key) else { break };
        carry_out(state, context, late, key.0);
        happened = true;
    }
    happened
}

/// Does the request at its scheduled time, even if the state is read only later.
fn carry_out(state: &mut State, context: &mut Context<'_>, late: LateRequest, at_ms: i64) {
    let Some(method) = Method::parse(&late.method) else { return };
    let request = Request { method, path: late.path, params: read(late.params) };
    let params = request.params.to_json();
    let cause = Cause { request_id: late.request_id.clone(), idempotency_key: late.key.clone() };
    let (status, body, is_kept) = {
        let mut inside = Context {
            now_ms: at_ms,
            ids: &mut *context.ids,
            base_url: context.base_url,
            cause: Some(cause),
            api_version: &late.api_version,
        };
        match api::handle(state, &mut inside, &request) {
            Ok(body) => (200, body, true),
            Err(error @ ApiError { executed, .. }) => {
                (error.status, error.body(&late.request_id, at_ms.div_euclid(1_000)), executed)
            }
        }
    };
    let Some(key) = late.key.filter(|key| is_kept && state.saved_answers.get(key).is_none()) else { return };
    let saved = SavedAnswer {
        path: request.path,
        params,
        status,
        body,
        request_id: late.request_id,
        saved_at: at_ms.div_euclid(1_000),
        key,
    };
    state.keep_answer(saved);
}
