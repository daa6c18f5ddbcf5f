//! Tokens as common login services issue them, with the settings that `docs/tokens.md` gives for each.

use jsonwebtoken::{Algorithm, Header};
use serde_json::{Value, json};

use crate::auth::{Signer, key_set, refused, seconds, with_token};
use crate::support::app::JWT_SECRET;
use crate::support::{Backend, FixedServer, Options, TestApp};

const RSA: &str = include_str!("../../src/http/auth/testdata/rsa_a_private.pem");
const P256: &str = include_str!("../../src/http/auth/testdata/ec_p256_private.pem");

/// A service with these token settings and no others.
async fn start(settings: &[(&'static str, &str)]) -> TestApp {
    let mut options = Options::default().setting("JWT_SECRET", "");
    for (name, value) in settings {
        options = options.setting(name, *value);
    }
    TestApp::start_with(Backend::Sqlite, options).await
}

/// The account that the service finds in a token.
async fn account(app: &TestApp, token: &str) -> String {
    with_token(app, token).await.expect(200)["accountId"].as_str().expect("an account").to_owned()
}

fn supabase(app: &TestApp) -> Value {
    json!({
        "iss": "https://abcdefgh.supabase.co/auth/v1", "sub": "3f2a6b1e-7c7d-4a0b-9a53-1d2c3b4a5f60",
        "aud": "authenticated", "exp": seconds(app, 3_600), "iat": seconds(app, 0), "email": "a@example.com", "phone": "",
        "app_metadata": { "provider": "email", "providers": ["email"] }, "user_metadata": { "role": "credits:admin" },
        "role": "authenticated", "aal": "aal1", "amr": [{ "method": "password", "timestamp": seconds(app, 0) }],
        "session_id": "8d0f2a4e-1111-4222-8333-944445555666", "is_anonymous": false,
    })
}

#[tokio::test]
async fn supabase_with_its_old_secret_its_new_keys_and_both_while_it_moves() {
    let signer = Signer::private(Algorithm::ES256, P256);
    let issuer = FixedServer::start(200, key_set(&[signer.jwk("b81269f1")]));
    let common = [("JWT_ISSUER", "https://abcdefgh.supabase.co/auth/v1"), ("JWT_AUDIENCE", "authenticated")];
    let (secret, keys) = (("JWT_SECRET", JWT_SECRET), ("JWT_JWKS_URL", issuer.url.as_str()));
    for (settings, old_good, new_good) in [
        (vec![secret, common[0], common[1]], true, false),
        (vec![keys, common[0], common[1]], false, true),
        (vec![secret, keys, common[0], common[1]], true, true),
    ] {
        let app = start(&settings).await;
        let old = Signer::secret(JWT_SECRET).sign(Some("legacy"), &supabase(&app));
        let new = signer.sign(Some("b81269f1"), &supabase(&app));
        for (token, good) in [(old, old_good), (new, new_good)] {
            if good {
                assert_eq!(account(&app, &token).await, "3f2a6b1e-7c7d-4a0b-9a53-1d2c3b4a5f60");
            } else {
                refused(with_token(&app, &token).await, "invalid_token");
            }
        }
        app.finish().await;
    }
}

/// The `anon` and `service_role` keys of a project are tokens, too, signed with the same secret. The first is public.
#[tokio::test]
async fn supabases_own_keys_are_no_customers() {
    let bare = start(&[("JWT_SECRET", JWT_SECRET)]).await;
    let checked = start(&[
        ("JWT_SECRET", JWT_SECRET),
        ("JWT_ISSUER", "https://abcdefgh.supabase.co/auth/v1"),
        ("JWT_AUDIENCE", "authenticated"),
    ])
    .await;
    for app in [bare, checked] {
        for role in ["anon", "service_role"] {
            let claims = json!({
                "iss": "supabase", "ref": "abcdefgh", "role": role, "iat": seconds(&app, -86_400),
                "exp": seconds(&app, 315_360_000),
            });
            refused(with_token(&app, &Signer::secret(JWT_SECRET).sign(None, &claims)).await, "invalid_token");
        }
        app.finish().await;
    }
}

#[tokio::test]
async fn clerk_whose_tokens_have_an_authorized_party_and_no_audience() {
    let signer = Signer::private(Algorithm::RS256, RSA);
    let issuer = FixedServer::start(200, key_set(&[signer.jwk("ins_2abc")]));
    let app = start(&[
        ("JWT_JWKS_URL", &issuer.url),
        ("JWT_ISSUER", "https://clerk.example.com"),
        ("JWT_AUTHORIZED_PARTIES", "https://app.example.com,http://localhost:3000"),
    ])
    .await;
    let token = |azp: Value| {
        let mut claims = json!({
            "azp": azp, "exp": seconds(&app, 60), "fva": [0, -1], "iat": seconds(&app, 0), "iss": "https://clerk.example.com",
            "nbf": seconds(&app, -10), "sid": "sess_2abc", "sub": "user_2abcDEF", "v": 2, "sts": "active",
        });
        claims.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        signer.sign(Some("ins_2abc"), &claims)
    };
    assert_eq!(account(&app, &token(json!("https://app.example.com"))).await, "user_2abcDEF");
    assert_eq!(account(&app, &token(json!("http://localhost:3000"))).await, "user_2abcDEF");
    for azp in [json!("https://evil.example"), json!(null), json!(["https://app.example.com"])] {
        refused(with_token(&app, &token(azp)).await, "invalid_token");
    }
    app.finish().await;
}

/// A team has one balance if the token names it in a claim of its own (*Sessions → Customize session token*).
#[tokio::test]
async fn clerk_with_one_account_for_each_organization() {
    let signer = Signer::private(Algorithm::RS256, RSA);
    let issuer = FixedServer::start(200, key_set(&[signer.jwk("ins_2abc")]));
    let app = start(&[
        ("JWT_JWKS_URL", &issuer.url),
        ("JWT_ISSUER", "https://clerk.example.com"),
        ("JWT_AUTHORIZED_PARTIES", "https://app.example.com"),
        ("JWT_ACCOUNT_CLAIM", "org_id"),
    ])
    .await;
    let mut claims = json!({
        "azp": "https://app.example.com", "exp": seconds(&app, 60), "iat": seconds(&app, 0), "v": 2,
        "sub": "user_2abcDEF", "iss": "https://clerk.example.com",
        "o": { "id": "org_2xyz", "slg": "team", "rol": "admin" }, "org_id": "org_2xyz",
    });
    assert_eq!(account(&app, &signer.sign(Some("ins_2abc"), &claims)).await, "org_2xyz");
    // Somebody who works for themselves at the moment. The template's value is then empty or left out.
    for nothing in [json!(""), json!(null)] {
        claims["org_id"] = nothing;
        refused(with_token(&app, &signer.sign(Some("ins_2abc"), &claims)).await, "invalid_token");
    }
    app.finish().await;
}

#[tokio::test]
async fn auth0_with_an_array_of_audiences_a_bar_in_the_subject_and_permissions() {
    let signer = Signer::private(Algorithm::RS256, RSA);
    let issuer = FixedServer::start(200, key_set(&[signer.jwk("NjVB")]));
    let app = start(&[
        ("JWT_JWKS_URL", &issuer.url),
        ("JWT_ISSUER", "https://tenant.eu.auth0.com/"),
        ("JWT_AUDIENCE", "https://credits.example.com"),
        ("JWT_ADMIN_SCOPE", "credits:admin"),
        ("JWT_ADMIN_CLAIM", "permissions"),
    ])
    .await;
    let token = |permissions: Value| {
        let claims = json!({
            "iss": "https://tenant.eu.auth0.com/", "sub": "google-oauth2|1047",
            "aud": ["https://credits.example.com", "https://tenant.eu.auth0.com/userinfo"], "iat": seconds(&app, 0),
            "exp": seconds(&app, 86_400), "azp": "a1B2c3", "scope": "openid profile", "permissions": permissions,
        });
        signer.sign(Some("NjVB"), &claims)
    };
    let customer = token(json!([]));
    assert_eq!(account(&app, &customer).await, "google-oauth2|1047");
    let read = async |token: &str| {
        let request = crate::support::app::http_client().get(format!("{}/accounts/user_2/credits", app.url));
        app.send(request.bearer_auth(token)).await
    };
    read(&customer).await.expect_problem(403, "account_forbidden");
    read(&token(json!(["credits:admin"]))).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn auth0_in_the_form_of_rfc_9068_and_not_its_id_tokens() {
    let signer = Signer::private(Algorithm::RS256, RSA);
    let issuer = FixedServer::start(200, key_set(&[signer.jwk("NjVB")]));
    let app = start(&[
        ("JWT_JWKS_URL", &issuer.url),
        ("JWT_ISSUER", "https://tenant.eu.auth0.com/"),
        ("JWT_AUDIENCE", "https://credits.example.com"),
    ])
    .await;
    let common = |audience: Value| {
        json!({
            "iss": "https://tenant.eu.auth0.com/", "sub": "auth0|6553da60a5", "aud": audience, "iat": seconds(&app, 0),
            "exp": seconds(&app, 86_400),
        })
    };
    let mut access = common(json!(["https://credits.example.com", "https://tenant.eu.auth0.com/userinfo"]));
    access["client_id"] = json!("a1B2c3");
    access["jti"] = json!("73WakrfVbN");
    let header =
        Header { typ: Some("at+jwt".to_owned()), kid: Some("NjVB".to_owned()), ..Header::new(Algorithm::RS256) };
    let access = jsonwebtoken::encode(&header, &access, &signer.1).expect("signs");
    assert_eq!(account(&app, &access).await, "auth0|6553da60a5");
    // What the page has beside it: for the page itself, with the customer's name.
    let mut id = common(json!("a1B2c3"));
    id["email"] = json!("a@example.com");
    id["nonce"] = json!("n");
    refused(with_token(&app, &signer.sign(Some("NjVB"), &id)).await, "invalid_token");
    // A program with credentials of its own, which no customer is behind.
    let mut program = common(json!("https://other.example.com"));
    program["sub"] = json!("a1B2c3@clients");
    program["gty"] = json!("client-credentials");
    refused(with_token(&app, &signer.sign(Some("NjVB"), &program)).await, "invalid_token");
    app.finish().await;
}

#[tokio::test]
async fn firebase_whose_issuer_and_audience_name_the_project() {
    let signer = Signer::private(Algorithm::RS256, RSA);
    let issuer = FixedServer::start(200, key_set(&[signer.jwk("f83f5a")]));
    let app = start(&[
        ("JWT_JWKS_URL", &issuer.url),
        ("JWT_ISSUER", "https://securetoken.google.com/my-project"),
        ("JWT_AUDIENCE", "my-project"),
    ])
    .await;
    let token = |project: &str| {
        let claims = json!({
            "iss": format!("https://securetoken.google.com/{project}"), "aud": project, "auth_time": seconds(&app, -5),
            "user_id": "Zx9kQ", "sub": "Zx9kQ", "iat": seconds(&app, 0), "exp": seconds(&app, 3_600),
            "email_verified": true, "firebase": { "identities": {}, "sign_in_provider": "password" },
        });
        signer.sign(Some("f83f5a"), &claims)
    };
    assert_eq!(account(&app, &token("my-project")).await, "Zx9kQ");
    refused(with_token(&app, &token("project-of-somebody-else")).await, "invalid_token");
    app.finish().await;
}

/// Google has the same keys at two addresses: as a key set, and as certificates by key id, which are no key set.
#[tokio::test]
async fn firebase_with_the_address_of_its_certificates_accepts_nobody() {
    let signer = Signer::private(Algorithm::RS256, RSA);
    let certificates = json!({ "f83f5a": "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n" });
    let issuer = FixedServer::start(200, certificates.to_string());
    let app = start(&[
        ("JWT_JWKS_URL", &issuer.url),
        ("JWT_ISSUER", "https://securetoken.google.com/my-project"),
        ("JWT_AUDIENCE", "my-project"),
    ])
    .await;
    let claims = json!({
        "iss": "https://securetoken.google.com/my-project", "aud": "my-project", "sub": "Zx9kQ",
        "iat": seconds(&app, 0), "exp": seconds(&app, 3_600),
    });
    with_token(&app, &signer.sign(Some("f83f5a"), &claims)).await.expect_problem(503, "keys_unavailable");
    app.finish().await;
}

#[tokio::test]
async fn auth_js_with_a_token_that_the_app_signs_and_not_its_encrypted_cookie() {
    let app =
        start(&[("JWT_SECRET", JWT_SECRET), ("JWT_ISSUER", "https://app.example.com"), ("JWT_AUDIENCE", "credits")])
            .await;
    let claims = json!({
        "sub": "cm4x7", "name": "A", "email": "a@example.com", "picture": null, "iss": "https://app.example.com",
        "aud": "credits", "iat": seconds(&app, 0), "exp": seconds(&app, 300), "jti": "1c7d",
    });
    assert_eq!(account(&app, &Signer::secret(JWT_SECRET).sign(None, &claims)).await, "cm4x7");
    // The header of a session cookie: {"alg":"dir","enc":"A256CBC-HS512","kid":"…"}.
    let cookie = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIiwia2lkIjoieCJ9..aaaa.bbbb.cccc";
    let answer = with_token(&app, cookie).await;
    assert!(answer.body["detail"].as_str().is_some_and(|detail| detail.contains("encrypted (JWE)")), "{answer:?}");
    refused(answer, "invalid_token");
    app.finish().await;
}
