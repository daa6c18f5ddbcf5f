//! The life of a key set: fetched, rotated, unavailable, slow, wrong. Each test has its own small server, and moves the
//! clock by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod documents;
mod server;

use std::error::Error as _;
use std::sync::Arc;

use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Value, json};

use self::server::{Answer, Server};
use super::super::jwt::testing::*;
use super::*;
use crate::config::jwt::{JwtKey, JwtSettings};
use crate::http::auth::jwt::{TokenVerifier, VerifiedToken};
use crate::http::auth::verification::TokenError;

const MINUTE_MS: i64 = 60 * 1000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// A public key in the form of a key set.
fn jwk(pem: &str, changes: &Value) -> Value {
    let read = [DecodingKey::from_rsa_pem, DecodingKey::from_ec_pem, DecodingKey::from_ed_pem];
    let key = read.into_iter().find_map(|read| read(pem.as_bytes()).ok()).unwrap();
    let mut jwk = serde_json::to_value(jsonwebtoken::jwk::Jwk::from_decoding_key(&key, None).unwrap()).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk
}

fn key_set(keys: &[Value]) -> Answer {
    Answer::ok(json!({ "keys": keys }).to_string())
}

fn key_a() -> Value {
    jwk(RSA_A_PUBLIC, &json!({"kid": "a", "use": "sig", "alg": "RS256"}))
}

fn key_b() -> Value {
    jwk(RSA_B_PUBLIC, &json!({"kid": "b"}))
}

fn token(kid: &str, pem: &str) -> String {
    let header = json!({"alg": "RS256", "kid": kid});
    sign(&header, &claims_for_a_week(), Algorithm::RS256, &private_key(Algorithm::RS256, pem))
}

fn claims_for_a_week() -> Value {
    let mut claims = claims();
    claims["exp"] = json!(NOW + 7 * 86_400);
    claims
}

fn verifier_at(url: &str, algorithms: &[Algorithm], clock: &Arc<TestClock>) -> TokenVerifier {
    verifier_with(vec![JwtKey::Jwks { url: url.parse().unwrap() }], algorithms, clock)
}

fn verifier_with(keys: Vec<JwtKey>, algorithms: &[Algorithm], clock: &Arc<TestClock>) -> TokenVerifier {
    let settings = JwtSettings {
        keys,
        algorithms: algorithms.to_vec(),
        issuers: vec!["https://issuer.example".to_owned()],
        authorized_parties: vec![],
        audience: vec!["topup".to_owned()],
        account_claim: "sub".to_owned(),
        admin_scope: None,
        admin_claim: "scope".to_owned(),
    };
    TokenVerifier::new(settings, clock.clone()).unwrap_or_else(|error| panic!("{error:?}"))
}

fn verifier(server: &Server, clock: &Arc<TestClock>) -> TokenVerifier {
    verifier_at(&server.url(), &[Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA], clock)
}

#[track_caller]
fn assert_unknown_key(result: Result<VerifiedToken, TokenError>) {
    match result {
        Err(TokenError::UnknownKey) => {}
        other => panic!("{other:?}"),
    }
}

