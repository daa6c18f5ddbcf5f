//! Signing in and out.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, SET_COOKIE};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use maud::{Markup, html};
use secrecy::ExposeSecret;

use crate::access::api_keys::{ApiKey, KeyHash};
use crate::console::person::Role;
use crate::console::sessions::{self, SignInError, draw_token, form_token, is_form_token};
use crate::http::console::form::Fields;
use crate::http::console::page::{Page, PageError, answer, explained, plain, say_when_to_retry, see_other};
use crate::http::console::session::{SignedIn, form_cookie, session_cookie, session_token, sign_in_token};
use crate::http::kit::client_address::client_address;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;

/// A path within the console, to which signing in may lead.
fn next_path(text: &str) -> &str {
    let is_ours = text == "/console" || text.starts_with("/console/");
    if is_ours && !text.contains(['\\', '\r', '\n']) { text } else { "/console" }
}

fn page(token: &str, next: &str, problem: Option<&ApiError>) -> Markup {
    plain(
        "Sign in",
        &html! {
            h1 { "Sign in" }
            @if let Some(problem) = problem { p.alert role="alert" #problem { (explained(problem)) } }
            form.stack method="post" action="/console/sign-in" {
                input type="hidden" name="token" value=(token);
                input type="hidden" name="next" value=(next);
                div.field {
                    label for="api_key" { "API key" }
                    input #api_key type="password" name="api_key" required autocomplete="current-password"
                        spellcheck="false"
                        placeholder="topup_sk_…" aria-describedby="api_key-hint" aria-invalid=[problem.map(|_| "true")];
                    p.hint #api_key-hint {
                        "A key with the scope " code { "support" } " or " code { "admin" } ". Make one with "
                        code { "topup keys create --name ann --scope support" } "."
                    }
                }
                button type="submit" { "Sign in" }
            }
        },
    )
}

/// The page with the form.
pub(super) async fn show(request: HttpRequest, state: State) -> Page {
    let fields = Fields::of_query(&request)?;
    let next = next_path(fields.text("next")).to_owned();
    if SignedIn::of(&request, &state).await.is_ok() {
        return Ok(see_other(&next));
    }
    let token = match sign_in_token(&request) {
        Some(token) => token,
        None => draw(&state)?,
    };
    let mut response = answer(StatusCode::OK, page(&form_token(&token), &next, None));
    set(&mut response, &form_cookie(&request, &token))?;
    Ok(response)
}

fn draw(state: &State) -> Result<String, ApiError> {
    let token = draw_token(&state.app).map_err(|error| ApiError::internal(&error))?;
    Ok(token.expose_secret().to_owned())
}

fn set(response: &mut HttpResponse, cookie: &str) -> Result<(), ApiError> {
    let value = HeaderValue::from_str(cookie).map_err(|error| ApiError::internal(&error))?;
    response.headers_mut().append(SET_COOKIE, value);
    Ok(())
}

/// Exchanges an API key for a session.
pub(super) async fn sign_in(request: HttpRequest, payload: Payload, state: State) -> Page {
    let fields = Fields::of_body(&request, payload).await?;
    let next = next_path(fields.text("next"));
    let presented = sign_in_token(&request).filter(|token| is_form_token(token, fields.text("token")));
    let Some(token) = presented else {
        let detail = "this form is too old, or your browser keeps no cookies for this page. Over http, the console \
            works on \
            this machine only; elsewhere it needs https";
        return retry(&request, &state, next, &ApiError::forbidden("invalid_form", detail));
    };
    match allowed(&request, &state, fields.text("api_key")).await {
        Ok((key, role)) => Ok(begin_session(&request, &state, key, role, next).await?),
        Err(error) => {
            let status = actix_web::ResponseError::status_code(&error);
            let mut response = answer(status, page(&form_token(&token), next, Some(&error)));
            say_when_to_retry(&mut response, &error);
            Ok(response)
        }
    }
}

/// The form once more, with a token that its cookie is set for.
fn retry(request: &HttpRequest, state: &State, next: &str, error: &ApiError) -> Page {
    let token = draw(state)?;
    let markup = page(&form_token(&token), next, Some(error));
    let mut response = answer(actix_web::ResponseError::status_code(error), markup);
    set(&mut response, &form_cookie(request, &token))?;
    Ok(response)
}

/// The key, if it may use the console. Attempts with others are counted by address, like those at the API.
async fn allowed(request: &HttpRequest, state: &State, secret: &str) -> Result<(ApiKey, Role), ApiError> {
    let (app, keys) = (state.app.clone(), state.keys.clone());
    let found = match KeyHash::of_presented(secret) {
        None => None,
        Some(hash) => {
            let now_ms = app.clock.now_ms();
            state.run(async move { keys.look_up(&app.db, hash, now_ms).await }).await??
        }
    };
    let refusal = match found {
        Some(key) => match Role::of(&key) {
            Some(role) => return Ok((key.as_ref().clone(), role)),
            None if key.account.is_some() => {
                "this API key is for one account, and the console is about all of them; use one without --account"
            }
            None => "this API key has neither the scope support nor admin",
        },
        None => "the API key is not known, or it was revoked",
    };
    if let Some(address) = client_address(request, &state.trusted_proxies) {
        state.limits.check_address(address)?;
    }
    Err(ApiError::unauthorized("invalid_api_key", refusal))
}

/// Begins a session and leads into the console.
///
/// # Errors
/// When the database fails.
pub(crate) async fn begin_session(
    request: &HttpRequest,
    state: &State,
    key: ApiKey,
    role: Role,
    next: &str,
) -> Result<HttpResponse, ApiError> {
    let app = state.app.clone();
    let token = state.run(async move { sessions::sign_in(&app, &key, role).await }).await?;
    let token = token.map_err(|error| match error {
        SignInError::NoRandomness(error) => ApiError::internal(&error),
        SignInError::Store(error) => error.into(),
    })?;
    let mut response = see_other(next);
    set(&mut response, &session_cookie(request, Some(token.expose_secret())))?;
    Ok(response)
}

/// Ends the session.
pub(super) async fn sign_out(request: HttpRequest, payload: Payload, state: State) -> Page {
    let signed = SignedIn::of(&request, &state).await?;
    signed.form(&request, payload).await?;
    if let Some(token) = session_token(&request) {
        let app = state.app.clone();
        let ended = state.run(async move { sessions::sign_out(&app, &token).await }).await?;
        ended.map_err(|error| PageError::from(ApiError::from(error)))?;
    }
    let mut response = see_other("/console/sign-in");
    set(&mut response, &session_cookie(&request, None))?;
    Ok(response)
}
