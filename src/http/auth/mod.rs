//! Identifies the caller and the account that it may act for.
//!
//! A customer has a token from the product's own login (`jwt/`, `jwks/`); a server has an API key. A customer's account
//! is the one in the token; naming another needs the admin scope.

pub mod jwks;
pub mod jwt;
pub mod verification;

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;

use crate::access::api_keys::{ApiKey, KeyHash, Scope};
use crate::app::with_causes;
use crate::domain::account::{AccountId, Visible};
use crate::http::auth::verification::TokenError;
use crate::http::kit::client_address::client_address;
use crate::http::kit::problem::ApiError;
use crate::http::state::HttpState;

/// The caller of a request.
#[derive(Debug, Clone)]
pub enum Caller {
    /// A caller with a token.
    Customer {
        /// The account in the token.
        account: AccountId,
        /// Whether the token has the admin scope.
        is_admin: bool,
    },
    /// A server with an API key.
    Server(Arc<ApiKey>),
}

/// Why a caller is refused.
struct Refusal {
    error: ApiError,
    /// Whether it counts as an attempt without valid credentials.
    is_attempt: bool,
}

impl Refusal {
    fn attempt(code: &'static str, detail: impl Into<String>) -> Self {
        Self { error: ApiError::unauthorized(code, detail), is_attempt: true }
    }

    const fn other(error: ApiError) -> Self {
        Self { error, is_attempt: false }
    }
}

impl Caller {
    /// Whose purchases and subscriptions the caller may see.
    pub(crate) fn visible(self) -> Visible {
        match self {
            Self::Customer { is_admin: true, .. } => Visible::All,
            Self::Customer { account, .. } => Visible::Account(account),
            Self::Server(key) => key.account.clone().map_or(Visible::All, Visible::Account),
        }
    }

    /// Identifies the caller. On every route, requests without valid credentials are counted by address. Valid
    /// credentials are always accepted, so that a stranger cannot lock out others behind the same address.
    ///
    /// # Errors
    /// 401 without valid credentials, 429 when too many such requests come from the address, 400 with two credentials,
    /// 503 when tokens cannot be verified now.
    pub async fn of(request: &HttpRequest, state: &HttpState) -> Result<Self, ApiError> {
        let headers = request.headers();
        let mut keys = headers.get_all("x-api-key");
        let mut tokens = headers.get_all(AUTHORIZATION);
        let result = match (keys.next(), tokens.next()) {
            (Some(key), None) if keys.next().is_none() => Self::with_key(state, key.to_str().unwrap_or_default()).await,
            (None, Some(header)) if tokens.next().is_none() => {
                Self::with_token(state, header.to_str().unwrap_or_default()).await
            }
            (None, None) => Err(Refusal::attempt(
                "missing_credentials",
                "send the customer's token as Authorization: Bearer …, or an API key as x-api-key",
            )),
            _ => Err(Refusal::other(ApiError::new(
                StatusCode::BAD_REQUEST,
                "ambiguous_credentials",
                "send either one token or one API key, not both",
            ))),
        };
        result.map_err(|refusal| {
            let address = client_address(request, &state.trusted_proxies).filter(|_| refusal.is_attempt);
            let limited = address.and_then(|address| state.limits.check_address(address).err());
            limited.unwrap_or(refusal.error)
        })
    }

    async fn with_key(state: &HttpState, key: &str) -> Result<Self, Refusal> {
        let unknown = || Refusal::attempt("invalid_api_key", "the API key is not known, or it was revoked");
        let hash = KeyHash::of_presented(key).ok_or_else(unknown)?;
        let now_ms = state.app.clock.now_ms();
        if let Some(key) = state.keys.recall(&hash, now_ms) {
            state.app.key_uses.note(&key.id, now_ms);
            return Ok(Self::Server(key));
        }
        let (app, keys) = (state.app.clone(), state.keys.clone());
        let look_up = state.run(async move { keys.look_up(&app.db, hash, now_ms).await }).await;
        let found = look_up.map_err(Refusal::other)?.map_err(|error| Refusal::other(error.into()))?;
        let key = found.ok_or_else(unknown)?;
        state.app.key_uses.note(&key.id, now_ms);
        Ok(Self::Server(key))
    }

    async fn with_token(state: &HttpState, header: &str) -> Result<Self, Refusal> {
        let invalid = |detail: &str| Refusal::attempt("invalid_token", detail);
        let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(invalid("the Authorization header must be Bearer and a token"));
        }
        let Some(verifier) = &state.tokens else {
            return Err(invalid("this service takes API keys only"));
        };
        let speaker = verifier.verify(token.trim()).await.map_err(|error| match &error {
            error if error.is_unavailable() => {
                tracing::error!(error = with_causes(error), "tokens cannot be verified");
                let detail = "tokens cannot be verified at the moment";
                let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "keys_unavailable", detail);
                Refusal::other(error.retry_after(5))
            }
            // The signature is valid: a known customer, whose application needs the 401.
            TokenError::Expired | TokenError::NotYetValid => {
                Refusal { is_attempt: false, ..invalid(&error.to_string()) }
            }
            error => invalid(&error.to_string()),
        })?;
        Ok(Self::Customer { account: speaker.account, is_admin: speaker.is_admin })
    }

    /// Checks the scopes of an API key. A customer's token has none of them, and acts for its own account.
    ///
    /// # Errors
    /// 403 when an API key lacks the scope.
    pub fn check_scope(&self, scope: Scope) -> Result<(), ApiError> {
        match self {
            Self::Server(key) if !key.may(scope) => {
                let detail = format!("this API key lacks the scope {}", scope.as_str());
                Err(ApiError::forbidden("scope_missing", detail))
            }
            Self::Server(_) | Self::Customer { .. } => Ok(()),
        }
    }

    /// The account that a request is about, if the caller may act for it with this scope.
    ///
    /// # Errors
    /// 403 when the caller may not act for the account, or not with this scope; 400 when a server must name the account
    /// and does not.
    pub fn account(&self, named: Option<AccountId>, scope: Scope) -> Result<AccountId, ApiError> {
        let other = || ApiError::forbidden("account_forbidden", "these credentials are not for that account");
        self.check_scope(scope)?;
        match self {
            Self::Customer { account, is_admin } => match named {
                Some(named) if named != *account && !is_admin => Err(other()),
                Some(named) => Ok(named),
                None => Ok(account.clone()),
            },
            Self::Server(key) => match (&key.account, named) {
                (Some(bound), Some(named)) if *bound != named => Err(other()),
                (Some(bound), _) => Ok(bound.clone()),
                (None, Some(named)) => Ok(named),
                (None, None) => {
                    Err(ApiError::field("accountId", "required", "an API key for all accounts must name the account"))
                }
            },
        }
    }
}
