//! Checks every object the sandbox returns against Stripe's own schema.
//!
//! Run it with Stripe's `OpenAPI` file: `STRIPE_OPENAPI=… cargo test -p stripe-sandbox --test schema`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

#[path = "support/mod.rs"]
mod support;

#[path = "schema_billing.rs"]
mod billing;

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};
use stripe_sandbox::recipes;
use support::{SESSION, World, receiver::Receiver, session_with, start_with};

/// Stripe's schemas, by the `object` value they describe.
struct Schemas {
    components: Value,
    validators: BTreeMap<String, Validator>,
    seen: BTreeSet<String>,
}

impl Schemas {
    fn load() -> Self {
        let path = std::env::var("STRIPE_OPENAPI")
            .expect("set STRIPE_OPENAPI to the path of Stripe's OpenAPI file (JSON) to run this test");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
        let mut document: Value = serde_json::from_str(&text).expect("the OpenAPI file is JSON");
        let mut components = document["components"].take();
        for schema in components["schemas"].as_object_mut().expect("components.schemas").values_mut() {
            close(schema);
        }
        Self { components, validators: BTreeMap::new(), seen: BTreeSet::new() }
    }

    fn validator(&mut self, name: &str) -> &Validator {
        if !self.validators.contains_key(name) {
            assert!(self.components["schemas"].get(name).is_some(), "Stripe has no schema named {name}");
            let schema = json!({
                "$ref": format!("#/components/schemas/{name}"),
                "components": self.components,
            });
            let validator = jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
            self.validators.insert(name.to_owned(), validator);
        }
        &self.validators[name]
    }

    /// Checks an object, or a list and its objects. Returns how many objects were checked.
    fn check(&mut self, value: &Value, from: &str) -> usize {
        let kind = value["object"].as_str().unwrap_or_else(|| panic!("{from}: no object in {value}"));
        if kind == "list" {
            let names: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names, ["data", "has_more", "object", "url"], "{from}");
            return value["data"].as_array().unwrap().iter().map(|row| self.check(row, from)).sum();
        }
        let name = match value.get("deleted") {
            Some(_) => format!("deleted_{kind}"),
            None => kind.to_owned(),
        };
        self.check_as(value, &name, from);
        if kind == "event" {
            let about = format!("{from}: {}", value["type"]);
            return 1 + self.check(&value["data"]["object"], &about);
        }
        1
    }

    fn check_as(&mut self, value: &Value, name: &str, from: &str) {
        self.seen.insert(name.to_owned());
        let validator = self.validator(name);
        let mistakes: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
        assert!(mistakes.is_empty(), "{from} is no {name}:\n{}\n{value:#}", mistakes.join("\n"));
    }
}

/// Forbids fields that are not in the schema, which Stripe's file allows.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("properties").is_some_and(Value::is_object) && !members.contains_key("additionalProperties")
            {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(elements) => elements.iter_mut().for_each(close),
        _ => {}
    }
}

async fn got(schemas: &mut Schemas, world: &World, path: &str) -> Value {
    let answer = world.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    assert!(schemas.check(&answer.json(), path) > 0, "{path} gave nothing to check");
    answer.json()
}

async fn posted(schemas: &mut Schemas, world: &World, path: &str, params: &[(&str, &str)]) -> Value {
    let answer = world.post(path, params).await;
    let name = format!("POST {path} {params:?}");
    if answer.status == 200 {
        schemas.check(&answer.json(), &name);
    } else {
        schemas.check_as(&answer.json(), "error", &name);
    }
    answer.json()
}

async fn create(schemas: &mut Schemas, world: &World, params: &[(&str, &str)]) -> String {
    let session = posted(schemas, world, "/v1/checkout/sessions", params).await;
    session["id"].as_str().unwrap_or_else(|| panic!("{session:#}")).to_owned()
}

