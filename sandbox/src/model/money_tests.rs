//! Refunds and disputes alone: their automatic steps, and that the balance adds up after random operations.

use super::{
    dispute::{self, DisputeStatus},
    dispute_lifecycle::{self, Opening},
    refund::{self, RefundStatus},
    request::Method::{Get, Post},
    tests::Run,
};

/// Creates a payment of 289 with this method. Returns its charge.
fn paid(run: &mut Run, method: &str) -> String {
    let id = run.session("");
    let paid = run.confirm(&id, method).expect("paid");
    paid["payment_intent"]["latest_charge"].as_str().expect("a charge").to_owned()
}

fn refunded(run: &mut Run, charge: &str, amount: i64) -> Option<String> {
    let params = format!("charge={charge}&amount={amount}");
    let made = run.call(Post, "/v1/refunds", &params).ok()?;
    Some(made["id"].as_str().expect("an id").to_owned())
}

fn status_of(run: &mut Run, kind: &str, id: &str) -> String {
    let found = run.call(Get, &format!("/v1/{kind}/{id}"), "").expect("found");
    found["status"].as_str().expect("a status").to_owned()
}

#[test]
fn test_cards_refunds_take_their_next_step_by_themselves() {
    for (method, first, then, event) in [
        ("pm_card_pendingRefund", "pending", "succeeded", "charge.refund.updated"),
        ("pm_card_refundFail", "succeeded", "failed", "refund.failed"),
        ("pm_card_visa", "succeeded", "succeeded", "charge.refunded"),
    ] {
        let mut run = Run::new();
        let charge = paid(&mut run, method);
        let id = refunded(&mut run, &charge, 100).expect("refunded");
        run.now += 4;
        assert_eq!(status_of(&mut run, "refunds", &id), first, "{method}");
        run.now += 1;
        assert_eq!(status_of(&mut run, "refunds", &id), then, "{method}");
        assert_eq!(run.kinds().last(), Some(&event), "{method}");
        let happened = run.kinds().len();
        run.now += 3_600;
        assert_eq!(status_of(&mut run, "refunds", &id), then, "{method}");
        assert_eq!(run.kinds().len(), happened, "{method}: it happens once");
    }
}

#[test]
fn the_next_step_is_announced_so_that_someone_wakes_up_for_it() {
    let mut run = Run::new();
    let charge = paid(&mut run, "pm_card_pendingRefund");
    assert_eq!(run.state.next_due_ms(), None);
    let id = refunded(&mut run, &charge, 1).expect("refunded");
    assert_eq!(run.state.next_due_ms(), Some((run.now + 5) * 1_000));
    run.step(|state, context| refund::move_to(state, context, &id, RefundStatus::Failed, None)).expect("failed");
    assert_eq!(run.state.next_due_ms(), None, "what was decided by hand does not happen again");
}

#[test]
fn a_chargeback_that_nobody_answers_is_lost_and_an_inquiry_is_closed() {
    for (method, expected) in [("pm_card_createDispute", "lost"), ("pm_card_createDisputeInquiry", "warning_closed")] {
        let mut run = Run::new();
        paid(&mut run, method);
        let dispute = run.state.disputes.iter().next().cloned().expect("a dispute");
        run.now = dispute.due_by - 1;
        assert_ne!(status_of(&mut run, "disputes", &dispute.id), expected);
        run.now = dispute.due_by;
        assert_eq!(status_of(&mut run, "disputes", &dispute.id), expected);
        assert_eq!(run.kinds().last(), Some(&"charge.dispute.closed"));
    }
}

#[test]
fn an_inquiry_that_was_escalated_must_be_answered_anew() {
    let mut run = Run::new();
    paid(&mut run, "pm_card_createDisputeInquiry");
    let inquiry = run.state.disputes.iter().next().cloned().expect("an inquiry");
    run.now += 5 * 86_400;
    let path = format!("/v1/disputes/{}", inquiry.id);
    let evidence = "evidence[uncategorized_text]=escalate_inquiry_evidence";
    let escalated = run.call(Post, &path, evidence).expect("escalated");
    assert_eq!(escalated["evidence_details"]["submission_count"], 0);
    let due_by = escalated["evidence_details"]["due_by"].as_i64().expect("a time");
    assert!(due_by > inquiry.due_by, "there is time for it again");
    run.now = due_by - 1;
    assert_eq!(status_of(&mut run, "disputes", &inquiry.id), "needs_response");
    run.now = due_by;
    assert_eq!(status_of(&mut run, "disputes", &inquiry.id), "lost");
}

