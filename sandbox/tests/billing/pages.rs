//! The customer portal and the hosted page of an invoice, as a person clicks through them.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Shop, count, made, price, text};

/// A portal where everything is allowed, with these prices on offer. Returns the configuration's id.
async fn configured(shop: &Shop, offers: &[&str], more: &[(&str, &str)]) -> String {
    let mut params: Vec<(String, String)> = vec![
        ("features[subscription_cancel][enabled]".into(), "true".into()),
        ("features[payment_method_update][enabled]".into(), "true".into()),
        ("features[invoice_history][enabled]".into(), "true".into()),
        ("features[subscription_update][enabled]".into(), "true".into()),
        ("features[subscription_update][default_allowed_updates][0]".into(), "price".into()),
        ("features[subscription_update][proration_behavior]".into(), "always_invoice".into()),
    ];
    for (place, id) in offers.iter().enumerate() {
        let found = shop.world.get(&format!("/v1/prices/{id}")).await.json();
        let at = format!("features[subscription_update][products][{place}]");
        params.push((format!("{at}[product]"), text(&found["product"]).to_owned()));
        params.push((format!("{at}[prices][0]"), (*id).to_owned()));
    }
    params.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let params: Vec<(&str, &str)> = params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    text(&made(&shop.world, "/v1/billing_portal/configurations", &params).await["id"]).to_owned()
}

async fn portal(shop: &Shop, configuration: &str, more: &[(&str, &str)]) -> String {
    let mut params = vec![
        ("customer", shop.customer.as_str()),
        ("configuration", configuration),
        ("return_url", "http://127.0.0.1:9/account"),
    ];
    params.extend(more);
    let session = made(&shop.world, "/v1/billing_portal/sessions", &params).await;
    text(&session["url"]).strip_prefix(&shop.world.sandbox.url()).unwrap().to_owned()
}

