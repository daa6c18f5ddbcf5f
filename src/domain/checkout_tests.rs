use super::*;

fn agreement() -> Agreement {
    Agreement {
        topup: TopupId::from_bits(1),
        account: AccountId::parse("user_1").expect("an account"),
        credits: 250,
        bonus_credits: 20,
        expiry: ExpiryDays::new(365),
        currency: Currency::USD,
        total_amount_minor: 289,
        tax: None,
        livemode: false,
        provider: ProviderName::new("stripe"),
        session: Some(SessionId::parse(ProviderName::new("stripe"), "cs_1").expect("an id")),
        accepted_amount_minor: None,
    }
}

fn report() -> PurchaseReport {
    PurchaseReport {
        event: None,
        event_created_ms: None,
        livemode: false,
        session: SessionId::parse(ProviderName::new("stripe"), "cs_1").expect("an id"),
        topup: TopupId::from_bits(1),
        progress: PurchaseProgress::Paid,
        account: Some("user_1".to_owned()),
        client_reference: Some("user_1".to_owned()),
        credits: Some("250".to_owned()),
        bonus: Some("20".to_owned()),
        expire_days: Some("365".to_owned()),
        mode: Some("payment".to_owned()),
        currency: Some("usd".to_owned()),
        amount_subtotal_minor: Some(289),
        amount_total_minor: Some(289),
        amount_tax_minor: None,
        payment: None,
        seal: None,
    }
}

#[test]
fn a_report_that_says_what_was_agreed_passes_also_when_the_session_is_not_known_yet() {
    assert_eq!(agreement().check(&report()), Ok(()));
    assert_eq!(Agreement { session: None, ..agreement() }.check(&report()), Ok(()));
}

/// 289 agreed, and 10 % tax: 28.
#[test]
fn agreed_tax_comes_on_top_or_not_at_all_and_nothing_else_may_differ() {
    let agreed = |behavior| Agreement { tax: Some(behavior), ..agreement() };
    let says = |subtotal, total, tax| PurchaseReport {
        amount_subtotal_minor: subtotal,
        amount_total_minor: total,
        amount_tax_minor: tax,
        ..report()
    };
    let (on_top, within) = (agreed(TaxBehavior::Exclusive), agreed(TaxBehavior::Inclusive));
    // While the page is open, the address and so the tax are not known.
    let open = says(Some(289), Some(289), Some(0));
    let (added, contained) = (says(Some(289), Some(317), Some(28)), says(Some(289), Some(289), Some(26)));
    for (agreement, report, tax) in
        [(&on_top, &open, 0), (&on_top, &added, 28), (&within, &open, 0), (&within, &contained, 26)]
    {
        assert_eq!((agreement.check(report), agreement.agreed_tax_minor(report)), (Ok(()), tax));
        assert_eq!(agreement.check_leaves_enough(report), Ok(None), "there is nothing to accept");
    }
    for (agreement, report) in [
        (&on_top, says(Some(289), Some(289), Some(28))),
        (&on_top, says(Some(289), Some(318), Some(28))),
        (&on_top, says(Some(288), Some(317), Some(29))),
        (&on_top, says(None, Some(317), Some(28))),
        (&on_top, says(Some(289), Some(280), Some(-9))),
        (&on_top, says(Some(289), Some(289 + 290), Some(290))),
        (&on_top, says(Some(289), Some(i64::MAX), Some(i64::MAX - 289))),
        (&within, added.clone()),
        (&within, says(Some(289), Some(289), Some(290))),
        (&within, says(Some(317), Some(289), Some(26))),
    ] {
        assert!(agreement.check(&report).is_err(), "{agreement:?} {report:?}");
        assert_eq!(agreement.agreed_tax_minor(&report), 0, "{report:?}");
    }
    // Without an agreement about tax, nothing but the total counts.
    assert!(agreement().check(&added).is_err());
    assert_eq!((agreement().check(&contained), agreement().agreed_tax_minor(&contained)), (Ok(()), 0));
}

/// Known mistake 36: customers who paid enough are not left without credits for good.
#[test]
fn an_amount_that_leaves_enough_can_be_accepted_and_no_other() {
    let paid = |total, tax| PurchaseReport { amount_total_minor: total, amount_tax_minor: tax, ..report() };
    let can = |report: &PurchaseReport| {
        let mismatch = agreement().check(report).expect_err("another amount");
        assert_eq!(agreement().check_leaves_enough(report).is_ok(), mismatch.can_be_accepted);
        assert_eq!(mismatch.to_string().contains("an operator can accept"), mismatch.can_be_accepted);
        mismatch.can_be_accepted
    };
    for (total, tax) in [(318, Some(29)), (290, None), (i64::MAX, Some(0)), (289 + 400, Some(400))] {
        assert!(can(&paid(Some(total), tax)), "{total} {tax:?}");
    }
    for (total, tax) in [(318, Some(30)), (288, None), (288, Some(-10)), (-1, Some(i64::MIN)), (0, Some(-289))] {
        assert!(!can(&paid(Some(total), tax)), "{total} {tax:?}");
    }
    assert!(!can(&paid(None, None)));
    // No other field may differ.
    let changes: [fn(&mut PurchaseReport); 5] = [
        |report| report.livemode = true,
        |report| report.account = Some("user_2".to_owned()),
        |report| report.currency = Some("jpy".to_owned()),
        |report| report.credits = Some("251".to_owned()),
        |report| report.session = SessionId::parse(ProviderName::new("stripe"), "cs_2").expect("an id"),
    ];
    for change in changes {
        let mut report = paid(Some(318), Some(29));
        change(&mut report);
        assert!(!can(&report), "{report:?}");
    }
    assert_eq!(agreement().check_leaves_enough(&report()), Ok(None));
    let accepted = Agreement { accepted_amount_minor: Some(318), ..agreement() };
    assert_eq!(accepted.check(&paid(Some(318), None)), Ok(()));
    assert_eq!(accepted.check(&report()), Ok(()));
    assert!(accepted.check(&paid(Some(317), None)).is_err());
}

#[test]
fn any_single_difference_is_named() {
    type Change = fn(&mut PurchaseReport);
    let changes: [(&str, Change); 18] = [
        ("livemode", |report| report.livemode = true),
        ("mode", |report| report.mode = Some("setup".to_owned())),
        ("mode", |report| report.mode = None),
        ("metadata.accountId", |report| report.account = Some("user_2".to_owned())),
        ("metadata.accountId", |report| report.account = None),
        ("client_reference_id", |report| report.client_reference = None),
        ("metadata.credits", |report| report.credits = Some("251".to_owned())),
        ("metadata.credits", |report| report.credits = Some("0250".to_owned())),
        ("metadata.credits", |report| report.credits = None),
        ("metadata.bonusCredits", |report| report.bonus = Some("21".to_owned())),
        ("metadata.bonusCredits", |report| report.bonus = None),
        ("metadata.creditsExpireDays", |report| report.expire_days = Some("366".to_owned())),
        ("metadata.creditsExpireDays", |report| report.expire_days = None),
        ("currency", |report| report.currency = Some("jpy".to_owned())),
        ("amount_total", |report| report.amount_total_minor = Some(288)),
        ("amount_total", |report| report.amount_total_minor = Some(-289)),
        ("amount_total", |report| report.amount_total_minor = None),
        ("session", |report| {
            report.session = SessionId::parse(ProviderName::new("stripe"), "cs_2").expect("an id");
        }),
    ];
    for (field, change) in changes {
        let mut report = report();
        change(&mut report);
        assert_eq!(agreement().check(&report).map_err(|mismatch| mismatch.field), Err(field));
    }
}
