//! Triggers: every recipe causes the event it is named after, from the library and from the command line.

use std::process::Stdio;

use serde_json::json;
use stripe_sandbox::recipes::{Change, TriggerError, recipes, trigger};
use tokio::process::Command;

use crate::support::{KEY, start};

#[tokio::test(flavor = "multi_thread")]
async fn every_recipe_causes_the_event_that_it_is_named_after() {
    let mut count = 0;
    for recipe in recipes() {
        let world = start().await;
        let done = trigger(&world.sandbox.url(), KEY, recipe.name, &[]).await;
        let done = done.unwrap_or_else(|error| panic!("{}: {error}", recipe.name));
        // Debits settle a little later.
        world.control("/_sandbox/clock", r#"{"advance_seconds": 4}"#).await;
        let kinds = world.event_types().await;
        assert!(kinds.iter().any(|kind| kind == recipe.name), "{}: {kinds:?}", recipe.name);
        assert!(!done.is_empty());
        world.sandbox.stop().await;
        count += 1;
    }
    assert_eq!(count, 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_of_a_step_can_be_set_and_left_out() {
    let world = start().await;
    let changes = [
        Change::set("session:metadata[topupId]=topup_1").unwrap(),
        Change::set("session:line_items[0][price_data][unit_amount]=289").unwrap(),
        Change::set("session:line_items[0][quantity]=1").unwrap(),
        Change::remove("session:cancel_url").unwrap(),
    ];
    let name = "checkout.session.completed";
    trigger(&world.sandbox.url(), KEY, name, &changes).await.unwrap();
    let event = world.get(&format!("/v1/events?type={name}")).await.json()["data"][0].clone();
    let session = &event["data"]["object"];
    assert_eq!((&session["amount_total"], &session["cancel_url"]), (&json!(289), &json!(null)));
    assert_eq!(session["metadata"], json!({ "topupId": "topup_1" }));
    for wrong in ["", "session", "session:a", ":a=b", "session:=b"] {
        assert_eq!(Change::set(wrong), None, "{wrong}");
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_triggered_says_why() {
    let world = start().await;
    let url = world.sandbox.url();
    let run = async |name: &str, changes: &[Change]| trigger(&url, KEY, name, changes).await.unwrap_err();
    assert!(matches!(run("nothing", &[]).await, TriggerError::Unknown(_)));
    let error = run("charge.refunded", &[Change::set("nobody:a=b").unwrap()]).await;
    assert_eq!(error.to_string(), "charge.refunded has no step nobody; it has payment_intent, refund");
    let error = run("charge.refunded", &[Change::set("refund:amount=2001").unwrap()]).await;
    let expected = "step refund: 400, Refund amount ($20.01) is greater than charge amount ($20.00)";
    assert_eq!(error.to_string(), expected);
    let error = run("charge.failed", &[Change::set("payment_intent:payment_method=pm_card_visa").unwrap()]).await;
    assert!(error.to_string().contains("an error of type card_error was expected"), "{error}");
    let error = run("charge.refunded", &[Change::set("refund:amount=${charge:amount}").unwrap()]).await;
    assert!(matches!(error, TriggerError::Reference { .. }), "{error}");
    let error = trigger(&url, "sk_test_wrong", "charge.refunded", &[]).await.unwrap_err();
    assert!(matches!(error, TriggerError::Refused { status: 401, .. }), "{error}");
    let error = trigger("https://api.stripe.com", KEY, "charge.refunded", &[]).await.unwrap_err();
    assert!(matches!(error, TriggerError::NoAnswer { .. }), "only a sandbox is asked: {error}");
    world.sandbox.stop().await;
    let error = trigger(&url, KEY, "charge.refunded", &[]).await.unwrap_err();
    assert!(error.to_string().contains("does not answer"), "{error}");
}

async fn run_command(args: &[&str]) -> (bool, String, String) {
    let program = env!("CARGO_BIN_EXE_stripe-sandbox");
    let output = Command::new(program).arg("trigger").args(args).stdin(Stdio::null()).output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_lists_and_triggers() {
    let world = start().await;
    let (success, listed, _) = run_command(&["--list"]).await;
    assert!(success);
    assert_eq!(listed.lines().collect::<Vec<_>>(), recipes().map(|recipe| recipe.name).collect::<Vec<_>>());
    let url = world.sandbox.url();
    let change = "refund:metadata[k]=v=w";
    let args = ["charge.refunded", "--base", &url, "--override", change, "--remove", "payment_intent:description"];
    let (success, said, failed) = run_command(&args).await;
    assert!(success && said.contains("200 POST /v1/refunds re_"), "{said}{failed}");
    let refund = world.get("/v1/refunds").await.json()["data"][0].clone();
    assert_eq!(refund["metadata"], json!({ "k": "v=w" }));
    let (success, _, failed) = run_command(&["nothing", "--base", &url]).await;
    assert!(!success && failed.starts_with("Cannot trigger it: there is no trigger nothing"), "{failed}");
    assert!(!run_command(&["charge.refunded", "--override", "nonsense"]).await.0);
    assert!(!run_command(&[]).await.0, "a name is needed");
    world.sandbox.stop().await;
}
