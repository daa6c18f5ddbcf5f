use proptest::prelude::*;

use super::*;
use crate::domain::fees::{FeeMode, RatePercent};
use crate::domain::reversal::credits_taken;

fn fees(mode: FeeMode) -> FeePolicy {
    let rate = RatePercent::parse("2.9").expect("a rate");
    FeePolicy { mode, rate, fixed_minor: 30, label: "Processing fee".to_owned(), tax: None }
}

/// Gross up, from 1 to 100,000 credits, as the settings' defaults.
fn settings(currency: Currency, unit_credits: i64, unit_amount_minor: i64) -> PriceSettings {
    PriceSettings {
        currency,
        unit_credits,
        unit_amount_minor,
        fees: fees(FeeMode::GrossUp),
        min_credits: 1,
        max_credits: 100_000,
        decimals: DisplayDecimals::default(),
        bonuses: BonusTiers::default(),
        expiry: None,
    }
}

fn usd(mode: FeeMode) -> Pricing {
    Pricing::new(PriceSettings { fees: fees(mode), ..settings(Currency::USD, 1, 1) }).expect("valid")
}

/// 10,000 credits cost 1 cent.
fn millionths(min_credits: i64, max_credits: i64) -> Result<Pricing, InvalidPricing> {
    Pricing::new(PriceSettings { min_credits, max_credits, ..settings(Currency::USD, 10_000, 1) })
}

#[test]
fn a_quote_adds_up() {
    let quote = usd(FeeMode::GrossUp).quote(250).expect("for sale");
    assert_eq!((quote.credits_amount_minor, quote.fee_amount_minor, quote.total_amount_minor), (250, 39, 289));
}

#[test]
fn the_smallest_purchase_is_the_fewest_credits_that_reach_the_minimum_charge() {
    assert_eq!(usd(FeeMode::Absorb).quote(49), Err(QuoteError::TooFew { smallest: 50 }));
    assert_eq!(usd(FeeMode::GrossUp).quote(17), Err(QuoteError::TooFew { smallest: 18 }));
    assert_eq!(usd(FeeMode::GrossUp).quote(18).map(|quote| quote.total_amount_minor), Ok(50));
    assert_eq!(usd(FeeMode::GrossUp).quote(0), Err(QuoteError::TooFew { smallest: 18 }));
    assert_eq!(usd(FeeMode::GrossUp).quote(-5), Err(QuoteError::TooFew { smallest: 18 }));
}

#[test]
fn the_largest_purchase_is_named() {
    assert_eq!(usd(FeeMode::GrossUp).quote(100_001), Err(QuoteError::TooMany { largest: 100_000 }));
    assert_eq!(usd(FeeMode::GrossUp).quote(i64::MAX), Err(QuoteError::TooMany { largest: 100_000 }));
}

#[test]
fn every_purchase_that_is_for_sale_has_two_lines_that_make_the_total() {
    let pricing = usd(FeeMode::GrossUp);
    for credits in pricing.smallest()..=pricing.largest() {
        let quote = pricing.quote(credits).expect("for sale");
        assert_eq!(quote.credits_amount_minor, credits);
        assert_eq!(quote.credits_amount_minor + quote.fee_amount_minor, quote.total_amount_minor);
        assert!((50..=99_999_999).contains(&quote.total_amount_minor));
    }
}

#[test]
fn what_can_be_sold_ends_where_the_currency_does() {
    let idr = Currency::parse("idr").expect("known");
    let make = |max_credits| Pricing::new(PriceSettings { max_credits, ..settings(idr, 1, 1_600_000) });
    // 600,000 credits of 16,000 rupiah each.
    let pricing = make(600_000).expect("valid");
    assert_eq!(pricing.quote(600_000).map(|quote| quote.total_amount_minor), Ok(988_671_472_740));
    let above = InvalidPricing::MaximumAboveMaximumCharge { maximum: 999_999_999_999, currency: idr };
    assert_eq!(make(610_000), Err(above));
}

#[test]
fn the_smallest_purchase_can_be_charged_at_the_rate_of_every_card() {
    let with = |rates| usd(FeeMode::GrossUp).with_card_rates(CardRates::parse(rates).expect("a table"));
    // 18 credits and 30 are 50 at 2.9 %, and less than 50 at 1.5 %.
    let pricing = with("EEA:1.5%,other:4.4%").expect("valid");
    assert_eq!(pricing.quote(18), Err(QuoteError::TooFew { smallest: 19 }));
    let total = |country| pricing.for_card(country).quote(19).map(|quote| quote.total_amount_minor);
    assert_eq!((total(Some("DE")), total(Some("US")), total(None)), (Ok(50), Ok(52), Ok(51)));
    assert_eq!(pricing.for_card(Some("US")).quote(18), Err(QuoteError::TooFew { smallest: 19 }));
    // Dearer cards leave the smallest purchase as it is. The largest must be a charge with each of them.
    assert_eq!(with("other:4.4%").expect("valid").smallest(), 18);
    let above = InvalidPricing::MaximumAboveMaximumCharge { maximum: 99_999_999, currency: Currency::USD };
    assert_eq!(with("US:2.9%,other:99.9999%"), Err(above));
}

