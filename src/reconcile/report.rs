//! What a comparison found. It is stored as JSON, so a name in it never changes its meaning.

use serde::Serialize;

/// How many findings of a kind are listed one by one; the others are counted.
const MAX_LISTED: usize = 100;

/// Everything that a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether it only looked.
    pub dry_run: bool,
    /// How many checkouts of ours were compared.
    pub sessions: u64,
    /// How many refunds of our payments.
    pub refunds: u64,
    /// How many disputes of our payments.
    pub disputes: u64,
    /// How often Stripe was asked.
    pub requests: u64,
    /// Paid at Stripe, not in the books.
    pub missing_credits: Findings,
    /// How many credits those are.
    pub missing_credits_sum: i64,
    /// Checkouts that came to an end, or whose payment is on its way, of which nothing was heard.
    pub missing_states: Findings,
    /// Refunds and disputes that were not known, or not as they stand.
    pub missing_reversals: Findings,
    /// What contradicts what was agreed, or what was heard before. It is not applied: a person has to see it.
    pub differences: Findings,
    /// Checkouts of ours that Stripe does not know.
    pub unknown_at_stripe: Findings,
    /// Checkouts with our metadata whose top-up is not in this database: another environment's, or lost here. Left are
    /// those with money.
    pub unknown_here: Findings,
    /// How many of them this installation sold: `topup reconcile --adopt` takes them in.
    pub adoptable: u64,
    /// Payments that came besides the one that paid, and were not given back.
    pub surplus_payments: Findings,
    /// What Stripe says and we do not understand.
    pub unreadable: Findings,
    /// What could not be asked.
    pub not_asked: Findings,
    /// What Stripe was expected to keep, and what it kept.
    pub fees: FeeTruth,
    /// How much of all this is not settled by this run.
    pub left_over: u64,
}

/// Findings of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// How many.
    pub count: u64,
    /// How many of them this run did not settle.
    pub left: u64,
    /// The first of them.
    pub first: Vec<Finding>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Stripe's id of the checkout, payment, refund or dispute; or what it is about.
    pub id: String,
    /// The purchase, if it is known.
    pub topup_id: Option<String>,
    /// What it is.
    pub detail: String,
    /// Whose credits they are, of a purchase that only Stripe knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// How many credits, of such a purchase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<i64>,
}

impl Findings {
    /// Notes something that this run has settled.
    pub fn add_settled(&mut self, id: &str, topup: Option<&str>, detail: impl Into<String>) {
        self.count = self.count.saturating_add(1);
        if self.first.len() < MAX_LISTED {
            let (topup_id, detail) = (topup.map(str::to_owned), detail.into());
            self.first.push(Finding { id: id.to_owned(), topup_id, detail, account_id: None, credits: None });
        }
    }

    /// Notes a purchase that only Stripe knows and that is left.
    pub fn add_lost(
        &mut self,
        id: &str,
        topup: &str,
        account_id: Option<String>,
        credits: Option<i64>,
        detail: String,
    ) {
        self.left = self.left.saturating_add(1);
        self.count = self.count.saturating_add(1);
        if self.first.len() < MAX_LISTED {
            let topup_id = Some(topup.to_owned());
            self.first.push(Finding { id: id.to_owned(), topup_id, detail, account_id, credits });
        }
    }

    /// Notes something that is left.
    pub fn add_left(&mut self, id: &str, topup: Option<&str>, detail: impl Into<String>) {
        self.left = self.left.saturating_add(1);
        self.add_settled(id, topup, detail);
    }
}

/// What Stripe was expected to keep of the charges, and what it kept. Only charges whose fee is known, and in their
/// currency, are in the sums.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeeTruth {
    /// How many charges are in the sums.
    pub charges: u64,
    /// What Stripe was expected to keep of them, in minor units.
    pub expected_minor: i64,
    /// What it kept.
    pub real_minor: i64,
    /// How many fees this run learned.
    pub learned: u64,
    /// How many are not known yet.
    pub unknown: u64,
    /// How many are in another currency than their charge.
    pub in_other_currency: u64,
    /// The charges whose fee is furthest from what was expected.
    pub worst: Vec<FeeCase>,
    /// The rate, in percent, that would have fitted.
    pub fitting_rate_percent: Option<String>,
    /// The fixed part, in minor units, that would have fitted.
    pub fitting_fixed_minor: Option<String>,
    /// Why nothing is said about that.
    pub no_fit: Option<String>,
}

/// A charge whose fee is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeeCase {
    /// The purchase.
    pub topup_id: String,
    /// What the customer was charged, in minor units.
    pub charge_minor: i64,
    /// What Stripe was expected to keep.
    pub expected_minor: i64,
    /// What it kept.
    pub real_minor: i64,
}

impl Report {
    /// The findings of all kinds, each with what it is called.
    #[must_use]
    pub const fn kinds(&self) -> [(&'static str, &Findings); 9] {
        [
            ("missing credits", &self.missing_credits),
            ("missing ends of checkouts", &self.missing_states),
            ("missing refunds and disputes", &self.missing_reversals),
            ("differences", &self.differences),
            ("checkouts of ours that Stripe does not know", &self.unknown_at_stripe),
            ("checkouts at Stripe that are not in this database", &self.unknown_here),
            ("payments that credit nothing and were not given back", &self.surplus_payments),
            ("things that are not understood", &self.unreadable),
            ("things that could not be asked", &self.not_asked),
        ]
    }

    /// Adds up what is left.
    pub(crate) fn close(&mut self) {
        self.left_over = self.kinds().iter().fold(0_u64, |sum, (_, findings)| sum.saturating_add(findings.left));
    }
}
