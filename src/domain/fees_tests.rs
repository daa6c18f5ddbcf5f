//! The gross-up compared with an independent integer formula, for every price up to 2,000,000 minor units.

use proptest::prelude::*;

use super::*;
use crate::domain::tax::TaxBehavior;

fn policy(rate: &str, fixed_minor: i64) -> FeePolicy {
    FeePolicy {
        mode: FeeMode::GrossUp,
        rate: RatePercent::parse(rate).expect("a rate"),
        fixed_minor,
        label: "Processing fee".to_owned(),
        tax: None,
    }
}

/// The rate in millionths, parsed without the production code: `2.9` is 29,000.
fn millionths(rate: &str) -> i128 {
    let (whole, fraction) = rate.split_once('.').unwrap_or((rate, ""));
    format!("{whole}{fraction:0<4}").parse().expect("digits")
}

/// What is left of a charge, in millionths of a minor unit.
fn net_millionths(charge: i64, rate: &str, fixed: i64) -> i128 {
    i128::from(charge) * (1_000_000 - millionths(rate)) - i128::from(fixed) * 1_000_000
}

fn assert_smallest_sufficient(charge: i64, price: i64, rate: &str, fixed: i64, step: i64) {
    let wanted = i128::from(price) * 1_000_000;
    assert_eq!(charge % step, 0, "{price} at {rate} % + {fixed}");
    assert!(net_millionths(charge, rate, fixed) >= wanted, "{price} at {rate} % + {fixed}: {charge} loses money");
    assert!(net_millionths(charge - step, rate, fixed) < wanted, "{price} at {rate} % + {fixed}: {charge} is too much");
}

const SCHEDULES: [(&str, i64); 6] = [("2.9", 30), ("1.5", 20), ("3.25", 20), ("3.6", 0), ("0", 0), ("4.4001", 49)];

#[test]
fn every_charge_to_two_million_is_the_smallest_that_leaves_the_price() {
    for (rate, fixed) in SCHEDULES {
        let policy = policy(rate, fixed);
        let denominator = 1_000_000 - millionths(rate);
        let mut before = 0;
        for price in 1..=2_000_000_i64 {
            let charge = policy.charge_minor(price, Currency::USD).expect("fits");
            let formula = (i128::from(price + fixed) * 1_000_000 + denominator - 1) / denominator;
            assert_eq!(i128::from(charge), formula, "{price} at {rate} % + {fixed}");
            assert_smallest_sufficient(charge, price, rate, fixed, 1);
            assert!(charge > before, "{price} at {rate} % + {fixed}: a higher price must cost more");
            before = charge;
        }
    }
}

#[test]
fn what_stripe_keeps_leaves_the_price_for_every_charge() {
    // Known mistake 14. Stripe's fee is rounded half up; computed here with integers only.
    let policy = policy("2.9", 30);
    for price in 1..=200_000_i64 {
        let charge = policy.charge_minor(price, Currency::USD).expect("fits");
        let stripe_keeps = (charge * 29 + 500) / 1_000 + 30;
        assert_eq!(policy.expected_processor_fee_minor(charge), Some(stripe_keeps));
        assert!(charge - stripe_keeps >= price, "{price}");
    }
}

/// Stripe takes its share of the tax too (BILLING: gross-up with tax).
#[test]
fn with_tax_on_top_the_price_is_left_after_tax_and_fee() {
    let taxed = |percent, behavior| {
        let rate = RatePercent::parse(percent).expect("a rate");
        FeePolicy { tax: Some(AssumedTax { behavior, rate }), ..policy("2.9", 30) }
    };
    assert_eq!(taxed("0", TaxBehavior::Exclusive).charge_minor(1_000, Currency::USD), Ok(1_061));
    let twenty = taxed("20", TaxBehavior::Exclusive);
    assert_eq!(twenty.charge_minor(1_000, Currency::USD), Ok(1_068));
    assert_eq!(twenty.expected_processor_fee_minor(1_068), Some(67));
    for (percent, thousandths) in [("7.7", 77), ("19", 190), ("20", 200), ("25.5", 255)] {
        for price in 50..=20_000_i64 {
            let charge = taxed(percent, TaxBehavior::Exclusive).charge_minor(price, Currency::USD).expect("fits");
            // Tax of each line is rounded by itself, by at most half a cent either way.
            for tax in [(charge * thousandths).div_euclid(1_000) - 1, (charge * thousandths).div_euclid(1_000) + 1] {
                let stripe_keeps = ((charge + tax) * 29 + 500) / 1_000 + 30;
                assert!(charge - stripe_keeps >= price, "{price} with {percent} %: {charge} and {tax} of tax");
            }
            let less = charge - 1;
            let keeps = less * 29 * (1_000 + thousandths) + 30 * 1_000_000;
            assert!(less * 1_000_000 - keeps < price * 1_000_000, "{price} with {percent} %: {charge} is too much");
        }
    }
}

