//! `/_sandbox/…` for money that comes back. JSON, without a key, from this machine only; what happens is the model's
//! business.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde_json::{Value, json};

use crate::{
    DEFAULT_API_VERSION,
    engine::Engine,
    model::{control_money, error::ApiError},
};

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    for path in ["/_sandbox/refunds/{id}", "/_sandbox/disputes/{id}", "/_sandbox/payment_intents/{id}/{action}"] {
        config.route(path, web::post().to(carry_out));
    }
}

/// An empty body is an empty object.
async fn carry_out(request: HttpRequest, engine: web::Data<Engine>, body: web::Bytes) -> HttpResponse {
    let body: &[u8] = if body.is_empty() { b"{}" } else { &body };
    let body: Value = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(mistake) => return refused(&ApiError::invalid(mistake.to_string())),
    };
    let path = request.path();
    let segments: Vec<&str> = path.trim_start_matches("/_sandbox/").split('/').collect();
    let (result, version) =
        engine.run(None, DEFAULT_API_VERSION, |state, context| control_money::handle(state, context, &segments, &body));
    engine.saved(version).await;
    match result {
        Some(Ok(object)) => HttpResponse::Ok().json(object),
        Some(Err(error)) => refused(&error),
        None => refused(&ApiError::new(404, "invalid_request_error", format!("There is no control {path}."))),
    }
}

fn refused(error: &ApiError) -> HttpResponse {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    HttpResponse::build(status).json(json!({ "error": { "message": error.message } }))
}
