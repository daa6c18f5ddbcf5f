//! Parses a key set (RFC 7517) and selects the keys that may verify tokens.
//!
//! Invariants: every key kept is a public key of a known kind, strong enough, meant for signatures, and tied to those
//! allowed algorithms that fit it. Other keys are skipped, as RFC 7517 (section 5) requires: one unusual key must not
//! disable the rest.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde::Deserialize;
use serde_json::Value;

use super::KeySetError;
use crate::config::jwt::PublicKeyKind;
use crate::config::jwt::algorithm_named;
use crate::http::auth::verification::VerificationKey;

const KEYS_MAX: usize = 100;
/// How many keys are tried for one token. Issuers have one or two, and a stranger's token must not cost more.
const CANDIDATES_MAX: usize = 8;
const RSA_MIN_BITS: u32 = 2048;
/// The most that the verifier accepts.
const RSA_MAX_BITS: u32 = 4096;

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

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// The members of a JWK that are used. `x5c`, `x5u` and private members are ignored.
#[derive(Deserialize)]
struct JsonWebKey {
    kty: String,
    #[serde(rename = "use")]
    key_use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
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

fn known_key(key: Value, allowed: &[Algorithm]) -> Option<KnownKey> {
    let json_key: JsonWebKey = serde_json::from_value(key).ok()?;
    if !json_key.is_for_signatures() {
        return None;
    }
    let (key, kind) = json_key.public_key()?;
    let fitting =
        kind.algorithms().iter().filter(|algorithm| allowed.contains(algorithm) && json_key.allows(**algorithm));
    let algorithms = fitting.copied().collect::<Vec<_>>();
    if algorithms.is_empty() {
        return None;
    }
    Some(KnownKey { key_id: json_key.kid, key: Arc::new(VerificationKey { key, algorithms }) })
}

impl JsonWebKey {
    fn is_for_signatures(&self) -> bool {
        let use_fits = self.key_use.as_ref().is_none_or(|key_use| key_use == "sig");
        let operations_fit =
            self.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|name| name == "verify"));
        use_fits && operations_fit
    }

    /// Whether the key allows this algorithm. Without `alg` it allows all algorithms of its kind.
    fn allows(&self, algorithm: Algorithm) -> bool {
        self.alg.as_ref().is_none_or(|name| algorithm_named(name) == Some(algorithm))
    }

    /// The key and its kind. `None` for symmetric keys (`oct`): a published key is not secret.
    fn public_key(&self) -> Option<(DecodingKey, PublicKeyKind)> {
        let kind = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => PublicKeyKind::Rsa,
            ("EC", Some("P-256")) => PublicKeyKind::EcP256,
            ("EC", Some("P-384")) => PublicKeyKind::EcP384,
            ("OKP", Some("Ed25519")) => PublicKeyKind::Ed25519,
            _ => return None,
        };
        let key = match kind {
            PublicKeyKind::Rsa => rsa(self.n.as_deref()?, self.e.as_deref()?)?,
            PublicKeyKind::EcP256 => elliptic(self.x.as_deref()?, self.y.as_deref()?, P256_CHARACTERS)?,
            PublicKeyKind::EcP384 => elliptic(self.x.as_deref()?, self.y.as_deref()?, P384_CHARACTERS)?,
            PublicKeyKind::Ed25519 => edwards(self.x.as_deref()?)?,
        };
        Some((key, kind))
    }
}

/// The length of 32 bytes in base64url. RFC 7518 (6.2.1.2) and RFC 8037 (2) fix the lengths.
const P256_CHARACTERS: usize = 43;
/// The length of 48 bytes in base64url.
const P384_CHARACTERS: usize = 64;
const ED25519_CHARACTERS: usize = 43;

fn rsa(modulus: &str, exponent: &str) -> Option<DecodingKey> {
    let key = DecodingKey::from_rsa_components(modulus, exponent).ok()?;
    let DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() else {
        return None;
    };
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    let is_strong = (RSA_MIN_BITS..=RSA_MAX_BITS).contains(&bits(n)?) && is_odd(n);
    // With an exponent of 1, every message would be its own signature.
    let is_sound = (2..=33).contains(&bits(e)?) && is_odd(e);
    (is_strong && is_sound).then_some(key)
}

/// The number of bits of a big-endian number, without leading zeros.
fn bits(number: &[u8]) -> Option<u32> {
    let mut digits = number.iter().skip_while(|byte| **byte == 0);
    let first = digits.next()?;
    let following = u32::try_from(digits.count()).ok()?;
    following.checked_mul(8)?.checked_add(u8::BITS.checked_sub(first.leading_zeros())?)
}

fn elliptic(x: &str, y: &str, characters: usize) -> Option<DecodingKey> {
    let is_right_length = x.len() == characters && y.len() == characters;
    is_right_length.then(|| DecodingKey::from_ec_components(x, y).ok()).flatten()
}

/// The length must be checked: the verifier takes the first 32 bytes without checking that they exist.
fn edwards(x: &str) -> Option<DecodingKey> {
    let key = (x.len() == ED25519_CHARACTERS).then(|| DecodingKey::from_ed_components(x).ok()).flatten()?;
    PublicKeyKind::is_sound_ed25519(key.try_get_as_bytes().ok()?).then_some(key)
}