#[test]
fn an_answer_in_time_keeps_a_chargeback_from_being_lost() {
    let mut run = Run::new();
    paid(&mut run, "pm_card_createDispute");
    let dispute = run.state.disputes.iter().next().cloned().expect("a dispute");
    let path = format!("/v1/disputes/{}", dispute.id);
    run.call(Post, &path, "evidence[customer_name]=Ada").expect("submitted");
    assert_eq!(run.state.next_due_ms(), None, "nothing is left to wait for");
    run.now = dispute.due_by + 1;
    assert_eq!(status_of(&mut run, "disputes", &dispute.id), "under_review");
}

/// The invariants, checked after every step.
fn check(run: &Run) {
    for charge in run.state.charges.iter() {
        let counted = |status| !matches!(status, RefundStatus::Failed | RefundStatus::Canceled);
        let refunds = run.state.refunds.iter().filter(|refund| refund.charge == charge.id && counted(refund.status));
        assert_eq!(refunds.map(|refund| refund.amount).sum::<i64>(), charge.amount_refunded);
        assert!((0..=charge.amount).contains(&charge.amount_refunded));
    }
    let booked = |source: &str| -> i64 {
        run.state.balance_transactions.iter().filter(|t| t.source == source).map(|t| t.amount).sum()
    };
    for refund in run.state.refunds.iter() {
        let back = matches!(refund.status, RefundStatus::Failed | RefundStatus::Canceled);
        assert_eq!(booked(&refund.id), if back { 0 } else { -refund.amount });
    }
    for dispute in run.state.disputes.iter() {
        assert_eq!(booked(&dispute.id), -dispute::withdrawn(&run.state, dispute));
        let kept = dispute.status.is_inquiry() || dispute.status == DisputeStatus::Won;
        let out = if kept { 0 } else { dispute.amount };
        assert_eq!(dispute::withdrawn(&run.state, dispute), out, "{:?}", dispute.status);
    }
}

#[test]
fn whatever_is_tried_the_books_add_up() {
    use DisputeStatus as D;
    let statuses = [
        D::WarningNeedsResponse,
        D::WarningUnderReview,
        D::WarningClosed,
        D::NeedsResponse,
        D::UnderReview,
        D::Won,
        D::Lost,
        D::AppealUnderReview,
    ];
    for seed in 0_usize..60 {
        let mut run = Run::new();
        let methods = ["pm_card_visa", "pm_card_pendingRefund", "pm_card_refundFail", "pm_card_createDisputeInquiry"];
        let charge = paid(&mut run, methods[seed % 4]);
        // A small random number generator: the same seed tries the same operations.
        let mut number = seed * 2_654_435_761 + 1;
        for _ in 0..40 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let pick = number >> 33;
            let refund_id = run.state.refunds.iter().nth(pick % 3).map(|refund| refund.id.clone());
            let dispute_id = run.state.disputes.iter().last().map(|dispute| dispute.id.clone());
            match (pick % 6, refund_id, dispute_id) {
                (0, ..) => {
                    refunded(&mut run, &charge, [1, 100, 289, 290][pick % 4]);
                }
                (1, Some(id), _) => {
                    use RefundStatus::{Canceled, Failed, Pending, RequiresAction, Succeeded};
                    let to = [Pending, RequiresAction, Succeeded, Failed, Canceled][pick % 5];
                    run.step(|state, context| refund::move_to(state, context, &id, to, None)).ok();
                }
                (2, ..) => {
                    let opening = Opening { amount: None, inquiry: pick % 4 == 0, reason: "general" };
                    run.step(|state, context| dispute_lifecycle::open(state, context, &charge, &opening)).ok();
                }
                (3 | 4, _, Some(id)) => {
                    let to = statuses[pick % statuses.len()];
                    run.step(|state, context| dispute_lifecycle::move_to(state, context, &id, to)).ok();
                }
                _ => run.now += 3,
            }
            check(&run);
        }
    }
}
