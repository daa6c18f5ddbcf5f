//! What an issuer may send, and which of its keys are used.

use std::time::Duration;

use super::*;

async fn verify_one(answer: Answer, token: &str) -> Result<VerifiedToken, TokenError> {
    let server = Server::start(answer);
    verifier(&server, &TestClock::new()).verify(token).await
}

/// A set of exactly this many bytes.
fn padded_set(bytes: usize) -> Answer {
    let empty = json!({"keys": [key_a()], "padding": ""}).to_string().len();
    Answer::ok(json!({"keys": [key_a()], "padding": "x".repeat(bytes - empty)}).to_string())
}

#[actix_web::test]
async fn a_redirect_is_not_followed() {
    let server = Server::start(Answer::redirect("/elsewhere"));
    let result = verifier(&server, &TestClock::new()).verify(&token("a", RSA_A)).await;
    assert!(matches!(&*cause(result), KeySetError::Status { status: 302 }));
    assert_eq!(server.paths(), ["/jwks.json"]);
}

#[actix_web::test]
async fn a_set_of_the_largest_size_is_read() {
    verify_one(padded_set(256 * 1024), &token("a", RSA_A)).await.unwrap();
    verify_one(padded_set(256 * 1024).streamed(), &token("a", RSA_A)).await.unwrap();
}

#[actix_web::test]
async fn an_oversize_set_is_refused() {
    for answer in [padded_set(256 * 1024 + 1), padded_set(256 * 1024 + 1).streamed()] {
        let result = verify_one(answer, &token("a", RSA_A)).await;
        assert!(matches!(&*cause(result), KeySetError::TooLarge { limit_bytes: 262_144 }));
    }
}

#[actix_web::test]
async fn an_issuer_that_does_not_answer_is_given_up() {
    let server = Server::start(key_set(&[key_a()]).held());
    let limits = FetchLimits { total_timeout: Duration::from_millis(100), ..FetchLimits::default() };
    let fetcher = Fetcher::new(server.url().parse().unwrap(), &limits).unwrap();
    let result = tokio::time::timeout(server::PATIENCE, fetcher.fetch()).await.unwrap();
    assert!(matches!(result, Err(KeySetError::Request(error)) if error.is_timeout()));
}

#[test]
fn the_limits_of_a_fetch_are_those_promised() {
    let limits = FetchLimits::default();
    assert_eq!(limits.connect_timeout, Duration::from_secs(3));
    assert_eq!(limits.total_timeout, Duration::from_secs(5));
}

#[actix_web::test]
async fn an_https_address_is_never_asked_without_tls() {
    let server = Server::start(key_set(&[key_a()]));
    let url = server.url().replace("http:", "https:");
    let result = verifier_at(&url, &[Algorithm::RS256], &TestClock::new()).verify(&token("a", RSA_A)).await;
    assert!(matches!(&*cause(result), KeySetError::Request(_)));
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_proxy_in_the_environment_is_not_used() {
    // The environment belongs to the process, so this runs another test in its own process, with a dead proxy.
    let other = "http::auth::jwks::tests::the_set_is_fetched_once_and_used_for_ten_minutes";
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", other]).env_remove("NO_PROXY").env_remove("no_proxy");
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, "http://127.0.0.1:1");
    }
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[actix_web::test]
async fn what_is_no_key_set_is_unavailable() {
    for body in ["", "<html>", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":null}"#] {
        let result = verify_one(Answer::ok(body.to_owned()), &token("a", RSA_A)).await;
        assert!(matches!(&*cause(result), KeySetError::NotAKeySet(_)), "{body}");
    }
}

#[actix_web::test]
async fn a_set_of_more_than_a_hundred_keys_is_refused() {
    let keys = |number: usize| (1..number).map(|_| json!({})).chain([key_a()]).collect::<Vec<_>>();
    verify_one(key_set(&keys(100)), &token("a", RSA_A)).await.unwrap();
    let result = verify_one(key_set(&keys(101)), &token("a", RSA_A)).await;
    assert!(matches!(&*cause(result), KeySetError::TooManyKeys { limit: 100 }));
}

#[actix_web::test]
async fn an_empty_set_means_that_no_key_is_known() {
    assert_unknown_key(verify_one(key_set(&[]), &token("a", RSA_A)).await);
}

