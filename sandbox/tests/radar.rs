//! Early fraud warnings and reviews: how they begin and end, and what they say.

use serde_json::{Value, json};

use crate::support::{World, start};

/// The events of these types, oldest first, each with its object.
async fn told(world: &World, prefix: &str) -> Vec<(String, Value)> {
    let list = world.get("/v1/events?limit=100").await.json();
    let mut events: Vec<(String, Value)> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["type"].as_str().unwrap().to_owned(), event["data"]["object"].clone()))
        .filter(|(kind, _)| kind.starts_with(prefix))
        .collect();
    events.reverse();
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_card_is_warned_of_and_a_refund_or_dispute_ends_what_can_be_done() {
    for end in ["refund", "dispute"] {
        let world = start().await;
        let intent = world.paid("pm_card_createIssuerFraudRecord").await;
        let list = world.get(&format!("/v1/radar/early_fraud_warnings?payment_intent={intent}")).await.json();
        let warning = &list["data"][0];
        assert_eq!((&warning["object"], &warning["actionable"]), (&json!("radar.early_fraud_warning"), &json!(true)));
        assert_eq!(warning["fraud_type"], json!("made_with_stolen_card"));
        let path = format!("/v1/radar/early_fraud_warnings/{}", warning["id"].as_str().unwrap());
        assert_eq!(world.get(&format!("{path}?expand[]=charge")).await.json()["charge"]["object"], json!("charge"));
        let control = format!("/_sandbox/payment_intents/{intent}/{end}");
        assert_eq!(world.control(&control, "{}").await.status, 200);
        assert_eq!(world.get(&path).await.json()["actionable"], json!(false));
        let kinds: Vec<String> = told(&world, "radar.").await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["radar.early_fraud_warning.created", "radar.early_fraud_warning.updated"], "{end}");
        // The network may warn again, too late.
        let late = world.control(&format!("/_sandbox/payment_intents/{intent}/fraud_warning"), "{}").await.json();
        assert_eq!(late["actionable"], json!(false), "{end}");
        world.sandbox.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_is_open_until_it_is_approved_refunded_or_disputed() {
    let world = start().await;
    for (end, reason) in
        [("approve", "approved"), ("refund", "refunded"), ("dispute", "disputed"), ("close", "refunded_as_fraud")]
    {
        let intent = world.paid("pm_card_visa").await;
        let path = format!("/_sandbox/payment_intents/{intent}/review");
        let review = world.control(&path, "{}").await.json();
        let id = review["id"].as_str().unwrap();
        assert_eq!((&review["open"], &review["reason"]), (&json!(true), &json!("rule")));
        assert_eq!(world.control(&path, "{}").await.status, 400, "one review at a time");
        let listed = |list: &Value| list["data"].as_array().unwrap().iter().any(|row| row["id"] == id);
        assert!(listed(&world.get("/v1/reviews").await.json()));
        let answer = match end {
            "approve" => world.post(&format!("/v1/reviews/{id}/approve"), &[]).await,
            "close" => world.control(&format!("/_sandbox/reviews/{id}"), r#"{"reason": "refunded_as_fraud"}"#).await,
            _ => world.control(&format!("/_sandbox/payment_intents/{intent}/{end}"), "{}").await,
        };
        assert_eq!(answer.status, 200, "{end}: {}", answer.text);
        let closed = world.get(&format!("/v1/reviews/{id}")).await.json();
        assert_eq!(
            (&closed["open"], &closed["closed_reason"], &closed["reason"]),
            (&json!(false), &json!(reason), &json!(reason))
        );
        assert!(!listed(&world.get("/v1/reviews").await.json()));
        assert_eq!(world.post(&format!("/v1/reviews/{id}/approve"), &[]).await.status, 400, "it is closed");
        let events = told(&world, "review.").await;
        let of: Vec<&str> =
            events.iter().filter(|(_, object)| object["id"] == id).map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(of, ["review.opened", "review.closed"], "{end}");
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_not_known_is_refused() {
    let world = start().await;
    let intent = world.paid("pm_card_visa").await;
    for path in ["/v1/radar/early_fraud_warnings/issfr_none", "/v1/reviews/prv_none"] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
    for (path, body) in [
        (format!("/_sandbox/payment_intents/{intent}/fraud_warning"), r#"{"fraud_type": "bad"}"#),
        (format!("/_sandbox/payment_intents/{intent}/review"), r#"{"why": "x"}"#),
        ("/_sandbox/reviews/prv_none".to_owned(), r#"{"reason": "approved"}"#),
        ("/_sandbox/payment_intents/pi_none/fraud_warning".to_owned(), "{}"),
    ] {
        let status = world.control(&path, body).await.status;
        assert!(status == 400 || status == 404, "{path}: {status}");
    }
    assert_eq!(
        told(&world, "r")
            .await
            .iter()
            .filter(|(kind, _)| kind.starts_with("radar") || kind.starts_with("review"))
            .count(),
        0
    );
    world.sandbox.stop().await;
}
