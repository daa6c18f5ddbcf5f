//! The `JWT_*` settings: from raw text to a [`JwtSettings`] that cannot describe an unsafe verifier.
//!
//! What always holds: a key accepts only algorithms of its own type, so that a public key can never serve as an HMAC
//! secret; an empty setting is a mistake, not "unset", because it would silently weaken a check; no message contains a
//! secret. This file reads no environment and no files, and every mistake is reported, not only the first.

mod key;

use std::borrow::Cow;

use jsonwebtoken::Algorithm;

pub(super) use key::is_placeholder;
pub use key::{JwtKey, PublicKeyKind};

const SECRET: &str = "JWT_SECRET";
const PUBLIC_KEY: &str = "JWT_PUBLIC_KEY";
const JWKS_URL: &str = "JWT_JWKS_URL";
const ALGORITHMS: &str = "JWT_ALGORITHMS";
const ISSUER: &str = "JWT_ISSUER";
const AUDIENCE: &str = "JWT_AUDIENCE";
const ACCOUNT_CLAIM: &str = "JWT_ACCOUNT_CLAIM";
const ADMIN_SCOPE: &str = "JWT_ADMIN_SCOPE";

/// RFC 7519's claims that are no one's name: an account read from one of them would be shared by many, or change.
const NOT_AN_ACCOUNT: [&str; 7] = ["iss", "aud", "exp", "nbf", "iat", "jti", "scope"];

/// The settings as the environment gives them: `None` is unset, `Some("")` is set to nothing.
#[derive(Default)]
pub struct RawJwt {
    /// `JWT_SECRET`
    pub secret: Option<String>,
    /// `JWT_PUBLIC_KEY`: the PEM text itself; a `\n` written as two characters counts as a line end.
    pub public_key: Option<String>,
    /// `JWT_JWKS_URL`
    pub jwks_url: Option<String>,
    /// `JWT_ALGORITHMS`: comma separated
    pub algorithms: Option<String>,
    /// `JWT_ISSUER`
    pub issuer: Option<String>,
    /// `JWT_AUDIENCE`: comma separated, a token for any of them is accepted
    pub audience: Option<String>,
    /// `JWT_ACCOUNT_CLAIM`
    pub account_claim: Option<String>,
    /// `JWT_ADMIN_SCOPE`
    pub admin_scope: Option<String>,
}

/// How customers' tokens are verified.
#[derive(Clone, Debug)]
pub struct JwtSettings {
    /// What signatures are checked with.
    pub key: JwtKey,
    /// The allowlist. Never empty, and each fits `key`.
    pub algorithms: Vec<Algorithm>,
    /// The only `iss` accepted; `None` leaves it unchecked.
    pub issuer: Option<String>,
    /// The `aud` values accepted; empty leaves it unchecked.
    pub audience: Vec<String>,
    /// The claim that names the account.
    pub account_claim: String,
    /// The scope that makes its bearer an admin; `None`: no token does.
    pub admin_scope: Option<String>,
}

/// What is wrong with one setting. The message says what to do about it and never contains a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {message}")]
pub struct SettingError {
    /// The name of the environment variable.
    pub setting: Cow<'static, str>,
    /// What is wrong, and what to set instead.
    pub message: String,
}

impl SettingError {
    pub(super) fn new(setting: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { setting: setting.into(), message: message.into() }
    }
}

impl RawJwt {
    /// Reads the settings. `Ok(None)`: none of them is set, so only API keys are accepted.
    ///
    /// # Errors
    /// Every mistake found, in the order of the fields.
    pub fn parse(self) -> Result<Option<JwtSettings>, Vec<SettingError>> {
        let mut errors = Vec::new();
        let Some(key) = self.key_setting(&mut errors) else {
            return if errors.is_empty() { Ok(None) } else { Err(errors) };
        };
        let key = keep(key, &mut errors);
        let algorithms = self.algorithms(key.as_ref(), &mut errors);
        let issuer = keep(optional(ISSUER, self.issuer.as_deref()), &mut errors).flatten();
        let audience = keep(list(AUDIENCE, self.audience.as_deref()), &mut errors);
        if matches!(key, Some(JwtKey::Jwks { .. })) {
            for (setting, raw) in [(ISSUER, &self.issuer), (AUDIENCE, &self.audience)] {
                if raw.is_none() {
                    let message = format!("is required with {JWKS_URL}: others get tokens from the same key set");
                    errors.push(SettingError::new(setting, message));
                }
            }
        }
        let account_claim = keep(account_claim(self.account_claim.as_deref()), &mut errors);
        let admin_scope = keep(admin_scope(self.admin_scope.as_deref()), &mut errors).flatten();
        match (key, algorithms, account_claim) {
            (Some(key), Some(algorithms), Some(account_claim)) if errors.is_empty() => Ok(Some(JwtSettings {
                key,
                algorithms,
                issuer,
                audience: audience.flatten().unwrap_or_default(),
                account_claim,
                admin_scope,
            })),
            _ => Err(errors),
        }
    }

