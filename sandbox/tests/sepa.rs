//! SEPA debits: offered in euros, complete before they are paid, settled by time or by a control.

use serde_json::{Value, json};

use crate::support::{Answer, World, session_with, start};

const EUROS: &[(&str, &str)] = &[
    ("line_items[0][price_data][currency]", "eur"),
    ("line_items[1][price_data][currency]", "eur"),
    ("allowed_payment_method_types[0]", "card"),
    ("allowed_payment_method_types[1]", "sepa_debit"),
];
const AT_ONCE: &str = "AT611904300234573201";

async fn session(world: &World, changes: &[(&str, &str)]) -> String {
    let answer = world.post("/v1/checkout/sessions", &session_with(changes)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn debit(world: &World, session: &str, iban: &str) -> Answer {
    let params = [
        ("payment_method_data[type]", "sepa_debit"),
        ("payment_method_data[sepa_debit][iban]", iban),
        ("payment_method_data[billing_details][name]", "Ada"),
        ("expected_amount", "289"),
    ];
    world.post(&format!("/v1/payment_pages/{session}/confirm"), &params).await
}

async fn advance(world: &World, seconds: i64) {
    let answer = world.control("/_sandbox/clock", &json!({ "advance_seconds": seconds }).to_string()).await;
    assert_eq!(answer.status, 200);
}

async fn payment_status(world: &World, session: &str) -> Value {
    world.get(&format!("/v1/checkout/sessions/{session}")).await.json()["payment_status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debit_completes_the_session_unpaid_and_is_paid_when_its_time_has_come() {
    for (iban, seconds) in [(AT_ONCE, 2), ("AT321904300235473204", 180), ("AT591904300235473203", 2)] {
        let world = start().await;
        let id = session(&world, EUROS).await;
        let page = debit(&world, &id, iban).await.json();
        assert_eq!((&page["status"], &page["payment_status"]), (&json!("complete"), &json!("unpaid")), "{page:#}");
        assert_eq!(page["payment_intent"]["status"], json!("processing"));
        if seconds > 60 {
            advance(&world, 60).await;
            assert_eq!(payment_status(&world, &id).await, json!("unpaid"), "{iban}");
        }
        advance(&world, seconds).await;
        assert_eq!(payment_status(&world, &id).await, json!("paid"), "{iban}");
        let types = world.event_types().await;
        let count = |kind: &str| types.iter().filter(|event| *event == kind).count();
        assert_eq!(count("checkout.session.async_payment_succeeded"), 1, "{types:?}");
        assert_eq!(count("charge.dispute.created"), usize::from(iban == "AT591904300235473203"), "{types:?}");
        advance(&world, 600).await;
        assert_eq!(world.event_types().await, types, "it settles once");
        world.sandbox.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_debit_leaves_the_session_unpaid() {
    for (iban, seconds) in [("AT861904300235473202", 2), ("AT051904300235473205", 180)] {
        let world = start().await;
        let id = session(&world, EUROS).await;
        assert_eq!(debit(&world, &id, iban).await.status, 200);
        advance(&world, seconds).await;
        assert_eq!(payment_status(&world, &id).await, json!("unpaid"), "{iban}");
        let types = world.event_types().await;
        assert_eq!(types.last().unwrap(), "checkout.session.async_payment_failed", "{types:?}");
        world.sandbox.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_can_settle_a_debit_before_its_time_and_otherwise_than_it_would() {
    let world = start().await;
    let id = session(&world, EUROS).await;
    debit(&world, &id, "AT321904300235473204").await;
    let settled = world.control(&format!("/_sandbox/sessions/{id}/settle"), r#"{"outcome":"failed"}"#).await;
    assert_eq!(settled.status, 200, "{}", settled.text);
    let types = world.event_types().await;
    advance(&world, 3_600).await;
    assert_eq!(world.event_types().await, types);
    assert_eq!(payment_status(&world, &id).await, json!("unpaid"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debit_is_refused_where_it_is_not_offered_and_with_a_number_that_is_none() {
    let world = start().await;
    for changes in [&EUROS[..2], &EUROS[2..]] {
        let id = session(&world, changes).await;
        assert_eq!(debit(&world, &id, AT_ONCE).await.error().2, "payment_method_data[type]");
        assert!(!world.get(&format!("/c/pay/{id}")).await.text.contains("pay-debit"));
    }
    let id = session(&world, EUROS).await;
    for iban in ["AT611904300234573202", "GB82WEST12345698765432"] {
        let (status, code, param, _) = debit(&world, &id, iban).await.error();
        let expected = (400, "account_number_invalid", "payment_method_data[sepa_debit][iban]");
        assert_eq!((status, code.as_str(), param.as_str()), expected, "{iban}");
    }
    assert_eq!(world.event_types().await, Vec::<String>::new(), "nothing was begun");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_takes_a_debit_and_shows_what_is_wrong_with_it() {
    let world = start().await;
    let id = session(&world, EUROS).await;
    let page = world.get(&format!("/c/pay/{id}")).await.text;
    assert!(page.contains("id=\"pay\"") && page.contains("id=\"pay-debit\"") && page.contains(AT_ONCE));
    let path = format!("/c/pay/{id}/debit");
    let mut form =
        vec![("debit_email", "ada@example.com"), ("debit_name", "Ada"), ("iban", "AT00 1904 3002 3457 3201")];
    let refused = world.post(&path, &form).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("The IBAN you entered is invalid."), "{}", refused.text);
    assert!(refused.text.contains("AT00 1904 3002 3457 3201"), "what was typed is still there");
    assert!(world.post(&path, &[]).await.text.contains("Your name is incomplete."));
    form[2].1 = "at61 1904 3002 3457 3201";
    let paid = world.post(&path, &form).await;
    assert_eq!((paid.status, paid.header("location")), (303, format!("/c/pay/{id}/done").as_str()));
    let done = world.get(&format!("/v1/checkout/sessions/{id}?expand[]=payment_intent.payment_method")).await.json();
    assert_eq!(done["customer_details"]["name"], json!("Ada"));
    assert_eq!(done["payment_intent"]["payment_method"]["sepa_debit"]["last4"], json!("3201"));
    let again = world.post(&path, &form).await;
    assert_eq!((again.status, again.header("location")), (303, format!("/c/pay/{id}/done").as_str()));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_for_debits_only_shows_no_card_form() {
    let world = start().await;
    let mut changes = EUROS.to_vec();
    changes[2].1 = "sepa_debit";
    let id = session(&world, &changes[..3]).await;
    let page = world.get(&format!("/c/pay/{id}")).await.text;
    assert!(page.contains("pay-debit") && !page.contains("card_number"));
    world.sandbox.stop().await;
}
