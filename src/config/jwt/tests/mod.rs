//! Every mistake in the `JWT_*` settings is found, and no message reveals a secret.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/auth/testdata/", $name, ".pem"))
    };
}

mod keys;

use super::*;

const GOOD_SECRET: &str = "3f9c1b7ad2e84c5f9a06e1d47b28c3f5";

fn with_secret(secret: &str) -> RawJwt {
    RawJwt { secret: Some(secret.to_owned()), ..RawJwt::default() }
}

fn with_pem(pem: &str) -> RawJwt {
    RawJwt { public_key: Some(pem.to_owned()), ..RawJwt::default() }
}

fn with_jwks(url: &str) -> RawJwt {
    RawJwt {
        jwks_url: Some(url.to_owned()),
        issuer: Some("https://issuer.example".to_owned()),
        audience: Some("topup".to_owned()),
        ..RawJwt::default()
    }
}

fn settings(raw: RawJwt) -> JwtSettings {
    raw.parse().unwrap().unwrap()
}

/// The only error, as text.
fn mistake(raw: RawJwt) -> String {
    let errors = raw.parse().unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_mistake(raw: RawJwt, setting: &str, words: &str) {
    let text = mistake(raw);
    assert!(text.starts_with(&format!("{setting}: ")) && text.contains(words), "{text}");
}

#[test]
fn without_any_setting_tokens_are_off() {
    assert!(RawJwt::default().parse().unwrap().is_none());
}

#[test]
fn settings_without_a_key_are_each_named() {
    let raw = RawJwt {
        algorithms: Some("HS256".to_owned()),
        issuer: Some("a".to_owned()),
        audience: Some("a".to_owned()),
        account_claim: Some("a".to_owned()),
        admin_scope: Some(String::new()),
        ..RawJwt::default()
    };
    let errors = raw.parse().unwrap_err();
    let named = errors.iter().map(|error| error.setting.as_ref()).collect::<Vec<_>>();
    assert_eq!(named, [ALGORITHMS, ISSUER, AUDIENCE, ACCOUNT_CLAIM, ADMIN_SCOPE]);
}

#[test]
fn keys_of_each_kind_may_stand_beside_each_other_while_a_login_moves() {
    let raw = || RawJwt { secret: Some(GOOD_SECRET.to_owned()), ..with_jwks("https://a.example/") };
    let both = settings(raw());
    assert!(matches!(&both.keys[..], [JwtKey::Secret(_), JwtKey::Jwks { .. }]));
    assert_eq!(both.algorithms, [Algorithm::HS256, Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA]);
    let listed = settings(RawJwt { algorithms: Some("HS256,ES256".to_owned()), ..raw() });
    assert_eq!(listed.algorithms, [Algorithm::HS256, Algorithm::ES256]);
    let three = settings(RawJwt { public_key: Some(pem!("rsa_a_public").to_owned()), ..raw() });
    assert_eq!(three.keys.len(), 3);
    // A key without a matching algorithm is a mistake, and so is an empty key.
    assert_mistake(
        RawJwt { algorithms: Some("ES256".to_owned()), ..raw() },
        ALGORITHMS,
        "has no algorithm for JWT_SECRET",
    );
    assert_mistake(RawJwt { secret: Some(String::new()), ..raw() }, SECRET, "empty");
    assert_mistake(RawJwt { issuer: None, ..raw() }, ISSUER, "required with JWT_JWKS_URL");
}

#[test]
fn authorized_parties_stand_in_for_the_audience_that_a_key_set_needs() {
    let raw = || RawJwt { audience: None, ..with_jwks("https://a.example/") };
    assert_mistake(raw(), AUDIENCE, "JWT_AUTHORIZED_PARTIES instead");
    let parties = Some("https://app.example.com, http://localhost:3000".to_owned());
    let settings = settings(RawJwt { authorized_parties: parties, ..raw() });
    assert_eq!(settings.authorized_parties, ["https://app.example.com", "http://localhost:3000"]);
    assert_mistake(RawJwt { authorized_parties: Some("a,,b".to_owned()), ..raw() }, AUTHORIZED_PARTIES, "empty part");
}

#[test]
fn several_issuers_are_a_list() {
    let settings = settings(RawJwt {
        issuer: Some("https://a.example,https://b.example/".to_owned()),
        ..with_secret(GOOD_SECRET)
    });
    assert_eq!(settings.issuers, ["https://a.example", "https://b.example/"]);
}

#[test]
fn the_claim_of_admins_is_one_that_users_do_not_write() {
    let raw = |claim: &str| RawJwt {
        admin_scope: Some("admin".to_owned()),
        admin_claim: Some(claim.to_owned()),
        ..with_secret(GOOD_SECRET)
    };
    for claim in ["roles", "scp", "permissions", "app_metadata.role", "https://app.example/roles"] {
        assert_eq!(settings(raw(claim)).admin_claim, claim);
    }
    for claim in ["user_metadata.role", "user_metadata", "unsafe_metadata.role"] {
        assert_mistake(raw(claim), ADMIN_CLAIM, "users write themselves");
    }
    assert_mistake(RawJwt { admin_scope: None, ..raw("roles") }, ADMIN_CLAIM, "no effect without JWT_ADMIN_SCOPE");
}

#[test]
fn ed25519_is_a_name_of_eddsa() {
    let settings = settings(RawJwt { algorithms: Some("Ed25519".to_owned()), ..with_pem(pem!("ed25519_public")) });
    assert_eq!(settings.algorithms, [Algorithm::EdDSA]);
}

#[test]
fn the_allowlist_takes_what_fits_the_key() {
    let list = |raw: RawJwt, names: &str| RawJwt { algorithms: Some(names.to_owned()), ..raw };
    let secret = settings(list(with_secret(GOOD_SECRET), "HS512, HS256,HS512"));
    assert_eq!(secret.algorithms, [Algorithm::HS512, Algorithm::HS256]);
    let rsa = settings(list(with_pem(pem!("rsa_a_public")), "PS256"));
    assert_eq!(rsa.algorithms, [Algorithm::PS256]);
    let jwks = settings(list(with_jwks("https://a.example/"), "ES384,RS512"));
    assert_eq!(jwks.algorithms, [Algorithm::ES384, Algorithm::RS512]);
}

#[test]
fn the_allowlist_refuses_what_does_not_fit_the_key() {
    type Case = (fn() -> RawJwt, &'static [&'static str]);
    let keys: [Case; 5] = [
        (|| with_secret(GOOD_SECRET), &["RS256", "PS256", "ES256", "EdDSA"]),
        (|| with_pem(pem!("rsa_a_public")), &["HS256", "HS384", "HS512", "ES256", "EdDSA"]),
        (|| with_pem(pem!("ec_p256_public")), &["HS256", "RS256", "ES384", "EdDSA"]),
        (|| with_pem(pem!("ed25519_public")), &["HS256", "RS256", "ES256"]),
        (|| with_jwks("https://a.example/"), &["HS256", "HS384", "HS512"]),
    ];
    for (raw, names) in keys {
        for name in names {
            assert_mistake(RawJwt { algorithms: Some((*name).to_owned()), ..raw() }, ALGORITHMS, "does not fit");
        }
        for name in ["none", "None", "NONE", "nOnE"] {
            let raw = RawJwt { algorithms: Some(name.to_owned()), ..raw() };
            assert_mistake(raw, ALGORITHMS, "nobody signed");
        }
        for (names, words) in
            [("rs256", "not known"), ("ES512", "not known"), ("", "empty"), (" ", "empty"), (",", "empty part")]
        {
            assert_mistake(RawJwt { algorithms: Some(names.to_owned()), ..raw() }, ALGORITHMS, words);
        }
    }
}

