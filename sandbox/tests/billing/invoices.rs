//! Invoices without a subscription: items, drafts, payments, credit notes; and the payments of invoices.

use reqwest::Method;
use serde_json::json;

use super::{Shop, count, made, text};

#[tokio::test(flavor = "multi_thread")]
async fn items_wait_for_an_invoice_that_is_finalized_and_paid() {
    let shop = Shop::open("pm_card_visa").await;
    let params = [("customer", shop.customer.as_str()), ("amount", "2000"), ("currency", "usd")];
    let item = made(&shop.world, "/v1/invoiceitems", &params).await;
    assert_eq!((&item["object"], &item["invoice"]), (&json!("invoiceitem"), &json!(null)));
    let include = [("customer", shop.customer.as_str()), ("pending_invoice_items_behavior", "include")];
    let draft = made(&shop.world, "/v1/invoices", &include).await;
    assert_eq!((&draft["status"], &draft["total"], &draft["number"]), (&json!("draft"), &json!(2_000), &json!(null)));
    let path = format!("/v1/invoices/{}", text(&draft["id"]));
    let item = shop.world.get(&format!("/v1/invoiceitems/{}", text(&item["id"]))).await.json();
    assert_eq!(item["invoice"], draft["id"]);
    let open = made(&shop.world, &format!("{path}/finalize"), &[]).await;
    assert_eq!(open["status"], json!("open"));
    assert!(open["number"].is_string() && open["hosted_invoice_url"].is_string());
    let refused = shop.world.post(&path, &[("footer", "late")]).await;
    assert_eq!(refused.error().1, "invoice_not_editable", "{}", refused.text);
    let paid = made(&shop.world, &format!("{path}/pay"), &[]).await;
    assert_eq!((&paid["status"], &paid["parent"]), (&json!("paid"), &json!(null)));
    let payments = shop.world.get(&format!("/v1/invoice_payments?invoice={}", text(&draft["id"]))).await.json();
    let payment = &payments["data"][0];
    assert_eq!((&payment["status"], &payment["amount_paid"]), (&json!("paid"), &json!(2_000)));
    let intent = text(&payment["payment"]["payment_intent"]);
    let path = format!("/v1/invoice_payments?payment[type]=payment_intent&payment[payment_intent]={intent}");
    assert_eq!(shop.world.get(&path).await.json()["data"][0]["invoice"], draft["id"], "from a payment to its invoice");
    let one = format!("/v1/invoice_payments/{}", text(&payment["id"]));
    assert_eq!(shop.world.get(&one).await.json(), *payment);
    shop.world.sandbox.stop().await;
}

