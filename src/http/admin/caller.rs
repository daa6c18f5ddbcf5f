//! Shared by the operator's routes: who may use them, and who the caller was.

use actix_web::HttpRequest;

use crate::access::api_keys::Scope;
use crate::access::operator::Operator;
use crate::http::auth::Caller;
use crate::http::kit::problem::ApiError;
use crate::http::state::HttpState;

/// A caller with the admin scope.
pub struct Admin {
    /// The operator, as named in the records.
    pub operator: Operator,
}

impl Admin {
    /// Identifies the caller: an API key with the scope `admin`, or a token with the admin scope.
    ///
    /// # Errors
    /// 401 without valid credentials, 403 without the scope.
    pub async fn of(request: &HttpRequest, state: &HttpState) -> Result<Self, ApiError> {
        let caller = Caller::of(request, state).await?;
        let operator = match caller {
            Caller::Customer { account, is_admin: true } => {
                Operator { name: format!("token of {account}"), account: None }
            }
            Caller::Customer { .. } => {
                return Err(ApiError::forbidden("admin_required", "this needs the admin scope"));
            }
            Caller::Server(key) if !key.may(Scope::Admin) => {
                return Err(ApiError::forbidden("scope_missing", "this API key lacks the scope admin"));
            }
            Caller::Server(key) => {
                Operator { name: format!("API key {} ({})", key.id, key.name), account: key.account.clone() }
            }
        };
        Ok(Self { operator })
    }

    /// The same, for requests that concern all accounts: an API key for one account is refused.
    ///
    /// # Errors
    /// 401 without valid credentials, 403 without the scope or with a key for one account.
    pub async fn of_all_accounts(request: &HttpRequest, state: &HttpState) -> Result<Self, ApiError> {
        let admin = Self::of(request, state).await?;
        if admin.operator.account.is_some() {
            let detail = "this API key is for one account, and this is about all";
            return Err(ApiError::forbidden("account_forbidden", detail));
        }
        Ok(admin)
    }
}
