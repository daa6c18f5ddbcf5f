//! What the claims of a token must say (RFC 7519, section 4.1), once its signature is known to be right.
//!
//! Times are compared in milliseconds with checked arithmetic. `iat` and `jti` are not looked at.

use serde_json::Value;

use super::token::JsonObject;
use super::{TokenError, VerifiedToken};
use crate::domain::account::AccountId;

/// How far the issuer's clock and ours may be apart.
const LEEWAY_SECONDS: i64 = 60;

/// The part of the settings that is about claims.
pub(super) struct ClaimRules {
    pub(super) issuer: Option<String>,
    pub(super) audience: Vec<String>,
    pub(super) account_claim: String,
    pub(super) admin_scope: Option<String>,
}

impl ClaimRules {
    /// Checks verified claims at this time, in milliseconds since 1970.
    pub(super) fn check(&self, claims: &JsonObject, now_ms: i64) -> Result<VerifiedToken, TokenError> {
        check_times(claims, now_ms)?;
        self.check_issuer(claims)?;
        self.check_audience(claims)?;
        Ok(VerifiedToken { account: self.account(claims)?, is_admin: self.is_admin(claims) })
    }

    fn check_issuer(&self, claims: &JsonObject) -> Result<(), TokenError> {
        match &self.issuer {
            Some(issuer) if claims.0.get("iss").and_then(Value::as_str) != Some(issuer) => Err(TokenError::WrongIssuer),
            _ => Ok(()),
        }
    }

    /// `aud` is one text or an array of texts; one of them must be one of ours.
    fn check_audience(&self, claims: &JsonObject) -> Result<(), TokenError> {
        let is_ours = |text: &Value| text.as_str().is_some_and(|text| self.audience.iter().any(|ours| ours == text));
        let is_for_us = match claims.0.get("aud") {
            Some(Value::Array(texts)) => texts.iter().all(Value::is_string) && texts.iter().any(is_ours),
            Some(text) => is_ours(text),
            None => false,
        };
        if self.audience.is_empty() || is_for_us { Ok(()) } else { Err(TokenError::WrongAudience) }
    }

    fn account(&self, claims: &JsonObject) -> Result<AccountId, TokenError> {
        let invalid = |reason| Err(TokenError::InvalidAccount { reason });
        let account = match claims.0.get(&self.account_claim) {
            None => return invalid("the claim is missing"),
            Some(Value::String(account)) => account,
            Some(_) => return invalid("the claim is not a text"),
        };
        AccountId::parse(account.as_str()).or_else(|_| invalid("the claim is not 1 to 200 printable characters"))
    }

    /// Whole scopes are compared, so `admin2` is not `admin`. A `scope` of another type grants nothing.
    fn is_admin(&self, claims: &JsonObject) -> bool {
        let Some(admin_scope) = &self.admin_scope else {
            return false;
        };
        match claims.0.get("scope") {
            Some(Value::String(scopes)) => scopes.split(' ').any(|scope| scope == admin_scope),
            Some(Value::Array(scopes)) => scopes.iter().any(|scope| scope.as_str() == Some(admin_scope)),
            _ => false,
        }
    }
}

/// Valid from `nbf` on and before `exp`, each with the leeway.
fn check_times(claims: &JsonObject, now_ms: i64) -> Result<(), TokenError> {
    let expiry = claims.0.get("exp").ok_or(TokenError::MissingExpiry)?;
    let expiry_ms = time_ms(expiry, LEEWAY_SECONDS).ok_or(TokenError::malformed("its exp is not a whole number"))?;
    if now_ms >= expiry_ms {
        return Err(TokenError::Expired);
    }
    let Some(not_before) = claims.0.get("nbf") else {
        return Ok(());
    };
    let start_ms =
        time_ms(not_before, -LEEWAY_SECONDS).ok_or(TokenError::malformed("its nbf is not a whole number"))?;
    if now_ms < start_ms { Err(TokenError::NotYetValid) } else { Ok(()) }
}

/// Seconds since 1970 as JSON has them, moved by the leeway. A number with a fraction or an exponent would need float
/// arithmetic, and one that does not fit is no date: `None`.
fn time_ms(seconds: &Value, leeway_seconds: i64) -> Option<i64> {
    seconds.as_i64()?.checked_add(leeway_seconds)?.checked_mul(1000)
}
