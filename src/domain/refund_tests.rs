use proptest::prelude::*;

use super::*;

fn unit(credits: i64, amount_minor: i64) -> CreditUnit {
    CreditUnit::new(credits, amount_minor).expect("a unit")
}

/// 250 credits for 289 ¢.
fn paid() -> Refundable {
    Refundable {
        paid_as: PaidAs::Credits,
        credits: 250,
        bonus_credits: 0,
        unspent_credits: 250,
        unit: unit(1, 1),
        charged: Charged::without_tax(289),
        refunded_minor: 0,
        disputed_minor: 0,
        has_open_dispute: false,
        pending_minor: 0,
        step_minor: 1,
    }
}

fn moves(amount_minor: i64, fee_minor: i64, credits: i64) -> RefundPlan {
    RefundPlan { amount_minor, fee_minor, tax_minor: 0, credits, bonus_credits: 0 }
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

/// 250 credits for 289 cents and 20 % tax on top: 347.
#[test]
fn a_refund_of_credits_contains_their_tax() {
    let taxed = Refundable { charged: Charged { total_minor: 347, added_tax_minor: 58 }, ..paid() };
    let moves = |amount_minor, fee_minor, tax_minor, credits| {
        Ok(RefundPlan { amount_minor, fee_minor, tax_minor, credits, bonus_credits: 0 })
    };
    assert_eq!(taxed.plan(RefundAsk::Credits(100)), moves(121, 0, 21, 100));
    assert_eq!(taxed.plan(RefundAsk::Credits(250)), moves(301, 0, 51, 250));
    assert_eq!(taxed.plan(RefundAsk::Everything), moves(347, 39, 58, 250));
    assert_eq!(taxed.plan(RefundAsk::Unspent), moves(301, 0, 51, 250));
    assert_eq!(taxed.plan(RefundAsk::Amount(121)), moves(121, 0, 21, 100));
    // After a refund in part, the rest of the price is left, with its tax.
    let partly = Refundable { refunded_minor: 121, ..taxed };
    assert_eq!(partly.plan(RefundAsk::Credits(150)), moves(180, 0, 30, 150));
    assert_eq!(partly.plan(RefundAsk::Everything), moves(226, 39, 37, 150));
    assert_eq!(partly.left_credits(), Some(150));
}

/// 1,000 credits for 1,000 fils, in steps of 10, and 5 % tax on top.
#[test]
fn in_steps_a_taxed_refund_takes_no_more_than_was_asked_for() {
    let dinars = Refundable {
        credits: 1_000,
        unspent_credits: 10,
        unit: unit(10, 10),
        charged: Charged { total_minor: 1_050, added_tax_minor: 50 },
        step_minor: 10,
        ..paid()
    };
    // 10 credits and their tax are 11: 10 takes 9 of them, 20 would take 19.
    assert_eq!(dinars.plan(RefundAsk::Unspent).map(|plan| (plan.amount_minor, plan.credits)), Ok((10, 9)));
    let more = Refundable { unspent_credits: 19, ..dinars.clone() };
    assert_eq!(more.plan(RefundAsk::Unspent).map(|plan| (plan.amount_minor, plan.credits)), Ok((20, 19)));
    // What is left of the price is no step, and with its tax it is one.
    let partly = Refundable { refunded_minor: 10, ..dinars.clone() };
    assert_eq!(partly.plan(RefundAsk::Credits(991)).map(|plan| (plan.amount_minor, plan.credits)), Ok((1_040, 991)));
    assert_eq!(dinars.plan(RefundAsk::Credits(10)), Err(RefundRefusal::TaxInSteps { step: 10 }));
    assert_eq!(dinars.plan(RefundAsk::Credits(200)).map(|plan| (plan.amount_minor, plan.credits)), Ok((210, 200)));
    assert_eq!(
        dinars.plan(RefundAsk::Credits(1_000)).map(|plan| (plan.amount_minor, plan.credits)),
        Ok((1_050, 1_000))
    );
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
    let dear = Refundable { credits: 3, unit: unit(1, 100), charged: Charged::without_tax(300), ..paid() };
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
        Refundable { credits: 25, unit: unit(1, 10), charged: Charged::without_tax(290), step_minor: 10, ..paid() };
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
    let dear = Refundable { credits: i64::MAX, unit: unit(1, 2), ..paid() };
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

#[test]
fn small_credits_are_refunded_for_whole_cents_or_all_at_once() {
    // 2,500,000 credits for 250 ¢ and a fee of 39 ¢.
    let small = Refundable { credits: 2_500_000, unit: unit(10_000, 1), ..paid() };
    assert_eq!(small.plan(RefundAsk::Everything), Ok(moves(289, 39, 2_500_000)));
    assert_eq!(small.plan(RefundAsk::Credits(2_500_000)), Ok(moves(250, 0, 2_500_000)));
    assert_eq!(small.plan(RefundAsk::Credits(70_000)), Ok(moves(7, 0, 70_000)));
    assert_eq!(small.plan(RefundAsk::Amount(260)), Ok(moves(260, 10, 2_500_000)));
    for credits in [1, 9_999, 75_000, 2_499_999] {
        let refusal = small.plan(RefundAsk::Credits(credits)).expect_err("no whole amount");
        assert_eq!(refusal, RefundRefusal::NotAWholeAmount { multiple: 10_000, largest: 2_500_000 });
        assert_eq!(refusal.code(), "not_a_multiple");
    }
    let too_many = RefundRefusal::TooManyCredits { largest: 2_500_000 };
    assert_eq!(small.plan(RefundAsk::Credits(2_500_001)), Err(too_many));
}

#[test]
fn the_last_credits_go_back_for_the_rest_of_their_price_whatever_their_number() {
    // 10 credits for 25 ¢; 3 ¢ went back and took 1 of them. The other 9 would cost 22½ ¢.
    let odd =
        Refundable { credits: 10, unit: unit(10, 25), charged: Charged::without_tax(25), refunded_minor: 3, ..paid() };
    assert_eq!(odd.left_credits(), Some(9));
    assert_eq!(odd.plan(RefundAsk::Credits(9)), Ok(moves(22, 0, 9)));
    assert_eq!(odd.plan(RefundAsk::Credits(2)), Ok(moves(5, 0, 2)));
    let refusal = RefundRefusal::NotAWholeAmount { multiple: 2, largest: 9 };
    assert_eq!(odd.plan(RefundAsk::Credits(3)), Err(refusal));
}

#[test]
fn the_price_of_credits_keeps_to_the_currencys_step() {
    // 25 credits for 250 fils, which Stripe refunds in tens.
    let dinars = Refundable { credits: 25, unit: unit(5, 50), step_minor: 10, ..paid() };
    assert_eq!(dinars.plan(RefundAsk::Credits(1)), Ok(moves(10, 0, 1)));
    // 25 credits for 5 krónur, which Stripe refunds in whole krónur.
    let kronur =
        Refundable { credits: 25, unit: unit(25, 500), charged: Charged::without_tax(600), step_minor: 100, ..paid() };
    assert_eq!(kronur.plan(RefundAsk::Credits(20)), Ok(moves(400, 0, 20)));
    let refusal = RefundRefusal::NotAWholeAmount { multiple: 5, largest: 25 };
    assert_eq!(kronur.plan(RefundAsk::Credits(1)), Err(refusal));
}

/// Every small top-up, after every amount that went back before: what a plan promises is what the formula takes, a
/// refund in credits takes exactly these, and nothing else is refused.
#[test]
fn every_small_refund_moves_what_was_asked_for() {
    for (per_unit, price) in (1..=6).flat_map(|credits| (1..=6).map(move |price| (credits, price))) {
        let unit = unit(per_unit, price);
        let top_up = |units: i64, refunded_minor| Refundable {
            credits: units * per_unit,
            unit,
            charged: Charged::without_tax(units * price + 5),
            refunded_minor,
            ..paid()
        };
        for refunded in 0..=4 * price + 4 {
            let payment = top_up(4, refunded);
            let (left, left_minor) = (payment.left_credits().expect("fits"), payment.left_minor().expect("fits"));
            let before = credits_taken(payment.credits, unit, refunded);
            for credits in 1..=left {
                let plan = payment.plan(RefundAsk::Credits(credits));
                let is_exact = credits * price % per_unit == 0;
                assert_eq!(plan.is_ok(), is_exact || credits == left, "{credits} of {payment:?}");
                let Ok(plan) = plan else { continue };
                assert_eq!((plan.credits, plan.fee_minor), (credits, 0), "{payment:?}");
                assert!(!is_exact || credits == left || plan.amount_minor * per_unit == credits * price);
                assert_eq!(credits_taken(payment.credits, unit, refunded + plan.amount_minor), before + credits);
            }
            for amount in 1..=left_minor {
                let plan = payment.plan(RefundAsk::Amount(amount)).expect("is left");
                assert_eq!(before + plan.credits, credits_taken(payment.credits, unit, refunded + amount));
                assert_eq!(plan.fee_minor, (refunded + amount - 4 * price).clamp(0, amount));
            }
            let everything = payment.plan(RefundAsk::Everything).expect("something is left");
            assert_eq!((everything.amount_minor, everything.credits), (left_minor, left));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Any unit, any number of partial refunds: they take no more than was sold, together what one refund of their sum
    /// takes, and a refund of everything takes the rest.
    #[test]
    fn partial_refunds_take_together_what_one_refund_takes(
        per_unit in 1_i64..=1_000_000,
        price in 1_i64..=1_000_000,
        units in 1_i64..=900_000,
        fee in 0_i64..=1_000_000,
        parts in prop::collection::vec(1_i64..=1_000_000_000, 1..8),
    ) {
        let (unit, total) = (unit(per_unit, price), units * price + fee);
        let fresh = Refundable { credits: units * per_unit, unit, charged: Charged::without_tax(total), ..paid() };
        let (mut payment, mut taken) = (fresh.clone(), 0);
        for part in parts {
            let left = payment.left_minor().expect("fits");
            if left < 2 {
                break;
            }
            let amount = part % (left - 1) + 1;
            let plan = payment.plan(RefundAsk::Amount(amount)).expect("is left");
            prop_assert!(plan.credits >= 0);
            taken += plan.credits;
            payment.refunded_minor += amount;
        }
        if payment.refunded_minor > 0 {
            let at_once = fresh.plan(RefundAsk::Amount(payment.refunded_minor)).expect("is left");
            prop_assert_eq!(taken, at_once.credits);
        }
        let rest = payment.plan(RefundAsk::Everything).expect("something is left");
        prop_assert_eq!((payment.refunded_minor + rest.amount_minor, taken + rest.credits), (total, fresh.credits));
    }
}

#[test]
fn the_bonus_is_taken_with_its_share_of_the_credits() {
    let sold = Refundable { bonus_credits: 25, ..paid() };
    let taken = |sold: &Refundable, ask| sold.plan(ask).map(|plan| (plan.credits, plan.bonus_credits));
    assert_eq!(taken(&sold, RefundAsk::Credits(100)), Ok((100, 10)));
    assert_eq!(taken(&sold, RefundAsk::Credits(101)), Ok((101, 11)));
    assert_eq!(taken(&sold, RefundAsk::Everything), Ok((250, 25)));
    // What earlier refunds took is not taken again.
    let partly = Refundable { refunded_minor: 101, ..sold.clone() };
    assert_eq!(taken(&partly, RefundAsk::Everything), Ok((149, 14)));
    assert_eq!(taken(&Refundable { paid_as: PaidAs::Surplus, ..sold }, RefundAsk::Everything), Ok((0, 0)));
}

#[test]
fn what_is_unspent_is_refunded_at_its_price_without_the_fee() {
    let left = |unspent_credits| Refundable { unspent_credits, ..paid() };
    assert_eq!(left(250).plan(RefundAsk::Unspent), Ok(moves(250, 0, 250)));
    assert_eq!(left(40).plan(RefundAsk::Unspent), Ok(moves(40, 0, 40)));
    assert_eq!(left(0).plan(RefundAsk::Unspent), Err(RefundRefusal::NothingUnspent));
    let partly = |unspent_credits| Refundable { refunded_minor: 100, ..left(unspent_credits) };
    assert_eq!(partly(150).plan(RefundAsk::Unspent), Ok(moves(150, 0, 150)));
    assert_eq!(partly(40).plan(RefundAsk::Unspent), Ok(moves(40, 0, 40)));
    // The fee is left to refund, and no credits are.
    let principal_gone = Refundable { refunded_minor: 250, ..left(0) };
    assert_eq!(principal_gone.plan(RefundAsk::Unspent), Err(RefundRefusal::NothingUnspent));
    let running = Refundable { pending_minor: 1, ..left(40) };
    assert_eq!(running.plan(RefundAsk::Unspent), Err(RefundRefusal::InProgress));
    let surplus = Refundable { paid_as: PaidAs::Surplus, ..left(0) };
    assert_eq!(surplus.plan(RefundAsk::Unspent), Err(RefundRefusal::NoCredits));
    // A part of a credit that was refunded before is not refunded again.
    let dear = Refundable { credits: 3, unit: unit(1, 100), charged: Charged::without_tax(300), ..paid() };
    let dear = Refundable { refunded_minor: 150, unspent_credits: 1, ..dear };
    assert_eq!(dear.plan(RefundAsk::Unspent), Ok(moves(50, 0, 1)));
}

proptest! {
    /// It takes no more credits than are unspent, and one more step of money would take more or exceed their price.
    #[test]
    fn what_is_unspent_is_the_largest_amount(
        (per, price) in (1..5_000_i64, 1..5_000_i64),
        units in 1..200_i64,
        step_minor in prop::sample::select(vec![1, 10, 100]),
        refunded in 0..1_000_000_i64,
        unspent in 0..1_000_000_i64,
    ) {
        let (unit, credits) = (unit(per, price * step_minor), per * units);
        let total_amount_minor = price * step_minor * units;
        let refunded_minor = refunded % (total_amount_minor + 1);
        let paid = Refundable { credits, unit, charged: Charged::without_tax(total_amount_minor), refunded_minor, step_minor, ..paid() };
        let unspent_credits = unspent % (paid.left_credits().expect("in range") + 1);
        let paid = Refundable { unspent_credits, ..paid };
        let Ok(plan) = paid.plan(RefundAsk::Unspent) else { return Ok(()) };
        prop_assert!(plan.credits <= unspent_credits && plan.fee_minor == 0 && plan.amount_minor % step_minor == 0);
        let taken = credits_taken(credits, unit, refunded_minor);
        let price_of = |credits: i64| i128::from(credits) * i128::from(unit.amount_minor());
        let paid_back = i128::from(plan.amount_minor + refunded_minor) * i128::from(per);
        prop_assert!(paid_back <= price_of(taken + unspent_credits));
        prop_assert!(paid_back + i128::from(step_minor) * i128::from(per) > price_of(taken + unspent_credits)
            || plan.amount_minor + step_minor > total_amount_minor - refunded_minor);
    }
}
