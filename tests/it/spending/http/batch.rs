//! Batches: many debits in one request, each decided by itself.

use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::{ACCOUNT, Shop, api_key, numbers, only_error, text};
use crate::on_both_databases;
use crate::support::Answer;

const PATH: &str = "/credits/debits/batch";

async fn send(shop: &Shop, items: Value) -> Answer {
    shop.post(PATH, "not read", &json!({ "items": items })).await
}

async fn results(shop: &Shop, items: Value) -> Vec<Value> {
    send(shop, items).await.expect(200)["results"].as_array().expect("a list").clone()
}

fn item(key: &str, account: &str, credits: i64) -> Value {
    json!({ "key": key, "accountId": account, "credits": credits })
}

/// Each result's key and either its code or the credits it took.
fn told(results: &[Value]) -> Vec<(&str, String)> {
    let tell = |result: &Value| match (result.get("spend"), result.get("problem")) {
        (Some(spend), None) if result["status"] == 200 => spend["credits"].to_string(),
        (None, Some(problem)) if problem["status"] == result["status"] => text(&problem["code"]),
        _ => panic!("{result}"),
    };
    results.iter().map(|result| (result["key"].as_str().unwrap_or("-"), tell(result))).collect()
}

fn expected<'k>(results: &[(&'k str, &str)]) -> Vec<(&'k str, String)> {
    results.iter().map(|(key, result)| (*key, (*result).to_owned())).collect()
}

