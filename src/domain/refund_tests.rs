use super::*;

/// 250 credits for 289 ¢.
fn paid() -> Refundable {
    Refundable {
        paid_as: PaidAs::Credits,
        credits: 250,
        credit_unit_amount_minor: 1,
        total_amount_minor: 289,
        refunded_minor: 0,
        disputed_minor: 0,
        has_open_dispute: false,
        pending_minor: 0,
        step_minor: 1,
    }
}

fn moves(amount_minor: i64, fee_minor: i64, credits: i64) -> RefundPlan {
    RefundPlan { amount_minor, fee_minor, credits }
}

#[test]
fn the_fee_goes_back_last_and_never_for_credits() {
    assert_eq!(paid().plan(RefundAsk::Credits(100)), Ok(moves(100, 0, 100)));
    assert_eq!(paid().plan(RefundAsk::Credits(250)), Ok(moves(250, 0, 250)));
    assert_eq!(paid().plan(RefundAsk::Everything), Ok(moves(289, 39, 250)));
    assert_eq!(paid().plan(RefundAsk::Amount(260)), Ok(moves(260, 10, 250)));
    let principal_gone = Refundable { refunded_minor: 250, ..paid() };
    assert_eq!(principal_gone.plan(RefundAsk::Everything), Ok(moves(39, 39, 0)));
    assert_eq!(principal_gone.plan(RefundAsk::Credits(1)), Err(RefundRefusal::TooManyCredits { largest: 0 }));
}

#[test]
fn more_than_is_left_is_refused_with_the_largest() {
    let partly = Refundable { refunded_minor: 100, ..paid() };
    assert_eq!(partly.plan(RefundAsk::Amount(189)), Ok(moves(189, 39, 150)));
    assert_eq!(partly.plan(RefundAsk::Amount(190)), Err(RefundRefusal::TooMuch { largest: 189 }));
    assert_eq!(partly.plan(RefundAsk::Credits(150)), Ok(moves(150, 0, 150)));
    assert_eq!(partly.plan(RefundAsk::Credits(151)), Err(RefundRefusal::TooManyCredits { largest: 150 }));
    let gone = Refundable { refunded_minor: 289, ..paid() };
    assert_eq!(gone.plan(RefundAsk::Amount(1)), Err(RefundRefusal::AlreadyRefunded));
}

#[test]
fn a_part_of_a_credit_is_not_refunded_twice() {
    let dear = Refundable { credits: 3, credit_unit_amount_minor: 100, total_amount_minor: 300, ..paid() };
    let partly = Refundable { refunded_minor: 150, ..dear };
    assert_eq!(partly.left_credits(), Some(2));
    assert_eq!(partly.plan(RefundAsk::Credits(2)), Ok(moves(150, 0, 2)));
    assert_eq!(partly.plan(RefundAsk::Credits(1)), Ok(moves(100, 0, 1)));
    assert_eq!(partly.plan(RefundAsk::Amount(49)), Ok(moves(49, 0, 0)));
}

#[test]
fn what_is_not_paid_or_disputed_is_not_refunded() {
    let unpaid = Refundable { paid_as: PaidAs::Nothing, ..paid() };
    assert_eq!(unpaid.plan(RefundAsk::Everything), Err(RefundRefusal::NotPaid));
    let disputed = Refundable { has_open_dispute: true, ..paid() };
    assert_eq!(disputed.plan(RefundAsk::Amount(1)), Err(RefundRefusal::Disputed));
}

