use super::*;
use crate::domain::checkout::Mismatch;
use crate::domain::currency::Currency;

#[test]
fn amounts_and_reasons_of_declines_are_said_in_plain_words() {
    for (code, words) in [
        ("insufficient_funds", "there was not enough money on the card"),
        ("expired_card", "the card has expired"),
        ("authentication_required", "3-D Secure"),
        ("some_new_code", "the bank gave no further reason (some_new_code)"),
    ] {
        assert!(declined(code).contains(words), "{}", declined(code));
    }
    assert_eq!(money(289, Currency::USD.as_str()), "2.89 USD");
}

#[test]
fn a_card_is_named_as_people_read_it() {
    let payer = |brand: Option<&str>, digits: Option<&str>| Payer {
        card_brand: brand.map(str::to_owned),
        card_last4: digits.map(str::to_owned),
        ..Payer::default()
    };
    assert_eq!(card(Some(&payer(Some("visa"), Some("4242")))), " with Visa …4242");
    assert_eq!(card(Some(&payer(None, Some("4242")))), " with Card …4242");
    assert_eq!(card(Some(&payer(Some("visa"), None))), "");
    assert_eq!(card(None), "");
}

#[test]
fn what_was_not_agreed_has_the_field_in_its_title_and_a_way_out() {
    let mismatch =
        |field| Mismatch { field, reported: "288".to_owned(), agreed: "289".to_owned(), can_be_accepted: false };
    let story = |field: &'static str| not_agreed(&mismatch(field).to_string(), field, None);
    assert_eq!(story("amount_total").title, "Paid at Stripe, but the amount changed");
    assert_eq!(story("livemode").title, "Paid in another environment");
    let story = story("currency");
    assert_eq!((story.tone, story.title.as_str()), (Tone::Trouble, "Paid at Stripe, but not what was agreed"));
    assert!(story.sentences[0].contains("currency is 288 but 289 was agreed"), "{story:?}");
    assert!(story.sentences[1].contains("Refund"), "{story:?}");
}
