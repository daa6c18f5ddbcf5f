use super::*;
use crate::domain::fees::{FeeMode, FeePolicy, RatePercent};
use crate::domain::pricing::{PriceSettings, QuoteError};

fn fees(fixed_minor: i64) -> FeePolicy {
    let rate = RatePercent::parse("2.9").expect("a rate");
    FeePolicy { mode: FeeMode::GrossUp, rate, fixed_minor, label: "Processing fee".to_owned(), tax: None }
}

fn pricing(currency: &str, price: &str) -> Pricing {
    let price = UnitPrice::parse(price).expect("a price");
    Pricing::new(PriceSettings {
        currency: Currency::parse(currency).expect("a currency"),
        unit_credits: price.unit_credits(1).expect("a unit"),
        unit_amount_minor: price.unit_amount_minor(),
        fees: fees(30),
        min_credits: 1,
        max_credits: 100_000,
        decimals: DisplayDecimals::default(),
        bonuses: BonusTiers::default(),
        expiry: None,
    })
    .expect("a price list")
}

#[test]
fn a_price_with_decimals_is_the_fewest_credits_that_cost_a_whole_amount() {
    for (text, credits, amount) in [
        ("1", 1, 1),
        ("0.95", 20, 19),
        ("0.5", 2, 1),
        ("2.50", 2, 5),
        ("150", 1, 150),
        ("0.001", 1_000, 1),
        ("1.000000000000", 1, 1),
    ] {
        let price = UnitPrice::parse(text).expect(text);
        assert_eq!((price.unit_credits(1), price.unit_amount_minor()), (Ok(credits), amount), "{text}");
    }
    // Of larger units, each a price.
    assert_eq!(UnitPrice::parse("0.95").expect("a price").unit_credits(10_000), Ok(200_000));
}

#[test]
fn what_is_no_price_is_refused() {
    for text in ["", "0", "0.0", "-1", "+1", "1,5", "1e3", ".5", "5.", " 1", "0.0000000000001", "99999999999999999999"]
    {
        assert_eq!(UnitPrice::parse(text), Err(InvalidUnitPrice::NotAPrice), "{text}");
    }
    let fine = UnitPrice::parse("0.0000001").expect("a price");
    assert_eq!(fine.unit_credits(1), Err(InvalidUnitPrice::TooFine { credits: 10_000_000 }));
}

#[test]
fn each_currency_has_its_price_and_others_are_refused_with_those_that_there_are() {
    let list = PriceList::new(1, pricing("usd", "1"), vec![pricing("eur", "0.95"), pricing("jpy", "1.5")]);
    assert_eq!(list.sold_in(), ["usd", "eur", "jpy"]);
    let quote = |currency: Option<&str>, credits| {
        let currency = currency.map(|currency| Currency::parse(currency).expect("a currency"));
        list.of(currency).expect("sold").quote(credits)
    };
    assert_eq!(quote(None, 1_000).map(|quote| quote.credits_amount_minor), Ok(1_000));
    assert_eq!(quote(Some("eur"), 1_000).map(|quote| quote.credits_amount_minor), Ok(950));
    assert_eq!(quote(Some("jpy"), 1_000).map(|quote| quote.credits_amount_minor), Ok(1_500));
    assert_eq!(quote(Some("eur"), 1_001), Err(QuoteError::NotAMultiple { multiple: 20, below: 1_000, above: 1_020 }));
    let refused = list.of(Some(Currency::parse("gbp").expect("a currency"))).expect_err("not sold");
    assert_eq!(refused.to_string(), "credits are not sold in this currency; they are sold in usd, eur, jpy");
}
