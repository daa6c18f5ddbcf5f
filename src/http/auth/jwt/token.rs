//! The structure of a token (RFC 7515, compact serialization): its three parts, its header, its signature.
//!
//! Invariant: claims are returned only by [`SignedToken::claims_signed_by`], so none is read before its signature was
//! verified.

use std::fmt;
use std::sync::Arc;

// Dangerous only for unverified claims; here it strictly decodes base64url and JSON of limited size.
use jsonwebtoken::dangerous::insecure_decode_claims as decode_json_part;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, crypto};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::config::jwt::algorithm_named;
use crate::http::auth::verification::{TokenError, VerificationKey};

/// More than any issuer's tokens need, and what common servers accept as one header line.
const TOKEN_MAX_BYTES: usize = 8 * 1024;

/// RFC 7516: an encrypted token has five parts, such as the session cookies of Auth.js.
const ENCRYPTED_PARTS: usize = 5;

/// A well-formed token. Nothing in it has been verified.
pub(crate) struct SignedToken<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<String>,
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> SignedToken<'a> {
    /// Splits a token and reads its header.
    pub(crate) fn read(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > TOKEN_MAX_BYTES {
            return Err(TokenError::malformed("it is too long"));
        }
        let parts = token.rsplit_once('.').and_then(|(message, signature)| {
            let (header, payload) = message.split_once('.')?;
            Some((message, header, payload, signature))
        });
        if token.split('.').count() == ENCRYPTED_PARTS {
            return Err(TokenError::malformed("it is encrypted (JWE); send a signed one"));
        }
        let Some((message, header, payload, signature)) = parts else {
            return Err(TokenError::malformed("it does not have three parts"));
        };
        if payload.contains('.') || [header, payload, signature].contains(&"") {
            return Err(TokenError::malformed("it does not have three parts"));
        }
        let header = decode(header, "its header cannot be decoded")?;
        if header.0.contains_key("crit") {
            return Err(TokenError::CriticalExtension);
        }
        let algorithm = match header.0.get("alg") {
            Some(Value::String(name)) => algorithm_named(name).ok_or(TokenError::AlgorithmNotAllowed)?,
            _ => return Err(TokenError::malformed("its header has no algorithm")),
        };
        let key_id = match header.0.get("kid") {
            None => None,
            Some(Value::String(key_id)) => Some(key_id.clone()),
            Some(_) => return Err(TokenError::malformed("its key id is not a text")),
        };
        Ok(Self { algorithm, key_id, message, payload, signature })
    }

    /// The claims, if one of these keys signed them. The key set limits their number.
    pub(crate) fn claims_signed_by_any(&self, keys: &[Arc<VerificationKey>]) -> Result<JsonObject, TokenError> {
        let mut failure = TokenError::UnknownKey;
        for key in keys {
            match self.claims_signed_by(key) {
                Ok(claims) => return Ok(claims),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// The claims, if this key signed them with the header's algorithm.
    pub(crate) fn claims_signed_by(&self, key: &VerificationKey) -> Result<JsonObject, TokenError> {
        if !key.algorithms.contains(&self.algorithm) {
            return Err(TokenError::AlgorithmNotAllowed);
        }
        match crypto::verify(self.signature, self.message.as_bytes(), &key.key, self.algorithm) {
            Ok(true) => decode(self.payload, "its claims cannot be decoded"),
            Err(error) if matches!(error.kind(), ErrorKind::Base64(_)) => {
                Err(TokenError::Malformed { reason: "its signature cannot be decoded", source: Some(error) })
            }
            // An error means that the key cannot do this algorithm, for example on another curve, so it did not sign.
            Ok(false) | Err(_) => Err(TokenError::BadSignature),
        }
    }
}

fn decode(part: &str, reason: &'static str) -> Result<JsonObject, TokenError> {
    // The function reads the middle one of three parts.
    decode_json_part(format!(".{part}.")).map_err(|error| TokenError::Malformed { reason, source: Some(error) })
}

/// A JSON object with unique names, as RFC 7515 and 7519 require: readers might disagree about which of two values
/// counts.
#[derive(Debug)]
pub(crate) struct JsonObject(pub(crate) Map<String, Value>);

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = JsonObject;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<JsonObject, A::Error> {
                let mut object = Map::new();
                while let Some((name, value)) = entries.next_entry()? {
                    if object.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name appears twice"));
                    }
                }
                Ok(JsonObject(object))
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}
