//! The `JWT_*` settings: from raw text to [`JwtSettings`], which cannot describe an unsafe verifier.
//!
//! Keys of different kinds may be set together, for a migration from one login to another. Invariants: a key accepts
//! only algorithms of its own type, so a public key can never serve as an HMAC secret. An empty setting is a mistake,
//! not "unset", because it would silently weaken a check. No message contains a secret. This module reads neither the
//! environment nor files, and reports every mistake, not only the first.

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
const AUTHORIZED_PARTIES: &str = "JWT_AUTHORIZED_PARTIES";
const ACCOUNT_CLAIM: &str = "JWT_ACCOUNT_CLAIM";
const ADMIN_CLAIM: &str = "JWT_ADMIN_CLAIM";
const ADMIN_SCOPE: &str = "JWT_ADMIN_SCOPE";

/// RFC 7519's claims that do not name a user: an account read from one of them would be shared by many, or would
/// change.
const NOT_AN_ACCOUNT: [&str; 7] = ["iss", "aud", "exp", "nbf", "iat", "jti", "scope"];

/// The claim with the scopes, unless `JWT_ADMIN_CLAIM` names another.
const SCOPE: &str = "scope";

/// Claims that the users of some logins can edit: any user could assign themselves a role in them.
const WRITTEN_BY_USERS: [&str; 2] = ["user_metadata", "unsafe_metadata"];

/// The settings as given in the environment: `None` is unset, `Some("")` is empty.
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
    /// `JWT_ISSUER`: comma separated; a token from any of them is accepted
    pub issuer: Option<String>,
    /// `JWT_AUDIENCE`: comma separated; a token for any of them is accepted
    pub audience: Option<String>,
    /// `JWT_AUTHORIZED_PARTIES`: comma separated; the `azp` of tokens without `aud`
    pub authorized_parties: Option<String>,
    /// `JWT_ACCOUNT_CLAIM`
    pub account_claim: Option<String>,
    /// `JWT_ADMIN_SCOPE`
    pub admin_scope: Option<String>,
    /// `JWT_ADMIN_CLAIM`
    pub admin_claim: Option<String>,
}

/// How customers' tokens are verified.
#[derive(Clone, Debug)]
pub struct JwtSettings {
    /// The keys for checking signatures: at least one, at most one of each kind.
    pub keys: Vec<JwtKey>,
    /// The allowed algorithms. Each fits one of the keys, and each key has one.
    pub algorithms: Vec<Algorithm>,
    /// The accepted `iss` values; if empty, `iss` is not checked.
    pub issuers: Vec<String>,
    /// The accepted `aud` values. If both this and `authorized_parties` are empty, neither is checked.
    pub audience: Vec<String>,
    /// The accepted `azp` values, used for tokens without `aud`.
    pub authorized_parties: Vec<String>,
    /// The claim that contains the account id.
    pub account_claim: String,
    /// The scope that makes the caller an admin; `None` means that no token does.
    pub admin_scope: Option<String>,
    /// The claim that contains scopes or roles, or a path to it (`realm_access.roles`).
    pub admin_claim: String,
}

