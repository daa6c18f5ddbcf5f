//! Purchases whose credits end.

mod next;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio_util::sync::CancellationToken;
use topup::books::settle_account::settle_due;
use topup::domain::expiry::ExpiryDays;
use topup::purchases::reversal::reversals::ApplyReversals;

use crate::bonus::{
    ACCOUNT, Purchase, close, debit, deliver, end_dispute, grants, in_days, named, options, post, start, story,
    wait_days,
};
use crate::conformance::groups::refund;
use crate::on_both_databases;
use crate::spending::ledger::{at, release, submit};
use crate::support::TestApp;
use crate::support::books::{Books, account_id, topup_of};

/// A time of the API, in milliseconds since 1970.
#[track_caller]
pub fn time_ms(value: &Value) -> i64 {
    let time = OffsetDateTime::parse(value.as_str().expect("a time"), &Rfc3339).expect("RFC 3339");
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).expect("small")
}

/// Whether a time of the API is this one. The clock runs meanwhile.
pub fn is_about(value: &Value, expected_ms: i64) -> bool {
    (time_ms(value) - expected_ms).abs() < 120_000
}

async fn settle(app: &TestApp) -> usize {
    settle_due(&app.app, &CancellationToken::new()).await.expect("settles")
}

/// The kind of the account's newest entry, without settling it.
async fn newest_kind(app: &TestApp) -> String {
    let newest = app.app.db.entries(&account_id(ACCOUNT), i64::MAX, 1).await.expect("readable");
    newest[0].kind.clone()
}

