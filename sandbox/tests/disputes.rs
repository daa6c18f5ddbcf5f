//! Disputes: inquiries, chargebacks, evidence, and who has the money at each step.

use serde_json::{Value, json};

use crate::support::{Answer, World, start};

const CREATED: &str = "charge.dispute.created";
const UPDATED: &str = "charge.dispute.updated";
const CLOSED: &str = "charge.dispute.closed";
const WITHDRAWN: &str = "charge.dispute.funds_withdrawn";
const REINSTATED: &str = "charge.dispute.funds_reinstated";

/// Pays with a payment method whose charge is disputed. Returns the payment intent and the dispute.
async fn disputed(world: &World, method: &str) -> (String, Value) {
    let intent = world.paid(method).await;
    let list = world.get(&format!("/v1/disputes?payment_intent={intent}")).await.json();
    assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
    (intent, list["data"][0].clone())
}

fn path(dispute: &Value) -> String {
    format!("/v1/disputes/{}", dispute["id"].as_str().unwrap())
}

async fn decide(world: &World, dispute: &Value, to: &str) -> Answer {
    let path = format!("/_sandbox/disputes/{}", dispute["id"].as_str().unwrap());
    world.control(&path, &json!({ "to": to }).to_string()).await
}

/// The net amount of each balance transaction of a dispute.
fn moved(dispute: &Value) -> Vec<i64> {
    dispute["balance_transactions"].as_array().unwrap().iter().map(|t| t["net"].as_i64().unwrap()).collect()
}

