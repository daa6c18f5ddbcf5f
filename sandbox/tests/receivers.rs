//! Endpoints that do not answer: the page of controls shows them, and neither customers nor other endpoints wait for
//! them.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use stripe_sandbox::{Config, RetryPolicy};

use crate::support::{
    Answer, KEY, World,
    receiver::{Receiver, Reply},
    start_with,
};

/// Longer than any test: a page that waited for this would never finish.
const FOREVER: Duration = Duration::from_hours(1);
/// How long a page that does not wait may take on the slowest machine.
const AT_ONCE: Duration = Duration::from_secs(20);

fn config(receiver: &Receiver, redirect_wait: Duration) -> Config {
    let mut config = Config::local(KEY).with_webhook(&receiver.url, "whsec_1");
    config.redirect_wait = redirect_wait;
    config.retry = RetryPolicy { initial: Duration::from_millis(10), max: Duration::from_millis(40), attempts: 10_000 };
    config
}

/// Makes a purchase and returns to the shop. Returns how long the return took after the payment.
async fn buy(world: &World) -> Duration {
    let id = world.session().await;
    assert_eq!(world.confirm(&id, "pm_card_visa").await.status, 200);
    let begin = Instant::now();
    assert_eq!(done(world, &id).await.status, 303);
    begin.elapsed()
}

/// The page that redirects to the shop.
async fn done(world: &World, id: &str) -> Answer {
    let done = tokio::time::timeout(AT_ONCE, world.get(&format!("/c/pay/{id}/done"))).await;
    done.unwrap_or_else(|_| panic!("the page waits for an endpoint that does not answer"))
}

async fn page(world: &World) -> String {
    world.get("/_sandbox").await.text
}

/// Polls until the page of controls shows this text.
async fn until_page_says(world: &World, text: &str) -> String {
    let says = async {
        loop {
            let page = page(world).await;
            if page.contains(text) {
                return page;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(AT_ONCE, says).await.unwrap_or_else(|_| panic!("the page never says {text:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_never_answers_delays_neither_customers_nor_other_endpoints() {
    let (silent, good) = (Receiver::start().await, Receiver::start().await);
    silent.will(&vec![Reply::Hang; 40]);
    let world = start_with(config(&silent, FOREVER).with_webhook(&good.url, "whsec_2")).await;
    // More than the concurrency limit of an endpoint.
    for purchase in 1..=8 {
        buy(&world).await;
        good.until(|received| received.len() == 5 * purchase).await;
    }
    // Its receiver has the last webhook a moment before the sandbox has the answer.
    let page = until_page_says(&world, "Answers.").await;
    assert!(page.contains(&silent.url) && page.contains("A webhook waits for its answer since 20"), "{page}");
    assert!(page.contains(&good.url), "{page}");
    silent.release();
    world.idle().await;
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_where_nobody_listens_is_shown_and_not_waited_for() {
    let receiver = Receiver::start().await;
    let (url, port) = (receiver.url.clone(), url::Url::parse(&receiver.url).unwrap().port().unwrap());
    let world = start_with(config(&receiver, FOREVER)).await;
    assert!(page(&world).await.contains("Nothing was sent there"));
    receiver.stop().await;
    buy(&world).await;
    let page = until_page_says(&world, "Does not answer since 20").await;
    assert!(page.contains(&url) && page.contains("refused"), "{page}");
    let receiver = Receiver::start_on(port).await;
    receiver.until(|received| received.len() == 5).await;
    until_page_says(&world, "Answers.").await;
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_falls_silent_makes_one_customer_wait_and_none_after() {
    let wait = Duration::from_secs(2);
    let receiver = Receiver::start().await;
    let world = start_with(config(&receiver, wait)).await;
    assert!(buy(&world).await < wait);
    world.idle().await;
    receiver.will(&vec![Reply::Hang; 10]);
    assert!(buy(&world).await >= wait, "it answered until now, so it may be slow");
    until_page_says(&world, "no answer yet").await;
    assert!(buy(&world).await < wait);
    receiver.release();
    world.idle().await;
    assert!(page(&world).await.contains("Answers."));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_refuses_is_shown_with_its_status() {
    let receiver = Receiver::start().await;
    receiver.will(&vec![Reply::Status(400); 10_000]);
    let world = start_with(config(&receiver, FOREVER)).await;
    buy(&world).await;
    let page = until_page_says(&world, "Refuses webhooks since 20").await;
    assert!(page.contains("status 400"), "{page}");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_on_standby_leaves_no_trace_until_it_takes_its_first_webhook() {
    let receiver = Receiver::start().await;
    let (url, port) = (receiver.url.clone(), url::Url::parse(&receiver.url).unwrap().port().unwrap());
    receiver.stop().await;
    let mut config = Config::local(KEY).with_standby_webhook(url, "whsec_1");
    config.redirect_wait = FOREVER;
    config.retry = RetryPolicy { initial: Duration::from_millis(10), max: Duration::from_millis(40), attempts: 10_000 };
    let world = start_with(config).await;
    buy(&world).await;
    world.idle().await;
    let log = world.get("/_sandbox/deliveries").await.json();
    assert_eq!((&log["deliveries"], &log["pending"]), (&json!([]), &json!([])));
    for event in world.events().await {
        assert_eq!(event["pending_webhooks"], json!(0), "{event}");
    }
    let shown = page(&world).await;
    assert!(shown.contains("On standby") && shown.contains("refused"), "{shown}");

    let receiver = Receiver::start_on(port).await;
    buy(&world).await;
    world.idle().await;
    assert_eq!(receiver.kinds().len(), 5, "what came before is not sent again");
    receiver.stop().await;
    buy(&world).await;
    until_page_says(&world, "Does not answer since 20").await;
    assert_eq!(world.get("/_sandbox/deliveries").await.json()["pending"].as_array().unwrap().len(), 5);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_on_standby_is_not_waited_for_although_it_may_answer() {
    let receiver = Receiver::start().await;
    receiver.will(&vec![Reply::Hang; 5]);
    let mut config = Config::local(KEY).with_standby_webhook(&receiver.url, "whsec_1");
    config.redirect_wait = FOREVER;
    let world = start_with(config).await;
    buy(&world).await;
    receiver.release();
    world.idle().await;
    assert_eq!(receiver.received().len(), 5);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_removed_on_the_page() {
    let receiver = Receiver::start().await;
    let world = start_with(config(&receiver, FOREVER)).await;
    receiver.will(&vec![Reply::Hang; 5]);
    let id = world.session().await;
    world.confirm(&id, "pm_card_visa").await;
    receiver.until(|received| received.len() == 5).await;
    let list = world.get("/v1/webhook_endpoints").await.json();
    let remove = format!("/_sandbox/form/endpoints/{}/remove", list["data"][0]["id"].as_str().unwrap());
    assert!(page(&world).await.contains(&format!("action=\"{remove}\"")));
    let removed = world.post(&remove, &[]).await;
    assert_eq!(removed.status, 303);
    assert!(removed.header("location").starts_with("/_sandbox?done=remove&"), "{}", removed.header("location"));
    assert!(page(&world).await.contains("No endpoint is registered"));
    assert_eq!(done(&world, &id).await.status, 303, "the page waits for an endpoint that is no more");
    receiver.release();
    buy(&world).await;
    world.idle().await;
    assert_eq!(receiver.received().len(), 5, "what was sent before it was removed");
    let again = world.send(Method::POST, &remove, &[], &[]).await.unwrap();
    assert_eq!(again.status, 404);
    assert!(again.text.contains("role=\"alert\""), "{}", again.text);
    world.sandbox.stop().await;
}
