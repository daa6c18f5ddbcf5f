//! What people read: Stripe's page, the demo, and the texts for operators. Programs read integers.

use serde_json::{Value, json};

use super::{Purchase, changes, deliver, get, millionths, post, start};
use crate::dev::run_in_a_browser;
use crate::support::app::{http_client, settings};
use crate::support::process::run;
use crate::support::{Backend, Options, TestApp};
use topup::http::demo::DEMO_ACCOUNT;

/// A service with a unit, its price, and decimals.
async fn selling(unit: &str, amount: &str, decimals: &str) -> TestApp {
    let options = Options::default().setting("CREDIT_UNIT_CREDITS", unit).setting("CREDIT_UNIT_AMOUNT", amount);
    let most = if unit == "1" { "100000" } else { "10000000" };
    let options = options.setting("CREDIT_DISPLAY_DECIMALS", decimals).setting("MAX_CREDITS", most);
    TestApp::start_with(Backend::Sqlite, options).await
}

async fn page(url: &str) -> String {
    http_client().get(url).send().await.expect("answers").text().await.expect("text")
}

#[tokio::test]
async fn a_small_unit_is_one_line_whose_name_has_the_number_of_credits() {
    for (unit, amount, decimals, credits, name) in [
        ("10000", "1", "6", 2_500_000, "2.50 credits"),
        ("10000", "1", "4", 2_500_000, "250.00 credits"),
        ("10000", "1", "0", 2_500_000, "2500000 credits"),
        ("1000", "1", "6", 250_000, "0.25 credits"),
        ("1", "1", "2", 250, "2.50 credits"),
        ("1", "1", "1", 250, "25.0 credits"),
    ] {
        let app = selling(unit, amount, decimals).await;
        let opened = app.checkout("user_1", credits).await.expect(200);
        let request = app.stripe.checkout_requests().await.remove(0);
        let line = |name: &str, unit_amount: &str| {
            json!({
                "price_data": { "currency": "usd", "product_data": { "name": name }, "unit_amount": unit_amount },
                "quantity": "1",
            })
        };
        let expected = json!({ "0": line(name, "250"), "1": line("Processing fee", "39") });
        assert_eq!(request["params"]["line_items"], expected);
        assert_eq!(request["params"]["metadata"]["credits"], credits.to_string(), "programs read an integer");
        let id = opened["id"].as_str().expect("an id");
        let session = app.stripe.get(&format!("/v1/checkout/sessions/{id}?expand[]=line_items")).await;
        let first = &session["line_items"]["data"][0];
        assert_eq!((&session["amount_total"], &first["amount_total"]), (&json!(289), &json!(250)));
        assert_eq!((&first["description"], &first["quantity"]), (&json!(name), &json!(1)));
        let html = page(opened["url"].as_str().expect("a page")).await;
        assert!(html.contains(name) && html.contains("$2.50") && !html.contains("Qty"), "{html}");
        app.finish().await;
    }
}

#[tokio::test]
async fn a_quote_tells_the_unit_and_the_decimals() {
    let app = start(Backend::Sqlite).await;
    let expected = json!({
        "credits": 2_500_000, "currency": "usd", "currencies": ["usd"], "creditUnitCredits": 10_000, "creditUnitAmount": 1,
        "smallestCredits": 180_000, "largestCredits": 1_000_000_000, "creditDisplayDecimals": 6, "creditsAmount": 250, "feeAmount": 39, "totalAmount": 289,
        "taxBehavior": null, "bonusCredits": 0, "creditsExpireAt": null,
    });
    assert_eq!(app.get("/credits/quote?credits=2500000").await.expect(200), expected);
    app.finish().await;
}

#[tokio::test]
async fn the_demo_page_shows_people_decimals_and_gives_the_elements_integers() {
    let usual = Options { demo: true, ..Options::default() };
    let small = Options { demo: true, ..millionths() };
    for (options, decimals, word, amounts) in [
        (usual, "0", "1 credit", r#"amount="250" amounts="250 1000 5000""#),
        (small, "6", "0.01 credits", r#"amount="2500000" amounts="2500000 10000000 50000000""#),
    ] {
        let app = TestApp::start_with(Backend::Sqlite, options).await;
        let html = page(&app.url).await;
        let decimals = format!(r#"data-credit-decimals="{decimals}""#);
        for part in [decimals, format!("A word costs {word}."), amounts.to_owned()] {
            assert!(html.contains(&part), "{part}: {html}");
        }
        assert!(!html.contains("{{"), "{html}");
        app.finish().await;
    }
}

/// Buys and asks on the demo page, in a real browser.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_page_shows_decimals_and_asks_for_integers() {
    let app = TestApp::start_with(Backend::Sqlite, Options { demo: true, ..millionths() }).await;
    let purchase = Purchase::credited(&app, DEMO_ACCOUNT).await;
    purchase.at_stripe(&app, "refund", json!({ "amount": 1 })).await;
    deliver(&app, "refund.created").await;
    run_in_a_browser("unit.mjs", "DEMO_URL", app.url.clone()).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_read_decimals_and_reports_for_programs_have_integers() {
    let app = start(Backend::Sqlite).await;
    let settings = settings(&app.database.url, &app.stripe.url, &changes());
    app.pay_session("user_1", 2_500_000).await;
    let (_, report, errors) = run(&settings, &["reconcile", "--dry-run", "--json"]);
    let report: Value = serde_json::from_str(&report).unwrap_or_else(|error| panic!("{error}: {report}{errors}"));
    assert_eq!(report["missingCreditsSum"], 2_500_000, "{report}");
    assert_eq!(report["missingCredits"]["first"][0]["detail"], "paid at Stripe: 2.50 credits");
    let (well, said, errors) = run(&settings, &["reconcile"]);
    assert!(well && said.contains("\n2.50 credits were missing.\n"), "{said}{errors}");

    let purchase = Purchase::credited(&app, "user_2").await;
    purchase.at_stripe(&app, "refund", json!({ "amount": 100 })).await;
    let checked = post(&app, &format!("/admin/topups/{}/check", purchase.topup), "key", json!({})).await.expect(200);
    let detail = checked["detail"].as_str().expect("text");
    assert!(detail.contains("now take 1.00 credits, before it was 0.00"), "{detail}");
    deliver(&app, "refund.created").await;
    let ledger = get(&app, "/accounts/user_2/credits/transactions").await;
    assert_eq!(
        (&ledger["data"][0]["credits"], &ledger["data"][0]["balanceAfter"]),
        (&json!(-1_000_000), &json!(1_500_000))
    );
    app.finish().await;
}
