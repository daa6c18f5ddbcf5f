//! Forged tokens: other algorithms, other keys, changed content, headers that name their own key.

use futures_util::FutureExt;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::Jwk;
use proptest::prelude::*;

use super::*;

fn rsa_verifier() -> TokenVerifier {
    verifier(pem_settings(RSA_A_PUBLIC, PublicKeyKind::Rsa))
}

fn rs256(header: &Value) -> String {
    sign(header, &claims(), Algorithm::RS256, &private_key(Algorithm::RS256, RSA_A))
}

#[actix_web::test]
async fn alg_none_is_refused_however_it_is_spelled() {
    for none in ["none", "None", "NONE", "nOnE", "none ", ""] {
        let signed = sign(&json!({"alg": none}), &claims(), Algorithm::HS256, &secret_key());
        let message = signed.rsplit_once('.').unwrap().0;
        for verifier in [verifier(secret_settings()), rsa_verifier()] {
            assert_refused!(verifier.verify(&signed).await, TokenError::AlgorithmNotAllowed);
            assert_refused!(verifier.verify(&format!("{message}.AAAA")).await, TokenError::AlgorithmNotAllowed);
            assert_refused!(verifier.verify(&format!("{message}.")).await, TokenError::Malformed { .. });
            assert_refused!(verifier.verify(message).await, TokenError::Malformed { .. });
        }
    }
}

#[actix_web::test]
async fn an_algorithm_that_is_not_on_the_allowlist_is_refused() {
    let only = |algorithm| JwtSettings { algorithms: vec![algorithm], ..secret_settings() };
    let token = hs256(&claims());
    verifier(only(Algorithm::HS256)).verify(&token).await.unwrap();
    assert_refused!(verifier(only(Algorithm::HS512)).verify(&token).await, TokenError::AlgorithmNotAllowed);
    for unknown in ["HS1", "hs256", "RS1", "ES256K", "dir"] {
        let token = sign(&json!({"alg": unknown}), &claims(), Algorithm::HS256, &secret_key());
        assert_refused!(verifier(only(Algorithm::HS256)).verify(&token).await, TokenError::AlgorithmNotAllowed);
    }
}

#[actix_web::test]
async fn a_public_key_is_never_an_hmac_secret() {
    let der = DecodingKey::from_rsa_pem(RSA_A_PUBLIC.as_bytes()).unwrap();
    let texts: [&[u8]; 4] = [
        RSA_A_PUBLIC.as_bytes(),
        RSA_A_PUBLIC.trim().as_bytes(),
        RSA_A_PUBLIC.split_once('\n').unwrap().1.as_bytes(),
        der.try_get_as_bytes().unwrap(),
    ];
    for text in texts {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let header = json!({"alg": format!("{algorithm:?}")});
            let token = sign(&header, &claims(), algorithm, &EncodingKey::from_secret(text));
            assert_refused!(rsa_verifier().verify(&token).await, TokenError::AlgorithmNotAllowed);
            // The same with a header that claims the allowed algorithm.
            let token = sign(&json!({"alg": "RS256"}), &claims(), algorithm, &EncodingKey::from_secret(text));
            assert_refused!(rsa_verifier().verify(&token).await, TokenError::BadSignature);
        }
    }
}

#[test]
fn even_with_hmac_allowed_by_mistake_a_public_key_is_no_secret() {
    // With both earlier guards removed, only the key's own family is left.
    let key = VerificationKey {
        key: DecodingKey::from_rsa_pem(RSA_A_PUBLIC.as_bytes()).unwrap(),
        algorithms: vec![Algorithm::HS256],
    };
    let der = key.key.try_get_as_bytes().unwrap();
    let token = sign(&json!({"alg": "HS256"}), &claims(), Algorithm::HS256, &EncodingKey::from_secret(der));
    let signed = SignedToken::read(&token).unwrap_or_else(|_| panic!());
    assert!(matches!(signed.claims_signed_by(&key), Err(TokenError::BadSignature)));
}

