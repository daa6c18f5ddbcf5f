use super::*;

fn draft() -> PlanDraft {
    PlanDraft {
        id: "pro".to_owned(),
        name: "Pro".to_owned(),
        interval: "month".to_owned(),
        credits_per_period: 1_000,
        amount: BTreeMap::from([("usd".to_owned(), 2_000)]),
        ..PlanDraft::default()
    }
}

#[test]
fn what_is_not_said_has_the_usual_meaning() {
    let plan = Plan::new(&draft()).expect("a plan");
    assert_eq!((plan.interval.to_string().as_str(), plan.rollover, plan.is_active), ("month", Rollover::Expire, true));
    assert_eq!((plan.trial_days, plan.trial_credits), (0, 0));
    let half_a_year = Plan::new(&PlanDraft { interval_count: Some(6), ..draft() }).expect("a plan");
    assert_eq!(half_a_year.interval.to_string(), "6 months");
}

#[test]
fn every_mistake_names_its_field_and_the_way_out() {
    type Change = fn(&mut PlanDraft);
    let cases: [(&str, &str, &str, Change); 16] = [
        ("id", "invalid_id", "1 to 40", |draft| draft.id = "Pro".to_owned()),
        ("id", "invalid_id", "1 to 40", |draft| draft.id = String::new()),
        ("name", "invalid_name", "1 to 100", |draft| draft.name = " Pro".to_owned()),
        ("name", "invalid_name", "1 to 100", |draft| draft.name = "x".repeat(101)),
        ("interval", "unknown_interval", "intervalCount", |draft| draft.interval = "monthly".to_owned()),
        ("intervalCount", "out_of_range", "1 to 36", |draft| draft.interval_count = Some(37)),
        ("intervalCount", "out_of_range", "1 to 36", |draft| draft.interval_count = Some(0)),
        ("creditsPerPeriod", "out_of_range", "must be 1", |draft| draft.credits_per_period = 0),
        ("rollover", "unknown_rollover", "{ cap = 5000 }", |draft| draft.rollover = Some("forever".to_owned())),
        ("rollover", "unknown_rollover", "{ cap = 5000 }", |draft| draft.rollover = Some("cap".to_owned())),
        ("trialDays", "out_of_range", "730", |draft| draft.trial_days = Some(731)),
        ("trialCredits", "no_trial", "set trialDays", |draft| draft.trial_credits = Some(5)),
        ("amount", "required", "usd = 2000", |draft| draft.amount.clear()),
        ("amount.USD", "unknown_currency", "lower case", |draft| {
            draft.amount.insert("USD".to_owned(), 5);
        }),
        ("amount.usd", "out_of_range", "50 to 99999999", |draft| {
            draft.amount.insert("usd".to_owned(), 49);
        }),
        ("amount.isk", "out_of_range", "steps of 100", |draft| {
            draft.amount.insert("isk".to_owned(), 1_050);
        }),
    ];
    for (field, code, way_out, change) in cases {
        let mut changed = draft();
        change(&mut changed);
        let mistakes = Plan::new(&changed).expect_err(field);
        let [mistake] = &mistakes[..] else { panic!("{field}: {mistakes:?}") };
        assert_eq!((mistake.field.as_str(), mistake.code), (field, code));
        assert!(mistake.message.contains(way_out), "{mistake}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let wrong = PlanDraft { id: String::new(), name: String::new(), interval: String::new(), ..draft() };
    let fields: Vec<String> = Plan::new(&wrong).expect_err("three").into_iter().map(|mistake| mistake.field).collect();
    assert_eq!(fields, ["id", "name", "interval"]);
}

#[test]
fn a_rollover_reads_back() {
    for rollover in [Rollover::Expire, Rollover::Keep, Rollover::Cap(0), Rollover::Cap(5)] {
        assert_eq!(Rollover::of(rollover.as_str(), rollover.cap()), Some(rollover));
    }
    assert_eq!(
        (Rollover::of("cap", None), Rollover::of("keep", Some(1)), Rollover::of("cap", Some(-1))),
        (None, None, None)
    );
    assert_eq!([Rollover::Expire, Rollover::Keep, Rollover::Cap(7)].map(Rollover::kept), [Some(0), None, Some(7)]);
}
