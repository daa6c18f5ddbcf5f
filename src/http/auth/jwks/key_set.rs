//! Parses a key set (RFC 7517) and selects the keys that may verify tokens.
//!
//! Invariants: every key kept is a public key of a known kind, strong enough, meant for signatures, and tied to those
//! allowed algorithms that fit it. Other keys are skipped, as RFC 7517 (section 5) requires: one unusual key must not
//! disable the rest.

use std::sync::Arc;

use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{CommonParameters, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use serde::Deserialize;
use serde_json::Value;

use super::KeySetError;
use crate::config::jwt::{ED25519, PublicKeyKind};
use crate::http::auth::verification::VerificationKey;

const KEYS_MAX: usize = 100;
/// How many keys are tried for one token. Issuers have one or two, and a stranger's token must not cost more.
const CANDIDATES_MAX: usize = 8;

/// The usable keys of a set.
pub(crate) struct KeySet {
    keys: Vec<KnownKey>,
}

struct KnownKey {
    key_id: Option<String>,
    key: Arc<VerificationKey>,
}

/// The result of looking up a token's algorithm and key id.
pub(crate) enum Lookup {
    /// The keys that may have signed the token, at most [`CANDIDATES_MAX`].
    Found(Vec<Arc<VerificationKey>>),
    /// The key id is known, but its key does not support this algorithm.
    OtherAlgorithm,
    /// No usable key has this id.
    UnknownKeyId,
    /// The token has no key id, and no key supports its algorithm.
    NoKey,
}

/// `JwkSet` would refuse the whole set for one key that it cannot read.
#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    pub(crate) fn read(body: &[u8], allowed: &[Algorithm]) -> Result<Self, KeySetError> {
        let document: Document = serde_json::from_slice(body).map_err(KeySetError::NotAKeySet)?;
        if document.keys.len() > KEYS_MAX {
            return Err(KeySetError::TooManyKeys { limit: KEYS_MAX });
        }
        let keys = document.keys.into_iter().filter_map(|key| known_key(key, allowed)).collect();
        Ok(Self { keys })
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that may have signed a token: those with its key id or, if the token or the keys have no ids, all that
    /// support its algorithm.
    pub(crate) fn find(&self, algorithm: Algorithm, key_id: Option<&str>) -> Lookup {
        let fitting = |of_id: &dyn Fn(&KnownKey) -> bool| {
            let keys = self.keys.iter().filter(|known| of_id(known) && known.key.algorithms.contains(&algorithm));
            keys.map(|known| Arc::clone(&known.key)).take(CANDIDATES_MAX).collect::<Vec<_>>()
        };
        let Some(key_id) = key_id else {
            let keys = fitting(&|_| true);
            return if keys.is_empty() { Lookup::NoKey } else { Lookup::Found(keys) };
        };
        let is_named = |known: &KnownKey| known.key_id.as_deref() == Some(key_id);
        let keys = fitting(&is_named);
        if !keys.is_empty() {
            return Lookup::Found(keys);
        }
        if self.keys.iter().any(is_named) {
            return Lookup::OtherAlgorithm;
        }
        let unnamed = fitting(&|known| known.key_id.is_none());
        if unnamed.is_empty() { Lookup::UnknownKeyId } else { Lookup::Found(unnamed) }
    }
}

fn known_key(mut key: Value, allowed: &[Algorithm]) -> Option<KnownKey> {
    // `Jwk` does not know this name.
    if let Some(name) = key.get_mut("alg").filter(|name| *name == ED25519) {
        *name = KeyAlgorithm::EdDSA.to_string().into();
    }
    let jwk: Jwk = serde_json::from_value(key).ok()?;
    if !is_for_signatures(&jwk.common) {
        return None;
    }
    let (kind, key) = PublicKeyKind::read(&jwk)?;
    // One without `alg` is for all algorithms of its kind.
    let is_for = |algorithm: Algorithm| jwk.common.key_algorithm.is_none_or(|name| name == algorithm.into());
    let fitting = kind.algorithms().iter().copied().filter(|algorithm| allowed.contains(algorithm));
    let algorithms: Vec<_> = fitting.filter(|algorithm| is_for(*algorithm)).collect();
    if algorithms.is_empty() {
        return None;
    }
    Some(KnownKey { key_id: jwk.common.key_id, key: Arc::new(VerificationKey { key, algorithms }) })
}

fn is_for_signatures(key: &CommonParameters) -> bool {
    let use_fits = key.public_key_use.as_ref().is_none_or(|key_use| *key_use == PublicKeyUse::Signature);
    use_fits && key.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify))
}