const ALL_PARAMS: &[(&str, &str)] = &[
    ("customer_email", "ada@example.com"),
    ("customer_creation", "always"),
    ("locale", "de"),
    ("submit_type", "pay"),
    ("billing_address_collection", "required"),
    ("allow_promotion_codes", "true"),
    ("phone_number_collection[enabled]", "true"),
    ("ui_mode", "hosted_page"),
    ("allowed_payment_method_types[]", "card"),
    ("payment_intent_data[description]", "Credits"),
    ("payment_intent_data[receipt_email]", "ada@example.com"),
    ("payment_intent_data[statement_descriptor_suffix]", "CREDITS"),
    ("payment_intent_data[setup_future_usage]", "off_session"),
    ("line_items[0][price_data][product_data][description]", "One cent each"),
    ("line_items[0][price_data][product_data][images][]", "https://example.com/c.png"),
    ("line_items[0][price_data][product_data][metadata][k]", "v"),
    ("line_items[0][price_data][product_data][unit_label]", "credit"),
    ("line_items[0][price_data][product_data][tax_code]", "txcd_1"),
    ("line_items[0][metadata][k]", "v"),
    ("line_items[0][price_data][tax_behavior]", "exclusive"),
];

/// Pays in every way, so that every kind of object and event occurs.
async fn live_through_everything(schemas: &mut Schemas, world: &World) {
    let methods = [
        "pm_card_visa",
        "pm_card_amex",
        "pm_card_visa_chargeDeclined",
        "pm_card_chargeDeclinedIncorrectCvc",
        "pm_card_radarBlock",
        "pm_card_riskLevelElevated",
        "pm_card_authenticationRequired",
        "pm_sandbox_delayed",
        "pm_unknown",
    ];
    for params in [SESSION.to_vec(), session_with(ALL_PARAMS)] {
        for method in methods {
            let id = create(schemas, world, &params).await;
            let confirm = [("payment_method", method), ("expected_amount", "289")];
            posted(schemas, world, &format!("/v1/payment_pages/{id}/confirm"), &confirm).await;
            got(schemas, world, &format!("/v1/payment_pages/{id}")).await;
        }
    }
    for (method, control, outcomes) in [
        ("pm_card_authenticationRequired", "challenge", ["passed", "failed"]),
        ("pm_sandbox_delayed", "settle", ["succeeded", "failed"]),
    ] {
        for outcome in outcomes {
            let id = create(schemas, world, SESSION).await;
            world.confirm(&id, method).await;
            let path = format!("/_sandbox/sessions/{id}/{control}");
            let answer = world.control(&path, &json!({ "outcome": outcome }).to_string()).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            schemas.check(&answer.json(), &path);
        }
    }
    debits(schemas, world).await;
    let id = create(schemas, world, SESSION).await;
    world.confirm(&id, "pm_card_authenticationRequired").await;
    posted(schemas, world, &format!("/v1/checkout/sessions/{id}/expire"), &[]).await;
    posted(schemas, world, &format!("/v1/checkout/sessions/{id}/expire"), &[]).await;
    posted(schemas, world, "/v1/checkout/sessions", &[]).await;
}

