//! `Idempotency-Key`: the first answer, success or error, is replayed, and nothing happens twice.

use serde_json::json;

use crate::support::{SESSION, session_with, start};

const PATH: &str = "/v1/checkout/sessions";

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_and_parameters_give_the_first_answer() {
    let world = start().await;
    let first = world.post_with_key(PATH, SESSION, "key-1").await;
    assert_eq!(first.header("idempotency-key"), "key-1");
    assert_eq!(first.header("idempotent-replayed"), "");
    let mut reordered = SESSION.to_vec();
    reordered.reverse();
    let second = world.post_with_key(PATH, &reordered, "key-1").await;
    assert_eq!(second.text, first.text);
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(second.header("original-request"), first.header("request-id"));
    assert_ne!(second.header("request-id"), first.header("request-id"));
    assert_eq!(world.get(PATH).await.json()["data"].as_array().unwrap().len(), 1);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_parameters_or_another_endpoint_are_an_idempotency_error() {
    let world = start().await;
    let id = world.post_with_key(PATH, SESSION, "key-1").await.json()["id"].as_str().unwrap().to_owned();
    let other = session_with(&[("client_reference_id", "account-2")]);
    let answer = world.post_with_key(PATH, &other, "key-1").await;
    assert_eq!((answer.status, &answer.json()["error"]["type"]), (400, &json!("idempotency_error")));
    assert!(answer.error().3.starts_with(
        "Keys for idempotent requests can only be used with the same parameters they were first used with."
    ));
    let answer = world.post_with_key(&format!("{PATH}/{id}/expire"), &[], "key-1").await;
    assert!(answer.error().3.contains("same endpoint they were first used for"), "{}", answer.text);
    let long = "k".repeat(256);
    let answer = world.post_with_key(PATH, SESSION, &long).await;
    assert_eq!((answer.status, &answer.json()["error"]["type"]), (400, &json!("idempotency_error")));
    assert_eq!(world.get(PATH).await.json()["data"].as_array().unwrap().len(), 1);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_does_not_use_its_key_up() {
    let world = start().await;
    let wrong = session_with(&[("mode", "-")]);
    assert_eq!(world.post_with_key(PATH, &wrong, "key-1").await.status, 400);
    assert_eq!(world.post_with_key(PATH, SESSION, "key-1").await.status, 200);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_is_kept_and_does_not_charge_again() {
    let world = start().await;
    let id = world.session().await;
    let path = format!("/v1/payment_pages/{id}/confirm");
    let params = [("payment_method", "pm_card_visa_chargeDeclined"), ("expected_amount", "289")];
    let first = world.post_with_key(&path, &params, "key-1").await;
    let second = world.post_with_key(&path, &params, "key-1").await;
    assert_eq!((first.status, second.status), (402, 402));
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(world.event_types().await.len(), 3);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_key_is_409_and_a_500_is_repeated() {
    let world = start().await;
    let hold = json!({ "method": "POST", "path": PATH, "kind": "hold" });
    world.control("/_sandbox/faults", &hold.to_string()).await;
    let first = world.post_with_key(PATH, SESSION, "key-1");
    let meanwhile = async {
        world.get("/_sandbox/holds?wait_for=1").await;
        let answer = world.post_with_key(PATH, SESSION, "key-1").await;
        world.control("/_sandbox/release", "").await;
        answer
    };
    let (first, meanwhile) = tokio::join!(first, meanwhile);
    assert_eq!((meanwhile.status, meanwhile.error().1.as_str()), (409, "idempotency_key_in_use"));
    assert_eq!(first.status, 200);
    assert_eq!(world.post_with_key(PATH, SESSION, "key-1").await.text, first.text, "the 409 was not kept");

    for (when, key, count) in [("before", "key-2", 1), ("after", "key-3", 2)] {
        let fault = json!({ "path": PATH, "when": when, "kind": "status", "status": 500 });
        world.control("/_sandbox/faults", &fault.to_string()).await;
        let first = world.post_with_key(PATH, SESSION, key).await;
        let second = world.post_with_key(PATH, SESSION, key).await;
        assert_eq!((first.status, second.status), (500, 500), "{when}");
        assert_eq!(second.header("idempotent-replayed"), "true");
        let sessions = world.get(PATH).await.json();
        assert_eq!(sessions["data"].as_array().unwrap().len(), count, "{when}");
    }
    let limit = json!({ "path": PATH, "kind": "status", "status": 429 });
    world.control("/_sandbox/faults", &limit.to_string()).await;
    let first = world.post_with_key(PATH, SESSION, "key-4").await;
    assert_eq!((first.status, first.error().1.as_str()), (429, "rate_limit"));
    assert_eq!(first.header("stripe-rate-limited-reason"), "global-rate");
    assert_eq!(world.post_with_key(PATH, SESSION, "key-4").await.status, 200, "a 429 is not kept");
    world.sandbox.stop().await;
}

/// A thousand answers are kept. After many more, the first one is dropped and its key can be used again.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_long_session_the_oldest_answers_are_dropped_and_that_of_an_open_session_is_not() {
    let world = start().await;
    let opened = world.post_with_key("/v1/checkout/sessions", SESSION, "open").await;
    let url = [("url", "http://127.0.0.1:9/"), ("enabled_events[]", "*")];
    let endpoint = world.post("/v1/webhook_endpoints", &url).await.json();
    let path = format!("/v1/webhook_endpoints/{}", endpoint["id"].as_str().unwrap());
    for number in 0..=1_100 {
        let answer = world.post_with_key(&path, &[("description", "first")], &format!("key-{number}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let again = async |key: &str| world.post_with_key(&path, &[("description", "second")], key).await.status;
    assert_eq!(again("key-1100").await, 400, "its answer is kept, and to another request");
    assert_eq!(again("key-0").await, 200, "its answer is gone");
    let repeated = world.post_with_key("/v1/checkout/sessions", SESSION, "open").await;
    assert_eq!((&repeated.text, repeated.header("idempotent-replayed")), (&opened.text, "true"));
    world.sandbox.stop().await;
}
