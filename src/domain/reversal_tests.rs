use super::*;

#[test]
fn a_refund_takes_what_its_money_paid_for_and_the_fee_last() {
    // 250 credits for 250 ¢ and a fee line of 39 ¢.
    for (reversed, taken) in
        [(0, 0), (1, 1), (100, 100), (249, 249), (250, 250), (251, 250), (289, 250), (i64::MAX, 250)]
    {
        assert_eq!(credits_taken(250, 1, reversed), taken, "{reversed}");
    }
}

#[test]
fn money_for_a_part_of_a_credit_takes_none() {
    for (reversed, taken) in [(6, 0), (7, 1), (13, 1), (14, 2), (69, 9), (70, 10), (71, 10)] {
        assert_eq!(credits_taken(10, 7, reversed), taken, "{reversed}");
    }
}

/// Every amount of every small purchase: never more than was sold, all of it once its price is back, and never less
/// when more money goes back.
#[test]
fn whatever_goes_back_the_credits_follow_it() {
    for credits in 1..=60 {
        for price in 1..=9 {
            let mut before = 0;
            for reversed in 0..=credits * price + 40 {
                let taken = credits_taken(credits, price, reversed);
                assert!((before..=credits).contains(&taken));
                assert!(taken * price <= reversed, "more was taken than the money paid for");
                assert_eq!(taken == credits, reversed >= credits * price);
                before = taken;
            }
        }
    }
}

#[test]
fn a_refund_counts_until_it_fails_or_is_called_off_and_never_goes_back() {
    use RefundStatus::{Canceled, Failed, Pending, RequiresAction, Succeeded};
    let counting = [(Pending, true), (RequiresAction, true), (Succeeded, true), (Failed, false), (Canceled, false)];
    for (status, counts) in counting {
        assert_eq!((status.counts(), RefundStatus::parse(status.as_str())), (counts, Some(status)));
    }
    assert!(Pending.stage() == RequiresAction.stage() && Pending.stage() < Succeeded.stage());
    assert!(Succeeded.stage() < Failed.stage() && Failed.stage() == Canceled.stage());
    assert_eq!(RefundStatus::parse("reversed"), None);
}

#[test]
fn a_dispute_counts_while_its_money_is_with_the_customer() {
    let dispute = |status: &str, latest_movement_took| DisputeReport {
        id: DisputeId::parse("du_1").expect("an id"),
        payment_intent: None,
        amount_minor: 289,
        currency: "usd".to_owned(),
        status: status.to_owned(),
        reason: None,
        latest_movement_took,
        livemode: false,
    };
    for status in ["warning_needs_response", "warning_under_review", "warning_closed", "prevented", "won"] {
        assert!(!dispute(status, None).counts(), "{status}");
        assert!(!dispute(status, Some(true)).counts(), "{status}: what was won is about to come back");
    }
    for status in ["needs_response", "under_review", "lost", "appeal_needs_response", "appeal_under_review", "new"] {
        assert!(!dispute(status, None).counts(), "{status}: nothing has moved yet");
        assert!(dispute(status, Some(true)).counts(), "{status}");
        assert!(!dispute(status, Some(false)).counts(), "{status}: it came back");
    }
}
