use super::*;
use crate::domain::provider::ProviderName;

fn unit(credits: i64, amount_minor: i64) -> CreditUnit {
    CreditUnit::new(credits, amount_minor).expect("a unit")
}

#[test]
fn a_refund_takes_what_its_money_paid_for_and_the_fee_last() {
    // 250 credits for 250 ¢ and a fee line of 39 ¢.
    for (reversed, taken) in
        [(0, 0), (1, 1), (100, 100), (249, 249), (250, 250), (251, 250), (289, 250), (i64::MAX, 250)]
    {
        assert_eq!(credits_taken(250, unit(1, 1), reversed), taken, "{reversed}");
    }
}

#[test]
fn money_for_a_part_of_a_credit_takes_none() {
    for (reversed, taken) in [(6, 0), (7, 1), (13, 1), (14, 2), (69, 9), (70, 10), (71, 10)] {
        assert_eq!(credits_taken(10, unit(1, 7), reversed), taken, "{reversed}");
    }
}

#[test]
fn the_smallest_coin_takes_many_small_credits() {
    // 2,500,000 credits for 250 ¢ and a fee line of 39 ¢.
    for (reversed, taken) in [(0, 0), (1, 10_000), (249, 2_490_000), (250, 2_500_000), (289, 2_500_000)] {
        assert_eq!(credits_taken(2_500_000, unit(10_000, 1), reversed), taken, "{reversed}");
    }
    // 3 credits for 2 ¢: one of them pays for one and a half.
    for (reversed, taken) in [(1, 1), (2, 3), (3, 4), (4, 6), (-1, 0), (i64::MIN, 0)] {
        assert_eq!(credits_taken(6, unit(3, 2), reversed), taken, "{reversed}");
    }
}

