//! Bad input: each route names the field that is wrong, and does nothing.

use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::{ACCOUNT, DEBITS, HOLDS, Shop, api_key, new_key, only_error, text};
use crate::on_both_databases;

/// The largest number of credits.
const MOST: i64 = 9_007_199_254_740_991;

/// A field, a value that it cannot have, and the code of the error.
type Wrong = (&'static str, Value, &'static str);

fn all(field: &'static str, code: &'static str, values: impl IntoIterator<Item = Value>) -> Vec<Wrong> {
    values.into_iter().map(|value| (field, value, code)).collect()
}

fn no_text(field: &'static str) -> Vec<Wrong> {
    all(field, "invalid_type", [json!(7), json!(true), json!(["a"]), json!({ "a": "b" })])
}

fn no_whole_number(field: &'static str) -> Vec<Wrong> {
    let others =
        [json!("12"), json!(""), json!(1.5), json!(12.0), json!(1e30), json!(u64::MAX), json!(true), json!([12])];
    all(field, "invalid_type", others)
}

/// Neither a whole number, nor one within the limits.
fn no_number(field: &'static str, least: i64, most: i64) -> Vec<Wrong> {
    let beyond = [least - 1, most + 1, i64::MIN, i64::MAX].map(Value::from);
    no_whole_number(field).into_iter().chain(all(field, "range", beyond)).collect()
}

/// A field that cannot be left out.
fn required(field: &'static str) -> Wrong {
    (field, Value::Null, "required")
}

fn metadata_of(entries: u32) -> Value {
    let entries = (0..entries).map(|number| (format!("k{number}"), json!("v")));
    entries.collect::<serde_json::Map<_, _>>().into()
}

fn no_metadata() -> Vec<Wrong> {
    let large = [metadata_of(17), json!({ "a": "x".repeat(2_041) }), json!({ "a": "\u{0}".repeat(341) })];
    let mut wrong = all("metadata", "too_much_metadata", large);
    wrong.extend(all("metadata", "invalid_type", [json!("a"), json!(7), json!(["a"]), json!(true)]));
    wrong.extend(all("metadata.a", "invalid_type", [json!(1), json!(null), json!(true), json!({}), json!(["a"])]));
    wrong
}

/// What debits and holds are not for.
fn no_purpose() -> Vec<Wrong> {
    let operations = ["", " ", "Chat", "a b", "a/b", "\u{e9}", "a\u{0}", &"x".repeat(65)].map(Value::from);
    let subjects = ["", " ", " x", "x ", "a\nb", "a\u{0}b", "a\u{200b}b", &"x".repeat(201)].map(Value::from);
    let mut wrong = all("operation", "invalid_operation", operations);
    wrong.extend(all("subject", "invalid_subject", subjects));
    wrong.extend(no_text("operation").into_iter().chain(no_text("subject")).chain(no_metadata()));
    wrong
}

fn no_shortfall() -> Vec<Wrong> {
    all("onShortfall", "invalid_type", [json!("Cap"), json!("take"), json!(""), json!(7), json!(true)])
}

fn no_reason() -> Vec<Wrong> {
    let texts = ["", " ", "a\u{0}b", "a\nb", &"x".repeat(501)].map(Value::from);
    all("reason", "invalid_reason", texts).into_iter().chain(no_text("reason")).collect()
}

/// A shop, and an API key that may do everything.
struct Checker {
    shop: Shop,
    key: String,
}

impl Checker {
    async fn open(backend: crate::support::Backend) -> Self {
        let shop = Shop::with_credits(backend, 100).await;
        let key = api_key(&shop.app, &[Scope::Admin], None).await;
        Self { shop, key }
    }

    async fn refused(&self, path: &str, body: &Value, code: &str) -> Value {
        self.shop.post_as(&self.key, path, &new_key(), body).await.expect_problem(400, code)
    }

