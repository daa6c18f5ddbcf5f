//! Customers, their saved payment methods, and setup intents.

use reqwest::Method;
use serde_json::json;

use crate::support::start;

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_created_changed_listed_and_deleted() {
    let world = start().await;
    let params = [
        ("email", "ada@example.com"),
        ("name", "Ada"),
        ("address[line1]", "Main Street 1"),
        ("address[country]", "DE"),
        ("metadata[account]", "1"),
        ("preferred_locales[]", "de"),
    ];
    let ada = world.made("/v1/customers", &params).await;
    let path = format!("/v1/customers/{}", ada["id"].as_str().unwrap());
    assert_eq!((&ada["object"], &ada["address"]["country"]), (&json!("customer"), &json!("DE")));
    assert_eq!(ada["invoice_settings"]["default_payment_method"], json!(null));
    let update = [("name", ""), ("metadata[account]", "2"), ("invoice_settings[footer]", "Thanks")];
    let changed = world.made(&path, &update).await;
    assert_eq!((&changed["name"], &changed["metadata"]), (&json!(null), &json!({ "account": "2" })));
    assert_eq!(changed["invoice_settings"]["footer"], json!("Thanks"));
    world.made(&path, &[("metadata[account]", "2")]).await;
    let events = world.events().await;
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["customer.created", "customer.updated"], "nothing changed in the end");
    assert_eq!(events[1]["data"]["previous_attributes"]["name"], json!("Ada"));
    world.customer().await;
    let listed = world.get("/v1/customers?email=ada@example.com&limit=1").await.json();
    assert_eq!((listed["data"].as_array().unwrap().len(), &listed["has_more"]), (1, &json!(true)));
    let gone = world.send(Method::DELETE, &path, &[], &[]).await.unwrap().json();
    assert_eq!(gone, json!({ "id": ada["id"], "object": "customer", "deleted": true }));
    assert_eq!(world.get(&path).await.json(), gone, "it is still known by its id");
    assert_eq!(world.post(&path, &[("name", "Ada")]).await.status, 404);
    assert_eq!(world.get("/v1/customers").await.json()["data"].as_array().unwrap().len(), 1);
    assert_eq!(world.event_types().await.last().unwrap(), "customer.deleted");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_about_customers_are_named_as_on_stripe() {
    let world = start().await;
    let id = world.customer().await;
    let path = format!("/v1/customers/{id}");
    for (path, param, expected) in [
        ("/v1/customers", ("nonsense", "1"), (400, "parameter_unknown", "nonsense")),
        ("/v1/customers", ("email", "ada"), (400, "email_invalid", "email")),
        ("/v1/customers", ("tax_exempt", "always"), (400, "", "tax_exempt")),
        ("/v1/customers", ("address", "Main Street"), (400, "", "address")),
        ("/v1/customers", ("test_clock", "clock_1"), (400, "resource_missing", "test_clock")),
        ("/v1/customers", ("tax[ip_address]", "1.2.3.4"), (400, "", "tax")),
        ("/v1/customers", ("payment_method", "pm_none"), (400, "resource_missing", "payment_method")),
        (
            path.as_str(),
            ("invoice_settings[default_payment_method]", "pm_none"),
            (400, "resource_missing", "invoice_settings[default_payment_method]"),
        ),
        ("/v1/customers/cus_none", ("name", "Ada"), (404, "resource_missing", "id")),
        ("/v1/payment_intents", ("customer", "cus_none"), (400, "resource_missing", "customer")),
    ] {
        let mut params = vec![param];
        if path == "/v1/payment_intents" {
            params.extend([("amount", "100"), ("currency", "usd")]);
        }
        let error = world.post(path, &params).await.error();
        assert_eq!((error.0, error.1.as_str(), error.2.as_str()), expected, "{path} {param:?}: {}", error.3);
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_attached_made_the_default_changed_and_detached_for_good() {
    let world = start().await;
    let (ada, bob) = (world.customer().await, world.customer().await);
    let card = world.attached(&ada, "pm_card_visa").await;
    let path = format!("/v1/payment_methods/{card}");
    let default = [("invoice_settings[default_payment_method]", card.as_str())];
    assert_eq!(world.post(&format!("/v1/customers/{bob}"), &default).await.status, 400, "not Bob's");
    world.made(&format!("/v1/customers/{ada}"), &default).await;
    let expand = "expand[]=invoice_settings.default_payment_method";
    let shown = world.get(&format!("/v1/customers/{ada}?{expand}")).await.json();
    assert_eq!(shown["invoice_settings"]["default_payment_method"]["card"]["last4"], json!("4242"));
    assert_eq!(world.get(&format!("/v1/customers/{ada}?expand[]=invoice_settings")).await.status, 400);
    let listed = world.get(&format!("/v1/customers/{ada}/payment_methods?type=card")).await.json();
    assert_eq!(listed["data"][0]["id"], json!(card));
    assert_eq!(world.get(&format!("/v1/customers/{bob}/payment_methods/{card}")).await.status, 404);
    let again = world.post(&format!("{path}/attach"), &[("customer", &bob)]).await.error();
    assert!(again.3.contains("already been attached"), "{}", again.3);
    let update = [("billing_details[name]", "Ada"), ("card[exp_year]", "2044"), ("metadata[k]", "v")];
    let changed = world.made(&path, &update).await;
    assert_eq!((&changed["card"]["exp_year"], &changed["billing_details"]["name"]), (&json!(2044), &json!("Ada")));
    world.made(&format!("{path}/detach"), &[]).await;
    let gone = world.post(&format!("{path}/attach"), &[("customer", &ada)]).await.error();
    assert!(gone.3.contains("may not be used again"), "{}", gone.3);
    let kinds = world.event_types().await;
    assert_eq!(
        kinds[2..],
        [
            "payment_method.attached",
            "customer.updated",
            "payment_method.updated",
            "payment_method.detached",
            "customer.updated"
        ]
    );
    let detached = &world.events().await[5]["data"];
    assert_eq!(detached["previous_attributes"], json!({ "customer": ada }));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_method_is_made_of_a_token_a_number_or_an_account_number() {
    let world = start().await;
    let number = [("card[number]", "5555555555554444"), ("card[exp_month]", "12"), ("card[exp_year]", "2040")];
    let card = world.made("/v1/payment_methods", &[&[("type", "card")], &number[..]].concat()).await;
    assert_eq!((&card["card"]["brand"], &card["customer"]), (&json!("mastercard"), &json!(null)));
    let token = world.made("/v1/payment_methods", &[("type", "card"), ("card[token]", "tok_mastercard")]).await;
    assert_eq!(token["card"]["fingerprint"], card["card"]["fingerprint"], "the same number");
    let debit = [("type", "sepa_debit"), ("sepa_debit[iban]", "IT60X0542811101000000123456")];
    let debit = world.made("/v1/payment_methods", &debit).await;
    assert_eq!(debit["sepa_debit"]["bank_code"], json!("05428"));
    for (params, expected) in [
        (vec![("type", "card")], "card"),
        (vec![("type", "card"), ("card[number]", "4242424242424242")], "card[exp_month]"),
        (vec![("type", "card"), ("card[token]", "tok_none")], "card[token]"),
        (vec![("type", "klarna")], "type"),
        (vec![("card[token]", "tok_visa")], "type"),
        (vec![("type", "sepa_debit"), ("card[token]", "tok_visa")], "type"),
    ] {
        let error = world.post("/v1/payment_methods", &params).await.error();
        assert_eq!((error.0, error.2.as_str()), (400, expected), "{params:?}: {}", error.3);
    }
    let past =
        [("type", "card"), ("card[number]", "4242424242424242"), ("card[exp_month]", "1"), ("card[exp_year]", "2020")];
    assert_eq!(world.post("/v1/payment_methods", &past).await.error().1, "invalid_expiry_year");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_intent_saves_a_card_for_its_customer() {
    let world = start().await;
    let ada = world.customer().await;
    let params = [("customer", ada.as_str()), ("payment_method", "pm_card_visa"), ("confirm", "true")];
    let done = world.made("/v1/setup_intents", &params).await;
    assert_eq!((&done["status"], &done["usage"]), (&json!("succeeded"), &json!("off_session")));
    let card = world.get(&format!("/v1/payment_methods/{}", done["payment_method"].as_str().unwrap())).await.json();
    assert_eq!(card["customer"], json!(ada));
    let kinds = world.event_types().await;
    assert_eq!(kinds[1..], ["setup_intent.created", "payment_method.attached", "setup_intent.succeeded"]);
    let again = world.post(&format!("/v1/setup_intents/{}/confirm", done["id"].as_str().unwrap()), &[]).await.error();
    assert_eq!((again.0, again.1.as_str()), (400, "setup_intent_unexpected_state"));

    let bare = world.made("/v1/setup_intents", &[("customer", &ada), ("metadata[k]", "v")]).await;
    assert_eq!(bare["status"], json!("requires_payment_method"));
    let path = format!("/v1/setup_intents/{}", bare["id"].as_str().unwrap());
    assert!(world.post(&format!("{path}/confirm"), &[]).await.error().3.contains("missing a payment method"));
    let declined = world.post(&format!("{path}/confirm"), &[("payment_method", "pm_card_chargeDeclined")]).await;
    assert_eq!((declined.status, declined.error().1.as_str()), (402, "card_declined"));
    let error = &declined.json()["error"];
    assert_eq!(error["setup_intent"]["last_setup_error"]["decline_code"], json!("generic_decline"));
    assert_eq!(error["setup_intent"]["status"], json!("requires_payment_method"));
    world.made(&path, &[("payment_method", "pm_card_visa"), ("metadata[k]", "")]).await;
    assert_eq!(world.made(&format!("{path}/confirm"), &[]).await["status"], json!("succeeded"));

    let waiting = [("payment_method", "pm_card_authenticationRequired"), ("confirm", "true")];
    let waiting = world.made("/v1/setup_intents", &waiting).await;
    assert_eq!(waiting["next_action"]["type"], json!("use_stripe_sdk"));
    let path = format!("/v1/setup_intents/{}/cancel", waiting["id"].as_str().unwrap());
    let canceled = world.made(&path, &[("cancellation_reason", "abandoned")]).await;
    assert_eq!((&canceled["status"], &canceled["cancellation_reason"]), (&json!("canceled"), &json!("abandoned")));
    assert_eq!(world.event_types().await.last().unwrap(), "setup_intent.canceled");
    let listed = world.get(&format!("/v1/setup_intents?customer={ada}")).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn older_versions_have_their_own_names_for_a_setup() {
    let world = start().await;
    let old = [("stripe-version", "2026-03-25.dahlia")];
    let older = [("payment_method_types[]", "card")];
    let made = world.send(Method::POST, "/v1/setup_intents", &older, &old).await.unwrap().json();
    assert_eq!((&made["payment_method_types"], made.get("allowed_payment_method_types")), (&json!(["card"]), None));
    let new = [("stripe-version", "2026-10-28.endive")];
    let refused = world.send(Method::POST, "/v1/setup_intents", &older, &new).await.unwrap().error();
    assert_eq!((refused.0, refused.1.as_str()), (400, "parameter_unknown"));
    let unversioned = world.made("/v1/setup_intents", &older).await;
    assert_eq!(unversioned["allowed_payment_method_types"], json!(["card"]), "an account may be of any age");
    let before_clover = [("stripe-version", "2025-03-31.basil")];
    let customer = world.send(Method::POST, "/v1/customers", &[], &before_clover).await.unwrap().json();
    assert_eq!(customer.get("customer_account"), None);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_of_the_older_kind_are_kept_as_sources() {
    let world = start().await;
    let ada = world.customer().await;
    let path = format!("/v1/customers/{ada}/sources");
    let card = world.made(&path, &[("source", "tok_visa")]).await;
    assert_eq!((&card["object"], &card["brand"]), (&json!("card"), &json!("Visa")));
    let id = card["id"].as_str().unwrap();
    assert_eq!(world.get(&format!("/v1/customers/{ada}")).await.json()["default_source"], json!(id));
    world.made(&format!("{path}/{id}"), &[("metadata[k]", "v")]).await;
    let shown = world.get(&format!("/v1/customers/{ada}?expand[]=sources")).await.json();
    assert_eq!(shown["sources"]["data"][0]["metadata"], json!({ "k": "v" }));
    assert_eq!(
        world.send(Method::DELETE, &format!("{path}/{id}"), &[], &[]).await.unwrap().json()["deleted"],
        json!(true)
    );
    let kinds = world.event_types().await;
    assert_eq!(
        kinds[1..],
        [
            "customer.source.created",
            "customer.updated",
            "customer.source.updated",
            "customer.source.deleted",
            "customer.updated"
        ]
    );
    world.sandbox.stop().await;
}
