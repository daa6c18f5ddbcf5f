use proptest::prelude::*;

use super::*;

/// The largest number of credits in a purchase.
const MOST: i64 = 9_007_199_254_740_991;

fn tiers(text: &str) -> BonusTiers {
    BonusTiers::parse(text).expect("tiers")
}

#[test]
fn a_purchase_gets_the_bonus_of_the_highest_tier_that_it_reaches() {
    let tiers = tiers("1000:5%, 5000:10%,20000:12.5%");
    for (credits, bonus) in [(1, 0), (999, 0), (1_000, 50), (1_019, 50), (1_020, 51), (4_999, 249), (5_000, 500)] {
        assert_eq!(tiers.bonus(credits), bonus, "{credits}");
    }
    assert_eq!((tiers.bonus(20_001), tiers.bonus(MOST)), (2_500, 1_125_899_906_842_623));
    assert_eq!(BonusTiers::default().bonus(MOST), 0);
    assert_eq!(BonusTiers::parse(&tiers.to_string()), Ok(tiers));
}

#[test]
fn percentages_are_exact() {
    for (text, share) in [("5", 500), ("0.01", 1), ("7.5", 750), ("7.05", 705), ("100", 10_000), ("100.00", 10_000)] {
        assert_eq!(super::share(text), Some(share), "{text}");
    }
    for text in ["0", "0.00", "100.01", "101", "1.234", "1.", ".5", "-1", "+1", "1e1", "", "1,5", "١"] {
        assert_eq!(super::share(text), None, "{text}");
    }
}

#[test]
fn each_mistake_names_its_tier() {
    let mistake = |text: &str| BonusTiers::parse(text).expect_err(text);
    for text in ["1000", "1000:5", "1000=5%", ":5%", "0:5%", "-1:5%", "1k:5%", "99999999999999999999:5%", ""] {
        assert_eq!(mistake(text), InvalidTiers::Form { tier: text.to_owned() });
    }
    assert_eq!(mistake("1000:5%,"), InvalidTiers::Form { tier: String::new() });
    assert_eq!(mistake("1000:0%"), InvalidTiers::Percent { tier: "1000:0%".to_owned() });
    assert_eq!(mistake("10:1%,1000:101%"), InvalidTiers::Percent { tier: "1000:101%".to_owned() });
    for text in ["1000:5%,1000:6%", "1000:5%,999:6%", "1000:5%,2000:5%", "1000:5%,2000:4%"] {
        let (_, second) = text.split_once(',').expect("two");
        assert_eq!(mistake(text), InvalidTiers::Order { tier: second.to_owned() });
    }
    let many: Vec<String> = (1..=21).map(|number| format!("{number}:{number}%")).collect();
    assert_eq!(mistake(&many.join(",")), InvalidTiers::TooMany);
}

#[test]
fn what_is_kept_is_the_share_of_the_credits_that_are_left() {
    for (bonus, credits, taken, expected) in [
        (50, 1_000, 0, 0),
        (50, 1_000, 1, 1),
        (50, 1_000, 500, 25),
        (50, 1_000, 501, 26),
        (50, 1_000, 1_000, 50),
        (0, 1_000, 500, 0),
        (MOST, MOST, MOST - 1, MOST - 1),
    ] {
        assert_eq!(bonus_taken(bonus, credits, taken), expected, "{bonus} {credits} {taken}");
    }
}

proptest! {
    /// Against the definition, `kept = ⌊bonus · left / credits⌋`, by its inequality.
    #[test]
    fn the_bonus_taken_is_the_definition(credits in 1..=MOST, share in 0..=100_u8, left in 0..=100_u8) {
        let wide = |number: i64| i128::from(number);
        let bonus = i64::try_from(wide(credits) * i128::from(share) / 100).expect("fits");
        let left = i64::try_from(wide(credits) * i128::from(left) / 100).expect("fits");
        let kept = bonus - bonus_taken(bonus, credits, credits - left);
        prop_assert!(wide(kept) * wide(credits) <= wide(bonus) * wide(left));
        prop_assert!((wide(kept) + 1) * wide(credits) > wide(bonus) * wide(left));
    }

    /// More credits taken never leave more of the bonus, and nothing is taken that was not given.
    #[test]
    fn the_bonus_taken_grows_with_the_credits(credits in 1..1_000_000_i64, share in 0..=10_000_i64, one in 0..=1_000_000_i64, two in 0..=1_000_000_i64) {
        let bonus = credits * share / 10_000;
        let (less, more) = (one.min(two).min(credits), one.max(two).min(credits));
        let (before, after) = (bonus_taken(bonus, credits, less), bonus_taken(bonus, credits, more));
        prop_assert!(0 <= before && before <= after && after <= bonus);
        prop_assert_eq!((bonus_taken(bonus, credits, 0), bonus_taken(bonus, credits, credits)), (0, bonus));
    }
}
