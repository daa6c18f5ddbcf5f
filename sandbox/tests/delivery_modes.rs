//! Deliveries that are held, released, shuffled, dropped, duplicated, or rendered in another API version.

use serde_json::{Value, json};
use stripe_sandbox::Config;

use crate::support::{KEY, World, receiver::Receiver, start_with};

const MODE: &str = "/_sandbox/deliveries/mode";

async fn world_for(receiver: &Receiver) -> World {
    start_with(Config::local(KEY).with_webhook(&receiver.url, "whsec_1")).await
}

async fn mode(world: &World, change: Value) -> Value {
    let answer = world.control(MODE, &change.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn pay(world: &World) {
    let id = world.session().await;
    assert_eq!(world.confirm(&id, "pm_card_visa").await.status, 200);
}

async fn event_id(world: &World, kind: &str) -> String {
    let events = world.get(&format!("/v1/events?type={kind}")).await.json();
    events["data"][0]["id"].as_str().unwrap().to_owned()
}

async fn pending(world: &World) -> Vec<String> {
    let deliveries = world.get("/_sandbox/deliveries").await.json();
    let kinds = deliveries["pending"].as_array().unwrap().iter().map(|row| row["type"].as_str().unwrap().to_owned());
    kinds.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_held_types_wait_until_they_are_let_go() {
    let receiver = Receiver::start().await;
    let world = world_for(&receiver).await;
    mode(&world, json!({ "hold": ["charge.*"] })).await;
    pay(&world).await;
    world.idle().await;
    let mut arrived = receiver.kinds();
    arrived.sort();
    assert_eq!(arrived, ["checkout.session.completed", "payment_intent.created", "payment_intent.succeeded"]);
    assert_eq!(pending(&world).await, ["charge.succeeded", "charge.updated"]);
    mode(&world, json!({ "hold": false })).await;
    world.idle().await;
    assert_eq!(receiver.kinds().len(), 5);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_held_event_can_be_delivered_and_another_dropped() {
    let receiver = Receiver::start().await;
    let world = world_for(&receiver).await;
    mode(&world, json!({ "hold": true })).await;
    pay(&world).await;
    let (wanted, unwanted) = (event_id(&world, "charge.succeeded").await, event_id(&world, "charge.updated").await);
    let deliver = world.control(&format!("/_sandbox/events/{wanted}/deliver"), "").await;
    assert_eq!(deliver.json(), json!({ "event": wanted, "delivering": 1 }));
    world.idle().await;
    assert_eq!(receiver.kinds(), ["charge.succeeded"]);
    let dropped = world.control(&format!("/_sandbox/events/{unwanted}/drop"), "").await;
    assert_eq!(dropped.json(), json!({ "event": unwanted, "dropped": 1 }));
    for (id, action) in [(&wanted, "deliver"), (&unwanted, "drop")] {
        let answer = world.control(&format!("/_sandbox/events/{id}/{action}"), "").await;
        assert_eq!(answer.status, 409, "nothing is left of it: {}", answer.text);
    }
    assert_eq!(world.control("/_sandbox/events/evt_x/deliver", "").await.status, 404);
    mode(&world, json!({ "hold": false })).await;
    world.idle().await;
    assert!(!receiver.kinds().contains(&"charge.updated".to_owned()), "{:?}", receiver.kinds());
    assert_eq!(receiver.kinds().len(), 4);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_delivery_never_comes_and_is_listed_as_undelivered() {
    let receiver = Receiver::start().await;
    let world = world_for(&receiver).await;
    mode(&world, json!({ "drop_next": 1, "drop_type": "checkout.session.completed" })).await;
    pay(&world).await;
    world.idle().await;
    assert!(!receiver.kinds().contains(&"checkout.session.completed".to_owned()));
    assert_eq!(receiver.kinds().len(), 4);
    assert_eq!(world.get(MODE).await.json()["drop_next"], json!(0));
    let undelivered = world.get("/v1/events?delivery_success=false").await.json();
    assert_eq!(undelivered["data"][0]["type"], json!("checkout.session.completed"));
    let deliveries = world.get("/_sandbox/deliveries").await.json();
    let dropped = deliveries["deliveries"].as_array().unwrap().iter().find(|row| row["error"].is_string()).unwrap();
    assert_eq!(dropped["error"], json!("dropped on request"));
    pay(&world).await;
    world.idle().await;
    assert!(receiver.kinds().contains(&"checkout.session.completed".to_owned()), "only the first was dropped");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_have_the_same_event_and_come_exactly_twice() {
    let receiver = Receiver::start().await;
    let world = world_for(&receiver).await;
    mode(&world, json!({ "duplicate": true })).await;
    pay(&world).await;
    world.idle().await;
    let mut bodies: Vec<_> = receiver.received().into_iter().map(|webhook| webhook.raw).collect();
    assert_eq!(bodies.len(), 10);
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 5);
    world.sandbox.stop().await;
}

/// The order in which the held events of one payment arrive.
async fn shuffled(seed: u64) -> Vec<String> {
    let receiver = Receiver::start().await;
    let mut config = Config::local(KEY).with_webhook(&receiver.url, "whsec_1");
    config.seed = Some(seed);
    let world = start_with(config).await;
    mode(&world, json!({ "hold": true, "shuffle": true })).await;
    pay(&world).await;
    mode(&world, json!({ "hold": false })).await;
    world.idle().await;
    world.sandbox.stop().await;
    receiver.kinds()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seed_decides_the_shuffled_order() {
    let first = shuffled(1).await;
    assert_eq!(first.len(), 5);
    assert_eq!(shuffled(1).await, first);
    assert_ne!(shuffled(2).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_can_be_sent_again_in_an_older_version() {
    let receiver = Receiver::start().await;
    let world = world_for(&receiver).await;
    pay(&world).await;
    world.idle().await;
    let id = event_id(&world, "checkout.session.completed").await;
    let path = format!("/_sandbox/events/{id}/resend");
    world.control(&path, r#"{"api_version": "2025-09-30.clover"}"#).await;
    world.idle().await;
    let again = receiver.received().last().unwrap().event();
    assert_eq!((&again["id"], &again["api_version"]), (&json!(id), &json!("2025-09-30.clover")));
    assert_eq!(again["data"]["object"]["ui_mode"], json!("hosted"));
    assert_eq!(world.control(&path, r#"{"api_version": "soon"}"#).await.status, 400);
    mode(&world, json!({ "api_version": "2024-04-10" })).await;
    world.control(&path, "").await;
    world.idle().await;
    assert_eq!(receiver.received().last().unwrap().event()["api_version"], json!("2024-04-10"));
    world.sandbox.stop().await;
}
