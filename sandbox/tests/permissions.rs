//! A restricted key: a missing permission gives Stripe's error.

use crate::support::{SESSION, World, start};

const SESSIONS: &str = "/v1/checkout/sessions";

async fn lack(world: &World, missing: &[&str]) {
    let body = serde_json::json!({ "missing": missing }).to_string();
    assert_eq!(world.control("/_sandbox/permissions", &body).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_key_lacks_is_refused_by_name_and_the_rest_works() {
    let world = start().await;
    lack(&world, &["rak_checkout_session_write", "rak_dispute_read"]).await;
    let refused = world.post(SESSIONS, SESSION).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("Having the 'rak_checkout_session_write' permission"), "{}", refused.text);
    assert_eq!(world.get(SESSIONS).await.status, 200);
    assert_eq!(world.get("/v1/disputes").await.status, 403, "without reading");
    lack(&world, &[]).await;
    assert_eq!(world.post(SESSIONS, SESSION).await.status, 200);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expansion_needs_the_permission_of_what_is_expanded() {
    let world = start().await;
    lack(&world, &["rak_payment_intent_read"]).await;
    assert_eq!(world.get("/v1/refunds?expand[]=data.payment_intent").await.status, 403);
    assert_eq!(world.get("/v1/refunds").await.status, 200);
    assert_eq!(world.control("/_sandbox/permissions", r#"{"lacks":[]}"#).await.status, 400);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_and_the_webhook_endpoints_need_permissions_of_their_own() {
    let world = start().await;
    let account = world.get("/v1/account").await.json();
    assert_eq!((&account["object"], &account["charges_enabled"]), (&serde_json::json!("account"), &true.into()));
    lack(&world, &["rak_accounts_kyc_id_numbers_read", "rak_webhook_write"]).await;
    let refused = world.get("/v1/account").await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("Having the 'rak_accounts_kyc_id_numbers_read' permission"), "{}", refused.text);
    assert_eq!(world.get("/v1/webhook_endpoints").await.status, 200);
    let params = [("url", "http://127.0.0.1:9/x"), ("enabled_events[]", "*")];
    assert_eq!(world.post("/v1/webhook_endpoints", &params).await.status, 403);
    lack(&world, &["rak_webhook_read"]).await;
    assert_eq!(world.get("/v1/webhook_endpoints").await.status, 403);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_cards_and_prices_have_permissions_of_their_own() {
    let world = start().await;
    let customer = world.customer().await;
    for (missing, path, needed) in [
        ("rak_customer_write", "/v1/customers", "rak_customer_write"),
        ("rak_payment_method_write", "/v1/payment_methods/pm_card_visa/attach", "rak_payment_method_write"),
        ("rak_setup_intent_write", "/v1/setup_intents", "rak_setup_intent_write"),
        ("rak_product_write", "/v1/products", "rak_product_write"),
        ("rak_plan_write", "/v1/prices", "rak_plan_write"),
    ] {
        lack(&world, &[missing]).await;
        let refused = world.post(path, &[]).await;
        assert!(refused.status == 403 && refused.text.contains(needed), "{missing}: {}", refused.text);
    }
    lack(&world, &["rak_payment_method_read"]).await;
    assert_eq!(world.get(&format!("/v1/customers/{customer}/payment_methods")).await.status, 403);
    assert_eq!(world.get(&format!("/v1/customers/{customer}")).await.status, 200);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_says_whether_it_may_take_payments() {
    let world = start().await;
    let standing = r#"{"charges_enabled":false,"payouts_enabled":false}"#;
    assert_eq!(world.control("/_sandbox/account/standing", standing).await.status, 200);
    let account = world.get("/v1/account").await.json();
    let told = ["charges_enabled", "payouts_enabled", "details_submitted"].map(|name| account[name].as_bool());
    assert_eq!(told, [Some(false), Some(false), Some(true)]);
    assert_eq!(world.control("/_sandbox/account/standing", r#"{"charges":false}"#).await.status, 400);
    assert_eq!(world.get("/v1/account?limit=1").await.status, 400);
    world.sandbox.stop().await;
}