#[test]
fn a_key_is_not_used_for_algorithms_that_are_not_its_own() {
    let key = VerificationKey {
        key: DecodingKey::from_rsa_pem(RSA_A_PUBLIC.as_bytes()).unwrap(),
        algorithms: vec![Algorithm::PS256],
    };
    let token = rs256(&json!({"alg": "RS256"}));
    let signed = SignedToken::read(&token).unwrap_or_else(|_| panic!());
    assert!(matches!(signed.claims_signed_by(&key), Err(TokenError::AlgorithmNotAllowed)));
}

#[actix_web::test]
async fn another_keys_signature_is_refused() {
    let forged = sign(&json!({"alg": "RS256"}), &claims(), Algorithm::RS256, &private_key(Algorithm::RS256, RSA_B));
    assert_refused!(rsa_verifier().verify(&forged).await, TokenError::BadSignature);
    let other_secret = EncodingKey::from_secret(b"another secret of at least 32 bytes");
    let forged = sign(&json!({"alg": "HS256"}), &claims(), Algorithm::HS256, &other_secret);
    assert_refused!(verifier(secret_settings()).verify(&forged).await, TokenError::BadSignature);
}

#[actix_web::test]
async fn a_changed_body_is_refused() {
    let token = rs256(&json!({"alg": "RS256"}));
    let (message, signature) = token.rsplit_once('.').unwrap();
    let header = message.split_once('.').unwrap().0;
    let changed = base64url(claims_with(&json!({"sub": "customer_2"})).to_string().as_bytes());
    assert_refused!(rsa_verifier().verify(&format!("{header}.{changed}.{signature}")).await, TokenError::BadSignature);
}

#[actix_web::test]
async fn a_header_with_crit_is_refused() {
    for crit in [json!(["exp"]), json!(["b64"]), json!([]), json!(null), json!("exp")] {
        let token = rs256(&json!({"alg": "RS256", "crit": crit, "b64": false}));
        assert_refused!(rsa_verifier().verify(&token).await, TokenError::CriticalExtension);
    }
}

#[actix_web::test]
async fn keys_that_the_token_brings_along_are_not_used() {
    let own_key = DecodingKey::from_rsa_pem(RSA_B_PUBLIC.as_bytes()).unwrap();
    let jwk = serde_json::to_value(Jwk::from_decoding_key(&own_key, None).unwrap()).unwrap();
    let headers = [
        json!({"alg": "RS256", "jwk": jwk}),
        json!({"alg": "RS256", "jku": "http://127.0.0.1:9/jwks.json"}),
        json!({"alg": "RS256", "x5u": "http://127.0.0.1:9/x.pem", "x5c": ["AAAA"], "x5t": "AAAA"}),
    ];
    for header in headers {
        let forged = sign(&header, &claims(), Algorithm::RS256, &private_key(Algorithm::RS256, RSA_B));
        assert_refused!(rsa_verifier().verify(&forged).await, TokenError::BadSignature);
        // They are ignored, so they do not harm a token of the right key either.
        rsa_verifier().verify(&rs256(&header)).await.unwrap();
    }
    for name in ["jwk", "jku", "x5u", "x5c", "typ"] {
        let token = rs256(&json!({"alg": "RS256", name: 7}));
        assert_refused!(rsa_verifier().verify(&token).await, TokenError::Malformed { .. });
    }
}

#[actix_web::test]
async fn what_is_no_token_is_malformed() {
    let token = hs256(&claims());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let wrong = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{token}."),
        format!("{token}.{signature}"),
        format!("{token}="),
        format!("{token} "),
        format!(" {token}"),
        format!("{header}=.{payload}.{signature}"),
    ];
    for text in wrong {
        assert_refused!(verifier(secret_settings()).verify(&text).await, TokenError::Malformed { .. });
    }
}

