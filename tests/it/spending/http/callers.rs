//! Who may spend, and who may look.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::{ACCOUNT, Shop, api_key, text};
use crate::admin::admin_token;
use crate::on_both_databases;
use crate::support::app::http_client;

/// What a spending account has.
struct Ids {
    hold: String,
    spend: String,
}

impl Ids {
    async fn of(shop: &Shop) -> Self {
        Self { hold: shop.hold(10).await, spend: shop.spend(10).await }
    }

    /// The routes that change something, with bodies that would succeed.
    fn changes(&self) -> Vec<(String, Value)> {
        let (hold, spend) = (&self.hold, &self.spend);
        vec![
            (format!("/accounts/{ACCOUNT}/credits/debits"), json!({ "credits": 1 })),
            (format!("/accounts/{ACCOUNT}/credits/holds"), json!({ "credits": 1 })),
            (format!("/credits/holds/{hold}/extend"), json!({ "credits": 11 })),
            (format!("/credits/holds/{hold}/capture"), json!({ "credits": 1 })),
            (format!("/credits/holds/{hold}/release"), json!({})),
            (format!("/credits/debits/{spend}/refunds"), json!({ "credits": 1 })),
            (
                "/credits/debits/batch".to_owned(),
                json!({ "items": [{ "key": "a", "accountId": ACCOUNT, "credits": 1 }] }),
            ),
        ]
    }

    /// The routes that show something, below an account or by an id.
    fn looks(&self) -> [String; 5] {
        [
            format!("/accounts/{ACCOUNT}/credits/holds"),
            format!("/accounts/{ACCOUNT}/credits/access"),
            format!("/accounts/{ACCOUNT}/credits/grants"),
            format!("/credits/holds/{}", self.hold),
            format!("/credits/debits/{}", self.spend),
        ]
    }
}

fn request(shop: &Shop, method: Method, path: &str) -> RequestBuilder {
    http_client().request(method, format!("{}{path}", shop.app.url))
}

fn post(shop: &Shop, path: &str, body: &Value) -> RequestBuilder {
    request(shop, Method::POST, path).header("idempotency-key", "request-1").json(body)
}

/// Whether a path names the account, rather than something of it by its id.
fn names_account(path: &str) -> bool {
    path.starts_with("/accounts/")
}

on_both_databases! {
    async fn a_server_spends_with_the_scope_spend_and_no_other(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let ids = Ids::of(&shop).await;
        let others = api_key(&shop.app, &[Scope::Read, Scope::Checkout], None).await;
        for (path, body) in ids.changes() {
            let refused = shop.app.send(post(&shop, &path, &body).header("x-api-key", &others)).await;
            let problem = refused.expect_problem(403, "scope_missing");
            assert!(text(&problem["detail"]).contains("spend"), "{problem}");
        }
        // Whether an id exists is not told either.
        let unknown = format!("/credits/holds/hold_{}/release", "0".repeat(32));
        let refused = shop.app.send(post(&shop, &unknown, &json!({})).header("x-api-key", &others)).await;
        refused.expect_problem(403, "scope_missing");
        assert_eq!(shop.balance().await, (90, 10));
        for scope in [Scope::Spend, Scope::Admin] {
            let key = api_key(&shop.app, &[scope], None).await;
            for (path, body) in Ids::of(&shop).await.changes() {
                let answer = shop.app.send(post(&shop, &path, &body).header("x-api-key", &key)).await;
                // After the capture, the release comes too late.
                let expected = if path.ends_with("/release") { 409 } else { 200 };
                assert_eq!(answer.status, expected, "{path}: {}", answer.body);
            }
        }
        shop.close().await;
    }

    /// Nobody spends with a token, not even an operator.
    async fn a_token_looks_and_never_spends(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let ids = Ids::of(&shop).await;
        for token in [shop.app.token(ACCOUNT), shop.app.token("user_2"), admin_token(&shop.app)] {
            for (path, body) in ids.changes() {
                let refused = shop.app.send(post(&shop, &path, &body).bearer_auth(&token)).await;
                refused.expect_problem(403, "api_key_required");
            }
        }
        for (path, body) in ids.changes() {
            shop.app.send(post(&shop, &path, &body)).await.expect_problem(401, "missing_credentials");
        }
        assert_eq!(shop.balance().await, (90, 10));
        for path in ids.looks() {
            for token in [shop.app.token(ACCOUNT), admin_token(&shop.app)] {
                shop.app.send(request(&shop, Method::GET, &path).bearer_auth(token)).await.expect(200);
            }
            let other = shop.app.send(request(&shop, Method::GET, &path).bearer_auth(shop.app.token("user_2"))).await;
            if names_account(&path) {
                other.expect_problem(403, "account_forbidden");
            } else {
                other.expect_problem(404, "not_found");
            }
            shop.app.send(request(&shop, Method::GET, &path)).await.expect_problem(401, "missing_credentials");
        }
        shop.close().await;
    }

    async fn a_server_looks_with_the_scope_read(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let ids = Ids::of(&shop).await;
        let (read, spend) = (
            api_key(&shop.app, &[Scope::Read], None).await,
            api_key(&shop.app, &[Scope::Spend, Scope::Checkout], None).await,
        );
        let unknown = [format!("hold_{}", "0".repeat(32)), format!("spend_{}", "0".repeat(32))];
        let unknown = [format!("/credits/holds/{}", unknown[0]), format!("/credits/debits/{}", unknown[1])];
        for path in ids.looks() {
            shop.get_as(&read, &path).await.expect(200);
            shop.get_as(&spend, &path).await.expect_problem(403, "scope_missing");
        }
        for path in unknown {
            shop.get_as(&read, &path).await.expect_problem(404, "not_found");
            shop.get_as(&spend, &path).await.expect_problem(403, "scope_missing");
        }
        shop.close().await;
    }

    /// Known mistake 16: another account's holds and spends are as if they were not there.
    async fn a_key_for_one_account_does_nothing_with_another(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        shop.give("user_2", 100).await;
        let ids = Ids::of(&shop).await;
        for scopes in [&[Scope::Spend, Scope::Read][..], &[Scope::Admin]] {
            let other = api_key(&shop.app, scopes, Some("user_2")).await;
            for (path, body) in ids.changes() {
                let refused = shop.app.send(post(&shop, &path, &body).header("x-api-key", &other)).await;
                match path.as_str() {
                    "/credits/debits/batch" => {
                        assert_eq!(refused.expect(200)["results"][0]["problem"]["code"], "account_forbidden");
                    }
                    path if names_account(path) => drop(refused.expect_problem(403, "account_forbidden")),
                    _ => drop(refused.expect_problem(404, "not_found")),
                }
            }
            for path in ids.looks() {
                let refused = shop.get_as(&other, &path).await;
                if names_account(&path) {
                    refused.expect_problem(403, "account_forbidden");
                } else {
                    refused.expect_problem(404, "not_found");
                }
            }
        }
        assert_eq!((shop.balance().await, shop.app.credits("user_2").await), ((90, 10), 100));
        let own = api_key(&shop.app, &[Scope::Spend, Scope::Read], Some(ACCOUNT)).await;
        for path in ids.looks() {
            shop.get_as(&own, &path).await.expect(200);
        }
        for (path, body) in ids.changes() {
            let answer = shop.app.send(post(&shop, &path, &body).header("x-api-key", &own)).await;
            let expected = if path.ends_with("/release") { 409 } else { 200 };
            assert_eq!(answer.status, expected, "{path}: {}", answer.body);
        }
        shop.close().await;
    }
}
