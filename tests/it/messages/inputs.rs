//! Bad input at each route: an error that names the field and the way out, and who may ask.

use reqwest::Method;
use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::receiver::Receiver;
use super::{Product, text};
use crate::on_both_databases;
use crate::support::app::http_client;

const UNKNOWN: &str = "endpoint_00000000000000000000000000000000";

fn routes(id: &str) -> Vec<(Method, String, Option<Value>)> {
    let url = json!({ "url": "http://127.0.0.1:9000/hook" });
    vec![
        (Method::GET, "/admin/endpoints".to_owned(), None),
        (Method::POST, "/admin/endpoints".to_owned(), Some(url.clone())),
        (Method::GET, format!("/admin/endpoints/{id}"), None),
        (Method::PATCH, format!("/admin/endpoints/{id}"), Some(url)),
        (Method::POST, format!("/admin/endpoints/{id}/rotate"), None),
        (Method::POST, format!("/admin/endpoints/{id}/test"), None),
        (Method::GET, format!("/admin/endpoints/{id}/deliveries"), None),
        (Method::GET, format!("/admin/endpoints/{id}/deliveries/msg_1"), None),
        (Method::POST, format!("/admin/endpoints/{id}/deliveries/msg_1/resend"), None),
        (Method::POST, format!("/admin/endpoints/{id}/resend"), Some(json!({ "from": "2026-01-01T00:00:00Z" }))),
        (Method::DELETE, format!("/admin/endpoints/{id}"), None),
    ]
}

fn alerts() -> Vec<(Method, String, Option<Value>)> {
    let path = "/admin/accounts/user_1/alerts";
    vec![
        (Method::GET, path.to_owned(), None),
        (Method::PUT, path.to_owned(), Some(json!({ "lowCredits": 5 }))),
        (Method::DELETE, path.to_owned(), None),
    ]
}

