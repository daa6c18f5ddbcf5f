//! Faults that a test asks for.

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