/// SEPA debits that succeed or fail, and an invalid account number.
async fn debits(schemas: &mut Schemas, world: &World) {
    let in_euros = session_with(&[
        ("line_items[0][price_data][currency]", "eur"),
        ("line_items[1][price_data][currency]", "eur"),
        ("allowed_payment_method_types[]", "sepa_debit"),
    ]);
    for iban in ["AT611904300234573201", "AT861904300235473202", "AT00"] {
        let id = create(schemas, world, &in_euros).await;
        let confirm = [
            ("payment_method_data[type]", "sepa_debit"),
            ("payment_method_data[sepa_debit][iban]", iban),
            ("expected_amount", "289"),
        ];
        posted(schemas, world, &format!("/v1/payment_pages/{id}/confirm"), &confirm).await;
        world.control("/_sandbox/clock", r#"{"advance_seconds": 5}"#).await;
        got(schemas, world, &format!("/v1/payment_pages/{id}")).await;
    }
}

/// Runs every kind of refund and dispute.
async fn give_it_back(schemas: &mut Schemas, world: &World) {
    let full = "expand[]=balance_transaction.source&expand[]=charge.refunds&expand[]=failure_balance_transaction";
    for (method, amount, status) in [
        ("pm_card_visa", "100", "requires_action"),
        ("pm_card_pendingRefund", "289", "succeeded"),
        ("pm_card_refundFail", "289", "failed"),
    ] {
        let intent = world.paid(method).await;
        let params = [("payment_intent", intent.as_str()), ("amount", amount), ("metadata[k]", "v")];
        let refund = posted(schemas, world, "/v1/refunds", &params).await;
        let id = refund["id"].as_str().unwrap();
        controlled(schemas, world, &format!("/_sandbox/refunds/{id}"), &json!({ "status": status })).await;
        got(schemas, world, &format!("/v1/refunds/{id}?{full}&expand[]=payment_intent&expand[]=payment_method")).await;
        posted(schemas, world, &format!("/v1/refunds/{id}"), &[("metadata[k]", "w")]).await;
        posted(schemas, world, &format!("/v1/refunds/{id}/cancel"), &[]).await;
        posted(schemas, world, "/v1/refunds", &params).await;
    }
    let delayed = create(schemas, world, SESSION).await;
    world.confirm(&delayed, "pm_sandbox_delayed").await;
    let debit = recipes::trigger(&world.sandbox.url(), support::KEY, "payment_intent.processing", &[]).await.unwrap();
    let debit = debit[0].answer["id"].as_str().unwrap().to_owned();
    for session in [delayed, debit] {
        world.control(&format!("/_sandbox/sessions/{session}/settle"), r#"{"outcome": "succeeded"}"#).await;
        let session = got(schemas, world, &format!("/v1/checkout/sessions/{session}")).await;
        let path = format!("/_sandbox/payment_intents/{}", session["payment_intent"].as_str().unwrap());
        let refund = controlled(schemas, world, &format!("{path}/refund"), &json!({})).await;
        let of_refund = format!("/_sandbox/refunds/{}", refund["id"].as_str().unwrap());
        controlled(schemas, world, &of_refund, &json!({ "status": "failed" })).await;
        controlled(schemas, world, &format!("{path}/dispute"), &json!({})).await;
    }
    got(schemas, world, "/v1/refunds?expand[]=data.charge").await;
}

async fn dispute_it(schemas: &mut Schemas, world: &World) {
    let inquiry = ["under_review", "needs_response", "under_review", "won", "withdrawn", "lost"];
    for (method, path_to_its_end) in [
        ("pm_card_createDispute", &inquiry[2..]),
        ("pm_card_createDisputeProductNotReceived", &["lost"]),
        ("pm_card_createDisputeInquiry", &inquiry),
        ("pm_card_createDisputeInquiry", &["warning_closed"]),
    ] {
        let intent = world.paid(method).await;
        let list = got(schemas, world, &format!("/v1/disputes?payment_intent={intent}&expand[]=data.charge")).await;
        let id = list["data"][0]["id"].as_str().unwrap();
        let path = format!("/v1/disputes/{id}");
        let evidence = [("evidence[customer_name]", "Ada"), ("evidence[uncategorized_text]", "x"), ("submit", "false")];
        posted(schemas, world, &path, &evidence).await;
        for to in path_to_its_end {
            controlled(schemas, world, &format!("/_sandbox/disputes/{id}"), &json!({ "to": to })).await;
            got(schemas, world, &format!("{path}?expand[]=payment_intent&expand[]=charge.balance_transaction")).await;
        }
        posted(schemas, world, &path, &evidence).await;
        posted(schemas, world, &format!("{path}/close"), &[]).await;
    }
}

/// Reviews that end in every way. Stripe's file has no schema of early fraud warnings.
async fn review_it(schemas: &mut Schemas, world: &World) {
    for end in ["approve", "disputed", "refunded", "refunded_as_fraud", "acknowledged"] {
        let intent = world.paid("pm_card_visa").await;
        let path = format!("/_sandbox/payment_intents/{intent}/review");
        let review = controlled(schemas, world, &path, &json!({ "manual": end == "approve" })).await;
        let id = review["id"].as_str().unwrap();
        got(schemas, world, "/v1/reviews?expand[]=data.charge").await;
        match end {
            "approve" => drop(posted(schemas, world, &format!("/v1/reviews/{id}/approve"), &[]).await),
            "disputed" => {
                controlled(schemas, world, &format!("/_sandbox/payment_intents/{intent}/dispute"), &json!({})).await;
            }
            "refunded" => drop(posted(schemas, world, "/v1/refunds", &[("payment_intent", intent.as_str())]).await),
            reason => {
                controlled(schemas, world, &format!("/_sandbox/reviews/{id}"), &json!({ "reason": reason })).await;
            }
        }
        let closed = got(schemas, world, &format!("/v1/reviews/{id}?expand[]=payment_intent")).await;
        assert_eq!(closed["open"], json!(false), "{end}: {closed}");
    }
}

/// Payments through the API, without a session.
async fn pay_from_code(schemas: &mut Schemas, world: &World) {
    let card = [("amount", "500"), ("currency", "usd"), ("allowed_payment_method_types[]", "card")];
    for (method, verb) in [
        ("pm_card_visa", "capture"),
        ("pm_card_visa", "cancel"),
        ("pm_card_visa", "confirm"),
        ("pm_card_authenticationRequired", "confirm"),
        ("pm_card_visa_chargeDeclined", "confirm"),
        ("pm_sandbox_delayed", "confirm"),
    ] {
        let hand = if verb == "confirm" { "automatic" } else { "manual" };
        let mut params = card.to_vec();
        params.extend([("payment_method", method), ("capture_method", hand)]);
        let intent = posted(schemas, world, "/v1/payment_intents", &params).await;
        let path = format!("/v1/payment_intents/{}", intent["id"].as_str().unwrap());
        posted(schemas, world, &format!("{path}/confirm"), &[]).await;
        got(schemas, world, &format!("{path}?expand[]=latest_charge&expand[]=payment_method")).await;
        posted(schemas, world, &format!("{path}/{verb}"), &[]).await;
    }
    for list in ["payment_intents", "charges", "balance_transactions"] {
        got(schemas, world, &format!("/v1/{list}?limit=100")).await;
    }
}

/// Customers, their cards, and setups; expanded as far as it goes.
async fn save_cards(schemas: &mut Schemas, world: &World) {
    let all = [
        ("email", "ada@example.com"),
        ("name", "Ada"),
        ("phone", "+1"),
        ("address[line1]", "Main Street 1"),
        ("shipping[name]", "Ada"),
        ("shipping[address][city]", "Berlin"),
        ("preferred_locales[]", "de"),
        ("tax_exempt", "reverse"),
        ("business_name", "Analytical Engines"),
        ("individual_name", "Ada"),
        ("invoice_settings[custom_fields][0][name]", "VAT"),
        ("invoice_settings[custom_fields][0][value]", "1"),
        ("invoice_settings[rendering_options][amount_tax_display]", "exclude_tax"),
        ("payment_method", "pm_card_visa"),
        ("invoice_settings[default_payment_method]", "pm_card_visa"),
        ("source", "tok_visa"),
    ];
    let ada = posted(schemas, world, "/v1/customers", &all).await;
    let id = ada["id"].as_str().unwrap_or_else(|| panic!("{ada:#}"));
    let expand = "expand[]=invoice_settings.default_payment_method&expand[]=default_source&expand[]=sources";
    got(schemas, world, &format!("/v1/customers/{id}?{expand}")).await;
    got(schemas, world, &format!("/v1/customers/{id}/payment_methods?expand[]=data.customer")).await;
    got(schemas, world, &format!("/v1/customers/{id}/sources")).await;
    posted(schemas, world, &format!("/v1/customers/{id}"), &[("name", ""), ("address", "")]).await;
    for method in [
        "pm_card_visa",
        "pm_card_chargeCustomerFail",
        "pm_card_chargeDeclined",
        "pm_card_authenticationRequired",
        "pm_sandbox_delayed",
    ] {
        let params = [("customer", id), ("payment_method", method), ("confirm", "true"), ("description", "Card")];
        let setup = posted(schemas, world, "/v1/setup_intents", &params).await;
        let Some(setup_id) = setup["id"].as_str() else { continue };
        let expand = "expand[]=customer&expand[]=payment_method";
        got(schemas, world, &format!("/v1/setup_intents/{setup_id}?{expand}")).await;
        posted(schemas, world, &format!("/v1/setup_intents/{setup_id}/cancel"), &[]).await;
        let Some(card) = setup["payment_method"].as_str() else { continue };
        let away = [
            ("amount", "500"),
            ("currency", "usd"),
            ("customer", id),
            ("payment_method", card),
            ("confirm", "true"),
            ("off_session", "true"),
        ];
        posted(schemas, world, "/v1/payment_intents", &away).await;
    }
    let cards = got(schemas, world, &format!("/v1/customers/{id}/payment_methods?type=card")).await;
    let card = cards["data"][0]["id"].as_str().unwrap();
    posted(schemas, world, &format!("/v1/payment_methods/{card}"), &[("billing_details[phone]", "+1")]).await;
    controlled(schemas, world, &format!("/_sandbox/payment_methods/{card}/renew"), &json!({})).await;
    posted(schemas, world, &format!("/v1/payment_methods/{card}/detach"), &[]).await;
    let setup = [("mode", "setup"), ("currency", "usd"), ("customer", id), ("success_url", "http://127.0.0.1:9/")];
    let session = create(schemas, world, &setup).await;
    let confirm = [("payment_method", "pm_card_visa"), ("expected_amount", "0")];
    posted(schemas, world, &format!("/v1/payment_pages/{session}/confirm"), &confirm).await;
    got(schemas, world, &format!("/v1/checkout/sessions/{session}?expand[]=setup_intent&expand[]=customer")).await;
    let gone = world.send(Method::DELETE, &format!("/v1/customers/{id}"), &[], &[]).await.unwrap();
    schemas.check(&gone.json(), "DELETE customer");
    got(schemas, world, &format!("/v1/customers/{id}")).await;
}

async fn sell_by_price(schemas: &mut Schemas, world: &World) {
    let product = [
        ("name", "Pro"),
        ("description", "All of it"),
        ("marketing_features[0][name]", "Fast"),
        ("default_price_data[currency]", "usd"),
        ("default_price_data[unit_amount]", "1500"),
        ("default_price_data[recurring][interval]", "month"),
    ];
    let product = posted(schemas, world, "/v1/products", &product).await;
    let id = product["id"].as_str().unwrap_or_else(|| panic!("{product:#}"));
    got(schemas, world, &format!("/v1/products/{id}?expand[]=default_price")).await;
    let price = [
        ("product", id),
        ("currency", "usd"),
        ("unit_amount_decimal", "0.95"),
        ("currency_options[eur][unit_amount]", "1"),
        ("lookup_key", "credits"),
    ];
    let price = posted(schemas, world, "/v1/prices", &price).await;
    let price = price["id"].as_str().unwrap();
    got(schemas, world, &format!("/v1/prices/{price}?expand[]=currency_options&expand[]=product")).await;
    posted(schemas, world, &format!("/v1/prices/{price}"), &[("nickname", "Credits")]).await;
    let sold = [
        ("mode", "payment"),
        ("line_items[0][price]", price),
        ("line_items[0][quantity]", "1000"),
        ("success_url", "http://127.0.0.1:9/"),
    ];
    let session = create(schemas, world, &sold).await;
    got(schemas, world, &format!("/v1/checkout/sessions/{session}/line_items?expand[]=data.price.product")).await;
    let other = posted(schemas, world, "/v1/products", &[("name", "Other")]).await;
    let gone = format!("/v1/products/{}", other["id"].as_str().unwrap());
    schemas.check(&world.send(Method::DELETE, &gone, &[], &[]).await.unwrap().json(), "DELETE product");
    got(schemas, world, "/v1/products").await;
    got(schemas, world, "/v1/prices?expand[]=data.currency_options").await;
}

async fn move_money(schemas: &mut Schemas, world: &World) {
    let account = [("type", "express"), ("capabilities[transfers][requested]", "true")];
    let account = posted(schemas, world, "/v1/accounts", &account).await;
    let account = account["id"].as_str().unwrap();
    posted(schemas, world, &format!("/v1/accounts/{account}"), &[("metadata[k]", "v")]).await;
    let money = [("amount", "1000"), ("currency", "usd")];
    let transfer = [&money[..], &[("destination", account)]].concat();
    let transfer = posted(schemas, world, "/v1/transfers", &transfer).await;
    let path = format!("/v1/transfers/{}", transfer["id"].as_str().unwrap());
    posted(schemas, world, &format!("{path}/reversals"), &[("amount", "100")]).await;
    got(schemas, world, &format!("{path}?expand[]=balance_transaction&expand[]=destination")).await;
    let payout = posted(schemas, world, "/v1/payouts", &money).await;
    let path = format!("/v1/payouts/{}", payout["id"].as_str().unwrap());
    posted(schemas, world, &path, &[("metadata[k]", "v")]).await;
    got(schemas, world, &format!("{path}?expand[]=balance_transaction")).await;
    posted(schemas, world, "/v1/topups", &money).await;
    got(schemas, world, "/v1/balance").await;
    let customer = world.customer().await;
    let waiting = [
        ("amount", "2000"),
        ("currency", "jpy"),
        ("customer", customer.as_str()),
        ("payment_method_data[type]", "customer_balance"),
        ("confirm", "true"),
    ];
    posted(schemas, world, "/v1/payment_intents", &waiting).await;
    for amount in ["500", "1600"] {
        let path = format!("/v1/test_helpers/customers/{customer}/fund_cash_balance");
        posted(schemas, world, &path, &[("amount", amount), ("currency", "jpy")]).await;
    }
    let meter = [("display_name", "Tokens"), ("event_name", "tokens"), ("default_aggregation[formula]", "sum")];
    posted(schemas, world, "/v1/billing/meters", &meter).await;
    got(schemas, world, "/v1/billing/meters").await;
    let event = [("event_name", "tokens"), ("payload[value]", "1"), ("payload[stripe_customer_id]", customer.as_str())];
    posted(schemas, world, "/v1/billing/meter_events", &event).await;
}

/// A control that answers with a Stripe object.
async fn controlled(schemas: &mut Schemas, world: &World, path: &str, body: &Value) -> Value {
    let answer = world.control(path, &body.to_string()).await;
    assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text);
    schemas.check(&answer.json(), path);
    answer.json()
}

async fn read_everything(schemas: &mut Schemas, world: &World) {
    for event in &all_events(schemas, world).await {
        got(schemas, world, &format!("/v1/events/{}", event["id"].as_str().unwrap())).await;
        let id = event["data"]["object"]["id"].as_str().unwrap();
        let path = match event["data"]["object"]["object"].as_str().unwrap() {
            "checkout.session" => {
                got(schemas, world, &format!("/v1/checkout/sessions/{id}/line_items")).await;
                let expand = "expand[]=line_items.data.price.product&expand[]=payment_intent.payment_method";
                got(schemas, world, &format!("/v1/checkout/sessions/{id}?{expand}")).await;
                format!("/v1/checkout/sessions/{id}?expand[]=payment_intent.latest_charge.balance_transaction")
            }
            "payment_intent" => {
                let intent = got(schemas, world, &format!("/v1/payment_intents/{id}")).await;
                if let Some(method) = intent["payment_method"].as_str() {
                    got(schemas, world, &format!("/v1/payment_methods/{method}")).await;
                }
                format!("/v1/payment_intents/{id}?expand[]=latest_charge&expand[]=payment_method")
            }
            "refund" => format!("/v1/refunds/{id}?expand[]=charge"),
            "dispute" => format!("/v1/disputes/{id}?expand[]=charge"),
            "customer" => format!("/v1/customers/{id}"),
            "payment_method" => format!("/v1/payment_methods/{id}?expand[]=customer"),
            "review" => format!("/v1/reviews/{id}?expand[]=charge"),
            _ => {
                let charge = got(schemas, world, &format!("/v1/charges/{id}")).await;
                if let Some(transaction) = charge["balance_transaction"].as_str() {
                    got(schemas, world, &format!("/v1/balance_transactions/{transaction}?expand[]=source")).await;
                }
                format!("/v1/charges/{id}?expand[]=payment_intent&expand[]=balance_transaction")
            }
        };
        got(schemas, world, &path).await;
    }
    got(schemas, world, "/v1/checkout/sessions?limit=100&expand[]=data.line_items").await;
}

async fn all_events(schemas: &mut Schemas, world: &World) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    loop {
        let after = events.last().map(|event| format!("&starting_after={}", event["id"].as_str().unwrap()));
        let page = got(schemas, world, &format!("/v1/events?limit=100{}", after.unwrap_or_default())).await;
        events.extend(page["data"].as_array().unwrap().iter().cloned());
        if page["has_more"] == json!(false) {
            return events;
        }
    }
}

