//! Tax: agreed before it is known, compared and stored when it is, and part of what goes back.

use serde_json::{Value, json};
use topup::domain::ids::TopupId;

use crate::on_both_databases;
use crate::reconcile::compare;
use crate::subscriptions::end_to_end::{ACCOUNT, advance, only, post, shop_with, subscribe};
use crate::support::app::http_client;
use crate::support::{Answer, Backend, Options, TestApp, until};

const CODE: &str = "txcd_10103001";

/// The sandbox's rate is 10 % for every address.
fn options(behavior: &str) -> Options {
    Options::with_webhooks()
        .setting("JWT_ADMIN_SCOPE", "credits:admin")
        .setting("TAX", "automatic")
        .setting("TAX_BEHAVIOR", behavior)
        .setting("TAX_CODE_CREDITS", CODE)
        .setting("TAX_ASSUMED_RATE_PERCENT", "10")
}

async fn admin(app: &TestApp, path: &str) -> Value {
    app.send(http_client().get(format!("{}{path}", app.url)).bearer_auth(app.admin_token())).await.expect(200)
}

async fn read_session(app: &TestApp, session: &str) -> Value {
    app.get_as("user_1", &format!("/credits/sessions/{session}")).await.expect(200)
}

/// The whole audit besides the rules: it derives everything anew.
async fn finish(app: TestApp) {
    let report = topup::books::audit::audit(&app.app.db, true).await.expect("an end");
    assert!(report.is_clean(), "{report:?}");
    app.finish().await;
}

/// A credited purchase of 250 credits.
struct Purchase {
    topup: String,
    payment: String,
}

async fn refund(app: &TestApp, purchase: &Purchase, key: &str, body: Value) -> Answer {
    let request = http_client().post(format!("{}/admin/topups/{}/refunds", app.url, purchase.topup));
    app.send(request.bearer_auth(app.admin_token()).header("idempotency-key", key).json(&body)).await
}

/// Opens a checkout for 250 credits, pays it and waits for the credits.
async fn buy(app: &TestApp) -> (Purchase, Value) {
    let session = app.open_session("user_1", 250).await;
    let before = app.credits("user_1").await;
    let (status, paid) = app.stripe.pay(&session, "pm_card_visa").await;
    assert_eq!(status, 200, "{paid}");
    until("the credits", async || (app.credits("user_1").await == before + 250).then_some(())).await;
    let read = read_session(app, &session).await;
    let topup = read["topupId"].as_str().expect("an id").to_owned();
    let payment = app.payment_of(&session).await;
    (Purchase { topup, payment }, read)
}

