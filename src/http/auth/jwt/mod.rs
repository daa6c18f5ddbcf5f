//! From a bearer token to the account that it speaks for.
//!
//! What always holds: a token is believed only after its algorithm is on the allowlist, its signature is right, and its
//! times, issuer and audience have been checked, in this order. The key is chosen by the settings and never by the
//! token: of its header only `alg`, `kid` and `crit` are looked at, so `jku`, `jwk`, `x5u` and `x5c` have no effect. The
//! time comes from the [`Clock`].
//!
//! It knows nothing of HTTP requests, and nothing of what the account may do.

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

/// Checks customers' tokens. One for the whole service; it caches the key set.
pub struct TokenVerifier {
    keys: Vec<KeySource>,
    rules: ClaimRules,
    clock: Arc<dyn Clock>,
}

/// What a token that holds up says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    /// The account that the claim names.
    pub account: AccountId,
    /// Whether the token has the configured admin scope. Always false if none is configured.
    pub is_admin: bool,
}

/// Why no verifier can be made of the settings.
#[derive(Debug, thiserror::Error)]
pub enum TokenVerifierError {
    /// The PEM text is not the kind of key that the settings say.
    #[error("the public key for tokens cannot be read")]
    PublicKey(#[source] jsonwebtoken::errors::Error),
    /// The allowlist is empty or has an algorithm of another kind of key.
    #[error("the algorithms allowed for tokens do not fit the key")]
    Algorithms,
    /// The HTTP client cannot be made, for example because this system has no root certificates.
    #[error("the HTTP client for the key set cannot be made")]
    HttpClient(#[source] reqwest::Error),
}

impl TokenVerifier {
    /// Makes the verifier. Fetches nothing yet: a key set is fetched when the first token needs it.
    ///
    /// # Errors
    /// See [`TokenVerifierError`]; none is possible for settings that were parsed, but for the HTTP client's.
    pub fn new(settings: JwtSettings, clock: Arc<dyn Clock>) -> Result<Self, TokenVerifierError> {
        let is_fitting = |algorithm: &Algorithm| settings.keys.iter().any(|key| key.fits(*algorithm));
        if settings.algorithms.is_empty() || !settings.algorithms.iter().all(is_fitting) {
            return Err(TokenVerifierError::Algorithms);
        }
        let mut keys = Vec::new();
        for key in settings.keys {
            // Each key only ever checks algorithms of its own kind.
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

    /// Checks a token (the text after `Bearer `). May wait for the issuer's key set, 5 seconds at most.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn verify(&self, token: &str) -> Result<VerifiedToken, TokenError> {
        let token = SignedToken::read(token)?;
        let claims = self.verified_claims(&token).await?;
        self.rules.check(&claims, self.clock.now_ms())
    }

    /// The claims, if one of the keys signed them. Keys of the settings are tried before a set is fetched.
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

/// Where keys come from: one in the settings, or the issuer's set.
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
