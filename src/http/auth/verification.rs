//! Keys that verify tokens, and why a token is refused.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey};

use crate::http::auth::jwks::fetch::KeySetError;

/// Why a token is refused. All are a 401 for the caller, except [`TokenError::is_unavailable`].
///
/// The messages reveal neither the token's content nor our settings. The `source`, a decoder's own message, may quote
/// the token, so it must not leave the log.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It is too long, has fields of wrong types, or is not three base64url parts with JSON objects.
    #[error("the token is malformed: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: &'static str,
        /// The decoder's error, if the decoder refused it.
        source: Option<jsonwebtoken::errors::Error>,
    },
    /// `crit` requires extensions, and none is supported (RFC 7515, section 4.1.11).
    #[error("the token demands extensions that are not supported")]
    CriticalExtension,
    /// `alg` is unknown, not allowed, or does not fit the key.
    #[error("the token's algorithm is not allowed")]
    AlgorithmNotAllowed,
    /// The signature does not fit this key and content.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// There is no `exp`.
    #[error("the token has no expiry time")]
    MissingExpiry,
    /// `iss` is missing or not an accepted one.
    #[error("the token is from another issuer")]
    WrongIssuer,
    /// `aud` has no accepted audience, or is missing and `azp` is not accepted instead.
    #[error("the token is for another audience")]
    WrongAudience,
    /// The account claim is missing, not a text, empty, too long, or has unprintable characters.
    #[error("the token's account is not usable: {reason}")]
    InvalidAccount {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is no key, or no single one, for this token's `kid` and algorithm.
    #[error("the token's key is not known")]
    UnknownKey,
    /// The issuer's key set could not be fetched, and no usable older one exists. Our problem: 503.
    #[error("the keys for checking tokens are not available")]
    KeySetUnavailable {
        /// The error of the last attempt.
        source: Arc<KeySetError>,
    },
}

impl TokenError {
    /// Whether the token could not be checked for lack of keys: then it is our 503, not the caller's 401.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::KeySetUnavailable { .. })
    }

    pub(crate) fn malformed(reason: &'static str) -> Self {
        Self::Malformed { reason, source: None }
    }
}

/// A key and the algorithms that it may verify.
pub(crate) struct VerificationKey {
    pub(crate) key: DecodingKey,
    pub(crate) algorithms: Vec<Algorithm>,
}
