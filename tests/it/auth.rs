//! Customer tokens: which are accepted, and for which account.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use topup::ports::Clock;

use crate::on_both_databases;
use crate::support::app::{JWT_SECRET, SUCCESS_URL, http_client};
use crate::support::{Answer, Backend, FixedServer, Options, TestApp};

macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!("../../src/http/auth/testdata/", $name, ".pem"))
    };
}

const RSA_A: &str = pem!("rsa_a_private");
const RSA_A_PUBLIC: &str = pem!("rsa_a_public");
const RSA_B: &str = pem!("rsa_b_private");

/// The algorithm and key that sign tokens.
pub struct Signer(pub Algorithm, pub EncodingKey);

impl Signer {
    pub fn secret(secret: &str) -> Self {
        Self(Algorithm::HS256, EncodingKey::from_secret(secret.as_bytes()))
    }

    pub fn private(algorithm: Algorithm, pem: &str) -> Self {
        let read = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem,
            Algorithm::EdDSA => EncodingKey::from_ed_pem,
            _ => EncodingKey::from_rsa_pem,
        };
        Self(algorithm, read(pem.as_bytes()).expect("a key"))
    }

    pub fn sign(&self, key_id: Option<&str>, claims: &Value) -> String {
        let header = Header { kid: key_id.map(str::to_owned), ..Header::new(self.0) };
        jsonwebtoken::encode(&header, claims, &self.1).expect("signs")
    }

    /// The public key in JWK format.
    pub fn jwk(&self, key_id: &str) -> Value {
        let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&self.1, self.0).expect("a key");
        let mut jwk = serde_json::to_value(jwk).expect("JSON");
        jwk["kid"] = key_id.into();
        jwk
    }
}

pub fn key_set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// Seconds since 1970, shifted by `later`.
pub fn seconds(app: &TestApp, later: i64) -> i64 {
    app.clock.now_ms() / 1_000 + later
}

fn claims(app: &TestApp, changes: &Value) -> Value {
    let mut claims = json!({ "sub": "user_1", "exp": seconds(app, 3_600) });
    claims.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
    claims.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    claims
}

async fn with_header(app: &TestApp, value: &HeaderValue) -> Answer {
    app.send(http_client().get(format!("{}/credits", app.url)).header("authorization", value)).await
}

pub async fn with_token(app: &TestApp, token: &str) -> Answer {
    with_header(app, &HeaderValue::from_str(&format!("Bearer {token}")).expect("a header")).await
}

#[track_caller]
pub fn refused(answer: Answer, code: &str) {
    assert_eq!(answer.headers.get("www-authenticate").map(String::as_str), Some("Bearer"), "{answer:?}");
    answer.expect_problem(401, code);
}

async fn asymmetric(public_key: &str, changes: &[(&'static str, &str)]) -> TestApp {
    let mut options = Options::default().setting("JWT_SECRET", "").setting("JWT_PUBLIC_KEY", public_key);
    for (name, value) in changes {
        options = options.setting(name, *value);
    }
    TestApp::start_with(Backend::Sqlite, options).await
}

#[tokio::test]
async fn without_credentials_only_public_routes_answer() {
    let app = TestApp::start(Backend::Sqlite).await;
    let routes = [
        "/credits",
        "/credits/transactions",
        "/accounts/user_1/credits",
        "/accounts/user_1/credits/transactions",
        "/credits/sessions/cs_test_1",
    ];
    for path in routes {
        refused(app.get(path).await, "missing_credentials");
    }
    let request = http_client().post(format!("{}/credits/sessions", app.url));
    refused(app.send(request.json(&json!({ "credits": 250, "successUrl": SUCCESS_URL }))).await, "missing_credentials");
    for path in ["/credits/quote?credits=250", "/health/live", "/health/ready", "/openapi.json", "/docs/"] {
        app.get(path).await.expect(200);
    }
    app.finish().await;
}

#[tokio::test]
async fn an_authorization_that_is_no_bearer_token_is_refused() {
    let app = TestApp::start(Backend::Sqlite).await;
    let token = app.token("user_1");
    for header in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer x".to_owned(),
        "Bearer a.b.c".to_owned(),
        "Bearer ..".to_owned(),
        format!("Basic {token}"),
        format!("Token {token}"),
        token.clone(),
        format!("Bearer,{token}"),
        format!("Bearer {token} {token}"),
        format!("Bearer {token}."),
        format!("Bearer {}", &token[..token.len() - 1]),
        format!("Bearer {}", "a".repeat(9_000)),
    ] {
        refused(with_header(&app, &HeaderValue::from_str(&header).expect("a header")).await, "invalid_token");
    }
    refused(with_header(&app, &HeaderValue::from_bytes(b"Bearer \xff").expect("a header")).await, "invalid_token");
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let header = HeaderValue::from_str(&format!("{scheme} {token}")).expect("a header");
        with_header(&app, &header).await.expect(200);
    }
    app.finish().await;
}

