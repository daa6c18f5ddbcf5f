//! Faults injected by a test.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{SESSION, World, start};

const PATH: &str = "/v1/checkout/sessions";

async fn fault(world: &World, fault: serde_json::Value) {
    let answer = world.control("/_sandbox/faults", &fault.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

async fn sessions(world: &World) -> usize {
    world.get(PATH).await.json()["data"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_cut_before_or_after_the_work() {
    let world = start().await;
    for (when, replayed, before, after) in [("before", "", 0, 1), ("after", "true", 2, 2)] {
        fault(&world, json!({ "method": "POST", "path": PATH, "when": when, "kind": "disconnect" })).await;
        let cut = world.send(reqwest::Method::POST, PATH, SESSION, &[("idempotency-key", when)]).await;
        assert!(cut.is_err(), "{when}: {cut:?}");
        assert_eq!(sessions(&world).await, before, "{when}");
        let again = world.post_with_key(PATH, SESSION, when).await;
        assert_eq!((again.status, again.header("idempotent-replayed")), (200, replayed), "{when}");
        assert_eq!(sessions(&world).await, after, "{when}");
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_delayed_patched_and_counted() {
    let world = start().await;
    fault(&world, json!({ "path": "/v1/checkout/*", "kind": "delay", "delay_ms": 150 })).await;
    let begin = Instant::now();
    world.session().await;
    assert!(begin.elapsed() >= Duration::from_millis(150));
    fault(
        &world,
        json!({ "path": PATH, "kind": "patch", "body": { "url": null, "total_details": { "amount_tax": 5 } } }),
    )
    .await;
    let patched = world.post(PATH, SESSION).await.json();
    assert_eq!(patched["url"], json!(null));
    assert_eq!(patched["total_details"], json!({ "amount_discount": 0, "amount_shipping": 0, "amount_tax": 5 }));
    fault(&world, json!({ "method": "GET", "path": PATH, "times": 2, "kind": "status", "status": 503 })).await;
    let statuses = [world.get(PATH).await.status, world.get(PATH).await.status, world.get(PATH).await.status];
    assert_eq!(statuses, [503, 503, 200]);
    let faults = world.get("/_sandbox/faults").await.json();
    assert_eq!(faults, json!({ "faults": [] }), "each was used up");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_makes_no_sense_is_refused() {
    let world = start().await;
    for body in [
        "{}",
        "nonsense",
        r#"{"path":"/v1/x","kind":"explode"}"#,
        r#"{"path":"/c/pay/x","kind":"hold"}"#,
        r#"{"path":"/v1/x","kind":"status","status":200}"#,
        r#"{"path":"/v1/x","kind":"patch","body":1}"#,
        r#"{"path":"/v1/x","times":0,"kind":"hold"}"#,
        r#"{"path":"/v1/x","kind":"later","status":400,"after_seconds":1}"#,
        r#"{"path":"/v1/x","kind":"later","when":"after","after_seconds":1}"#,
    ] {
        assert_eq!(world.control("/_sandbox/faults", body).await.status, 400, "{body}");
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_recorded_with_their_answers() {
    let world = start().await;
    let answer = world.post_with_key(PATH, SESSION, "key-1").await;
    world.get(&format!("{PATH}/cs_x?expand[]=line_items")).await;
    let recorded = world.get("/_sandbox/requests").await.json();
    let first = &recorded["requests"][0];
    assert_eq!((&first["method"], &first["path"], &first["status"]), (&json!("POST"), &json!(PATH), &json!(200)));
    assert_eq!(first["idempotency_key"], json!("key-1"));
    assert_eq!(first["request_id"], json!(answer.header("request-id")));
    assert_eq!(first["params"]["line_items"]["1"]["price_data"]["unit_amount"], json!("39"));
    let second = &recorded["requests"][1];
    assert_eq!((&second["status"], &second["params"]["expand"]["0"]), (&json!(404), &json!("line_items")));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gives_up_on_a_held_request_does_not_undo_it() {
    let world = start().await;
    fault(&world, json!({ "method": "POST", "path": PATH, "kind": "hold" })).await;
    {
        let held = world.post(PATH, SESSION);
        let wait = world.get("/_sandbox/holds?wait_for=1");
        tokio::select! {
            _ = held => panic!("it was held"),
            _ = wait => {}
        }
    }
    world.control("/_sandbox/release", "").await;
    let done = async {
        while world.get("/_sandbox/requests").await.json()["requests"][0]["status"] != json!(200) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), done).await.expect("the request was carried out");
    assert_eq!(sessions(&world).await, 1);
    world.sandbox.stop().await;
}

const REFUNDS: &str = "/v1/refunds";

async fn refunds(world: &World) -> usize {
    world.get(REFUNDS).await.json()["data"].as_array().unwrap().len()
}

async fn advance(world: &World, seconds: i64) {
    let answer = world.control("/_sandbox/clock", &json!({ "advance_seconds": seconds }).to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_now_is_done_later_and_repeated_under_its_key() {
    let world = start().await;
    let intent = world.paid("pm_card_visa").await;
    let ask = [("payment_intent", intent.as_str()), ("amount", "100")];
    fault(&world, json!({ "path": REFUNDS, "kind": "later", "status": 500, "after_seconds": 60 })).await;
    assert_eq!(world.post_with_key(REFUNDS, &ask, "key-1").await.status, 500);
    advance(&world, 59).await;
    assert_eq!(refunds(&world).await, 0);
    let again = world.post_with_key(REFUNDS, &ask, "key-1").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (500, "true"));
    advance(&world, 2).await;
    assert_eq!(refunds(&world).await, 1);
    let again = world.post_with_key(REFUNDS, &ask, "key-1").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (500, "true"), "the failure stays");
    assert!(world.event_types().await.contains(&"refund.created".to_owned()));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_connection_whose_work_is_done_later_keeps_its_key_in_use_until_then() {
    let world = start().await;
    let intent = world.paid("pm_card_visa").await;
    let ask = [("payment_intent", intent.as_str()), ("amount", "100")];
    fault(&world, json!({ "path": REFUNDS, "kind": "later", "after_seconds": 60 })).await;
    assert!(world.send(reqwest::Method::POST, REFUNDS, &ask, &[("idempotency-key", "key-1")]).await.is_err());
    let (status, code, ..) = world.post_with_key(REFUNDS, &ask, "key-1").await.error();
    assert_eq!((status, code.as_str()), (409, "idempotency_key_in_use"));
    advance(&world, 61).await;
    let again = world.post_with_key(REFUNDS, &ask, "key-1").await;
    assert_eq!((again.status, again.header("idempotent-replayed"), refunds(&world).await), (200, "true", 1));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_lag_and_single_objects_do_not() {
    let world = start().await;
    let session = world.session().await;
    advance(&world, 31).await;
    let lag = |seconds: u32| json!({ "lag_seconds": seconds }).to_string();
    assert_eq!(world.control("/_sandbox/lists", &lag(30)).await.status, 200);
    let late = world.session().await;
    let listed = world.get(PATH).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!(listed["data"][0]["id"], json!(session));
    assert_eq!(world.get(&format!("{PATH}/{late}")).await.status, 200);
    advance(&world, 31).await;
    assert_eq!(sessions(&world).await, 2);
    assert_eq!(world.control("/_sandbox/lists", &lag(3_600)).await.status, 200);
    assert_eq!(sessions(&world).await, 0);
    assert_eq!(world.control("/_sandbox/lists", &lag(0)).await.status, 200);
    assert_eq!(sessions(&world).await, 2);
    assert_eq!(world.control("/_sandbox/lists", "{}").await.status, 400);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_waits_for_the_request_with_its_parameters() {
    let world = start().await;
    fault(&world, json!({ "path": PATH, "params": { "client_reference_id": "somebody" }, "kind": "disconnect" })).await;
    world.session().await;
    let theirs = crate::support::session_with(&[("client_reference_id", "somebody")]);
    assert!(world.send(reqwest::Method::POST, PATH, &theirs, &[]).await.is_err());
    let words = json!({ "path": PATH, "kind": "status", "status": 400, "message": "Not today." });
    fault(&world, words).await;
    assert_eq!(world.post(PATH, SESSION).await.error().3, "Not today.");
    world.sandbox.stop().await;
}