/// A mistake in one setting. The message says how to fix it and never contains a secret.
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
    /// Parses the settings. `Ok(None)` means that none is set, so only API keys are accepted.
    ///
    /// # Errors
    /// All mistakes, in the order of the fields.
    pub fn parse(self) -> Result<Option<JwtSettings>, Vec<SettingError>> {
        let mut errors = Vec::new();
        let keys = self.keys(&mut errors);
        if keys.is_empty() && errors.is_empty() {
            errors.extend(self.set_without_a_key());
            return if errors.is_empty() { Ok(None) } else { Err(errors) };
        }
        let algorithms = self.algorithms(if errors.is_empty() { &keys } else { &[] }, &mut errors);
        let issuers = keep(list(ISSUER, self.issuer.as_deref()), &mut errors).flatten();
        let audience = keep(list(AUDIENCE, self.audience.as_deref()), &mut errors).flatten();
        let parties = keep(list(AUTHORIZED_PARTIES, self.authorized_parties.as_deref()), &mut errors).flatten();
        if self.jwks_url.is_some() {
            let others = format!("is required with {JWKS_URL}: others get tokens from the same key set");
            if self.issuer.is_none() {
                errors.push(SettingError::new(ISSUER, others.clone()));
            }
            if self.audience.is_none() && self.authorized_parties.is_none() {
                let message =
                    format!("{others} (for tokens without aud, such as Clerk's, {AUTHORIZED_PARTIES} instead)");
                errors.push(SettingError::new(AUDIENCE, message));
            }
        }
        let account_claim = keep(account_claim(self.account_claim.as_deref()), &mut errors);
        let admin_scope = keep(admin_scope(self.admin_scope.as_deref()), &mut errors).flatten();
        let admin_claim = keep(self.admin_claim(), &mut errors);
        match (algorithms, account_claim, admin_claim) {
            (Some(algorithms), Some(account_claim), Some(admin_claim)) if errors.is_empty() => Ok(Some(JwtSettings {
                keys,
                algorithms,
                issuers: issuers.unwrap_or_default(),
                audience: audience.unwrap_or_default(),
                authorized_parties: parties.unwrap_or_default(),
                account_claim,
                admin_scope,
                admin_claim,
            })),
            _ => Err(errors),
        }
    }

    /// The usable keys among the settings.
    fn keys(&self, errors: &mut Vec<SettingError>) -> Vec<JwtKey> {
        let secret = self.secret.as_deref().map(key::secret);
        let public_key = self.public_key.as_deref().map(key::public_key);
        let key_set = self.jwks_url.as_deref().map(key::jwks);
        [secret, public_key, key_set].into_iter().flatten().filter_map(|key| keep(key, errors)).collect()
    }

    fn admin_claim(&self) -> Result<String, SettingError> {
        let Some(raw) = self.admin_claim.as_deref() else { return Ok(SCOPE.to_owned()) };
        let claim = text(ADMIN_CLAIM, raw)?;
        if self.admin_scope.is_none() {
            let message = format!("has no effect without {ADMIN_SCOPE}; set it to the scope or role of admins");
            return Err(SettingError::new(ADMIN_CLAIM, message));
        }
        if WRITTEN_BY_USERS.iter().any(|written| claim.split('.').next() == Some(*written)) {
            let message = "is a claim that users write themselves, so everybody could be an admin; use one that only your \
                login writes, such as app_metadata or a claim of your own";
            return Err(SettingError::new(ADMIN_CLAIM, message));
        }
        Ok(claim.to_owned())
    }

    fn set_without_a_key(&self) -> impl Iterator<Item = SettingError> {
        let others = [
            (ALGORITHMS, &self.algorithms),
            (ISSUER, &self.issuer),
            (AUDIENCE, &self.audience),
            (AUTHORIZED_PARTIES, &self.authorized_parties),
            (ACCOUNT_CLAIM, &self.account_claim),
            (ADMIN_SCOPE, &self.admin_scope),
            (ADMIN_CLAIM, &self.admin_claim),
        ];
        others.into_iter().filter(|(_, raw)| raw.is_some()).map(|(setting, _)| {
            let message = format!(
                "has no effect without a key; set one of {SECRET}, {PUBLIC_KEY}, {JWKS_URL}, or remove it if only API \
                 keys are used"
            );
            SettingError::new(setting, message)
        })
    }

    /// The allowed algorithms, by default those of the keys. `None` if there is a mistake. Without keys (because one of
    /// them had a mistake) only the names are checked.
    fn algorithms(&self, keys: &[JwtKey], errors: &mut Vec<SettingError>) -> Option<Vec<Algorithm>> {
        let names = keep(list(ALGORITHMS, self.algorithms.as_deref()), errors)?;
        let Some(names) = names else {
            return Some(keys.iter().flat_map(JwtKey::default_algorithms).collect());
        };
        let mut algorithms = Vec::new();
        let before = errors.len();
        for name in names {
            match algorithm(&name, keys) {
                Ok(algorithm) if algorithms.contains(&algorithm) => {}
                Ok(algorithm) => algorithms.push(algorithm),
                Err(error) => errors.push(error),
            }
        }
        let is_idle = |key: &&JwtKey| !algorithms.iter().any(|algorithm| key.fits(*algorithm));
        if let Some(key) = keys.iter().find(is_idle).filter(|_| errors.len() == before) {
            let fitting = key.algorithms().iter().map(|fit| format!("{fit:?}")).collect::<Vec<_>>().join(", ");
            let message = format!("has no algorithm for {}; add any of {fitting}, or remove that key", key.describe());
            errors.push(SettingError::new(ALGORITHMS, message));
        }
        Some(algorithms)
    }
}

/// What RFC 9864 calls the algorithm that RFC 8037 calls `EdDSA`, and `jsonwebtoken` does not know.
pub const ED25519: &str = "Ed25519";

/// The algorithm of this name.
#[must_use]
pub fn algorithm_named(name: &str) -> Option<Algorithm> {
    if name == ED25519 { Some(Algorithm::EdDSA) } else { name.parse().ok() }
}

/// Returns the value, or records the error.
fn keep<T>(result: Result<T, SettingError>, errors: &mut Vec<SettingError>) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}

/// A non-empty text, without what copy and paste left at its ends.
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

/// The parts of a comma-separated text, each non-empty and trimmed.
fn list(setting: &'static str, raw: Option<&str>) -> Result<Option<Vec<String>>, SettingError> {
    let Some(raw) = raw else { return Ok(None) };
    text(setting, raw)?;
    let parts = raw.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>();
    if parts.iter().any(String::is_empty) {
        return Err(SettingError::new(setting, "has an empty part; check its commas"));
    }
    Ok(Some(parts))
}

/// An entry of `JWT_ALGORITHMS`. Without keys only the name is checked.
fn algorithm(name: &str, keys: &[JwtKey]) -> Result<Algorithm, SettingError> {
    let wrong = |message: String| Err(SettingError::new(ALGORITHMS, message));
    if name.eq_ignore_ascii_case("none") {
        return wrong("\"none\" would accept tokens that nobody signed; remove it".to_owned());
    }
    let Some(algorithm) = algorithm_named(name) else {
        return wrong(format!(
            "{name:?} is not known; use HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or \
             EdDSA"
        ));
    };
    if keys.is_empty() || keys.iter().any(|key| key.fits(algorithm)) {
        return Ok(algorithm);
    }
    let fitting: Vec<String> = keys.iter().flat_map(JwtKey::algorithms).map(|fit| format!("{fit:?}")).collect();
    let keys: Vec<String> = keys.iter().map(JwtKey::describe).collect();
    wrong(format!("{name} does not fit {}; use any of {}", keys.join(", or "), fitting.join(", ")))
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
