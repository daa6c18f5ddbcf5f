//! Shared by the operator's routes: who may use them, who the caller was, and the key that makes retries safe.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;

use crate::access::api_keys::Scope;
use crate::access::operator::Operator;
use crate::http::auth::Caller;
use crate::http::kit::idempotency_key::idempotency_key;
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

/// The idempotency key that a change requires.
///
/// # Errors
/// 400 when it is missing (`idempotency_key_required`) or invalid.
pub fn required_key(headers: &HeaderMap) -> Result<String, ApiError> {
    idempotency_key(headers)?.ok_or_else(|| {
        let message =
            "is required: send a new one for each change, such as a UUID, and the same one when you repeat it";
        ApiError::field("Idempotency-Key", "required", message).with_code("idempotency_key_required")
    })
}

/// Where a page begins: at the newest row, or after the last row of the previous page.
///
/// # Errors
/// 400 when the cursor is not one that we issued.
pub fn before(cursor: Option<&str>) -> Result<(i64, String), ApiError> {
    let Some(cursor) = cursor else { return Ok((i64::MAX, String::new())) };
    let parsed = cursor.split_once('_').and_then(|(time, id)| Some((time.parse().ok()?, id.to_owned())));
    // PostgreSQL accepts no text with a zero byte.
    let parsed = parsed.filter(|(_, id): &(i64, String)| !id.contains('\0'));
    parsed.ok_or_else(|| ApiError::field("cursor", "invalid_cursor", "must be the nextCursor of an earlier page"))
}

/// Cuts a page to its length, given one row more. Returns the cursor of the next page, if there is one.
pub fn page<T>(mut rows: Vec<T>, limit: i64, place: impl Fn(&T) -> (i64, String)) -> (Vec<T>, Option<String>) {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > wanted;
    rows.truncate(wanted);
    let next = rows.last().filter(|_| has_more).map(|row| {
        let (time, id) = place(row);
        format!("{time}_{id}")
    });
    (rows, next)
}
