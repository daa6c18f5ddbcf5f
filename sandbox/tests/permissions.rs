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
