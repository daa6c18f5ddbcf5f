//! A token's form (RFC 7515, compact serialization) and its signature.
//!
//! What always holds: claims are only handed out by [`SignedToken::claims_signed_by`], so none is read before the
//! signature over it was found right. `jsonwebtoken` decodes and verifies; ours are the rules that it does not have.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::errors::{Error as JwtError, ErrorKind, Result as JwtResult};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, crypto};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::config::jwt::{ED25519, algorithm_named};
use crate::http::auth::verification::{TokenError, VerificationKey};

/// More than any issuer's tokens need, and what common servers accept as one header line.
const TOKEN_MAX_BYTES: usize = 8 * 1024;

/// A token in good form. Nothing in it has been verified.
pub(crate) struct SignedToken<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<String>,
    token: &'a str,
    /// Whether the header says `Ed25519` and not `EdDSA`.
    says_ed25519: bool,
}

impl<'a> SignedToken<'a> {
    /// Reads what the header says about the key. `jsonwebtoken::decode_header` does not serve: it fails on every
    /// algorithm that it does not know, `Ed25519` among them, and reads a `crit` or `kid` of null as if there were none.
    pub(crate) fn read(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > TOKEN_MAX_BYTES {
            return Err(TokenError::malformed("it is too long"));
        }
        let header = match token.splitn(6, '.').collect::<Vec<_>>()[..] {
            [header, payload, signature] if ![header, payload, signature].contains(&"") => header,
            // RFC 7516: five parts are an encrypted token. Session cookies of Auth.js are such tokens.
            [_, _, _, _, _] => return Err(TokenError::malformed("it is encrypted (JWE); send a signed one")),
            _ => return Err(TokenError::malformed("it does not have three parts")),
        };
        let header = decode_header(header)
            .map_err(|error| TokenError::Malformed { reason: "its header cannot be decoded", source: Some(error) })?;
        if header.0.contains_key("crit") {
            return Err(TokenError::CriticalExtension);
        }
        let Some(Value::String(name)) = header.0.get("alg") else {
            return Err(TokenError::malformed("its header has no algorithm"));
        };
        let algorithm = algorithm_named(name).ok_or(TokenError::AlgorithmNotAllowed)?;
        let key_id = match header.0.get("kid") {
            None => None,
            Some(Value::String(key_id)) => Some(key_id.clone()),
            Some(_) => return Err(TokenError::malformed("its key id is not a text")),
        };
        Ok(Self { algorithm, key_id, token, says_ed25519: name == ED25519 })
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
        let claims = if self.says_ed25519 { self.decode_ed25519(&key.key) } else { self.decode(&key.key) };
        claims.map_err(|error| match error.kind() {
            ErrorKind::Base64(_) | ErrorKind::Json(_) => {
                TokenError::Malformed { reason: "it cannot be decoded", source: Some(error) }
            }
            // Also an error of the key, which may be of another kind: it signed nothing.
            _ => TokenError::BadSignature,
        })
    }

    /// The rules about claims are not the library's, see [`super::claims`].
    fn decode(&self, key: &DecodingKey) -> JwtResult<JsonObject> {
        let mut validation = Validation::new(self.algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        Ok(jsonwebtoken::decode(self.token, key, &validation)?.claims)
    }

    /// The same for a header that says `Ed25519`, which `jsonwebtoken::decode` cannot read.
    fn decode_ed25519(&self, key: &DecodingKey) -> JwtResult<JsonObject> {
        let (message, signature) = self.token.rsplit_once('.').ok_or(ErrorKind::InvalidToken)?;
        if !crypto::verify(signature, message.as_bytes(), key, Algorithm::EdDSA)? {
            return Err(ErrorKind::InvalidSignature.into());
        }
        insecure_decode_claims(self.token)
    }
}

fn decode_header(header: &str) -> JwtResult<JsonObject> {
    let json = URL_SAFE_NO_PAD.decode(header)?;
    serde_json::from_slice(&json).map_err(JwtError::from)
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
