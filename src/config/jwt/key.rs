//! The key that verifies customers' tokens: a shared secret, a public key, or the URL of a key set.
//!
//! Invariants: a [`JwtKey`] has passed the strength checks here and knows the algorithms that fit it. A message about a
//! key never repeats any of its text, because the value given by mistake may be a private key.

use std::fmt;
use std::ops::RangeInclusive;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use secrecy::SecretString;
use url::{Host, Url};

use super::{JWKS_URL, PUBLIC_KEY, SECRET, SettingError, text};

/// RFC 7518, section 3.2: an HMAC key is at least as long as the hash; 32 bytes are SHA-256's.
const SECRET_MIN_BYTES: usize = 32;
const RSA_BITS: RangeInclusive<u32> = 2048..=4096;
/// Far more than any key needs; keeps the PEM reader away from anything else.
const PEM_MAX_BYTES: usize = 8 * 1024;
/// Publicly known texts from examples and starter kits.
const PLACEHOLDERS: [&str; 12] = [
    "replace_me",
    "replace-me",
    "…",
    "change-me",
    "change_me",
    "changeme",
    "change this",
    "placeholder",
    "example",
    "your-secret",
    "your_secret",
    "super-secret",
];

/// The key for checking signatures.
#[derive(Clone, Debug)]
pub enum JwtKey {
    /// The HMAC secret, shared with whoever issues the tokens.
    Secret(SecretString),
    /// One public key, as PEM text of one block.
    PublicKeyPem {
        /// The PEM text.
        pem: String,
        /// The kind of key, which tells how to parse it.
        kind: PublicKeyKind,
    },
    /// The issuer's key set, fetched when needed.
    Jwks {
        /// An https URL, or http to this machine.
        url: Url,
    },
}

/// The supported kinds of public keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicKeyKind {
    /// RSA, 2048 to 4096 bits.
    Rsa,
    /// Elliptic curve P-256.
    EcP256,
    /// Elliptic curve P-384.
    EcP384,
    /// Edwards curve Ed25519.
    Ed25519,
}

impl PublicKeyKind {
    /// The algorithms that a key of this kind can verify; the first is the default.
    #[must_use]
    pub const fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Rsa => &[
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ],
            Self::EcP256 => &[Algorithm::ES256],
            Self::EcP384 => &[Algorithm::ES384],
            Self::Ed25519 => &[Algorithm::EdDSA],
        }
    }
}

impl PublicKeyKind {
    /// Reads the public key in a JWK. `None` for a key that is too weak to believe its signatures, or that the verifier
    /// cannot use, and for a symmetric key: a published key is not a secret.
    #[must_use]
    pub fn read(jwk: &Jwk) -> Option<(Self, DecodingKey)> {
        let kind = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Self::Rsa,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Self::EcP256,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => Self::EcP384,
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Self::Ed25519,
            _ => return None,
        };
        let key = DecodingKey::from_jwk(jwk).ok()?;
        // `from_jwk` only decodes base64.
        let is_sound = match kind {
            Self::Rsa => is_sound_rsa(&key),
            // The point has the curve's length and is on it (secp256k1's are not).
            Self::EcP256 => jsonwebtoken::crypto::verify("", b"", &key, Algorithm::ES256).is_ok(),
            Self::EcP384 => jsonwebtoken::crypto::verify("", b"", &key, Algorithm::ES384).is_ok(),
            Self::Ed25519 => is_sound_ed25519(&key),
        };
        is_sound.then_some((kind, key))
    }
}

/// Whether these numbers are an RSA key, long enough and not too long for the verifier.
fn is_sound_rsa(key: &DecodingKey) -> bool {
    let DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() else { return false };
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    let has_bits = |number, range: RangeInclusive<u32>| bits(number).is_some_and(|bits| range.contains(&bits));
    // An exponent of 1 would make every signature its own message.
    has_bits(n, RSA_BITS) && is_odd(n) && has_bits(e, 2..=33) && is_odd(e)
}

/// How many bits a big-endian number has, without its leading zeros.
fn bits(number: &[u8]) -> Option<u32> {
    let mut digits = number.iter().skip_while(|byte| **byte == 0);
    let first = digits.next()?;
    let following = u32::try_from(digits.count()).ok()?;
    following.checked_mul(8)?.checked_add(u8::BITS.checked_sub(first.leading_zeros())?)
}

/// Anybody can make signatures for a point of small order. The length is checked too: the verifier takes the first 32 bytes
/// without looking whether they are there.
fn is_sound_ed25519(key: &DecodingKey) -> bool {
    let point = key.try_get_as_bytes().ok().and_then(|bytes| ed25519_dalek::VerifyingKey::try_from(bytes).ok());
    point.is_some_and(|point| !point.is_weak())
}

impl fmt::Display for PublicKeyKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Rsa => "an RSA key",
            Self::EcP256 => "a P-256 key",
            Self::EcP384 => "a P-384 key",
            Self::Ed25519 => "an Ed25519 key",
        })
    }
}