#[test]
fn limits_that_cannot_hold_are_refused() {
    let isk = Currency::parse("isk").expect("known");
    let make = |currency, unit, min_credits, max_credits| {
        Pricing::new(PriceSettings { min_credits, max_credits, ..settings(currency, 1, unit) })
    };
    assert_eq!(make(Currency::USD, 0, 1, 10), Err(InvalidPricing::UnitAmount { step: 1, currency: Currency::USD }));
    assert_eq!(make(isk, 150, 1, 10), Err(InvalidPricing::UnitAmount { step: 100, currency: isk }));
    assert_eq!(make(Currency::USD, 1, 0, 10), Err(InvalidPricing::Range));
    assert_eq!(make(Currency::USD, 1, 11, 10), Err(InvalidPricing::Range));
    let above = InvalidPricing::MaximumAboveMaximumCharge { maximum: 99_999_999, currency: Currency::USD };
    assert_eq!(make(Currency::USD, 1, 1, 100_000_000), Err(above.clone()));
    assert_eq!(make(Currency::USD, i64::MAX, 1, 2), Err(above));
    assert!(matches!(make(Currency::USD, 1, 1, 10), Err(InvalidPricing::MaximumBelowMinimumCharge { .. })));
}

#[test]
fn a_purchase_is_a_whole_number_of_units() {
    let pricing = millionths(1, 10_000_000).expect("valid");
    let quote = pricing.quote(2_500_000).expect("for sale");
    assert_eq!((quote.credits_amount_minor, quote.fee_amount_minor, quote.total_amount_minor), (250, 39, 289));
    for (credits, below, above) in
        [(2_500_001, 2_500_000, 2_510_000), (2_509_999, 2_500_000, 2_510_000), (9_999_999, 9_990_000, 10_000_000)]
    {
        let error = pricing.quote(credits).expect_err("not a multiple");
        assert_eq!(error, QuoteError::NotAMultiple { multiple: 10_000, below, above });
        assert_eq!(error.code(), "not_a_multiple");
        let message = error.to_string();
        assert!([10_000, below, above].iter().all(|number| message.contains(&number.to_string())), "{message}");
    }
}

#[test]
fn the_limits_are_rounded_inwards_to_whole_units() {
    let pricing = millionths(1_234_567, 7_654_321).expect("valid");
    assert_eq!((pricing.smallest(), pricing.largest()), (1_240_000, 7_650_000));
    assert_eq!(pricing.quote(1_239_999), Err(QuoteError::TooFew { smallest: 1_240_000 }));
    assert_eq!(pricing.quote(7_650_001), Err(QuoteError::TooMany { largest: 7_650_000 }));
    // The fewest units that reach the smallest charge: 18 cents and their fee.
    assert_eq!(millionths(1, 7_654_321).expect("valid").smallest(), 180_000);
}

#[test]
fn a_unit_that_fits_nowhere_is_refused_with_the_settings() {
    let error = millionths(10_001, 19_999).expect_err("no multiple");
    assert_eq!(error, InvalidPricing::NoMultiple { multiple: 10_000, min: 10_001, max: 19_999 });
    let text = error.to_string();
    for name in ["10000 credits (by CREDIT_UNIT_CREDITS", "MIN_CREDITS (10001)", "MAX_CREDITS (19999)"] {
        assert!(text.contains(name), "{text}");
    }
    assert_eq!(millionths(1, 9_999), Err(InvalidPricing::NoMultiple { multiple: 10_000, min: 1, max: 9_999 }));
    // 10 cents: the default of MAX_CREDITS.
    let too_little = millionths(1, 100_000).expect_err("below the smallest charge");
    assert!(matches!(too_little, InvalidPricing::MaximumBelowMinimumCharge { .. }), "{too_little}");
    assert!(too_little.to_string().contains("CREDIT_UNIT_CREDITS"), "{too_little}");
    for unit_credits in [0, -1, 1_000_001, i64::MAX] {
        let refused = Pricing::new(settings(Currency::USD, unit_credits, 1));
        assert_eq!(refused, Err(InvalidPricing::UnitCredits), "{unit_credits}");
    }
}

/// API clients read whole numbers up to 2^53 - 1 exactly.
#[test]
fn a_purchase_beyond_what_javascript_counts_is_refused() {
    let largest = (1_i64 << 53) - 1;
    let make = |max_credits| Pricing::new(PriceSettings { max_credits, ..settings(Currency::USD, 1_000_000, 1) });
    assert_eq!(make(largest + 1), Err(InvalidPricing::TooManyCredits));
    assert_ne!(make(largest), Err(InvalidPricing::TooManyCredits));
    let rupiah = Currency::parse("idr").expect("known");
    let million = PriceSettings { max_credits: largest, ..settings(rupiah, 1_000_000, 100) };
    assert_eq!(Pricing::new(million).map(|pricing| pricing.largest()), Ok(9_007_199_254_000_000));
}

