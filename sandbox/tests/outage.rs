//! API outages and recovery.

use serde_json::{Value, json};

use crate::support::{SESSION, World, start};

const OUTAGE: &str = "/_sandbox/outage";
const SESSIONS: &str = "/v1/checkout/sessions";

async fn begin(world: &World, outage: Value) {
    let answer = world.control(OUTAGE, &outage.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

async fn clear(world: &World) {
    let answer = world.send(reqwest::Method::DELETE, OUTAGE, &[], &[]).await.unwrap();
    assert_eq!(answer.json(), json!({ "outage": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_are_refused_and_not_kept_under_the_key() {
    let world = start().await;
    begin(&world, json!({ "kind": "429", "times": 2 })).await;
    for _ in 0..2 {
        let answer = world.post_with_key(SESSIONS, SESSION, "key-1").await;
        assert_eq!((answer.status, answer.header("stripe-rate-limited-reason")), (429, "global-rate"));
        assert_eq!(answer.error().1, "rate_limit");
    }
    let answer = world.post_with_key(SESSIONS, SESSION, "key-1").await;
    assert_eq!((answer.status, answer.header("idempotent-replayed")), (200, ""));
    assert_eq!(world.get(OUTAGE).await.json(), json!({ "outage": null }));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server_errors_last_until_their_time_is_over_and_stay_under_the_key() {
    let world = start().await;
    begin(&world, json!({ "kind": "500", "for_seconds": 60 })).await;
    assert_eq!(world.post_with_key(SESSIONS, SESSION, "key-1").await.status, 500);
    assert_eq!(world.get("/v1/events").await.status, 500);
    world.control("/_sandbox/clock", r#"{"advance_seconds": 60}"#).await;
    let replayed = world.post_with_key(SESSIONS, SESSION, "key-1").await;
    assert_eq!((replayed.status, replayed.header("idempotent-replayed")), (500, "true"));
    let listed = world.get(SESSIONS).await.json();
    assert_eq!(listed["data"], json!([]), "nothing was done");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_requests_below_the_path_meet_the_outage() {
    let world = start().await;
    begin(&world, json!({ "kind": "unreachable", "path": "/v1/checkout/*" })).await;
    assert!(world.send(reqwest::Method::GET, SESSIONS, &[], &[]).await.is_err());
    assert_eq!(world.get("/v1/events").await.status, 200);
    clear(&world).await;
    assert_eq!(world.get(SESSIONS).await.status, 200);
    assert_eq!(world.control(OUTAGE, r#"{"kind":"slow"}"#).await.status, 400);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_request_gets_no_answer_and_does_nothing() {
    let world = start().await;
    begin(&world, json!({ "kind": "timeout" })).await;
    let silent = world.send(reqwest::Method::POST, SESSIONS, SESSION, &[]);
    let ended = async {
        world.get("/_sandbox/holds?wait_for=1").await;
        clear(&world).await;
    };
    let (answer, ()) = tokio::join!(silent, ended);
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(world.get(SESSIONS).await.json()["data"], json!([]));
    world.sandbox.stop().await;
}