    /// The one key that is set. `None` when none is, or when it is not clear which; the mistakes are then in `errors`.
    fn key_setting(&self, errors: &mut Vec<SettingError>) -> Option<Result<JwtKey, SettingError>> {
        match (&self.secret, &self.public_key, &self.jwks_url) {
            (Some(secret), None, None) => Some(key::secret(secret)),
            (None, Some(pem), None) => Some(key::public_key(pem)),
            (None, None, Some(url)) => Some(key::jwks(url)),
            (None, None, None) => {
                errors.extend(self.set_without_a_key());
                None
            }
            (secret, public_key, _) => {
                let first = if secret.is_some() { SECRET } else { PUBLIC_KEY };
                let both = if secret.is_some() && public_key.is_some() { PUBLIC_KEY } else { JWKS_URL };
                let message =
                    format!("is set together with {both}; set exactly one of {SECRET}, {PUBLIC_KEY}, {JWKS_URL}");
                errors.push(SettingError::new(first, message));
                None
            }
        }
    }

    fn set_without_a_key(&self) -> impl Iterator<Item = SettingError> {
        let others = [
            (ALGORITHMS, &self.algorithms),
            (ISSUER, &self.issuer),
            (AUDIENCE, &self.audience),
            (ACCOUNT_CLAIM, &self.account_claim),
            (ADMIN_SCOPE, &self.admin_scope),
        ];
        others.into_iter().filter(|(_, raw)| raw.is_some()).map(|(setting, _)| {
            let message = format!(
                "has no effect without a key; set one of {SECRET}, {PUBLIC_KEY}, {JWKS_URL}, or remove it if only API \
                 keys are used"
            );
            SettingError::new(setting, message)
        })
    }

    /// The allowlist, or the key's default. `None` if there is a mistake, here or in the key.
    fn algorithms(&self, key: Option<&JwtKey>, errors: &mut Vec<SettingError>) -> Option<Vec<Algorithm>> {
        let names = keep(list(ALGORITHMS, self.algorithms.as_deref()), errors)?;
        let Some(names) = names else {
            return key.map(JwtKey::default_algorithms);
        };
        let mut algorithms = Vec::new();
        for name in names {
            match algorithm(&name, key) {
                Ok(algorithm) if algorithms.contains(&algorithm) => {}
                Ok(algorithm) => algorithms.push(algorithm),
                Err(error) => errors.push(error),
            }
        }
        Some(algorithms)
    }
}

/// The value, or a note of the error.
fn keep<T>(result: Result<T, SettingError>, errors: &mut Vec<SettingError>) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}

/// A text with something in it, and nothing that a copy and paste left at its ends.
fn text<'a>(setting: &'static str, raw: &'a str) -> Result<&'a str, SettingError> {
    let wrong = |message: &str| Err(SettingError::new(setting, message));
    if raw.trim().is_empty() {
        return wrong("is set but empty; give it a value or remove it");
    }
    if raw.trim() != raw {
        return wrong("begins or ends with white space; remove it");
    }
    if raw.chars().any(char::is_control) {
        return wrong("contains a line end or another control character; remove it");
    }
    Ok(raw)
}

fn optional(setting: &'static str, raw: Option<&str>) -> Result<Option<String>, SettingError> {
    raw.map(|raw| text(setting, raw).map(str::to_owned)).transpose()
}

/// The parts of a comma separated text, each non-empty, without the white space around the commas.
fn list(setting: &'static str, raw: Option<&str>) -> Result<Option<Vec<String>>, SettingError> {
    let Some(raw) = raw else { return Ok(None) };
    text(setting, raw)?;
    let parts = raw.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>();
    if parts.iter().any(String::is_empty) {
        return Err(SettingError::new(setting, "has an empty part; check its commas"));
    }
    Ok(Some(parts))
}

/// One entry of the allowlist. Without a key (it had a mistake of its own) only the name is checked.
fn algorithm(name: &str, key: Option<&JwtKey>) -> Result<Algorithm, SettingError> {
    let wrong = |message: String| Err(SettingError::new(ALGORITHMS, message));
    if name.eq_ignore_ascii_case("none") {
        return wrong("\"none\" would accept tokens that nobody signed; remove it".to_owned());
    }
    let Ok(algorithm) = name.parse::<Algorithm>() else {
        return wrong(format!(
            "{name:?} is not known; use HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or \
             EdDSA"
        ));
    };
    match key {
        Some(key) if !key.fits(algorithm) => {
            let fitting = key.algorithms().iter().map(|fit| format!("{fit:?}")).collect::<Vec<_>>().join(", ");
            wrong(format!("{name} does not fit {}; use any of {fitting}", key.describe()))
        }
        _ => Ok(algorithm),
    }
}

fn account_claim(raw: Option<&str>) -> Result<String, SettingError> {
    let Some(raw) = raw else {
        return Ok("sub".to_owned());
    };
    let claim = text(ACCOUNT_CLAIM, raw)?;
    if NOT_AN_ACCOUNT.contains(&claim) {
        let message = format!("{claim:?} does not name one customer; use \"sub\" or a claim of your own");
        return Err(SettingError::new(ACCOUNT_CLAIM, message));
    }
    Ok(claim.to_owned())
}

fn admin_scope(raw: Option<&str>) -> Result<Option<String>, SettingError> {
    let scope = optional(ADMIN_SCOPE, raw)?;
    if scope.as_ref().is_some_and(|scope| scope.contains([' ', ','])) {
        return Err(SettingError::new(ADMIN_SCOPE, "must be a single scope, without spaces or commas"));
    }
    Ok(scope)
}

#[cfg(test)]
mod tests;
