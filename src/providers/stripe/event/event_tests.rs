//! Events of several API versions, events of other applications, and malformed ones.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::checkout::PurchaseReport;
use crate::domain::ids::SessionId;
use crate::providers::stripe::name::NAME;

fn event() -> Value {
    json!({
        "id": "evt_1", "object": "event", "type": "checkout.session.completed", "livemode": false,
        "api_version": "2026-09-30.endive", "created": 1_800_000_000, "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null },
        "data": { "object": {
            "id": "cs_test_1", "object": "checkout.session", "mode": "payment", "payment_status": "paid",
            "status": "complete", "currency": "usd", "amount_total": 289, "client_reference_id": "user_1",
            "payment_intent": "pi_1", "livemode": false, "url": null,
            "metadata": {
                "accountId": "user_1", "credits": "250", "purpose": "credits_topup",
                "topupId": "topup_00000000000000000000000000000001",
            },
        } },
    })
}

fn changed(change: impl FnOnce(&mut Value)) -> Result<ProviderEvent, WebhookError> {
    let mut event = event();
    change(&mut event);
    read(event.to_string().as_bytes())
}

fn report(change: impl FnOnce(&mut Value)) -> PurchaseReport {
    match changed(change) {
        Ok(event) => event.report().expect("a report").clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_completed_session_is_read() {
    let report = report(|_| {});
    assert_eq!(report.progress, PurchaseProgress::Paid);
    assert_eq!(report.session.as_str(), "cs_test_1");
    assert_eq!(report.amount_total_minor, Some(289));
    assert_eq!(report.payment.map(|id| id.as_str().to_owned()), Some("pi_1".to_owned()));
}

#[test]
fn a_payment_of_the_other_mode_is_not_believed_whatever_its_event_says() {
    for (event_livemode, livemode) in [(false, true), (true, false), (true, true), (false, false)] {
        let read = changed(|event| {
            event["type"] = json!("payment_intent.succeeded");
            event["livemode"] = json!(event_livemode);
            let object = &mut event["data"]["object"];
            object["id"] = json!("pi_1");
            object["status"] = json!("succeeded");
            object["amount"] = json!(289);
            object["livemode"] = json!(livemode);
            object["metadata"]["origin"] = json!("auto_topup");
        });
        match read {
            Ok(event) => {
                let report = event.report().expect("a report");
                assert_eq!((event_livemode, report.livemode), (livemode, livemode));
                assert_eq!(report.event_created_ms, Some(1_800_000_000_000));
            }
            Err(error) => {
                assert_ne!(event_livemode, livemode, "{error:?}");
                assert!(error.to_string().contains("livemode is not that of the payment"), "{error}");
            }
        }
    }
}

#[test]
fn when_an_event_was_made_is_only_measured() {
    assert_eq!(report(|_| {}).event_created_ms, Some(1_800_000_000_000));
    for created in [json!("yesterday"), json!(1.5), json!(null), json!({}), json!(i64::MAX)] {
        assert_eq!(report(|event| event["created"] = created.clone()).event_created_ms, None, "{created}");
    }
}

#[test]
fn older_and_newer_shapes_say_the_same() {
    // Known mistake 15.
    let plain = report(|_| {});
    let shapes: [fn(&mut Value); 5] = [
        |event| event["api_version"] = json!("2019-12-03"),
        |event| {
            let payment = json!({ "id": "pi_1", "object": "payment_intent", "amount": 289 });
            event["data"]["object"]["payment_intent"] = payment;
        },
        |event| event["api_version"] = Value::Null,
        |event| event["data"]["object"]["a_field_of_next_year"] = json!({ "deep": [1, 2.5, null] }),
        |event| {
            event.as_object_mut().expect("an object").remove("request");
        },
    ];
    for shape in shapes {
        assert_eq!(report(shape), plain);
    }
    // Since 2022-08-01 an unconfirmed session has no payment.
    assert_eq!(report(|event| event["data"]["object"]["payment_intent"] = Value::Null).payment, None);
}

#[test]
fn a_completed_session_credits_only_when_it_is_paid() {
    // Known mistake 7.
    for (event_type, status, progress) in [
        ("checkout.session.completed", "paid", PurchaseProgress::Paid),
        ("checkout.session.completed", "unpaid", PurchaseProgress::Processing),
        ("checkout.session.completed", "no_payment_required", PurchaseProgress::Nothing),
        ("checkout.session.async_payment_succeeded", "paid", PurchaseProgress::Paid),
        ("checkout.session.async_payment_failed", "unpaid", PurchaseProgress::Failed),
        ("checkout.session.expired", "unpaid", PurchaseProgress::Expired),
    ] {
        let report = report(|event| {
            event["type"] = json!(event_type);
            event["data"]["object"]["payment_status"] = json!(status);
        });
        assert_eq!(report.progress, progress, "{event_type} {status}");
    }
}

#[test]
fn what_is_not_ours_is_foreign() {
    let changes: [fn(&mut Value); 9] = [
        |event| event["type"] = json!("invoice.paid"),
        |event| event["type"] = json!("v1.checkout.session.completed"),
        |event| event["type"] = Value::Null,
        |event| event["data"]["object"]["metadata"] = Value::Null,
        |event| event["data"]["object"]["metadata"] = json!(["topup"]),
        |event| event["data"]["object"]["metadata"]["purpose"] = json!({ "of": 7 }),
        |event| event["data"]["object"]["metadata"]["purpose"] = json!("subscription"),
        |event| event["data"]["object"]["metadata"]["topupId"] = json!("order 7"),
        |event| {
            event["data"]["object"]["metadata"].as_object_mut().expect("an object").remove("topupId");
        },
    ];
    for change in changes {
        assert!(matches!(changed(change), Ok(ProviderEvent::Foreign { .. })));
    }
    assert!(matches!(changed(|event| event["account"] = Value::Null), Ok(ProviderEvent::PurchasePaid(_))));
}

#[test]
fn an_event_of_a_connected_account_is_told_from_our_own() {
    let read = changed(|event| event["account"] = json!("acct_1"));
    let Ok(ProviderEvent::OfAccount { account, event }) = read else { panic!("{read:?}") };
    assert_eq!(account, "acct_1");
    assert!(matches!(*event, ProviderEvent::PurchasePaid(_)));
    let foreign = changed(|event| {
        event["account"] = json!("acct_1");
        event["data"] = json!(7);
    });
    assert!(matches!(foreign, Ok(ProviderEvent::Foreign { .. })), "{foreign:?}");
}

fn thin() -> Value {
    json!({
        "id": "evt_test_65R9Ijk8dKEYZcXeRWn", "object": "v2.core.event", "type": "v1.checkout.session.completed",
        "livemode": false, "created": "2026-11-21T12:00:00.000Z", "context": null, "snapshot_event": "evt_1",
        "related_object": { "id": "cs_test_1", "type": "checkout.session", "url": "/v1/checkout/sessions/cs_test_1" },
    })
}

fn thin_event(change: impl FnOnce(&mut Value)) -> Result<ProviderEvent, WebhookError> {
    let mut event = thin();
    change(&mut event);
    read(event.to_string().as_bytes())
}

#[test]
fn a_thin_event_stands_for_the_snapshot_that_it_names() {
    // Known mistake 37.
    let Ok(ProviderEvent::Announced(thin)) = thin_event(|_| {}) else { panic!("it is thin") };
    assert_eq!((thin.event.0.as_str(), thin.event.1.as_str()), ("evt_1", "checkout.session.completed"));
    assert_eq!((thin.session.as_ref().map(SessionId::as_str), thin.context), (Some("cs_test_1"), None));
    let Ok(ProviderEvent::Announced(alone)) = thin_event(|event| event["snapshot_event"] = Value::Null) else {
        panic!()
    };
    assert_eq!((alone.event.0.as_str(), alone.has_snapshot), ("evt_test_65R9Ijk8dKEYZcXeRWn", false));
    let other = thin_event(|event| event["type"] = json!("v2.core.event_destination.ping"));
    assert!(matches!(other, Ok(ProviderEvent::Foreign { .. })));
    let unreadable = thin_event(|event| event["snapshot_event"] = json!("evt 1/../2"));
    assert!(matches!(unreadable, Err(WebhookError::Unreadable { .. })));
}

#[test]
fn what_cannot_be_read_says_whose_it_is_as_far_as_it_can() {
    type Change = fn(&mut Value);
    let refund = json!({ "id": "evt_1", "type": "refund.created", "livemode": false,
        "data": { "object": { "id": "re_1", "payment_intent": "pi_1" } } });
    let read_refund = |change: Change| {
        let mut event = refund.clone();
        change(&mut event);
        match read(event.to_string().as_bytes()) {
            Err(WebhookError::Unreadable { subject, .. }) => subject,
            other => panic!("{other:?}"),
        }
    };
    let payment = || Some(EventSubject::Payment(PaymentId::parse(NAME, "pi_1").expect("an id")));
    let changes: [Change; 4] = [
        |_| {},
        |event| event["livemode"] = Value::Null,
        |event| event["id"] = Value::Null,
        |event| event["data"]["object"]["payment_intent"] = json!({ "id": "pi_1", "amount": "much" }),
    ];
    for change in changes {
        assert_eq!(read_refund(change), payment());
    }
    assert_eq!(read_refund(|event| event["data"]["object"]["payment_intent"] = json!(7)), None);
    let ours = changed(|event| event["data"]["object"]["amount_total"] = json!("289"));
    let Err(WebhookError::Unreadable { subject: Some(EventSubject::Topup(topup)), .. }) = ours else {
        panic!("{ours:?}")
    };
    assert_eq!(topup.as_str(), "topup_00000000000000000000000000000001");
}

#[test]
fn an_event_of_ours_that_cannot_be_read_is_an_error_and_not_silence() {
    let changes: [fn(&mut Value); 9] = [
        |event| event["id"] = Value::Null,
        |event| event["livemode"] = Value::Null,
        |event| event["data"] = Value::Null,
        |event| event["data"] = json!({}),
        |event| event["data"]["object"] = json!("cs_1"),
        |event| event["data"]["object"]["id"] = Value::Null,
        |event| event["data"]["object"]["amount_total"] = json!("289"),
        |event| event["data"]["object"]["payment_status"] = json!("paid_in_kind"),
        |event| event["data"]["object"]["payment_intent"] = json!(7),
    ];
    for change in changes {
        assert!(matches!(changed(change), Err(WebhookError::Unreadable { .. })));
    }
}

#[test]
fn a_signed_text_that_is_no_event_is_refused() {
    for body in ["", "null", "[]", "\"evt\"", "{", "42"] {
        assert!(matches!(read(body.as_bytes()), Err(WebhookError::NotAnEvent(_))), "{body}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read(&body).map_or(true, |event| event.report().is_none()));
    }

    #[test]
    fn an_event_cut_anywhere_is_never_taken_for_a_payment(length in 0_usize..700) {
        let text = event().to_string();
        if length < text.len() {
            prop_assert!(read(&text.as_bytes()[..length]).map_or(true, |event| event.report().is_none()));
        }
    }
}

/// The sum shows whether Stripe's list, which is then fetched, is behind the event.
#[test]
fn a_list_of_refunds_that_cannot_be_read_takes_nothing_from_their_sum() {
    for refunds in [json!({ "data": [] }), json!({ "data": [7], "has_more": false }), json!("later"), Value::Null] {
        let event = json!({ "id": "evt_1", "type": "charge.refunded", "livemode": false, "data": { "object": {
            "id": "ch_1", "payment_intent": "pi_1", "amount_refunded": 120, "refunds": refunds } } });
        let Ok(ProviderEvent::PaymentRefunded(refunded)) = read(event.to_string().as_bytes()) else {
            panic!("{event}")
        };
        assert_eq!((refunded.amount_refunded_minor, refunded.refunds), (Some(120), None), "{event}");
    }
}
