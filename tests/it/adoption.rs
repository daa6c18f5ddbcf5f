//! Top-ups that Stripe knows and the books do not: after a restore they are listed and adopted once; those of another
//! environment are not.

use serde_json::{Value, json};
use topup::reconcile::lost::find_lost;

use crate::on_both_databases;
use crate::reconcile::{NO_PAUSE, compare, ids};
use crate::support::app::{http_client, settings};
use crate::support::books::rows;
use crate::support::process::run;
use crate::support::{Answer, Options, TestApp};

const ADMIN: (&str, &str) = ("JWT_ADMIN_SCOPE", "credits:admin");

async fn start(backend: crate::support::Backend) -> TestApp {
    TestApp::start_with(backend, Options::default().setting(ADMIN.0, ADMIN.1)).await
}

async fn adopt(app: &TestApp, body: Value) -> Answer {
    let request = http_client().post(format!("{}/admin/adoptions", app.url)).bearer_auth(app.admin_token());
    app.send(request.json(&body)).await
}

/// The outcome for one top-up.
async fn adopt_one(app: &TestApp, session: &str, more: Value) -> Value {
    let mut body = json!({ "sessionIds": [session] });
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    adopt(app, body).await.expect(200)["data"][0].clone()
}

async fn refund(app: &TestApp, session: &str, amount: i64) {
    let payment = app.payment_of(session).await;
    app.stripe.control(&format!("payment_intents/{payment}/refund"), json!({ "amount": amount })).await;
}