async fn click(shop: &Shop, path: &str, form: &[(&str, &str)]) -> crate::support::Answer {
    let answer = shop.world.send(Method::POST, path, form, &[]).await.unwrap();
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_cancels_and_changes_their_mind() {
    let shop = Shop::open("pm_card_visa").await;
    let subscription = shop.subscribe(&[]).await;
    let id = text(&subscription["id"]);
    let url = portal(&shop, &configured(&shop, &[], &[]).await, &[]).await;
    let page = shop.world.get(&url).await;
    assert!(page.text.contains("Cancel plan") && page.text.contains("Renews on"), "{}", page.text);
    let asks = shop.world.get(&format!("{url}/cancel/{id}")).await;
    assert!(asks.text.contains("It stays yours until"), "{}", asks.text);
    click(&shop, &format!("{url}/cancel"), &[("subscription", id), ("feedback", "too_expensive")]).await;
    let ending = shop.subscription(&subscription["id"]).await;
    assert_eq!(ending["cancel_at_period_end"], json!(false), "a flexible subscription has a date instead");
    assert_eq!(ending["cancel_at"], subscription["items"]["data"][0]["current_period_end"]);
    assert_eq!(ending["cancellation_details"]["feedback"], json!("too_expensive"));
    assert!(shop.world.get(&url).await.text.contains("Don't cancel"));
    click(&shop, &format!("{url}/resume"), &[("subscription", id)]).await;
    assert_eq!(shop.subscription(&subscription["id"]).await["cancel_at"], json!(null));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_changes_plan_and_pays_the_difference() {
    let shop = Shop::open("pm_card_visa").await;
    let subscription = shop.subscribe(&[]).await;
    let bigger = price(&shop.world, "6000", "month").await;
    let configuration = configured(&shop, &[&bigger], &[]).await;
    let url = portal(&shop, &configuration, &[]).await;
    let id = text(&subscription["id"]);
    shop.advance_days(3).await;
    click(&shop, &format!("{url}/plan"), &[("subscription", id), ("price", &bigger)]).await;
    let changed = shop.subscription(&subscription["id"]).await;
    assert_eq!(changed["items"]["data"][0]["price"]["id"], json!(bigger));
    assert_eq!(shop.invoices().await[0]["billing_reason"], json!("subscription_update"));
    let wrong = [("subscription", id), ("price", shop.price.as_str())];
    let refused = shop.world.send(Method::POST, &format!("{url}/plan"), &wrong, &[]).await.unwrap();
    assert_eq!(refused.status, 400, "a plan that is not offered");
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cheaper_plan_waits_for_the_end_of_the_period_if_the_portal_says_so() {
    let shop = Shop::open("pm_card_visa").await;
    let subscription = shop.subscribe(&[]).await;
    let smaller = price(&shop.world, "500", "month").await;
    let condition =
        ("features[subscription_update][schedule_at_period_end][conditions][0][type]", "decreasing_item_amount");
    let url = portal(&shop, &configured(&shop, &[&smaller], &[condition]).await, &[]).await;
    click(&shop, &format!("{url}/plan"), &[("subscription", text(&subscription["id"])), ("price", &smaller)]).await;
    let waiting = shop.subscription(&subscription["id"]).await;
    assert_eq!(waiting["items"]["data"][0]["price"]["id"], json!(shop.price));
    assert!(waiting["schedule"].is_string());
    shop.advance(json!({ "to_renewal": true })).await;
    assert_eq!(shop.invoices().await[0]["total"], json!(500));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_card_becomes_the_customers_default() {
    let shop = Shop::open("pm_card_chargeCustomerFail").await;
    let url = portal(&shop, &configured(&shop, &[], &[]).await, &[("flow_data[type]", "payment_method_update")]).await;
    let seen = shop.seen().await;
    let card = [("card_number", "4242 4242 4242 4242"), ("exp", "12 / 34"), ("cvc", "123")];
    let done = click(&shop, &format!("{url}/card"), &card).await;
    assert_eq!(done.header("location"), "http://127.0.0.1:9/account", "the flow leads back to the shop");
    let kinds = shop.news(seen).await;
    assert_eq!((count(&kinds, "payment_method.attached"), count(&kinds, "customer.updated")), (1, 1), "{kinds:?}");
    assert_eq!(shop.subscribe(&[]).await["status"], json!("active"));
    let wrong = [("card_number", "4242 4242 4242 4241"), ("exp", "12 / 34"), ("cvc", "123")];
    let refused = shop.world.send(Method::POST, &format!("{url}/card"), &wrong, &[]).await.unwrap();
    assert_eq!(refused.status, 400);
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flows_lead_to_one_action_and_must_fit_the_configuration() {
    let shop = Shop::open("pm_card_visa").await;
    let subscription = shop.subscribe(&[]).await;
    let id = text(&subscription["id"]).to_owned();
    let bigger = price(&shop.world, "6000", "month").await;
    let configuration = configured(&shop, &[&bigger], &[]).await;
    let item = text(&subscription["items"]["data"][0]["id"]).to_owned();
    let confirm: Vec<(&str, &str)> = vec![
        ("flow_data[type]", "subscription_update_confirm"),
        ("flow_data[subscription_update_confirm][subscription]", &id),
        ("flow_data[subscription_update_confirm][items][0][id]", &item),
        ("flow_data[subscription_update_confirm][items][0][price]", &bigger),
    ];
    let url = portal(&shop, &configuration, &confirm).await;
    assert!(shop.world.get(&url).await.text.contains("Confirm your change"));
    let cancel =
        [("flow_data[type]", "subscription_cancel"), ("flow_data[subscription_cancel][subscription]", id.as_str())];
    let url = portal(&shop, &configuration, &cancel).await;
    assert!(shop.world.get(&url).await.text.contains("Cancel your plan?"));
    let off =
        made(&shop.world, "/v1/billing_portal/configurations", &[("features[invoice_history][enabled]", "true")]).await;
    let mut params = vec![("customer", shop.customer.as_str()), ("configuration", text(&off["id"]))];
    params.extend(cancel);
    let refused = shop.world.post("/v1/billing_portal/sessions", &params).await;
    assert_eq!((refused.status, refused.error().2.as_str()), (400, "flow_data[type]"), "{}", refused.text);
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn configurations_are_made_changed_and_listed() {
    let shop = Shop::open("").await;
    shop.world.control("/_sandbox/billing", r#"{"portal_saved": false}"#).await;
    let refused = shop.world.post("/v1/billing_portal/sessions", &[("customer", &shop.customer)]).await;
    assert_eq!(refused.status, 400, "nothing was saved in the dashboard");
    let id = configured(&shop, &[], &[("business_profile[headline]", "Hello")]).await;
    let path = format!("/v1/billing_portal/configurations/{id}");
    let changed = made(&shop.world, &path, &[("metadata[foo]", "bar"), ("active", "false")]).await;
    assert_eq!((&changed["active"], &changed["business_profile"]["headline"]), (&json!(false), &json!("Hello")));
    let listed = shop.world.get("/v1/billing_portal/configurations?active=false").await.json();
    assert_eq!(listed["data"][0]["id"], json!(id));
    assert_eq!(shop.world.get("/v1/billing_portal/configurations?active=true").await.json()["data"], json!([]));
    let kinds = shop.world.event_types().await;
    assert_eq!(count(&kinds, "billing_portal.configuration.updated"), 1);
    shop.world.sandbox.stop().await;
}

async fn late_invoice(card: &str) -> (Shop, Value, String) {
    let shop = Shop::open("pm_card_visa").await;
    let subscription = shop.subscribe(&[]).await;
    shop.use_card(card).await;
    shop.advance(json!({ "to_renewal": true })).await;
    let invoice = &shop.invoices().await[0];
    let url = text(&invoice["hosted_invoice_url"]).strip_prefix(&shop.world.sandbox.url()).unwrap().to_owned();
    (shop, subscription, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_invoice_is_paid_on_its_page_with_another_card() {
    let (shop, subscription, url) = late_invoice("pm_card_chargeCustomerFail").await;
    let page = shop.world.get(&url).await;
    assert!(page.text.contains("Pay $20.00"), "{}", page.text);
    let declined = [("card_number", "4000 0000 0000 0002"), ("exp", "12 / 34"), ("cvc", "123")];
    let refused = shop.world.send(Method::POST, &url, &declined, &[]).await.unwrap();
    assert_eq!(refused.status, 402);
    assert!(refused.text.contains("Your card was declined."), "{}", refused.text);
    let card = [("card_number", "4242 4242 4242 4242"), ("exp", "12 / 34"), ("cvc", "123")];
    click(&shop, &url, &card).await;
    assert_eq!(shop.subscription(&subscription["id"]).await["status"], json!("active"));
    assert!(shop.world.get(&url).await.text.contains("Paid on"));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_is_passed_on_the_page_of_the_invoice() {
    let (shop, subscription, url) = late_invoice("pm_card_authenticationRequired").await;
    let page = shop.world.get(&format!("{url}/challenge")).await;
    assert!(page.text.contains("3-D Secure test page"), "{}", page.text);
    let failed = shop.world.send(Method::POST, &format!("{url}/challenge"), &[("outcome", "fail")], &[]).await.unwrap();
    assert_eq!(failed.status, 402, "{}", failed.text);
    assert_eq!(shop.subscription(&subscription["id"]).await["status"], json!("past_due"));
    let again = shop.world.send(Method::POST, &format!("{url}/saved"), &[], &[]).await.unwrap();
    assert!(again.header("location").ends_with("/challenge"), "{}", again.text);
    click(&shop, &format!("{url}/challenge"), &[("outcome", "complete")]).await;
    assert_eq!(shop.subscription(&subscription["id"]).await["status"], json!("active"));
    shop.world.sandbox.stop().await;
}