#[test]
fn what_a_lost_dispute_left_can_be_refunded() {
    let partly = Refundable { disputed_minor: 100, ..paid() };
    assert_eq!((partly.left_minor(), partly.left_credits()), (Some(189), Some(150)));
    assert_eq!(partly.plan(RefundAsk::Everything), Ok(moves(189, 39, 150)));
    assert_eq!(partly.plan(RefundAsk::Credits(150)), Ok(moves(150, 0, 150)));
    assert_eq!(partly.plan(RefundAsk::Credits(151)), Err(RefundRefusal::TooManyCredits { largest: 150 }));
    assert_eq!(partly.plan(RefundAsk::Amount(190)), Err(RefundRefusal::TooMuch { largest: 189 }));
    let both = Refundable { refunded_minor: 50, ..partly };
    assert_eq!(both.plan(RefundAsk::Everything), Ok(moves(139, 39, 100)));
    let whole = Refundable { disputed_minor: 289, ..paid() };
    assert_eq!(whole.plan(RefundAsk::Everything), Err(RefundRefusal::LostToDispute));
    // The bank took more than was left.
    let more = Refundable { disputed_minor: 289, refunded_minor: 289, ..paid() };
    assert_eq!((more.left_minor(), more.left_credits()), (Some(0), Some(0)));
    assert_eq!(more.plan(RefundAsk::Everything), Err(RefundRefusal::AlreadyRefunded));
}

#[test]
fn an_amount_is_a_multiple_of_the_currencys_step() {
    // 25 credits of 10 fils and a fee of 40: Stripe accepts steps of 10.
    let dinars =
        Refundable { credits: 25, credit_unit_amount_minor: 10, total_amount_minor: 290, step_minor: 10, ..paid() };
    assert_eq!(dinars.plan(RefundAsk::Amount(100)), Ok(moves(100, 0, 10)));
    for amount in [1, 5, 101, 999] {
        assert_eq!(dinars.plan(RefundAsk::Amount(amount)), Err(RefundRefusal::NotAMultiple { step: 10 }), "{amount}");
    }
    assert_eq!(dinars.plan(RefundAsk::Credits(7)), Ok(moves(70, 0, 7)));
    // Everything is the largest amount in whole steps.
    let odd = Refundable { disputed_minor: 95, ..dinars };
    assert_eq!(odd.left_minor(), Some(190));
    assert!(matches!(odd.plan(RefundAsk::Everything), Ok(RefundPlan { amount_minor: 190, .. })));
    assert_eq!(odd.plan(RefundAsk::Credits(16)), Err(RefundRefusal::NotAMultiple { step: 10 }));
}

#[test]
fn amounts_out_of_range_are_refused_and_never_cut_off() {
    let huge = Refundable { refunded_minor: i64::MAX, disputed_minor: 1, ..paid() };
    assert_eq!((huge.left_minor(), huge.left_credits()), (None, None));
    assert_eq!(huge.plan(RefundAsk::Everything), Err(RefundRefusal::OutOfRange));
    let dear = Refundable { credits: i64::MAX, credit_unit_amount_minor: 2, ..paid() };
    assert_eq!(dear.plan(RefundAsk::Credits(i64::MAX)), Err(RefundRefusal::OutOfRange));
    let busy = Refundable { pending_minor: i64::MIN, ..paid() };
    assert_eq!(busy.plan(RefundAsk::Amount(1)), Err(RefundRefusal::OutOfRange));
}

#[test]
fn what_other_requests_are_about_to_refund_is_not_promised_twice() {
    let busy = Refundable { pending_minor: 200, ..paid() };
    assert_eq!(busy.plan(RefundAsk::Everything), Err(RefundRefusal::InProgress));
    assert_eq!(busy.plan(RefundAsk::Amount(90)), Err(RefundRefusal::InProgress));
    assert_eq!(busy.plan(RefundAsk::Amount(89)), Ok(moves(89, 0, 89)));
    // 200 credits are about to go: the other 50 do not get the fee back.
    assert_eq!(busy.plan(RefundAsk::Credits(51)), Err(RefundRefusal::InProgress));
    assert_eq!(busy.plan(RefundAsk::Credits(50)), Ok(moves(50, 0, 50)));
    assert_eq!(busy.plan(RefundAsk::Amount(290)), Err(RefundRefusal::TooMuch { largest: 289 }));
}

#[test]
fn a_surplus_payment_takes_no_credits() {
    let surplus = Refundable { paid_as: PaidAs::Surplus, ..paid() };
    assert_eq!(surplus.left_credits(), Some(0));
    assert!(matches!(surplus.plan(RefundAsk::Everything), Ok(RefundPlan { amount_minor: 289, credits: 0, .. })));
    assert_eq!(surplus.plan(RefundAsk::Credits(1)), Err(RefundRefusal::NoCredits));
}
