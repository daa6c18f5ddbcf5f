//! Refunds through the API and the dashboard, and their outcomes.

use serde_json::{Value, json};

use crate::support::{Answer, World, start};

/// The events of a card payment, before any refund.
const PAYMENT_EVENTS: usize = 5;

async fn refund(world: &World, intent: &str, more: &[(&str, &str)]) -> Answer {
    let mut params = vec![("payment_intent", intent)];
    params.extend(more);
    world.post("/v1/refunds", &params).await
}

async fn move_refund(world: &World, id: &Value, status: &str) -> Answer {
    let path = format!("/_sandbox/refunds/{}", id.as_str().unwrap());
    world.control(&path, &json!({ "status": status }).to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_in_parts_add_up_to_the_charge_and_not_beyond() {
    let world = start().await;
    let intent = world.paid("pm_card_visa").await;
    let first = refund(&world, &intent, &[("amount", "100"), ("reason", "duplicate"), ("metadata[k]", "v")]).await;
    let first = first.json();
    assert_eq!((&first["status"], &first["amount"]), (&json!("succeeded"), &json!(100)));
    assert_eq!((&first["reason"], &first["metadata"]), (&json!("duplicate"), &json!({ "k": "v" })));
    let charge = world.charge(&intent).await;
    assert_eq!((&charge["amount_refunded"], &charge["refunded"]), (&json!(100), &json!(false)));
    assert_eq!(charge.get("refunds"), None, "only on request");
    let too_much = refund(&world, &intent, &[("amount", "190")]).await.error();
    assert_eq!((too_much.0, too_much.2.as_str()), (400, "amount"));
    assert_eq!(too_much.3, "Refund amount ($1.90) is greater than unrefunded amount on charge ($1.89)");
    let id = charge["id"].as_str().unwrap();
    let rest = world.post("/v1/refunds", &[("charge", id)]).await.json();
    assert_eq!(rest["amount"], json!(189), "all that is left");
    let charge = world.get(&format!("/v1/charges/{id}?expand[]=refunds")).await.json();
    assert_eq!((&charge["amount_refunded"], &charge["refunded"]), (&json!(289), &json!(true)));
    assert_eq!(charge["refunds"]["data"], json!([rest, first]));
    let again = refund(&world, &intent, &[]).await.error();
    assert_eq!((again.0, again.1.as_str()), (400, "charge_already_refunded"));
    assert_eq!(again.3, format!("Charge {id} has already been refunded."));
    let expected = ["refund.created", "charge.refunded", "refund.created", "charge.refunded"];
    assert_eq!(world.new_events(PAYMENT_EVENTS).await, expected);
    let event = world.events().await.remove(PAYMENT_EVENTS + 1);
    assert_eq!(event["data"]["previous_attributes"], json!({ "amount_refunded": 0 }));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_takes_its_amount_off_the_balance_and_no_fee_comes_back() {
    let world = start().await;
    let intent = world.paid("pm_card_visa").await;
    let params = [("amount", "200"), ("expand[]", "balance_transaction")];
    let made = refund(&world, &intent, &params).await.json();
    let transaction = &made["balance_transaction"];
    assert_eq!((&transaction["amount"], &transaction["net"]), (&json!(-200), &json!(-200)));
    assert_eq!((&transaction["fee"], &transaction["fee_details"]), (&json!(0), &json!([])));
    assert_eq!((&transaction["type"], &transaction["source"]), (&json!("refund"), &made["id"]));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stripe_would_not_refund_is_refused_in_its_words() {
    let world = start().await;
    let intent = world.paid("pm_card_visa").await;
    let charge = world.charge(&intent).await;
    let charge = charge["id"].as_str().unwrap();
    let unpaid = world.session().await;
    world.confirm(&unpaid, "pm_card_visa_chargeDeclined").await;
    let failed = world.get(&format!("/v1/checkout/sessions/{unpaid}")).await.json();
    let failed = failed["payment_intent"].as_str().unwrap();
    let disputed = world.paid("pm_card_createDispute").await;
    let before = world.event_types().await.len();
    for (params, code, words) in [
        (vec![], "", "One of the following params should be provided for this request: payment_intent or charge."),
        (vec![("charge", "ch_x")], "resource_missing", "No such charge: 'ch_x'"),
        (vec![("payment_intent", "pi_x")], "resource_missing", "No such payment_intent: 'pi_x'"),
        (vec![("charge", charge), ("amount", "0")], "parameter_invalid_integer", "greater than or equal to 1"),
        (vec![("charge", charge), ("amount", "290")], "", "($2.90) is greater than charge amount ($2.89)"),
        (vec![("charge", charge), ("reason", "because")], "", "Invalid reason"),
        (vec![("charge", charge), ("payment_intent", &disputed)], "", "does not belong to PaymentIntent"),
        (vec![("charge", charge), ("nonsense", "1")], "parameter_unknown", "nonsense"),
        (vec![("charge", charge), ("expand[]", "nonsense")], "", "cannot be expanded"),
        (vec![("payment_intent", failed)], "", "does not have a successful charge to refund."),
        (vec![("payment_intent", &disputed)], "charge_disputed", "has been charged back; cannot issue a refund."),
    ] {
        let error = world.post("/v1/refunds", &params).await.error();
        assert_eq!((error.0, error.1.as_str()), (400, code), "{params:?}: {}", error.3);
        assert!(error.3.contains(words), "{params:?}: {}", error.3);
    }
    assert_eq!(world.get("/v1/refunds/re_x").await.status, 404);
    assert_eq!(world.new_events(before).await, [""; 0]);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_refund_succeeds_and_says_so() {
    let world = start().await;
    let intent = world.paid("pm_card_pendingRefund").await;
    let made = refund(&world, &intent, &[]).await.json();
    assert_eq!((&made["status"], &made["pending_reason"]), (&json!("pending"), &json!("processing")));
    assert_eq!(world.charge(&intent).await["amount_refunded"], json!(289));
    let seen = world.event_types().await.len();
    let arrived = move_refund(&world, &made["id"], "succeeded").await.json();
    assert_eq!((&arrived["status"], arrived.get("pending_reason")), (&json!("succeeded"), None));
    assert_eq!(world.new_events(seen).await, ["refund.updated", "charge.refund.updated"]);
    let event = world.events().await.remove(seen);
    let before = json!({ "status": "pending", "pending_reason": "processing" });
    assert_eq!(event["data"]["previous_attributes"], before);
    assert_eq!(event["request"]["id"], json!(null), "no request caused it");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_fails_gives_the_money_back_and_can_be_made_again() {
    let world = start().await;
    let intent = world.paid("pm_card_refundFail").await;
    let made = refund(&world, &intent, &[("amount", "289")]).await.json();
    assert_eq!(made["status"], json!("succeeded"), "it fails only later");
    let seen = world.event_types().await.len();
    let failed = move_refund(&world, &made["id"], "failed").await.json();
    assert_eq!(failed["failure_reason"], json!("expired_or_canceled_card"));
    let transaction = failed["failure_balance_transaction"].as_str().unwrap();
    let transaction = world.get(&format!("/v1/balance_transactions/{transaction}")).await.json();
    assert_eq!((&transaction["amount"], &transaction["type"]), (&json!(289), &json!("refund_failure")));
    let expected = ["refund.updated", "charge.refund.updated", "refund.failed"];
    assert_eq!(world.new_events(seen).await, expected);
    let charge = world.charge(&intent).await;
    assert_eq!((&charge["amount_refunded"], &charge["refunded"]), (&json!(0), &json!(false)));
    assert_eq!(move_refund(&world, &made["id"], "succeeded").await.status, 400, "a failure is for good");
    assert_eq!(refund(&world, &intent, &[]).await.json()["amount"], json!(289));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_refund_that_waits_for_the_customer_can_be_canceled() {
    let world = start().await;
    let intent = world.paid("pm_card_visa").await;
    let made = refund(&world, &intent, &[]).await.json();
    let cancel = format!("/v1/refunds/{}/cancel", made["id"].as_str().unwrap());
    assert_eq!(world.post(&cancel, &[]).await.status, 400);
    assert_eq!(move_refund(&world, &made["id"], "requires_action").await.status, 200);
    let seen = world.event_types().await.len();
    let canceled = world.post(&cancel, &[]).await.json();
    assert_eq!(canceled["status"], json!("canceled"));
    assert_eq!(world.charge(&intent).await["amount_refunded"], json!(0));
    assert_eq!(world.new_events(seen).await, ["refund.updated", "charge.refund.updated"]);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_of_a_refund_is_merged_and_an_empty_value_unsets_its_key() {
    let world = start().await;
    let intent = world.paid("pm_card_visa").await;
    let made = refund(&world, &intent, &[("metadata[a]", "1"), ("metadata[b]", "2")]).await.json();
    let path = format!("/v1/refunds/{}", made["id"].as_str().unwrap());
    let seen = world.event_types().await.len();
    let changed = world.post(&path, &[("metadata[a]", ""), ("metadata[c]", "3")]).await.json();
    assert_eq!(changed["metadata"], json!({ "b": "2", "c": "3" }));
    let event = world.events().await.remove(seen);
    assert_eq!(event["data"]["previous_attributes"], json!({ "metadata": { "a": "1", "c": null } }));
    assert_eq!(world.new_events(seen).await, ["refund.updated", "charge.refund.updated"]);
    assert_eq!(world.post(&path, &[("metadata", "")]).await.json()["metadata"], json!({}));
    let seen = world.event_types().await.len();
    assert_eq!(world.post(&path, &[]).await.status, 200);
    assert_eq!(world.new_events(seen).await, [""; 0], "nothing changed");
    assert_eq!(world.post(&path, &[("amount", "1")]).await.error().1, "parameter_unknown");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_are_found_by_charge_payment_and_time() {
    let world = start().await;
    let (one, other) = (world.paid("pm_card_visa").await, world.paid("pm_card_visa").await);
    let mut made = Vec::new();
    for amount in ["1", "2", "3"] {
        made.push(refund(&world, &one, &[("amount", amount)]).await.json());
    }
    let last = refund(&world, &other, &[]).await.json();
    let charge = made[0]["charge"].as_str().unwrap();
    let created = made[0]["created"].as_i64().unwrap();
    let of_one = json!([made[2], made[1], made[0]]);
    for (query, expected) in [
        (format!("payment_intent={one}"), &of_one),
        (format!("charge={charge}"), &of_one),
        (format!("payment_intent={other}"), &json!([last])),
        (format!("payment_intent={one}&limit=1"), &json!([made[2]])),
        (format!("payment_intent={one}&starting_after={}", made[1]["id"].as_str().unwrap()), &json!([made[0]])),
        (format!("created[gt]={}", created + 60), &json!([])),
    ] {
        assert_eq!(world.get(&format!("/v1/refunds?{query}")).await.json()["data"], *expected, "{query}");
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_in_the_dashboard_looks_like_any_other_but_has_no_request() {
    let world = start().await;
    let intent = world.paid("pm_card_visa").await;
    let path = format!("/_sandbox/payment_intents/{intent}/refund");
    let made = world.control(&path, r#"{"amount": 89}"#).await.json();
    assert_eq!((&made["amount"], &made["payment_intent"]), (&json!(89), &json!(intent)));
    assert_eq!(world.control(&path, "").await.json()["amount"], json!(200), "all that is left");
    assert_eq!(world.control(&path, "{}").await.status, 400);
    let events = world.events().await.split_off(PAYMENT_EVENTS);
    assert_eq!(events.len(), 4);
    assert!(events.iter().all(|event| event["request"]["id"].is_null()));
    assert_eq!(world.control("/_sandbox/payment_intents/pi_x/refund", "{}").await.status, 400);
    assert_eq!(world.control("/_sandbox/refunds/re_x", r#"{"status": "failed"}"#).await.status, 404);
    assert_eq!(world.control(&path, r#"{"amonut": 1}"#).await.status, 400);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_idempotency_key_refunds_once() {
    let world = start().await;
    let intent = world.paid("pm_card_visa").await;
    let params = [("payment_intent", intent.as_str()), ("amount", "100")];
    let first = world.post_with_key("/v1/refunds", &params, "once").await;
    let again = world.post_with_key("/v1/refunds", &params, "once").await;
    assert_eq!((again.text.as_str(), again.header("idempotent-replayed")), (first.text.as_str(), "true"));
    assert_eq!(world.charge(&intent).await["amount_refunded"], json!(100));
    world.sandbox.stop().await;
}