async fn webhook_endpoints(schemas: &mut Schemas, world: &World) {
    let params = [("url", "http://127.0.0.1:9/x"), ("enabled_events[]", "*"), ("metadata[k]", "v")];
    let endpoint = posted(schemas, world, "/v1/webhook_endpoints", &params).await;
    let path = format!("/v1/webhook_endpoints/{}", endpoint["id"].as_str().unwrap());
    got(schemas, world, &path).await;
    got(schemas, world, "/v1/webhook_endpoints").await;
    posted(schemas, world, &path, &[("disabled", "true")]).await;
    let gone = world.send(Method::DELETE, &path, &[], &[]).await.unwrap();
    schemas.check(&gone.json(), "DELETE webhook endpoint");
    got(schemas, world, "/v1/account").await;
    for path in ["/v1/nothing", "/v1/charges/ch_x", "/v1/checkout/sessions?limit=101"] {
        schemas.check_as(&world.get(path).await.json(), "error", path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_object_passes_stripes_schema() {
    let mut schemas = Schemas::load();
    let receiver = Receiver::start().await;
    let config = stripe_sandbox::Config::local(support::KEY).with_webhook(&receiver.url, "whsec_1");
    let world = start_with(config).await;
    live_through_everything(&mut schemas, &world).await;
    give_it_back(&mut schemas, &world).await;
    dispute_it(&mut schemas, &world).await;
    review_it(&mut schemas, &world).await;
    pay_from_code(&mut schemas, &world).await;
    read_everything(&mut schemas, &world).await;
    save_cards(&mut schemas, &world).await;
    sell_by_price(&mut schemas, &world).await;
    move_money(&mut schemas, &world).await;
    all_events(&mut schemas, &world).await;
    webhook_endpoints(&mut schemas, &world).await;
    world.idle().await;
    let webhooks = receiver.received();
    for webhook in &webhooks {
        schemas.check(&webhook.event(), "a webhook");
    }
    let kinds: BTreeSet<_> = webhooks.iter().map(support::receiver::Received::kind).collect();
    assert_eq!(kinds.len(), 57, "every kind of event was checked: {kinds:?}");
    let expected = [
        "account",
        "balance",
        "balance_transaction",
        "billing.meter",
        "billing.meter_event",
        "card",
        "cash_balance",
        "charge",
        "checkout.session",
        "customer",
        "customer_cash_balance_transaction",
        "deleted_customer",
        "deleted_product",
        "deleted_webhook_endpoint",
        "dispute",
        "error",
        "event",
        "item",
        "payment_intent",
        "payment_method",
        "payout",
        "price",
        "product",
        "refund",
        "review",
        "setup_intent",
        "topup",
        "transfer",
        "transfer_reversal",
        "webhook_endpoint",
    ];
    assert_eq!(schemas.seen.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    world.sandbox.stop().await;
}

#[test]
fn the_check_itself_finds_mistakes() {
    let mut schemas = Schemas::load();
    let good = json!({ "id": "we_1", "object": "webhook_endpoint", "deleted": true });
    assert!(schemas.validator("deleted_webhook_endpoint").is_valid(&good));
    for (name, value) in [("id", json!(null)), ("unknown", json!(1)), ("object", json!("charge"))] {
        let mut bad = good.clone();
        bad[name] = value;
        assert!(!schemas.validator("deleted_webhook_endpoint").is_valid(&bad), "{bad}");
    }
    let missing = json!({ "id": "we_1", "object": "webhook_endpoint" });
    assert!(!schemas.validator("deleted_webhook_endpoint").is_valid(&missing));
}
