use super::*;

fn decline(code: &str, decline_code: Option<&str>, advice_code: Option<&str>) -> Decline {
    let text = |text: &str| text.to_owned();
    Decline { code: Some(text(code)), decline_code: decline_code.map(text), advice_code: advice_code.map(text) }
}

#[test]
fn names_read_back() {
    for reason in PauseReason::ALL {
        assert_eq!(PauseReason::parse(reason.as_str()), Some(reason));
    }
    for state in [AutoTopupState::Active, AutoTopupState::Paused, AutoTopupState::Off] {
        assert_eq!(AutoTopupState::parse(state.as_str()), Some(state));
    }
    assert_eq!(PauseReason::parse("tired"), None);
}

#[test]
fn a_decline_says_whether_the_card_may_be_charged_again() {
    use DeclineMeaning::{AuthenticationRequired, Final, Temporary};
    for (code, decline_code, advice_code, meaning) in [
        ("card_declined", Some("insufficient_funds"), None, Temporary),
        ("card_declined", Some("generic_decline"), Some("try_again_later"), Temporary),
        ("processing_error", None, None, Temporary),
        ("card_declined", Some("a_new_code"), None, Temporary),
        ("card_declined", Some("generic_decline"), Some("do_not_try_again"), Final),
        ("card_declined", Some("insufficient_funds"), Some("confirm_card_data"), Final),
        ("card_declined", Some("lost_card"), None, Final),
        ("card_declined", Some("stolen_card"), Some("try_again_later"), Final),
        ("expired_card", None, None, Final),
        // Stripe says it in either field.
        ("authentication_required", None, None, AuthenticationRequired),
        ("card_declined", Some("authentication_required"), Some("do_not_try_again"), AuthenticationRequired),
        ("authentication_required", Some("authentication_required"), None, AuthenticationRequired),
    ] {
        assert_eq!(
            decline(code, decline_code, advice_code).meaning(),
            meaning,
            "{code} {decline_code:?} {advice_code:?}"
        );
    }
    assert_eq!(Decline::default().meaning(), Temporary);
    assert_eq!(Decline::default().word(), "unknown");
}

#[test]
fn a_thief_is_not_told_what_the_bank_knows() {
    for code in ["lost_card", "stolen_card", "fraudulent", "pickup_card", "merchant_blacklist"] {
        assert_eq!(shown_code(code), "generic_decline");
    }
    assert_eq!(shown_code("insufficient_funds"), "insufficient_funds");
}

#[test]
fn a_card_is_tried_three_times_more_and_then_no_longer() {
    let hours: Vec<Option<i64>> = (0..=5).map(|declines| pause_ms(declines).map(|pause| pause / 3_600_000)).collect();
    assert_eq!(hours, [None, Some(1), Some(6), Some(24), None, None]);
    assert_eq!(pause_ms(i64::MIN), None);
}

#[test]
fn a_card_is_good_to_the_end_of_its_month() {
    let card = |exp_month, exp_year| CardFacts {
        brand: "visa".to_owned(),
        last4: "4242".to_owned(),
        exp_month,
        exp_year,
        country: None,
    };
    // 2026-12-01T00:00:00Z
    let december_ms = 1_796_083_200_000;
    assert!(!card(11, 2026).is_expired(december_ms - 1));
    assert!(card(11, 2026).is_expired(december_ms));
    let january_ms = december_ms + 31 * 86_400_000;
    assert!(!card(12, 2026).is_expired(january_ms - 1));
    assert!(card(12, 2026).is_expired(january_ms));
    // What is no month says nothing.
    assert!(
        !card(0, 2020).is_expired(0)
            && !card(13, 2020).is_expired(january_ms)
            && !card(-1, i64::MAX).is_expired(january_ms)
    );
}

#[test]
fn limits_count_what_another_charge_would_add() {
    let caps = Caps { max_per_day: 2, max_per_month_minor: 1_000 };
    let of = |today, month_minor| caps.exceeded_by(Charged { today, month_minor }, 289);
    assert_eq!(of(0, 0), None);
    assert_eq!(of(1, 711), None);
    assert_eq!(of(2, 0), Some(PauseReason::DailyLimit));
    assert_eq!(of(0, 712), Some(PauseReason::MonthlyLimit));
    assert_eq!(of(2, 712), Some(PauseReason::MonthlyLimit), "the one that ends later");
    assert_eq!(of(0, i64::MAX), Some(PauseReason::MonthlyLimit));
}

#[test]
fn the_version_of_a_text_is_a_short_word() {
    for text in ["1", "2026-11-30", "Text No. 7 (ä)"] {
        assert_eq!(ConsentVersion::parse(text).expect("a version").as_str(), text);
    }
    for text in ["", " ", " 1", "1\n", "\u{0}", &"x".repeat(101)] {
        assert!(ConsentVersion::parse(text).is_err(), "{text:?}");
    }
}