#[test]
fn an_empty_setting_is_a_mistake_and_not_unset() {
    let raw = || with_secret(GOOD_SECRET);
    for empty in ["", "  "] {
        let empty = || Some(empty.to_owned());
        assert_mistake(RawJwt { issuer: empty(), ..raw() }, ISSUER, "empty");
        assert_mistake(RawJwt { audience: empty(), ..raw() }, AUDIENCE, "empty");
        assert_mistake(RawJwt { account_claim: empty(), ..raw() }, ACCOUNT_CLAIM, "empty");
        assert_mistake(RawJwt { admin_scope: empty(), ..raw() }, ADMIN_SCOPE, "empty");
    }
    assert_mistake(RawJwt { audience: Some("a,,b".to_owned()), ..raw() }, AUDIENCE, "empty part");
}

#[test]
fn white_space_that_was_copied_along_is_a_mistake() {
    for issuer in [" https://a.example", "https://a.example\n"] {
        let issuer = Some(issuer.to_owned());
        assert_mistake(RawJwt { issuer, ..with_secret(GOOD_SECRET) }, ISSUER, "white space");
    }
}

#[test]
fn the_audience_may_be_several() {
    let settings = settings(RawJwt { audience: Some("a, b".to_owned()), ..with_secret(GOOD_SECRET) });
    assert_eq!(settings.audience, ["a", "b"]);
}

#[test]
fn the_account_claim_must_be_able_to_name_one_customer() {
    let raw = |claim: &str| RawJwt { account_claim: Some(claim.to_owned()), ..with_secret(GOOD_SECRET) };
    assert_eq!(settings(raw("https://app.example/account")).account_claim, "https://app.example/account");
    for claim in NOT_AN_ACCOUNT {
        assert_mistake(raw(claim), ACCOUNT_CLAIM, "does not name one customer");
    }
}

#[test]
fn the_admin_scope_is_one_scope() {
    let raw = |scope: &str| RawJwt { admin_scope: Some(scope.to_owned()), ..with_secret(GOOD_SECRET) };
    assert_eq!(settings(raw("topup:admin")).admin_scope.unwrap(), "topup:admin");
    for scope in ["topup admin", "a,b"] {
        assert_mistake(raw(scope), ADMIN_SCOPE, "single scope");
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let raw = RawJwt {
        secret: Some("short".to_owned()),
        algorithms: Some("none".to_owned()),
        issuer: Some(String::new()),
        audience: Some(String::new()),
        account_claim: Some("exp".to_owned()),
        admin_scope: Some("a b".to_owned()),
        ..RawJwt::default()
    };
    let errors = raw.parse().unwrap_err();
    let named = errors.iter().map(|error| error.setting.as_ref()).collect::<Vec<_>>();
    assert_eq!(named, [SECRET, ALGORITHMS, ISSUER, AUDIENCE, ACCOUNT_CLAIM, ADMIN_SCOPE]);
}
