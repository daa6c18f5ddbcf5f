use super::*;
use crate::domain::checkout::PurchaseProgress;
use crate::domain::ids::{SessionId, TopupId};

fn fees() -> FeePolicy {
    let rate = RatePercent::parse("2.9").expect("a rate");
    FeePolicy { mode: FeeMode::GrossUp, rate, fixed_minor: 30, label: "Processing fee".to_owned(), tax: None }
}

fn request() -> CheckoutRequest {
    CheckoutRequest {
        topup_id: TopupId::from_bits(1).as_str().to_owned(),
        account_id: "user_1".to_owned(),
        credits: 250,
        currency: "usd".to_owned(),
        credit_unit_credits: 25,
        credit_unit_amount_minor: 25,
        credit_display_decimals: 0,
        fee_amount_minor: 39,
        fee_label: "Processing fee".to_owned(),
        success_url: "https://app.example.com/".to_owned(),
        cancel_url: None,
        expires_at_seconds: 1,
        payment_methods: Vec::new(),
        customer: None,
        saves_card: false,
        tax: None,
        makes_invoice: false,
        payment_method: None,
        bonus_credits: Some(12),
        credits_expire_days: Some(365),
        terms: None,
        signature: None,
    }
}

fn report(seal: Option<Seal>) -> PurchaseReport {
    PurchaseReport {
        event: None,
        event_created_ms: None,
        livemode: false,
        session: SessionId::parse(crate::providers::stripe::name::NAME, "cs_1").expect("an id"),
        topup: TopupId::from_bits(1),
        progress: PurchaseProgress::Paid,
        account: Some("user_1".to_owned()),
        client_reference: Some("user_1".to_owned()),
        credits: Some("250".to_owned()),
        bonus: Some("12".to_owned()),
        expire_days: Some("365".to_owned()),
        mode: Some("payment".to_owned()),
        currency: Some("usd".to_owned()),
        amount_subtotal_minor: Some(289),
        amount_total_minor: Some(289),
        amount_tax_minor: None,
        payment: None,
        seal: seal.map(Box::new),
    }
}

#[test]
fn a_seal_verifies_for_what_it_was_made_for_and_gives_its_terms() {
    let key = SealKey::new([7; 32]);
    let seal = key.seal(&request(), &fees(), false, 5).expect("a seal");
    let unit = CreditUnit::new(25, 25).expect("a unit");
    let terms = SoldTerms {
        sold_at_ms: 5,
        unit,
        fee_amount_minor: 39,
        fees: fees(),
        bonus_credits: 12,
        expiry: ExpiryDays::new(365),
    };
    assert_eq!(key.verify(&report(Some(seal.clone()))), Proof::Ours(terms));
    assert!(seal.terms.len() < 500 && seal.signature.len() < 500, "Stripe's metadata takes 500 characters");
    assert_eq!(key.verify(&report(None)), Proof::Unsigned);
    let other = SealKey::new([8; 32]);
    assert_eq!(other.verify(&report(Some(seal))), Proof::OtherInstallation(key.installation().to_owned()));
    assert!(!format!("{key:?}").contains("7, 7"));
}

type Change = fn(&mut PurchaseReport);

#[test]
fn nothing_that_is_sealed_can_be_changed() {
    let key = SealKey::new([7; 32]);
    let seal = key.seal(&request(), &fees(), false, 5).expect("a seal");
    let changes: [Change; 11] = [
        |report| report.account = Some("user_2".to_owned()),
        |report| report.credits = Some("2500".to_owned()),
        |report| report.currency = Some("eur".to_owned()),
        |report| report.topup = TopupId::from_bits(2),
        |report| report.livemode = true,
        |report| {
            if let Some(seal) = &mut report.seal {
                seal.terms = seal.terms.replace("\"fee\":39", "\"fee\":1");
            }
        },
        |report| {
            if let Some(seal) = &mut report.seal {
                seal.terms = seal.terms.replace("\"per\":25", "\"per\":50");
            }
        },
        |report| {
            if let Some(seal) = &mut report.seal {
                seal.terms = seal.terms.replace("\"bonus\":12", "\"bonus\":120");
            }
        },
        |report| {
            if let Some(seal) = &mut report.seal {
                seal.terms = seal.terms.replace("\"days\":365", "\"days\":3650");
            }
        },
        |report| {
            if let Some(seal) = &mut report.seal {
                seal.signature.pop();
            }
        },
        |report| {
            if let Some(seal) = &mut report.seal {
                seal.signature.clear();
            }
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut report = report(Some(seal.clone()));
        change(&mut report);
        assert_eq!(key.verify(&report), Proof::Changed, "change {number}");
    }
}