/// Every small unit, every number of credits: whole units within the limits are for sale at their exact price, nothing
/// else is, and what is refused is told the nearest numbers that are for sale.
#[test]
fn every_number_of_credits_is_for_sale_or_told_the_nearest_that_is() {
    for (unit_credits, amount) in (1..=12).flat_map(|credits| (1..=12).map(move |amount| (credits, amount))) {
        let limits =
            PriceSettings { min_credits: 7, max_credits: 900, ..settings(Currency::USD, unit_credits, amount) };
        let pricing = Pricing::new(limits).expect("valid");
        let is_sold = |credits: i64| pricing.quote(credits).is_ok();
        assert!(is_sold(pricing.smallest()) && is_sold(pricing.largest()));
        for credits in -1..=901 {
            let is_within = (pricing.smallest()..=pricing.largest()).contains(&credits);
            match pricing.quote(credits) {
                Ok(quote) => {
                    assert!(is_within && credits % unit_credits == 0 && (7..=900).contains(&credits));
                    assert_eq!(quote.credits_amount_minor, credits / unit_credits * amount);
                    assert_eq!(quote.credits_amount_minor + quote.fee_amount_minor, quote.total_amount_minor);
                    assert!((50..=99_999_999).contains(&quote.total_amount_minor));
                    assert_eq!(credits_taken(credits, quote.unit, quote.credits_amount_minor), credits);
                    assert!(credits_taken(credits, quote.unit, quote.credits_amount_minor - 1) < credits);
                }
                Err(QuoteError::TooFew { smallest }) => assert!(credits < smallest && is_sold(smallest)),
                Err(QuoteError::TooMany { largest }) => assert!(credits > largest && is_sold(largest)),
                Err(QuoteError::NotAMultiple { multiple, below, above }) => {
                    assert!(is_within && credits % multiple != 0 && below < credits && credits < above);
                    assert!(above - below == multiple && is_sold(below) && is_sold(above));
                }
            }
        }
        // One unit less is below the smallest purchase or charge.
        let less = pricing.smallest() - unit_credits;
        assert!(less < 7 || pricing.charge_minor(less).expect("small") < 50, "{unit_credits} for {amount}: {less}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Any unit up to the largest: what is sold costs exactly its units, and the whole price gives all credits back.
    #[test]
    fn what_is_sold_is_given_back_whole(
        unit_credits in 1_i64..=1_000_000,
        unit_amount in 1_i64..=1_000,
        units in 100_i64..=90_000,
        more in 0_i64..1_000_000,
        bought in 0_i64..=90_000,
        currency in prop::sample::select(vec!["usd", "jpy", "kwd", "isk", "idr"]),
    ) {
        let currency = Currency::parse(currency).expect("known");
        let step = currency.step_minor();
        let unit_amount = (unit_amount / step).max(1) * step;
        let max_credits = units * unit_credits + more % unit_credits;
        let limits = PriceSettings { max_credits, ..settings(currency, unit_credits, unit_amount) };
        let pricing = Pricing::new(limits).expect("valid");
        prop_assert_eq!(pricing.largest(), units * unit_credits);
        let fewest = pricing.smallest() / unit_credits;
        let bought = fewest + bought % (units - fewest + 1);
        let credits = bought * unit_credits;
        let quote = pricing.quote(credits).expect("for sale");
        prop_assert_eq!(quote.credits_amount_minor, bought * unit_amount);
        prop_assert_eq!(credits_taken(credits, quote.unit, quote.credits_amount_minor), credits);
        prop_assert_eq!(credits_taken(credits, quote.unit, quote.total_amount_minor), credits);
    }
}

#[test]
fn a_quote_has_the_bonus_and_the_end_of_its_credits() {
    let bonuses = BonusTiers::parse("1000:5%").expect("tiers");
    let expiry = ExpiryDays::new(365);
    let pricing = Pricing::new(PriceSettings { bonuses, expiry, ..settings(Currency::USD, 1, 1) }).expect("valid");
    let quote = |credits| pricing.quote(credits).expect("for sale");
    assert_eq!((quote(999).bonus_credits, quote(1_000).bonus_credits), (0, 50));
    // A bonus costs nothing.
    let plain = usd(FeeMode::GrossUp).quote(1_000).expect("for sale");
    assert_eq!((quote(1_000).total_amount_minor, quote(1_000).expiry), (plain.total_amount_minor, expiry));
}

#[test]
fn the_largest_purchase_is_exact_with_its_bonus() {
    let rupiah = Currency::parse("idr").expect("a currency");
    let make = |max_credits, tiers| {
        let bonuses = BonusTiers::parse(tiers).expect("tiers");
        Pricing::new(PriceSettings { max_credits, bonuses, ..settings(rupiah, 1_000_000, 100) })
    };
    let half = 4_503_599_627_000_000;
    assert!(make(half, "1000:100%").is_ok());
    assert_eq!(make(half + 1_000_000, "1000:100%").expect_err("too many"), InvalidPricing::Bonus);
}
