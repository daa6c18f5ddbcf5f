//! How messages are delivered: in order, again after failures, and without one endpoint holding up another.

use reqwest::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use topup::outbox::change_endpoint::{Context, EndpointChange, create};
use topup::outbox::retries::PAUSES_MS;

use super::receiver::{FAILS, Mode, Receiver, WELL};
use super::{ACCOUNT, Product, text};
use crate::on_both_databases;
use crate::support::until;

/// A little more than the longest pause after so many failures.
fn longest_pause_seconds(failures: usize) -> i64 {
    PAUSES_MS[failures - 1] * 11 / 10 / 1_000 + 1
}

/// The numbers of entries in the messages that were taken, which grow within an account.
fn entries(receiver: &Receiver, account: &str) -> Vec<i64> {
    let of_account = receiver.taken().into_iter().filter(|message| message.body["data"]["accountId"] == account);
    of_account.map(|message| message.body["data"]["entries"].as_i64().expect("a number")).collect()
}

async fn endpoint(product: &Product, id: &str) -> Value {
    product.get(&format!("/admin/endpoints/{id}")).await.expect(200)
}

on_both_databases! {
    async fn what_fails_is_tried_again_with_the_same_id_and_body(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        receiver.answer(FAILS);
        let (id, _) = product.add(&receiver).await;
        product.buy(ACCOUNT, 250).await;
        for failures in 1..=4 {
            receiver.wait_for_attempts(failures).await;
            until("recorded", async || {
                let waiting = product.deliveries(&id, "waiting").await;
                waiting.into_iter().find(|delivery| delivery["attempts"] == failures)
            })
            .await;
            if failures == 4 {
                receiver.answer(WELL);
            }
            product.after_seconds(longest_pause_seconds(failures));
        }
        let paid = receiver.wait_for("topup.paid").await;
        let attempts = receiver.received();
        assert!(attempts.iter().all(|attempt| attempt.id() == paid.id() && attempt.text == paid.text));
        assert_ne!(attempts[0].headers["webhook-timestamp"], paid.headers["webhook-timestamp"]);
        let done = until("done", async || product.deliveries(&id, "done").await.into_iter().next()).await;
        assert_eq!(
            (&done["attempts"], &done["lastStatus"], &done["lastError"]),
            (&json!(5), &json!(200), &json!(null)),
        );
        let path = format!("/admin/endpoints/{id}/deliveries/{}", paid.id());
        let details = product.get(&path).await.expect(200);
        assert_eq!(details["payload"], paid.body);
        let statuses: Vec<&Value> =
            details["attemptList"].as_array().expect("a list").iter().map(|attempt| &attempt["status"]).collect();
        assert_eq!(json!(statuses), json!([200, 500, 500, 500, 500]));
        product.finish().await;
    }

    async fn an_account_s_messages_arrive_in_order_and_those_of_others_are_not_held_up(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        receiver.answer(FAILS);
        let (id, _) = product.add_for(&receiver, &["topup.paid"]).await;
        product.buy("slow", 250).await;
        receiver.wait_for_attempts(1).await;
        until("recorded", async || {
            product.deliveries(&id, "waiting").await.into_iter().find(|one| one["attempts"] == 1)
        })
        .await;
        for _ in 0..3 {
            product.buy("slow", 250).await;
        }
        receiver.answer(WELL);
        product.buy("fast", 250).await;
        let first = receiver.wait_for_taken(1).await;
        assert_eq!(first[0].body["data"]["accountId"], "fast", "the other account waits for its turn");
        product.after_seconds(longest_pause_seconds(1));
        receiver.wait_for_taken(5).await;
        let numbers = entries(&receiver, "slow");
        assert!(numbers.len() == 4 && numbers[0] == 1 && numbers.is_sorted(), "{numbers:?}");
        let ids: Vec<String> = receiver
            .taken()
            .iter()
            .filter(|one| one.body["data"]["accountId"] == "slow")
            .map(|one| text(&one.body["data"]["topupId"]))
            .collect();
        let mut sorted = ids.clone();
        sorted.sort();
        assert_eq!(ids, sorted, "ids grow with time");
        product.finish().await;
    }

    async fn a_receiver_that_was_down_gets_everything_later_in_order(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        let (id, _) = product.add(&receiver).await;
        receiver.answer(Mode::Broken);
        for round in 0..6 {
            product.give(ACCOUNT, 100).await;
            product.buy(ACCOUNT, 250).await;
            product.after_seconds(600);
            receiver.answer(if round % 2 == 0 { FAILS } else { Mode::Broken });
        }
        receiver.wait_for_attempts(1).await;
        receiver.answer(WELL);
        product.after_seconds(2 * 60 * 60 * 11 / 10 + 1);
        until("everything", async || {
            Some(()).filter(|()| receiver.events().iter().filter(|event| *event == "topup.paid").count() == 6)
        })
        .await;
        let numbers = entries(&receiver, ACCOUNT);
        assert!(numbers.is_sorted(), "{numbers:?}");
        let mut ids: Vec<String> = receiver.taken().iter().map(|message| message.id().to_owned()).collect();
        let arrived = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), arrived, "nothing was taken twice");
        until("all are done", async || {
            let waiting = product.deliveries(&id, "waiting").await;
            Some(()).filter(|()| waiting.is_empty())
        })
        .await;
        assert_eq!(endpoint(&product, &id).await["failingSince"], json!(null));
        product.finish().await;
    }

    async fn an_endpoint_that_does_not_answer_holds_up_no_other(backend: Backend) {
        let product = Product::open(backend).await;
        let (silent, well) = (Receiver::start().await, Receiver::start().await);
        silent.answer(Mode::Silent);
        product.add_for(&silent, &["topup.paid"]).await;
        product.add_for(&well, &["topup.paid"]).await;
        let started = std::time::Instant::now();
        for number in 0..12 {
            product.buy(&format!("user_{number}"), 250).await;
        }
        well.wait_for_taken(12).await;
        assert!(
            started.elapsed() < topup::outbox::sender::ATTEMPT_TIMEOUT,
            "it waited for the other: {:?}",
            started.elapsed(),
        );
        let open = silent.connections();
        assert!((1..=4).contains(&open), "{open} requests at once");
        drop(silent);
        product.finish().await;
    }

    async fn an_answer_is_read_to_a_limit(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        receiver.answer(Mode::Endless);
        let (id, _) = product.add(&receiver).await;
        product.buy(ACCOUNT, 250).await;
        until("done", async || product.deliveries(&id, "done").await.into_iter().next()).await;
        product.finish().await;
    }

    async fn a_redirect_is_a_failure(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        let (id, _) = product.add(&receiver).await;
        for status in [301, 302, 307, 308] {
            receiver.answer(Mode::Status(status, "location: http://127.0.0.1:1/elsewhere\r\n"));
            let attempts = receiver.received().len();
            product.post(&format!("/admin/endpoints/{id}/test"), json!({})).await.expect(200);
            receiver.wait_for_attempts(attempts + 1).await;
            let failed = until("recorded", async || {
                product.deliveries(&id, "waiting").await.into_iter().find(|delivery| delivery["lastStatus"] == status)
            })
            .await;
            assert_eq!(failed["lastError"], json!(format!("the answer has the status {status}")));
            receiver.answer(WELL);
            product.after_seconds(longest_pause_seconds(1));
            until("delivered", async || Some(()).filter(|()| !receiver.taken().is_empty())).await;
            until("all are done", async || Some(product.deliveries(&id, "waiting").await).filter(Vec::is_empty)).await;
        }
        product.finish().await;
    }

    async fn retry_after_counts(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        receiver.answer(Mode::Status(503, "retry-after: 3600\r\n"));
        let (id, _) = product.add(&receiver).await;
        product.buy(ACCOUNT, 250).await;
        receiver.wait_for_attempts(1).await;
        let waiting = until("recorded", async || {
            product.deliveries(&id, "waiting").await.into_iter().find(|delivery| delivery["attempts"] == 1)
        })
        .await;
        let seconds = |name: &str| {
            OffsetDateTime::parse(waiting[name].as_str().expect("a time"), &Rfc3339).expect("a time").unix_timestamp()
        };
        let pause = seconds("nextAttemptAt") - seconds("lastAttemptAt");
        assert!((3_599..=3_601).contains(&pause), "{pause}");
        receiver.answer(WELL);
        product.after_seconds(3_601);
        receiver.wait_for("topup.paid").await;
        product.finish().await;
    }

    async fn a_receiver_that_is_gone_is_disabled_and_the_others_are_told(backend: Backend) {
        let product = Product::open(backend).await;
        let (gone, other) = (Receiver::start().await, Receiver::start().await);
        gone.answer(Mode::Status(410, ""));
        let (id, _) = product.add_for(&gone, &["topup.paid", "endpoint.disabled"]).await;
        product.add_for(&other, &["endpoint.disabled"]).await;
        product.buy(ACCOUNT, 250).await;
        let told = other.wait_for("endpoint.disabled").await;
        assert_eq!((&told.body["data"]["endpointId"], &told.body["data"]["reason"]), (&json!(id), &json!("gone")));
        let shown = endpoint(&product, &id).await;
        assert_eq!((&shown["state"], &shown["disabledReason"]), (&json!("disabled"), &json!("gone")));
        product.buy(ACCOUNT, 250).await;
        product.post(&format!("/admin/endpoints/{id}/test"), json!({})).await.expect_problem(409, "endpoint_disabled");
        assert_eq!(gone.received().len(), 1);
        product.finish().await;
    }

    async fn an_endpoint_that_only_fails_is_disabled_and_can_be_activated_again(backend: Backend) {
        let product = Product::open(backend).await;
        let (failing, other) = (Receiver::start().await, Receiver::start().await);
        failing.answer(FAILS);
        let (id, _) = product.add_for(&failing, &["topup.paid"]).await;
        product.add_for(&other, &["endpoint.disabled", "topup.paid"]).await;
        let (_, later) = product.app.pay_session(ACCOUNT, 250).await;
        product.buy(ACCOUNT, 250).await;
        failing.wait_for_attempts(1).await;
        until("it fails", async || {
            Some(endpoint(&product, &id).await).filter(|shown| !shown["failingSince"].is_null())
        })
        .await;
        product.after_seconds(5 * 24 * 60 * 60 + 1);
        let told = other.wait_for("endpoint.disabled").await;
        assert_eq!(told.body["data"]["reason"], json!("failing"));
        product.app.deliver(&later).await.expect(200);
        // It is queued for the others by now, and not for this one.
        other.wait_for_taken(3).await;
        failing.answer(WELL);
        let path = format!("/admin/endpoints/{id}");
        let active = product.ask(Method::PATCH, &path, Some(json!({ "state": "active" }))).await.expect(200);
        assert_eq!(
            (&active["state"], &active["disabledReason"], &active["failingSince"]),
            (&json!("active"), &json!(null), &json!(null)),
        );
        failing.wait_for("topup.paid").await;
        let from = "2020-01-01T00:00:00Z";
        let resent = product.post(&format!("{path}/resend"), json!({ "from": from })).await.expect(200);
        assert_eq!(resent["messages"], 1, "what it missed while it was disabled");
        let taken = failing.wait_for_taken(2).await;
        assert_ne!(taken[0].id(), taken[1].id());
        product.finish().await;
    }

    async fn a_message_that_fails_for_three_days_is_given_up_and_the_next_one_comes(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        receiver.answer(FAILS);
        let (id, _) = product.add_for(&receiver, &["topup.paid"]).await;
        let (_, later) = product.app.pay_session(ACCOUNT, 250).await;
        product.buy(ACCOUNT, 250).await;
        for failures in 1..=PAUSES_MS.len() {
            until("recorded", async || {
                product.deliveries(&id, "waiting").await.into_iter().find(|delivery| delivery["attempts"] == failures)
            })
            .await;
            product.after_seconds(longest_pause_seconds(failures));
        }
        let failed = until("given up", async || product.deliveries(&id, "failed").await.into_iter().next()).await;
        assert_eq!(failed["attempts"], 10);
        receiver.answer(WELL);
        product.app.deliver(&later).await.expect(200);
        let taken = receiver.wait_for_taken(1).await;
        assert_ne!(taken[0].id(), failed["messageId"]);
        let path = format!("/admin/endpoints/{id}/deliveries/{}/resend", text(&failed["messageId"]));
        product.post(&path, json!({})).await.expect(200);
        let taken = receiver.wait_for_taken(2).await;
        assert_eq!(taken[1].id(), failed["messageId"]);
        product.finish().await;
    }

    async fn many_messages_of_many_accounts_arrive_once_and_in_order(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        product.add_for(&receiver, &["topup.paid"]).await;
        for round in 0..10 {
            for account in 0..6 {
                product.buy(&format!("user_{account}"), 250).await;
                receiver.answer(if (round + account) % 5 == 0 { FAILS } else { WELL });
            }
            product.after_seconds(7);
        }
        receiver.answer(WELL);
        product.after_seconds(2 * 60 * 60);
        receiver.wait_for_taken(60).await;
        for account in 0..6 {
            let account = format!("user_{account}");
            let taken = receiver.taken().into_iter().filter(|one| one.body["data"]["accountId"] == account);
            let ids: Vec<String> = taken.map(|one| text(&one.body["data"]["topupId"])).collect();
            assert!(ids.len() == 10 && ids.is_sorted(), "{account}: {ids:?}");
        }
        product.finish().await;
    }

    async fn there_are_at_most_twenty_endpoints(backend: Backend) {
        let product = Product::open(backend).await;
        let receiver = Receiver::start().await;
        let (first, _) = product.add(&receiver).await;
        for _ in 1..20 {
            let app = &product.app.app;
            let new = EndpointChange { url: Some(receiver.url.clone()), ..EndpointChange::default() };
            create(Context::of(app), new).await.expect("one more");
        }
        let body = json!({ "url": receiver.url });
        product.post("/admin/endpoints", body.clone()).await.expect_problem(409, "too_many_endpoints");
        product.ask(Method::DELETE, &format!("/admin/endpoints/{first}"), None).await.expect(204);
        product.post("/admin/endpoints", body).await.expect(200);
        product.finish().await;
    }
}
