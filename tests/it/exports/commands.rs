//! `topup export` and `topup report`: what they write, and what they say to bad input.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::TestApp;
use crate::support::app::settings;
use crate::support::process::run;

const NO_STRIPE: &str = "http://127.0.0.1:9";

on_both_databases! {
    async fn every_table_is_written_with_the_api_s_names(backend: Backend) {
        let app = TestApp::start(backend).await;
        let month = this_month(&app);
        let old = app.pay_session("user_1", 250).await;
        app.deliver(&old.1).await.expect(200);
        let payment = app.payment_of(&old.0).await;
        app.stripe.control(&format!("payment_intents/{payment}/refund"), json!({ "amount": 100 })).await;
        app.stripe.control(&format!("payment_intents/{payment}/dispute"), json!({ "amount": 100 })).await;
        let events = app.stripe.get("/v1/events?limit=100").await;
        let events: Vec<Value> = events["data"].as_array().expect("a list").iter().rev().cloned().collect();
        for event in events.iter().filter(|event| event["data"]["object"]["payment_intent"] == payment) {
            app.deliver(event).await.expect(200);
        }
        let mut settings = settings(&app.database.url, NO_STRIPE, &[]);
        // So that five minutes ago is after the purchases.
        settings.insert("TOPUP_CLOCK_OFFSET_MS", "600000".to_owned());
        for (table, names, rows) in [
            ("ledger", "accountId,sequence,id,createdAt,kind,description,credits,balanceAfter,source,reason", 3),
            (
                "topups",
                "id,accountId,state,credits,takenCredits,bonusCredits,creditsExpireDays,currency,creditUnitCredits,\
                 creditUnitAmount,creditsAmount,feeAmount,totalAmount,taxBehavior,taxAmount,acceptedAmount,expectedFee,provider,sessionId,\
                 paymentId,declineCode,failureCode,createdAt,expiresAt,paidAt",
                1,
            ),
            (
                "payments",
                "paymentId,provider,accountId,topupId,role,sessionId,chargeId,feeId,totalAmount,currency,realFee,\
                 realFeeCurrency,createdAt",
                1,
            ),
            (
                "refunds",
                "id,provider,accountId,topupId,paymentId,amount,currency,status,counts,reason,createdAt,updatedAt",
                1,
            ),
            (
                "disputes",
                "id,provider,accountId,topupId,paymentId,amount,returnedAmount,currency,status,counts,reason,\
                 evidenceDueAt,createdAt,updatedAt",
                1,
            ),
        ] {
            let (well, csv, errors) = run(&settings, &["export", table]);
            assert!(well && errors.contains(&format!("Wrote {rows} rows")), "{table}: {errors}");
            let lines: Vec<&str> = csv.split("\r\n").collect();
            assert_eq!((lines[0], lines.len()), (names, rows + 2), "{table}");
            let (well, lines, _) = run(&settings, &["export", table, "--format", "jsonl", "--account", "user_1"]);
            let parsed: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            assert!(well && parsed.len() == rows, "{table}: {lines}");
            for row in &parsed {
                assert_eq!((&row["accountId"], row.as_object().expect("an object").len()), (&json!("user_1"), names.split(',').count()));
                assert!(row["createdAt"].as_str().is_some_and(|time| time.ends_with('Z')), "{row}");
            }
            let (well, nothing, _) = run(&settings, &["export", table, "--format", "jsonl", "--account", "user_2"]);
            assert!(well && nothing.is_empty(), "{table}: {nothing}");
        }
        let (well, report, errors) = run(&settings, &["report", "month", &month, "--json"]);
        assert!(well, "{errors}");
        let report: Value = serde_json::from_str(&report).expect("JSON");
        let of = |name: &str| report[name].clone();
        assert_eq!((of("soldCredits"), of("refundedCredits"), of("disputedCredits")), (json!(250), json!(100), json!(100)));
        assert_eq!((of("openingCredits"), of("closingCredits"), of("openingWorth")), (json!(0), json!(50), json!([])));
        assert_eq!(of("closingWorth"), json!([{ "currency": "usd", "amount": 50 }]));
        assert_eq!(report["sold"][0]["chargedAmount"], json!(289));
        assert_eq!(report["reversed"].as_array().map(Vec::len), Some(2), "{report}");
        let (well, shown, _) = run(&settings, &["report", "month", &month]);
        assert!(well && shown.contains("deferred revenue") && shown.contains("289 usd"), "{shown}");
        app.finish().await;
    }

    async fn bad_input_is_named_with_the_way_out(backend: Backend) {
        let app = TestApp::start(backend).await;
        let settings = settings(&app.database.url, NO_STRIPE, &[]);
        let folder = tempfile::tempdir().expect("a folder");
        let taken = folder.path().join("taken.csv");
        std::fs::write(&taken, "mine").expect("written");
        let taken = taken.to_str().expect("text");
        for (arguments, words) in [
            (&["export", "everything"][..], &["everything", "--help"][..]),
            (&["export", "ledger", "--from", "yesterday"], &["--from", "2026-11-01T09:00:00Z"]),
            (&["export", "ledger", "--to", "2026-02-30"], &["--to", "2026-11-01"]),
            (&["export", "ledger", "--from", "2026-02-02", "--to", "2026-02-02"], &["--to must be later than --from"]),
            (&["export", "ledger", "--from", "2999-01-01"], &["--from must be earlier"]),
            (&["export", "ledger", "--format", "xml"], &["--format", "jsonl"]),
            (&["export", "ledger", "--account", ""], &["--account"]),
            (&["export", "ledger", "--output", taken], &["--output", "exists already"]),
            (&["export", "ledger", "--output", "/nowhere/x.csv"], &["--output /nowhere/x.csv", "No such file"]),
            (&["report", "month", "November"], &["2026-11"]),
            (&["report", "month", "2999-01"], &["2999-01", "has not begun"]),
            (&["disputes", "evidence", "dp_none"], &["dp_none", "topup export disputes"]),
        ] {
            let (well, said, errors) = run(&settings, arguments);
            assert!(!well && said.is_empty(), "{arguments:?}: {said}{errors}");
            for word in words {
                assert!(errors.contains(word), "{arguments:?}: {errors}");
            }
        }
        assert_eq!(std::fs::read(taken).expect("there"), b"mine");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "something is left");
        let whole = folder.path().join("whole.csv");
        let arguments = ["export", "ledger", "--to", "2999-01-01", "--output", whole.to_str().expect("text")];
        let (well, said, errors) = run(&settings, &arguments);
        assert!(well && said.is_empty() && errors.contains("instead of --to"), "{errors}");
        assert!(std::fs::read_to_string(&whole).expect("there").starts_with("accountId,"));
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&whole).expect("there").permissions());
        assert_eq!(mode & 0o777, 0o600);
        app.finish().await;
    }
}

fn this_month(app: &TestApp) -> String {
    let now_ms = topup::ports::Clock::now_ms(app.clock.as_ref());
    topup::exports::month::Month::of(now_ms).expect("a month").to_string()
}