#[tokio::test]
async fn two_credentials_are_one_too_many() {
    let app = TestApp::start(Backend::Sqlite).await;
    let request = || http_client().get(format!("{}/credits", app.url)).bearer_auth(app.token("user_1"));
    for request in [
        request().header("x-api-key", format!("topup_sk_{}", "0".repeat(64))),
        request().header("x-api-key", ""),
        request().header("authorization", format!("Bearer {}", app.token("user_2"))),
        http_client().get(format!("{}/credits", app.url)).header("x-api-key", "one").header("x-api-key", "two"),
    ] {
        app.send(request).await.expect_problem(400, "ambiguous_credentials");
    }
    app.finish().await;
}

#[tokio::test]
async fn the_times_of_a_token_are_checked_with_a_minutes_leeway() {
    let app = TestApp::start(Backend::Sqlite).await;
    let signer = Signer::secret(JWT_SECRET);
    for (changes, good) in [
        (json!({}), true),
        (json!({ "exp": seconds(&app, -50) }), true),
        (json!({ "exp": seconds(&app, -61) }), false),
        (json!({ "exp": null }), false),
        (json!({ "exp": "9999999999" }), false),
        (json!({ "exp": 9_999_999_999.5 }), true),
        (json!({ "nbf": seconds(&app, 50) }), true),
        (json!({ "nbf": seconds(&app, 90) }), false),
        (json!({ "iat": seconds(&app, 90) }), true),
    ] {
        let answer = with_token(&app, &signer.sign(None, &claims(&app, &changes))).await;
        if good { drop(answer.expect(200)) } else { refused(answer, "invalid_token") }
    }
    let token = app.token("user_1");
    with_token(&app, &token).await.expect(200);
    app.clock.advance_ms(3_661_000);
    refused(with_token(&app, &token).await, "invalid_token");
    app.finish().await;
}