async fn draft(shop: &Shop) -> String {
    let params = [("customer", shop.customer.as_str()), ("amount", "2000"), ("currency", "usd")];
    made(&shop.world, "/v1/invoiceitems", &params).await;
    let include = [("customer", shop.customer.as_str()), ("pending_invoice_items_behavior", "include")];
    let made = made(&shop.world, "/v1/invoices", &include).await;
    format!("/v1/invoices/{}", text(&made["id"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn declines_and_challenges_of_a_payment_are_card_errors() {
    for (card, code, event) in [
        ("pm_card_chargeCustomerFail", "card_declined", "invoice.payment_failed"),
        ("pm_card_threeDSecure2Required", "invoice_payment_intent_requires_action", "invoice.payment_action_required"),
    ] {
        let shop = Shop::open(card).await;
        let path = draft(&shop).await;
        let refused = shop.world.post(&format!("{path}/pay"), &[]).await;
        assert_eq!((refused.status, refused.error().1.as_str()), (402, code), "{}", refused.text);
        assert_eq!(refused.json()["error"]["type"], json!("card_error"));
        assert_eq!(count(&shop.world.event_types().await, event), 1);
        assert_eq!(shop.world.get(&path).await.json()["status"], json!("open"));
        shop.world.sandbox.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_are_deleted_and_final_ones_void_or_uncollectible() {
    let shop = Shop::open("pm_card_visa").await;
    let path = draft(&shop).await;
    let gone = shop.world.send(Method::DELETE, &path, &[], &[]).await.unwrap().json();
    assert_eq!(gone["deleted"], json!(true));
    let path = draft(&shop).await;
    made(&shop.world, &format!("{path}/finalize"), &[]).await;
    assert_eq!(shop.world.send(Method::DELETE, &path, &[], &[]).await.unwrap().status, 400);
    let given_up = made(&shop.world, &format!("{path}/mark_uncollectible"), &[]).await;
    assert_eq!(given_up["status"], json!("uncollectible"));
    let paid = made(&shop.world, &format!("{path}/pay"), &[("paid_out_of_band", "true")]).await;
    assert_eq!((&paid["status"], &paid["amount_paid_off_stripe"]), (&json!("paid"), &json!(2_000)));
    let path = draft(&shop).await;
    made(&shop.world, &format!("{path}/finalize"), &[]).await;
    let void = made(&shop.world, &format!("{path}/void"), &[]).await;
    assert_eq!(void["status"], json!("void"));
    let kinds = shop.world.event_types().await;
    for kind in ["invoice.deleted", "invoice.voided", "invoice.marked_uncollectible", "payment_intent.canceled"] {
        assert!(count(&kinds, kind) >= 1, "{kind} in {kinds:?}");
    }
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_pays_invoices_before_cards_do() {
    let shop = Shop::open("pm_card_visa").await;
    let path = format!("/v1/customers/{}", shop.customer);
    made(&shop.world, &path, &[("balance", "-500")]).await;
    let invoice = draft(&shop).await;
    let paid = made(&shop.world, &format!("{invoice}/pay"), &[]).await;
    assert_eq!(
        (&paid["total"], &paid["amount_due"], &paid["amount_paid"], &paid["starting_balance"], &paid["ending_balance"]),
        (&json!(2_000), &json!(1_500), &json!(1_500), &json!(-500), &json!(0))
    );
    assert_eq!(shop.world.get(&path).await.json()["balance"], json!(0));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_notes_lower_what_is_due_or_give_money_back() {
    let shop = Shop::open("pm_card_visa").await;
    let path = draft(&shop).await;
    let open = made(&shop.world, &format!("{path}/finalize"), &[]).await;
    let id = text(&open["id"]);
    let lines = [
        ("invoice", id),
        ("lines[0][type]", "custom_line_item"),
        ("lines[0][unit_amount]", "1000"),
        ("lines[0][quantity]", "1"),
        ("lines[0][description]", "Sorry"),
    ];
    let note = made(&shop.world, "/v1/credit_notes", &lines).await;
    assert_eq!(
        (&note["status"], &note["type"], &note["total"]),
        (&json!("issued"), &json!("pre_payment"), &json!(1_000))
    );
    assert_eq!(shop.world.get(&path).await.json()["amount_remaining"], json!(1_000));
    let void = made(&shop.world, &format!("/v1/credit_notes/{}/void", text(&note["id"])), &[]).await;
    assert_eq!(void["status"], json!("void"));
    let paid = made(&shop.world, &format!("{path}/pay"), &[]).await;
    assert_eq!(paid["amount_paid"], json!(2_000));
    let too_much =
        shop.world.post("/v1/credit_notes", &[("invoice", id), ("amount", "2001"), ("credit_amount", "2001")]).await;
    assert_eq!(too_much.status, 400);
    let back = [("invoice", id), ("amount", "500"), ("refund_amount", "500")];
    let note = made(&shop.world, "/v1/credit_notes", &back).await;
    assert_eq!(note["type"], json!("post_payment"));
    let refunds = shop.world.get("/v1/refunds").await.json();
    assert_eq!(refunds["data"][0]["amount"], json!(500));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_and_disputes_of_a_subscriptions_payment_work_as_on_any() {
    let shop = Shop::open("pm_card_visa").await;
    let subscription = shop.subscribe(&[]).await;
    let invoice = text(&subscription["latest_invoice"]).to_owned();
    let payments = shop.world.get(&format!("/v1/invoice_payments?invoice={invoice}")).await.json();
    let intent = text(&payments["data"][0]["payment"]["payment_intent"]).to_owned();
    let refund = made(&shop.world, "/v1/refunds", &[("payment_intent", &intent), ("amount", "700")]).await;
    assert_eq!(refund["status"], json!("succeeded"));
    let path = format!("/v1/invoices/{invoice}");
    assert_eq!(shop.world.get(&path).await.json()["status"], json!("paid"), "a refund does not change the invoice");
    let answer = shop.world.control(&format!("/_sandbox/payment_intents/{intent}/dispute"), "{}").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(count(&shop.world.event_types().await, "charge.dispute.created"), 1);
    shop.world.sandbox.stop().await;
}
