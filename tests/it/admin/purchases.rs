//! What the operator's API shows of top-ups.

use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::{api_key, buy, deliver_all, events, get, refund, start};
use crate::on_both_databases;
use crate::support::app::http_client;

fn ids(page: &Value) -> Vec<&str> {
    page["data"].as_array().expect("a list").iter().map(|topup| topup["id"].as_str().expect("an id")).collect()
}

on_both_databases! {
    async fn a_purchase_is_explained_with_all_that_happened_to_it(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let path = format!("/admin/topups/{}", purchase.topup);
        let before = get(&app, &path).await.expect(200);
        assert_eq!((&before["fee"]["expected"], &before["fee"]["real"]), (&json!(38), &Value::Null));
        let made = refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await.expect(200);
        deliver_all(&app, "charge.updated").await;
        app.learn_fees().await;
        // An event that contradicts the agreed purchase.
        let mut wrong = events(&app, "checkout.session.completed").await[0].clone();
        wrong["id"] = json!("evt_wrong");
        wrong["data"]["object"]["amount_total"] = json!(288);
        app.deliver(&wrong).await.expect(200);

        let found = get(&app, &path).await.expect(200);
        let agreed = json!({ "id": purchase.topup, "accountId": "user_1", "state": "paid", "credits": 250,
            "takenCredits": 100, "currency": "usd", "creditUnitCredits": 1, "creditUnitAmount": 1,
            "creditsAmount": 250, "feeAmount": 39,
            "totalAmount": 289, "sessionId": purchase.session, "declineCode": null, "failureCode": null });
        for (name, value) in agreed.as_object().expect("an object") {
            assert_eq!(found[name], *value, "{name}");
        }
        let fee = json!({ "mode": "gross_up", "ratePercent": "2.9", "fixed": 30, "label": "Processing fee",
            "expected": 38, "real": 38, "realCurrency": "usd" });
        assert_eq!(found["fee"], fee);
        let payment = &found["payments"][0];
        assert_eq!((&payment["paymentId"], &payment["role"]), (&json!(purchase.payment), &json!("credited")));
        assert!(payment["chargeId"].is_string() && payment["feeId"].is_string(), "{payment}");
        let reversal = &found["reversals"][0];
        assert_eq!((&reversal["id"], &reversal["kind"], &reversal["counts"]), (&made["refundId"], &json!("refund"), &json!(true)));
        let request = &found["refundRequests"][0];
        assert_eq!((&request["id"], &request["state"]), (&made["id"], &json!("created")));
        assert_eq!(request["requestedBy"], "token of operator_1");
        let outcomes: Vec<&Value> = found["events"].as_array().expect("a list").iter().map(|event| &event["outcome"]).collect();
        assert_eq!(outcomes, ["credited", "fee_expected"]);
        assert_eq!((&found["failedEvents"][0]["id"], &found["failedEvents"][0]["kind"]), (&json!("evt_wrong"), &json!("permanent")));
        let moved: Vec<&Value> = found["ledgerEntries"].as_array().expect("a list").iter().map(|entry| &entry["credits"]).collect();
        assert_eq!(moved, [&json!(250), &json!(-100)]);
        // The other top-up shows none of it.
        let other = buy(&app, "user_2").await;
        let other = get(&app, &format!("/admin/topups/{}", other.topup)).await.expect(200);
        assert_eq!((&other["failedEvents"], &other["reversals"]), (&json!([]), &json!([])));
        assert_eq!(other["ledgerEntries"].as_array().map(Vec::len), Some(1));
        app.finish().await;
    }

    async fn a_declined_card_is_shown(backend: Backend) {
        let app = start(backend).await;
        let session = app.open_session("user_1", 250).await;
        app.stripe.pay(&session, "pm_card_visa_chargeDeclined").await;
        deliver_all(&app, "payment_intent.payment_failed").await;
        let list = get(&app, "/admin/topups").await.expect(200);
        let found = get(&app, &format!("/admin/topups/{}", ids(&list)[0])).await.expect(200);
        assert_eq!((&found["state"], &found["declineCode"]), (&json!("open"), &json!("generic_decline")));
        assert!(found["declinedAt"].is_string(), "{found}");
        app.finish().await;
    }

    async fn purchases_are_listed_by_account_and_state_and_page(backend: Backend) {
        let app = start(backend).await;
        let mut bought = Vec::new();
        for account in ["user_1", "user_2", "user_1"] {
            bought.push(buy(&app, account).await.topup);
            app.clock.advance_ms(1);
        }
        app.open_session("user_1", 250).await;
        let all = get(&app, "/admin/topups").await.expect(200);
        assert_eq!(ids(&all)[1..], [bought[2].as_str(), &bought[1], &bought[0]]);
        let paid = get(&app, "/admin/topups?accountId=user_1&state=paid").await.expect(200);
        assert_eq!(ids(&paid), [bought[2].as_str(), &bought[0]]);
        let first = get(&app, "/admin/topups?state=paid&limit=2").await.expect(200);
        let cursor = first["nextCursor"].as_str().expect("a cursor");
        let second = get(&app, &format!("/admin/topups?state=paid&limit=2&cursor={cursor}")).await.expect(200);
        assert_eq!((ids(&first), ids(&second)), (vec![bought[2].as_str(), &bought[1]], vec![bought[0].as_str()]));
        assert_eq!(second["nextCursor"], Value::Null);
        for wrong in ["state=done", "limit=0", "limit=101", "cursor=x", "cursor=1_%00", "accountId=%00", "surplus=7", "acount=1"] {
            get(&app, &format!("/admin/topups?{wrong}")).await.expect_problem(400, "invalid_request");
        }
        app.finish().await;
    }

    async fn a_second_payment_is_shown_to_the_operator(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        buy(&app, "user_2").await;
        let list = get(&app, "/admin/topups?surplus=true").await.expect(200);
        assert_eq!(ids(&list), Vec::<&str>::new());
        let mut again = events(&app, "checkout.session.completed").await[0].clone();
        again["id"] = json!("evt_again");
        again["data"]["object"]["id"] = json!("cs_test_again");
        again["data"]["object"]["payment_intent"] = json!("pi_again");
        app.deliver(&again).await.expect(200);
        let list = get(&app, "/admin/topups?surplus=true").await.expect(200);
        assert_eq!((ids(&list), &list["data"][0]["surplusPayments"]), (vec![purchase.topup.as_str()], &json!(1)));
        let found = get(&app, &format!("/admin/topups/{}", purchase.topup)).await.expect(200);
        let roles: Vec<_> = found["payments"].as_array().expect("a list").iter().map(|payment| &payment["role"]).collect();
        assert_eq!(roles, ["credited", "surplus"]);
        app.finish().await;
    }

    async fn only_operators_may_look(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let path = format!("/admin/topups/{}", purchase.topup);
        let bound = api_key(&app, Scope::Admin, Some("user_2")).await;
        let read = api_key(&app, Scope::Read, None).await;
        for path in [path.as_str(), "/admin/topups"] {
            app.get(path).await.expect_problem(401, "missing_credentials");
            app.get_as("user_1", path).await.expect_problem(403, "admin_required");
            let request = http_client().get(format!("{}{path}", app.url)).header("x-api-key", &read);
            app.send(request).await.expect_problem(403, "scope_missing");
        }
        let with_key = async |path: &str| {
            app.send(http_client().get(format!("{}{path}", app.url)).header("x-api-key", &bound)).await
        };
        with_key(&path).await.expect_problem(404, "not_found");
        with_key("/admin/topups?accountId=user_1").await.expect_problem(403, "account_forbidden");
        assert_eq!(with_key("/admin/topups").await.expect(200)["data"], json!([]));
        get(&app, "/admin/topups/topup_00000000000000000000000000000007").await.expect_problem(404, "not_found");
        app.finish().await;
    }
}