#[actix_web::test]
async fn header_and_claims_must_be_objects_with_unique_names() {
    let claims = claims().to_string();
    let twice = claims.replacen('{', r#"{"sub":"customer_2","#, 1);
    let cases = [
        (r#"{"alg":"HS256"}"#, twice.as_str()),
        (r#"{"alg":"HS256"}"#, "[]"),
        (r#"{"alg":"HS256"}"#, "null"),
        (r#"{"alg":"HS256"}"#, "rubbish"),
        (r#"{"alg":"none","alg":"HS256"}"#, claims.as_str()),
        (r#"["HS256"]"#, claims.as_str()),
        ("{}", claims.as_str()),
        (r#"{"alg":null}"#, claims.as_str()),
        (r#"{"alg":["HS256"]}"#, claims.as_str()),
        (r#"{"alg":"HS256","kid":7}"#, claims.as_str()),
        (r#"{"alg":"HS256","kid":null}"#, claims.as_str()),
    ];
    for (header, claims) in cases {
        let token = sign_text(header, claims, Algorithm::HS256, &secret_key());
        assert_refused!(verifier(secret_settings()).verify(&token).await, TokenError::Malformed { .. });
    }
}

#[actix_web::test]
async fn an_oversize_token_is_refused_before_it_is_read() {
    let padded = |length: usize| hs256(&claims_with(&json!({"padding": "x".repeat(length)})));
    let longest = (0..8192).rev().map(padded).find(|token| token.len() <= 8192).unwrap();
    assert!(longest.len() > 8190);
    verifier(secret_settings()).verify(&longest).await.unwrap();
    let reason = "it is too long";
    assert_refused!(
        verifier(secret_settings()).verify(&padded(6200)).await,
        TokenError::Malformed { reason: found, .. } if *found == reason
    );
}

fn verify_now(verifier: &TokenVerifier, token: &str) -> Result<VerifiedToken, TokenError> {
    verifier.verify(token).now_or_never().expect("a fixed key needs no waiting")
}

proptest! {
    #[test]
    fn no_text_is_accepted_or_makes_it_panic(text in ".{0,300}", bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let verifier = verifier(secret_settings());
        for text in [text.as_str(), &String::from_utf8_lossy(&bytes)] {
            prop_assert!(verify_now(&verifier, text).is_err());
        }
    }

    #[test]
    fn no_signed_rubbish_makes_it_panic(header in ".{0,100}", claims in ".{0,100}", signature in "[A-Za-z0-9_-]{0,90}") {
        let verifier = verifier(secret_settings());
        let token = sign_text(&header, &claims, Algorithm::HS256, &secret_key());
        prop_assert!(verify_now(&verifier, &token).is_err());
        let unsigned = format!("{}.{}.{signature}", base64url(br#"{"alg":"HS256"}"#), base64url(claims.as_bytes()));
        prop_assert!(verify_now(&verifier, &unsigned).is_err());
    }

    #[test]
    fn any_changed_byte_is_refused(position in any::<prop::sample::Index>(), byte in 0_u8..128, which in 0..4_usize) {
        let (settings, algorithm, pem) = [
            (secret_settings(), Algorithm::HS256, ""),
            (pem_settings(RSA_A_PUBLIC, PublicKeyKind::Rsa), Algorithm::RS256, RSA_A),
            (pem_settings(P256_PUBLIC, PublicKeyKind::EcP256), Algorithm::ES256, P256),
            (pem_settings(ED25519_PUBLIC, PublicKeyKind::Ed25519), Algorithm::EdDSA, ED25519),
        ][which].clone();
        let key = if pem.is_empty() { secret_key() } else { private_key(algorithm, pem) };
        let token = sign(&json!({"alg": format!("{algorithm:?}")}), &claims(), algorithm, &key);
        let verifier = verifier(settings);
        prop_assert!(verify_now(&verifier, &token).is_ok());
        let mut bytes = token.into_bytes();
        let position = position.index(bytes.len());
        prop_assume!(bytes[position] != byte);
        bytes[position] = byte;
        prop_assert!(verify_now(&verifier, &String::from_utf8(bytes).unwrap()).is_err());
    }
}