#[actix_web::test]
async fn a_symmetric_key_is_ignored() {
    let secret = "3f9c1b7ad2e84c5f9a06e1d47b28c3f5";
    let oct = json!({"kty": "oct", "kid": "s", "use": "sig", "alg": "HS256", "k": base64url(secret.as_bytes())});
    let forged = |kid: &str| {
        let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        sign(&json!({"alg": "HS256", "kid": kid}), &claims(), Algorithm::HS256, &key)
    };
    // Even if HMAC were allowed.
    for allowed in [&[Algorithm::RS256][..], &[Algorithm::RS256, Algorithm::HS256]] {
        let set = json!({"keys": [oct, key_a()]}).to_string();
        let set = KeySet::read(set.as_bytes(), allowed).unwrap();
        assert!(matches!(set.find(Algorithm::HS256, Some("s")), Lookup::UnknownKeyId));
        assert!(matches!(set.find(Algorithm::HS256, Some("a")), Lookup::OtherAlgorithm));
        assert!(matches!(set.find(Algorithm::HS256, None), Lookup::NoKey));
    }
    for kid in ["s", "a"] {
        let result = verify_one(key_set(&[oct.clone(), key_a()]), &forged(kid)).await;
        assert!(matches!(result, Err(TokenError::AlgorithmNotAllowed)), "{result:?}");
    }
}

#[actix_web::test]
async fn keys_of_every_public_kind_are_used() {
    let set = json!({"keys": [
        key_a(),
        jwk(P256_PUBLIC, &json!({"kid": "p256"})),
        jwk(P384_PUBLIC, &json!({"kid": "p384"})),
        jwk(ED25519_PUBLIC, &json!({"kid": "ed", "key_ops": ["verify"]})),
    ]});
    let server = Server::start(Answer::ok(set.to_string()));
    let allowed = [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];
    let verifier = verifier_at(&server.url(), &allowed, &TestClock::new());
    let cases = [
        ("a", Algorithm::RS256, RSA_A),
        ("p256", Algorithm::ES256, P256),
        ("p384", Algorithm::ES384, P384),
        ("ed", Algorithm::EdDSA, ED25519),
    ];
    for (kid, algorithm, pem) in cases {
        let header = json!({"alg": format!("{algorithm:?}"), "kid": kid});
        verifier.verify(&sign(&header, &claims(), algorithm, &private_key(algorithm, pem))).await.unwrap();
        for (other, ..) in cases.iter().filter(|(other, ..)| *other != kid) {
            let header = json!({"alg": format!("{algorithm:?}"), "kid": other});
            let token = sign(&header, &claims(), algorithm, &private_key(algorithm, pem));
            let result = verifier.verify(&token).await;
            assert!(matches!(result, Err(TokenError::AlgorithmNotAllowed)), "{result:?}");
        }
    }
    assert_eq!(server.requests(), 1);
}

#[test]
fn keys_that_are_weak_broken_or_for_something_else_are_passed_over() {
    let rsa = |changes: Value| jwk(RSA_B_PUBLIC, &changes);
    let ed = |changes: Value| jwk(ED25519_PUBLIC, &changes);
    let p256 = |changes: Value| jwk(P256_PUBLIC, &changes);
    let unusable = [
        rsa(json!({"use": "enc"})),
        rsa(json!({"use": 1})),
        rsa(json!({"key_ops": ["encrypt"]})),
        rsa(json!({"key_ops": []})),
        rsa(json!({"alg": "RS512"})),
        rsa(json!({"alg": "HS256"})),
        rsa(json!({"alg": "RSA-OAEP"})),
        rsa(json!({"alg": "none"})),
        rsa(json!({"kty": "oct"})),
        rsa(json!({"kty": "rsa"})),
        rsa(json!({"n": ""})),
        rsa(json!({"n": null})),
        rsa(json!({"n": "not base64url!"})),
        rsa(json!({"n": base64url(&[0xff; 513])})),
        rsa(json!({"n": base64url(&[&[0; 128][..], &[0xff; 128]].concat())})),
        rsa(json!({"n": base64url(&[0xfe; 256])})),
        rsa(json!({"n": base64url(&[&[0x7f][..], &[0xff; 255]].concat())})),
        rsa(json!({"e": base64url(&[1])})),
        rsa(json!({"e": base64url(&[0, 1])})),
        rsa(json!({"e": base64url(&[2])})),
        rsa(json!({"e": base64url(&[0])})),
        rsa(json!({"e": base64url(&[5, 0, 0, 0, 1])})),
        jwk(RSA_1024_PUBLIC, &json!({})),
        p256(json!({"crv": "P-384"})),
        p256(json!({"crv": "P-521"})),
        p256(json!({"crv": "secp256k1"})),
        p256(json!({"x": base64url(&[1; 31])})),
        p256(json!({"y": base64url(&[1; 33])})),
        p256(json!({"y": null})),
        // A point that is not on its curve.
        p256(json!({"y": base64url(&[1; 32])})),
        p256(json!({"crv": "Ed25519"})),
        ed(json!({"crv": "X25519"})),
        ed(json!({"crv": "Ed448"})),
        ed(json!({"crv": "P-256"})),
        ed(json!({"x": base64url(&[1; 31])})),
        ed(json!({"x": base64url(&[1; 33])})),
        ed(json!({"x": ""})),
        json!(null),
        json!("key"),
        json!({}),
    ];
    let allowed = [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];
    for key in unusable {
        let set = KeySet::read(json!({ "keys": [key] }).to_string().as_bytes(), &allowed).unwrap();
        assert!(set.is_empty(), "{key}");
    }
}

