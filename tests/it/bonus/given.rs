//! A bonus is shown before the payment and given with it, once.

use serde_json::json;
use topup::domain::judge::Applied;

use super::{ACCOUNT, Purchase, close, get, grants, named, start, story};
use crate::on_both_databases;
use crate::support::books::{Books, paid_report, topup_of};

on_both_databases! {
    async fn a_quote_a_session_and_stripes_page_say_the_bonus(backend: Backend) {
        let app = start(backend).await;
        for (credits, bonus) in [(99, 0), (100, 10), (999, 99), (1_000, 250)] {
            let quote = app.get(&format!("/credits/quote?credits={credits}")).await.expect(200);
            assert_eq!(quote["bonusCredits"], bonus, "{quote}");
        }
        let session = app.open_session(ACCOUNT, 255).await;
        let read = app.get_as(ACCOUNT, &format!("/credits/sessions/{session}")).await.expect(200);
        assert_eq!((&read["credits"], &read["bonusCredits"]), (&json!(255), &json!(25)));
        let request = &app.stripe.checkout_requests().await[0];
        let text = request.to_string();
        assert!(text.contains("Includes a bonus of 25 credits. Good for 30 days after the payment."), "{text}");
        let description = request["params"]["payment_intent_data"]["description"].as_str().expect("a text");
        assert!(description.starts_with(&format!("255 credits and 25 bonus credits for {ACCOUNT} (topup_")), "{description}");
        let made = app.stripe.get(&format!("/v1/checkout/sessions/{session}")).await;
        let metadata = &made["metadata"];
        assert_eq!((&metadata["bonusCredits"], &metadata["creditsExpireDays"]), (&json!("25"), &json!("30")));
        close(app).await;
    }

    async fn the_bonus_comes_with_the_payment_and_only_once(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::credited(&app, 250).await;
        for _ in 0..2 {
            app.deliver(&purchase.event).await.expect(200);
            app.get_as(ACCOUNT, &format!("/credits/sessions/{}", purchase.session)).await.expect(200);
        }
        assert_eq!(story(&app).await, "topup 250, bonus 25");
        assert_eq!(grants(&app).await, named(&[("purchase", 250), ("bonus", 25)]));
        let page = app.get_as(ACCOUNT, "/credits/grants").await.expect(200);
        for grant in page["data"].as_array().expect("a list") {
            assert_eq!(grant["topupId"], purchase.topup, "{grant}");
            let category = if grant["kind"] == "bonus" { "promotional" } else { "paid" };
            assert_eq!(grant["category"], category, "{grant}");
        }
        let explained = get(&app, &format!("/admin/topups/{}", purchase.topup)).await;
        assert_eq!(explained["bonusCredits"], 25);
        assert_eq!(explained["ledgerEntries"].as_array().map(Vec::len), Some(2));
        assert_eq!(get(&app, "/admin/topups").await["data"][0]["bonusCredits"], 25);
        close(app).await;
    }

    /// The settings at the time of the checkout count.
    async fn a_report_of_another_bonus_or_end_is_refused(backend: Backend) {
        let books = Books::open(backend).await;
        let mut new = topup_of(1, "user_1", 250);
        new.quote.bonus_credits = 25;
        new.quote.expiry = topup::domain::expiry::ExpiryDays::new(30);
        let report = books.opened_as(new.clone()).await;
        for (bonus, days) in [(None, Some("30")), (Some("24"), Some("30")), (Some("25"), None), (Some("25"), Some("31"))] {
            let mut other = report.clone();
            (other.bonus, other.expire_days) = (bonus.map(str::to_owned), days.map(str::to_owned));
            let applied = books.apply(other).await.expect("applied");
            assert!(matches!(applied, Applied::Rejected(_)), "{bonus:?} {days:?}: {applied:?}");
        }
        assert_eq!(books.balance("user_1").await, 0);
        let applied = books.apply(paid_report(&new)).await.expect("applied");
        assert_eq!(applied, Applied::Credited { credits: 250, balance_after: 275 });
        books.finish().await;
    }

    /// Many reports at once: those without a bonus share one statement, which must not take the others for theirs.
    async fn a_report_that_hides_the_bonus_credits_nothing(backend: Backend) {
        let books = Books::open(backend).await;
        let mut new = topup_of(1, "user_1", 250);
        new.quote.bonus_credits = 25;
        let mut report = books.opened_as(new).await;
        report.bonus = None;
        let applied = books.apply(report).await.expect("applied");
        assert!(matches!(applied, Applied::Rejected(_)), "{applied:?}");
        books.finish().await;
    }

    async fn a_second_payment_gets_no_bonus(backend: Backend) {
        let books = Books::open(backend).await;
        let mut new = topup_of(1, "user_1", 250);
        new.quote.bonus_credits = 25;
        let report = books.opened_as(new).await;
        books.apply(report.clone()).await.expect("applied");
        let other = topup_of(2, "user_1", 250);
        let mut second = report;
        (second.payment, second.event) = (paid_report(&other).payment, paid_report(&other).event);
        assert_eq!(books.apply(second).await.expect("applied"), Applied::Surplus);
        assert_eq!(books.balance("user_1").await, 275);
        books.finish().await;
    }
}
