//! `/_sandbox/…`: the JSON endpoints with which a test controls and inspects the sandbox. No key, loopback only.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    controls,
    delivery_mode::Hold,
    engine::{Core, Engine},
    model::control::refusal,
};

const IDLE_WAIT: Duration = Duration::from_secs(10);

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/_sandbox/faults", web::post().to(control))
        .route("/_sandbox/faults", web::get().to(list_faults))
        .route("/_sandbox/faults", web::delete().to(clear_faults))
        .route("/_sandbox/release", web::post().to(control))
        .route("/_sandbox/holds", web::get().to(holds))
        .route("/_sandbox/requests", web::get().to(requests))
        .route("/_sandbox/deliveries", web::get().to(deliveries))
        .route("/_sandbox/deliveries/{action}", web::post().to(control))
        .route("/_sandbox/deliveries/mode", web::get().to(mode))
        .route("/_sandbox/endpoints/{id}/{action}", web::post().to(control))
        .route("/_sandbox/events/{id}/{action}", web::post().to(control))
        .route("/_sandbox/sessions/{id}/{action}", web::post().to(control))
        .route("/_sandbox/refunds/{id}", web::post().to(control))
        .route("/_sandbox/disputes/{id}", web::post().to(control))
        .route("/_sandbox/disputes/{id}/{action}", web::post().to(control))
        .route("/_sandbox/reviews/{id}", web::post().to(control))
        .route("/_sandbox/payment_intents/{id}/{action}", web::post().to(control))
        .route("/_sandbox/payment_methods/{id}/{action}", web::post().to(control))
        .route("/_sandbox/setup_intents/{id}/{action}", web::post().to(control))
        .route("/_sandbox/billing", web::post().to(control))
        .route("/_sandbox/customers/{id}/{action}", web::post().to(control))
        .route("/_sandbox/subscriptions/{id}/{action}", web::post().to(control))
        .route("/_sandbox/invoices/{id}/{action}", web::post().to(control))
        .route("/_sandbox/lists", web::post().to(control))
        .route("/_sandbox/account", web::post().to(control))
        .route("/_sandbox/account/{action}", web::post().to(control))
        .route("/_sandbox/clock", web::get().to(clock))
        .route("/_sandbox/clock", web::post().to(control))
        .route("/_sandbox/outage", web::get().to(outage))
        .route("/_sandbox/outage", web::post().to(control))
        .route("/_sandbox/outage", web::delete().to(end_outage))
        .route("/_sandbox/permissions", web::get().to(permissions))
        .route("/_sandbox/permissions", web::post().to(control))
        .route("/_sandbox/idle", web::get().to(idle));
}

fn refused(status: u16, message: impl Into<String>) -> HttpResponse {
    let message: String = message.into();
    let status = actix_web::http::StatusCode::from_u16(status).unwrap_or(actix_web::http::StatusCode::BAD_REQUEST);
    HttpResponse::build(status).json(refusal(&message))
}

fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

async fn list_faults(engine: web::Data<Engine>) -> HttpResponse {
    HttpResponse::Ok().json(controls::faults(&engine))
}

async fn clear_faults(engine: web::Data<Engine>) -> HttpResponse {
    HttpResponse::Ok().json(controls::clear_faults(&engine))
}

/// The number of requests held now. With `?wait_for=N`, answers when N are held, or after 10 seconds.
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
    let answer = engine.with(|core| {
        let now = core.now_ms();
        let attempts: Vec<_> = core.attempts.iter().cloned().collect();
        json!({ "deliveries": attempts, "pending": pending(core, now), "paused": core.mode.hold == Hold::All(true), "mode": core.mode })
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

/// Handles every control; the body is optional.
async fn control(engine: web::Data<Engine>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let body: Value = match body.as_ref() {
        b"" => json!({}),
        text => match parse(text) {
            Ok(body) => body,
            Err(mistake) => return refused(400, mistake),
        },
    };
    let path = request.path().trim_start_matches("/_sandbox/");
    match controls::carry_out(&engine, path, &body).await {
        Ok(answer) => HttpResponse::Ok().json(answer),
        Err(error) => refused(error.status, error.message),
    }
}

async fn clock(engine: web::Data<Engine>) -> HttpResponse {
    HttpResponse::Ok().json(controls::clock(&engine))
}

async fn outage(engine: web::Data<Engine>) -> HttpResponse {
    HttpResponse::Ok().json(controls::outage(&engine))
}

async fn end_outage(engine: web::Data<Engine>) -> HttpResponse {
    HttpResponse::Ok().json(controls::end_outage(&engine))
}

async fn permissions(engine: web::Data<Engine>) -> HttpResponse {
    HttpResponse::Ok().json(engine.with(|core| core.permissions.clone()))
}

async fn mode(engine: web::Data<Engine>) -> HttpResponse {
    HttpResponse::Ok().json(controls::mode(&engine))
}

/// Answers 200 once no delivery is due or running, or 503 after 10 seconds. Held deliveries are not due.
async fn idle(engine: web::Data<Engine>) -> HttpResponse {
    let is_idle = |core: &mut Core| core.running.is_empty() && core.backlog(core.now_ms()).0 == 0;
    let idle = engine.wait_until(IDLE_WAIT, is_idle).await;
    let (running, (due, waiting)) = engine.with(|core| (core.running.len(), core.backlog(core.now_ms())));
    let body = json!({ "idle": idle, "running": running, "due": due, "waiting": waiting });
    if idle { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) }
}
