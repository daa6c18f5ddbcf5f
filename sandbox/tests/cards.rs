//! The outcome of each test card: success, declines, 3-D Secure, blocked, delayed.

use serde_json::{Value, json};
use stripe_sandbox::TEST_CARDS;

use crate::support::{Answer, World, start};

async fn confirm_card(world: &World, session: &str, card: [&str; 4]) -> Answer {
    let [number, month, year, cvc] = card;
    let params = [
        ("expected_amount", "289"),
        ("card[number]", number),
        ("card[exp_month]", month),
        ("card[exp_year]", year),
        ("card[cvc]", cvc),
    ];
    world.post(&format!("/v1/payment_pages/{session}/confirm"), &params).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_session_is_complete_and_stripe_keeps_its_fee() {
    let world = start().await;
    let id = world.session().await;
    let paid = world.confirm(&id, "pm_card_visa").await.json();
    assert_eq!((&paid["status"], &paid["payment_status"]), (&json!("complete"), &json!("paid")));
    assert_eq!(paid["url"], json!(null));
    assert_eq!(paid["customer_details"]["email"], json!("customer@example.com"));
    let intent = paid["payment_intent"]["id"].as_str().unwrap();
    let path = format!("/v1/payment_intents/{intent}?expand[]=latest_charge.balance_transaction");
    let intent = world.get(&path).await.json();
    assert_eq!((&intent["status"], &intent["amount_received"]), (&json!("succeeded"), &json!(289)));
    assert_eq!(intent["metadata"], json!({ "topupId": "topup_1" }));
    let transaction = &intent["latest_charge"]["balance_transaction"];
    assert_eq!((&transaction["fee"], &transaction["net"]), (&json!(38), &json!(251)));
    assert_eq!(transaction["fee_details"][0]["type"], json!("stripe_fee"));
    let charge = intent["latest_charge"]["id"].as_str().unwrap();
    let transaction = transaction["id"].as_str().unwrap();
    assert_eq!(world.get(&format!("/v1/charges/{charge}")).await.json()["balance_transaction"], json!(transaction));
    let found = world.get(&format!("/v1/balance_transactions/{transaction}")).await.json();
    assert_eq!(found["source"], json!(charge));
    let again = world.confirm(&id, "pm_card_visa").await;
    assert_eq!((again.status, again.error().1.as_str()), (400, "payment_intent_unexpected_state"));
    let kinds = world.event_types().await;
    assert_eq!(
        kinds,
        [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed",
            "charge.updated"
        ]
    );
    let succeeded = world.get("/v1/events?type=charge.succeeded").await.json();
    assert_eq!(succeeded["data"][0]["data"]["object"]["balance_transaction"], json!(null), "known only later");
    world.sandbox.stop().await;
}

const DECLINES: &[(&str, &str, &str, &str)] = &[
    ("4000000000000002", "card_declined", "generic_decline", "Your card was declined."),
    ("4000000000009995", "card_declined", "insufficient_funds", "Your card has insufficient funds."),
    ("4000000000009987", "card_declined", "lost_card", "Your card was declined."),
    ("4000000000009979", "card_declined", "stolen_card", "Your card was declined."),
    ("4000000000006975", "card_declined", "card_velocity_exceeded", "repeated attempts too frequently"),
    ("4000000000000069", "expired_card", "", "Your card has expired."),
    ("4000000000000127", "incorrect_cvc", "", "Your card's security code is incorrect."),
    ("4000000000000119", "processing_error", "", "An error occurred while processing your card."),
    ("4100000000000019", "card_declined", "fraudulent", "Your card was declined."),
    ("4000000000000341", "card_declined", "generic_decline", "Your card was declined."),
    ("4000008400001280", "card_declined", "generic_decline", "Your card was declined."),
    ("4111111111111111", "card_declined", "test_mode_live_card", "used a non test card"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_leaves_the_session_open_for_another_card() {
    let world = start().await;
    for (number, code, decline_code, message) in DECLINES {
        let id = world.session().await;
        let answer = confirm_card(&world, &id, [number, "12", "2040", "123"]).await;
        let (status, got_code, _, got_message) = answer.error();
        assert_eq!((status, got_code.as_str()), (402, *code), "{number}");
        assert!(got_message.contains(message), "{number}: {got_message}");
        let error = &answer.json()["error"];
        assert_eq!(error["decline_code"].as_str().unwrap_or_default(), *decline_code, "{number}");
        assert_eq!(error["type"], json!("card_error"));
        let charge = world.get(&format!("/v1/charges/{}", error["charge"].as_str().unwrap())).await.json();
        assert_eq!((&charge["status"], &charge["paid"]), (&json!("failed"), &json!(false)));
        let blocked = *number == "4100000000000019";
        assert_eq!(charge["outcome"]["type"] == json!("blocked"), blocked, "{number}");
        assert_eq!(charge["outcome"]["reason"] == json!("highest_risk_level"), blocked, "{number}");
        let session = world.get(&format!("/v1/checkout/sessions/{id}")).await.json();
        assert_eq!(session["status"], json!("open"), "{number}");
        let intent = session["payment_intent"].clone();
        let paid = world.confirm(&id, "pm_card_visa").await.json();
        assert_eq!(paid["payment_status"], json!("paid"), "{number}");
        assert_eq!(paid["payment_intent"]["id"], intent, "one session has one payment intent");
    }
    let kinds = world.event_types().await;
    assert_eq!(kinds[..3], ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_card_is_refused_before_anything_happens() {
    let world = start().await;
    let id = world.session().await;
    for (card, code, param) in [
        (["4242424242424241", "12", "2040", "123"], "incorrect_number", "number"),
        (["42424242", "12", "2040", "123"], "invalid_number", "number"),
        (["4242424242424242", "13", "2040", "123"], "invalid_expiry_month", "exp_month"),
        (["4242424242424242", "12", "2020", "123"], "invalid_expiry_year", "exp_year"),
        (["4242424242424242", "12", "2040", "12"], "invalid_cvc", "cvc"),
    ] {
        let error = confirm_card(&world, &id, card).await.error();
        assert_eq!((error.0, error.1.as_str(), error.2.as_str()), (402, code, param));
    }
    let params = [("payment_method", "pm_card_visa"), ("expected_amount", "288")];
    let answer = world.post(&format!("/v1/payment_pages/{id}/confirm"), &params).await;
    assert_eq!((answer.status, answer.error().2.as_str()), (400, "expected_amount"));
    let answer = world.confirm(&id, "pm_card_nothing").await;
    assert_eq!((answer.status, answer.error().1.as_str()), (400, "resource_missing"));
    assert_eq!(world.event_types().await, [""; 0]);
    world.sandbox.stop().await;
}

async fn challenge(world: &World, id: &str, outcome: &str) -> Answer {
    world.control(&format!("/_sandbox/sessions/{id}/challenge"), &json!({ "outcome": outcome }).to_string()).await
}

async fn intent_of(world: &World, id: &str) -> Value {
    let path = format!("/v1/checkout/sessions/{id}?expand[]=payment_intent");
    world.get(&path).await.json()["payment_intent"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_passed_pays_and_a_challenge_failed_does_not() {
    let world = start().await;
    let id = world.session().await;
    let waiting = world.confirm(&id, "pm_card_authenticationRequired").await.json();
    assert_eq!(waiting["status"], json!("open"));
    let action = &waiting["payment_intent"]["next_action"]["redirect_to_url"]["url"];
    assert_eq!(*action, json!(world.url(&format!("/c/pay/{id}/challenge"))));
    assert_eq!(world.event_types().await, ["payment_intent.created", "payment_intent.requires_action"]);
    assert_eq!(challenge(&world, &id, "failed").await.status, 200);
    let intent = intent_of(&world, &id).await;
    assert_eq!(intent["status"], json!("requires_payment_method"));
    assert_eq!(intent["last_payment_error"]["code"], json!("payment_intent_authentication_failure"));
    assert_eq!(intent["latest_charge"], json!(null), "nobody tried to charge the card");
    assert_eq!(challenge(&world, &id, "passed").await.status, 400, "there is no challenge any more");
    world.confirm(&id, "pm_card_authenticationRequired").await;
    let paid = challenge(&world, &id, "passed").await.json();
    assert_eq!((&paid["status"], &paid["payment_status"]), (&json!("complete"), &json!("paid")));
    assert_eq!(challenge(&world, &id, "passed").await.status, 400);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn some_cards_are_declined_after_the_challenge() {
    let world = start().await;
    for (number, decline_code) in [("4000008400001629", "generic_decline"), ("4000008260003178", "insufficient_funds")]
    {
        let id = world.session().await;
        assert_eq!(confirm_card(&world, &id, [number, "12", "2040", "123"]).await.status, 200);
        challenge(&world, &id, "passed").await;
        let intent = intent_of(&world, &id).await;
        assert_eq!(intent["status"], json!("requires_payment_method"));
        assert_eq!(intent["last_payment_error"]["decline_code"], json!(decline_code));
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_test_card_does_something() {
    let world = start().await;
    for card in TEST_CARDS {
        let id = world.session().await;
        let cvc = if card.number.len() == 15 { "1234" } else { "123" };
        let answer = confirm_card(&world, &id, [card.number, "12", "2040", cvc]).await;
        assert!(matches!(answer.status, 200 | 402), "{}: {}", card.number, answer.text);
        if !card.payment_method.is_empty() {
            let id = world.session().await;
            assert_eq!(world.confirm(&id, card.payment_method).await.status, answer.status, "{}", card.payment_method);
        }
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_payment_completes_unpaid_and_is_settled_later() {
    let world = start().await;
    for (outcome, payment_status, end) in [
        (
            "succeeded",
            "paid",
            &[
                "charge.succeeded",
                "payment_intent.succeeded",
                "checkout.session.async_payment_succeeded",
                "charge.updated",
            ][..],
        ),
        (
            "failed",
            "unpaid",
            &["charge.failed", "payment_intent.payment_failed", "checkout.session.async_payment_failed"][..],
        ),
    ] {
        let id = world.session().await;
        let before = world.event_types().await.len();
        let session = world.confirm(&id, "pm_sandbox_delayed").await.json();
        assert_eq!((&session["status"], &session["payment_status"]), (&json!("complete"), &json!("unpaid")));
        assert_eq!(session["payment_intent"]["status"], json!("processing"));
        let path = format!("/_sandbox/sessions/{id}/settle");
        let settled = world.control(&path, &json!({ "outcome": outcome }).to_string()).await;
        assert_eq!(settled.json()["payment_status"], json!(payment_status), "{}", settled.text);
        let kinds = world.event_types().await;
        let start =
            ["payment_intent.created", "payment_intent.processing", "charge.pending", "checkout.session.completed"];
        assert_eq!(kinds[before..before + 4], start);
        assert_eq!(kinds[before + 4..], *end);
        let again = world.control(&path, "{\"outcome\":\"succeeded\"}").await;
        assert_eq!(again.status, 400, "a payment is settled once");
    }
    world.sandbox.stop().await;
}
