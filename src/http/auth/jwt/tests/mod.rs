//! Tokens that must be refused, each for its own reason, and the few that must be accepted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod attacks;
mod claim_rules;

use jsonwebtoken::EncodingKey;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::testing::*;
use super::*;
use crate::domain::account::AccountId;

const SECRET: &str = "3f9c1b7ad2e84c5f9a06e1d47b28c3f5";
const ISSUER: &str = "https://issuer.example";

fn settings(key: JwtKey) -> JwtSettings {
    JwtSettings {
        algorithms: key.algorithms().to_vec(),
        keys: vec![key],
        issuers: vec![ISSUER.to_owned()],
        authorized_parties: vec![],
        audience: vec!["topup".to_owned(), "topup-staging".to_owned()],
        account_claim: "sub".to_owned(),
        admin_scope: Some("admin".to_owned()),
        admin_claim: "scope".to_owned(),
    }
}

fn secret_settings() -> JwtSettings {
    settings(JwtKey::Secret(SecretString::from(SECRET)))
}

fn pem_settings(pem: &str, kind: PublicKeyKind) -> JwtSettings {
    settings(JwtKey::PublicKeyPem { pem: pem.to_owned(), kind })
}

fn verifier(settings: JwtSettings) -> TokenVerifier {
    TokenVerifier::new(settings, TestClock::new()).unwrap_or_else(|error| panic!("{error:?}"))
}

fn secret_key() -> EncodingKey {
    EncodingKey::from_secret(SECRET.as_bytes())
}

fn hs256(claims: &Value) -> String {
    sign(&json!({"alg": "HS256", "typ": "JWT"}), claims, Algorithm::HS256, &secret_key())
}

/// The valid claims with some of them replaced; `null` removes one.
fn claims_with(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
    }
    claims
}

async fn verify_claims(changes: &Value) -> Result<VerifiedToken, TokenError> {
    verifier(secret_settings()).verify(&hs256(&claims_with(changes))).await
}

macro_rules! assert_refused {
    ($result:expr, $error:pat $(if $guard:expr)?) => {{
        let result = $result;
        assert!(matches!(&result, Err($error) $(if $guard)?), "{result:?}");
        assert!(!result.unwrap_err().is_unavailable());
    }};
}
use assert_refused;

#[actix_web::test]
async fn a_token_of_each_algorithm_is_accepted() {
    let rsa = || pem_settings(RSA_A_PUBLIC, PublicKeyKind::Rsa);
    let cases = [
        (secret_settings(), Algorithm::HS256, ""),
        (secret_settings(), Algorithm::HS384, ""),
        (secret_settings(), Algorithm::HS512, ""),
        (rsa(), Algorithm::RS256, RSA_A),
        (rsa(), Algorithm::RS384, RSA_A),
        (rsa(), Algorithm::RS512, RSA_A),
        (rsa(), Algorithm::PS256, RSA_A),
        (rsa(), Algorithm::PS384, RSA_A),
        (rsa(), Algorithm::PS512, RSA_A),
        (pem_settings(P256_PUBLIC, PublicKeyKind::EcP256), Algorithm::ES256, P256),
        (pem_settings(P384_PUBLIC, PublicKeyKind::EcP384), Algorithm::ES384, P384),
        (pem_settings(ED25519_PUBLIC, PublicKeyKind::Ed25519), Algorithm::EdDSA, ED25519),
    ];
    for (settings, algorithm, pem) in cases {
        let key = if pem.is_empty() { secret_key() } else { private_key(algorithm, pem) };
        let header = json!({"alg": format!("{algorithm:?}"), "kid": "of no matter"});
        let token = sign(&header, &claims(), algorithm, &key);
        let verified = verifier(settings).verify(&token).await.unwrap();
        let expected = VerifiedToken { account: AccountId::parse("customer_1").unwrap(), is_admin: false };
        assert_eq!(verified, expected, "{algorithm:?}");
    }
}

#[actix_web::test]
async fn the_clock_that_is_passed_in_decides_and_not_the_systems() {
    let clock = TestClock::new();
    let verifier = TokenVerifier::new(secret_settings(), clock.clone()).unwrap_or_else(|_| panic!());
    let token = hs256(&claims());
    verifier.verify(&token).await.unwrap();
    clock.advance_ms(2 * 3600 * 1000);
    assert_refused!(verifier.verify(&token).await, TokenError::Expired);
}

#[test]
fn no_verifier_is_made_of_an_allowlist_that_does_not_fit_its_key() {
    let rsa = || pem_settings(RSA_A_PUBLIC, PublicKeyKind::Rsa);
    let cases = [
        JwtSettings { algorithms: vec![], ..rsa() },
        JwtSettings { algorithms: vec![Algorithm::HS256], ..rsa() },
        JwtSettings { algorithms: vec![Algorithm::RS256, Algorithm::HS256], ..rsa() },
        JwtSettings { algorithms: vec![Algorithm::RS256], ..secret_settings() },
    ];
    for settings in cases {
        let error = TokenVerifier::new(settings, TestClock::new()).err().unwrap();
        assert!(matches!(error, TokenVerifierError::Algorithms));
    }
    let mistaken = pem_settings(P256_PUBLIC, PublicKeyKind::Rsa);
    let error = TokenVerifier::new(mistaken, TestClock::new()).err().unwrap();
    assert!(matches!(error, TokenVerifierError::PublicKey(_)));
}