on_both_databases! {
    async fn only_operators_of_all_accounts_may_ask(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        let (id, _) = product.add(&receiver).await;
        let key = async |scopes: &[Scope], account| crate::spending::http::api_key(&product.app, scopes, account).await;
        let weak = key(&[Scope::Spend, Scope::Read, Scope::Checkout], None).await;
        let bound = key(&[Scope::Admin], Some("user_2")).await;
        let strong = key(&[Scope::Admin], None).await;
        let ask = async |method: &Method, path: &str, body: &Option<Value>, key: &str| {
            let request = http_client().request(method.clone(), format!("{}{path}", product.app.url));
            let request = if key.is_empty() { request } else { request.header("x-api-key", key) };
            product
                .app
                .send(match body {
                    Some(body) => request.json(body),
                    None => request,
                })
                .await
        };
        for (method, path, body) in routes(&id).into_iter().chain(alerts()) {
            ask(&method, &path, &body, "").await.expect_problem(401, "missing_credentials");
            ask(&method, &path, &body, &weak).await.expect_problem(403, "scope_missing");
            ask(&method, &path, &body, &bound).await.expect_problem(403, "account_forbidden");
            let customer = http_client().request(method.clone(), format!("{}{path}", product.app.url));
            let customer = customer.bearer_auth(product.app.token("user_1"));
            product.app.send(customer).await.expect_problem(403, "admin_required");
        }
        let listed = ask(&Method::GET, "/admin/endpoints", &None, &strong).await.expect(200);
        assert_eq!(listed["data"].as_array().map(Vec::len), Some(1), "none was created");
        ask(&Method::GET, "/admin/accounts/user_2/alerts", &None, &bound).await.expect(200);
        product.finish().await;
    }

    async fn what_is_not_there_is_not_found(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        let (id, _) = product.add(&receiver).await;
        for unknown in [UNKNOWN, "endpoint_1", "topup_00000000000000000000000000000000", "%00", "x%2Fy"] {
            for (method, path, body) in routes(unknown).into_iter().filter(|(_, path, _)| path.contains(unknown)) {
                let answer = product.ask(method.clone(), &path, body).await;
                assert_eq!(
                    (answer.status, &answer.body["code"]),
                    (404, &json!("not_found")),
                    "{method} {path} {}",
                    answer.body,
                );
            }
        }
        for message in ["msg_1", "%00", "msg%2F1"] {
            let path = format!("/admin/endpoints/{id}/deliveries/{message}");
            product.get(&path).await.expect_problem(404, "not_found");
            product.post(&format!("{path}/resend"), json!({})).await.expect_problem(404, "not_found");
        }
        product.finish().await;
    }

    async fn each_wrong_field_is_named(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        let (id, _) = product.add(&receiver).await;
        let endpoint = format!("/admin/endpoints/{id}");
        let long = "x".repeat(201);
        let url = "https://app.example.com/hook";
        let of_endpoint = [
            (json!({ "url": "" }), "url", "invalid_url"),
            (json!({ "url": "app.example.com" }), "url", "invalid_url"),
            (json!({ "url": 5 }), "url", "invalid_type"),
            (json!({ "url": "http://8.8.8.8/" }), "url", "https_required"),
            (json!({ "url": "ftp://app.example.com/" }), "url", "https_required"),
            (json!({ "url": "https://user:secret@app.example.com/" }), "url", "credentials_in_url"),
            (json!({ "url": "https://app.example.com/#x" }), "url", "fragment_in_url"),
            (json!({ "url": "https://app.example.com:22/" }), "url", "port_not_allowed"),
            (json!({ "url": "https://10.0.0.1/" }), "url", "address_not_allowed"),
            (json!({ "url": "https://0xa000001/" }), "url", "address_not_allowed"),
            (json!({ "url": "https://[::ffff:10.0.0.1]/" }), "url", "address_not_allowed"),
            (json!({ "url": "http://169.254.169.254/latest/meta-data" }), "url", "address_not_allowed"),
            (json!({ "url": format!("https://app.example.com/{}", "a".repeat(2_100)) }), "url", "too_long"),
            (json!({ "url": url, "types": ["topup.paid", "topup.stolen"] }), "types", "unknown_type"),
            (json!({ "url": url, "types": "topup.paid" }), "types", "invalid_type"),
            (json!({ "url": url, "description": long }), "description", "invalid_description"),
            (json!({ "url": url, "description": "a\u{0}b" }), "description", "invalid_description"),
            (json!({ "url": url, "colour": "red" }), "colour", "unknown_field"),
        ];
        for (body, field, code) in &of_endpoint {
            for (method, path) in [(Method::POST, "/admin/endpoints"), (Method::PATCH, &endpoint)] {
                let problem =
                    product.ask(method, path, Some(body.clone())).await.expect_problem(400, "invalid_request");
                let error = &problem["errors"][0];
                assert_eq!(
                    (error["field"].as_str(), error["code"].as_str()),
                    (Some(*field), Some(*code)),
                    "{body} {problem}",
                );
            }
        }
        let resend = format!("{endpoint}/resend");
        let alerts = "/admin/accounts/user_1/alerts".to_owned();
        let create = "/admin/endpoints".to_owned();
        for (method, path, body, field) in [
            (Method::POST, &create, json!({}), "url"),
            (Method::POST, &create, json!({ "url": null }), "url"),
            (Method::PATCH, &endpoint, json!({ "state": "deleted" }), "state"),
            (Method::PATCH, &endpoint, json!({ "state": 5 }), "state"),
            (Method::POST, &resend, json!({}), "from"),
            (Method::POST, &resend, json!({ "from": "yesterday" }), "from"),
            (Method::POST, &resend, json!({ "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z" }), "to"),
            (Method::POST, &resend, json!({ "from": "2026-01-02T00:00:00Z", "to": 5 }), "to"),
            (Method::POST, &resend, json!({ "from": "2026-01-02T00:00:00Z", "which": "some" }), "which"),
            (Method::PUT, &alerts, json!({}), "lowCredits"),
            (Method::PUT, &alerts, json!({ "lowCredits": -1 }), "lowCredits"),
            (Method::PUT, &alerts, json!({ "lowCredits": 1.5 }), "lowCredits"),
            (Method::PUT, &alerts, json!({ "lowCredits": 9_007_199_254_740_992_i64 }), "lowCredits"),
            (Method::PUT, &alerts, json!({ "lowCredits": 1, "high": 2 }), "high"),
        ] {
            let problem = product.ask(method, path, Some(body.clone())).await.expect_problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], field, "{body} {problem}");
        }
        for (query, field) in [
            ("state=lost", "state"),
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=x", "limit"),
            ("cursor=x", "cursor"),
        ] {
            let problem =
                product.get(&format!("{endpoint}/deliveries?{query}")).await.expect_problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], field, "{query} {problem}");
        }
        product.ask(Method::PUT, &alerts, None).await.expect_problem(415, "unsupported_media_type");
        let shown = product.get(&endpoint).await.expect(200);
        assert_eq!(text(&shown["url"]), receiver.url, "nothing was changed");
        product.finish().await;
    }
}
