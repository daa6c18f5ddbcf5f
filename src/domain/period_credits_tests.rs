use super::*;
use crate::domain::ids::{InvoiceId, PriceId, SubscriptionId};
use crate::domain::provider::ProviderName;

const STRIPE: ProviderName = ProviderName::new("stripe");
const PLAN: PlanCredits = PlanCredits { per_period: 1_000, trial: 50, rollover: Rollover::Expire };

fn line(amount_minor: i64) -> InvoiceLine {
    InvoiceLine {
        price: PriceId::parse(STRIPE, "price_1").ok(),
        amount_minor,
        quantity: 1,
        is_proration: false,
        period_start_seconds: 100,
        period_end_seconds: 200,
    }
}

fn invoice(reason: &str, total_minor: i64) -> InvoiceReport {
    InvoiceReport {
        id: InvoiceId::parse(STRIPE, "in_1").expect("an id"),
        subscription: SubscriptionId::parse(STRIPE, "sub_1").ok(),
        livemode: false,
        status: InvoiceStatus::Paid,
        reason: reason.to_owned(),
        currency: "usd".to_owned(),
        total_minor,
        tax_minor: 0,
        added_tax_minor: 0,
        amount_paid_minor: total_minor,
        attempts: 1,
        next_attempt_seconds: None,
        hosted_url: None,
        number: None,
        created_seconds: 100,
        paid_at_seconds: Some(100),
        lines: Vec::new(),
        payments: Vec::new(),
    }
}

fn worth(invoice: &InvoiceReport, line: &InvoiceLine, trial_start: Option<i64>) -> Option<(PeriodKind, i64)> {
    line_worth(invoice, line, PLAN, trial_start).map(|worth| (worth.kind, worth.credits))
}

#[test]
fn a_paid_period_brings_the_plans_credits() {
    for reason in ["subscription_create", "subscription_cycle", "subscription_update", "subscription", "manual"] {
        assert_eq!(worth(&invoice(reason, 2_000), &line(2_000), None), Some((PeriodKind::Period, 1_000)), "{reason}");
    }
    let two = InvoiceLine { quantity: 2, ..line(4_000) };
    assert_eq!(worth(&invoice("subscription_cycle", 4_000), &two, None), Some((PeriodKind::Period, 2_000)));
    // Paid out of the customer's balance at Stripe.
    let by_balance = InvoiceReport { amount_paid_minor: 0, ..invoice("subscription_cycle", 2_000) };
    assert_eq!(worth(&by_balance, &line(2_000), None), Some((PeriodKind::Period, 1_000)));
}

#[test]
fn nothing_else_brings_credits() {
    // Known mistake 33.
    let cycle = invoice("subscription_cycle", 2_000);
    for status in [InvoiceStatus::Draft, InvoiceStatus::Open, InvoiceStatus::Uncollectible, InvoiceStatus::Void] {
        assert_eq!(worth(&InvoiceReport { status, ..cycle.clone() }, &line(2_000), None), None, "{status:?}");
    }
    assert_eq!(worth(&InvoiceReport { subscription: None, ..cycle.clone() }, &line(2_000), None), None, "a one-off");
    assert_eq!(worth(&invoice("subscription_cycle", 0), &line(2_000), None), None, "an invoice of nothing");
    assert_eq!(worth(&invoice("subscription_cycle", -5), &line(2_000), None), None, "an invoice of less than nothing");
    assert_eq!(worth(&cycle, &line(0), None), None, "a line of nothing");
    assert_eq!(worth(&cycle, &line(-500), None), None, "a line that gives money back");
    let part = InvoiceLine { is_proration: true, ..line(700) };
    assert_eq!(worth(&cycle, &part, None), None, "a part of a period on a later invoice");
    let change = invoice("subscription_update", 200);
    assert_eq!(worth(&change, &part, None), Some((PeriodKind::Period, 1_000)), "a part of a period, paid at once");
    assert_eq!(worth(&change, &InvoiceLine { quantity: 0, ..part }, None), None, "none of it");
}

#[test]
fn a_trial_brings_its_own_credits_once_and_only_for_its_own_invoice() {
    let first = invoice("subscription_create", 0);
    assert_eq!(worth(&first, &line(0), Some(100)), Some((PeriodKind::Trial, 50)));
    assert_eq!(worth(&first, &line(0), None), None, "no trial: a coupon of 100 %");
    assert_eq!(worth(&first, &line(0), Some(99)), None, "another time");
    assert_eq!(worth(&invoice("subscription_cycle", 0), &line(0), Some(100)), None);
    assert_eq!(line_worth(&first, &line(0), PlanCredits { trial: 0, ..PLAN }, Some(100)), None);
}

#[test]
fn a_change_brings_the_difference_and_never_less_than_none() {
    for (worth, earlier, expected) in [(3_000, 1_000, 2_000), (1_000, 3_000, 0), (1_000, 0, 1_000), (5, 5, 0)] {
        assert_eq!(credits_beyond(worth, earlier), expected);
    }
}

#[test]
fn what_is_not_kept_ends_after_the_renewal_was_due() {
    let end = |kind, rollover| ends_at_ms(kind, rollover, (0, 1_000), 0);
    assert_eq!(end(PeriodKind::Period, Rollover::Expire), 1_000 + RENEWAL_MARGIN_MS);
    assert_eq!(end(PeriodKind::Trial, Rollover::Keep), 1_000 + RENEWAL_MARGIN_MS);
    assert_eq!(end(PeriodKind::Period, Rollover::Keep), NEVER_MS);
    assert_eq!(end(PeriodKind::Period, Rollover::Cap(5)), NEVER_MS);
}

#[test]
fn what_is_paid_after_its_period_is_good_for_as_long() {
    let end = |kind, now_ms| ends_at_ms(kind, Rollover::Expire, (1_000, 8_000), now_ms);
    let due = 8_000 + RENEWAL_MARGIN_MS;
    assert_eq!((end(PeriodKind::Period, due - 1), end(PeriodKind::Period, due)), (due, due + 7_000));
    assert_eq!(end(PeriodKind::Trial, due), due, "what was given for nothing is not");
}

#[test]
fn a_refund_takes_its_share_and_never_more_than_was_given() {
    for (credits, amount, reversed, expected) in [
        (1_000, 2_000, 0, 0),
        (1_000, 2_000, 1, 0),
        (1_000, 2_000, 2, 1),
        (1_000, 2_000, 1_000, 500),
        (1_000, 2_000, 2_000, 1_000),
        // The fee counts last.
        (1_000, 2_000, 2_090, 1_000),
        // A grant without money.
        (50, 0, 500, 0),
        (i64::MAX, 99_999_999, 99_999_999, i64::MAX),
    ] {
        assert_eq!(taken(credits, amount, reversed), expected, "{credits} {amount} {reversed}");
    }
    // After a change in the middle of a period the total is less than the line.
    assert_eq!((credits_amount_minor(750, 1_500), credits_amount_minor(2_090, 2_000)), (750, 2_000));
    assert_eq!((credits_amount_minor(-5, 10), credits_amount_minor(0, 0)), (0, 0));
}
