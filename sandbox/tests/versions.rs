//! Older API versions: the same objects in their format of that time, in answers and in webhooks.

use reqwest::Method;
use serde_json::{Value, json};
use stripe_sandbox::{Config, WebhookEndpoint};

use crate::support::{KEY, SESSION, World, receiver::Receiver, start, start_with};

const CONFIRM: &[(&str, &str)] = &[("payment_method", "pm_card_visa"), ("expected_amount", "289")];

async fn get(world: &World, path: &str, version: &str) -> Value {
    world.send(Method::GET, path, &[], &[("stripe-version", version)]).await.unwrap().json()
}

async fn post(world: &World, path: &str, params: &[(&str, &str)], version: &str) -> Value {
    world.send(Method::POST, path, params, &[("stripe-version", version)]).await.unwrap().json()
}

fn has(object: &Value, name: &str) -> bool {
    object.as_object().unwrap().contains_key(name)
}

/// The webhooks of one payment, for an endpoint of each version.
async fn webhooks(versions: &[&str], kind: &str) -> Vec<Value> {
    let mut config = Config::local(KEY);
    let mut receivers = Vec::new();
    for version in versions {
        let receiver = Receiver::start().await;
        config.webhook_endpoints.push(WebhookEndpoint {
            url: receiver.url.clone(),
            secret: "whsec_1".to_owned(),
            enabled_events: vec![kind.to_owned()],
            api_version: Some((*version).to_owned()),
            thin: false,
            standby: false,
        });
        receivers.push(receiver);
    }
    let world = start_with(config).await;
    let id = world.session().await;
    assert_eq!(world.confirm(&id, "pm_card_visa").await.status, 200);
    world.idle().await;
    world.sandbox.stop().await;
    let bodies = receivers.iter().map(|receiver| receiver.received()[0].event());
    let bodies: Vec<Value> = bodies.collect();
    for (body, version) in bodies.iter().zip(versions) {
        assert_eq!(body["api_version"], json!(version));
    }
    bodies
}

#[tokio::test(flavor = "multi_thread")]
async fn payment_intents_list_their_charge_before_2022_11_15() {
    let sent =
        webhooks(&["2020-08-27", "2022-08-01", "2022-11-15", "2026-10-28.endive"], "payment_intent.succeeded").await;
    for old in &sent[..2] {
        let intent = &old["data"]["object"];
        assert!(!has(intent, "latest_charge"), "{intent:#}");
        let charge = &intent["charges"]["data"][0];
        assert_eq!((&charge["status"], &charge["refunds"]["data"]), (&json!("succeeded"), &json!([])), "{intent:#}");
        assert_eq!(charge["balance_transaction"], json!(null), "the charge is shown as it was then");
        assert!(has(charge, "invoice") && has(intent, "invoice"));
    }
    for new in &sent[2..] {
        assert!(new["data"]["object"]["latest_charge"].is_string());
        assert!(!has(&new["data"]["object"], "charges"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn charges_list_their_refunds_before_2022_11_15_and_name_an_invoice_before_basil() {
    let sent = webhooks(&["2020-08-27", "2022-11-15", "2025-03-31.basil"], "charge.succeeded").await;
    let shapes: Vec<_> = sent
        .iter()
        .map(|event| (has(&event["data"]["object"], "refunds"), has(&event["data"]["object"], "invoice")))
        .collect();
    assert_eq!(shapes, [(true, true), (false, true), (false, false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_have_the_shape_of_their_version() {
    let versions = ["2024-04-10", "2025-03-31.basil", "2025-09-30.clover", "2026-03-25.dahlia", "2026-10-28.endive"];
    let sent = webhooks(&versions, "checkout.session.completed").await;
    let names = ["shipping_details", "collected_information", "customer_account", "allowed_payment_method_types"];
    let shapes: Vec<_> = sent
        .iter()
        .map(|event| {
            let session = &event["data"]["object"];
            (names.map(|name| has(session, name)), session["ui_mode"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        shapes,
        [
            ([true, false, false, false], "hosted"),
            ([false, true, false, false], "hosted"),
            ([false, true, true, false], "hosted"),
            ([false, true, true, false], "hosted_page"),
            ([false, true, true, true], "hosted_page"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_follow_the_version_header_at_every_depth() {
    let world = start().await;
    let id = world.session().await;
    world.confirm(&id, "pm_card_visa").await;
    let path = format!("/v1/checkout/sessions/{id}?expand[]=payment_intent.latest_charge");
    let old = get(&world, &path, "2020-08-27").await;
    let charge = &old["payment_intent"]["charges"]["data"][0];
    assert!(charge["balance_transaction"].is_string() && has(charge, "refunds"), "{old:#}");
    assert!(!has(&old["payment_intent"], "latest_charge"));
    let new = get(&world, &path, "2022-11-15").await;
    let charge = &new["payment_intent"]["latest_charge"];
    assert!(has(charge, "invoice") && !has(charge, "refunds") && !has(&new["payment_intent"], "charges"), "{new:#}");
    let listed = get(&world, "/v1/checkout/sessions", "2024-04-10").await;
    assert!(has(&listed["data"][0], "shipping_details"));
    let id = world.session().await;
    let declined = [("payment_method", "pm_card_visa_chargeDeclined"), ("expected_amount", "289")];
    let error = post(&world, &format!("/v1/payment_pages/{id}/confirm"), &declined, "2020-08-27").await;
    assert_eq!(error["error"]["payment_intent"]["charges"]["total_count"], json!(1), "{error:#}");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_has_its_payment_intent_from_the_start_before_2022_08_01() {
    let world = start().await;
    let old = post(&world, "/v1/checkout/sessions", SESSION, "2020-08-27").await;
    let intent = old["payment_intent"].as_str().unwrap().to_owned();
    assert_eq!(world.event_types().await, ["payment_intent.created"]);
    let page = format!("/v1/payment_pages/{}/confirm", old["id"].as_str().unwrap());
    let paid = post(&world, &page, CONFIRM, "2020-08-27").await;
    assert_eq!(paid["payment_intent"]["id"], json!(intent));
    let new = post(&world, "/v1/checkout/sessions", SESSION, "2022-08-01").await;
    assert_eq!(new["payment_intent"], json!(null));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_takes_only_a_version() {
    let world = start().await;
    let mut params = vec![("url", "http://127.0.0.1:9/x"), ("enabled_events[]", "*"), ("api_version", "2022-11-15")];
    let made = world.post("/v1/webhook_endpoints", &params).await.json();
    assert_eq!(made["api_version"], json!("2022-11-15"));
    params[2].1 = "newest";
    assert_eq!(world.post("/v1/webhook_endpoints", &params).await.status, 400);
    world.sandbox.stop().await;
}
