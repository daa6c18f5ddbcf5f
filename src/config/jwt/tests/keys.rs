//! Which keys are accepted, and what is said about the others without repeating them.

use secrecy::ExposeSecret;

use super::*;

#[test]
fn a_good_secret_gives_hs256_and_the_defaults() {
    let settings = settings(with_secret(GOOD_SECRET));
    assert!(matches!(&settings.keys[..], [JwtKey::Secret(secret)] if secret.expose_secret() == GOOD_SECRET));
    assert_eq!(settings.algorithms, [Algorithm::HS256]);
    assert_eq!(settings.account_claim, "sub");
    assert_eq!((settings.issuers, settings.audience, settings.admin_scope), (vec![], vec![], None));
    assert_eq!((settings.authorized_parties, settings.admin_claim.as_str()), (vec![], "scope"));
}

#[test]
fn the_settings_do_not_show_the_secret() {
    let settings = settings(with_secret(GOOD_SECRET));
    assert!(!format!("{settings:?} {settings:#?}").contains(GOOD_SECRET));
}

#[test]
fn a_weak_secret_is_refused_and_not_repeated() {
    let cases = [
        ("", "empty"),
        ("                                        ", "empty"),
        ("3f9c1b7ad2e84c5f9a06e1d47b28c3f", "shorter than 32"),
        ("3f9c1b7ad2e84c5f9a06e1d47b28c3f5\n", "white space"),
        ("please-Change-Me-3f9c1b7ad2e84c5f9a06e1d47b28c3f5", "placeholder"),
        ("super-secret-jwt-token-with-at-least-32-characters-long", "placeholder"),
        ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "repeats"),
        ("12345678901234567890123456789012345", "repeats"),
        (pem!("rsa_a_public"), "PEM"),
    ];
    for (secret, words) in cases {
        let text = mistake(with_secret(secret));
        assert!(text.starts_with("JWT_SECRET: ") && text.contains(words), "{text}");
        assert!(secret.trim().is_empty() || !text.contains(secret.trim()), "{text}");
    }
}

#[test]
fn a_secret_is_measured_in_bytes() {
    settings(with_secret("äöüßéèêçñåøæœžščřďť"));
    assert_mistake(with_secret("äöüßéèêçñåøæœžš"), SECRET, "shorter");
}

#[test]
fn a_public_key_gives_its_own_algorithm() {
    let cases = [
        (pem!("rsa_a_public"), PublicKeyKind::Rsa, Algorithm::RS256),
        (pem!("rsa_a_public_pkcs1"), PublicKeyKind::Rsa, Algorithm::RS256),
        (pem!("ec_p256_public"), PublicKeyKind::EcP256, Algorithm::ES256),
        (pem!("ec_p384_public"), PublicKeyKind::EcP384, Algorithm::ES384),
        (pem!("ed25519_public"), PublicKeyKind::Ed25519, Algorithm::EdDSA),
    ];
    for (pem, expected, algorithm) in cases {
        let one_line = pem.trim().replace('\n', "\\n");
        for pem in [pem, &one_line] {
            let settings = settings(with_pem(pem));
            assert!(matches!(settings.keys[..], [JwtKey::PublicKeyPem { kind, .. }] if kind == expected));
            assert_eq!(settings.algorithms, [algorithm]);
        }
    }
}

#[test]
fn what_is_no_usable_public_key_is_refused_and_not_repeated() {
    let oversize = format!("{}{}", "x\n".repeat(4096), pem!("rsa_a_public"));
    let cases = [
        (oversize.as_str(), "not a public key in PEM"),
        ("", "empty"),
        (" \n", "empty"),
        ("rubbish", "not a public key in PEM"),
        (pem!("rsa_a_private"), "private key"),
        (pem!("ec_p256_private"), "private key"),
        (pem!("ec_p256_private_sec1"), "private key"),
        (pem!("ed25519_private"), "private key"),
        (pem!("rsa_a_certificate"), "certificate"),
        (pem!("rsa_1024_public"), "2048"),
        (pem!("rsa_5120_public"), "4096"),
        (pem!("ec_p521_public"), "P-256"),
        (pem!("ec_secp256k1_public"), "P-256"),
        (pem!("x25519_public"), "Ed25519"),
        (concat!(pem!("rsa_a_public"), pem!("rsa_b_public")), "more than one"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not a key that can be used"),
        // An Ed25519 key of 31 bytes.
        (
            "-----BEGIN PUBLIC KEY-----\nMCkwBQYDK2VwAyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n-----END PUBLIC KEY-----\n",
            "not a key that can be used",
        ),
    ];
    for (pem, words) in cases {
        let text = mistake(with_pem(pem));
        assert!(text.starts_with("JWT_PUBLIC_KEY: ") && text.contains(words), "{text}");
        for line in pem.lines().filter(|line| line.len() > 8 && !line.starts_with("-----")) {
            assert!(!text.contains(line), "{text}");
        }
    }
}

#[test]
fn a_key_set_needs_issuer_and_audience() {
    let settings = settings(with_jwks("https://issuer.example/jwks.json?v=1"));
    assert!(
        matches!(&settings.keys[..], [JwtKey::Jwks { url }] if url.as_str() == "https://issuer.example/jwks.json?v=1")
    );
    assert_eq!(settings.algorithms, [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA]);
    assert_eq!(settings.issuers, ["https://issuer.example"]);
    assert_eq!(settings.audience, ["topup"]);

    let url = "https://issuer.example/";
    assert_mistake(RawJwt { issuer: None, ..with_jwks(url) }, ISSUER, "required");
    assert_mistake(RawJwt { audience: None, ..with_jwks(url) }, AUDIENCE, "required");
}

#[test]
fn a_key_set_comes_by_https_or_from_this_machine() {
    for url in ["http://localhost:8080/jwks", "http://127.0.0.1/jwks", "http://127.9.9.9/", "http://[::1]:1/"] {
        settings(with_jwks(url));
    }
    let cases = [
        ("", "empty"),
        ("issuer.example/jwks", "not a URL"),
        ("http://issuer.example/jwks", "https"),
        ("http://localhost.issuer.example/", "https"),
        ("http://127.0.0.1.issuer.example/", "https"),
        ("http://10.0.0.1/", "https"),
        ("file:///etc/jwks.json", "https"),
        ("https://user@issuer.example/", "user name"),
        ("https://:hunter2@issuer.example/", "user name"),
        ("https://issuer.example/jwks#keys", "fragment"),
        ("https://issuer.example/#", "fragment"),
        ("https://issuer.example/ jwks", "white space"),
        ("https:\\\\issuer.example", "backslash"),
        (" https://issuer.example/", "white space"),
        ("https://issuer\n.example/", "control"),
    ];
    for (url, words) in cases {
        let text = mistake(with_jwks(url));
        assert!(text.starts_with("JWT_JWKS_URL: ") && text.contains(words), "{url}: {text}");
        assert!(!text.contains("hunter2"));
    }
}
