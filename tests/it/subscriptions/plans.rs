//! Plans are declared, applied and shown.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::app::http_client;
use crate::support::process::topup;
use crate::support::{Answer, Options, TestApp};

async fn service(backend: crate::support::Backend) -> TestApp {
    TestApp::start_with(backend, Options::default().setting("JWT_ADMIN_SCOPE", "credits:admin")).await
}

async fn apply(app: &TestApp, plans: Value, query: &str) -> Answer {
    let url = format!("{}/admin/plans{query}", app.url);
    app.send(http_client().put(url).bearer_auth(app.admin_token()).json(&json!({ "plans": plans }))).await
}

fn plan(changes: &Value) -> Value {
    let mut plan = json!({ "id": "pro", "name": "Pro", "interval": "month", "creditsPerPeriod": 10_000,
        "amount": { "usd": 2_000 } });
    plan.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
    plan
}

fn changes(answer: &Value) -> Vec<&str> {
    answer["changes"].as_array().expect("a list").iter().filter_map(|change| change["change"].as_str()).collect()
}

on_both_databases! {
    async fn applying_says_what_changes_makes_it_and_changes_nothing_the_second_time(backend: Backend) {
        let app = service(backend).await;
        let said = apply(&app, json!([plan(&json!({}))]), "?dryRun=true").await.expect(200);
        assert_eq!(said["dryRun"], true);
        assert_eq!(changes(&said).len(), 2, "{said}");
        assert!(app.get("/plans").await.expect(200)["data"].as_array().is_some_and(Vec::is_empty), "only said");
        let made = apply(&app, json!([plan(&json!({}))]), "").await.expect(200);
        assert_eq!(changes(&made), changes(&said));
        // The price of 20.00 with the fee: (2000 + 30) / 0.971, rounded up.
        let price = json!([{ "currency": "usd", "amount": 2_000, "feeAmount": 91, "taxBehavior": null, "totalAmount": 2_091 }]);
        assert_eq!(app.get("/plans").await.expect(200)["data"][0]["prices"], price);
        assert_eq!(app.get("/plans?currency=usd").await.expect(200)["data"][0]["prices"], price);
        assert_eq!(app.get("/plans?currency=eur").await.expect(200)["data"], json!([]));
        app.get("/plans?currency=euro").await.expect_problem(400, "invalid_request");
        assert!(changes(&apply(&app, json!([plan(&json!({}))]), "").await.expect(200)).is_empty(), "again");
        let listed = app.stripe.get("/v1/prices?lookup_keys[0]=topup_pro_usd&active=true").await;
        assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
        assert_eq!(listed["data"][0]["unit_amount"], 2_000);
        app.finish().await;
    }

    async fn another_amount_is_another_price_and_the_former_one_stays_known(backend: Backend) {
        let app = service(backend).await;
        apply(&app, json!([plan(&json!({}))]), "").await.expect(200);
        let key = "/v1/prices?lookup_keys[0]=topup_pro_usd";
        let former = app.stripe.get(key).await["data"][0]["id"].as_str().expect("a price").to_owned();
        let made = apply(&app, json!([plan(&json!({ "amount": { "usd": 3_000 } }))]), "").await.expect(200);
        assert!(changes(&made)[0].contains("2000 -> 3000"), "{made}");
        let now = app.stripe.get(key).await["data"][0].clone();
        assert_eq!(now["unit_amount"], 3_000, "it took the lookup key over");
        assert_ne!(now["id"], former.as_str());
        let former = topup::domain::ids::PriceId::parse(topup::providers::stripe::name::NAME, former).expect("an id");
        let known = app.app.db.plan_price(&former).await.expect("readable").expect("known");
        assert_eq!((known.plan.as_str(), known.amount_minor), ("pro", 2_000));
        app.finish().await;
    }

    async fn a_plan_that_is_not_sold_is_not_shown_to_customers(backend: Backend) {
        let app = service(backend).await;
        apply(&app, json!([plan(&json!({ "active": false, "rollover": { "cap": 500 } }))]), "").await.expect(200);
        assert_eq!(app.get("/plans").await.expect(200)["data"], json!([]));
        let all = app.send(http_client().get(format!("{}/admin/plans", app.url)).bearer_auth(app.admin_token())).await;
        let all = all.expect(200);
        assert_eq!((&all["data"][0]["rollover"], &all["data"][0]["rolloverCap"]), (&json!("cap"), &json!(500)));
        app.finish().await;
    }

    async fn a_wrong_plan_names_its_place_and_nothing_is_applied(backend: Backend) {
        let app = service(backend).await;
        for (plans, field) in [
            (json!([]), "plans"),
            (json!([plan(&json!({ "amount": {} }))]), "plans[0].amount"),
            (json!([plan(&json!({ "amount": { "usd": 1 } }))]), "plans[0].amount.usd"),
            (json!([plan(&json!({ "id": "No" }))]), "plans[0].id"),
            (json!([plan(&json!({})), plan(&json!({}))]), "plans[1].id"),
            (json!([plan(&json!({})), plan(&json!({ "id": "b", "trialCredits": 5 }))]), "plans[1].trialCredits"),
            (json!([plan(&json!({ "creditsPerPeriod": -1 }))]), "plans[0].creditsPerPeriod"),
        ] {
            let problem = apply(&app, plans.clone(), "").await.expect_problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], field, "{plans}");
        }
        apply(&app, json!([plan(&json!({ "credits": 5 }))]), "").await.expect(400);
        let url = format!("{}/admin/plans", app.url);
        let customer = http_client().put(&url).bearer_auth(app.token("user_1")).json(&json!({ "plans": [] }));
        app.send(customer).await.expect_problem(403, "admin_required");
        assert_eq!(app.get("/plans").await.expect(200)["data"], json!([]));
        app.finish().await;
    }

    async fn the_command_applies_a_file_and_lists_plans(backend: Backend) {
        let app = service(backend).await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("plans.toml");
        let text = "[[plans]]\nid = \"pro\"\nname = \"Pro\"\ninterval = \"month\"\ncreditsPerPeriod = 10000\n\
            amount = { usd = 2000 }\n";
        std::fs::write(&file, text).expect("written");
        let settings = crate::support::app::settings(&app.database.url, &app.stripe.url, &[]);
        let run = |arguments: &[&str]| {
            let mut command = topup(&settings);
            command.args(arguments);
            let output = command.output().expect("runs");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            (output.status.code(), text, String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let path = file.to_str().expect("text");
        let (code, said, error) = run(&["plans", "apply", path, "--dry-run"]);
        assert_eq!(code, Some(0), "{error}");
        assert!(said.contains("pro: new plan \"Pro\"") && said.contains("Nothing was changed"), "{said}");
        let (_, said, _) = run(&["plans", "apply", path, "--dry-run", "--json"]);
        let said: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!((&said["dryRun"], &said["changes"][0]["planId"]), (&json!(true), &json!("pro")), "{said}");
        assert_eq!(said["data"], json!([]), "nothing was applied");
        let (code, said, error) = run(&["plans", "apply", path]);
        assert_eq!((code, said.contains("Applied.")), (Some(0), true), "{said}{error}");
        assert!(run(&["plans", "apply", path]).1.contains("Nothing to change"));
        let said: Value = serde_json::from_str(&run(&["plans", "apply", path, "--json"]).1).expect("JSON");
        assert_eq!((&said["changes"], &said["data"][0]["id"]), (&json!([]), &json!("pro")), "{said}");
        let listed: Value = serde_json::from_str(&run(&["plans", "list", "--json"]).1).expect("JSON");
        assert_eq!(listed["data"][0]["prices"][0]["feeAmount"], 91);
        assert!(run(&["plans", "list"]).1.starts_with("pro  sold  10000 credits each month"));
        std::fs::write(&file, text.replace("2000", "20")).expect("written");
        let (code, _, error) = run(&["plans", "apply", path]);
        assert_eq!(code, Some(1));
        assert!(error.contains("pro: amount.usd: must be 50 to 99999999"), "{error}");
        app.finish().await;
    }
}
