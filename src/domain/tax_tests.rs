use super::*;
use proptest::prelude::*;

#[test]
fn a_refund_is_split_like_the_charge() {
    // Stripe's example: 25 of 125 with 25 % tax are 20 and 5.
    let charged = Charged { total_minor: 12_500, added_tax_minor: 2_500 };
    assert_eq!(charged.net_minor(2_500), 2_000);
    assert_eq!(charged.gross_minor(2_000), Some(2_500));
    assert_eq!(Charged::without_tax(12_500).net_minor(2_500), 2_500);
    assert_eq!(Charged { total_minor: 0, added_tax_minor: 0 }.net_minor(5), 5);
}

#[test]
fn a_tax_code_has_one_form() {
    for text in ["txcd_10103001", "txcd_00000000"] {
        assert_eq!(TaxCode::parse(text).map(|code| code.as_str().to_owned()).as_deref(), Ok(text));
    }
    for text in ["", "txcd_", "10103001", "txcd_1010300", "txcd_101030011", "txcd_1010300a", "TXCD_10103001"] {
        assert_eq!(TaxCode::parse(text), Err(InvalidTaxCode), "{text}");
    }
}

proptest! {
    /// What is asked for before tax is what the refund takes: no more and no less.
    #[test]
    fn the_refund_of_a_price_is_of_that_price(
        net in 1_i64..999_999_999_999, tax in 0_i64..999_999_999_999, part in 0_i64..999_999_999_999
    ) {
        let charged = Charged { total_minor: net + tax, added_tax_minor: tax };
        let part = part.min(net);
        let gross = charged.gross_minor(part).expect("fits");
        prop_assert!(gross <= charged.total_minor);
        prop_assert_eq!(charged.net_minor(gross), part);
        prop_assert!(gross == 0 || charged.net_minor(gross - 1) < part);
    }

    /// Refunds in parts take what one refund of their sum takes, and each more than nothing or nothing.
    #[test]
    fn parts_of_the_charge_add_up_to_the_price(
        net in 1_i64..999_999, tax in 0_i64..999_999, parts in proptest::collection::vec(0_i64..400_000, 0..8)
    ) {
        let charged = Charged { total_minor: net + tax, added_tax_minor: tax };
        let (mut gone, mut taken) = (0, 0);
        for part in parts.into_iter().chain([charged.total_minor]) {
            let after = (gone + part).min(charged.total_minor);
            let takes = charged.net_minor(after) - charged.net_minor(gone);
            prop_assert!((0..=after - gone).contains(&takes), "{takes} of {}", after - gone);
            (gone, taken) = (after, taken + takes);
        }
        prop_assert_eq!((gone, taken), (charged.total_minor, net));
    }
}
