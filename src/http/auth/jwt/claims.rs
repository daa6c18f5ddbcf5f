//! The rules for the claims of a token (RFC 7519, section 4.1), applied after its signature was verified.
//!
//! The rules are ours and not `jsonwebtoken::Validation`'s, which takes the time from the system instead of the
//! [`Clock`](crate::ports::Clock), rounds fractions of a second either way, takes a list of issuers for an issuer, lets an
//! `aud` of a wrong type pass wherever an audience is not required, and knows no `azp`. Times are compared in
//! milliseconds with checked arithmetic. `iat` and `jti` are not looked at.

use serde_json::Value;

use super::token::JsonObject;
use crate::domain::account::AccountId;
use crate::http::auth::jwt::VerifiedToken;
use crate::http::auth::verification::TokenError;

/// The tolerated difference between the issuer's clock and ours.
const LEEWAY_SECONDS: i64 = 60;

/// The settings that concern claims.
pub(crate) struct ClaimRules {
    pub(crate) issuers: Vec<String>,
    pub(crate) audience: Vec<String>,
    pub(crate) authorized_parties: Vec<String>,
    pub(crate) account_claim: String,
    pub(crate) admin_scope: Option<String>,
    pub(crate) admin_claim: String,
}

impl ClaimRules {
    /// Checks verified claims at this time, in milliseconds since 1970.
    pub(crate) fn check(&self, claims: &JsonObject, now_ms: i64) -> Result<VerifiedToken, TokenError> {
        check_times(claims, now_ms)?;
        self.check_issuer(claims)?;
        self.check_audience(claims)?;
        Ok(VerifiedToken { account: self.account(claims)?, is_admin: self.is_admin(claims) })
    }

    fn check_issuer(&self, claims: &JsonObject) -> Result<(), TokenError> {
        let is_known = || claims.0.get("iss").is_some_and(|issuer| is_one_of(&self.issuers, issuer));
        if self.issuers.is_empty() || is_known() { Ok(()) } else { Err(TokenError::WrongIssuer) }
    }

    /// `aud` is a text or an array of texts, one of which must be an accepted audience. Without `aud`, an allowed `azp`
    /// is accepted instead. A token with an `aud` is only for that audience, whatever its `azp`: our own page may have
    /// got it for another service, which must not be able to use it here.
    fn check_audience(&self, claims: &JsonObject) -> Result<(), TokenError> {
        if self.audience.is_empty() && self.authorized_parties.is_empty() {
            return Ok(());
        }
        let azp = claims.0.get("azp");
        let is_party = |azp: &Value| is_one_of(&self.authorized_parties, azp);
        let is_for_us = match claims.0.get("aud") {
            Some(Value::Array(texts)) => {
                texts.iter().all(Value::is_string) && texts.iter().any(|text| is_one_of(&self.audience, text))
            }
            Some(text) => is_one_of(&self.audience, text),
            None => azp.is_some_and(is_party),
        };
        let is_from_us = self.authorized_parties.is_empty() || azp.is_none_or(is_party);
        if is_for_us && is_from_us { Ok(()) } else { Err(TokenError::WrongAudience) }
    }

    /// The account: a text, or an integer, which some logins use as user ids.
    fn account(&self, claims: &JsonObject) -> Result<AccountId, TokenError> {
        let invalid = |reason| Err(TokenError::InvalidAccount { reason });
        let account = match claims.0.get(&self.account_claim) {
            None => return invalid("the claim is missing"),
            Some(Value::String(account)) => account.clone(),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => number.to_string(),
            Some(_) => return invalid("the claim is neither a text nor a whole number"),
        };
        AccountId::parse(account.as_str()).or_else(|_| invalid("the claim is not 1 to 200 printable characters"))
    }

    /// Scopes are compared as a whole, so `admin2` is not `admin`. A claim of another type grants nothing.
    fn is_admin(&self, claims: &JsonObject) -> bool {
        let Some(admin_scope) = &self.admin_scope else {
            return false;
        };
        match claim_at(claims, &self.admin_claim) {
            Some(Value::String(scopes)) => scopes.split(' ').any(|scope| scope == admin_scope),
            Some(Value::Array(scopes)) => scopes.iter().any(|scope| scope.as_str() == Some(admin_scope)),
            _ => false,
        }
    }
}

fn is_one_of(allowed: &[String], value: &Value) -> bool {
    value.as_str().is_some_and(|text| allowed.iter().any(|allowed| allowed == text))
}

/// The claim with this name (`https://app.example/roles`), or else the one at this path (`realm_access.roles`).
fn claim_at<'c>(claims: &'c JsonObject, name: &str) -> Option<&'c Value> {
    claims.0.get(name).or_else(|| {
        let mut names = name.split('.');
        let first = claims.0.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    })
}

/// Valid from `nbf` and before `exp`, each with the leeway. Fractions of a second (RFC 7519, section 2) are rounded
/// towards refusal.
fn check_times(claims: &JsonObject, now_ms: i64) -> Result<(), TokenError> {
    let expiry = claims.0.get("exp").ok_or(TokenError::MissingExpiry)?;
    let expiry_ms = whole_seconds(expiry, false).and_then(|expiry| with_leeway_ms(expiry, LEEWAY_SECONDS));
    if now_ms >= expiry_ms.ok_or(TokenError::malformed("its exp is not a number of seconds"))? {
        return Err(TokenError::Expired);
    }
    let Some(not_before) = claims.0.get("nbf") else {
        return Ok(());
    };
    let start_ms = whole_seconds(not_before, true).and_then(|start| with_leeway_ms(start, -LEEWAY_SECONDS));
    let start_ms = start_ms.ok_or(TokenError::malformed("its nbf is not a number of seconds"))?;
    if now_ms < start_ms { Err(TokenError::NotYetValid) } else { Ok(()) }
}

/// Seconds plus leeway, in milliseconds; `None` if out of range.
fn with_leeway_ms(seconds: i64, leeway_seconds: i64) -> Option<i64> {
    seconds.checked_add(leeway_seconds)?.checked_mul(1000)
}

/// Seconds since 1970 from JSON, without the fraction, which is cut off as text to avoid floats.
fn whole_seconds(value: &Value, round_up: bool) -> Option<i64> {
    let Value::Number(number) = value else { return None };
    if let Some(seconds) = number.as_i64() {
        return Some(seconds);
    }
    let text = number.to_string();
    let (whole, fraction) = text.split_once('.')?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = whole.parse::<i64>().ok()?;
    let is_whole = fraction.bytes().all(|byte| byte == b'0');
    match (is_whole, round_up, whole.starts_with('-')) {
        (false, true, false) => seconds.checked_add(1),
        (false, false, true) => seconds.checked_sub(1),
        _ => Some(seconds),
    }
}
