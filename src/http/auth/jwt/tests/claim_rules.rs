//! The rules for claims, on tokens with a valid signature.

use super::*;

#[actix_web::test]
async fn a_token_without_expiry_is_refused() {
    assert_refused!(verify_claims(&json!({"exp": null})).await, TokenError::MissingExpiry);
}

#[actix_web::test]
async fn an_expired_token_is_accepted_within_the_leeway_only() {
    for exp in [NOW + 1, NOW, NOW - 59] {
        verify_claims(&json!({"exp": exp})).await.unwrap();
    }
    for exp in [NOW - 60, NOW - 61, NOW - 86_400, 0, -1] {
        assert_refused!(verify_claims(&json!({"exp": exp})).await, TokenError::Expired);
    }
}

#[actix_web::test]
async fn a_token_for_later_is_accepted_within_the_leeway_only() {
    for nbf in [NOW + 60, NOW, NOW - 1, 0, -1] {
        verify_claims(&json!({"nbf": nbf})).await.unwrap();
    }
    for nbf in [NOW + 61, NOW + 86_400] {
        assert_refused!(verify_claims(&json!({"nbf": nbf})).await, TokenError::NotYetValid);
    }
}

#[actix_web::test]
async fn times_that_are_no_whole_seconds_are_refused() {
    let times = [
        "null",
        "true",
        "\"1900000000\"",
        "1.9e30",
        "1e18",
        "[1900000000]",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "18446744073709551616",
        "1e400",
        "9300000000000000",
    ];
    for time in times {
        let header = json!({"alg": "HS256"}).to_string();
        let exp = format!(r#"{{"sub":"customer_1","iss":"{ISSUER}","aud":"topup","exp":{time}}}"#);
        let nbf = format!(r#"{{"sub":"customer_1","iss":"{ISSUER}","aud":"topup","exp":{},"nbf":{time}}}"#, NOW + 60);
        for claims in [exp, nbf] {
            let token = sign_text(&header, &claims, Algorithm::HS256, &secret_key());
            assert_refused!(verifier(secret_settings()).verify(&token).await, TokenError::Malformed { .. });
        }
    }
}

#[actix_web::test]
async fn fractions_of_a_second_are_rounded_towards_refusing() {
    let now = |fraction: &str, seconds: i64| serde_json::from_str::<Value>(&format!("{seconds}{fraction}")).unwrap();
    for exp in [now(".999", NOW - 59), now(".5", NOW + 60), now(".0", NOW - 59)] {
        verify_claims(&json!({"exp": exp})).await.unwrap();
    }
    for exp in [now(".999", NOW - 60), now(".5", NOW - 61), now(".0", NOW - 60)] {
        assert_refused!(verify_claims(&json!({"exp": exp})).await, TokenError::Expired);
    }
    for nbf in [now(".0", NOW + 60), now(".001", NOW + 59), now(".5", -1)] {
        verify_claims(&json!({"nbf": nbf})).await.unwrap();
    }
    for nbf in [now(".001", NOW + 60), now(".5", NOW + 61)] {
        assert_refused!(verify_claims(&json!({"nbf": nbf})).await, TokenError::NotYetValid);
    }
}

#[actix_web::test]
async fn a_subject_that_is_a_whole_number_is_its_digits() {
    for (sub, account) in
        [(json!(42), "42"), (json!(-1), "-1"), (json!(18_446_744_073_709_551_615_u64), "18446744073709551615")]
    {
        assert_eq!(verify_claims(&json!({"sub": sub})).await.unwrap().account.as_str(), account);
    }
}

#[actix_web::test]
async fn each_of_several_issuers_is_accepted() {
    let settings =
        || JwtSettings { issuers: vec![ISSUER.to_owned(), "https://new.example".to_owned()], ..secret_settings() };
    for iss in [ISSUER, "https://new.example"] {
        verifier(settings()).verify(&hs256(&claims_with(&json!({"iss": iss})))).await.unwrap();
    }
    for iss in [json!("https://third.example"), json!("https://issuer.example,https://new.example"), json!(null)] {
        let token = hs256(&claims_with(&json!({"iss": iss})));
        assert_refused!(verifier(settings()).verify(&token).await, TokenError::WrongIssuer);
    }
}

#[actix_web::test]
async fn an_authorized_party_stands_in_for_an_audience_only_where_there_is_none() {
    let parties = || vec!["https://app.example.com".to_owned(), "app".to_owned()];
    let only = || JwtSettings { audience: vec![], authorized_parties: parties(), ..secret_settings() };
    let both = || JwtSettings { authorized_parties: parties(), ..secret_settings() };
    let neither = || JwtSettings { audience: vec![], ..secret_settings() };
    let cases = [
        (json!({"aud": null, "azp": "https://app.example.com"}), [true, true, true]),
        (json!({"aud": null, "azp": "app"}), [true, true, true]),
        (json!({"aud": null, "azp": "https://evil.example"}), [false, false, true]),
        (json!({"aud": null}), [false, false, true]),
        // Obtained by our page for another service.
        (json!({"aud": "other", "azp": "app"}), [false, false, true]),
        (json!({"aud": "topup", "azp": "app"}), [false, true, true]),
        (json!({"aud": "topup"}), [false, true, true]),
        (json!({"aud": "topup", "azp": "https://evil.example"}), [false, false, true]),
    ];
    for (changes, expected) in cases {
        let token = hs256(&claims_with(&changes));
        for (settings, good) in [only(), both(), neither()].into_iter().zip(expected) {
            let result = verifier(settings).verify(&token).await;
            if good { drop(result.unwrap()) } else { assert_refused!(result, TokenError::WrongAudience) }
        }
    }
}

#[actix_web::test]
async fn roles_are_read_from_the_claim_that_the_settings_name() {
    for (claim, claims, is_admin) in [
        ("roles", json!({"roles": ["admin"]}), true),
        ("scp", json!({"scp": "read admin"}), true),
        ("permissions", json!({"permissions": ["read", "admin"]}), true),
        ("https://app.example/roles", json!({"https://app.example/roles": ["admin"]}), true),
        ("realm_access.roles", json!({"realm_access": {"roles": ["admin"]}}), true),
        ("app_metadata.role", json!({"app_metadata": {"role": "admin"}}), true),
        ("roles", json!({"scope": "admin"}), false),
        ("realm_access.roles", json!({"realm_access": "admin"}), false),
        ("realm_access.roles", json!({"roles": ["admin"]}), false),
    ] {
        let settings = JwtSettings { admin_claim: claim.to_owned(), ..secret_settings() };
        let verified = verifier(settings).verify(&hs256(&claims_with(&claims))).await.unwrap();
        assert_eq!(verified.is_admin, is_admin, "{claim}: {claims}");
    }
}

#[actix_web::test]
async fn keys_beside_each_other_check_their_own_algorithms_only() {
    let settings = JwtSettings {
        keys: vec![
            JwtKey::Secret(SecretString::from(SECRET)),
            JwtKey::PublicKeyPem { pem: RSA_A_PUBLIC.to_owned(), kind: PublicKeyKind::Rsa },
        ],
        algorithms: vec![Algorithm::HS256, Algorithm::RS256],
        ..secret_settings()
    };
    let verifier = verifier(settings);
    let rs256 = |pem| sign(&json!({"alg": "RS256"}), &claims(), Algorithm::RS256, &private_key(Algorithm::RS256, pem));
    verifier.verify(&hs256(&claims())).await.unwrap();
    verifier.verify(&rs256(RSA_A)).await.unwrap();
    assert_refused!(verifier.verify(&rs256(RSA_B)).await, TokenError::BadSignature);
    // The public key does not work as a secret, nor the secret as a public key.
    for secret in [RSA_A_PUBLIC, RSA_A_PUBLIC.trim_end()] {
        let key = EncodingKey::from_secret(secret.as_bytes());
        let forged = sign(&json!({"alg": "HS256"}), &claims(), Algorithm::HS256, &key);
        assert_refused!(verifier.verify(&forged).await, TokenError::BadSignature);
        let forged = sign(&json!({"alg": "RS256"}), &claims(), Algorithm::HS256, &key);
        assert_refused!(verifier.verify(&forged).await, TokenError::BadSignature);
    }
    let stronger = sign(&json!({"alg": "HS512"}), &claims(), Algorithm::HS512, &secret_key());
    assert_refused!(verifier.verify(&stronger).await, TokenError::AlgorithmNotAllowed);
}

#[actix_web::test]
async fn ed25519_is_a_name_of_eddsa_and_an_encrypted_token_is_explained() {
    let key = private_key(Algorithm::EdDSA, ED25519);
    let token = sign(&json!({"alg": "Ed25519"}), &claims(), Algorithm::EdDSA, &key);
    let verifier_of_ed25519 = || verifier(pem_settings(ED25519_PUBLIC, PublicKeyKind::Ed25519));
    verifier_of_ed25519().verify(&token).await.unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let header = message.split_once('.').unwrap().0;
    let changed = base64url(claims_with(&json!({"sub": "customer_2"})).to_string().as_bytes());
    let forged = format!("{header}.{changed}.{signature}");
    assert_refused!(verifier_of_ed25519().verify(&forged).await, TokenError::BadSignature);
    let twice = claims().to_string().replacen('{', r#"{"sub":"customer_2","#, 1);
    let twice = sign_text(r#"{"alg":"Ed25519"}"#, &twice, Algorithm::EdDSA, &key);
    assert_refused!(verifier_of_ed25519().verify(&twice).await, TokenError::Malformed { .. });
    let expired = sign(&json!({"alg": "Ed25519"}), &claims_with(&json!({"exp": 0})), Algorithm::EdDSA, &key);
    assert_refused!(verifier_of_ed25519().verify(&expired).await, TokenError::Expired);
    let encrypted = verifier(secret_settings()).verify("eyJhbGciOiJkaXIifQ..aaaa.bbbb.cccc").await;
    assert!(encrypted.unwrap_err().to_string().contains("encrypted (JWE)"));
}

#[actix_web::test]
async fn another_issuer_is_refused() {
    for iss in [
        json!(null),
        json!(""),
        json!("https://issuer.example/"),
        json!("https://ISSUER.example"),
        json!([ISSUER]),
        json!(1),
    ] {
        assert_refused!(verify_claims(&json!({"iss": iss})).await, TokenError::WrongIssuer);
    }
}

#[actix_web::test]
async fn the_audience_may_be_a_text_or_an_array() {
    for aud in [json!("topup"), json!("topup-staging"), json!(["topup"]), json!(["other", "topup"])] {
        verify_claims(&json!({"aud": aud})).await.unwrap();
    }
    let others = [
        json!(null),
        json!(""),
        json!("other"),
        json!("topup other"),
        json!("topup2"),
        json!([]),
        json!([""]),
        json!(["other"]),
        json!([["topup"]]),
        json!(["topup", 1]),
        json!({"topup": "topup"}),
        json!(1),
    ];
    for aud in others {
        assert_refused!(verify_claims(&json!({"aud": aud})).await, TokenError::WrongAudience);
    }
}

#[actix_web::test]
async fn issuer_and_audience_are_not_looked_at_unless_configured() {
    let settings = JwtSettings { issuers: vec![], audience: vec![], ..secret_settings() };
    let token = hs256(&claims_with(&json!({"iss": "anyone", "aud": "anything"})));
    verifier(settings).verify(&token).await.unwrap();
}

#[actix_web::test]
async fn the_account_is_the_claims_text_as_it_is() {
    let longest = "ä".repeat(200);
    for account in ["a", "a b", "auth0|5f7c8ec7c33c6c004bbafe82", "Zoë@example.com", "客户", &longest] {
        assert_eq!(verify_claims(&json!({"sub": account})).await.unwrap().account.as_str(), account);
    }
}

#[actix_web::test]
async fn an_account_that_is_no_printable_text_of_1_to_200_characters_is_refused() {
    let too_long = "ä".repeat(201);
    let accounts = [
        json!(null),
        json!(""),
        json!(too_long),
        json!(42.5),
        json!(1e30),
        json!(true),
        json!("a\nb"),
        json!("a\u{0}"),
        json!("\t"),
        json!("a\u{7f}"),
        json!("a\u{85}"),
        json!("a\u{200b}"),
        json!("\u{202e}a"),
        json!("a\u{2028}b"),
        json!("\u{feff}a"),
        json!("a\u{a0}b"),
        json!("a\u{ad}b"),
    ];
    for account in accounts {
        assert_refused!(verify_claims(&json!({"sub": account})).await, TokenError::InvalidAccount { .. });
    }
    let another_claim = || JwtSettings { account_claim: "account".to_owned(), ..secret_settings() };
    for account in [json!(["a"]), json!({"a": 1})] {
        // A `sub` of such a type is not even decoded.
        assert_refused!(verify_claims(&json!({"sub": account})).await, TokenError::Malformed { .. });
        let token = hs256(&claims_with(&json!({"account": account})));
        assert_refused!(verifier(another_claim()).verify(&token).await, TokenError::InvalidAccount { .. });
    }
    let header = json!({"alg": "HS256"}).to_string();
    let claims = format!(r#"{{"sub":null,"iss":"{ISSUER}","aud":"topup","exp":{}}}"#, NOW + 60);
    let token = sign_text(&header, &claims, Algorithm::HS256, &secret_key());
    assert_refused!(verifier(secret_settings()).verify(&token).await, TokenError::InvalidAccount { .. });
}

#[actix_web::test]
async fn the_account_may_be_in_another_claim() {
    let settings = || JwtSettings { account_claim: "https://app.example/account".to_owned(), ..secret_settings() };
    let token = hs256(&claims_with(&json!({"https://app.example/account": "team_7"})));
    assert_eq!(verifier(settings()).verify(&token).await.unwrap().account.as_str(), "team_7");
    assert_refused!(verifier(settings()).verify(&hs256(&claims())).await, TokenError::InvalidAccount { .. });
}

#[actix_web::test]
async fn the_admin_scope_makes_an_admin() {
    for scope in
        [json!("admin"), json!("read admin write"), json!(["admin"]), json!(["read", "admin"]), json!([1, "admin"])]
    {
        assert!(verify_claims(&json!({"scope": scope})).await.unwrap().is_admin, "{scope}");
    }
}

#[actix_web::test]
async fn nothing_else_makes_an_admin() {
    let scopes = [
        json!(null),
        json!(""),
        json!("read"),
        json!("admin2"),
        json!("xadmin"),
        json!("Admin"),
        json!("read,admin"),
        json!("admin:read"),
        json!("ad min"),
        json!("admin\tread"),
        json!([]),
        json!(["admin2"]),
        json!(["read admin"]),
        json!([["admin"]]),
        json!({"admin": true}),
        json!(true),
        json!(1),
    ];
    for scope in scopes {
        assert!(!verify_claims(&json!({"scope": scope})).await.unwrap().is_admin, "{scope}");
    }
    let elsewhere =
        json!({"scp": "admin", "scopes": ["admin"], "roles": ["admin"], "admin": true, "permissions": ["admin"]});
    assert!(!verify_claims(&elsewhere).await.unwrap().is_admin);
}

#[actix_web::test]
async fn without_a_configured_admin_scope_there_is_no_admin() {
    for scope in [json!("admin"), json!(""), json!(" "), json!([""]), json!(["admin"]), json!([null])] {
        let settings = JwtSettings { admin_scope: None, ..secret_settings() };
        let token = hs256(&claims_with(&json!({"scope": scope})));
        assert!(!verifier(settings).verify(&token).await.unwrap().is_admin, "{scope}");
    }
}
