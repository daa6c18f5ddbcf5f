//! Promotions: an operator gives credits, and ends them early.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use topup::access::api_keys::Scope;
use topup::books::audit::audit;

use super::{ACCOUNT, Shop, api_key, fields, funds, only_error, text};
use crate::admin::{buy, refund};
use crate::on_both_databases;
use crate::support::until;

const PATH: &str = "/admin/accounts/user_1/grants";

on_both_databases! {
    async fn a_promotion_gives_credits_once(backend: Backend) {
        let shop = Shop::open(backend).await;
        let admin = api_key(&shop.app, &[Scope::Admin], None).await;
        let ends = shop.in_seconds(3_600);
        let body = json!({ "credits": 50, "priority": 10, "expiresAt": ends, "reason": "Welcome", "create": true });
        let answers = join_all((0..5).map(|_| shop.post_as(&admin, PATH, "grant-1", &body))).await;
        let first = answers[0].clone().expect(200);
        let expected = json!({ "id": first["id"], "accountId": ACCOUNT, "kind": "promotion", "category": "promotional",
            "priority": 10, "credits": 50, "remainingCredits": 50, "expiresAt": ends, "reason": "Welcome",
            "topupId": null, "voidedAt": null, "createdAt": first["createdAt"] });
        assert_eq!(first, expected);
        for answer in answers {
            assert_eq!(answer.expect(200), expected);
        }
        for (field, value) in [("credits", json!(51)), ("priority", json!(11)), ("expiresAt", Value::Null),
            ("reason", json!("Welcome!")), ("category", json!("paid"))] {
            let mut other = body.clone();
            other[field] = value;
            shop.post_as(&admin, PATH, "grant-1", &other).await.expect_problem(422, "idempotency_key_reused");
        }
        let entries = shop.app.get_as(ACCOUNT, "/credits/transactions").await.expect(200);
        let entry = &entries["data"][0];
        assert_eq!(fields(entry, &["kind", "source", "reason"]), json!(["promotion", first["id"], "Welcome"]));
        assert_eq!(shop.balance().await, (50, 0));
        // A repetition tells what is left, also after its end.
        shop.spend(20).await;
        shop.wait_seconds(3_600);
        assert_eq!(shop.balance().await, (0, 0));
        let again = shop.post_as(&admin, PATH, "grant-1", &body).await.expect(200);
        assert_eq!((&again["id"], &again["remainingCredits"]), (&first["id"], &json!(0)));
        shop.close().await;
    }

    async fn an_account_that_is_not_there_yet_must_be_asked_for(backend: Backend) {
        let shop = Shop::open(backend).await;
        let body = json!({ "credits": 50, "reason": "Welcome" });
        let problem = shop.operator(PATH, body.clone()).await.expect_problem(404, "unknown_account");
        let detail = text(&problem["detail"]);
        assert!(detail.contains(ACCOUNT) && detail.contains("\"create\": true"), "{detail}");
        assert_eq!(crate::support::books::rows(&shop.app.app.db).await.accounts, 0);
        let mut with_create = body.clone();
        with_create["create"] = json!(true);
        shop.operator(PATH, with_create).await.expect(200);
        shop.operator(PATH, body).await.expect(200);
        assert_eq!(shop.balance().await, (100, 0));
        shop.close().await;
    }

    async fn what_has_ended_already_is_not_given(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        for ends in [shop.in_seconds(0), shop.in_seconds(-1), "1970-01-01T00:00:00Z".to_owned()] {
            let answer = shop.operator(PATH, json!({ "credits": 50, "reason": "r", "expiresAt": ends })).await;
            let problem = answer.expect_problem(400, "invalid_request");
            assert_eq!(only_error(&problem), ("expiresAt".to_owned(), "in_the_past".to_owned()));
        }
        let far = json!({ "credits": 50, "reason": "r", "expiresAt": "9999-12-31T23:59:59.999Z" });
        assert_eq!(shop.operator(PATH, far).await.expect(200)["expiresAt"], "9999-12-31T23:59:59.999Z");
        assert_eq!(shop.balance().await, (150, 0));
        shop.close().await;
    }

    async fn a_promotion_fills_a_negative_balance_first(backend: Backend) {
        let shop = Shop::open(backend).await;
        let purchase = buy(&shop.app, ACCOUNT).await;
        shop.spend(200).await;
        refund(&shop.app, &purchase, "refund-1", json!({})).await.expect(200);
        let grant = shop.promote(json!({ "credits": 150, "reason": "Sorry" })).await;
        assert_eq!((&grant["credits"], &grant["remainingCredits"]), (&json!(150), &json!(0)));
        let grant = shop.promote(json!({ "credits": 60, "reason": "Sorry" })).await;
        assert_eq!((&grant["remainingCredits"], shop.balance().await), (&json!(10), (10, 0)));
        shop.close().await;
    }

    async fn a_promotion_can_be_ended_early(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let grant = shop.promote(json!({ "credits": 50, "reason": "Welcome" })).await;
        let path = format!("/admin/grants/{}/void", text(&grant["id"]));
        shop.give(ACCOUNT, 1).await;
        shop.spend(110).await;
        let mut voided = Value::Null;
        for _ in 0..2 {
            let ended = shop.operator(&path, json!({ "reason": "Abused" })).await.expect(200);
            assert_eq!((&ended["id"], &ended["remainingCredits"]), (&grant["id"], &json!(0)));
            assert_eq!((&ended["reason"], &ended["expiresAt"]), (&json!("Welcome"), &ended["voidedAt"]));
            assert!(voided.is_null() || voided == ended, "{ended}");
            voided = ended;
        }
        assert_eq!(shop.balance().await, (1, 0));
        let entries = shop.app.get_as(ACCOUNT, "/credits/transactions").await.expect(200);
        let entry = &entries["data"][0];
        assert_eq!((&entry["kind"], &entry["credits"]), (&json!("void"), &json!(-40)));
        assert_eq!(entry["description"], "Withdrawn by an operator");
        shop.close().await;
    }

    /// What open holds reserve of it stays good for them.
    async fn what_is_held_of_a_promotion_is_ended_with_its_hold(backend: Backend) {
        let shop = Shop::open(backend).await;
        let grant = shop.promote(json!({ "credits": 50, "reason": "Welcome", "create": true })).await;
        let (kept, freed) = (shop.hold(20).await, shop.hold(10).await);
        let path = format!("/admin/grants/{}/void", text(&grant["id"]));
        let ended = shop.operator(&path, json!({ "reason": "Abused" })).await.expect(200);
        assert_eq!((&ended["remainingCredits"], shop.balance().await), (&json!(30), (30, 30)));
        shop.change(&freed, "release", json!({})).await.expect(200);
        assert_eq!(shop.balance().await, (20, 20));
        let spend = shop.capture(&kept, 15).await.expect(200);
        assert_eq!((&spend["credits"], &spend["balance"]), (&json!(15), &funds(0, 0)));
        shop.close().await;
    }

    async fn what_was_bought_or_is_unknown_cannot_be_ended(backend: Backend) {
        let shop = Shop::open(backend).await;
        let bought = buy(&shop.app, ACCOUNT).await.topup;
        shop.spend(50).await;
        let reason = || json!({ "reason": "Abused" });
        shop.operator(&format!("/admin/grants/{bought}/void"), reason()).await.expect_problem(409, "grant_bought");
        for id in ["grant_1", "x", "%00", &format!("grant_{}", "0".repeat(32))] {
            shop.operator(&format!("/admin/grants/{id}/void"), reason()).await.expect_problem(404, "not_found");
        }
        assert_eq!(shop.balance().await, (200, 0));
        shop.close().await;
    }

    async fn only_operators_give_and_end_credits(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let grant = text(&shop.promote(json!({ "credits": 50, "reason": "Welcome" })).await["id"]);
        let bound = api_key(&shop.app, &[Scope::Admin], Some("user_2")).await;
        let servers = api_key(&shop.app, &[Scope::Spend, Scope::Read, Scope::Checkout], None).await;
        let void = format!("/admin/grants/{grant}/void");
        let routes = [(PATH, json!({ "credits": 5, "reason": "r" })), (void.as_str(), json!({ "reason": "r" }))];
        for (path, body) in routes {
            let request = || shop.request(path).header("idempotency-key", "grant-1").json(&body);
            shop.app.send(request()).await.expect_problem(401, "missing_credentials");
            let customer = request().bearer_auth(shop.app.token(ACCOUNT));
            shop.app.send(customer).await.expect_problem(403, "admin_required");
            shop.post_as(&servers, path, "grant-1", &body).await.expect_problem(403, "scope_missing");
            let (status, code) = if path == PATH { (403, "account_forbidden") } else { (404, "not_found") };
            shop.post_as(&bound, path, "grant-1", &body).await.expect_problem(status, code);
        }
        assert_eq!(shop.balance().await, (150, 0));
        let own = api_key(&shop.app, &[Scope::Admin], Some(ACCOUNT)).await;
        shop.post_as(&own, PATH, "grant-1", &json!({ "credits": 5, "reason": "r" })).await.expect(200);
        shop.post_as(&own, &void, "void-1", &json!({ "reason": "r" })).await.expect(200);
        assert_eq!(shop.balance().await, (105, 0));
        shop.close().await;
    }

    /// An entry that gives credits must be what its promotion says, also one that was written by hand.
    async fn the_audit_finds_a_forged_promotion(backend: Backend) {
        let shop = Shop::open(backend).await;
        shop.promote(json!({ "credits": 50, "reason": "Welcome", "create": true })).await;
        let db = &shop.app.app.db;
        let found = async || audit(db, true).await.expect("readable").first;
        assert_eq!(found().await, []);
        for (tamper, repair) in [
            ("UPDATE promotions SET credits = 49", "UPDATE promotions SET credits = 50"),
            ("UPDATE promotions SET account_id = 'user_2'", "UPDATE promotions SET account_id = 'user_1'"),
            ("UPDATE promotions SET balance_after = 51", "UPDATE promotions SET balance_after = 50"),
            ("UPDATE promotions SET id = 'grant_forged' || id", "UPDATE promotions SET id = REPLACE(id, 'grant_forged', '')"),
        ] {
            db.execute_raw(tamper).await.expect("done");
            let first = found().await;
            assert_eq!(first.len(), 1, "{tamper}: {first:?}");
            assert!(first[0].detail.starts_with("gives 50 credits, its promotion grant_"), "{tamper}: {first:?}");
            db.execute_raw(repair).await.expect("done");
        }
        assert_eq!(found().await, []);
        shop.close().await;
    }

    /// An account that changes all the time proves nothing, and the audit says so.
    async fn an_audit_says_which_accounts_it_could_not_replay(backend: Backend) {
        let shop = Shop::with_credits(backend, 1_000).await;
        for batch in 0..4 {
            let item = |number| json!({ "key": format!("{batch}-{number}"), "accountId": ACCOUNT, "credits": 1 });
            let items: Vec<Value> = (0..100).map(item).collect();
            shop.post("/credits/debits/batch", "not read", &json!({ "items": items })).await.expect(200);
        }
        let report = audit(&shop.app.app.db, true).await.expect("readable");
        assert!(report.is_clean() && report.not_replayed == 0, "{report:?}");
        let ended = CancellationToken::new();
        let busy = async {
            while !ended.is_cancelled() {
                shop.app.app.db.execute_raw("UPDATE accounts SET revision = revision + 1").await.expect("done");
            }
        };
        let audited = async {
            let report = until("an account changes too often", async || {
                let report = audit(&shop.app.app.db, true).await.expect("readable");
                (report.not_replayed > 0).then_some(report)
            }).await;
            ended.cancel();
            report
        };
        let (report, ()) = tokio::join!(audited, busy);
        assert_eq!((report.not_replayed, report.differences), (1, 0));
        assert!(!report.is_clean());
        shop.close().await;
    }
}
