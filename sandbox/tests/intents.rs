//! Payment intents created through the API, and the lists of charges and balance transactions.

use serde_json::{Value, json};

use crate::support::{Answer, World, start};

const CARD: &[(&str, &str)] = &[("amount", "500"), ("currency", "usd"), ("payment_method", "pm_card_visa")];

async fn create(world: &World, more: &[(&str, &str)]) -> Answer {
    let mut params: Vec<_> = CARD.iter().filter(|(name, _)| more.iter().all(|(new, _)| new != name)).copied().collect();
    params.extend(more.iter().filter(|(_, value)| *value != "-"));
    world.post("/v1/payment_intents", &params).await
}

fn path(intent: &Value, verb: &str) -> String {
    format!("/v1/payment_intents/{}/{verb}", intent["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_confirmed_from_code_is_paid_like_a_session() {
    let world = start().await;
    let params = [("confirm", "true"), ("metadata[k]", "v"), ("description", "Credits")];
    let paid = create(&world, &params).await.json();
    assert_eq!((&paid["status"], &paid["amount_received"]), (&json!("succeeded"), &json!(500)));
    assert_eq!(paid["automatic_payment_methods"], json!({ "enabled": true, "allow_redirects": "always" }));
    let charge = world.charge(paid["id"].as_str().unwrap()).await;
    assert_eq!((&charge["metadata"], &charge["paid"]), (&json!({ "k": "v" }), &json!(true)));
    let expected = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "charge.updated"];
    assert_eq!(world.event_types().await, expected);
    let again = world.post(&path(&paid, "confirm"), &[]).await.error();
    assert_eq!((again.0, again.1.as_str()), (400, "payment_intent_unexpected_state"));
    let refund = world.post("/v1/refunds", &[("payment_intent", paid["id"].as_str().unwrap())]).await;
    assert_eq!(refund.json()["amount"], json!(500));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_waits_for_its_method_and_its_confirmation() {
    let world = start().await;
    let bare = create(&world, &[("payment_method", "-")]).await.json();
    assert_eq!((&bare["status"], &bare["payment_method"]), (&json!("requires_payment_method"), &json!(null)));
    let missing = world.post(&path(&bare, "confirm"), &[]).await.error();
    assert!(missing.3.contains("missing a payment method"), "{}", missing.3);
    let params = [("payment_method", "pm_card_visa")];
    assert_eq!(world.post(&path(&bare, "confirm"), &params).await.json()["status"], json!("succeeded"));
    let ready = create(&world, &[]).await.json();
    assert_eq!(ready["status"], json!("requires_confirmation"));
    assert_eq!(world.post(&path(&ready, "confirm"), &[]).await.json()["status"], json!("succeeded"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_answers_402_and_leaves_its_reason_on_the_intent() {
    let world = start().await;
    let params = [("payment_method", "pm_card_chargeDeclinedInsufficientFunds"), ("confirm", "true")];
    let declined = create(&world, &params).await;
    assert_eq!((declined.status, declined.error().1.as_str()), (402, "card_declined"));
    let error = &declined.json()["error"];
    assert_eq!((&error["type"], &error["decline_code"]), (&json!("card_error"), &json!("insufficient_funds")));
    let intent = &error["payment_intent"];
    assert_eq!(intent["status"], json!("requires_payment_method"));
    assert_eq!(intent["last_payment_error"]["decline_code"], json!("insufficient_funds"));
    let expected = ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"];
    assert_eq!(world.event_types().await, expected);
    let failed = world.events().await.remove(2);
    assert_eq!(failed["data"]["object"]["last_payment_error"]["decline_code"], json!("insufficient_funds"));
    let again = world.post(&path(intent, "confirm"), &[]).await.error();
    assert!(again.3.contains("missing a payment method"), "a declined method is gone: {}", again.3);
    let params = [("payment_method", "pm_card_visa")];
    assert_eq!(world.post(&path(intent, "confirm"), &params).await.json()["status"], json!("succeeded"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authentication_waits_for_the_customer_or_declines_when_nobody_is_there() {
    let world = start().await;
    let method = ("payment_method", "pm_card_authenticationRequired");
    for (outcome, status) in [("passed", "succeeded"), ("failed", "requires_payment_method")] {
        let waiting = create(&world, &[method, ("confirm", "true")]).await.json();
        assert_eq!(
            (&waiting["status"], &waiting["next_action"]["type"]),
            (&json!("requires_action"), &json!("use_stripe_sdk"))
        );
        let control = format!("/_sandbox/payment_intents/{}/challenge", waiting["id"].as_str().unwrap());
        let body = json!({ "outcome": outcome }).to_string();
        assert_eq!(world.control(&control, &body).await.json()["status"], json!(status));
        assert_eq!(world.control(&control, &body).await.status, 400, "it is answered once");
    }
    let alone = create(&world, &[method, ("confirm", "true"), ("off_session", "true")]).await;
    assert_eq!((alone.status, alone.error().1.as_str()), (402, "authentication_required"));
    assert_eq!(create(&world, &[("off_session", "true")]).await.error().2, "off_session");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_payment_settles_without_a_session() {
    let world = start().await;
    for (outcome, status) in [("succeeded", "succeeded"), ("failed", "requires_payment_method")] {
        let params = [("payment_method", "pm_sandbox_delayed"), ("confirm", "true")];
        let processing = create(&world, &params).await.json();
        assert_eq!(processing["status"], json!("processing"));
        let refund = world.post("/v1/refunds", &[("payment_intent", processing["id"].as_str().unwrap())]).await;
        assert_eq!(refund.status, 400, "there is no money to give back yet");
        let control = format!("/_sandbox/payment_intents/{}/settle", processing["id"].as_str().unwrap());
        let body = json!({ "outcome": outcome }).to_string();
        assert_eq!(world.control(&control, &body).await.json()["status"], json!(status));
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_captured_by_hand_is_no_money_until_then() {
    let world = start().await;
    let params = [("capture_method", "manual"), ("confirm", "true")];
    let reserved = create(&world, &params).await.json();
    assert_eq!((&reserved["status"], &reserved["amount_capturable"]), (&json!("requires_capture"), &json!(500)));
    let id = reserved["id"].as_str().unwrap();
    let charge = world.charge(id).await;
    assert_eq!((&charge["captured"], &charge["amount_captured"]), (&json!(false), &json!(0)));
    assert_eq!(world.post("/v1/refunds", &[("payment_intent", id)]).await.status, 400);
    let capture = path(&reserved, "capture");
    assert_eq!(world.post(&capture, &[("amount_to_capture", "501")]).await.error().1, "amount_too_large");
    let captured = world.post(&capture, &[("amount_to_capture", "500")]).await.json();
    assert_eq!((&captured["status"], &captured["amount_received"]), (&json!("succeeded"), &json!(500)));
    assert_eq!(world.charge(id).await["captured"], json!(true));
    assert_eq!(world.post(&capture, &[]).await.error().1, "payment_intent_unexpected_state");
    let expected = [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
        "charge.updated",
    ];
    assert_eq!(world.event_types().await, expected);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_paid_can_be_canceled() {
    let world = start().await;
    let bare = create(&world, &[]).await.json();
    let params = [("cancellation_reason", "abandoned")];
    let canceled = world.post(&path(&bare, "cancel"), &params).await.json();
    assert_eq!((&canceled["status"], &canceled["cancellation_reason"]), (&json!("canceled"), &json!("abandoned")));
    assert_eq!(world.post(&path(&bare, "cancel"), &[]).await.status, 400);
    assert_eq!(world.post(&path(&bare, "confirm"), &[]).await.status, 400);
    let reserved = create(&world, &[("capture_method", "manual"), ("confirm", "true")]).await.json();
    world.post(&path(&reserved, "cancel"), &[]).await;
    let charge = world.charge(reserved["id"].as_str().unwrap()).await;
    assert_eq!((&charge["refunded"], &charge["captured"]), (&json!(true), &json!(false)));
    let paid = create(&world, &[("confirm", "true")]).await.json();
    assert_eq!(world.post(&path(&paid, "cancel"), &[]).await.error().1, "payment_intent_unexpected_state");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payment_of_a_session_belongs_to_checkout() {
    let world = start().await;
    let session = world.session().await;
    world.confirm(&session, "pm_card_visa_chargeDeclined").await;
    let session = world.get(&format!("/v1/checkout/sessions/{session}")).await.json();
    let intent = json!({ "id": session["payment_intent"] });
    for (verb, params) in [("confirm", vec![("payment_method", "pm_card_visa")]), ("cancel", vec![])] {
        let error = world.post(&path(&intent, verb), &params).await.error();
        assert!(error.0 == 400 && error.3.contains("created by a Checkout Session"), "{}", error.3);
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_and_parameters_are_checked_as_on_stripe() {
    let world = start().await;
    for (more, code, param) in [
        (("amount", "49"), "amount_too_small", "amount"),
        (("amount", "100000000"), "amount_too_large", "amount"),
        (("amount", "-"), "parameter_missing", "amount"),
        (("currency", "xxx"), "", "currency"),
        (("payment_method", "pm_none"), "resource_missing", "payment_method"),
        (("payment_method_type", "card"), "parameter_unknown", "payment_method_type"),
        (("expand[]", "nonsense"), "", "expand"),
        (("radar_options[session]", "x"), "", "radar_options"),
    ] {
        let error = create(&world, &[more]).await.error();
        assert_eq!((error.0, error.1.as_str(), error.2.as_str()), (400, code, param), "{more:?}: {}", error.3);
    }
    assert_eq!(world.event_types().await, [""; 0], "nothing was made");
    let old = [("stripe-version", "2025-03-31.basil")];
    let mut params = CARD.to_vec();
    params.push(("payment_method_types[]", "card"));
    let made = world.send(reqwest::Method::POST, "/v1/payment_intents", &params, &old).await.unwrap();
    assert_eq!((made.status, &made.json()["automatic_payment_methods"]), (200, &json!(null)));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_payments_leave_is_listed_and_found() {
    let world = start().await;
    let paid = create(&world, &[("confirm", "true")]).await.json();
    let intent = paid["id"].as_str().unwrap();
    let other = world.paid("pm_card_createDispute").await;
    let refund = world.post("/v1/refunds", &[("payment_intent", intent), ("amount", "1")]).await.json();
    let charge = world.charge(intent).await["id"].clone();
    let disputed = world.charge(&other).await["id"].clone();
    let source = refund["id"].as_str().unwrap();
    for (query, field, expected) in [
        ("payment_intents".to_owned(), "id", json!([other, intent])),
        ("payment_intents?customer=cus_1".to_owned(), "id", json!([])),
        ("charges".to_owned(), "id", json!([disputed, charge])),
        (format!("charges?payment_intent={intent}"), "id", json!([charge])),
        ("charges?created[gt]=9999999999".to_owned(), "id", json!([])),
        ("balance_transactions".to_owned(), "amount", json!([-1, -289, 289, 500])),
        ("balance_transactions?type=charge".to_owned(), "amount", json!([289, 500])),
        ("balance_transactions?type=adjustment".to_owned(), "amount", json!([-289])),
        (format!("balance_transactions?source={source}"), "amount", json!([-1])),
        ("balance_transactions?currency=eur".to_owned(), "amount", json!([])),
    ] {
        let list = world.get(&format!("/v1/{query}")).await.json();
        let rows: Vec<_> = list["data"].as_array().unwrap_or_else(|| panic!("{list}")).iter().collect();
        assert_eq!(json!(rows.iter().map(|row| &row[field]).collect::<Vec<_>>()), expected, "{query}");
    }
    world.sandbox.stop().await;
}
