//! Stripe's webhook signatures.
//!
//! `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>…]`: HMAC-SHA256 over `<seconds>.<raw body>` with the whole secret,
//! `whsec_` included, as the key. Source: Stripe's page "Verify webhook signatures manually".

use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use crate::providers::event::WebhookError;

/// How far a signature's time may differ from ours, in either direction. Stripe's libraries use the same limit for the
/// past.
pub const TOLERANCE_SECONDS: i64 = 300;
/// A header has one time, and one signature per live secret and scheme; this is far more.
const MAX_HEADER_BYTES: usize = 4_096;
const MAX_SIGNATURES: usize = 32;
const SIGNATURE_BYTES: usize = 32;

/// Verifies deliveries against one or more secrets.
#[derive(Debug)]
pub struct SignatureVerifier {
    secrets: Vec<SecretString>,
}

/// No usable secret: every delivery would have to be rejected or, worse, accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret must not be empty")]
pub struct EmptySecret;

/// A header with a valid form and time; its signatures are not verified yet.
#[derive(Debug)]
pub struct Header<'h> {
    timestamp: &'h str,
    signatures: Vec<[u8; SIGNATURE_BYTES]>,
}

impl SignatureVerifier {
    /// Creates a verifier for the given secrets.
    ///
    /// # Errors
    /// When the list is empty, or a secret is blank.
    pub fn new(secrets: Vec<SecretString>) -> Result<Self, EmptySecret> {
        if secrets.is_empty() || secrets.iter().any(|secret| secret.expose_secret().trim().is_empty()) {
            return Err(EmptySecret);
        }
        Ok(Self { secrets })
    }

    /// Checks the header's form and time, before any body is read.
    ///
    /// # Errors
    /// [`WebhookError::Signature`] or [`WebhookError::Untimely`].
    pub fn check_header(header: Option<&str>, now_ms: i64) -> Result<Header<'_>, WebhookError> {
        let header = well_formed(header)?;
        let timestamp: i64 = header.timestamp.parse().map_err(|_| MALFORMED)?;
        let ahead_seconds = timestamp.saturating_sub(now_ms.div_euclid(1_000));
        if ahead_seconds.saturating_abs() <= TOLERANCE_SECONDS {
            return Ok(header);
        }
        Err(WebhookError::Untimely { ahead_seconds, tolerance_seconds: TOLERANCE_SECONDS })
    }

    /// Verifies the signature over the raw body. Any of the header's signatures may match any of the secrets.
    ///
    /// # Errors
    /// [`WebhookError::Signature`] or [`WebhookError::Untimely`].
    pub fn verify(&self, header: Option<&str>, body: &[u8], now_ms: i64) -> Result<(), WebhookError> {
        self.compare(&Self::check_header(header, now_ms)?, body)
    }

    /// Like [`Self::verify`], but ignores the signature's time: the body is authentic, but may be old.
    ///
    /// # Errors
    /// [`WebhookError::Signature`].
    pub fn verify_untimely(&self, header: Option<&str>, body: &[u8]) -> Result<(), WebhookError> {
        self.compare(&well_formed(header)?, body)
    }

    fn compare(&self, header: &Header<'_>, body: &[u8]) -> Result<(), WebhookError> {
        let mut matches = Choice::from(0);
        for secret in &self.secrets {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
                .map_err(|_| WebhookError::Signature("the webhook secret cannot be used as a key"))?;
            mac.update(header.timestamp.as_bytes());
            mac.update(b".");
            mac.update(body);
            let expected: [u8; SIGNATURE_BYTES] = mac.finalize().into_bytes().into();
            // All signatures are compared in constant time, so that timing reveals nothing.
            for signature in &header.signatures {
                matches |= expected.ct_eq(signature);
            }
        }
        if matches.into() {
            Ok(())
        } else {
            Err(WebhookError::Signature("the signature does not match; is this the endpoint's signing secret?"))
        }
    }
}

const MALFORMED: WebhookError = WebhookError::Signature("the Stripe-Signature header is malformed");

fn well_formed(header: Option<&str>) -> Result<Header<'_>, WebhookError> {
    parse(header.ok_or(WebhookError::Signature("the Stripe-Signature header is missing"))?).ok_or(MALFORMED)
}

/// Parses `t` and every `v1`. Unknown keys and schemes are ignored, as Stripe requires, to prevent downgrades.
fn parse(header: &str) -> Option<Header<'_>> {
    if header.len() > MAX_HEADER_BYTES {
        return None;
    }
    let (mut timestamp, mut signatures) = (None, Vec::new());
    for item in header.split(',') {
        match item.trim().split_once('=')? {
            // With two times it would be unclear which one was signed.
            ("t", _) if timestamp.is_some() => return None,
            ("t", value) => timestamp = Some(value),
            ("v1", value) => {
                let mut signature = [0_u8; SIGNATURE_BYTES];
                // Skip malformed signatures; another may still match.
                if hex::decode_to_slice(value, &mut signature).is_ok() {
                    signatures.push(signature);
                }
            }
            _ => {}
        }
    }
    let timestamp = timestamp.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let bounded = (1..=MAX_SIGNATURES).contains(&signatures.len());
    bounded.then_some(Header { timestamp, signatures })
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