impl JwtKey {
    /// The algorithms allowed with this key. HMAC only with a secret, and no others with a secret.
    #[must_use]
    pub const fn algorithms(&self) -> &'static [Algorithm] {
        match self {
            Self::Secret(_) => &[Algorithm::HS256, Algorithm::HS384, Algorithm::HS512],
            Self::PublicKeyPem { kind, .. } => kind.algorithms(),
            Self::Jwks { .. } => &[
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
                Algorithm::ES256,
                Algorithm::ES384,
                Algorithm::EdDSA,
            ],
        }
    }

    /// Whether this key can verify tokens with this algorithm.
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithms().contains(&algorithm)
    }

    pub(super) fn default_algorithms(&self) -> Vec<Algorithm> {
        match self {
            Self::Jwks { .. } => vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA],
            Self::Secret(_) | Self::PublicKeyPem { .. } => self.algorithms().iter().take(1).copied().collect(),
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Secret(_) => format!("{SECRET}, a shared secret"),
            Self::PublicKeyPem { kind, .. } => format!("{PUBLIC_KEY}, {kind}"),
            Self::Jwks { .. } => format!("{JWKS_URL}, a set of public keys"),
        }
    }
}

pub(super) fn secret(raw: &str) -> Result<JwtKey, SettingError> {
    let advice = "make one with `openssl rand -hex 32`";
    let wrong = |what: &str| Err(SettingError::new(SECRET, format!("{what}; {advice}")));
    if raw.trim().is_empty() {
        return wrong("is set but empty");
    }
    if raw.contains("-----BEGIN") {
        let message = format!("contains a key in PEM format, not a secret; a public key goes into {PUBLIC_KEY}");
        return Err(SettingError::new(SECRET, message));
    }
    if raw.trim() != raw {
        return wrong("begins or ends with white space, which the issuer of the tokens will not have");
    }
    if raw.len() < SECRET_MIN_BYTES {
        return wrong(&format!("is shorter than {SECRET_MIN_BYTES} bytes"));
    }
    if is_placeholder(raw) {
        return wrong("looks like the placeholder of an example");
    }
    if repeats_itself(raw.as_bytes()) {
        return wrong("repeats one short text over and over");
    }
    Ok(JwtKey::Secret(SecretString::from(raw)))
}

/// Whether a text contains a publicly known placeholder from an example.
pub(in crate::config) fn is_placeholder(text: &str) -> bool {
    let lower_case = text.to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|placeholder| lower_case.contains(placeholder))
}

/// Whether a text repeats one piece that is at most half as long as the text.
fn repeats_itself(text: &[u8]) -> bool {
    (1..=text.len() / 2).any(|period| text.iter().zip(text.iter().skip(period)).all(|(left, right)| left == right))
}

pub(super) fn public_key(raw: &str) -> Result<JwtKey, SettingError> {
    let wrong = |message: &str| Err(SettingError::new(PUBLIC_KEY, message));
    // `.env` files and container settings often contain PEM text in one line; real PEM text has no backslash.
    let pem = raw.replace("\\n", "\n");
    if pem.trim().is_empty() {
        return wrong("is set but empty; give it a value or remove it");
    }
    if pem.contains("PRIVATE KEY") {
        return wrong(
            "is a private key, which does not belong here; set the public key (`openssl pkey -pubout`), and replace \
             the private key if others could have read it",
        );
    }
    if pem.contains("CERTIFICATE") {
        return wrong("is a certificate; set its public key (`openssl x509 -pubkey -noout`)");
    }
    let is_public = pem.contains("-----BEGIN PUBLIC KEY-----") || pem.contains("-----BEGIN RSA PUBLIC KEY-----");
    if !is_public || pem.len() > PEM_MAX_BYTES {
        return wrong("is not a public key in PEM format (-----BEGIN PUBLIC KEY-----)");
    }
    if pem.matches("-----BEGIN ").count() != 1 {
        return wrong("has more than one PEM block; set a single public key");
    }
    let Some(kind) = kind_of(pem.as_bytes()) else {
        return wrong(
            "is not a key that can be used; set an RSA key of 2048 to 4096 bits, an elliptic curve key (P-256 or \
             P-384, uncompressed) or an Ed25519 key",
        );
    };
    Ok(JwtKey::PublicKeyPem { pem, kind })
}

/// The kind of the key in a PEM text; `None` if it is too weak or the verifier cannot use it.
fn kind_of(pem: &[u8]) -> Option<PublicKeyKind> {
    let key = [DecodingKey::from_rsa_pem, DecodingKey::from_ec_pem, DecodingKey::from_ed_pem]
        .into_iter()
        .find_map(|read| read(pem).ok())?;
    let (kind, _) = PublicKeyKind::read(&Jwk::from_decoding_key(&key, None).ok()?)?;
    Some(kind)
}

pub(super) fn jwks(raw: &str) -> Result<JwtKey, SettingError> {
    let wrong = |message: &str| Err(SettingError::new(JWKS_URL, message));
    let raw = text(JWKS_URL, raw)?;
    if raw.contains(|character: char| character.is_whitespace() || character == '\\') {
        return wrong("contains white space or a backslash; remove it");
    }
    let Ok(url) = Url::parse(raw) else {
        return wrong("is not a URL; set the issuer's jwks_uri, such as https://issuer.example/.well-known/jwks.json");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("contains a user name or password; remove it");
    }
    if url.fragment().is_some() {
        return wrong("has a fragment (#…); remove it");
    }
    match url.scheme() {
        "https" => Ok(JwtKey::Jwks { url }),
        "http" if is_loopback(&url) => Ok(JwtKey::Jwks { url }),
        "http" => wrong("must use https: whoever can change the answer can issue tokens (http is for loopback only)"),
        _ => wrong("must be an https URL"),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
