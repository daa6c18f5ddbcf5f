//! Decides what a report means for a top-up, from the agreement and the top-up's state. Pure.

use crate::domain::checkout::{Agreement, Mismatch, PurchaseProgress, PurchaseReport, TopupState};
use crate::domain::ids::PaymentId;

/// The part of a top-up that `judge` needs.
#[derive(Debug, Clone)]
pub struct AgreedTopup {
    /// What was agreed.
    pub agreement: Agreement,
    /// The state of the top-up.
    pub state: TopupState,
    /// The payment, once known.
    pub payment: Option<PaymentId>,
}

/// The outcome of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// The credits have been granted.
    Credited {
        /// How many.
        credits: i64,
        /// The account's balance afterwards, also after refunds and disputes that arrived earlier were settled.
        balance_after: i64,
    },
    /// Another payment already paid for the top-up: this one credits nothing and should be refunded.
    Surplus,
    /// The credits were granted before: another event, or our own query, was faster.
    AlreadyPaid,
    /// The top-up changed to another state, which credits nothing.
    Moved(TopupState),
    /// An attempt to pay was declined; the top-up does not change.
    Declined,
    /// The report changes nothing.
    NothingToDo,
    /// This event was already processed.
    Duplicate,
    /// The top-up is not in this database: it belongs to another environment, or does not exist.
    Foreign,
    /// The report contradicts the agreement. Nothing was written.
    Rejected(Mismatch),
}

impl Applied {
    /// The name that is stored with the event and written to the log.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Credited { .. } => "credited",
            Self::AlreadyPaid => "already_paid",
            Self::Surplus => "surplus_payment",
            Self::Moved(state) => state.as_str(),
            Self::Declined => "declined",
            Self::NothingToDo => "nothing_to_do",
            Self::Duplicate => "duplicate",
            Self::Foreign => "foreign",
            Self::Rejected(_) => "rejected",
        }
    }
}

/// What a report means for a top-up in its current state. Nothing is written; applying the report judges it again.
#[must_use]
pub fn judge(report: &PurchaseReport, found: &AgreedTopup) -> Applied {
    if let Err(mismatch) = found.agreement.check_mode(report.session.provider(), report.livemode) {
        return Applied::Rejected(mismatch);
    }
    let is_known_session = found.agreement.session.as_ref() == Some(&report.session);
    let brings_money = matches!(report.progress, PurchaseProgress::Paid | PurchaseProgress::Processing);
    // The provider may have opened a session although we stored a failure, or we crashed before storing the session.
    // Such a session was never handed out, and the next attempt opens another one. Its end says nothing about this
    // top-up; a payment would.
    if !is_known_session && !brings_money {
        return Applied::NothingToDo;
    }
    match found.agreement.check(report) {
        Ok(()) => expected_outcome(report, found),
        // Everything but the session matches: the top-up was paid twice.
        Err(mismatch) if found.state == TopupState::Paid && is_another_payment(report, found, &mismatch) => {
            Applied::Surplus
        }
        Err(mismatch) => Applied::Rejected(mismatch),
    }
}

/// The expected outcome in the state that was read. The statement that applies it checks the state again.
fn expected_outcome(report: &PurchaseReport, found: &AgreedTopup) -> Applied {
    use TopupState::{Creating, Expired, Failed, Open, Paid, Processing};
    match (report.progress, found.state) {
        (PurchaseProgress::Paid, Paid) => match (&report.payment, &found.payment) {
            (Some(reported), Some(credited)) if reported != credited => Applied::Surplus,
            _ => Applied::AlreadyPaid,
        },
        (PurchaseProgress::Paid, _) => Applied::Credited { credits: found.agreement.credits, balance_after: 0 },
        (PurchaseProgress::Processing, Creating | Open) => Applied::Moved(Processing),
        (PurchaseProgress::Failed, Open | Processing) => Applied::Moved(Failed),
        (PurchaseProgress::Expired, Open) => Applied::Moved(Expired),
        _ => Applied::NothingToDo,
    }
}

pub(crate) fn is_another_payment(report: &PurchaseReport, found: &AgreedTopup, mismatch: &Mismatch) -> bool {
    let is_another = report.payment.is_some() && report.payment != found.payment;
    mismatch.field == "session" && report.progress == PurchaseProgress::Paid && is_another
}
