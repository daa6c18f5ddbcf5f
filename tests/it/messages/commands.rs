//! `topup endpoints`: the same as the API, beside a running service.

use serde_json::Value;

use super::receiver::Receiver;
use super::{ACCOUNT, LOCAL, Product};
use crate::on_both_databases;
use crate::support::app::settings;
use crate::support::process::{Settings, topup};
use crate::support::until;

/// Runs a command. Returns whether it succeeded, what it printed, and its errors.
async fn run(settings: &Settings, arguments: &[&str]) -> (bool, String, String) {
    let mut command = topup(settings);
    command.arg("endpoints").args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().expect("topup runs")).await.expect("no panic");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.success(), text(output.stdout).trim().to_owned(), text(output.stderr))
}

async fn json(settings: &Settings, arguments: &[&str]) -> Value {
    let (well, printed, errors) = run(settings, &[arguments, &["--json"]].concat()).await;
    assert!(well, "{errors}");
    serde_json::from_str(&printed).expect("JSON")
}

on_both_databases! {
    async fn endpoints_are_managed_on_the_command_line(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        let changes = [("WEBHOOK_ALLOWED_NETWORKS", LOCAL.to_owned())];
        let settings = settings(&product.app.database.url, &product.app.stripe.url, &changes);
        let (well, secret, errors) =
            run(&settings, &["add", &receiver.url, "--types", "topup.paid", "--description", "Shop"]).await;
        assert!(well && secret.starts_with("whsec_") && secret.lines().count() == 1, "{secret} {errors}");
        assert!(errors.contains(&receiver.url) && errors.contains("shown this once"), "{errors}");
        let listed = json(&settings, &["list"]).await;
        assert_eq!(listed, product.get("/admin/endpoints").await.expect(200), "as the API shows it");
        let id = listed["data"][0]["id"].as_str().expect("an id").to_owned();
        let (_, line, _) = run(&settings, &["list"]).await;
        assert_eq!(line, format!("{id}  active  {}  topup.paid  Shop", receiver.url));

        product.buy(ACCOUNT, 250).await;
        let paid = receiver.wait_for("topup.paid").await;
        let test = json(&settings, &["test", &id]).await;
        receiver.wait_for("endpoint.test").await;
        let deliveries = json(&settings, &["deliveries", &id]).await;
        assert_eq!(deliveries["data"][0]["messageId"], test["messageId"]);
        let shown = json(&settings, &["show", &id, paid.id()]).await;
        assert_eq!(shown["payload"], paid.body);
        let path = format!("/admin/endpoints/{id}/deliveries/{}", paid.id());
        assert_eq!(shown, product.get(&path).await.expect(200), "as the API shows it");
        let (_, lines, _) = run(&settings, &["show", &id, paid.id()]).await;
        let lines: Vec<&str> = lines.lines().collect();
        assert!(lines.len() == 3 && lines[0].contains("done  1x") && lines[1].contains("  200  "), "{lines:?}");
        assert_eq!(lines[2], paid.text);
        let (_, lines, _) = run(&settings, &["deliveries", &id, "--limit", "1"]).await;
        assert_eq!(lines.lines().count(), 1, "{lines}");
        let (well, said, errors) = run(&settings, &["resend", &id, paid.id()]).await;
        assert!(well && said == "1 on the way.", "{said} {errors}");
        receiver.wait_for_taken(3).await;
        until("recorded", async || Some(product.deliveries(&id, "done").await).filter(|done| done.len() == 2)).await;
        let resent = json(&settings, &["resend", &id, "--from", "2020-01-01T00:00:00Z", "--all"]).await;
        assert_eq!(resent, serde_json::json!({ "messages": 2 }));

        let (well, new, _) = run(&settings, &["rotate", &id]).await;
        assert!(well && new.starts_with("whsec_") && new != secret);
        let after =
            json(&settings, &["change", &id, "--state", "disabled", "--types", "topup.paid,balance.low"]).await;
        assert_eq!(
            (&after["state"], &after["types"]),
            (&"disabled".into(), &serde_json::json!(["topup.paid", "balance.low"])),
        );
        let (well, _, errors) = run(&settings, &["test", &id]).await;
        assert!(!well && errors.contains("activate it first"), "{errors}");
        assert_eq!(json(&settings, &["delete", &id]).await, serde_json::json!({ "id": id, "state": "deleted" }));
        for (arguments, way_out) in [
            (&["delete", id.as_str()][..], "no such endpoint"),
            (&["test", "endpoint_1"], "see `topup endpoints list`"),
            (&["add", "http://8.8.8.8/"], "must begin with https://"),
            (&["add", "https://app.example.com", "--types", "topup.stolen"], "must be one of topup.paid"),
            (&["resend", &id], "<MESSAGE_ID>"),
            (&["resend", &id, "--from", "yesterday"], "must be a time such as"),
        ] {
            let (well, _, errors) = run(&settings, arguments).await;
            assert!(!well && errors.contains(way_out), "{arguments:?}: {errors}");
        }
        product.finish().await;
    }
}
