//! Signs the person at the demo page in to the console with one click.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use actix_web::web::Data;
use secrecy::ExposeSecret;

use crate::access::api_keys::KeyHash;
use crate::console::person::Role;
use crate::http::console::sign_in::begin_session;
use crate::http::demo::Demo;
use crate::http::kit::host::is_loopback_host;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;

/// Whether the demo page sent a request, under a name of this machine. Another site may not sign anyone in, and neither
/// may one whose name leads here (DNS rebinding). Old browsers send no `Sec-Fetch-Site`, but an `Origin`.
fn is_from_the_page(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let is_own_origin = |origin: &str| {
        let host = text(HOST).unwrap_or_default();
        origin.split_once("://").is_some_and(|(_, name)| name.eq_ignore_ascii_case(host))
    };
    let site = text(HeaderName::from_static("sec-fetch-site")).unwrap_or("none");
    is_loopback_host(headers) && matches!(site, "same-origin" | "none") && text(ORIGIN).is_none_or(is_own_origin)
}

/// Exchanges the demo's own key for a session, as the sign-in page does with a person's key.
pub(super) async fn open(request: HttpRequest, state: State, demo: Data<Demo>) -> Result<HttpResponse, ApiError> {
    if !is_from_the_page(request.headers()) {
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

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn only_the_page_itself_opens_the_console() {
        let host = ("host", "localhost:8080");
        for (headers, opens) in [
            (vec![host], true),
            (vec![host, ("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8080")], true),
            (vec![("host", "127.0.0.1:8080"), ("sec-fetch-site", "none")], true),
            (vec![host, ("sec-fetch-site", "same-site")], false),
            (vec![host, ("sec-fetch-site", "cross-site")], false),
            (vec![host, ("origin", "https://shop.example")], false),
            (vec![host, ("origin", "null")], false),
            (vec![("host", "rebound.example:8080"), ("sec-fetch-site", "same-origin")], false),
            (vec![("host", "rebound.example"), ("origin", "http://rebound.example")], false),
            (vec![], false),
        ] {
            let pairs =
                headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            assert_eq!(is_from_the_page(&pairs.collect()), opens, "{headers:?}");
        }
    }
}
