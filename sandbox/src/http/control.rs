//! `/_sandbox/…`: what a test does to the sandbox and what it sees of it. JSON, without a key, from this machine only.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    DEFAULT_API_VERSION, clock,
    engine::{Core, Engine},
    faults::Fault,
    model::control as object_control,
};

const IDLE_WAIT: Duration = Duration::from_secs(10);

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/_sandbox/faults", web::post().to(add_fault))
        .route("/_sandbox/faults", web::get().to(list_faults))
        .route("/_sandbox/faults", web::delete().to(clear_faults))
        .route("/_sandbox/release", web::post().to(release))
        .route("/_sandbox/holds", web::get().to(holds))
        .route("/_sandbox/requests", web::get().to(requests))
        .route("/_sandbox/deliveries", web::get().to(deliveries))
        .route("/_sandbox/deliveries/pause", web::post().to(pause))
        .route("/_sandbox/deliveries/resume", web::post().to(resume))
        .route("/_sandbox/events/{id}/resend", web::post().to(resend))
        .route("/_sandbox/sessions/{id}/{action}", web::post().to(object))
        .route("/_sandbox/idle", web::get().to(idle));
}

fn refused(status: u16, message: impl Into<String>) -> HttpResponse {
    let message: String = message.into();
    let status = actix_web::http::StatusCode::from_u16(status).unwrap_or(actix_web::http::StatusCode::BAD_REQUEST);
    HttpResponse::build(status).json(object_control::refusal(&message))
}

fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

async fn add_fault(engine: web::Data<Engine>, body: web::Bytes) -> HttpResponse {
    let fault: Fault = match parse(&body) {
        Ok(fault) => fault,
        Err(mistake) => return refused(400, mistake),
    };
    if let Some(mistake) = fault.mistake() {
        return refused(400, mistake);
    }
    let faults = engine.with(|core| {
        core.faults.push(fault);
        core.faults.clone()
    });
    HttpResponse::Ok().json(json!({ "faults": faults }))
}

async fn list_faults(engine: web::Data<Engine>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "faults": engine.with(|core| core.faults.clone()) }))
}

async fn clear_faults(engine: web::Data<Engine>) -> HttpResponse {
    engine.with(|core| core.faults.clear());
    HttpResponse::Ok().json(json!({ "faults": [] }))
}

async fn release(engine: web::Data<Engine>) -> HttpResponse {
    let released = engine.with(|core| {
        core.releases = core.releases.saturating_add(1);
        core.held
    });
    engine.changed();
    HttpResponse::Ok().json(json!({ "released": released }))
}

/// How many requests are held now. With `?wait_for=N`, answers when there are as many, or after 10 seconds.
async fn holds(engine: web::Data<Engine>, query: web::Query<HoldsQuery>) -> HttpResponse {
    if let Some(wanted) = query.wait_for {
        engine.wait_until(IDLE_WAIT, |core| core.held >= wanted).await;
    }
    HttpResponse::Ok().json(json!({ "held": engine.with(|core| core.held) }))
}

#[derive(Debug, Deserialize)]
struct HoldsQuery {
    wait_for: Option<usize>,
}

async fn requests(engine: web::Data<Engine>) -> HttpResponse {
    let requests: Vec<_> = engine.with(|core| core.requests.iter().cloned().collect());
    HttpResponse::Ok().json(json!({ "requests": requests }))
}

async fn deliveries(engine: web::Data<Engine>) -> HttpResponse {
    let now = clock::now_ms();
    let answer = engine.with(|core| {
        let attempts: Vec<_> = core.attempts.iter().cloned().collect();
        json!({ "deliveries": attempts, "pending": pending(core, now), "paused": core.paused })
    });
    HttpResponse::Ok().json(answer)
}

fn pending(core: &Core, now_ms: i64) -> Vec<Value> {
    core.state
        .deliveries
        .values()
        .map(|delivery| {
            json!({
                "event": delivery.event,
                "type": core.state.events.get(&delivery.event).map(|event| &event.kind),
                "endpoint": delivery.endpoint,
                "attempts": delivery.attempts,
                "due_in_ms": delivery.due_ms.saturating_sub(now_ms).max(0),
            })
        })
        .collect()
}

async fn pause(engine: web::Data<Engine>) -> HttpResponse {
    engine.with(|core| core.paused = true);
    // What is on its way when the pause begins is let finish, so that nothing arrives after this answer.
    engine.wait_until(IDLE_WAIT, |core| core.running.is_empty()).await;
    HttpResponse::Ok().json(json!({ "paused": true }))
}

async fn resume(engine: web::Data<Engine>) -> HttpResponse {
    engine.with(|core| core.paused = false);
    engine.changed();
    HttpResponse::Ok().json(json!({ "paused": false }))
}

async fn resend(engine: web::Data<Engine>, id: web::Path<String>) -> HttpResponse {
    let (queued, version) = engine.run(None, DEFAULT_API_VERSION, |state, context| state.resend(&id, context.now_ms));
    engine.saved(version).await;
    match queued {
        Some(count) => HttpResponse::Ok().json(json!({ "event": id.as_str(), "queued": count })),
        None => refused(404, format!("No such event: '{id}'")),
    }
}

/// A control on an object of the model.
async fn object(engine: web::Data<Engine>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let body: Value = match body.as_ref() {
        b"" => json!({}),
        text => match parse(text) {
            Ok(body) => body,
            Err(mistake) => return refused(400, mistake),
        },
    };
    let (result, version) = engine
        .run(None, DEFAULT_API_VERSION, |state, context| object_control::handle(state, context, request.path(), &body));
    engine.saved(version).await;
    match result {
        Ok(answer) => HttpResponse::Ok().json(answer),
        Err(error) => refused(error.status, error.message),
    }
}

/// Answers 200 when no delivery is due or running, or 503 after 10 seconds. Paused deliveries are not due.
async fn idle(engine: web::Data<Engine>) -> HttpResponse {
    let is_idle = |core: &mut Core| core.running.is_empty() && (core.paused || core.backlog(clock::now_ms()).0 == 0);
    let idle = engine.wait_until(IDLE_WAIT, is_idle).await;
    let (running, (due, waiting)) = engine.with(|core| (core.running.len(), core.backlog(clock::now_ms())));
    let body = json!({ "idle": idle, "running": running, "due": due, "waiting": waiting });
    if idle { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) }
}
