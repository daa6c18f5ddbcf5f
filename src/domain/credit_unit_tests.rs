use proptest::prelude::*;

use super::*;

fn unit(credits: i64, amount_minor: i64) -> CreditUnit {
    CreditUnit::new(credits, amount_minor).expect("a unit")
}

fn decimals(number: i64) -> DisplayDecimals {
    DisplayDecimals::new(number).expect("a number of decimals")
}

#[test]
fn a_unit_is_within_its_limits() {
    for (credits, amount) in [(1, 1), (1_000_000, 999_999_999_999)] {
        assert_eq!(
            CreditUnit::new(credits, amount).map(|unit| (unit.credits(), unit.amount_minor())),
            Some((credits, amount))
        );
    }
    for (credits, amount) in
        [(0, 1), (-1, 1), (1_000_001, 1), (1, 0), (1, -5), (1, 1_000_000_000_000), (i64::MAX, i64::MAX)]
    {
        assert_eq!(CreditUnit::new(credits, amount), None, "{credits} for {amount}");
    }
}

/// Every small unit and number of credits: the price is exact or there is none, and it grows with the credits.
#[test]
fn a_price_is_exact_or_there_is_none() {
    for (per_unit, amount) in (1..=24).flat_map(|credits| (1..=24).map(move |amount| (credits, amount))) {
        let unit = unit(per_unit, amount);
        let fewest = unit.fewest_exact(1);
        for credits in 0..=per_unit * 4 {
            let price = unit.price_minor(credits);
            assert_eq!(price.is_some(), credits % fewest == 0, "{credits} of {unit:?}");
            assert!(price.is_none_or(|price| price * per_unit == credits * amount), "{credits} of {unit:?}: {price:?}");
            assert!(credits % per_unit != 0 || price == Some(credits / per_unit * amount));
        }
    }
}

#[test]
fn the_fewest_exact_credits_keep_to_the_step() {
    for (per_unit, amount, step, fewest) in
        [(1, 100, 100, 1), (10, 100, 100, 10), (10, 500, 100, 2), (10_000, 1, 1, 10_000), (4, 60, 10, 2), (7, 7, 1, 1)]
    {
        assert_eq!(unit(per_unit, amount).fewest_exact(step), fewest, "{per_unit} for {amount} in steps of {step}");
    }
}

#[test]
fn whole_units_lie_on_both_sides() {
    let cents = unit(10_000, 1);
    for (credits, below, above) in
        [(1, 0, 10_000), (9_999, 0, 10_000), (10_000, 10_000, 10_000), (10_001, 10_000, 20_000), (0, 0, 0)]
    {
        assert_eq!((cents.whole_up_to(credits), cents.whole_from(credits)), (below, Some(above)), "{credits}");
    }
    assert_eq!(cents.whole_from(i64::MAX), None);
    assert_eq!(unit(1, 1).whole_from(i64::MAX), Some(i64::MAX));
}

#[test]
fn a_price_that_does_not_fit_is_none() {
    assert_eq!(unit(1, 2).price_minor(i64::MAX), None);
    assert_eq!(unit(2, 1).price_minor(i64::MAX - 1), Some(i64::MAX / 2));
    assert_eq!(unit(1_000_000, 999_999_999_999).price_minor(9_000_000_000_000), Some(8_999_999_999_991_000_000));
}

#[test]
fn people_read_credits_with_their_decimals() {
    for (number, credits, text) in [
        (0, 250, "250"),
        (0, 0, "0"),
        (0, -7, "-7"),
        (1, 25, "2.5"),
        (1, 20, "2.0"),
        (2, 250, "2.50"),
        (2, 5, "0.05"),
        (2, -5, "-0.05"),
        (3, 2_500, "2.50"),
        (4, 25_000, "2.50"),
        (6, 2_500_000, "2.50"),
        (6, 145, "0.000145"),
        (6, 1_000_010, "1.00001"),
        (6, 0, "0.00"),
        (6, -1, "-0.000001"),
        (6, 9_007_199_254_740_991, "9007199254.740991"),
        (6, i64::MIN, "-9223372036854.775808"),
    ] {
        assert_eq!(decimals(number).format(credits), text, "{credits} with {number} decimals");
    }
    for wrong in [-1, 7, 256, i64::MAX] {
        assert_eq!(DisplayDecimals::new(wrong), None, "{wrong}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The text without its point is the number again: nothing is rounded.
    #[test]
    fn what_people_read_is_the_number(number in 0_i64..=6, credits in any::<i64>()) {
        let text = decimals(number).format(credits);
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let places = usize::try_from(number).expect("small");
        prop_assert!(fraction.len() <= places);
        prop_assert_eq!(format!("{whole}{fraction:0<places$}").parse::<i64>().ok(), Some(credits));
    }

    #[test]
    fn whole_units_have_the_price_of_so_many_units(
        per_unit in 1_i64..=MAX_UNIT_CREDITS,
        amount in 1_i64..=MAX_UNIT_AMOUNT_MINOR,
        units in 0_i64..=9_000_000,
    ) {
        prop_assert_eq!(unit(per_unit, amount).price_minor(units * per_unit), Some(units * amount));
    }
}