on_both_databases! {
    /// 250 credits at one cent, and 40 of fees because Stripe takes its share of the tax too. Tax of each line: 25 and 4.
    async fn tax_comes_on_top_and_goes_back_with_the_credits(backend: Backend) {
        let app = TestApp::start_with(backend, options("exclusive")).await;
        let quote = app.get("/credits/quote?credits=250").await.expect(200);
        assert_eq!((&quote["totalAmount"], &quote["feeAmount"], &quote["taxBehavior"]), (&json!(290), &json!(40), &json!("exclusive")));
        let open = app.open_session("user_1", 250).await;
        let read = read_session(&app, &open).await;
        assert_eq!((&read["taxBehavior"], &read["taxAmount"]), (&json!("exclusive"), &Value::Null));
        let sent = app.stripe.checkout_requests().await[0]["params"].clone();
        let asks = (&sent["automatic_tax"]["enabled"], &sent["billing_address_collection"]);
        assert_eq!(asks, (&json!("true"), &json!("required")), "{sent}");
        let sent = sent.to_string();
        assert_eq!((sent.matches(CODE).count(), sent.matches(r#""tax_behavior":"exclusive""#).count()), (2, 2), "both lines: {sent}");

        let (purchase, read) = buy(&app).await;
        assert_eq!((&read["totalAmount"], &read["taxAmount"]), (&json!(290), &json!(29)));
        let charge = app.stripe.get(&format!("/v1/payment_intents/{}", purchase.payment)).await;
        assert_eq!(charge["amount"], 319);
        let topup = admin(&app, &format!("/admin/topups/{}", purchase.topup)).await;
        assert_eq!((&topup["taxBehavior"], &topup["taxAmount"]), (&json!("exclusive"), &json!(29)));
        app.learn_fees().await;
        let fee = admin(&app, &format!("/admin/topups/{}", purchase.topup)).await["fee"].clone();
        assert_eq!((&fee["expected"], &fee["real"]), (&json!(39), &json!(39)), "of the charge with its tax");

        let preview = admin(&app, &format!("/admin/topups/{}/refunds/preview?credits=100", purchase.topup)).await;
        let says = (&preview["amount"], &preview["taxAmount"], &preview["feeAmount"], &preview["credits"]);
        assert_eq!(says, (&json!(110), &json!(10), &json!(0), &json!(100)), "{preview}");
        let back = refund(&app, &purchase, "a", json!({ "credits": 100 })).await.expect(200);
        assert_eq!((&back["amount"], &back["creditsTaken"]), (&json!(110), &json!(100)));
        assert_eq!(app.credits("user_1").await, 150);
        // 19 more at Stripe by hand: 17 cents of the price, and 17 credits.
        let (status, by_hand) = app.stripe.post("/v1/refunds", &[("payment_intent", &purchase.payment), ("amount", "19")]).await;
        assert_eq!(status, 200, "{by_hand}");
        until("the refund", async || (app.credits("user_1").await == 133).then_some(())).await;
        assert_eq!(app.app.db.broken_rules().await.expect("readable"), Vec::<&str>::new());
        let rest = refund(&app, &purchase, "b", json!({})).await.expect(200);
        assert_eq!((&rest["amount"], &rest["creditsTaken"]), (&json!(190), &json!(133)), "with the fee and its tax");
        assert_eq!(app.credits("user_1").await, 0);
        finish(app).await;
    }

    async fn prices_may_contain_the_tax(backend: Backend) {
        let app = TestApp::start_with(backend, options("inclusive")).await;
        let (purchase, read) = buy(&app).await;
        // (250 + 30 · 1.1) / (1 − 0.029 · 1.1), and 10/110 of each line, rounded down.
        assert_eq!((&read["totalAmount"], &read["taxBehavior"], &read["taxAmount"]), (&json!(293), &json!("inclusive"), &json!(25)));
        let charge = app.stripe.get(&format!("/v1/payment_intents/{}", purchase.payment)).await;
        assert_eq!(charge["amount"], 293);
        let back = refund(&app, &purchase, "a", json!({ "credits": 100 })).await.expect(200);
        assert_eq!((&back["amount"], &back["creditsTaken"]), (&json!(100), &json!(100)));
        finish(app).await;
    }

    async fn a_dispute_of_a_taxed_charge_takes_its_credits_and_a_bonus_purchase_is_taxed_too(backend: Backend) {
        let app = TestApp::start_with(backend, options("exclusive").setting("BONUS_TIERS", "200:20%")).await;
        let session = app.open_session("user_1", 250).await;
        let (status, paid) = app.stripe.pay(&session, "pm_card_visa").await;
        assert_eq!(status, 200, "{paid}");
        until("the credits", async || (app.credits("user_1").await == 300).then_some(())).await;
        let payment = app.payment_of(&session).await;
        app.stripe.control(&format!("payment_intents/{payment}/dispute"), json!({ "amount": 160 })).await;
        // 145 of 290: more than half of the price of the credits.
        until("the dispute", async || (app.credits("user_1").await == 300 - 145 - 29).then_some(())).await;
        finish(app).await;
    }

    /// Two sessions of one top-up were paid, which only a fault at Stripe can bring. All of the second payment goes back.
    async fn all_of_a_taxed_surplus_payment_can_be_refunded(backend: Backend) {
        let app = TestApp::start_with(backend, options("exclusive")).await;
        let (purchase, _) = buy(&app).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        let mut surplus = event.clone();
        surplus["id"] = json!("evt_surplus");
        surplus["data"]["object"]["metadata"]["topupId"] = json!(purchase.topup);
        surplus["data"]["object"]["total_details"]["amount_tax"] = json!(30);
        surplus["data"]["object"]["amount_total"] = json!(320);
        let topup = app.app.db.topup(&TopupId::parse(&purchase.topup).expect("an id")).await.expect("read");
        surplus["data"]["object"]["id"] = json!(topup.expect("there").session.expect("a session").as_str());
        surplus["data"]["object"]["payment_intent"] = json!("pi_surplus");
        app.deliver(&surplus).await.expect(200);
        let path = format!("/admin/topups/{}/refunds/preview?paymentId=pi_surplus", purchase.topup);
        let preview = admin(&app, &path).await;
        assert_eq!((&preview["amount"], &preview["credits"]), (&json!(320), &json!(0)), "{preview}");
        let listed = compare(&app.app).await;
        assert!(format!("{:?}", listed.report).contains("320"), "all of it is missed: {:?}", listed.report);
        finish(app).await;
    }

    /// Without a registration Stripe adds nothing, and says nothing.
    async fn without_a_registration_the_tax_is_nothing(backend: Backend) {
        let app = TestApp::start_with(backend, options("exclusive")).await;
        app.stripe.control("billing", json!({ "tax_registered": false })).await;
        let (_, read) = buy(&app).await;
        assert_eq!((&read["totalAmount"], &read["taxAmount"]), (&json!(290), &json!(0)));
        finish(app).await;
    }

    /// What was agreed holds, whatever the settings are when the money arrives.
    async fn a_checkout_is_taxed_as_it_was_agreed(backend: Backend) {
        let app = TestApp::start_with(backend, Options::default().setting("TAX", "automatic")).await;
        let (session, event) = app.pay_session("user_1", 250).await;
        let database = app.database.back_up().await;
        let plain = app.restart_on(database, Options::default()).await;
        plain.deliver(&event).await.expect(200);
        assert_eq!(plain.credits("user_1").await, 250);
        let read = read_session(&plain, &session).await;
        assert_eq!((&read["taxBehavior"], &read["taxAmount"]), (&json!("exclusive"), &json!(28)));
        finish(plain).await;
    }

    /// Tax that nobody agreed to is still a contradiction, and one that was agreed hides no discount.
    async fn a_charge_that_differs_by_more_than_its_tax_is_refused(backend: Backend) {
        let app = TestApp::start_with(backend, Options::default().setting("TAX", "automatic")).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        for (name, change) in [("amount_total", json!(316)), ("amount_subtotal", json!(288))] {
            let mut changed = event.clone();
            changed["id"] = json!(format!("evt_{name}"));
            changed["data"]["object"][name] = change;
            app.deliver(&changed).await.expect(200);
            assert_eq!(app.credits("user_1").await, 0, "{name}");
        }
        app.deliver(&event).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        finish(app).await;
    }

    async fn a_taxed_purchase_that_a_backup_lacks_is_adopted_with_its_tax(backend: Backend) {
        let taxed = || Options::default().setting("JWT_ADMIN_SCOPE", "credits:admin").setting("TAX", "automatic");
        let app = TestApp::start_with(backend, taxed()).await;
        let backup = app.database.back_up().await;
        let (session, event) = app.pay_session("user_1", 250).await;
        app.deliver(&event).await.expect(200);
        // The seal says what was agreed, not the settings.
        let restored = app.restart_on(backup, Options::default().setting("JWT_ADMIN_SCOPE", "credits:admin")).await;
        assert_eq!(restored.credits("user_1").await, 0);
        let adopt = http_client().post(format!("{}/admin/adoptions", restored.url)).bearer_auth(restored.admin_token());
        let adopted = restored.send(adopt.json(&json!({ "sessionIds": [session] }))).await.expect(200);
        assert_eq!(adopted["data"][0]["outcome"], "adopted", "{adopted}");
        assert_eq!(restored.credits("user_1").await, 250);
        assert_eq!(read_session(&restored, &session).await["taxAmount"], 28);
        finish(restored).await;
    }

    /// 1,000 of the plan and 65 of fees, with 10 % on each line.
    async fn invoices_of_subscriptions_are_taxed_and_a_refund_takes_the_part_of_the_price(backend: Backend) {
        let app = shop_with(backend, options("exclusive")).await;
        let customer = subscribe(&app, "plus").await;
        assert_eq!(app.credits(ACCOUNT).await, 2_000);
        let prices = app.stripe.get("/v1/prices?limit=100&active=true").await;
        let prices = prices["data"].as_array().expect("a list");
        let taxed = prices.iter().filter(|price| price["tax_behavior"] == "exclusive").count();
        assert_eq!((taxed, prices.len()), (6, 6), "of three plans and their fees: {prices:?}");
        let subscription = only(&app).await;
        let id = subscription["id"].as_str().expect("an id").to_owned();
        let invoices = app.stripe.get(&format!("/v1/invoices?subscription={id}")).await;
        let invoice = &invoices["data"][0];
        let (total, tax) = (invoice["total"].as_i64().expect("a total"), invoice["total_taxes"][0]["amount"].as_i64().expect("a tax"));
        assert_eq!((total - tax, tax), (2_097, 209), "{invoice}");
        let payments = app.stripe.get(&format!("/v1/payment_intents?customer={customer}")).await;
        let payment = payments["data"][0]["id"].as_str().expect("a payment").to_owned();
        let (status, back) = app.stripe.post("/v1/refunds", &[("payment_intent", &payment), ("amount", "1100")]).await;
        assert_eq!(status, 200, "{back}");
        app.stripe.idle().await;
        // 1,100 of 2,306 are 1,000 of 2,097 before tax: half of the plan's price.
        assert_eq!(app.credits(ACCOUNT).await, 1_000);
        let change = json!({ "planId": "pro" });
        post(&app, &format!("/subscriptions/{id}/change"), change).await.expect(200);
        app.stripe.idle().await;
        assert_eq!(only(&app).await["planId"], "pro");
        let invoices = app.stripe.get(&format!("/v1/invoices?subscription={id}")).await;
        let update = &invoices["data"][0];
        let amount = |pointer: &str| update.pointer(pointer).and_then(Value::as_i64).expect("an amount");
        assert_eq!(update["billing_reason"], "subscription_update", "{update}");
        assert_eq!(amount("/total"), amount("/subtotal") + amount("/total_taxes/0/amount"));
        assert!(amount("/total_taxes/0/amount") > 0, "a change is taxed like the plan: {update}");
        // Half of the former period was refunded; the change brings what the new plan has more.
        assert_eq!(app.credits(ACCOUNT).await, 2_000);
        finish(app).await;
    }

    /// A business owes the tax itself: none is charged, and what was agreed is credited.
    async fn a_business_that_enters_its_tax_id_pays_no_tax(backend: Backend) {
        for (behavior, agreed, tax) in [("exclusive", 290, 29), ("inclusive", 293, 0)] {
            let app = TestApp::start_with(backend, options(behavior).setting("TAX_IDS", "on")).await;
            let session = app.open_session("user_1", 250).await;
            let asked = app.stripe.get(&format!("/v1/checkout/sessions/{session}")).await;
            assert_eq!(asked["tax_id_collection"]["enabled"], true, "{asked}");
            // A first attempt without the id is declined; by then its tax is known.
            let (status, _) = app.stripe.pay(&session, "pm_card_visa_chargeDeclined").await;
            assert_eq!(status, 402);
            let total = agreed + tax;
            let total = total.to_string();
            let form = [("payment_method", "pm_card_visa"), ("expected_amount", total.as_str()), ("tax_id", "DE123456789")];
            let confirm = format!("/v1/payment_pages/{session}/confirm");
            let (status, paid) = app.stripe.post(&confirm, &form).await;
            assert_eq!(status, 200, "{paid}");
            assert_eq!((&paid["amount_total"], &paid["total_details"]["amount_tax"]), (&json!(agreed), &json!(0)), "{paid}");
            assert_eq!(paid["customer_details"]["tax_ids"][0]["value"], "DE123456789");
            until("the credits", async || (app.credits("user_1").await == 250).then_some(())).await;
            let read = read_session(&app, &session).await;
            assert_eq!((&read["totalAmount"], &read["taxAmount"]), (&json!(agreed), &json!(0)), "{read}");
            let purchase = Purchase { topup: read["topupId"].as_str().expect("an id").to_owned(), payment: app.payment_of(&session).await };
            let refunded = refund(&app, &purchase, "back", json!({ "credits": 250 })).await.expect(200);
            assert_eq!(refunded["amount"], 250, "{refunded}");
            until("the refund", async || (app.credits("user_1").await == 0).then_some(())).await;
            // The next purchase is by the same customer.
            let next = app.open_session("user_1", 250).await;
            let (_, paid) = app.stripe.pay(&next, "pm_card_visa").await;
            assert_eq!((&paid["amount_total"], &paid["total_details"]["amount_tax"]), (&json!(agreed), &json!(0)), "{paid}");
            until("the credits", async || (app.credits("user_1").await == 250).then_some(())).await;
            finish(app).await;
        }
        let app = TestApp::start_with(backend, options("exclusive")).await;
        let session = app.open_session("user_1", 250).await;
        assert_eq!(app.stripe.get(&format!("/v1/checkout/sessions/{session}")).await["tax_id_collection"]["enabled"], false);
        finish(app).await;
    }

    async fn a_business_that_subscribes_pays_no_tax_now_or_later(backend: Backend) {
        let app = shop_with(backend, options("exclusive").setting("TAX_IDS", "on")).await;
        let body = json!({ "planId": "plus", "successUrl": "https://app.example.com/plan" });
        let session = post(&app, "/subscriptions/sessions", body).await.expect(200);
        let session = session["id"].as_str().expect("an id");
        let total = app.stripe.get(&format!("/v1/checkout/sessions/{session}")).await["amount_total"].to_string();
        let form = [("payment_method", "pm_card_visa"), ("expected_amount", &*total), ("tax_id", "DE123456789")];
        let (status, paid) = app.stripe.post(&format!("/v1/payment_pages/{session}/confirm"), &form).await;
        assert_eq!((status, &paid["tax_id_collection"]["enabled"]), (200, &json!(true)), "{paid}");
        app.stripe.idle().await;
        assert_eq!(app.credits(ACCOUNT).await, 2_000);
        let customer = paid["customer"].as_str().expect("a customer");
        advance(&app, customer, json!({ "seconds": 32 * 86_400 })).await;
        assert_eq!(app.credits(ACCOUNT).await, 4_000, "each period brings its credits, and this plan keeps them");
        let id = only(&app).await["id"].as_str().expect("an id").to_owned();
        let invoices = app.stripe.get(&format!("/v1/invoices?subscription={id}")).await;
        let invoices = invoices["data"].as_array().expect("a list");
        assert_eq!(invoices.len(), 2, "{invoices:?}");
        for invoice in invoices {
            assert_eq!((&invoice["total"], &invoice["subtotal"], &invoice["status"]), (&json!(2_097), &json!(2_097), &json!("paid")));
        }
        finish(app).await;
    }

    /// Plans that were applied without tax get prices that say how they are taxed.
    async fn plans_get_new_prices_when_tax_is_turned_on(backend: Backend) {
        let app = shop_with(backend, Options::with_webhooks().setting("JWT_ADMIN_SCOPE", "credits:admin")).await;
        let database = app.database.back_up().await;
        let taxed = app.restart_on(database, options("inclusive")).await;
        let plan = json!({ "plans": [{ "id": "plus", "name": "Plus", "interval": "month", "creditsPerPeriod": 2_000,
            "rollover": "keep", "amount": { "usd": 2_000 } }] });
        let put = http_client().put(format!("{}/admin/plans", taxed.url)).bearer_auth(taxed.admin_token()).json(&plan);
        let answer = taxed.send(put).await.expect(200);
        assert!(answer.to_string().contains("tax none -> inclusive"), "{answer}");
        let found = taxed.stripe.get("/v1/prices?lookup_keys[]=topup_plus_usd&active=true").await;
        assert_eq!(found["data"][0]["tax_behavior"], "inclusive", "{found}");
        let product = taxed.stripe.get("/v1/products/topup_plus").await;
        assert_eq!(product["tax_code"], CODE, "{product}");
        finish(taxed).await;
    }
}

/// The reconciliation compares a taxed session with its agreement like any other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_never_came_is_made_good_with_its_tax() {
    let app = TestApp::start_with(Backend::Sqlite, Options::default().setting("TAX", "automatic")).await;
    let (session, _) = app.pay_session("user_1", 250).await;
    let read = read_session(&app, &session).await;
    assert_eq!((&read["state"], &read["taxAmount"]), (&json!("paid"), &json!(28)));
    let ended = compare(&app.app).await;
    assert!(ended.is_clean(), "{:?}", ended.report);
    finish(app).await;
}
