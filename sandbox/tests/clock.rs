//! The sandbox's clock: advancing it triggers what is due, and signatures keep the machine's time.

use std::time::Duration;

use serde_json::{Value, json};
use stripe_sandbox::{Config, RetryPolicy};

use crate::support::{
    KEY, World,
    receiver::{Receiver, Reply},
    start, start_with,
};

const CLOCK: &str = "/_sandbox/clock";
const A_DAY: i64 = 86_400;

async fn advance(world: &World, seconds: i64) -> Value {
    let answer = world.control(CLOCK, &json!({ "advance_seconds": seconds }).to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_expire_when_the_clock_is_advanced() {
    let world = start().await;
    let id = world.session().await;
    advance(&world, A_DAY - 60).await;
    let path = format!("/v1/checkout/sessions/{id}");
    assert_eq!(world.get(&path).await.json()["status"], json!("open"));
    advance(&world, 60).await;
    assert_eq!(world.event_types().await, ["checkout.session.expired"], "before anyone asked for the session");
    let expired = world.get("/v1/events").await.json();
    let now = world.get(CLOCK).await.json();
    let (created, machine) = (expired["data"][0]["created"].as_i64().unwrap(), now["machine_now"].as_i64().unwrap());
    assert!(created >= machine + A_DAY - 5, "events have the sandbox's time");
    assert_eq!(world.session().await.get(..8), Some("cs_test_"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_come_when_the_clock_is_advanced_with_a_signature_of_the_machines_time() {
    let receiver = Receiver::start().await;
    receiver.will(&[Reply::Status(500)]);
    let mut config = Config::local(KEY).with_webhook(&receiver.url, "whsec_1");
    config.retry = RetryPolicy { initial: Duration::from_hours(1), max: Duration::from_hours(1), attempts: 5 };
    let world = start_with(config).await;
    let id = world.session().await;
    world.post(&format!("/v1/checkout/sessions/{id}/expire"), &[]).await;
    world.idle().await;
    assert_eq!(receiver.received().len(), 1);
    let clock = advance(&world, 3_600).await;
    let webhooks = receiver.until(|webhooks| webhooks.len() == 2).await;
    let signed_at: i64 = webhooks[1].signature[2..].split(',').next().unwrap().parse().unwrap();
    assert!((signed_at - clock["machine_now"].as_i64().unwrap()).abs() < 60, "{signed_at}: {clock}");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn time_goes_on_from_where_it_was_set_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::local(KEY);
    config.state_file = Some(folder.path().join("state.json"));
    let world = start_with(config.clone()).await;
    let machine = world.get(CLOCK).await.json()["machine_now"].as_i64().unwrap();
    let set = world.control(CLOCK, &json!({ "now": machine + 1_000 }).to_string()).await.json();
    assert!((999..=1_001).contains(&set["offset_seconds"].as_i64().unwrap()), "{set}");
    for wrong in [json!({ "now": machine }), json!({ "advance_seconds": -1 }), json!({}), json!({ "now": i64::MAX })] {
        assert_eq!(world.control(CLOCK, &wrong.to_string()).await.status, 400, "{wrong}");
    }
    world.sandbox.stop().await;
    let world = start_with(config).await;
    let offset = world.get(CLOCK).await.json()["offset_seconds"].as_i64().unwrap();
    assert!((999..=1_001).contains(&offset), "{offset}");
    world.sandbox.stop().await;
}

/// A client that does not know that the clock was advanced still counts from the machine's clock.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_can_be_opened_by_the_machines_clock_after_the_clock_was_advanced() {
    let world = start().await;
    for seconds in [3_600, A_DAY, 7 * A_DAY] {
        let clock = advance(&world, seconds).await;
        let (now, machine) = (clock["now"].as_i64().unwrap(), clock["machine_now"].as_i64().unwrap());
        let form = |expires_at: i64| {
            vec![
                ("mode", "payment".to_owned()),
                ("success_url", "https://shop.test/".to_owned()),
                ("line_items[0][quantity]", "1".to_owned()),
                ("line_items[0][price_data][currency]", "usd".to_owned()),
                ("line_items[0][price_data][unit_amount]", "1000".to_owned()),
                ("line_items[0][price_data][product_data][name]", "Thing".to_owned()),
                ("expires_at", expires_at.to_string()),
            ]
        };
        let open = async |expires_at: i64| {
            let form = form(expires_at);
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            world.post("/v1/checkout/sessions", &form).await
        };
        let opened = open(machine + 3_600).await;
        assert_eq!(opened.status, 200, "{}", opened.text);
        let session = opened.json();
        let expires_at = session["expires_at"].as_i64().unwrap();
        assert!((now + 3_590..=now + 3_610).contains(&expires_at), "{expires_at} is an hour from {now}");
        assert_eq!(open(now + 3_600).await.json()["expires_at"], json!(now + 3_600), "its own clock holds too");
        assert_eq!(open(machine + 60).await.status, 400, "too near by either clock");
    }
    world.sandbox.stop().await;
}
