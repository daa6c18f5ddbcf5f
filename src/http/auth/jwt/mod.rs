//! Verifies a bearer token and returns its account.
//!
//! What always holds: a token is believed only after its algorithm is on the allowlist, its signature is right, and its
//! times, issuer and audience have been checked, in this order. The key is chosen by the settings and never by the
//! token: of its header only `alg`, `kid` and `crit` are looked at, so `jku`, `jwk`, `x5u` and `x5c` have no effect. The
//! time comes from the [`Clock`].
//!
//! This module knows nothing of HTTP requests or of the account's permissions.

mod claims;
mod token;

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey};
use secrecy::ExposeSecret;

use self::claims::ClaimRules;
use self::token::{JsonObject, SignedToken};
use super::jwks::KeySetCache;
use crate::config::jwt::{JwtKey, JwtSettings, PublicKeyKind};
use crate::domain::account::AccountId;
use crate::http::auth::verification::{TokenError, VerificationKey};
use crate::ports::Clock;

/// Verifies customers' tokens. One for the whole service; it caches the key set.
pub struct TokenVerifier {
    keys: Vec<KeySource>,
    rules: ClaimRules,
    clock: Arc<dyn Clock>,
}

/// The content of a valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    /// The account named by the claim.
    pub account: AccountId,
    /// Whether the token has the configured admin scope. Always false if none is configured.
    pub is_admin: bool,
}

/// Why the settings do not make a verifier.
#[derive(Debug, thiserror::Error)]
pub enum TokenVerifierError {
    /// The PEM text does not contain the kind of key that the settings say.
    #[error("the public key for tokens cannot be read")]
    PublicKey(#[source] jsonwebtoken::errors::Error),
    /// No algorithms are allowed, or one belongs to another kind of key.
    #[error("the algorithms allowed for tokens do not fit the key")]
    Algorithms,
    /// The HTTP client cannot be created, for example because the system has no root certificates.
    #[error("the HTTP client for the key set cannot be made")]
    HttpClient(#[source] reqwest::Error),
}

impl TokenVerifier {
    /// Creates the verifier. A key set is fetched only when the first token needs it.
    ///
    /// # Errors
    /// See [`TokenVerifierError`]. With parsed settings only the HTTP client can fail.
    pub fn new(settings: JwtSettings, clock: Arc<dyn Clock>) -> Result<Self, TokenVerifierError> {
        let is_fitting = |algorithm: &Algorithm| settings.keys.iter().any(|key| key.fits(*algorithm));
        if settings.algorithms.is_empty() || !settings.algorithms.iter().all(is_fitting) {
            return Err(TokenVerifierError::Algorithms);
        }
        let mut keys = Vec::new();
        for key in settings.keys {
            // Each key verifies only algorithms of its own kind.
            let fitting: Vec<Algorithm> =
                settings.algorithms.iter().copied().filter(|algorithm| key.fits(*algorithm)).collect();
            keys.push(KeySource::new(key, fitting, &clock)?);
        }
        let rules = ClaimRules {
            issuers: settings.issuers,
            audience: settings.audience,
            authorized_parties: settings.authorized_parties,
            account_claim: settings.account_claim,
            admin_scope: settings.admin_scope,
            admin_claim: settings.admin_claim,
        };
        Ok(Self { keys, rules, clock })
    }

    /// Verifies a token (the text after `Bearer `). May wait up to 5 seconds for the issuer's key set.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn verify(&self, token: &str) -> Result<VerifiedToken, TokenError> {
        let token = SignedToken::read(token)?;
        let claims = self.verified_claims(&token).await?;
        self.rules.check(&claims, self.clock.now_ms())
    }

    /// The claims, if one of the keys signed them. Configured keys are tried before a set is fetched.
    async fn verified_claims(&self, token: &SignedToken<'_>) -> Result<JsonObject, TokenError> {
        let mut failure = TokenError::AlgorithmNotAllowed;
        for source in self.keys.iter().filter(|source| source.algorithms().contains(&token.algorithm)) {
            let signed = match source {
                KeySource::Fixed(key) => token.claims_signed_by(key),
                KeySource::KeySet { cache, .. } => match cache.find(token.algorithm, token.key_id.as_deref()).await {
                    Ok(keys) => token.claims_signed_by_any(&keys),
                    Err(error) => Err(error),
                },
            };
            match signed {
                Ok(claims) => return Ok(claims),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

/// The source of keys: one in the settings, or the issuer's set.
enum KeySource {
    Fixed(Arc<VerificationKey>),
    KeySet { cache: KeySetCache, algorithms: Vec<Algorithm> },
}

impl KeySource {
    fn new(key: JwtKey, algorithms: Vec<Algorithm>, clock: &Arc<dyn Clock>) -> Result<Self, TokenVerifierError> {
        let key = match key {
            JwtKey::Secret(secret) => DecodingKey::from_secret(secret.expose_secret().as_bytes()),
            JwtKey::PublicKeyPem { pem, kind } => {
                let key = match kind {
                    PublicKeyKind::Rsa => DecodingKey::from_rsa_pem(pem.as_bytes()),
                    PublicKeyKind::EcP256 | PublicKeyKind::EcP384 => DecodingKey::from_ec_pem(pem.as_bytes()),
                    PublicKeyKind::Ed25519 => DecodingKey::from_ed_pem(pem.as_bytes()),
                };
                key.map_err(TokenVerifierError::PublicKey)?
            }
            JwtKey::Jwks { url } => {
                let cache = KeySetCache::new(url, algorithms.clone(), Arc::clone(clock));
                return Ok(Self::KeySet { cache: cache.map_err(TokenVerifierError::HttpClient)?, algorithms });
            }
        };
        Ok(Self::Fixed(Arc::new(VerificationKey { key, algorithms })))
    }

    fn algorithms(&self) -> &[Algorithm] {
        match self {
            Self::Fixed(key) => &key.algorithms,
            Self::KeySet { algorithms, .. } => algorithms,
        }
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
