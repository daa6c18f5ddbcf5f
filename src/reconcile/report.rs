//! The findings of a reconciliation. Stored as JSON, so the meaning of a name must never change.

use serde::Serialize;

/// The most findings of a kind to list; the others are only counted.
const MAX_LISTED: usize = 100;

/// All findings of a reconciliation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether it was a dry run.
    pub dry_run: bool,
    /// How many of our checkout sessions were compared.
    pub sessions: u64,
    /// How many refunds of our payments were compared.
    pub refunds: u64,
    /// How many disputes of our payments were compared.
    pub disputes: u64,
    /// How many of our subscriptions were compared.
    pub subscriptions: u64,
    /// How many paid invoices of them were compared.
    pub invoices: u64,
    /// How many requests the provider was sent.
    pub requests: u64,
    /// Paid at the provider, not credited here.
    pub missing_credits: Findings,
    /// The sum of those credits.
    pub missing_credits_sum: i64,
    /// Checkout sessions that have ended or whose payment is processing, without an event about it.
    pub missing_states: Findings,
    /// Refunds and disputes that were missing or outdated here.
    pub missing_reversals: Findings,
    /// Contradictions to the agreement or to earlier reports. They are not applied: an operator has to look at them.
    pub differences: Findings,
    /// Our checkout sessions that the provider does not know.
    pub unknown_at_provider: Findings,
    /// Checkout sessions with our metadata whose top-up is not in this database: from another environment, or lost
    /// here. Those with a payment are left over.
    pub unknown_here: Findings,
    /// How many of them this installation sold: `topup reconcile --adopt` adopts them.
    pub adoptable: u64,
    /// Surplus payments that were not fully refunded.
    pub surplus_payments: Findings,
    /// Objects from the provider that we cannot parse.
    pub unreadable: Findings,
    /// What could not be fetched.
    pub not_asked: Findings,
    /// The expected and the real fees.
    pub fees: FeeTruth,
    /// How many findings this run did not settle.
    pub left_over: u64,
}

/// Findings of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// How many there are.
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
    /// The provider's id of the checkout session, payment, refund or dispute; or what the finding is about.
    pub id: String,
    /// The top-up, if known.
    pub topup_id: Option<String>,
    /// A description.
    pub detail: String,
    /// The account to credit, for a top-up that only the provider knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The number of credits, for a top-up that only the provider knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<i64>,
}

impl Findings {
    /// Adds a finding that this run settled.
    pub fn add_settled(&mut self, id: &str, topup: Option<&str>, detail: impl Into<String>) {
        self.count = self.count.saturating_add(1);
        if self.first.len() < MAX_LISTED {
            let (topup_id, detail) = (topup.map(str::to_owned), detail.into());
            self.first.push(Finding { id: id.to_owned(), topup_id, detail, account_id: None, credits: None });
        }
    }

    /// Adds a top-up that only the provider knows, as left over.
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

    /// Adds a finding that is left over.
    pub fn add_left(&mut self, id: &str, topup: Option<&str>, detail: impl Into<String>) {
        self.left = self.left.saturating_add(1);
        self.add_settled(id, topup, detail);
    }
}

/// The expected and the real fees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeeTruth {
    /// Those of each currency that was paid in, in the order of the alphabet.
    pub currencies: Vec<CurrencyFees>,
    /// How many fees this run fetched.
    pub learned: u64,
    /// How many fees are not known yet.
    pub unknown: u64,
    /// How many fees are in another currency than their charge.
    pub in_other_currency: u64,
}

/// The fees of the charges in a currency whose fee is known and in it. Amounts are in its minor units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CurrencyFees {
    /// The currency.
    pub currency: String,
    /// How many charges are in the sums.
    pub charges: u64,
    /// The expected fees.
    pub expected_minor: i64,
    /// The real fees.
    pub real_minor: i64,
    /// The charges with the largest difference between expected and real fee.
    pub worst: Vec<FeeCase>,
    /// The rate that would have fitted, in percent.
    pub fitting_rate_percent: Option<String>,
    /// The fixed part that would have fitted.
    pub fitting_fixed_minor: Option<String>,
    /// Why no fitting rate is given.
    pub no_fit: Option<String>,
}

/// A charge whose fee differs from the expected one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeeCase {
    /// The top-up.
    pub topup_id: String,
    /// What the customer was charged, in minor units.
    pub charge_minor: i64,
    /// The expected fee, in minor units.
    pub expected_minor: i64,
    /// The real fee, in minor units.
    pub real_minor: i64,
}

impl Report {
    /// The findings of all kinds, each with its title.
    #[must_use]
    pub const fn kinds(&self) -> [(&'static str, &Findings); 9] {
        [
            ("missing credits", &self.missing_credits),
            ("missing ends of checkouts", &self.missing_states),
            ("missing refunds and disputes", &self.missing_reversals),
            ("differences", &self.differences),
            ("checkouts of ours that Stripe does not know", &self.unknown_at_provider),
            ("checkouts at Stripe that are not in this database", &self.unknown_here),
            ("payments that credit nothing and were not given back", &self.surplus_payments),
            ("things that are not understood", &self.unreadable),
            ("things that could not be asked", &self.not_asked),
        ]
    }

    /// Adds up the findings that are left over.
    pub(crate) fn close(&mut self) {
        self.left_over = self.kinds().iter().fold(0_u64, |sum, (_, findings)| sum.saturating_add(findings.left));
    }
}
