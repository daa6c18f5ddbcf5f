//! The controls on the pages: plain forms that do what the JSON controls do, and lead back to where they stand.

use reqwest::Method;
use serde_json::json;
use stripe_sandbox::Config;

use crate::support::{
    Answer, KEY, World,
    receiver::{Receiver, Reply},
    start, start_with, without_style,
};

async fn submit(world: &World, path: &str, form: &[(&str, &str)]) -> Answer {
    world.post(&format!("/_sandbox/form/{path}"), form).await
}

async fn page(world: &World, path: &str) -> String {
    let answer = world.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    without_style(&answer.text)
}

/// Whether the page has a form with this target.
fn offers(page: &str, path: &str) -> bool {
    page.contains(&format!("action=\"/_sandbox/form/{path}\""))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_offers_what_can_be_done_now_and_leads_back_after_it() {
    let world = start().await;
    let open = world.session().await;
    let delayed = world.session().await;
    world.confirm(&delayed, "pm_sandbox_delayed").await;
    let (open_page, delayed_page) = (format!("/payments/{open}"), format!("/payments/{delayed}"));
    let (expire, settle) = (format!("sessions/{open}/expire"), format!("sessions/{delayed}/settle"));
    let before = page(&world, &open_page).await;
    assert!(before.contains("no money moves") && before.contains("This cannot be undone"), "{before}");
    assert!(offers(&before, &expire) && !offers(&before, &format!("sessions/{open}/settle")));
    assert!(offers(&page(&world, &delayed_page).await, &settle));
    let expired = submit(&world, &expire, &[("back", &open_page)]).await;
    assert_eq!(expired.status, 303);
    let back = format!("{open_page}?done=expire&of={open}#main");
    assert_eq!(expired.header("location"), back);
    let after = page(&world, back.trim_end_matches("#main")).await;
    assert!(after.contains("The session has expired.") && !offers(&after, &expire), "{after}");
    submit(&world, &settle, &[("outcome", "succeeded")]).await;
    assert!(!offers(&page(&world, &delayed_page).await, &settle));
    let again = submit(&world, &expire, &[("back", &open_page)]).await;
    assert_eq!(again.status, 400);
    assert!(again.text.contains("role=\"alert\"") && again.text.contains("can be expired"), "{}", again.text);
    assert!(again.text.contains(&format!("data-path=\"{open_page}\"")), "the page of the form is shown");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_leads_back_to_pages_of_this_site_only() {
    let world = start().await;
    for foreign in ["https://evil.example/", "//evil.example/", "javascript:alert(1)"] {
        let answer = submit(&world, "clock", &[("advance_seconds", "60"), ("back", foreign)]).await;
        assert_eq!(answer.header("location"), "/_sandbox?done=clock#main", "{foreign}");
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_form_the_page_waits_a_moment_for_deliveries_and_says_when_that_was_too_short() {
    let receiver = Receiver::start().await;
    receiver.will(&[Reply::Hang]);
    let world = start_with(Config::local(KEY).with_webhook(&receiver.url, "whsec_1")).await;
    let under_way = "being delivered at this moment";
    assert!(!page(&world, "/events").await.contains(under_way));
    let session = world.session().await;
    let form = [("back", "/events")];
    let answer = submit(&world, &format!("sessions/{session}/expire"), &form).await;
    let began = std::time::Instant::now();
    let shown = page(&world, answer.header("location").trim_end_matches("#main")).await;
    assert!(began.elapsed() >= std::time::Duration::from_secs(1), "mostly it is delivered by then");
    assert!(shown.contains(under_way) && shown.contains("not delivered yet"), "{shown}");
    receiver.release();
    world.idle().await;
    let shown = page(&world, "/events").await;
    assert!(!shown.contains(under_way) && !shown.contains("not delivered yet"), "{shown}");
    assert!(shown.contains(">delivered<"), "{shown}");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_refunded_and_disputed_on_its_page() {
    let world = start().await;
    let intent = world.paid("pm_card_visa").await;
    let path = format!("payment_intents/{intent}");
    let payment = format!("/payments/{intent}");
    let shown = page(&world, &payment).await;
    for words in ["$2.89", "account-1", "250 × Credits", "Returns $2.89", "visa ending in 4242", "$0.38 of $2.89"] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    assert!(offers(&shown, &format!("{path}/refund")) && offers(&shown, &format!("{path}/dispute")));
    assert_eq!(submit(&world, &format!("{path}/refund"), &[("amount", "1.00")]).await.status, 303);
    assert_eq!(submit(&world, &format!("{path}/dispute"), &[("inquiry", "true")]).await.status, 303);
    let refund = world.get("/v1/refunds").await.json()["data"][0].clone();
    assert_eq!(refund["amount"], json!(100));
    let dispute = world.get("/v1/disputes").await.json()["data"][0].clone();
    assert_eq!((&dispute["status"], &dispute["amount"]), (&json!("warning_needs_response"), &json!(189)));
    let shown = page(&world, &payment).await;
    assert!(shown.contains("paid, inquiry") && shown.contains("Returns $1.89"), "{shown}");
    let wrong = submit(&world, &format!("{path}/refund"), &[("amount", "1.555"), ("back", &payment)]).await;
    assert!(wrong.text.contains("must be an amount of money such as $1.50"), "{}", wrong.text);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_and_disputes_are_moved_on_their_pages_only_where_they_can_go() {
    let world = start().await;
    let intent = world.paid("pm_card_visa").await;
    let path = format!("payment_intents/{intent}");
    submit(&world, &format!("{path}/refund"), &[("amount", "1.00")]).await;
    submit(&world, &format!("{path}/dispute"), &[("reason", "duplicate"), ("amount", "1.50")]).await;
    let (refund, dispute) = (world.get("/v1/refunds").await.json(), world.get("/v1/disputes").await.json());
    let refund = format!("refunds/{}", refund["data"][0]["id"].as_str().unwrap());
    let shown = page(&world, &format!("/{refund}")).await;
    assert!(shown.contains("value=\"failed\"") && !shown.contains("value=\"succeeded\""), "{shown}");
    submit(&world, &refund, &[("status", "failed")]).await;
    assert_eq!(world.get("/v1/refunds").await.json()["data"][0]["status"], json!("failed"));
    let shown = page(&world, &format!("/{refund}")).await;
    assert!(shown.contains("This refund has ended.") && !offers(&shown, &refund), "{shown}");

    let id = dispute["data"][0]["id"].as_str().unwrap();
    assert_eq!(dispute["data"][0]["reason"], json!("duplicate"));
    let dispute = format!("disputes/{id}");
    let shown = page(&world, &format!("/{dispute}")).await;
    assert!(shown.contains("value=\"won\"") && !shown.contains("value=\"warning_closed\""), "{shown}");
    let wrong = submit(&world, &dispute, &[("to", "won"), ("reinstated", "9.00")]).await;
    assert!(wrong.text.contains("for a dispute that is won"), "{}", wrong.text);
    submit(&world, &dispute, &[("to", "won"), ("reinstated", "0.50")]).await;
    assert!(page(&world, &format!("/{dispute}")).await.contains("<dd>$1.00</dd>"), "what the bank has");
    submit(&world, &format!("{dispute}/movement"), &[("direction", "out"), ("amount", "0.50")]).await;
    submit(&world, &format!("{dispute}/movement"), &[("direction", "back"), ("amount", "0.02")]).await;
    let shown = page(&world, &format!("/{dispute}")).await;
    assert!(shown.contains("<dd>$1.48</dd>") && shown.contains("value=\"withdrawn\""), "{shown}");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_the_mode_is_the_whole_mode_and_every_page_says_so() {
    let world = start().await;
    let form = [("hold", "charge.*, checkout.session.completed"), ("shuffle", "true"), ("drop_next", "2")];
    submit(&world, "deliveries/mode", &form).await;
    let mode = world.get("/_sandbox/deliveries/mode").await.json();
    assert_eq!(mode["hold"], json!(["charge.*", "checkout.session.completed"]));
    assert_eq!((&mode["shuffle"], &mode["drop_next"]), (&json!(true), &json!(2)));
    let shown = page(&world, "/refunds").await;
    assert!(shown.contains("Held back: charge.*, checkout.session.completed."), "{shown}");
    assert!(shown.contains("The next 2 will be dropped.") && offers(&shown, "deliveries/mode/clear"), "{shown}");
    submit(&world, "deliveries/mode", &[("hold_all", "true"), ("hold", ""), ("api_version", "2022-11-15")]).await;
    let mode = world.get("/_sandbox/deliveries/mode").await.json();
    assert_eq!((&mode["hold"], &mode["shuffle"], &mode["drop_next"]), (&json!(true), &json!(false), &json!(0)));
    assert!(page(&world, "/_sandbox").await.contains("<option value=\"2022-11-15\" selected>"));
    submit(&world, "deliveries/mode/clear", &[]).await;
    assert_eq!(world.get("/_sandbox/deliveries/mode").await.json()["hold"], json!(false));
    assert!(!page(&world, "/refunds").await.contains("Webhooks are disturbed"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_delivered_dropped_and_sent_again_on_their_pages() {
    let receiver = Receiver::start().await;
    let config = Config::local(KEY).with_webhook(&receiver.url, "whsec_1");
    let world = start_with(config).await;
    submit(&world, "deliveries/mode", &[("hold_all", "true")]).await;
    let id = world.session().await;
    submit(&world, &format!("sessions/{id}/expire"), &[]).await;
    let event = world.get("/v1/events").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/events/{event}");
    let shown = page(&world, &path).await;
    assert!(offers(&shown, &format!("events/{event}/drop")) && shown.contains("held back"), "{shown}");
    assert!(offers(&page(&world, "/deliveries").await, &format!("events/{event}/deliver")));
    submit(&world, &format!("events/{event}/deliver"), &[]).await;
    world.idle().await;
    assert_eq!(receiver.kinds(), ["checkout.session.expired"]);
    assert!(!offers(&page(&world, &path).await, &format!("events/{event}/drop")), "nothing is left to drop");
    submit(&world, "deliveries/mode/clear", &[]).await;
    let resend = format!("events/{event}/resend");
    assert!(offers(&page(&world, "/events").await, &resend) && offers(&page(&world, "/deliveries").await, &resend));
    submit(&world, &resend, &[("api_version", "2024-04-10")]).await;
    world.idle().await;
    assert_eq!(receiver.received()[1].event()["api_version"], json!("2024-04-10"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_seen_on_every_page_and_ended_there() {
    let world = start().await;
    let form = [("kind", "500"), ("for_seconds", "60"), ("times", ""), ("path", "/v1/*"), ("back", "/_sandbox")];
    assert_eq!(submit(&world, "outage", &form).await.header("location"), "/_sandbox?done=outage#main");
    for path in ["/", "/payments", "/_sandbox"] {
        let shown = page(&world, path).await;
        assert!(shown.contains("for 1 min more") || shown.contains("for 59 s more"), "{path}: {shown}");
        assert!(offers(&shown, "outage/clear"), "{path}");
    }
    submit(&world, "outage/clear", &[]).await;
    assert!(!offers(&page(&world, "/").await, "outage/clear"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn time_is_advanced_by_a_span_to_a_moment_and_to_the_next_step() {
    let world = start().await;
    assert!(page(&world, "/_sandbox").await.contains("Nothing: no session is open"));
    assert_eq!(submit(&world, "clock", &[("advance_seconds", "3600")]).await.status, 303);
    assert_eq!(world.get("/_sandbox/clock").await.json()["offset_seconds"], json!(3_600));
    let shown = page(&world, "/_sandbox").await;
    assert!(shown.contains(" UTC</strong>, 1 h ahead of this machine"), "{shown}");
    let session = world.session().await;
    let expires_at = world.get(&format!("/v1/checkout/sessions/{session}")).await.json()["expires_at"].to_string();
    let shown = page(&world, "/_sandbox").await;
    assert!(shown.contains(&format!("name=\"now\" value=\"{expires_at}\"")), "{shown}");
    submit(&world, "clock", &[("now", &expires_at)]).await;
    assert_eq!(world.get(&format!("/v1/checkout/sessions/{session}")).await.json()["status"], json!("expired"));
    submit(&world, "clock", &[("until", "2107-01-31 08:30")]).await;
    assert!(page(&world, "/_sandbox").await.contains("2107-01-31 08:30:0"));
    let wrong = submit(&world, "clock", &[("until", "tomorrow")]).await;
    assert!(wrong.text.contains("The moment must be like 2027-01-31"), "{}", wrong.text);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_permissions_lists_and_the_account_have_forms() {
    let world = start().await;
    let form = [("kind", "status"), ("when", "before"), ("method", "GET"), ("path", "/v1/events"), ("times", "1")];
    let form = [form.as_slice(), &[("status", "503"), ("delay_ms", "5000")]].concat();
    submit(&world, "faults", &form).await;
    let shown = page(&world, "/").await;
    assert!(shown.contains("GET /v1/events: answered with 503, 1 time."), "{shown}");
    assert_eq!(world.get("/v1/events").await.status, 503);
    assert!(!page(&world, "/").await.contains("Faults wait"));
    let form = [("kind", "delay"), ("path", "/v1/x"), ("times", "2"), ("status", "500"), ("delay_ms", "5")];
    submit(&world, "faults", &form).await;
    assert!(page(&world, "/").await.contains("Any request /v1/x: answered 5 ms late, 2 times."));
    submit(&world, "faults/clear", &[]).await;
    let wrong = submit(&world, "faults", &[("kind", "disconnect"), ("path", "/x"), ("times", "1")]).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("`path` must begin with /v1/"), "{}", wrong.text);
    let wrong = submit(&world, "faults", &[("kind", "disconnect"), ("path", "/v1/x"), ("times", "one")]).await;
    assert!(wrong.text.contains("`times` must be a whole number, not `one`."), "{}", wrong.text);

    submit(&world, "permissions", &[("missing", "rak_event_read rak_charge_write")]).await;
    assert_eq!(world.get("/v1/events").await.status, 403);
    assert!(page(&world, "/_sandbox").await.contains("value=\"rak_charge_write rak_event_read\""));
    submit(&world, "permissions", &[]).await;
    world.session().await;
    submit(&world, "lists", &[("lag_seconds", "60")]).await;
    assert_eq!(world.get("/v1/checkout/sessions").await.json()["data"], json!([]));
    submit(&world, "lists", &[("lag_seconds", "0")]).await;
    submit(&world, "account/standing", &[("details_submitted", "true")]).await;
    let account = world.get("/v1/account").await.json();
    assert_eq!((&account["charges_enabled"], &account["details_submitted"]), (&json!(false), &json!(true)));
    submit(&world, "account", &[("phone_number_collection", "true")]).await;
    let session = world.session().await;
    let session = world.get(&format!("/v1/checkout/sessions/{session}")).await.json();
    assert_eq!(session["phone_number_collection"]["enabled"], json!(true));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_cannot_use_the_forms() {
    let world = start().await;
    for (origin, status) in [("https://evil.example", 403), (world.sandbox.url().as_str(), 303)] {
        let headers = [("origin", origin)];
        let form = [("advance_seconds", "60")];
        let answer = world.send(Method::POST, "/_sandbox/form/clock", &form, &headers).await.unwrap();
        assert_eq!(answer.status, status, "{origin}");
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_card_is_declined_replaced_expired_and_detached_on_its_customers_page() {
    let world = start().await;
    assert!(page(&world, "/customers").await.contains("No customers yet."));
    let form = [("name", "Ada Lovelace"), ("email", "ada@example.com"), ("metadata[account]", "user_1")];
    let customer = world.post("/v1/customers", &form).await.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/customers/{customer}");
    assert!(page(&world, &path).await.contains("No saved cards."));
    let attached = world.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await.json();
    let method = attached["id"].as_str().unwrap().to_owned();
    let card = format!("payment_methods/{method}");
    let shown = page(&world, &path).await;
    for words in ["Ada Lovelace", "account=user_1", "visa ending in 4242", "Charges succeed.", "No payments yet."] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    assert!(page(&world, "/customers").await.contains("1 saved card"));
    submit(&world, &format!("{card}/charges"), &[("decline", "insufficient_funds"), ("back", &path)]).await;
    let shown = page(&world, &path).await;
    assert!(shown.contains("Charges are declined: Your card has insufficient funds."), "{shown}");
    assert!(shown.contains("<option value=\"insufficient_funds\" selected>"), "{shown}");
    submit(&world, &format!("{card}/renew"), &[]).await;
    assert!(page(&world, &path).await.contains("Charges succeed."));
    let expired = submit(&world, &format!("{card}/expire"), &[("back", &path)]).await;
    assert!(expired.header("location").starts_with(&format!("{path}?done=card-expire")), "{expired:?}");
    assert!(page(&world, &path).await.contains("Your card has expired."));
    let paid = [("amount", "500"), ("currency", "usd"), ("customer", customer.as_str())];
    let intent = world.post("/v1/payment_intents", &paid).await.json()["id"].as_str().unwrap().to_owned();
    assert!(page(&world, &path).await.contains(&format!("href=\"/payments/{intent}\"")));
    assert!(page(&world, &format!("/payments/{intent}")).await.contains(">Ada Lovelace</a>"));
    submit(&world, &format!("{card}/detach"), &[]).await;
    assert!(page(&world, &path).await.contains("No saved cards."));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_that_saves_a_card_and_a_setup_without_one_pass_3d_secure_on_the_pages() {
    let world = start().await;
    let customer = world.post("/v1/customers", &[("name", "Grace")]).await.json()["id"].as_str().unwrap().to_owned();
    let form = [
        ("mode", "setup"),
        ("currency", "usd"),
        ("customer", customer.as_str()),
        ("success_url", "http://127.0.0.1:9/return"),
    ];
    let session = world.post("/v1/checkout/sessions", &form).await.json();
    let id = session["id"].as_str().expect("a session").to_owned();
    let shown = page(&world, &format!("/payments/{id}")).await;
    assert!(shown.contains("saves a card") && shown.contains(">open<") && !shown.contains("$0.00"), "{shown}");
    let form = [("payment_method", "pm_card_authenticationRequired"), ("customer", &customer), ("confirm", "true")];
    let form = [form.as_slice(), &[("return_url", "http://127.0.0.1:9/return")]].concat();
    let setup = world.post("/v1/setup_intents", &form).await.json();
    assert_eq!(setup["status"], json!("requires_action"), "{setup}");
    let challenge = format!("setup_intents/{}/challenge", setup["id"].as_str().unwrap());
    assert!(offers(&page(&world, &format!("/customers/{customer}")).await, &challenge));
    submit(&world, &challenge, &[("outcome", "passed")]).await;
    let shown = page(&world, &format!("/customers/{customer}")).await;
    assert!(!offers(&shown, &challenge) && shown.contains("ending in"), "{shown}");
    world.sandbox.stop().await;
}
