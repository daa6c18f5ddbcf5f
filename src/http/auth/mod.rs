//! Who calls, and for whom they may act.
//!
//! A customer has a token of the product's own login (`jwt.rs`, `jwks.rs`); a server has an API key. The account of a
//! customer is the one in the token: naming another needs the admin scope.

pub mod jwks;
pub mod jwt;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;

use super::HttpState;
use super::problem::ApiError;
use crate::app::api_keys::{self, ApiKey, Scope};
use crate::app::with_causes;
use crate::domain::account::AccountId;

/// Who calls.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Somebody with a token.
    Customer {
        /// The account in the token.
        account: AccountId,
        /// Whether the token has the admin scope.
        is_admin: bool,
    },
    /// A server with an API key.
    Server(ApiKey),
}

impl Caller {
    /// Finds out who calls.
    ///
    /// # Errors
    /// 401 without valid credentials; 400 with two of them; 503 when tokens cannot be verified now.
    pub async fn of(request: &HttpRequest, state: &HttpState) -> Result<Self, ApiError> {
        let headers = request.headers();
        let mut keys = headers.get_all("x-api-key");
        let mut tokens = headers.get_all(AUTHORIZATION);
        match (keys.next(), tokens.next()) {
            (Some(key), None) if keys.next().is_none() => {
                let key = key.to_str().unwrap_or_default().to_owned();
                Self::with_key(state, key).await
            }
            (None, Some(header)) if tokens.next().is_none() => {
                let header = header.to_str().unwrap_or_default();
                Self::with_token(state, header).await
            }
            (None, None) => Err(ApiError::unauthorized(
                "missing_credentials",
                "send the customer's token as Authorization: Bearer …, or an API key as x-api-key",
            )),
            _ => Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "ambiguous_credentials",
                "send either one token or one API key, not both",
            )),
        }
    }

    async fn with_key(state: &HttpState, key: String) -> Result<Self, ApiError> {
        let app = state.app.clone();
        let found = state.run(async move { api_keys::authenticate(&app.db, &key).await }).await??;
        found
            .map(|key| {
                state.app.key_uses.note(&key.id, state.app.clock.now_ms());
                Self::Server(key)
            })
            .ok_or_else(|| ApiError::unauthorized("invalid_api_key", "the API key is not known, or it was revoked"))
    }

    async fn with_token(state: &HttpState, header: &str) -> Result<Self, ApiError> {
        let invalid = |detail: String| ApiError::unauthorized("invalid_token", detail);
        let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(invalid("the Authorization header must be Bearer and a token".to_owned()));
        }
        let Some(verifier) = &state.tokens else {
            return Err(invalid("this service takes API keys only".to_owned()));
        };
        let speaker = verifier.verify(token.trim()).await.map_err(|error| {
            if error.is_unavailable() {
                tracing::error!(error = with_causes(&error), "tokens cannot be verified");
                let detail = "tokens cannot be verified at the moment";
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "keys_unavailable", detail).retry_after(5)
            } else {
                invalid(error.to_string())
            }
        })?;
        Ok(Self::Customer { account: speaker.account, is_admin: speaker.is_admin })
    }

    /// The account that a request is about, if the caller may act for it in this way.
    ///
    /// # Errors
    /// 403 for an account, or a thing, that the caller may not; 400 when a server must name the account and does not.
    pub fn account(&self, named: Option<AccountId>, scope: Scope) -> Result<AccountId, ApiError> {
        let other = || ApiError::forbidden("account_forbidden", "these credentials are not for that account");
        match self {
            Self::Customer { account, is_admin } => match named {
                Some(named) if named != *account && !is_admin => Err(other()),
                Some(named) => Ok(named),
                None => Ok(account.clone()),
            },
            Self::Server(key) if !key.may(scope) => {
                let detail = format!("this API key lacks the scope {}", scope.as_str());
                Err(ApiError::forbidden("scope_missing", detail))
            }
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