    /// Sends a good body with one field wrong. Each time nothing is done, and the answer names the field.
    async fn check(&self, path: &str, good: Value, wrong: Vec<Wrong>) {
        let before = (self.shop.balance().await, self.shop.entries().await);
        for (field, value, code) in wrong.into_iter().chain([("madeUp", json!(1), "unknown_field")]) {
            let mut body = good.clone();
            match field.split_once('.') {
                Some((object, name)) => body[object] = json!({ name: value }),
                None => body[field] = value,
            }
            let problem = self.refused(path, &body, "invalid_request").await;
            assert_eq!(only_error(&problem), (field.to_owned(), code.to_owned()), "{path} {body}");
            let message = text(&problem["errors"][0]["message"]);
            assert!(message.len() > 5 && text(&problem["detail"]) == format!("{field}: {message}"), "{problem}");
            if code == "required" {
                body.as_object_mut().expect("an object").remove(field);
                let problem = self.refused(path, &body, "invalid_request").await;
                assert_eq!(only_error(&problem), (field.to_owned(), code.to_owned()), "{path} {body}");
            }
        }
        for body in [json!([good]), json!("text"), json!(7), Value::Null] {
            self.refused(path, &body, "invalid_json").await;
        }
        let plain = self.shop.request(path).header("x-api-key", &self.key).header("idempotency-key", new_key());
        let plain = plain.header("content-type", "text/plain").body(good.to_string());
        self.shop.app.send(plain).await.expect_problem(415, "unsupported_media_type");
        let large = json!({ "credits": 1, "operation": "x".repeat(16 * 1_024) });
        let large = self.shop.post_as(&self.key, path, &new_key(), &large).await;
        large.expect_problem(413, "body_too_large");
        assert_eq!((self.shop.balance().await, self.shop.entries().await), before, "{path}");
    }
}

