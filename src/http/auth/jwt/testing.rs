//! What the tests of tokens and of key sets share: a clock to be moved, test keys, and tokens made by hand, so that they
//! can be wrong in any way.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::ports::Clock;

macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!("../testdata/", $name, ".pem"))
    };
}

pub(crate) const RSA_A: &str = pem!("rsa_a_private");
pub(crate) const RSA_A_PUBLIC: &str = pem!("rsa_a_public");
pub(crate) const RSA_B: &str = pem!("rsa_b_private");
pub(crate) const RSA_B_PUBLIC: &str = pem!("rsa_b_public");
pub(crate) const RSA_1024_PUBLIC: &str = pem!("rsa_1024_public");
pub(crate) const P256: &str = pem!("ec_p256_private");
pub(crate) const P256_PUBLIC: &str = pem!("ec_p256_public");
pub(crate) const P384: &str = pem!("ec_p384_private");
pub(crate) const P384_PUBLIC: &str = pem!("ec_p384_public");
pub(crate) const ED25519: &str = pem!("ed25519_private");
pub(crate) const ED25519_PUBLIC: &str = pem!("ed25519_public");

/// The time at which every test begins, in seconds.
pub(crate) const NOW: i64 = 1_800_000_000;

/// A clock that stands still until a test moves it.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(NOW * 1000)))
    }

    pub(crate) fn advance_ms(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) fn private_key(algorithm: Algorithm, pem: &str) -> EncodingKey {
    let read = match algorithm {
        Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem,
        Algorithm::EdDSA => EncodingKey::from_ed_pem,
        _ => EncodingKey::from_rsa_pem,
    };
    read(pem.as_bytes()).unwrap()
}

/// Claims that are valid for an hour.
pub(crate) fn claims() -> Value {
    json!({"sub": "customer_1", "exp": NOW + 3600, "iss": "https://issuer.example", "aud": "topup"})
}

/// A token with any header and claims, correctly signed with this algorithm and key.
pub(crate) fn sign(header: &Value, claims: &Value, algorithm: Algorithm, key: &EncodingKey) -> String {
    sign_text(&header.to_string(), &claims.to_string(), algorithm, key)
}

pub(crate) fn sign_text(header: &str, claims: &str, algorithm: Algorithm, key: &EncodingKey) -> String {
    let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// RFC 4648, section 5, without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