#[tokio::test]
async fn a_token_must_be_signed_with_the_secret_and_its_algorithm() {
    let app = TestApp::start(Backend::Sqlite).await;
    let claims = claims(&app, &json!({}));
    refused(
        with_token(&app, &Signer::secret("another secret of 32 bytes or more").sign(None, &claims)).await,
        "invalid_token",
    );
    refused(with_token(&app, &Signer::private(Algorithm::RS256, RSA_A).sign(None, &claims)).await, "invalid_token");
    let stronger = Signer(Algorithm::HS512, EncodingKey::from_secret(JWT_SECRET.as_bytes()));
    refused(with_token(&app, &stronger.sign(None, &claims)).await, "invalid_token");
    let good = Signer::secret(JWT_SECRET).sign(None, &claims);
    let parts: Vec<&str> = good.split('.').collect();
    // {"alg":"none"}, {"alg":"None"} and {"typ":"JWT"}: with the signature, with another one and without one.
    for header in ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJOb25lIn0", "eyJ0eXAiOiJKV1QifQ"] {
        for signature in [parts[2], "AA", ""] {
            refused(with_token(&app, &format!("{header}.{}.{signature}", parts[1])).await, "invalid_token");
        }
    }
    let other =
        Signer::secret("x".repeat(32).as_str()).sign(None, &json!({ "sub": "user_2", "exp": seconds(&app, 60) }));
    let other = other.split('.').nth(1).expect("claims");
    refused(with_token(&app, &format!("{}.{other}.{}", parts[0], parts[2])).await, "invalid_token");
    with_token(&app, &good).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn a_public_key_is_no_secret_to_sign_with() {
    let app = asymmetric(RSA_A_PUBLIC, &[]).await;
    let claims = claims(&app, &json!({}));
    for secret in [RSA_A_PUBLIC, RSA_A_PUBLIC.trim_end()] {
        refused(with_token(&app, &Signer::secret(secret).sign(None, &claims)).await, "invalid_token");
    }
    refused(with_token(&app, &Signer::private(Algorithm::RS256, RSA_B).sign(None, &claims)).await, "invalid_token");
    refused(with_token(&app, &Signer::private(Algorithm::PS256, RSA_A).sign(None, &claims)).await, "invalid_token");
    with_token(&app, &Signer::private(Algorithm::RS256, RSA_A).sign(None, &claims)).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn each_kind_of_key_takes_its_own_tokens_and_no_others() {
    let all = [
        (Algorithm::RS256, RSA_A, RSA_A_PUBLIC),
        (Algorithm::ES256, pem!("ec_p256_private"), pem!("ec_p256_public")),
        (Algorithm::ES384, pem!("ec_p384_private"), pem!("ec_p384_public")),
        (Algorithm::EdDSA, pem!("ed25519_private"), pem!("ed25519_public")),
    ];
    for (algorithm, _, public) in all {
        let app = asymmetric(public, &[]).await;
        for (other, private, _) in all {
            let token = Signer::private(other, private).sign(None, &claims(&app, &json!({})));
            let answer = with_token(&app, &token).await;
            if other == algorithm { drop(answer.expect(200)) } else { refused(answer, "invalid_token") }
        }
        app.finish().await;
    }
    let app = asymmetric(RSA_A_PUBLIC, &[("JWT_ALGORITHMS", "PS256,RS512")]).await;
    for (algorithm, status) in [(Algorithm::PS256, 200), (Algorithm::RS512, 200), (Algorithm::RS256, 401)] {
        let token = Signer::private(algorithm, RSA_A).sign(None, &claims(&app, &json!({})));
        assert_eq!(with_token(&app, &token).await.status, status, "{algorithm:?}");
    }
    app.finish().await;
}

#[tokio::test]
async fn issuer_and_audience_are_checked_when_they_are_set() {
    let options = Options::default().setting("JWT_ISSUER", "https://id.example").setting("JWT_AUDIENCE", "topup,shop");
    let app = TestApp::start_with(Backend::Sqlite, options).await;
    let signer = Signer::secret(JWT_SECRET);
    for (changes, good) in [
        (json!({ "iss": "https://id.example", "aud": "topup" }), true),
        (json!({ "iss": "https://id.example", "aud": ["other", "shop"] }), true),
        (json!({ "iss": "https://id.example" }), false),
        (json!({ "iss": "https://id.example", "aud": "other" }), false),
        (json!({ "iss": "https://id.example", "aud": "topup,shop" }), false),
        (json!({ "iss": "https://id.example", "aud": [] }), false),
        (json!({ "iss": "https://id.example/", "aud": "topup" }), false),
        (json!({ "iss": ["https://id.example"], "aud": "topup" }), false),
        (json!({ "aud": "topup" }), false),
    ] {
        let answer = with_token(&app, &signer.sign(None, &claims(&app, &changes))).await;
        if good { drop(answer.expect(200)) } else { refused(answer, "invalid_token") }
    }
    app.finish().await;
}

#[tokio::test]
async fn the_account_is_the_tokens_subject_or_another_claim_that_is_set() {
    let app = TestApp::start(Backend::Sqlite).await;
    let signer = Signer::secret(JWT_SECRET);
    let long = "x".repeat(201);
    for account in [json!(null), json!(4.2), json!(""), json!(" "), json!("a\nb"), json!(["user_1"]), json!(long)] {
        let token = signer.sign(None, &claims(&app, &json!({ "sub": account })));
        refused(with_token(&app, &token).await, "invalid_token");
    }
    let longest = "é".repeat(200);
    let token = signer.sign(None, &claims(&app, &json!({ "sub": longest })));
    assert_eq!(with_token(&app, &token).await.expect(200)["accountId"], longest);
    app.finish().await;
    let options = Options::default().setting("JWT_ACCOUNT_CLAIM", "org_id");
    let app = TestApp::start_with(Backend::Sqlite, options).await;
    let token = signer.sign(None, &claims(&app, &json!({ "org_id": "org_7" })));
    assert_eq!(with_token(&app, &token).await.expect(200)["accountId"], "org_7");
    refused(with_token(&app, &signer.sign(None, &claims(&app, &json!({})))).await, "invalid_token");
    app.finish().await;
}

#[tokio::test]
async fn a_service_for_api_keys_only_takes_no_token() {
    let app = TestApp::start_with(Backend::Sqlite, Options::default().setting("JWT_SECRET", "")).await;
    refused(app.get_as("user_1", "/credits").await, "invalid_token");
    app.finish().await;
}

#[tokio::test]
async fn keys_of_the_issuer_are_found_again_when_they_rotate() {
    let (old, new) =
        (Signer::private(Algorithm::RS256, RSA_A), Signer::private(Algorithm::EdDSA, pem!("ed25519_private")));
    let issuer = FixedServer::start(200, key_set(&[old.jwk("old")]));
    let app = with_issuer(&issuer).await;
    let claims = claims(&app, &json!({ "iss": "https://id.example", "aud": "topup" }));
    with_token(&app, &old.sign(Some("old"), &claims)).await.expect(200);
    with_token(&app, &old.sign(Some("old"), &claims)).await.expect(200);
    assert_eq!(issuer.requests(), 1, "the set is kept");
    issuer.answer(200, key_set(&[new.jwk("new")]));
    with_token(&app, &new.sign(Some("new"), &claims)).await.expect(200);
    assert_eq!(issuer.requests(), 2);
    refused(with_token(&app, &old.sign(Some("old"), &claims)).await, "invalid_token");
    refused(with_token(&app, &new.sign(Some("invented"), &claims)).await, "invalid_token");
    assert_eq!(issuer.requests(), 2, "at most one refresh a minute for unknown keys");
    app.clock.advance_ms(61_000);
    refused(with_token(&app, &new.sign(Some("invented"), &claims)).await, "invalid_token");
    assert_eq!(issuer.requests(), 3);
    app.finish().await;
}

#[tokio::test]
async fn without_the_issuers_keys_tokens_wait_and_are_not_refused() {
    let signer = Signer::private(Algorithm::RS256, RSA_A);
    let issuer = FixedServer::start(500, "");
    let app = with_issuer(&issuer).await;
    let token = signer.sign(Some("a"), &claims(&app, &json!({ "iss": "https://id.example", "aud": "topup" })));
    let answer = with_token(&app, &token).await;
    assert_eq!(answer.headers.get("retry-after").map(String::as_str), Some("5"));
    let problem = answer.expect_problem(503, "keys_unavailable");
    assert!(!problem.to_string().contains("127.0.0.1"), "{problem}");
    let request = http_client().post(format!("{}/credits/sessions", app.url)).bearer_auth(&token);
    app.send(request.json(&json!({}))).await.expect_problem(503, "keys_unavailable");
    let request = http_client().get(format!("{}/credits/sessions/cs_test_1", app.url)).bearer_auth(&token);
    app.send(request).await.expect_problem(503, "keys_unavailable");
    issuer.answer(200, key_set(&[signer.jwk("a")]));
    app.clock.advance_ms(5_001);
    with_token(&app, &token).await.expect(200);
    issuer.answer(500, "");
    app.clock.advance_ms(20 * 60_000);
    with_token(&app, &token).await.expect(200);
    app.finish().await;
}

async fn with_issuer(issuer: &FixedServer) -> TestApp {
    let options = Options::default().setting("JWT_SECRET", "").setting("JWT_JWKS_URL", format!("{}/jwks", issuer.url));
    let options = options.setting("JWT_ISSUER", "https://id.example").setting("JWT_AUDIENCE", "topup");
    TestApp::start_with(Backend::Sqlite, options).await
}

on_both_databases! {
    /// Known mistake 16. The scope `admin` means nothing until the operator gives it a name.
    async fn one_customer_can_neither_top_up_nor_read_another(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (session, event) = app.pay_session("user_2", 250).await;
        app.deliver(&event).await.expect(200);
        let asked = app.stripe.requests().await.len();
        let with_scope = json!({ "scope": "admin", "admin": true, "role": "admin" });
        let token = Signer::secret(JWT_SECRET).sign(None, &claims(&app, &with_scope));
        for token in [app.token("user_1"), token] {
            for path in ["/accounts/user_2/credits", "/accounts/user_2/credits/transactions", "/accounts/user_1%20x/credits"] {
                let request = http_client().get(format!("{}{path}", app.url)).bearer_auth(&token);
                app.send(request).await.expect_problem(403, "account_forbidden");
            }
            let body = json!({ "credits": 250, "successUrl": SUCCESS_URL, "accountId": "user_2" });
            let request = http_client().post(format!("{}/credits/sessions", app.url)).bearer_auth(&token).json(&body);
            app.send(request).await.expect_problem(403, "account_forbidden");
            // The response does not reveal whether another customer's session exists.
            let read = async |id: &str| {
                let request = http_client().get(format!("{}/credits/sessions/{id}", app.url)).bearer_auth(&token);
                app.send(request).await.expect_problem(404, "not_found")
            };
            assert_eq!(read(&session).await, read("cs_test_unknown").await);
        }
        assert_eq!(app.stripe.requests().await.len(), asked);
        app.finish().await;
    }

    async fn an_admin_may_name_any_account(backend: Backend) {
        let app = TestApp::start_with(backend, Options::default().setting("JWT_ADMIN_SCOPE", "topup:admin")).await;
        let (session, event) = app.pay_session("user_2", 250).await;
        app.deliver(&event).await.expect(200);
        let get = async |scope: Value, path: &str| {
            let token = Signer::secret(JWT_SECRET).sign(None, &claims(&app, &json!({ "scope": scope })));
            app.send(http_client().get(format!("{}{path}", app.url)).bearer_auth(token)).await
        };
        for scope in [json!("topup:admin"), json!("openid topup:admin"), json!(["openid", "topup:admin"])] {
            let balance = get(scope.clone(), "/accounts/user_2/credits").await.expect(200);
            assert_eq!(balance["remainingCredits"], 250);
            get(scope.clone(), "/accounts/user_2/credits/transactions").await.expect(200);
            get(scope.clone(), &format!("/credits/sessions/{session}")).await.expect(200);
            assert_eq!(get(scope, "/credits").await.expect(200)["accountId"], "user_1", "without a name it is its own");
        }
        for scope in [json!("topup:admin2"), json!("topup"), json!(["openid topup:admin"]), json!({ "topup:admin": 1 })] {
            get(scope.clone(), "/accounts/user_2/credits").await.expect_problem(403, "account_forbidden");
            get(scope, &format!("/credits/sessions/{session}")).await.expect_problem(404, "not_found");
        }
        app.finish().await;
    }
}