/// A signature of zeros that contains the key's own point is valid for some messages under a key of small order.
#[actix_web::test]
async fn an_ed25519_key_of_small_order_is_passed_over() {
    let neutral = {
        let mut point = [0; 32];
        point[0] = 1;
        point
    };
    let order_two = {
        let mut point = [0xff; 32];
        point[0] = 0xec;
        point[31] = 0x7f;
        point
    };
    let neutral_in_another_form = {
        let mut point = [0xff; 32];
        point[0] = 0xee;
        point[31] = 0x7f;
        point
    };
    for point in [neutral, [0; 32], order_two, neutral_in_another_form] {
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(&point), "kid": "weak"});
        let set = KeySet::read(json!({ "keys": [key] }).to_string().as_bytes(), &[Algorithm::EdDSA]).unwrap();
        assert!(set.is_empty(), "{point:?}");
    }
    let sound = jwk(ED25519_PUBLIC, &json!({"kid": "ed", "alg": "Ed25519"}));
    let set = KeySet::read(json!({ "keys": [sound] }).to_string().as_bytes(), &[Algorithm::EdDSA]).unwrap();
    assert!(!set.is_empty(), "and Ed25519 is a name of EdDSA");
}

#[actix_web::test]
async fn one_odd_key_does_not_take_the_others_away() {
    let odd = json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "ed"});
    let server = Server::start(key_set(&[odd, json!(7), key_a()]));
    let verifier = verifier(&server, &TestClock::new());
    verifier.verify(&token("a", RSA_A)).await.unwrap();
    let header = json!({"alg": "EdDSA", "kid": "ed"});
    let key = private_key(Algorithm::EdDSA, ED25519);
    assert_unknown_key(verifier.verify(&sign(&header, &claims(), Algorithm::EdDSA, &key)).await);
}

#[actix_web::test]
async fn the_key_that_the_token_names_is_the_only_one_tried() {
    let result = verify_one(key_set(&[key_a(), key_b()]), &token("a", RSA_B)).await;
    assert!(matches!(result, Err(TokenError::BadSignature)), "{result:?}");
}

#[actix_web::test]
async fn a_token_without_key_id_may_be_signed_by_any_key_that_fits() {
    let unnamed =
        |pem| sign(&json!({"alg": "RS256"}), &claims(), Algorithm::RS256, &private_key(Algorithm::RS256, pem));
    let p256 = jwk(P256_PUBLIC, &json!({"kid": "p"}));
    verify_one(key_set(&[p256.clone(), key_a()]), &unnamed(RSA_A)).await.unwrap();
    verify_one(key_set(&[key_b(), key_a()]), &unnamed(RSA_A)).await.unwrap();
    let foreign = verify_one(key_set(&[key_b()]), &unnamed(RSA_A)).await;
    assert!(matches!(foreign, Err(TokenError::BadSignature)), "{foreign:?}");
    let many: Vec<Value> = std::iter::repeat_n(key_b(), 8).chain([key_a()]).collect();
    assert!(verify_one(key_set(&many), &unnamed(RSA_A)).await.is_err(), "no more than eight are tried");
    assert_unknown_key(verify_one(key_set(&[p256]), &unnamed(RSA_A)).await);
}

#[actix_web::test]
async fn keys_that_share_an_id_are_tried_one_after_the_other() {
    let twin = jwk(RSA_B_PUBLIC, &json!({"kid": "a"}));
    for pem in [RSA_A, RSA_B] {
        verify_one(key_set(&[key_a(), twin.clone()]), &token("a", pem)).await.unwrap();
    }
    // RFC 7517, section 4.5: keys of different types may share one.
    let other_type = jwk(P256_PUBLIC, &json!({"kid": "a"}));
    verify_one(key_set(&[other_type, key_a()]), &token("a", RSA_A)).await.unwrap();
}

#[actix_web::test]
async fn a_key_without_id_may_be_the_one_that_a_token_names() {
    let unnamed = jwk(RSA_A_PUBLIC, &json!({}));
    verify_one(key_set(&[key_b(), unnamed.clone()]), &token("a", RSA_A)).await.unwrap();
    let forged = verify_one(key_set(&[unnamed]), &token("a", RSA_B)).await;
    assert!(matches!(forged, Err(TokenError::BadSignature)), "{forged:?}");
}
