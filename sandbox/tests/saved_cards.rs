//! Charging saved cards off session, saving them in a checkout, and cards that change.

use serde_json::json;

use crate::support::{Answer, World, session_with, start};

/// A card that was set up for charges off session, its challenge passed.
async fn set_up(world: &World, customer: &str, name: &str) -> String {
    let params = [("customer", customer), ("payment_method", name), ("confirm", "true")];
    let setup = world.made("/v1/setup_intents", &params).await;
    let id = setup["id"].as_str().unwrap();
    if setup["status"] == json!("requires_action") {
        let path = format!("/_sandbox/setup_intents/{id}/challenge");
        assert_eq!(world.control(&path, r#"{"outcome": "passed"}"#).await.status, 200);
    }
    setup["payment_method"].as_str().unwrap().to_owned()
}

/// Charges 5 USD while the customer is away.
async fn charge(world: &World, customer: &str, card: &str) -> Answer {
    let params = [
        ("amount", "500"),
        ("currency", "usd"),
        ("customer", customer),
        ("payment_method", card),
        ("confirm", "true"),
        ("off_session", "true"),
    ];
    world.post("/v1/payment_intents", &params).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_card_is_charged_again_and_again_for_its_customer_only() {
    let world = start().await;
    let (ada, bob) = (world.customer().await, world.customer().await);
    let card = world.attached(&ada, "pm_card_visa").await;
    for _ in 0..2 {
        let paid = charge(&world, &ada, &card).await.json();
        assert_eq!((&paid["status"], &paid["customer"]), (&json!("succeeded"), &json!(ada)));
        assert_eq!(paid["payment_method"], json!(card));
    }
    let listed = world.get(&format!("/v1/payment_intents?customer={ada}")).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    let charges = world.get(&format!("/v1/charges?customer={ada}&expand[]=data.customer")).await.json();
    assert_eq!(charges["data"][0]["customer"]["email"], json!("ada@example.com"));
    assert_eq!(charge(&world, &bob, &card).await.error().2, "payment_method", "it is Ada's");
    let without = [("amount", "500"), ("currency", "usd"), ("payment_method", card.as_str()), ("confirm", "true")];
    assert!(world.post("/v1/payment_intents", &without).await.error().3.contains("include the Customer"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_was_used_without_a_customer_is_not_used_again() {
    let world = start().await;
    let ada = world.customer().await;
    let card = world.made("/v1/payment_methods", &[("type", "card"), ("card[token]", "tok_visa")]).await;
    let card = card["id"].as_str().unwrap();
    let params = [("amount", "500"), ("currency", "usd"), ("payment_method", card), ("confirm", "true")];
    world.made("/v1/payment_intents", &params).await;
    assert!(world.post("/v1/payment_intents", &params).await.error().3.contains("may not be used again"));
    let attach = world.post(&format!("/v1/payment_methods/{card}/attach"), &[("customer", &ada)]).await;
    assert!(attach.error().3.contains("may not be used again"));

    let kept = world.made("/v1/payment_methods", &[("type", "card"), ("card[token]", "tok_visa")]).await;
    let kept = kept["id"].as_str().unwrap();
    let mut saving = vec![("customer", ada.as_str()), ("setup_future_usage", "off_session"), ("payment_method", kept)];
    saving.extend(params.iter().filter(|(name, _)| *name != "payment_method"));
    let paid = world.made("/v1/payment_intents", &saving).await;
    assert_eq!(paid["setup_future_usage"], json!("off_session"));
    assert_eq!(charge(&world, &ada, kept).await.status, 200, "it was attached");
    world.sandbox.stop().await;
}

/// Card, whether it is set up or only attached, and the error of a charge off session: code, decline code, advice.
const OFF_SESSION: &[(&str, bool, Option<[&str; 3]>)] = &[
    ("pm_card_visa", true, None),
    ("pm_card_visa", false, None),
    ("pm_card_authenticationRequiredOnSetup", true, None),
    ("pm_card_authenticationRequiredOnSetup", false, Some(["authentication_required", "authentication_required", ""])),
    ("pm_card_authenticationRequired", true, Some(["authentication_required", "authentication_required", ""])),
    ("pm_card_authenticationRequired", false, Some(["authentication_required", "authentication_required", ""])),
    ("pm_card_authenticationRequiredSetupForOffSession", false, None),
    ("pm_card_chargeCustomerFail", true, Some(["card_declined", "generic_decline", "try_again_later"])),
    ("pm_card_chargeCustomerFail", false, Some(["card_declined", "generic_decline", "try_again_later"])),
    (
        "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
        true,
        Some(["card_declined", "insufficient_funds", "try_again_later"]),
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_test_card_answers_off_session_as_on_stripe() {
    let world = start().await;
    let ada = world.customer().await;
    for (name, is_set_up, expected) in OFF_SESSION {
        let card = match is_set_up {
            true => set_up(&world, &ada, name).await,
            false => world.attached(&ada, name).await,
        };
        let answer = charge(&world, &ada, &card).await;
        let Some([code, decline_code, advice]) = expected else {
            assert_eq!(answer.json()["status"], json!("succeeded"), "{name} {is_set_up}: {}", answer.text);
            continue;
        };
        let error = &answer.json()["error"];
        let said = ["code", "decline_code", "advice_code"].map(|name| error[name].as_str().unwrap_or_default());
        assert_eq!((answer.status, said), (402, [*code, *decline_code, *advice]), "{name} {is_set_up}");
        assert_eq!(error["payment_intent"]["status"], json!("requires_payment_method"), "it stays open");
        assert_eq!(error["payment_intent"]["customer"], json!(ada));
        assert_eq!(error["payment_intent"]["last_payment_error"]["payment_method"]["id"], json!(card));
        assert!(error["charge"].as_str().is_some_and(|id| id.starts_with("ch_")));
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_the_bank_declines_is_not_attached() {
    let world = start().await;
    let ada = world.customer().await;
    for name in ["pm_card_chargeDeclined", "pm_card_chargeDeclinedLostCard", "pm_card_chargeDeclinedExpiredCard"] {
        let refused = world.post(&format!("/v1/payment_methods/{name}/attach"), &[("customer", &ada)]).await;
        assert_eq!((refused.status, refused.json()["error"]["type"].as_str()), (402, Some("card_error")), "{name}");
    }
    assert_eq!(world.post("/v1/customers", &[("payment_method", "pm_card_chargeDeclined")]).await.status, 402);
    let listed = world.get(&format!("/v1/customers/{ada}/payment_methods")).await.json();
    assert_eq!(listed["data"], json!([]));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_is_kept_under_its_key_and_the_open_intent_is_canceled() {
    let world = start().await;
    let ada = world.customer().await;
    let card = world.attached(&ada, "pm_card_chargeCustomerFail").await;
    let params = [
        ("amount", "500"),
        ("currency", "usd"),
        ("customer", ada.as_str()),
        ("payment_method", card.as_str()),
        ("confirm", "true"),
        ("off_session", "recurring"),
    ];
    let first = world.post_with_key("/v1/payment_intents", &params, "auto-1").await;
    let again = world.post_with_key("/v1/payment_intents", &params, "auto-1").await;
    assert_eq!((first.status, again.status, &first.text), (402, 402, &again.text));
    assert_eq!(again.header("idempotent-replayed"), "true");
    let id = first.json()["error"]["payment_intent"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/payment_intents/{id}");
    assert_eq!(world.made(&format!("{path}/cancel"), &[]).await["status"], json!("canceled"));
    let late = world.post(&format!("{path}/confirm"), &[("payment_method", &card)]).await;
    assert_eq!(late.error().1, "payment_intent_unexpected_state");
    let kinds = world.new_events(2).await;
    let expected =
        ["payment_intent.created", "charge.failed", "payment_intent.payment_failed", "payment_intent.canceled"];
    assert_eq!(kinds, expected);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_is_changed_until_it_is_paid() {
    let world = start().await;
    let ada = world.customer().await;
    let intent = world.made("/v1/payment_intents", &[("amount", "500"), ("currency", "usd")]).await;
    let path = format!("/v1/payment_intents/{}", intent["id"].as_str().unwrap());
    let update =
        [("amount", "700"), ("customer", ada.as_str()), ("payment_method", "pm_card_visa"), ("metadata[k]", "v")];
    let changed = world.made(&path, &update).await;
    assert_eq!((&changed["amount"], &changed["status"]), (&json!(700), &json!("requires_confirmation")));
    assert_eq!(world.post(&path, &[("amount", "1")]).await.error().1, "amount_too_small");
    world.made(&format!("{path}/confirm"), &[]).await;
    assert_eq!(world.post(&path, &[("amount", "800")]).await.error().1, "payment_intent_unexpected_state");
    assert_eq!(world.made(&path, &[("description", "Paid")]).await["description"], json!("Paid"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_saves_the_card_of_its_customer() {
    let world = start().await;
    let ada = world.customer().await;
    let save = ("saved_payment_method_options[payment_method_save]", "enabled");
    let future = ("payment_intent_data[setup_future_usage]", "off_session");
    for (option, ticked, redisplay) in
        [(save, "true", Some("always")), (save, "false", None), (future, "true", Some("limited"))]
    {
        let before = world.get(&format!("/v1/customers/{ada}/payment_methods")).await.json();
        let params = session_with(&[("customer", &ada), ("customer_update[name]", "auto"), option]);
        let session = world.made("/v1/checkout/sessions", &params).await;
        assert_eq!((&session["customer"], &session["customer_creation"]), (&json!(ada), &json!(null)));
        assert_eq!(session["customer_details"]["email"], json!("ada@example.com"));
        let path = format!("/v1/payment_pages/{}/confirm", session["id"].as_str().unwrap());
        let confirm = [
            ("payment_method", "pm_card_visa"),
            ("expected_amount", "289"),
            ("name", "Ada Lovelace"),
            ("save_payment_method", ticked),
        ];
        let paid = world.made(&path, &confirm).await;
        assert_eq!(paid["payment_intent"]["customer"], json!(ada));
        let cards = world.get(&format!("/v1/customers/{ada}/payment_methods")).await.json();
        let new = cards["data"].as_array().unwrap().len() - before["data"].as_array().unwrap().len();
        assert_eq!(new, usize::from(redisplay.is_some()), "{option:?} {ticked}");
        if let Some(redisplay) = redisplay {
            assert_eq!(cards["data"][0]["allow_redisplay"], json!(redisplay));
            assert_eq!(charge(&world, &ada, cards["data"][0]["id"].as_str().unwrap()).await.status, 200);
        }
    }
    let shown = world.get(&format!("/v1/customers/{ada}")).await.json();
    assert_eq!(shown["name"], json!("Ada Lovelace"), "taken over from the page");
    let listed = world.get(&format!("/v1/checkout/sessions?customer={ada}")).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 3);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_setup_mode_saves_a_card_and_charges_nothing() {
    let world = start().await;
    let ada = world.customer().await;
    let setup = [
        ("mode", "setup"),
        ("currency", "usd"),
        ("customer", ada.as_str()),
        ("success_url", "http://127.0.0.1:9/return"),
        ("setup_intent_data[metadata][account]", "1"),
    ];
    for (card, needs_challenge) in [("pm_card_visa", false), ("pm_card_authenticationRequiredOnSetup", true)] {
        let session = world.made("/v1/checkout/sessions", &setup).await;
        assert_eq!(
            (&session["payment_status"], &session["amount_total"]),
            (&json!("no_payment_required"), &json!(null))
        );
        let id = session["id"].as_str().unwrap();
        let intent = session["setup_intent"].as_str().unwrap();
        let refused = world.post(&format!("/v1/setup_intents/{intent}/cancel"), &[]).await.error();
        assert!(refused.3.contains("created by a Checkout Session"), "{}", refused.3);
        let confirm = format!("/v1/payment_pages/{id}/confirm");
        world.made(&confirm, &[("payment_method", card), ("expected_amount", "0")]).await;
        if needs_challenge {
            let path = format!("/_sandbox/sessions/{id}/challenge");
            assert_eq!(world.control(&path, r#"{"outcome": "passed"}"#).await.status, 200);
        }
        let path = format!("/v1/checkout/sessions/{id}?expand[]=setup_intent.payment_method");
        let done = world.get(&path).await.json();
        assert_eq!((&done["status"], &done["url"]), (&json!("complete"), &json!(null)));
        let intent = &done["setup_intent"];
        assert_eq!((&intent["status"], &intent["metadata"]), (&json!("succeeded"), &json!({ "account": "1" })));
        assert_eq!(intent["payment_method"]["customer"], json!(ada));
        assert_eq!(charge(&world, &ada, intent["payment_method"]["id"].as_str().unwrap()).await.status, 200);
    }
    let kinds = world.new_events(1).await;
    let first = [
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
        "checkout.session.completed",
        "payment_intent.created",
    ];
    assert_eq!(kinds[..5], first);
    for (change, param) in [
        (("currency", "-"), "currency"),
        (("line_items[0][price]", "price_1"), "line_items"),
        (("payment_intent_data[description]", "x"), "payment_intent_data"),
    ] {
        let mut params: Vec<_> = setup.iter().copied().filter(|(name, _)| *name != change.0).collect();
        params.extend(Some(change).filter(|(_, value)| *value != "-"));
        assert_eq!(world.post("/v1/checkout/sessions", &params).await.error().2, param);
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_creates_its_customer_if_it_is_told_to() {
    let world = start().await;
    let session = world.made("/v1/checkout/sessions", &session_with(&[("customer_creation", "always")])).await;
    assert_eq!(session["customer"], json!(null), "none before it is paid");
    let id = session["id"].as_str().unwrap();
    world.confirm(id, "pm_card_visa_chargeDeclined").await;
    assert!(!world.event_types().await.contains(&"customer.created".to_owned()));
    let paid = world.confirm(id, "pm_card_visa").await.json();
    let customer = paid["customer"].as_str().unwrap();
    assert_eq!(paid["payment_intent"]["customer"], json!(customer));
    assert_eq!(world.get(&format!("/v1/customers/{customer}")).await.json()["email"], json!("customer@example.com"));
    for (change, param) in [
        (("customer_email", "ada@example.com"), "customer_email"),
        (("customer_creation", "always"), "customer_creation"),
    ] {
        let params = session_with(&[("customer", customer), change]);
        assert_eq!(world.post("/v1/checkout/sessions", &params).await.error().2, param);
    }
    let params = session_with(&[("customer_update[name]", "auto")]);
    assert_eq!(world.post("/v1/checkout/sessions", &params).await.error().2, "customer_update");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_offers_saved_cards_and_a_box_that_saves() {
    let world = start().await;
    let ada = world.customer().await;
    let params =
        session_with(&[("customer", ada.as_str()), ("saved_payment_method_options[payment_method_save]", "enabled")]);
    let first = world.made("/v1/checkout/sessions", &params).await;
    let page = world.get(&format!("/c/pay/{}", first["id"].as_str().unwrap())).await.text;
    assert!(page.contains("id=\"save\"") && page.contains("ada@example.com") && !page.contains("Saved cards"));
    let typed = [("card_number", "4242 4242 4242 4242"), ("exp", "12/40"), ("cvc", "123"), ("save", "true")];
    let paid = world.post(&format!("/c/pay/{}", first["id"].as_str().unwrap()), &typed).await;
    assert_eq!(paid.status, 303, "{}", paid.text);
    let second = world.made("/v1/checkout/sessions", &params).await;
    let id = second["id"].as_str().unwrap();
    let page = world.get(&format!("/c/pay/{id}")).await.text;
    assert!(page.contains("Pay with visa ending in 4242, 12/40"), "{page}");
    let cards = world.get(&format!("/v1/customers/{ada}/payment_methods")).await.json();
    let card = cards["data"][0]["id"].as_str().unwrap();
    assert_eq!(world.post(&format!("/c/pay/{id}/saved"), &[("payment_method", "pm_other")]).await.status, 402);
    assert_eq!(world.post(&format!("/c/pay/{id}/saved"), &[("payment_method", card)]).await.status, 303);
    assert_eq!(world.get(&format!("/v1/checkout/sessions/{id}")).await.json()["payment_status"], json!("paid"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_change_under_their_owner() {
    let world = start().await;
    let ada = world.customer().await;
    let card = world.attached(&ada, "pm_card_visa").await;
    let control = |action: &str| format!("/_sandbox/payment_methods/{card}/{action}");
    let renewed = r#"{"number": "5555555555554444", "exp_month": 7, "exp_year": 2045}"#;
    let renewed = world.control(&control("renew"), renewed).await.json();
    assert_eq!((&renewed["id"], &renewed["card"]["last4"]), (&json!(card), &json!("4444")));
    let event = world.events().await.pop().unwrap();
    assert_eq!(event["type"], json!("payment_method.automatically_updated"));
    assert_eq!(event["data"]["previous_attributes"]["card"]["last4"], json!("4242"));
    for (decline, code, advice) in [
        ("insufficient_funds", "card_declined", "try_again_later"),
        ("lost_card", "card_declined", "do_not_try_again"),
        ("revocation_of_authorization", "card_declined", "do_not_try_again"),
        ("expired_card", "expired_card", "confirm_card_data"),
        ("authentication_required", "authentication_required", ""),
    ] {
        let told = world.control(&control("charges"), &json!({ "decline": decline }).to_string()).await;
        assert_eq!(told.status, 200, "{}", told.text);
        let error = &charge(&world, &ada, &card).await.json()["error"];
        assert_eq!((error["code"].as_str(), error["advice_code"].as_str().unwrap_or_default()), (Some(code), advice));
    }
    world.control(&control("charges"), "{}").await;
    assert_eq!(charge(&world, &ada, &card).await.status, 200);
    let expired = world.control(&control("expire"), "{}").await.json();
    assert_eq!(expired["customer"], json!(ada));
    assert_eq!(charge(&world, &ada, &card).await.error().1, "expired_card");
    assert_eq!(world.control(&control("charges"), r#"{"decline": "bad_mood"}"#).await.status, 400);
    assert_eq!(world.control(&control("renew"), r#"{"number": "1"}"#).await.status, 400);
    assert_eq!(world.control(&control("expire"), r#"{"exp_month": 13}"#).await.status, 400);
    let detached = world.control(&control("detach"), "{}").await.json();
    assert_eq!(detached["customer"], json!(null));
    assert_eq!(world.event_types().await.last().unwrap(), "payment_method.detached");
    assert_eq!(world.control("/_sandbox/payment_methods/pm_none/expire", "{}").await.status, 404);
    world.sandbox.stop().await;
}
