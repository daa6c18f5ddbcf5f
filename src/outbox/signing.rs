//! Signatures by the Standard Webhooks specification, and the secrets that they are made with.
//!
//! An endpoint's secret follows from one key, the endpoint's id and the number of its rotation, so no secret is stored.
//! After a rotation, the secret before signs as well for a day.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// The prefix of every secret, by which people and secret scanners recognise it.
pub const SECRET_PREFIX: &str = "whsec_";
/// For how long the secret before a rotation signs as well, in milliseconds.
pub const OVERLAP_MS: i64 = 24 * 60 * 60 * 1_000;

/// The key that all secrets follow from.
#[derive(Clone)]
pub struct SigningKey([u8; 32]);

/// Omits the key.
impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("SigningKey").finish_non_exhaustive()
    }
}

/// An endpoint's secret.
#[derive(Clone)]
pub struct EndpointSecret([u8; 32]);

/// Omits the secret.
impl std::fmt::Debug for EndpointSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("EndpointSecret").finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Makes a key from a text with enough unguessable characters.
    #[must_use]
    pub fn from_text(text: &SecretString) -> Self {
        Self(Sha256::digest([b"topup signing key:".as_slice(), text.expose_secret().as_bytes()].concat()).into())
    }

    /// The secret of an endpoint after so many rotations; the first is 1.
    #[must_use]
    pub fn secret(&self, endpoint: &str, version: i64) -> EndpointSecret {
        EndpointSecret(authenticate(&self.0, format!("topup endpoint secret:{endpoint}:{version}").as_bytes()))
    }

    /// Identifies the key without telling it.
    #[must_use]
    pub fn hash(&self) -> String {
        hex::encode(authenticate(&self.0, b"topup signing key's name"))
    }
}

impl EndpointSecret {
    /// The secret as the receiver is given it.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        SecretString::from(format!("{SECRET_PREFIX}{}", STANDARD.encode(self.0)))
    }

    /// Signs one attempt to deliver a message.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp_seconds: i64, body: &str) -> String {
        let signed = authenticate(&self.0, format!("{id}.{timestamp_seconds}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(signed))
    }
}

/// HMAC-SHA256.
fn authenticate(key: &[u8; 32], text: &[u8]) -> [u8; 32] {
    // A key of any length is valid, so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(text);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn a_signature_is_the_one_of_the_specification() {
        let bytes = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&bytes).expect("a key");
        mac.update(br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#);
        let expected = STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(expected, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        // The same construction with a key of ours.
        let secret = EndpointSecret([7; 32]);
        let signed = secret.sign("msg_1", 1_614_265_330, "{}");
        let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).expect("a key");
        mac.update(b"msg_1.1614265330.{}");
        assert_eq!(signed, format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
    }

    #[test]
    fn secrets_differ_by_key_endpoint_and_rotation_and_are_not_shown() {
        let of = |key: &str, endpoint: &str, version| {
            let key = SigningKey::from_text(&SecretString::from(key.to_owned()));
            key.secret(endpoint, version).to_text().expose_secret().to_owned()
        };
        let first = of("one", "endpoint_1", 1);
        assert_eq!(first, of("one", "endpoint_1", 1));
        assert!(first.starts_with("whsec_") && first.len() == 50, "{first}");
        for other in [of("two", "endpoint_1", 1), of("one", "endpoint_2", 1), of("one", "endpoint_1", 2)] {
            assert_ne!(first, other);
        }
        let key = SigningKey::from_text(&SecretString::from("one".to_owned()));
        assert_eq!(format!("{key:?} {:?}", key.secret("endpoint_1", 1)), "SigningKey(..) EndpointSecret(..)");
    }
}