on_both_databases! {
    async fn a_bad_debit_names_the_field_and_takes_nothing(backend: Backend) {
        let checker = Checker::open(backend).await;
        let mut wrong = vec![required("credits"), ("minimumCredits", json!(13), "out_of_range")];
        wrong.extend(no_number("credits", 1, MOST).into_iter().chain(no_number("minimumCredits", 0, MOST)));
        wrong.extend(no_shortfall().into_iter().chain(no_purpose()));
        checker.check(DEBITS, json!({ "credits": 12, "onShortfall": "cap" }), wrong).await;
        checker.shop.close().await;
    }

    async fn a_bad_hold_names_the_field_and_reserves_nothing(backend: Backend) {
        let checker = Checker::open(backend).await;
        let mut wrong = vec![required("credits"), ("minimumCredits", json!(13), "out_of_range")];
        wrong.extend(no_number("credits", 1, MOST).into_iter().chain(no_number("minimumCredits", 1, MOST)));
        wrong.extend(no_number("expiresInSeconds", 1, 86_400).into_iter().chain(no_purpose()));
        wrong.push(("onShortfall", json!("cap"), "unknown_field"));
        checker.check(HOLDS, json!({ "credits": 12 }), wrong).await;
        checker.shop.close().await;
    }

    async fn a_bad_change_of_a_hold_names_the_field_and_leaves_it(backend: Backend) {
        let checker = Checker::open(backend).await;
        let hold = checker.shop.hold(20).await;
        let path = |what: &str| format!("/credits/holds/{hold}/{what}");
        let mut wrong = no_number("credits", 1, MOST);
        wrong.extend(no_number("expiresInSeconds", 1, 604_800));
        checker.check(&path("extend"), json!({ "credits": 30, "expiresInSeconds": 60 }), wrong).await;
        for nothing in [json!({}), json!({ "credits": null, "expiresInSeconds": null })] {
            let problem = checker.refused(&path("extend"), &nothing, "invalid_request").await;
            assert_eq!(only_error(&problem), ("credits".to_owned(), "required".to_owned()));
        }
        let mut wrong = vec![required("credits"), ("operation", json!("chat"), "unknown_field")];
        wrong.extend(no_number("credits", 0, MOST).into_iter().chain(no_shortfall()).chain(no_metadata()));
        checker.check(&path("capture"), json!({ "credits": 12 }), wrong).await;
        let stored = checker.shop.get(&format!("/credits/holds/{hold}")).await.expect(200);
        assert_eq!((&stored["state"], &stored["credits"]), (&json!("open"), &json!(20)));
        checker.shop.close().await;
    }

    async fn a_bad_refund_names_the_field_and_gives_nothing_back(backend: Backend) {
        let checker = Checker::open(backend).await;
        let spend = checker.shop.spend(50).await;
        let wrong = no_number("credits", 1, MOST).into_iter().chain(no_reason()).collect();
        let path = format!("/credits/debits/{spend}/refunds");
        checker.check(&path, json!({ "credits": 12, "reason": "a test" }), wrong).await;
        checker.shop.close().await;
    }

    async fn a_bad_promotion_names_the_field_and_gives_nothing(backend: Backend) {
        let checker = Checker::open(backend).await;
        let times = ["", "tomorrow", "2027-01-01", "2027-01-01T00:00:00", "2027-13-01T00:00:00Z", "1893456000"];
        let mut wrong = vec![required("credits"), required("reason")];
        wrong.extend(all("expiresAt", "invalid_time", times.map(Value::from)).into_iter().chain(no_text("expiresAt")));
        wrong.extend(all("category", "invalid_type", [json!("free"), json!("Paid"), json!(0)]));
        wrong.extend(all("create", "invalid_type", [json!("true"), json!(1)]));
        wrong.extend(no_whole_number("credits").into_iter().chain(no_number("priority", 0, 100)));
        wrong.extend(all("credits", "range", [json!(0), json!(-1), json!(i64::MIN)]));
        wrong.extend(all("credits", "out_of_range", [json!(1_000_000_001), json!(i64::MAX)]));
        wrong.extend(no_reason());
        let good = json!({ "credits": 12, "reason": "a test" });
        checker.check(&format!("/admin/accounts/{ACCOUNT}/grants"), good, wrong).await;
        let grant = checker.shop.promote(json!({ "credits": 12, "reason": "a test" })).await;
        let wrong = no_reason().into_iter().chain([required("reason")]).collect();
        let path = format!("/admin/grants/{}/void", text(&grant["id"]));
        checker.check(&path, json!({ "reason": "a test" }), wrong).await;
        checker.shop.close().await;
    }

    async fn a_bad_list_names_the_parameter(backend: Backend) {
        let checker = Checker::open(backend).await;
        let queries =
            ["state=closed", "state=Open", "limit=0", "limit=101", "limit=x", "cursor=7", "cursor=x_1", "cursor=7_%00"];
        for query in queries {
            let field = query.split('=').next().unwrap_or_default();
            let answer = checker.shop.get(&format!("{HOLDS}?{query}")).await;
            assert_eq!(only_error(&answer.expect_problem(400, "invalid_request")).0, field, "{query}");
        }
        checker.shop.close().await;
    }

    async fn an_account_that_can_be_none_is_named(backend: Backend) {
        let checker = Checker::open(backend).await;
        let body = json!({ "credits": 1, "reason": "a test" });
        for account in ["%20", "user%0A1", "user%00", "%20user_1", "user%E2%80%8B1", &"x".repeat(201)] {
            for what in ["credits/debits", "credits/holds"] {
                let path = format!("/accounts/{account}/{what}");
                let problem = checker.refused(&path, &body, "invalid_request").await;
                assert_eq!(only_error(&problem), ("accountId".to_owned(), "invalid_account".to_owned()), "{path}");
            }
            let problem = checker.refused(&format!("/admin/accounts/{account}/grants"), &body, "invalid_request").await;
            assert_eq!(only_error(&problem), ("accountId".to_owned(), "invalid_account".to_owned()), "{account}");
            for what in ["credits/holds", "credits/access", "credits/grants"] {
                let answer = checker.shop.get(&format!("/accounts/{account}/{what}")).await;
                let problem = answer.expect_problem(400, "invalid_request");
                assert_eq!(only_error(&problem), ("accountId".to_owned(), "invalid_account".to_owned()), "{account}");
            }
        }
        checker.shop.close().await;
    }

    /// What is just within the limits is taken as it is.
    async fn the_largest_good_values_are_taken(backend: Backend) {
        let checker = Checker::open(backend).await;
        let shop = &checker.shop;
        let (plain, escaped) = ("x".repeat(2_040), "\u{0}".repeat(340));
        for metadata in [metadata_of(16), json!({ "a": plain }), json!({ "a": escaped }), json!({})] {
            let body = json!({ "credits": 1, "operation": "a0_.-".repeat(12), "subject": "\u{e9}".repeat(200),
                "metadata": metadata });
            let spend = shop.post(DEBITS, &new_key(), &body).await.expect(200);
            let hold = shop.post(HOLDS, &format!("{:x<255}", new_key()), &body).await;
            let hold = format!("/credits/holds/{}", text(&hold.expect(200)["id"]));
            for stored in [spend, shop.get(&hold).await.expect(200)] {
                for field in ["operation", "subject", "metadata"] {
                    assert_eq!(stored[field], body[field]);
                }
            }
        }
        for path in [DEBITS, HOLDS] {
            shop.post(path, &new_key(), &json!({ "credits": MOST })).await.expect_problem(402, "insufficient_credits");
        }
        let capped = json!({ "credits": MOST, "onShortfall": "cap", "minimumCredits": null, "operation": null,
            "subject": null, "metadata": null });
        let spend = shop.post(DEBITS, &new_key(), &capped).await.expect(200);
        assert_eq!((&spend["credits"], &spend["requestedCredits"]), (&json!(92), &json!(MOST)));
        let all = json!({ "credits": 1_000_000_000, "priority": 100, "reason": "x".repeat(500), "expiresAt": null });
        shop.promote(all).await;
        let hold = shop.hold(1).await;
        assert_eq!(shop.capture(&hold, MOST).await.expect(200)["credits"], 1_000_000_000);
        checker.shop.close().await;
    }
}