#[test]
fn prices_that_contain_tax_are_left_less_their_tax() {
    for (percent, thousandths) in [("7.7", 77_i64), ("20", 200), ("25.5", 255)] {
        let rate = RatePercent::parse(percent).expect("a rate");
        let tax = Some(AssumedTax { behavior: TaxBehavior::Inclusive, rate });
        let policy = FeePolicy { tax, ..policy("2.9", 30) };
        for price in 50..=20_000_i64 {
            let charge = policy.charge_minor(price, Currency::USD).expect("fits");
            // In millionths, with the tax taken out of both: (charge - price) / (1 + t) >= charge * r + f.
            let left = |charge: i64| {
                i128::from(charge - price) * 1_000_000
                    - i128::from(charge * 29 + 30_000) * i128::from(1_000 + thousandths)
            };
            assert!(left(charge) >= 0 && left(charge - 1) < 0, "{price} with {percent} %: {charge}");
            assert_eq!(policy.expected_processor_fee_minor(charge), Some((charge * 29 + 500) / 1_000 + 30));
        }
    }
}

#[test]
fn a_fee_and_a_tax_that_leave_nothing_are_known() {
    let taxed = |percent, rate| {
        let tax = RatePercent::parse(percent).expect("a rate");
        FeePolicy { tax: Some(AssumedTax { behavior: TaxBehavior::Exclusive, rate: tax }), ..policy(rate, 30) }
    };
    assert!(taxed("99", "50").leaves_something() && policy("99.9999", 0).leaves_something());
    assert!(!taxed("99", "51").leaves_something());
    assert_eq!(taxed("99", "51").charge_minor(100, Currency::USD), Err(FeeError::TooLarge));
}

#[test]
fn the_published_examples_hold() {
    let policy = policy("2.9", 30);
    for (price, charge) in [(250, 289), (10_000, 10_330), (1_000, 1_061), (1, 32), (0, 31)] {
        assert_eq!(policy.charge_minor(price, Currency::USD), Ok(charge));
    }
    assert_eq!(policy.expected_processor_fee_minor(289), Some(38));
    assert_eq!(policy.expected_processor_fee_minor(10_330), Some(330));
}

#[test]
fn steps_are_respected_for_all_currencies_that_have_them() {
    for (code, price_step) in [("isk", 100), ("ugx", 100), ("kwd", 10), ("tnd", 10), ("jpy", 1)] {
        let currency = Currency::parse(code).expect("known");
        let policy = policy("2.9", 30);
        for price in (price_step..=300_000).step_by(price_step) {
            let price = i64::try_from(price).expect("small");
            let charge = policy.charge_minor(price, currency).expect("fits");
            assert_smallest_sufficient(charge, price, "2.9", 30, currency.step_minor());
        }
    }
    let krona = Currency::parse("isk").expect("known");
    assert_eq!(policy("2.9", 30).charge_minor(150, krona), Err(FeeError::NotAnAmount));
}

#[test]
fn absorbing_the_fee_charges_the_price() {
    let policy = FeePolicy { mode: FeeMode::Absorb, ..policy("2.9", 30) };
    assert_eq!(policy.charge_minor(250, Currency::USD), Ok(250));
    assert_eq!(policy.expected_processor_fee_minor(250), Some(37));
}

#[test]
fn amounts_out_of_range_are_refused_and_do_not_overflow() {
    let nearly_all = policy("99.9999", 30);
    assert_eq!(nearly_all.charge_minor(i64::MAX, Currency::USD), Err(FeeError::TooLarge));
    let policy = policy("2.9", 30);
    assert_eq!(policy.charge_minor(-1, Currency::USD), Err(FeeError::NotAnAmount));
    assert_eq!(policy.charge_minor(i64::MAX, Currency::USD), Err(FeeError::TooLarge));
    assert_eq!(policy.charge_minor(97_099_969, Currency::USD), Ok(99_999_999));
    assert_eq!(policy.charge_minor(97_099_970, Currency::USD), Err(FeeError::TooLarge));
}

#[test]
fn rates_are_decimal_text_with_at_most_four_decimals() {
    for text in ["0", "2.9", "2.90", "99.9999", "0.0001", "10"] {
        assert!(RatePercent::parse(text).is_ok(), "{text}");
    }
    for text in ["", "-1", "+1", "100", "2,9", "2.", ".5", "1e1", "2.90001", " 2.9", "NaN", "2_9", "٢"] {
        assert_eq!(RatePercent::parse(text), Err(InvalidRate), "{text}");
    }
    assert_eq!(RatePercent::parse("2.90").expect("a rate").to_string(), "2.9");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_schedule_gives_the_smallest_sufficient_charge(
        price in 0_i64..90_000_000,
        rate_whole in 0_u32..100,
        rate_fraction in 0_u32..10_000,
        fixed in 0_i64..100_000,
        currency in prop::sample::select(vec!["usd", "jpy", "kwd", "isk"]),
    ) {
        let currency = Currency::parse(currency).expect("known");
        let step = currency.step_minor();
        let price = price / step * step;
        let rate = format!("{rate_whole}.{rate_fraction:04}");
        match policy(&rate, fixed).charge_minor(price, currency) {
            Ok(charge) => assert_smallest_sufficient(charge, price, &rate, fixed, step),
            Err(error) => {
                prop_assert_eq!(error, FeeError::TooLarge);
                prop_assert!(net_millionths(currency.maximum_charge_minor() / step * step, &rate, fixed) < i128::from(price) * 1_000_000);
            }
        }
    }
}
