//! The control page: plain forms that do what the JSON controls do, and redirect to the page.

use reqwest::Method;
use serde_json::json;
use stripe_sandbox::Config;

use crate::support::{
    Answer, KEY, World,
    receiver::{Receiver, Reply},
    start, start_with,
};

async fn submit(world: &World, path: &str, form: &[(&str, &str)]) -> Answer {
    world.post(&format!("/_sandbox/form/{path}"), form).await
}

async fn page(world: &World) -> String {
    let answer = world.get("/_sandbox").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text
}

/// Whether the page has a form with this target.
fn offers(page: &str, path: &str) -> bool {
    page.contains(&format!("action=\"/_sandbox/form/{path}\""))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_offers_what_can_be_done_now_and_leads_back_after_it() {
    let world = start().await;
    assert!(world.get("/").await.text.contains("href=\"/_sandbox\""));
    let open = world.session().await;
    let delayed = world.session().await;
    world.confirm(&delayed, "pm_sandbox_delayed").await;
    let before = page(&world).await;
    assert!(before.contains("no money moves"));
    for path in [format!("sessions/{open}/expire"), format!("sessions/{delayed}/settle")] {
        assert!(offers(&before, &path), "{path}");
    }
    let expired = submit(&world, &format!("sessions/{open}/expire"), &[]).await;
    assert_eq!((expired.status, expired.header("location")), (303, "/_sandbox#payments"));
    submit(&world, &format!("sessions/{delayed}/settle"), &[("outcome", "succeeded")]).await;
    let after = page(&world).await;
    assert!(!offers(&after, &format!("sessions/{open}/expire")));
    assert!(!offers(&after, &format!("sessions/{delayed}/settle")));
    let again = submit(&world, &format!("sessions/{open}/expire"), &[]).await;
    assert_eq!(again.status, 400);
    assert!(again.text.contains("role=\"alert\"") && again.text.contains("can be expired"), "{}", again.text);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_waits_a_moment_for_deliveries_and_says_when_that_was_too_short() {
    let receiver = Receiver::start().await;
    receiver.will(&[Reply::Hang]);
    let world = start_with(Config::local(KEY).with_webhook(&receiver.url, "whsec_1")).await;
    let under_way = "being delivered at this moment";
    assert!(!page(&world).await.contains(under_way));
    let session = world.session().await;
    submit(&world, &format!("sessions/{session}/expire"), &[]).await;
    let began = std::time::Instant::now();
    let shown = page(&world).await;
    assert!(began.elapsed() >= std::time::Duration::from_secs(1), "mostly it is delivered by then");
    assert!(shown.contains(under_way) && shown.contains("not delivered yet"), "{shown}");
    receiver.release();
    world.idle().await;
    let shown = page(&world).await;
    assert!(!shown.contains(under_way) && !shown.contains("not delivered yet"), "{shown}");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_refunded_and_disputed_on_the_page() {
    let world = start().await;
    let intent = world.paid("pm_card_visa").await;
    let shown = page(&world).await;
    assert!(shown.contains("<strong>$2.89</strong> account-1 · 250 × Credits · "), "{shown}");
    let path = format!("payment_intents/{intent}");
    assert!(offers(&page(&world).await, &format!("{path}/refund")));
    assert_eq!(submit(&world, &format!("{path}/refund"), &[("amount", "1.00")]).await.status, 303);
    assert_eq!(submit(&world, &format!("{path}/dispute"), &[("inquiry", "true")]).await.status, 303);
    let refund = world.get("/v1/refunds").await.json()["data"][0].clone();
    assert_eq!(refund["amount"], json!(100));
    let dispute = world.get("/v1/disputes").await.json()["data"][0].clone();
    assert_eq!(dispute["status"], json!("warning_needs_response"));
    let path = format!("refunds/{}", refund["id"].as_str().unwrap());
    assert!(offers(&page(&world).await, &path));
    assert_eq!(submit(&world, &path, &[("status", "failed")]).await.header("location"), "/_sandbox#refunds");
    assert_eq!(world.get("/v1/refunds").await.json()["data"][0]["status"], json!("failed"));
    let path = format!("disputes/{}", dispute["id"].as_str().unwrap());
    submit(&world, &path, &[("to", "warning_closed")]).await;
    assert_eq!(world.get("/v1/disputes").await.json()["data"][0]["status"], json!("warning_closed"));
    let wrong = submit(&world, &format!("payment_intents/{intent}/refund"), &[("amount", "1.555")]).await;
    assert!(wrong.text.contains("must be an amount of money such as $1.50"), "{}", wrong.text);
    let shown = page(&world).await;
    assert!(shown.contains("such as 1.50") && !shown.contains("minor units"), "{shown}");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_the_mode_is_the_whole_mode() {
    let world = start().await;
    let form = [("hold", "charge.*, checkout.session.completed"), ("shuffle", "true"), ("drop_next", "2")];
    submit(&world, "deliveries/mode", &form).await;
    let mode = world.get("/_sandbox/deliveries/mode").await.json();
    assert_eq!(mode["hold"], json!(["charge.*", "checkout.session.completed"]));
    assert_eq!((&mode["shuffle"], &mode["drop_next"]), (&json!(true), &json!(2)));
    submit(&world, "deliveries/mode", &[("hold_all", "true"), ("hold", ""), ("api_version", "2022-11-15")]).await;
    let mode = world.get("/_sandbox/deliveries/mode").await.json();
    assert_eq!((&mode["hold"], &mode["shuffle"], &mode["drop_next"]), (&json!(true), &json!(false), &json!(0)));
    assert!(page(&world).await.contains("<option value=\"2022-11-15\" selected>"));
    submit(&world, "deliveries/mode/clear", &[]).await;
    assert_eq!(world.get("/_sandbox/deliveries/mode").await.json()["hold"], json!(false));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_delivered_dropped_and_sent_again_on_the_page() {
    let receiver = Receiver::start().await;
    let config = Config::local(KEY).with_webhook(&receiver.url, "whsec_1");
    let world = start_with(config).await;
    submit(&world, "deliveries/mode", &[("hold_all", "true")]).await;
    let id = world.session().await;
    submit(&world, &format!("sessions/{id}/expire"), &[]).await;
    let event = world.get("/v1/events").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    assert!(offers(&page(&world).await, &format!("events/{event}/drop")));
    submit(&world, &format!("events/{event}/deliver"), &[]).await;
    world.idle().await;
    assert_eq!(receiver.kinds(), ["checkout.session.expired"]);
    assert!(!offers(&page(&world).await, &format!("events/{event}/drop")), "nothing is left to drop");
    submit(&world, "deliveries/mode/clear", &[]).await;
    submit(&world, &format!("events/{event}/resend"), &[("api_version", "2024-04-10")]).await;
    world.idle().await;
    assert_eq!(receiver.received()[1].event()["api_version"], json!("2024-04-10"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_seen_on_the_page_and_ended_there_and_time_is_advanced() {
    let world = start().await;
    let form = [("kind", "500"), ("for_seconds", "60"), ("times", ""), ("path", "/v1/*")];
    assert_eq!(submit(&world, "outage", &form).await.header("location"), "/_sandbox#outage");
    assert!(page(&world).await.contains("60 more seconds"));
    submit(&world, "outage/clear", &[]).await;
    assert!(!offers(&page(&world).await, "outage/clear"));
    assert_eq!(submit(&world, "clock", &[("advance_seconds", "3600")]).await.status, 303);
    assert_eq!(world.get("/_sandbox/clock").await.json()["offset_seconds"], json!(3_600));
    let shown = page(&world).await;
    assert!(shown.contains(" UTC</strong>, 1 h ahead of this machine"), "{shown}");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_cannot_use_the_forms_and_the_page_loads_nothing() {
    let world = start().await;
    for (origin, status) in [("https://evil.example", 403), (world.sandbox.url().as_str(), 303)] {
        let headers = [("origin", origin)];
        let form = [("advance_seconds", "60")];
        let answer = world.send(Method::POST, "/_sandbox/form/clock", &form, &headers).await.unwrap();
        assert_eq!(answer.status, status, "{origin}");
    }
    let answer = world.get("/_sandbox").await;
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-"));
    assert!(!answer.text.contains("<script"));
    world.sandbox.stop().await;
}
