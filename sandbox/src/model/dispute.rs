//! Disputes: the customer's bank asks for information (an inquiry) or takes the money back (a chargeback).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{State, error::ApiError, table::Row};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DisputeStatus {
    WarningNeedsResponse,
    WarningUnderReview,
    WarningClosed,
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
    /// The bank appealed against its loss.
    AppealUnderReview,
}

impl DisputeStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::WarningUnderReview => "warning_under_review",
            Self::WarningClosed => "warning_closed",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::AppealUnderReview => "appeal_under_review",
        }
    }

    pub(crate) fn is_inquiry(self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::WarningUnderReview | Self::WarningClosed)
    }

    pub(crate) fn is_closed(self) -> bool {
        matches!(self, Self::WarningClosed | Self::Won | Self::Lost)
    }

    pub(crate) fn takes_evidence(self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::NeedsResponse)
    }

    /// Whether this state can change to the next.
    pub(crate) fn leads_to(self, next: Self) -> bool {
        match self {
            Self::WarningNeedsResponse => {
                matches!(next, Self::WarningUnderReview | Self::WarningClosed | Self::NeedsResponse)
            }
            Self::WarningUnderReview => matches!(next, Self::WarningClosed | Self::NeedsResponse),
            Self::NeedsResponse => matches!(next, Self::UnderReview | Self::Won | Self::Lost),
            Self::UnderReview | Self::AppealUnderReview => matches!(next, Self::Won | Self::Lost),
            Self::Won => matches!(next, Self::AppealUnderReview),
            Self::WarningClosed | Self::Lost => false,
        }
    }
}

/// A dispute of a charge.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) charge: String,
    pub(crate) payment_intent: String,
    pub(crate) reason: String,
    pub(crate) status: DisputeStatus,
    pub(crate) due_by: i64,
    pub(crate) evidence: BTreeMap<String, String>,
    pub(crate) submission_count: i64,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) balance_transactions: Vec<String>,
}

impl Row for Dispute {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Dispute, ApiError> {
    state.disputes.get(id).ok_or_else(|| ApiError::not_found("dispute", id, "dispute"))
}

/// Whether an open dispute blocks refunds of the charge.
pub(crate) fn blocks_refunds(state: &State, charge_id: &str) -> bool {
    let its = |dispute: &&Dispute| dispute.charge == charge_id;
    state.disputes.iter().filter(its).any(|dispute| !dispute.status.is_inquiry() && !dispute.status.is_closed())
}

/// What the bank keeps for good, including a dispute that was won in part. It cannot be refunded as well.
pub(crate) fn lost_amount(state: &State, charge_id: &str) -> i64 {
    let its = |dispute: &&Dispute| dispute.charge == charge_id && dispute.status.is_closed();
    // A charge has fewer than twelve digits and few disputes.
    state.disputes.iter().filter(its).fold(0, |sum, dispute| sum.saturating_add(withdrawn(state, dispute)))
}

/// How much of a dispute's money the bank has, by its balance transactions.
pub(crate) fn withdrawn(state: &State, dispute: &Dispute) -> i64 {
    let booked = dispute.balance_transactions.iter().filter_map(|id| state.balance_transactions.get(id));
    let sum = booked.fold(0_i64, |sum, transaction| sum.saturating_add(transaction.amount));
    sum.saturating_neg().clamp(0, dispute.amount)
}
