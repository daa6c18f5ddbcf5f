//! Who is signed in: cookies, the token in forms, and what each role may see.

use actix_web::HttpRequest;
use actix_web::http::header::COOKIE;
use actix_web::http::uri::PathAndQuery;
use actix_web::web::Payload;

use crate::console::actions::Actor;
use crate::console::person::{Role, Session};
use crate::console::sessions::{SESSION_SECONDS, find_session, form_token, is_form_token};
use crate::console::settings::ConsoleSettings;
use crate::domain::ids::ChangeId;
use crate::http::console::form::Fields;
use crate::http::console::page::PageError;
use crate::http::kit::host::is_loopback_host;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;

/// What proxies add to a request.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
/// A cookie's name. Browsers take a name with this prefix only from the host itself, over https, for all paths.
const SECURE_NAME: &str = "__Host-topup-console";
/// The name over plain http, which is for loopback alone.
const LOCAL_NAME: &str = "topup-console";
/// The cookie that the sign-in form's token follows from, before there is a session.
const SECURE_FORM_NAME: &str = "__Host-topup-console-form";
const LOCAL_FORM_NAME: &str = "topup-console-form";

/// Whether a browser reaches the service under a name of this machine. Only then may a cookie travel without TLS. A proxy
/// may name this machine instead of what the browser asked for, so a service with a public https address is not local.
fn is_loopback(request: &HttpRequest) -> bool {
    let is_public = request.app_data::<State>().is_none_or(|state| state.public_url.starts_with("https://"));
    let is_forwarded = FORWARDED.iter().any(|name| request.headers().contains_key(*name));
    if is_public || is_forwarded {
        return false;
    }
    is_loopback_host(request.headers())
}

/// The value of `Set-Cookie`.
fn cookie(request: &HttpRequest, names: (&str, &str), value: &str, seconds: i64) -> String {
    let (name, secure) = if is_loopback(request) { (names.1, "") } else { (names.0, "; Secure") };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

/// The cookie of a session; without a token, the one that removes it.
pub(crate) fn session_cookie(request: &HttpRequest, token: Option<&str>) -> String {
    let seconds = if token.is_some() { SESSION_SECONDS } else { 0 };
    cookie(request, (SECURE_NAME, LOCAL_NAME), token.unwrap_or_default(), seconds)
}

/// The cookie of the sign-in form.
pub(super) fn form_cookie(request: &HttpRequest, token: &str) -> String {
    cookie(request, (SECURE_FORM_NAME, LOCAL_FORM_NAME), token, SESSION_SECONDS)
}

/// A token is 64 hexadecimal digits; anything else was not issued here.
fn token_in(request: &HttpRequest, names: (&str, &str)) -> Option<String> {
    let name = if is_loopback(request) { names.1 } else { names.0 };
    let cookies = request.headers().get_all(COOKIE).filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let token = pairs.find_map(|(other, token)| (other == name).then_some(token))?;
    (token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| token.to_owned())
}

/// The token of the session's cookie.
pub(super) fn session_token(request: &HttpRequest) -> Option<String> {
    token_in(request, (SECURE_NAME, LOCAL_NAME))
}

/// The token of the sign-in form's cookie.
pub(super) fn sign_in_token(request: &HttpRequest) -> Option<String> {
    token_in(request, (SECURE_FORM_NAME, LOCAL_FORM_NAME))
}

/// A person who is signed in, and the service.
pub(super) struct SignedIn {
    /// The session.
    pub(super) session: Session,
    /// The service.
    pub(super) state: State,
    /// The console's settings.
    pub(super) settings: ConsoleSettings,
    /// The token for forms.
    pub(super) form_token: String,
    token: String,
}

impl SignedIn {
    /// Finds out who is signed in.
    ///
    /// # Errors
    /// Leads to the sign-in page without a session.
    pub(super) async fn of(request: &HttpRequest, state: &State) -> Result<Self, PageError> {
        let next = || {
            let path = request.uri().path_and_query().map_or("/console", PathAndQuery::as_str);
            PageError::SignIn(
                if request.method() == actix_web::http::Method::GET { path } else { "/console" }.to_owned(),
            )
        };
        let settings = state.console.clone().ok_or_else(|| ApiError::not_found("there is no console"))?;
        let token = session_token(request).ok_or_else(next)?;
        let (app, presented) = (state.app.clone(), token.clone());
        let session = state.run(async move { find_session(&app, &presented).await }).await?;
        let session = session.map_err(ApiError::from)?.ok_or_else(next)?;
        state.app.key_uses.note(&session.key_id, state.app.clock.now_ms());
        Ok(Self { session, state: state.clone(), settings, form_token: form_token(&token), token })
    }

    /// The same, for pages that only admins see.
    ///
    /// # Errors
    /// 403 for others.
    pub(super) async fn admin(request: &HttpRequest, state: &State) -> Result<Self, PageError> {
        let signed = Self::of(request, state).await?;
        signed.check_admin()?;
        Ok(signed)
    }

    /// Refuses whoever is no admin.
    ///
    /// # Errors
    /// 403 for others.
    pub(super) fn check_admin(&self) -> Result<(), PageError> {
        if self.is_admin() {
            return Ok(());
        }
        Err(ApiError::forbidden("scope_missing", "this needs an API key with the scope admin").into())
    }

    pub(super) fn is_admin(&self) -> bool {
        self.session.role == Role::Admin
    }

    /// Reads a form that this console made for this session.
    ///
    /// # Errors
    /// 403 when another site may have sent it.
    pub(super) async fn form(&self, request: &HttpRequest, payload: Payload) -> Result<Fields, PageError> {
        let fields = Fields::of_body(request, payload).await?;
        if is_form_token(&self.token, fields.text("token")) {
            return Ok(fields);
        }
        let detail = "this form is not from your session; open the page once more and send it again";
        Err(ApiError::forbidden("invalid_form", detail).into())
    }

    /// Who acts, for the use cases.
    pub(super) fn actor(&self) -> Actor {
        Actor { session: self.session.clone(), support_max_credits: self.settings.support_max_credits }
    }

    /// An id for a form: sending the form twice makes one change.
    pub(super) fn draw_change(&self) -> ChangeId {
        ChangeId::from_bits(self.state.app.ids.id_bits())
    }

    /// Runs a use case and maps its error.
    ///
    /// # Errors
    /// That of the use case, or that it took too long.
    pub(super) async fn run<T, E>(
        &self,
        use_case: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, PageError>
    where
        T: Send + 'static,
        E: Into<ApiError> + Send + 'static,
    {
        Ok(self.state.run(use_case).await?.map_err(Into::into)?)
    }
}
