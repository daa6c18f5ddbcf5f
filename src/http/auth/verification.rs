//! Keys that verify tokens, and why a token is not accepted.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey};

use crate::http::auth::jwks::fetch::KeySetError;

/// Why a token is not accepted. All are the caller's 401, but for [`TokenError::is_unavailable`].
///
/// The messages say nothing of the token's content and nothing of ours. A decoder's own message, the `source`, may quote
/// the token: it is for a log at most.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not three parts of base64url with JSON objects in them, too long, or a field of the wrong type.
    #[error("the token is malformed: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: &'static str,
        /// What the decoder said, if it was the decoder that refused.
        source: Option<jsonwebtoken::errors::Error>,
    },
    /// `crit` demands that we understand extensions, and we know none (RFC 7515, section 4.1.11).
    #[error("the token demands extensions that are not supported")]
    CriticalExtension,
    /// `alg` is unknown, not on the allowlist, or not one of the key's.
    #[error("the token's algorithm is not allowed")]
    AlgorithmNotAllowed,
    /// The signature is not this key's for this content.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// There is no `exp`.
    #[error("the token has no expiry time")]
    MissingExpiry,
    /// `iss` is not the configured one, or missing.
    #[error("the token is from another issuer")]
    WrongIssuer,
    /// `aud` has none of the configured ones, or there is none and `azp` does not stand in for it.
    #[error("the token is for another audience")]
    WrongAudience,
    /// The account claim is missing, not a text, empty, too long, or has characters that cannot be printed.
    #[error("the token's account is not usable: {reason}")]
    InvalidAccount {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No key, or not exactly one, is known for this token's `kid` and algorithm.
    #[error("the token's key is not known")]
    UnknownKey,
    /// The issuer's key set could not be fetched, and there is no usable older one. Ours to repair: a 503.
    #[error("the keys for checking tokens are not available")]
    KeySetUnavailable {
        /// What the last attempt failed with.
        source: Arc<KeySetError>,
    },
}

impl TokenError {
    /// Whether nothing can be said about the token, because we have no keys: then it is our 503, not the caller's 401.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::KeySetUnavailable { .. })
    }

    pub(crate) fn malformed(reason: &'static str) -> Self {
        Self::Malformed { reason, source: None }
    }
}

/// A key and all that it may be used for.
pub(crate) struct VerificationKey {
    pub(crate) key: DecodingKey,
    pub(crate) algorithms: Vec<Algorithm>,
}