/// Every amount of every small top-up: never more credits than were sold, all of them once their price is back, never
/// fewer when more money goes back, and no credit that the money did not pay for in full.
#[test]
fn whatever_goes_back_the_credits_follow_it() {
    for (per_unit, price) in (1..=9).flat_map(|credits| (1..=9).map(move |price| (credits, price))) {
        let unit = unit(per_unit, price);
        for units in 1..=20 {
            let (credits, mut before) = (units * per_unit, 0);
            for reversed in 0..=units * price + 40 {
                let taken = credits_taken(credits, unit, reversed);
                assert!((before..=credits).contains(&taken));
                assert!(taken * price <= reversed * per_unit, "more was taken than the money paid for");
                assert!(taken == credits || (taken + 1) * price > reversed * per_unit, "a credit was left out");
                assert_eq!(taken == credits, reversed >= units * price);
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

fn dispute(status: &str, movements: &[(i64, &str)]) -> DisputeReport {
    let movement =
        |&(amount_minor, currency): &(i64, &str)| DisputeMovement { amount_minor, currency: currency.to_owned() };
    DisputeReport {
        stranger: None,
        id: DisputeId::parse(ProviderName::new("stripe"), "du_1").expect("an id"),
        payment: None,
        amount_minor: 289,
        currency: "usd".to_owned(),
        status: status.to_owned(),
        reason: None,
        evidence_due_seconds: None,
        movements: movements.iter().map(movement).collect(),
        livemode: false,
        created_seconds: 0,
    }
}

fn reversed(status: &str, movements: &[(i64, &str)]) -> i64 {
    dispute(status, movements).reversed_minor()
}

const CHARGEBACKS: [&str; 6] =
    ["needs_response", "under_review", "lost", "appeal_needs_response", "appeal_under_review", "new"];
const INQUIRIES: [&str; 4] = ["warning_needs_response", "warning_under_review", "warning_closed", "prevented"];

#[test]
fn the_status_of_a_dispute_decides_when_no_movement_is_shown() {
    for status in INQUIRIES {
        assert_eq!(reversed(status, &[]), 0, "{status}");
        assert_eq!(reversed(status, &[(-289, "usd")]), 0, "{status}: an inquiry has no money");
    }
    for status in CHARGEBACKS {
        assert_eq!(reversed(status, &[]), 289, "{status}");
        assert_eq!(reversed(status, &[(-289, "usd")]), 289, "{status}");
        assert_eq!(reversed(status, &[(-289, "usd"), (289, "usd")]), 0, "{status}: it came back");
    }
    assert_eq!(reversed("won", &[]), 0);
    assert_eq!(reversed("won", &[(-289, "usd")]), 0, "what was won is about to come back");
}

/// Known mistake 34.
#[test]
fn a_small_correction_of_a_lost_dispute_is_a_small_amount() {
    let movements = [(-289, "usd"), (2, "usd")];
    assert_eq!(reversed("lost", &movements), 287);
    assert_eq!(reversed("lost", &[(2, "usd"), (-289, "usd")]), 287, "their order says nothing");
    assert_eq!(reversed("lost", &[(2, "usd")]), 287, "the withdrawal is not shown");
    assert_eq!(reversed("lost", &[(-289, "usd"), (289, "usd"), (-289, "usd"), (2, "usd")]), 287);
    assert_eq!(reversed("lost", &[(-289, "usd"), (-2, "usd")]), 289, "never more than the dispute is about");
    assert_eq!(reversed("won", &[(-289, "usd"), (289, "usd"), (-2, "usd")]), 2);
}

#[test]
fn a_dispute_that_is_won_in_part_takes_the_other_part() {
    assert_eq!(reversed("won", &[(-289, "usd"), (100, "usd")]), 189);
    assert_eq!(reversed("lost", &[(-289, "usd"), (100, "usd")]), 189);
    assert_eq!(reversed("won", &[(-289, "usd"), (100, "usd"), (-100, "usd")]), 0, "won again, and about to come back");
    assert_eq!(reversed("won", &[(100, "usd")]), 189, "the withdrawal is not shown");
}

#[test]
fn movements_in_another_currency_count_by_their_share() {
    // 289 ¢ were 268 c, and a correction is in euro cents too.
    assert_eq!(reversed("lost", &[(-268, "eur"), (2, "eur")]), 287);
    assert_eq!(reversed("lost", &[(-268, "eur"), (134, "eur")]), 145);
    assert_eq!(reversed("won", &[(-268, "eur"), (251, "eur")]), 0, "the rate moved");
    assert_eq!(reversed("won", &[(-268, "eur"), (280, "eur")]), 0);
    assert_eq!(reversed("won", &[(-268, "eur"), (134, "eur")]), 145);
    assert_eq!(
        reversed("won", &[(-30_000, "jpy"), (50, "jpy")]),
        288,
        "a sliver is back, and it does not count as lost"
    );
    assert_eq!(reversed("lost", &[(-268, "eur"), (260, "eur"), (-270, "eur")]), 289);
    assert_eq!(reversed("lost", &[(2, "eur")]), 289, "of what was withdrawn nothing is shown in that currency");
    assert_eq!(reversed("lost", &[(-268, "eur"), (2, "gbp")]), 289);
    assert!(dispute("won", &[(-268, "eur"), (134, "eur")]).doubt().is_some());
    assert!(dispute("lost", &[(-289, "usd"), (289, "usd")]).doubt().is_some());
    for (status, movements) in
        [("won", vec![(-268, "eur"), (251, "eur")]), ("won", vec![(-289, "usd"), (100, "usd")]), ("lost", vec![])]
    {
        assert_eq!(dispute(status, &movements).doubt(), None, "{status} {movements:?}");
    }
}

/// Every list of up to four movements in one currency, in every order: the result is between zero and the dispute's
/// amount, money that is certainly back is not taken, money that is not back is taken, and order does not matter.
#[test]
fn whatever_moved_only_what_is_back_is_given_back() {
    let amounts = [-289, 289, -100, 100, 2, -2];
    let mut lists: Vec<Vec<i64>> = vec![Vec::new()];
    for _ in 0..4 {
        let longer = lists.iter().flat_map(|list| amounts.map(|amount| [list.as_slice(), &[amount]].concat()));
        let longer: Vec<Vec<i64>> = longer.collect();
        lists.extend(longer);
    }
    for list in lists {
        let (gone, back) = list
            .iter()
            .fold((0, 0), |(gone, back), moved| if *moved < 0 { (gone - moved, back) } else { (gone, back + moved) });
        let movements: Vec<(i64, &str)> = list.iter().map(|amount| (*amount, "usd")).collect();
        let mut turned = movements.clone();
        turned.reverse();
        for status in CHARGEBACKS.into_iter().chain(["won"]) {
            let taken = reversed(status, &movements);
            assert_eq!(taken, reversed(status, &turned), "{status} {list:?}");
            let expected = (gone.max(289) - back).clamp(0, 289);
            let expected = if status == "won" && expected == 289 { 0 } else { expected };
            assert_eq!(taken, expected, "{status} {list:?}");
        }
        for status in INQUIRIES {
            assert_eq!(reversed(status, &movements), 0);
        }
    }
}

mod random {
    use proptest::prelude::*;

    use super::super::*;

    /// A unit of any size.
    fn units() -> impl Strategy<Value = CreditUnit> {
        let unit = |(credits, amount)| CreditUnit::new(credits, amount).expect("a unit");
        (1_i64..=1_000_000, prop_oneof![1_i64..=1_000, 1_i64..=999_999_999_999]).prop_map(unit)
    }

    fn movements() -> impl Strategy<Value = Vec<DisputeMovement>> {
        let amount = prop_oneof![4 => -1_000_i64..1_000, 1 => any::<i64>()];
        let currency = prop::sample::select(vec!["usd", "eur", "jpy"]);
        let movement = (amount, currency)
            .prop_map(|(amount_minor, currency)| DisputeMovement { amount_minor, currency: currency.to_owned() });
        prop::collection::vec(movement, 0..6)
    }

    proptest! {
        /// The credits follow from the sum of what goes back, so parts take together what their sum takes at once, and
        /// the price takes everything.
        #[test]
        fn parts_take_together_what_their_sum_takes(
            unit in units(),
            units in 1_i64..=9_000_000,
            parts in prop::collection::vec(0_i64..=999_999_999_999, 1..6),
        ) {
            let credits = units * unit.credits();
            let (mut gone, mut taken) = (0, 0);
            for part in parts {
                gone += part;
                let now = credits_taken(credits, unit, gone);
                prop_assert!((taken..=credits).contains(&now));
                taken = now;
            }
            let exact = i128::from(gone) * i128::from(unit.credits()) / i128::from(unit.amount_minor());
            prop_assert_eq!(i128::from(taken), exact.min(i128::from(credits)));
            let price = unit.price_minor(credits).expect("a price");
            prop_assert_eq!(credits_taken(credits, unit, price), credits);
            prop_assert!(credits_taken(credits, unit, price - 1) < credits);
        }

        /// Whatever Stripe shows: the result is within the dispute's amount and the same in any order, one more cent
        /// that comes back never takes more, and one small credit never returns all credits of a lost dispute.
        #[test]
        fn nothing_that_is_shown_gives_more_back_than_came(
            movements in movements(),
            amount in 0_i64..2_000,
            status in prop::sample::select(vec!["lost", "won", "needs_response", "under_review", "appeal_under_review"]),
            credit in 1_i64..50,
        ) {
            let report = |movements: Vec<DisputeMovement>| DisputeReport {
                stranger: None,
                id: DisputeId::parse(crate::domain::provider::ProviderName::new("stripe"), "du_1").expect("an id"),
                payment: None,
                amount_minor: amount,
                currency: "usd".to_owned(),
                status: status.to_owned(),
                reason: None,
                evidence_due_seconds: None,
                movements,
                livemode: false,
                created_seconds: 0,
            };
            let before = report(movements.clone()).reversed_minor();
            prop_assert!((0..=amount).contains(&before));
            let mut turned = movements.clone();
            turned.reverse();
            prop_assert_eq!(before, report(turned).reversed_minor());
            let mut corrected = movements.clone();
            corrected.push(DisputeMovement { amount_minor: credit, currency: "usd".to_owned() });
            let after = report(corrected).reversed_minor();
            if status != "won" && movements.iter().all(|movement| movement.currency == "usd") {
                prop_assert!(after <= before && before - after <= credit, "{before} {after} {credit}");
            }
        }
    }
}
