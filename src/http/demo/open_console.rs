//! Signs the person at the demo page in to the console with one click.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web::Data;
use secrecy::ExposeSecret;

use crate::access::api_keys::KeyHash;
use crate::console::person::Role;
use crate::http::console::sign_in::begin_session;
use crate::http::demo::Demo;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;

/// Exchanges the demo's own key for a session, as the sign-in page does with a person's key.
pub(super) async fn open(request: HttpRequest, state: State, demo: Data<Demo>) -> Result<HttpResponse, ApiError> {
    // Another site may not sign anyone in.
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok()).unwrap_or("none");
    if !matches!(site, "same-origin" | "none") {
        return Err(ApiError::forbidden("other_site", "open the console from the demo page"));
    }
    let gone = || ApiError::not_found("there is no console");
    let secret = demo.console_key.as_ref().ok_or_else(gone)?;
    let hash = KeyHash::of_presented(secret.expose_secret()).ok_or_else(gone)?;
    let (app, keys, now_ms) = (state.app.clone(), state.keys.clone(), state.app.clock.now_ms());
    let key = state.run(async move { keys.look_up(&app.db, hash, now_ms).await }).await??;
    let key = key.ok_or_else(|| ApiError::unauthorized("invalid_api_key", "the demo's key was revoked"))?;
    let role = Role::of(&key).ok_or_else(gone)?;
    begin_session(&request, &state, key.as_ref().clone(), role, "/console").await
}
