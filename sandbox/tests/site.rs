//! The pages of the person who develops: an overview, lists in pages, objects, and the news that refresh them.

use std::time::{Duration, Instant};

use stripe_sandbox::Config;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    KEY, World,
    receiver::{Receiver, Reply},
    session_with, start, start_with, without_style,
};

const LISTS: [&str; 9] =
    ["/", "/payments", "/customers", "/refunds", "/disputes", "/events", "/deliveries", "/requests", "/_sandbox"];

async fn page(world: &World, path: &str) -> String {
    let answer = world.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    without_style(&answer.text)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_says_what_to_do_next() {
    let world = start().await;
    for (path, words) in [
        ("/", "What to do next"),
        ("/payments", "Create a checkout session at"),
        ("/refunds", "Refund a "),
        ("/disputes", "4000 0000 0000 0259"),
        ("/events", "stripe-sandbox trigger"),
        ("/deliveries", "register one with"),
        ("/requests", "Point your Stripe client at"),
        ("/_sandbox", "No endpoint is registered"),
    ] {
        let shown = page(&world, path).await;
        assert!(shown.contains(words), "{path}: {shown}");
    }
    for path in ["/payments/cs_x", "/refunds/re_x", "/disputes/du_x", "/events/evt_x", "/nothing"] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_allow_nothing_from_elsewhere_and_nothing_inline_but_the_style() {
    let world = start().await;
    world.paid("pm_card_visa").await;
    for path in LISTS {
        let answer = world.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{path}: {policy}");
        assert!(policy.contains("script-src 'self'; connect-src 'self'; form-action 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{path}: {policy}");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.text.contains("<script src=\"/_sandbox/pages.js\" defer></script>"), "{path}");
        assert_eq!(answer.text.matches("<script").count(), 1, "{path}");
        assert!(!answer.text.contains(" style=") && !answer.text.contains("onclick"), "{path}");
    }
    let script = world.get("/_sandbox/pages.js").await;
    assert_eq!((script.status, script.header("x-content-type-options")), (200, "nosniff"));
    assert!(script.header("content-type").starts_with("text/javascript"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_has_the_newest_of_everything_and_what_needs_a_look() {
    let world = start().await;
    world.session().await;
    let intent = world.paid("pm_card_visa").await;
    world.control(&format!("/_sandbox/payment_intents/{intent}/refund"), r#"{"amount": 100}"#).await;
    world.paid("pm_card_createDispute").await;
    let delayed = world.session().await;
    world.confirm(&delayed, "pm_sandbox_delayed").await;
    let shown = page(&world, "/").await;
    for words in [
        "Newest payments",
        "Newest refunds",
        "Newest disputes",
        "Newest events",
        "1 dispute needs a response",
        "paid, partly refunded",
        ">disputed<",
        ">processing<",
        ">needs a response<",
        "<dd>2<small>$5.78</small></dd>",
        "<dd>1<small>$1.00</small></dd>",
        // 2 × (289 − 38) − 100 − 289 − 1500.
        "<dd><span>−$13.87</span><small>",
    ] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_have_their_currencys_form_and_times_are_relative_and_exact() {
    let world = start().await;
    let yen = session_with(&[
        ("line_items[0][price_data][currency]", "jpy"),
        ("line_items[1][price_data][currency]", "jpy"),
        ("client_reference_id", "account-yen"),
    ]);
    world.post("/v1/checkout/sessions", &yen).await;
    world.control("/_sandbox/clock", r#"{"advance_seconds": 7200}"#).await;
    let shown = page(&world, "/payments").await;
    assert!(shown.contains("¥289") && shown.contains("account-yen"), "{shown}");
    let time = shown.split("<time ").nth(1).unwrap();
    assert!(time.starts_with("datetime=\"20") && time.contains(" UTC\" data-at=\""), "{time}");
    assert!(time.contains(">2 h ago</time>"), "{time}");
    assert!(shown.contains(", 2 h ahead"), "the sandbox's clock is in the header");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_and_stay_put_when_more_arrives() {
    let world = start().await;
    let mut sessions = Vec::new();
    for _ in 0..45 {
        sessions.push(world.session().await);
    }
    let rows = |shown: &str| -> Vec<String> {
        shown.split("id=\"row-").skip(1).map(|row| row.split('"').next().unwrap().to_owned()).collect()
    };
    let newest: Vec<String> = sessions.iter().rev().cloned().collect();
    let first = page(&world, "/payments").await;
    assert_eq!(rows(&first), newest[..20]);
    let older = format!("/payments?before={}", newest[19]);
    assert!(first.contains(&format!("href=\"{older}\" rel=\"next\"")), "{first}");
    world.session().await;
    let second = page(&world, &older).await;
    assert_eq!(rows(&second), newest[20..40]);
    let third = page(&world, &format!("/payments?before={}", newest[39])).await;
    assert_eq!(rows(&third), newest[40..]);
    assert!(third.contains(">Newest</a>") && !third.contains("rel=\"next\""), "{third}");
    assert_eq!(rows(&page(&world, "/payments?before=cs_gone").await).len(), 20, "an unknown row is ignored");
    let requests = page(&world, "/requests?result=write").await;
    assert_eq!(rows(&requests).len(), 20);
    assert!(requests.contains("result=write") && requests.contains("before=request") || requests.contains("before="));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_payments_by_what_people_know_and_other_objects_by_their_id() {
    let world = start().await;
    let intent = world.paid("pm_card_visa").await;
    let other = world.post("/v1/checkout/sessions", &session_with(&[("client_reference_id", "Grace-7")])).await;
    let other = other.json()["id"].as_str().unwrap().to_owned();
    let session = page(&world, &format!("/payments?q={intent}")).await;
    assert!(session.contains("account-1") && !session.contains("Grace-7"), "{session}");
    for (wanted, is_grace) in [("grace", true), ("4242", false), ("account-1", false), (other.as_str(), true)] {
        let shown = page(&world, &format!("/payments?q={wanted}")).await;
        let has = |buyer: &str| shown.contains(&format!("data-label=\"Buyer\"><div>{buyer}"));
        assert_eq!((has("Grace-7"), has("account-1")), (is_grace, !is_grace), "{wanted}: {shown}");
    }
    assert!(page(&world, "/payments?q=2.89").await.contains("Grace-7"));
    assert!(page(&world, "/payments?q=nobody").await.contains("No payment fits."));
    let event = world.events().await[0]["id"].as_str().unwrap().to_owned();
    let shown = page(&world, &format!("/payments?q={event}")).await;
    assert!(shown.contains(&format!("href=\"/events/{event}\"")), "{shown}");
    let shown = page(&world, "/payments?state=paid").await;
    assert!(shown.contains("account-1") && !shown.contains("Grace-7"), "{shown}");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_shop_or_receiver_sends_is_text_and_nothing_more() {
    let receiver = Receiver::start().await;
    let world = start_with(Config::local(KEY).with_webhook(&receiver.url, "whsec_1")).await;
    let evil = "<script>alert(1)</script>\"'&";
    let params = session_with(&[
        ("line_items[0][price_data][product_data][name]", evil),
        ("client_reference_id", evil),
        ("metadata[topupId]", evil),
    ]);
    let session = world.post("/v1/checkout/sessions", &params).await.json()["id"].as_str().unwrap().to_owned();
    world.confirm(&session, "pm_card_visa").await;
    world.idle().await;
    for path in ["/", "/payments", "/events", "/requests", &format!("/payments/{session}"), "/payments?q=<script>"] {
        let shown = page(&world, path).await;
        assert_eq!(shown.matches("<script").count(), 1, "{path}: {shown}");
        assert!(shown.contains("&lt;script&gt;"), "{path}");
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_show_status_attempt_and_the_receivers_answer() {
    let receiver = Receiver::start().await;
    receiver.will(&[Reply::Status(500)]);
    let mut config = Config::local(KEY).with_webhook(&receiver.url, "whsec_1");
    config.retry.initial = Duration::from_millis(1);
    let world = start_with(config).await;
    let session = world.session().await;
    world.control(&format!("/_sandbox/sessions/{session}/expire"), "").await;
    receiver.until(|received| received.len() == 2).await;
    world.idle().await;
    let shown = page(&world, "/deliveries").await;
    for words in [">refused<", "attempt 1, answered 500", ">delivered<", "attempt 2, answered 200", "Send again"] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    let failed = page(&world, "/deliveries?result=failed").await;
    assert!(failed.contains(">refused<") && !failed.contains("attempt 2"), "{failed}");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn news_are_told_when_they_happen_and_at_the_end() {
    let world = start().await;
    let seen = world.get("/_sandbox/changes?since=0").await.json()["changes"].as_u64().unwrap();
    let path = format!("/_sandbox/changes?since={seen}");
    let began = Instant::now();
    let told = {
        let news = world.get(&path);
        tokio::pin!(news);
        tokio::select! {
            early = &mut news => panic!("nothing has happened yet: {}", early.text),
            _ = world.get("/_sandbox/requests") => {}
        }
        world.session().await;
        news.await.json()["changes"].as_u64().unwrap()
    };
    assert!(told > seen && began.elapsed() < Duration::from_secs(10));
    assert_eq!(world.get("/_sandbox/changes").await.status, 400, "a request for news says what is known");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_news_is_answered_when_the_sandbox_stops() {
    let world = start().await;
    let quiet = world.get("/_sandbox/changes?since=0").await.json()["changes"].clone();
    let mut connection = TcpStream::connect(world.sandbox.address()).await.unwrap();
    // Both in one packet: once the first is answered, the second is there.
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    let both = request("/_sandbox/clock") + &request(&format!("/_sandbox/changes?since={quiet}"));
    connection.write_all(both.as_bytes()).await.unwrap();
    let mut answers = vec![0; 64];
    connection.read_exact(&mut answers).await.unwrap();
    world.sandbox.stop().await;
    connection.read_to_end(&mut answers).await.unwrap();
    let answers = String::from_utf8(answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
    assert!(answers.ends_with(&format!("{{\"changes\":{quiet}}}")), "{answers}");
}
