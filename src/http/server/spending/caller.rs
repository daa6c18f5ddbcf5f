//! Who may spend from an account, and who may look.

use actix_web::HttpRequest;

use crate::access::api_keys::Scope;
use crate::domain::account::AccountId;
use crate::http::auth::Caller;
use crate::http::kit::fields::account_id;
use crate::http::kit::problem::ApiError;
use crate::http::state::HttpState;

/// A server with an API key that has the scope `spend`.
pub struct Spender(Caller);

impl Spender {
    /// Identifies the caller.
    ///
    /// # Errors
    /// 401 without valid credentials; 403 with a customer's token, also an operator's, or a key that lacks the scope.
    pub async fn of(request: &HttpRequest, state: &HttpState) -> Result<Self, ApiError> {
        match Caller::of(request, state).await? {
            Caller::Customer { .. } => {
                let detail = "credits are spent by a server: send an API key with the scope spend as x-api-key";
                Err(ApiError::forbidden("api_key_required", detail))
            }
            caller @ Caller::Server(_) => caller.check_scope(Scope::Spend).map(|()| Self(caller)),
        }
    }

    /// The account, if the key may spend from it.
    ///
    /// # Errors
    /// 400 when the text is no account id, 403 when the key is for another account.
    pub fn account(&self, named: &str) -> Result<AccountId, ApiError> {
        self.0.account(Some(account_id(named)?), Scope::Spend)
    }

    /// Whether the key may spend from the account of something that was found by its id.
    ///
    /// # Errors
    /// 404 when it is of an account that the key is not for.
    pub fn check_found(&self, account: &str) -> Result<AccountId, ApiError> {
        hidden(self.0.account(Some(account_id(account)?), Scope::Spend))
    }
}

/// Identifies a caller who looks at something by its id.
///
/// # Errors
/// 401 without valid credentials, 403 when an API key lacks the scope `read`, whether or not the id exists.
pub async fn looker(request: &HttpRequest, state: &HttpState) -> Result<Caller, ApiError> {
    let caller = Caller::of(request, state).await?;
    caller.check_scope(Scope::Read)?;
    Ok(caller)
}

/// The account of something that was found by its id, if the caller may look at it.
///
/// # Errors
/// 404 when the caller may not see the account.
pub fn may_look(caller: &Caller, account: &str) -> Result<AccountId, ApiError> {
    hidden(caller.account(Some(account_id(account)?), Scope::Read))
}

/// Who may not see an account cannot tell whether something of it exists.
fn hidden(account: Result<AccountId, ApiError>) -> Result<AccountId, ApiError> {
    account.map_err(|error| if error.code() == "account_forbidden" { not_found() } else { error })
}

/// There is no such spend or hold, or the caller may not see it.
#[must_use]
pub fn not_found() -> ApiError {
    ApiError::not_found("there is nothing with that id")
}