on_both_databases! {
    async fn after_a_restore_what_was_bought_since_the_backup_is_shown_and_taken_in(backend: Backend) {
        let app = start(backend).await;
        let (before, event) = app.pay_session("user_1", 100).await;
        app.deliver(&event).await.expect(200);
        let backup = app.database.back_up().await;
        let (session, event) = app.pay_session("user_1", 250).await;
        app.deliver(&event).await.expect(200);
        refund(&app, &session, 60).await;
        let (disputed, late) = app.pay_session("user_2", 400).await;
        app.deliver(&late).await.expect(200);
        let payment = app.payment_of(&disputed).await;
        app.stripe.control(&format!("payment_intents/{payment}/dispute"), json!({})).await;

        let restored = app.restart_on(backup, Options::default().setting(ADMIN.0, ADMIN.1)).await;
        assert_eq!((restored.credits("user_1").await, restored.credits("user_2").await), (100, 0));
        let ended = compare(&restored.app).await;
        let found = &ended.report.unknown_here;
        let mut lost = ids(found);
        lost.sort_unstable();
        let mut expected = [session.as_str(), disputed.as_str()];
        expected.sort_unstable();
        assert_eq!((lost, ended.report.adoptable, ended.is_clean()), (expected.to_vec(), 2, false));
        let first = found.first.iter().find(|finding| finding.id == session).expect("shown");
        assert_eq!((first.account_id.as_deref(), first.credits), (Some("user_1"), Some(250)));

        let settings = settings(&restored.database.url, &restored.stripe.url, &[]);
        let untouched = rows(&restored.app.db).await;
        let (well, said, _) = run(&settings, &["reconcile", "--adopt"]);
        assert!(!well && said.contains("250 credits of user_1 for 289 usd") && said.contains("nothing was written"), "{said}");
        let (well, said, _) = run(&settings, &["reconcile", "--adopt", "--json"]);
        let shown: Value = serde_json::from_str(&said).expect("JSON");
        let found = shown["data"].as_array().expect("a list").iter().find(|each| each["sessionId"] == session).expect("shown");
        assert!(!well && found["accountId"] == "user_1" && found["outcome"] == "adoptable", "{said}");
        assert_eq!(found["credits"], 250);
        assert_eq!(rows(&restored.app.db).await, untouched);
        let (well, said, errors) = run(&settings, &["reconcile", "--adopt", "all"]);
        assert!(well && said.contains("All are in the books now"), "{said}{errors}");
        // The refund of 60 and the dispute were adopted with them.
        assert_eq!((restored.credits("user_1").await, restored.credits("user_2").await), (290, 0));
        for event in [&event, &late] {
            restored.deliver(event).await.expect(200);
        }
        let answered = adopt_one(&restored, &session, json!({})).await;
        assert_eq!(answered["outcome"], "already_here");
        let (well, said, _) = run(&settings, &["reconcile", "--adopt", &session, "--json"]);
        let printed: Value = serde_json::from_str(&said).expect("JSON");
        assert!(well && printed == json!({ "data": [answered] }), "the API's answer: {said}");
        assert_eq!(adopt_one(&restored, &before, json!({})).await["outcome"], "already_here");
        assert_eq!((restored.credits("user_1").await, restored.credits("user_2").await), (290, 0));
        assert!(compare(&restored.app).await.is_clean());
        let report = topup::books::audit::audit(&restored.app.db, true).await.expect("an end");
        assert_eq!(report.differences, 0, "{report:?}");
        restored.finish().await;
    }

    async fn one_by_one_by_the_api_shown_first_and_who_did_it_is_kept(backend: Backend) {
        let app = start(backend).await;
        let backup = app.database.back_up().await;
        let (session, event) = app.pay_session("user_1", 250).await;
        let app = app.restart_on(backup, Options::default().setting(ADMIN.0, ADMIN.1)).await;
        let shown = adopt_one(&app, &session, json!({ "dryRun": true })).await;
        assert_eq!((&shown["outcome"], &shown["accountId"], &shown["credits"]), (&json!("adoptable"), &json!("user_1"), &json!(250)));
        assert_eq!(app.credits("user_1").await, 0);
        let bodies = [json!({ "sessionIds": [session] }), json!({ "sessionIds": [session] })];
        let [one, two] = bodies.map(|body| adopt(&app, body));
        let (one, two) = futures_util::future::join(one, two).await;
        let mut outcomes = [one, two].map(|answer| answer.expect(200)["data"][0]["outcome"].as_str().expect("text").to_owned());
        outcomes.sort();
        assert_eq!(outcomes, ["adopted", "already_here"], "two at once adopt it once");
        assert_eq!(app.credits("user_1").await, 250);
        app.deliver(&event).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250, "a late webhook is a duplicate");
        let topup = shown["topupId"].as_str().expect("an id");
        let request = http_client().get(format!("{}/admin/topups/{topup}", app.url)).bearer_auth(app.admin_token());
        let explained = app.send(request).await.expect(200);
        assert_eq!((&explained["adoptedBy"], &explained["feeAmount"]), (&json!("token of admin_1"), &json!(39)));
        app.finish().await;
    }

    /// Known mistake 21.
    async fn another_environments_purchase_is_not_adopted_by_mistake(backend: Backend) {
        let app = start(backend).await;
        let other = app.start_beside(backend).await;
        let (theirs, _) = other.pay_session("user_1", 250).await;
        let lost = find_lost(&app.app, 30, NO_PAUSE, std::future::pending()).await.expect("an end");
        assert!(lost.len() == 1 && !lost[0].is_ours, "{lost:?}");
        let settings = settings(&app.database.url, &app.stripe.url, &[]);
        let (well, said, _) = run(&settings, &["reconcile", "--adopt", "all"]);
        assert!(!well && said.contains("sold by installation") && said.contains("1 are left"), "{said}");
        let refused = adopt_one(&app, &theirs, json!({})).await;
        assert_eq!((&refused["outcome"], app.credits("user_1").await), (&json!("unverified"), 0));
        let two = json!({ "sessionIds": [theirs, theirs], "unverified": true });
        adopt(&app, two).await.expect_problem(400, "invalid_request");
        assert!(!run(&settings, &["reconcile", "--adopt", "all", "--unverified"]).0);
        assert_eq!(app.credits("user_1").await, 0);
        // With the explicit flag it is adopted.
        let adopted = adopt_one(&app, &theirs, json!({ "unverified": true })).await;
        assert_eq!((&adopted["outcome"], app.credits("user_1").await), (&json!("adopted"), 250));
        other.finish().await;
        app.finish().await;
    }

    async fn what_was_changed_is_unpaid_or_does_not_fit_is_never_adopted(backend: Backend) {
        let app = start(backend).await;
        let backup = app.database.back_up().await;
        let open = app.open_session("user_1", 250).await;
        let (session, _) = app.pay_session("user_1", 250).await;
        let app = app.restart_on(backup, Options::default().setting(ADMIN.0, ADMIN.1)).await;
        let path = format!("/v1/checkout/sessions/{session}");
        let changed = async |patch: Value, more: Value| {
            app.stripe.list_fault(&path, json!({ "kind": "patch", "body": patch })).await;
            adopt_one(&app, &session, more).await["outcome"].clone()
        };
        let word = || json!({ "unverified": true });
        assert_eq!(changed(json!({ "metadata": { "credits": "2500" } }), json!({})).await, "unverified");
        assert_eq!(changed(json!({ "metadata": { "credits": "2500" } }), word()).await, "does_not_fit");
        let other = json!({ "metadata": { "accountId": "mallory" }, "client_reference_id": "mallory" });
        assert_eq!(changed(other, json!({})).await, "unverified");
        assert_eq!(changed(json!({ "amount_total": 288 }), json!({})).await, "does_not_fit");
        assert_eq!(changed(json!({ "client_reference_id": "mallory" }), json!({})).await, "does_not_fit");
        assert_eq!(changed(json!({ "payment_status": "unpaid" }), json!({})).await, "not_paid");
        assert_eq!(adopt_one(&app, &open, json!({})).await["outcome"], "not_paid");
        assert_eq!(adopt_one(&app, "cs_test_of_nobody", json!({})).await["outcome"], "unknown_at_provider");
        adopt(&app, json!({ "sessionIds": [] })).await.expect_problem(400, "invalid_request");
        let as_customer = http_client().post(format!("{}/admin/adoptions", app.url)).bearer_auth(app.token("user_1"));
        app.send(as_customer.json(&json!({ "sessionIds": [session] }))).await.expect_problem(403, "admin_required");
        assert_eq!(rows(&app.app.db).await, crate::support::books::Rows::default());
        assert_eq!(adopt_one(&app, &session, json!({})).await["outcome"], "adopted");
        app.finish().await;
    }
}