on_both_databases! {
    async fn each_debit_has_its_own_result_in_order(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        shop.give("user_2", 50).await;
        let hold = json!({ "credits": 30 });
        shop.post("/accounts/user_2/credits/holds", "hold-1", &hold).await.expect(200);
        let rich = json!({ "key": "f", "accountId": ACCOUNT, "credits": 90, "onShortfall": "cap", "minimumCredits": 1,
            "operation": "chat", "subject": "member_7", "metadata": { "a": "b" } });
        let items = json!([item("a", ACCOUNT, 10), item("b", "user_2", 51), item("c", "user_2", 21),
            item("d", "user_3", 1), item("e", "user_2", 20), rich]);
        let results = results(&shop, items).await;
        let codes = [("a", "10"), ("b", "insufficient_credits"), ("c", "credits_held"), ("d", "insufficient_credits"),
            ("e", "20"), ("f", "90")];
        assert_eq!(told(&results), expected(&codes));
        assert_eq!(numbers(&results[1]["problem"]), [51, 20, 30, 0]);
        assert_eq!(results[1]["status"], 402);
        let last = &results[5]["spend"];
        assert_eq!((&last["operation"], &last["subject"]), (&json!("chat"), &json!("member_7")));
        assert_eq!(last["metadata"], json!({ "a": "b" }));
        assert_eq!((shop.app.credits(ACCOUNT).await, shop.app.credits("user_2").await), (0, 30));
        shop.close().await;
    }

    /// Known mistake 30.
    async fn debits_of_one_account_take_together_what_there_is_and_no_more(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let items: Value = (0..50).map(|number| item(&format!("k{number}"), ACCOUNT, 3)).collect();
        let results = results(&shop, items).await;
        let taken = results.iter().filter(|result| result["status"] == 200).count();
        assert!(results.iter().all(|result| result["status"] == 200 || result["status"] == 402), "{results:?}");
        assert_eq!((taken, shop.balance().await), (33, (1, 0)));
        shop.close().await;
    }

    /// Known mistake 32: the same key twice in one batch, and the same batch twice, charge once.
    async fn a_key_charges_once_within_a_batch_and_beyond(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        shop.give("user_2", 100).await;
        let other = item("a", ACCOUNT, 11);
        let items = json!([item("a", ACCOUNT, 10), item("a", ACCOUNT, 10), other, item("a", "user_2", 11)]);
        let first = results(&shop, items.clone()).await;
        let codes = [("a", "10"), ("a", "10"), ("a", "idempotency_key_reused"), ("a", "11")];
        assert_eq!(told(&first), expected(&codes));
        assert_eq!(first[0]["spend"]["id"], first[1]["spend"]["id"]);
        let again = results(&shop, items).await;
        assert_eq!(told(&again), told(&first));
        assert_eq!(again[0]["spend"]["id"], first[0]["spend"]["id"]);
        // The same keys as those of single debits.
        let single = shop.debit("a", 10).await;
        assert_eq!(single.headers["idempotent-replayed"], "true");
        assert_eq!(single.body["id"], first[0]["spend"]["id"]);
        assert_eq!((shop.app.credits(ACCOUNT).await, shop.app.credits("user_2").await), (90, 89));
        shop.close().await;
    }

    async fn a_batch_has_one_to_a_hundred_debits(backend: Backend) {
        let shop = Shop::with_credits(backend, 1_000).await;
        let metadata = json!({ "note": "x".repeat(2_000) });
        let items = |count: usize| -> Value {
            let item = |number: usize| {
                json!({ "key": format!("k{number}"), "accountId": ACCOUNT, "credits": 1, "metadata": metadata })
            };
            (0..count).map(item).collect()
        };
        for count in [0, 101] {
            let problem = send(&shop, items(count)).await.expect_problem(400, "invalid_request");
            assert_eq!(only_error(&problem).0, "items", "{count}");
        }
        assert_eq!(shop.balance().await, (1_000, 0));
        let all = results(&shop, items(100)).await;
        assert!(all.iter().all(|result| result["status"] == 200), "{all:?}");
        let keys: Vec<String> = all.iter().map(|result| text(&result["key"])).collect();
        assert_eq!(keys, (0..100).map(|number| format!("k{number}")).collect::<Vec<_>>());
        assert_eq!(shop.balance().await, (900, 0));
        let large = json!([{ "key": "k", "accountId": ACCOUNT, "credits": 1, "operation": "x".repeat(384 * 1_024) }]);
        send(&shop, large).await.expect_problem(413, "body_too_large");
        shop.close().await;
    }

    /// A debit that is malformed is told what is wrong with it, and stops none of the others.
    async fn a_malformed_debit_stops_no_other(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        // The key, what else the item has, and what is wrong with it.
        let malformed = [
            (None, r#""accountId": "user_1", "credits": 1"#, "key", "required"),
            (Some(json!(null)), r#""accountId": "user_1", "credits": 1"#, "key", "invalid_type"),
            (Some(json!(7)), r#""accountId": "user_1", "credits": 1"#, "key", "invalid_type"),
            (Some(json!("")), r#""accountId": "user_1", "credits": 1"#, "key", "invalid_key"),
            (Some(json!("a b")), r#""accountId": "user_1", "credits": 1"#, "key", "invalid_key"),
            (Some(json!("x".repeat(256))), r#""accountId": "user_1", "credits": 1"#, "key", "invalid_key"),
            (Some(json!("k")), r#""credits": 1"#, "accountId", "required"),
            (Some(json!("k")), r#""accountId": 7, "credits": 1"#, "accountId", "invalid_type"),
            (Some(json!("k")), r#""accountId": " x", "credits": 1"#, "accountId", "invalid_account"),
            (Some(json!("k")), r#""accountId": "user_1""#, "credits", "required"),
            (Some(json!("k")), r#""accountId": "user_1", "credits": 0"#, "credits", "range"),
            (Some(json!("k")), r#""accountId": "user_1", "credits": "1""#, "credits", "invalid_type"),
            (Some(json!("k")), r#""accountId": "user_1", "credits": 1, "credits": 2"#, "credits", "repeated"),
            (Some(json!("k")), r#""accountId": "user_1", "credit": 1"#, "credit", "unknown_field"),
            (Some(json!("k")), r#""accountId": "u", "credits": 1, "metadata": {"a": 1}"#, "metadata.a", "invalid_type"),
            (Some(json!("k")), r#""accountId": "u", "credits": 1, "onShortfall": 1"#, "onShortfall", "invalid_type"),
        ];
        let object = |key: &Option<Value>, rest: &str| match key {
            Some(key) => format!(r#"{{"key": {key}, {rest}}}"#),
            None => format!("{{{rest}}}"),
        };
        let objects: Vec<String> = malformed.iter().map(|(key, rest, ..)| object(key, rest)).collect();
        let mut texts: Vec<&str> = objects.iter().map(String::as_str).collect();
        texts.extend(["7", "null", "[]", "\"text\""]);
        let items: Vec<String> = texts
            .iter()
            .enumerate()
            .map(|(number, text)| format!(r#"{text},{{"key":"good-{number}","accountId":"user_1","credits":1}}"#))
            .collect();
        let body = format!(r#"{{"items":[{}]}}"#, items.join(","));
        let key = api_key(&shop.app, &[Scope::Spend], None).await;
        let request = shop.request(PATH).header("x-api-key", key).header("content-type", "application/json");
        let answer = shop.app.send(request.body(body)).await.expect(200);
        let results = answer["results"].as_array().expect("a list");
        assert_eq!(results.len(), 2 * texts.len());
        for (pair, (key, rest, field, code)) in results.chunks(2).zip(&malformed) {
            let named = key.as_ref().filter(|key| key.is_string()).cloned().unwrap_or_default();
            assert_eq!((&pair[0]["status"], &pair[0]["key"]), (&json!(400), &named), "{rest}");
            assert_eq!(only_error(&pair[0]["problem"]), ((*field).to_owned(), (*code).to_owned()), "{rest}");
        }
        for pair in results[2 * malformed.len()..].chunks(2) {
            assert_eq!((&pair[0]["key"], &pair[0]["problem"]["code"]), (&Value::Null, &json!("invalid_json")));
        }
        assert!(results.chunks(2).all(|pair| pair[1]["status"] == 200), "{results:?}");
        assert_eq!(shop.balance().await, (100 - i64::try_from(texts.len()).expect("small"), 0));
        shop.close().await;
    }

    async fn a_batch_that_is_none_takes_nothing(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let one = item("a", ACCOUNT, 1);
        for (body, field, code) in [
            (json!({}), "items", "required"),
            (json!({ "items": null }), "items", "invalid_type"),
            (json!({ "items": one }), "items", "invalid_type"),
            (json!({ "items": [one], "item": [] }), "item", "unknown_field"),
        ] {
            let problem = shop.post(PATH, "not read", &body).await.expect_problem(400, "invalid_request");
            assert_eq!(only_error(&problem), (field.to_owned(), code.to_owned()), "{body}");
        }
        shop.post(PATH, "not read", &json!([one])).await.expect_problem(400, "invalid_json");
        assert_eq!(shop.balance().await, (100, 0));
        shop.close().await;
    }

    async fn a_key_for_one_account_debits_no_other(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        shop.give("user_2", 100).await;
        let bound = api_key(&shop.app, &[Scope::Spend], Some(ACCOUNT)).await;
        let body = json!({ "items": [item("a", "user_2", 1), item("b", ACCOUNT, 1)] });
        let answer = shop.post_as(&bound, PATH, "not read", &body).await.expect(200);
        let results = answer["results"].as_array().expect("a list");
        assert_eq!(told(results), expected(&[("a", "account_forbidden"), ("b", "1")]));
        assert_eq!((shop.app.credits(ACCOUNT).await, shop.app.credits("user_2").await), (99, 100));
        shop.close().await;
    }
}