/// The cause of the 503.
#[track_caller]
fn cause(result: Result<VerifiedToken, TokenError>) -> Arc<KeySetError> {
    match result {
        Err(error @ TokenError::KeySetUnavailable { .. }) if error.is_unavailable() => {
            assert!(error.source().is_some());
            let TokenError::KeySetUnavailable { source } = error else { unreachable!() };
            source
        }
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn the_set_is_fetched_once_and_used_for_ten_minutes() {
    let server = Server::start(key_set(&[key_a()]));
    let clock = TestClock::new();
    let verifier = verifier(&server, &clock);
    assert_eq!(server.requests(), 0);
    for _ in 0..3 {
        assert_eq!(verifier.verify(&token("a", RSA_A)).await.unwrap().account.as_str(), "customer_1");
    }
    clock.advance_ms(YOUNG_MS - 1);
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    assert_eq!(server.requests(), 1);
    clock.advance_ms(10 * MINUTE_MS - YOUNG_MS + 1);
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    assert_eq!(server.requests(), 2);
}

#[actix_web::test]
async fn a_new_key_is_accepted_after_one_refresh_and_an_old_one_refused() {
    let server = Server::start(key_set(&[key_a()]));
    let verifier = verifier(&server, &TestClock::new());
    verifier.verify(&token("a", RSA_A)).await.unwrap();

    server.answer(key_set(&[key_b()]));
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    verifier.verify(&token("b", RSA_B)).await.unwrap();
    assert_eq!(server.requests(), 2);
    assert_unknown_key(verifier.verify(&token("a", RSA_A)).await);
    assert_eq!(server.requests(), 2);
}

#[actix_web::test]
async fn a_revoked_key_is_refused_when_the_set_has_become_old() {
    let server = Server::start(key_set(&[key_a(), key_b()]));
    let clock = TestClock::new();
    let verifier = verifier(&server, &clock);
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    server.answer(key_set(&[key_b()]));
    clock.advance_ms(10 * MINUTE_MS);
    assert_unknown_key(verifier.verify(&token("a", RSA_A)).await);
    assert_eq!(server.requests(), 2, "a set fetched just now is not fetched again for an unknown key");
}

#[actix_web::test]
async fn unknown_keys_cause_at_most_one_fetch_a_minute() {
    let server = Server::start(key_set(&[key_a()]));
    let clock = TestClock::new();
    let verifier = verifier(&server, &clock);
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    for round in 1..=3 {
        for kid in ["x", "y", "z", ""] {
            assert_unknown_key(verifier.verify(&token(kid, RSA_B)).await);
        }
        assert_eq!(server.requests(), 1 + round);
        clock.advance_ms(MINUTE_MS - 1);
        assert_unknown_key(verifier.verify(&token("x", RSA_B)).await);
        assert_eq!(server.requests(), 1 + round);
        clock.advance_ms(1);
    }
    verifier.verify(&token("a", RSA_A)).await.unwrap();
}

#[actix_web::test]
async fn unknown_keys_cause_at_most_one_fetch_a_minute_even_if_it_fails() {
    let server = Server::start(key_set(&[key_a()]));
    let clock = TestClock::new();
    let verifier = verifier(&server, &clock);
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    server.answer(Answer::status(500));
    for _ in 0..3 {
        assert_unknown_key(verifier.verify(&token("x", RSA_B)).await);
        clock.advance_ms(10_000);
    }
    assert_eq!(server.requests(), 2);
    verifier.verify(&token("a", RSA_A)).await.unwrap();
}

#[actix_web::test]
async fn a_token_that_cannot_be_right_causes_no_fetch() {
    let server = Server::start(key_set(&[key_a()]));
    let verifier = verifier(&server, &TestClock::new());
    let secret = jsonwebtoken::EncodingKey::from_secret(RSA_A_PUBLIC.as_bytes());
    for alg in ["none", "HS256", "PS256"] {
        let token = sign(&json!({"alg": alg, "kid": "a"}), &claims(), Algorithm::HS256, &secret);
        assert!(matches!(verifier.verify(&token).await, Err(TokenError::AlgorithmNotAllowed)));
    }
    assert!(matches!(verifier.verify("rubbish").await, Err(TokenError::Malformed { .. })));
    assert_eq!(server.requests(), 0);
}

#[actix_web::test]
async fn a_token_for_the_shared_secret_beside_a_key_set_causes_no_fetch() {
    let server = Server::start(key_set(&[key_a()]));
    let secret = "3f9c1b7ad2e84c5f9a06e1d47b28c3f5";
    let keys = vec![JwtKey::Secret(secret.into()), JwtKey::Jwks { url: server.url().parse().unwrap() }];
    let verifier = verifier_with(keys, &[Algorithm::HS256, Algorithm::RS256], &TestClock::new());
    let hs256 = |secret: &str| {
        let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        sign(&json!({"alg": "HS256", "kid": "a"}), &claims(), Algorithm::HS256, &key)
    };
    verifier.verify(&hs256(secret)).await.unwrap();
    assert!(matches!(verifier.verify(&hs256("another")).await, Err(TokenError::BadSignature)));
    assert_eq!(server.requests(), 0);
    verifier.verify(&token("a", RSA_A)).await.unwrap();
}

#[actix_web::test]
async fn concurrent_tokens_share_one_fetch() {
    let server = Server::start(key_set(&[key_a()]));
    let verifier = verifier(&server, &TestClock::new());
    let tokens = [token("a", RSA_A), token("x", RSA_B)];
    let results = join_all((0..40).map(|index| verifier.verify(&tokens[index % 2]))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 20);
    assert_eq!(server.requests(), 1);

    server.answer(key_set(&[key_a(), key_b()]));
    let new = token("b", RSA_B);
    let results = join_all((0..40).map(|_| verifier.verify(&new))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(server.requests(), 2);
}

#[actix_web::test]
async fn concurrent_tokens_share_one_failure() {
    let server = Server::start(Answer::status(500));
    let verifier = verifier(&server, &TestClock::new());
    let good = token("a", RSA_A);
    let results = join_all((0..40).map(|_| verifier.verify(&good))).await;
    assert!(results.iter().all(|result| result.as_ref().is_err_and(TokenError::is_unavailable)));
    assert_eq!(server.requests(), 1);
}

#[actix_web::test]
async fn a_caller_that_goes_away_does_not_stop_the_fetch() {
    let server = Server::start(key_set(&[key_a()]).held());
    let clock = TestClock::new();
    let verifier = Arc::new(verifier(&server, &clock));
    let caller = {
        let verifier = Arc::clone(&verifier);
        tokio::spawn(async move { verifier.verify(&token("a", RSA_A)).await })
    };
    server.wait_for_requests(1).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    server.release();
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    assert_eq!(server.requests(), 1);
}

#[actix_web::test]
async fn a_set_is_fetched_anew_in_the_background_before_it_is_old() {
    let server = Server::start(key_set(&[key_a()]));
    let clock = TestClock::new();
    let verifier = verifier(&server, &clock);
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    clock.advance_ms(YOUNG_MS);
    server.answer(key_set(&[key_a(), key_b()]).held());
    for _ in 0..3 {
        verifier.verify(&token("a", RSA_A)).await.unwrap();
    }
    server.wait_for_requests(2).await;
    server.release();
    while verifier.verify(&token("b", RSA_B)).await.is_err() {
        tokio::task::yield_now().await;
    }
    clock.advance_ms(YOUNG_MS - 1);
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    assert!(server.requests() <= 3, "one in the background, and at most one for the key that was not known");
}

#[actix_web::test]
async fn while_an_old_set_is_fetched_anew_others_do_not_wait() {
    let server = Server::start(key_set(&[key_a()]));
    let clock = TestClock::new();
    let verifier = Arc::new(verifier(&server, &clock));
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    clock.advance_ms(10 * MINUTE_MS);
    server.answer(key_set(&[key_a()]).held());
    let waiting = {
        let verifier = Arc::clone(&verifier);
        tokio::spawn(async move { verifier.verify(&token("a", RSA_A)).await })
    };
    server.wait_for_requests(2).await;
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    assert!(!waiting.is_finished());
    server.release();
    waiting.await.unwrap().unwrap();
    assert_eq!(server.requests(), 2);
}

#[actix_web::test]
async fn without_any_set_the_answer_is_unavailable_until_it_can_be_fetched() {
    let server = Server::start(Answer::status(503));
    let clock = TestClock::new();
    let verifier = verifier(&server, &clock);
    let good = token("a", RSA_A);
    assert!(matches!(&*cause(verifier.verify(&good).await), KeySetError::Status { status: 503 }));
    server.answer(key_set(&[key_a()]));
    clock.advance_ms(RETRY_INTERVAL_MS - 1);
    cause(verifier.verify(&good).await);
    assert_eq!(server.requests(), 1, "not asked again at once");
    clock.advance_ms(1);
    verifier.verify(&good).await.unwrap();
    assert_eq!(server.requests(), 2);
}

#[actix_web::test]
async fn an_issuer_that_cannot_be_reached_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/jwks-of-tenant-7", listener.local_addr().unwrap());
    drop(listener);
    let verifier = verifier_at(&url, &[Algorithm::RS256], &TestClock::new());
    let cause = cause(verifier.verify(&token("a", RSA_A)).await);
    assert!(matches!(&*cause, KeySetError::Request(_)));
    assert!(!format!("{cause} {cause:?} {}", cause.source().unwrap()).contains("tenant-7"));
}

#[actix_web::test]
async fn when_the_issuer_goes_down_the_last_set_serves_for_a_day() {
    let server = Server::start(key_set(&[key_a()]));
    let clock = TestClock::new();
    let verifier = verifier(&server, &clock);
    let good = token("a", RSA_A);
    verifier.verify(&good).await.unwrap();
    server.answer(Answer::status(500));
    clock.advance_ms(10 * MINUTE_MS);
    verifier.verify(&good).await.unwrap();
    verifier.verify(&good).await.unwrap();
    assert_eq!(server.requests(), 2, "a failed fetch is not repeated for each token");
    clock.advance_ms(DAY_MS - 10 * MINUTE_MS - 1);
    verifier.verify(&good).await.unwrap();
    clock.advance_ms(RETRY_INTERVAL_MS);
    assert!(matches!(&*cause(verifier.verify(&good).await), KeySetError::Status { status: 500 }));
    server.answer(key_set(&[key_a()]));
    clock.advance_ms(RETRY_INTERVAL_MS);
    verifier.verify(&good).await.unwrap();
}

#[actix_web::test]
async fn a_clock_that_is_set_back_does_not_keep_a_set_for_longer() {
    let server = Server::start(key_set(&[key_a()]));
    let clock = TestClock::new();
    let verifier = verifier(&server, &clock);
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    clock.advance_ms(-DAY_MS);
    server.answer(key_set(&[key_b()]));
    assert_unknown_key(verifier.verify(&token("a", RSA_A)).await);
}

#[actix_web::test]
async fn a_failure_is_forgotten_when_a_later_fetch_succeeds() {
    let server = Server::start(Answer::status(500));
    let clock = TestClock::new();
    let verifier = verifier(&server, &clock);
    cause(verifier.verify(&token("a", RSA_A)).await);
    server.answer(key_set(&[key_a()]));
    clock.advance_ms(RETRY_INTERVAL_MS);
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    clock.advance_ms(1 - RETRY_INTERVAL_MS);
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    assert_eq!(server.requests(), 3, "the clock was set back, so the set counts as old");
}