on_both_databases! {
    async fn a_customer_is_told_before_and_after_paying_when_credits_end(backend: Backend) {
        let app = start(backend).await;
        let quote = app.get("/credits/quote?credits=50").await.expect(200);
        assert!(is_about(&quote["creditsExpireAt"], in_days(&app, 30)), "{quote}");
        let session = app.open_session(ACCOUNT, 50).await;
        let path = format!("/credits/sessions/{session}");
        let read = app.get_as(ACCOUNT, &path).await.expect(200);
        assert_eq!((&read["creditsExpireDays"], &read["creditsExpireAt"]), (&json!(30), &Value::Null));
        let requests = app.stripe.checkout_requests().await;
        assert!(requests[0].to_string().contains("Good for 30 days after the payment."), "{requests:?}");
        app.stripe.pay(&session, "pm_card_visa").await;
        // Stripe is asked once in five seconds.
        app.clock.advance_ms(6_000);
        let read = app.get_as(ACCOUNT, &path).await.expect(200);
        assert_eq!(read["state"], "paid");
        assert_eq!(time_ms(&read["creditsExpireAt"]), time_ms(&read["paidAt"]) + 30 * 86_400_000);
        close(app).await;
    }

    /// The same request under the same key is the same at Stripe, also on another day and with other settings.
    async fn a_repeated_checkout_sends_the_same_words(backend: Backend) {
        let app = start(backend).await;
        app.stripe.checkout_fault(1, json!({ "kind": "status", "status": 409 })).await;
        let body = json!({ "credits": 250, "successUrl": "https://app.example.com/done" });
        app.checkout_with(ACCOUNT, Some("key-1"), body.clone()).await;
        app.clock.advance_ms(120_000);
        app.checkout_with(ACCOUNT, Some("key-1"), body).await;
        let sent = app.stripe.checkout_requests().await;
        assert!(sent.len() >= 2, "{sent:?}");
        let texts: Vec<String> = sent.iter().map(|request| request["body"].to_string()).collect();
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
        close(app).await;
    }

    async fn a_balance_never_shows_credits_that_have_ended(backend: Backend) {
        let app = start(backend).await;
        Purchase::credited(&app, 250).await;
        wait_days(&app, 29);
        assert_eq!(app.credits(ACCOUNT).await, 275);
        wait_days(&app, 1);
        assert_eq!(app.credits(ACCOUNT).await, 0);
        assert_eq!(story(&app).await, "topup 250, bonus 25, expiry -250, expiry -25");
        close(app).await;
    }

    /// Nobody spends or looks; the job knows of accounts whose purchases no grant reflects yet.
    async fn what_ends_is_written_down_although_nobody_touches_the_account(backend: Backend) {
        let app = start(backend).await;
        // One is credited by the statement for many payments, one alone because of its bonus.
        for (account, credits) in [(ACCOUNT, 50), ("user_2", 250)] {
            let (_, event) = app.pay_session(account, credits).await;
            app.deliver(&event).await.expect(200);
        }
        wait_days(&app, 29);
        assert_eq!(settle(&app).await, 0);
        wait_days(&app, 1);
        settle(&app).await;
        for account in [ACCOUNT, "user_2"] {
            let account = account_id(account);
            let newest = app.app.db.entries(&account, i64::MAX, 1).await.expect("readable");
            assert_eq!((newest[0].kind.as_str(), newest[0].balance_after), ("expiry", 0));
        }
        assert_eq!(settle(&app).await, 0);
        close(app).await;
    }

    async fn what_was_spent_does_not_end(backend: Backend) {
        let app = start(backend).await;
        Purchase::credited(&app, 250).await;
        debit(&app, 60).await;
        wait_days(&app, 30);
        settle(&app).await;
        assert_eq!(story(&app).await, "topup 250, bonus 25, spend -25, spend -35, expiry -215");
        close(app).await;
    }

    /// The agreement counts: settings that change later change nothing that was sold.
    async fn each_purchase_ends_as_it_was_sold(backend: Backend) {
        let app = start(backend).await;
        Purchase::credited(&app, 50).await;
        let backup = app.database.back_up().await;
        let app = app.restart_on(backup, options().setting("CREDITS_EXPIRE_DAYS", "10")).await;
        Purchase::credited(&app, 60).await;
        wait_days(&app, 10);
        assert_eq!(app.credits(ACCOUNT).await, 50);
        wait_days(&app, 20);
        assert_eq!(app.credits(ACCOUNT).await, 0);
        close(app).await;
    }

    async fn a_refund_that_fails_after_the_end_ends_again_at_once(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::credited(&app, 250).await;
        let refund = purchase.at_stripe(&app, "refund", json!({ "amount": 250 }), "refund.created").await;
        wait_days(&app, 31);
        app.stripe.control(&format!("refunds/{refund}"), json!({ "status": "failed" })).await;
        deliver(&app, "refund.failed").await;
        settle(&app).await;
        assert_eq!(newest_kind(&app).await, "expiry");
        assert_eq!(app.credits(ACCOUNT).await, 0);
        close(app).await;
    }

    /// The purchase had ended, so the refund took other credits. When it fails, these are not lost.
    async fn a_failed_refund_after_the_end_returns_what_it_took_from_others(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::credited(&app, 250).await;
        let given = json!({ "credits": 60, "reason": "a test" });
        post(&app, &format!("/admin/accounts/{ACCOUNT}/adjustments"), "key-1", given).await.expect(200);
        wait_days(&app, 31);
        settle(&app).await;
        assert_eq!(app.credits(ACCOUNT).await, 60);
        let refund = purchase.at_stripe(&app, "refund", json!({ "amount": 50 }), "refund.created").await;
        let taken = 60 - app.credits(ACCOUNT).await;
        assert!(taken > 0);
        debit(&app, 1).await;
        app.stripe.control(&format!("refunds/{refund}"), json!({ "status": "failed" })).await;
        deliver(&app, "refund.failed").await;
        settle(&app).await;
        assert_eq!(app.credits(ACCOUNT).await, 59);
        wait_days(&app, 6);
        assert_eq!(app.credits(ACCOUNT).await, 59, "they are good for a week");
        wait_days(&app, 1);
        assert_eq!(app.credits(ACCOUNT).await, 59 - taken);
        close(app).await;
    }

    async fn a_dispute_won_after_the_end_leaves_a_week(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::credited(&app, 250).await;
        let dispute = purchase.at_stripe(&app, "dispute", json!({}), "charge.dispute.funds_withdrawn").await;
        wait_days(&app, 31);
        end_dispute(&app, &dispute, "won").await;
        assert_eq!(app.credits(ACCOUNT).await, 275);
        wait_days(&app, 6);
        assert_eq!(app.credits(ACCOUNT).await, 275);
        wait_days(&app, 1);
        settle(&app).await;
        assert_eq!(newest_kind(&app).await, "expiry");
        assert_eq!(app.credits(ACCOUNT).await, 0);
        close(app).await;
    }

    async fn a_dispute_won_in_time_ends_with_the_purchase(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::credited(&app, 250).await;
        let dispute = purchase.at_stripe(&app, "dispute", json!({}), "charge.dispute.funds_withdrawn").await;
        end_dispute(&app, &dispute, "won").await;
        assert_eq!(grants(&app).await, named(&[("purchase", 250), ("bonus", 25)]));
        wait_days(&app, 30);
        settle(&app).await;
        assert_eq!(newest_kind(&app).await, "expiry");
        assert_eq!(app.credits(ACCOUNT).await, 0);
        close(app).await;
    }

    /// Nothing settles the account in between, or a job does.
    async fn a_refund_after_the_end_is_the_same_whether_the_end_was_written_down(backend: Backend) {
        let mut balances = Vec::new();
        for was_written in [false, true] {
            let books = Books::open(backend).await;
            let mut new = topup_of(1, "user_1", 250);
            new.quote.expiry = ExpiryDays::new(30);
            let report = books.opened_as(new).await;
            books.apply(report.clone()).await.expect("applied");
            let now_ms = crate::support::books::NOW_MS + 31 * 86_400_000;
            if was_written {
                // It settles the account, and does nothing else.
                submit(&books, at(now_ms, release(1, 999_999))).await;
                assert_eq!(books.balance("user_1").await, 0);
            }
            let refund = refund(1, 100, &report);
            books.db.apply_reversals(ApplyReversals { now_ms, ..refund }).await.expect("applied");
            balances.push(books.balance("user_1").await);
            books.finish().await;
        }
        assert_eq!(balances, [-100, -100]);
    }

    /// Many payments of one account in one statement: the account is due when the first of them ends.
    async fn a_group_of_payments_is_due_with_its_first_end(backend: Backend) {
        let books = Books::open(backend).await;
        let mut reports = Vec::new();
        for (number, days) in [(1, None), (2, Some(20)), (3, Some(10)), (4, Some(30)), (5, None)] {
            let mut new = topup_of(number, "user_1", 250);
            new.quote.expiry = days.and_then(ExpiryDays::new);
            reports.push(books.opened_as(new).await);
        }
        let now_ms = crate::support::books::NOW_MS;
        let due = async || books.db.balance(&account_id("user_1")).await.expect("readable").due_at_ms;
        books.apply(reports.remove(0)).await.expect("applied");
        assert_eq!(due().await, i64::MAX);
        for report in reports {
            books.apply(report).await.expect("applied");
        }
        assert_eq!(due().await, now_ms + 10 * 86_400_000);
        books.finish().await;
    }
}
