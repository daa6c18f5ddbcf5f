//! The forms of the hosted page, as a browser without JavaScript uses them.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use stripe_sandbox::Config;

use crate::support::{
    Answer, KEY, World,
    receiver::{Receiver, Reply},
    session_with, start, start_with,
};

fn typed<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let form = [
        ("email", "ada@example.com"),
        ("card_number", "4242 4242 4242 4242"),
        ("exp", "12 / 40"),
        ("cvc", "123"),
        ("name", "Ada Lovelace"),
    ];
    let mut form: Vec<_> =
        form.into_iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name)).collect();
    form.extend(changes.iter().copied());
    form
}

async fn pay(world: &World, id: &str, changes: &[(&str, &str)]) -> Answer {
    world.post(&format!("/c/pay/{id}"), &typed(changes)).await
}

async fn status(world: &World, id: &str) -> String {
    let session = world.get(&format!("/v1/checkout/sessions/{id}")).await.json();
    format!("{} {}", session["status"].as_str().unwrap(), session["payment_status"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_what_is_bought_and_loads_nothing() {
    let world = start().await;
    let id = world.session().await;
    let page = world.get(&format!("/c/pay/{id}")).await;
    assert_eq!(page.status, 200);
    for words in [
        "Sandbox — no money moves",
        "Credits",
        "Processing fee",
        "$2.89",
        "$0.39",
        "id=\"pay\"",
        "name=\"email\"",
        "name=\"card_number\"",
        "name=\"exp\"",
        "name=\"cvc\"",
        "name=\"name\"",
        "4000 0000 0000 0002",
        "href=\"http://127.0.0.1:9/cancel\"",
    ] {
        assert!(page.text.contains(words), "{words}");
    }
    assert!(!page.text.contains("<script") && !page.text.contains("src="), "nothing is loaded");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("form-action 'self' http://127.0.0.1:9"), "{policy}");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(world.get("/c/pay/cs_test_x").await.status, 404);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_shop_sends_is_text_and_nothing_more() {
    let world = start().await;
    let evil = "<script>alert(1)</script>\"'&";
    let params = session_with(&[
        ("line_items[0][price_data][product_data][name]", evil),
        ("cancel_url", "http://127.0.0.1:9/\"><script>"),
    ]);
    let session = world.post("/v1/checkout/sessions", &params).await.json();
    let id = session["id"].as_str().unwrap();
    let page = pay(&world, id, &[("email", evil), ("name", evil), ("exp", evil)]).await;
    assert_eq!(page.status, 400);
    assert!(!page.text.contains("<script"), "{}", page.text);
    assert!(page.text.contains("&lt;script&gt;"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paying_leads_back_to_the_shop_once_its_webhook_is_answered() {
    let receiver = Receiver::start().await;
    let world = start_with(Config::local(KEY).with_webhook(&receiver.url, "whsec_1")).await;
    let id = world.session().await;
    receiver.will(&[Reply::Hang, Reply::Hang, Reply::Hang, Reply::Hang, Reply::Hang]);
    let answer = pay(&world, &id, &[]).await;
    assert_eq!((answer.status, answer.header("location")), (303, format!("/c/pay/{id}/done").as_str()));
    assert_eq!(status(&world, &id).await, "complete paid");
    receiver.until(|received| received.len() == 5).await;
    let done = {
        let done = world.get(answer.header("location"));
        tokio::pin!(done);
        tokio::select! {
            _ = &mut done => panic!("the receiver has not answered yet"),
            _ = world.get("/_sandbox/requests") => {}
        }
        receiver.release();
        done.await
    };
    let expected = format!("http://127.0.0.1:9/return?session={id}");
    assert_eq!((done.status, done.header("location")), (303, expected.as_str()));
    let session = world.get(&format!("/v1/checkout/sessions/{id}")).await.json();
    assert_eq!(session["customer_details"]["email"], json!("ada@example.com"));
    assert_eq!(session["customer_details"]["name"], json!("Ada Lovelace"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_stays_silent_holds_the_customer_only_so_long() {
    let receiver = Receiver::start().await;
    let mut config = Config::local(KEY).with_webhook(&receiver.url, "whsec_1");
    config.redirect_wait = Duration::from_millis(200);
    let world = start_with(config).await;
    world.control("/_sandbox/deliveries/pause", "").await;
    let id = world.session().await;
    let begin = Instant::now();
    let answer = pay(&world, &id, &[]).await;
    let done = world.get(answer.header("location")).await;
    assert_eq!(done.status, 303);
    assert!(begin.elapsed() >= Duration::from_millis(200));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn submitting_twice_charges_once() {
    let world = start().await;
    let id = world.session().await;
    let answers =
        tokio::join!(pay(&world, &id, &[]), pay(&world, &id, &[]), pay(&world, &id, &[]), pay(&world, &id, &[]));
    for answer in [&answers.0, &answers.1, &answers.2, &answers.3] {
        assert_eq!((answer.status, answer.header("location")), (303, format!("/c/pay/{id}/done").as_str()));
    }
    let charges = world.get("/v1/events?type=charge.succeeded").await.json();
    assert_eq!(charges["data"].as_array().unwrap().len(), 1);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_shown_in_stripes_words() {
    let world = start().await;
    let id = world.session().await;
    for (field, value, words) in [
        ("card_number", "4242 4242 4242 4241", "Your card number is incorrect."),
        ("card_number", "", "Your card number is incomplete."),
        ("card_number", "4242", "Your card number is invalid."),
        ("exp", "12 / 20", "Your card&#39;s expiration year is in the past."),
        ("exp", "13 / 40", "Your card&#39;s expiration month is invalid."),
        ("exp", "12", "Your card&#39;s expiration date is incomplete."),
        ("cvc", "12", "Your card&#39;s security code is invalid."),
        ("cvc", "", "Your card&#39;s security code is incomplete."),
        ("email", "ada", "Your email is invalid."),
        ("email", "", "Your email is incomplete."),
    ] {
        let page = pay(&world, &id, &[(field, value)]).await;
        let text = page.text.replace('\'', "&#39;");
        assert_eq!(page.status, 400, "{field}={value}");
        assert!(text.contains(words), "{words} in {text}");
        assert!(page.text.contains(&format!("id=\"{field}-error\"")), "{field}={value}");
        assert!(page.text.contains("aria-invalid=\"true\"") && page.text.contains("role=\"alert\""));
    }
    assert_eq!(world.event_types().await, [""; 0], "nobody tried to charge the card");
    let page = pay(&world, &id, &[("card_number", "4000000000009995")]).await;
    assert_eq!(page.status, 402);
    assert!(page.text.contains("role=\"alert\">Your card has insufficient funds.<"), "{}", page.text);
    assert!(page.text.contains("value=\"ada@example.com\""), "what was typed is still there");
    assert_eq!(status(&world, &id).await, "open unpaid");
    assert_eq!(pay(&world, &id, &[]).await.status, 303);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_challenge_page_lets_the_customer_pass_or_fail() {
    let world = start().await;
    let id = world.session().await;
    let challenge = format!("/c/pay/{id}/challenge");
    let answer = pay(&world, &id, &[("card_number", "4000000000003220")]).await;
    assert_eq!((answer.status, answer.header("location")), (303, challenge.as_str()));
    let page = world.get(&challenge).await;
    assert!(page.text.contains("id=\"complete-3ds\"") && page.text.contains("id=\"fail-3ds\""), "{}", page.text);
    let failed = world.post(&challenge, &[("outcome", "fail")]).await;
    assert!(failed.text.contains("We are unable to authenticate your payment method."), "{}", failed.text);
    assert_eq!(world.get(&challenge).await.header("location"), format!("/c/pay/{id}"));
    pay(&world, &id, &[("card_number", "4000000000003220")]).await;
    let passed = world.post(&challenge, &[("outcome", "complete")]).await;
    assert_eq!((passed.status, passed.header("location")), (303, format!("/c/pay/{id}/done").as_str()));
    let twice = world.post(&challenge, &[("outcome", "complete")]).await;
    assert_eq!(twice.header("location"), format!("/c/pay/{id}/done"), "pressed twice");
    assert_eq!(status(&world, &id).await, "complete paid");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_over_says_so() {
    let world = start().await;
    let id = world.session().await;
    assert_eq!(world.get(&format!("/c/pay/{id}/done")).await.header("location"), format!("/c/pay/{id}"));
    world.post(&format!("/v1/checkout/sessions/{id}/expire"), &[]).await;
    for answer in [world.get(&format!("/c/pay/{id}")).await, pay(&world, &id, &[]).await] {
        assert!(answer.text.contains("This checkout has expired"), "{}", answer.text);
    }
    let id = world.session().await;
    pay(&world, &id, &[]).await;
    assert!(world.get(&format!("/c/pay/{id}")).await.text.contains("all done here"));
    let home = world.get("/").await;
    assert!(home.text.contains(&id) && home.text.contains("checkout.session.completed"), "{}", home.text);
    assert!(home.text.contains("no money moves"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_email_is_shown_and_not_asked_for() {
    let world = start().await;
    let session = world.post("/v1/checkout/sessions", &session_with(&[("customer_email", "grace@example.com")])).await;
    let id = session.json()["id"].as_str().unwrap().to_owned();
    let page = world.get(&format!("/c/pay/{id}")).await;
    assert!(page.text.contains("grace@example.com") && !page.text.contains("name=\"email\""));
    let form: Vec<_> = typed(&[]).into_iter().filter(|(name, _)| *name != "email").collect();
    let answer = world.send(Method::POST, &format!("/c/pay/{id}"), &form, &[]).await.unwrap();
    assert_eq!(answer.status, 303);
    world.sandbox.stop().await;
}