/// Runs a step. Returns its answer and the events it emitted.
async fn with_events(world: &World, step: impl Future<Output = Answer>) -> (Value, Vec<String>) {
    let seen = world.event_types().await.len();
    let answer = step.await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    (answer.json(), world.new_events(seen).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chargeback_takes_the_money_and_a_fee_at_once() {
    let world = start().await;
    for (method, reason) in
        [("pm_card_createDispute", "fraudulent"), ("pm_card_createDisputeProductNotReceived", "product_not_received")]
    {
        let seen = world.event_types().await.len();
        let (intent, dispute) = disputed(&world, method).await;
        assert_eq!(world.new_events(seen).await.split_off(5), [CREATED, WITHDRAWN]);
        assert_eq!((&dispute["status"], &dispute["reason"]), (&json!("needs_response"), &json!(reason)));
        assert_eq!((&dispute["amount"], &dispute["is_charge_refundable"]), (&json!(289), &json!(false)));
        assert_eq!(dispute["payment_method_details"]["card"]["case_type"], json!("chargeback"));
        let transaction = &dispute["balance_transactions"][0];
        assert_eq!((&transaction["amount"], &transaction["fee"]), (&json!(-289), &json!(1500)));
        assert_eq!((&transaction["net"], &transaction["type"]), (&json!(-1789), &json!("adjustment")));
        assert_eq!(transaction["reporting_category"], json!("dispute"));
        let charge = world.charge(&intent).await;
        assert_eq!((&charge["disputed"], &charge["amount_refunded"]), (&json!(true), &json!(0)));
        assert_eq!(world.get(&path(&dispute)).await.json(), dispute);
        let by_charge = world.get(&format!("/v1/disputes?charge={}", charge["id"].as_str().unwrap())).await.json();
        assert_eq!(by_charge["data"], json!([dispute]));
    }
    let all = world.get("/v1/disputes").await.json();
    assert_eq!(all["data"].as_array().unwrap().len(), 2);
    assert_eq!(world.get("/v1/disputes?created[gt]=9999999999").await.json()["data"], json!([]));
    assert_eq!(world.get("/v1/disputes/du_x").await.status, 404);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn winning_evidence_brings_the_money_back_but_not_the_fee() {
    let world = start().await;
    let (intent, dispute) = disputed(&world, "pm_card_createDispute").await;
    let params = [("evidence[uncategorized_text]", "winning_evidence"), ("evidence[customer_name]", "Ada")];
    let path = path(&dispute);
    let (won, events) = with_events(&world, world.post(&path, &params)).await;
    assert_eq!(events, [UPDATED, CLOSED, REINSTATED]);
    assert_eq!((&won["status"], moved(&won)), (&json!("won"), vec![-1789, 289]));
    assert_eq!(won["balance_transactions"][1]["reporting_category"], json!("dispute_reversal"));
    assert_eq!(won["evidence"]["customer_name"], json!("Ada"));
    let details = &won["evidence_details"];
    assert_eq!((&details["has_evidence"], &details["submission_count"]), (&json!(true), &json!(1)));
    let late = world.post(&path, &[("evidence[customer_name]", "Eve")]).await.error();
    assert_eq!((late.0, late.3.as_str()), (400, "This dispute is already closed"));
    let refund = world.post("/v1/refunds", &[("payment_intent", &intent)]).await;
    assert_eq!(refund.status, 200, "the money is ours again: {}", refund.text);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn losing_evidence_leaves_the_money_with_the_bank() {
    let world = start().await;
    let (intent, dispute) = disputed(&world, "pm_card_createDispute").await;
    let params = [("evidence[uncategorized_text]", "losing_evidence")];
    let path = path(&dispute);
    let (lost, events) = with_events(&world, world.post(&path, &params)).await;
    assert_eq!(events, [UPDATED, CLOSED]);
    assert_eq!((&lost["status"], moved(&lost)), (&json!("lost"), vec![-1789]));
    let refund = world.post("/v1/refunds", &[("payment_intent", &intent)]).await.error();
    assert_eq!((refund.0, refund.1.as_str()), (400, "charge_disputed"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_can_be_staged_before_it_is_submitted_once() {
    let world = start().await;
    let (_, dispute) = disputed(&world, "pm_card_createDispute").await;
    let path = path(&dispute);
    let params = [("evidence[customer_name]", "Ada"), ("submit", "false")];
    let (staged, events) = with_events(&world, world.post(&path, &params)).await;
    assert_eq!((&staged["status"], events), (&json!("needs_response"), vec![UPDATED.to_owned()]));
    assert_eq!(staged["evidence_details"]["submission_method"], json!("not_submitted"));
    let (sent, events) = with_events(&world, world.post(&path, &[("submit", "true")])).await;
    assert_eq!((&sent["status"], events), (&json!("under_review"), vec![UPDATED.to_owned()]));
    assert_eq!(sent["evidence"]["customer_name"], json!("Ada"));
    let second = world.post(&path, &[("evidence[customer_name]", "Eve")]).await;
    assert_eq!(second.status, 400);
    let (kept, events) = with_events(&world, world.post(&path, &[("metadata[k]", "v")])).await;
    assert_eq!((&kept["metadata"], events), (&json!({ "k": "v" }), vec![UPDATED.to_owned()]));
    assert_eq!(kept["status"], json!("under_review"), "metadata is no answer to the bank");
    let file = world.post(&path, &[("evidence[receipt]", "file_1")]).await.error();
    assert_eq!((file.0, file.1.as_str()), (400, "resource_missing"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_a_chargeback_loses_it() {
    let world = start().await;
    let (_, dispute) = disputed(&world, "pm_card_createDispute").await;
    let close = format!("{}/close", path(&dispute));
    let (lost, events) = with_events(&world, world.post(&close, &[])).await;
    assert_eq!((&lost["status"], events), (&json!("lost"), vec![CLOSED.to_owned()]));
    let again = world.post(&close, &[]).await.error();
    assert_eq!((again.0, again.3.as_str()), (400, "This dispute is already closed"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inquiry_moves_no_money_until_it_is_escalated() {
    let world = start().await;
    let seen = world.event_types().await.len();
    let (_, dispute) = disputed(&world, "pm_card_createDisputeInquiry").await;
    assert_eq!(world.new_events(seen).await.split_off(5), [CREATED]);
    assert_eq!((&dispute["status"], moved(&dispute)), (&json!("warning_needs_response"), vec![]));
    assert_eq!(dispute["payment_method_details"]["card"]["case_type"], json!("inquiry"));
    assert_eq!(dispute["is_charge_refundable"], json!(true));
    let params = [("evidence[uncategorized_text]", "escalate_inquiry_evidence")];
    let path = path(&dispute);
    let (escalated, events) = with_events(&world, world.post(&path, &params)).await;
    assert_eq!(events, [UPDATED, UPDATED, WITHDRAWN]);
    assert_eq!((&escalated["status"], moved(&escalated)), (&json!("needs_response"), vec![-1789]));
    assert_eq!(escalated["payment_method_details"]["card"]["case_type"], json!("chargeback"));
    let params = [("evidence[uncategorized_text]", "winning_evidence")];
    let (won, _) = with_events(&world, world.post(&path, &params)).await;
    assert_eq!((&won["status"], moved(&won)), (&json!("won"), vec![-1789, 289]));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inquiry_ends_by_a_good_answer_by_closing_it_or_by_a_full_refund() {
    let world = start().await;
    let (_, answered) = disputed(&world, "pm_card_createDisputeInquiry").await;
    let params = [("evidence[uncategorized_text]", "winning_evidence")];
    let (closed, events) = with_events(&world, world.post(&path(&answered), &params)).await;
    assert_eq!((&closed["status"], moved(&closed)), (&json!("warning_closed"), vec![]));
    assert_eq!(events, [UPDATED, CLOSED]);
    let (_, dismissed) = disputed(&world, "pm_card_createDisputeInquiry").await;
    let (closed, events) = with_events(&world, world.post(&format!("{}/close", path(&dismissed)), &[])).await;
    assert_eq!((&closed["status"], events), (&json!("warning_closed"), vec![CLOSED.to_owned()]));
    let (intent, refunded) = disputed(&world, "pm_card_createDisputeInquiry").await;
    world.post("/v1/refunds", &[("payment_intent", &intent), ("amount", "288")]).await;
    assert_eq!(world.get(&path(&refunded)).await.json()["status"], json!("warning_needs_response"));
    let rest = [("payment_intent", intent.as_str())];
    let (_, events) = with_events(&world, world.post("/v1/refunds", &rest)).await;
    assert_eq!(events, ["refund.created", "charge.refunded", CLOSED]);
    let closed = world.get(&path(&refunded)).await.json();
    assert_eq!((&closed["status"], &closed["is_charge_refundable"]), (&json!("warning_closed"), &json!(false)));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_won_dispute_can_be_taken_back_and_then_lost() {
    let world = start().await;
    let (intent, dispute) = disputed(&world, "pm_card_createDispute").await;
    for (to, status, net, expected) in [
        ("under_review", "under_review", vec![-1789], vec![UPDATED]),
        ("won", "won", vec![-1789, 289], vec![CLOSED, REINSTATED]),
        ("withdrawn", "appeal_under_review", vec![-1789, 289, -289], vec![UPDATED, WITHDRAWN]),
        ("lost", "lost", vec![-1789, 289, -289], vec![CLOSED]),
    ] {
        let (now, events) = with_events(&world, decide(&world, &dispute, to)).await;
        assert_eq!((&now["status"], moved(&now)), (&json!(status), net), "{to}");
        assert_eq!(events, expected, "{to}");
        let refund = world.post("/v1/refunds", &[("payment_intent", &intent), ("amount", "1")]).await;
        assert_eq!(refund.status == 200, status == "won", "a refund of a dispute that is {status}");
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_goes_only_where_it_can() {
    let world = start().await;
    let (_, chargeback) = disputed(&world, "pm_card_createDispute").await;
    for to in ["needs_response", "warning_closed", "withdrawn"] {
        assert_eq!(decide(&world, &chargeback, to).await.status, 400, "{to}");
    }
    let (_, inquiry) = disputed(&world, "pm_card_createDisputeInquiry").await;
    for to in ["won", "lost", "withdrawn"] {
        assert_eq!(decide(&world, &inquiry, to).await.status, 400, "{to}");
    }
    assert_eq!(decide(&world, &inquiry, "under_review").await.json()["status"], json!("warning_under_review"));
    assert_eq!(decide(&world, &inquiry, "needs_response").await.json()["status"], json!("needs_response"));
    assert_eq!(decide(&world, &inquiry, "lost").await.json()["status"], json!("lost"));
    for to in ["won", "lost", "under_review", "needs_response", "warning_closed", "withdrawn"] {
        assert_eq!(decide(&world, &inquiry, to).await.status, 400, "lost is the end: {to}");
    }
    assert_eq!(decide(&world, &json!({ "id": "du_x" }), "won").await.status, 404);
    assert_eq!(decide(&world, &inquiry, "nowhere").await.status, 400);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_paid_charge_can_be_disputed_by_a_control() {
    let world = start().await;
    let intent = world.paid("pm_card_visa").await;
    let path = format!("/_sandbox/payment_intents/{intent}/dispute");
    assert_eq!(world.control(&path, r#"{"amount": 290}"#).await.status, 400);
    assert_eq!(world.control(&path, r#"{"amount": 0}"#).await.status, 400);
    world.post("/v1/refunds", &[("payment_intent", &intent), ("amount", "89")]).await;
    let step = world.control(&path, r#"{"amount": 50, "inquiry": true, "reason": "duplicate"}"#);
    let (inquiry, events) = with_events(&world, step).await;
    assert_eq!((&inquiry["amount"], &inquiry["reason"]), (&json!(50), &json!("duplicate")));
    assert_eq!((&inquiry["status"], events), (&json!("warning_needs_response"), vec![CREATED.to_owned()]));
    assert_eq!(world.control(&path, "{}").await.status, 400, "one dispute at a time");
    decide(&world, &inquiry, "warning_closed").await;
    let (chargeback, events) = with_events(&world, world.control(&path, "{}")).await;
    assert_eq!((&chargeback["amount"], &chargeback["reason"]), (&json!(200), &json!("fraudulent")));
    assert_eq!(events, [CREATED, WITHDRAWN]);
    world.sandbox.stop().await;
}
