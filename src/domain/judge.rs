//! What a report about a purchase means for it: pure, decided from what was agreed and how far the purchase has come.

use crate::domain::checkout::{Agreement, Mismatch, PurchaseProgress, PurchaseReport, TopupState};
use crate::domain::ids::PaymentId;

/// A purchase as the judgement about it needs it.
#[derive(Debug, Clone)]
pub struct Found {
    /// What was agreed.
    pub agreement: Agreement,
    /// How far it has come.
    pub state: TopupState,
    /// The payment, once it is known.
    pub payment: Option<PaymentId>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// The credits are in the books now.
    Credited {
        /// How many.
        credits: i64,
        /// What the account has with them, and without those that refunds took at once.
        balance_after: i64,
    },
    /// The purchase was paid by another payment: this one credits nothing and should be refunded.
    Surplus,
    /// They were already: another event, or our own question, was faster.
    AlreadyPaid,
    /// The purchase came to another state that credits nothing.
    Moved(TopupState),
    /// An attempt to pay was declined; the purchase stays as it is.
    Declined,
    /// It changes nothing.
    NothingToDo,
    /// This very event was decided before.
    Duplicate,
    /// The purchase is not in this database: another environment's, or nobody's.
    Foreign,
    /// It contradicts what was agreed. Nothing was written.
    Rejected(Mismatch),
}

impl Applied {
    /// The word that is kept with the event and written to the log.
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

/// What a report about a known purchase comes to, as the purchase stands. Nothing is written; whoever applies the
/// report judges anew.
#[must_use]
pub fn judge(report: &PurchaseReport, found: &Found) -> Applied {
    if let Err(mismatch) = found.agreement.check_mode(report.session.provider(), report.livemode) {
        return Applied::Rejected(mismatch);
    }
    let is_known_session = found.agreement.session.as_ref() == Some(&report.session);
    let brings_money = matches!(report.progress, PurchaseProgress::Paid | PurchaseProgress::Processing);
    // Stripe may have opened a session and told us that it failed, or we died before we stored it. Nobody was sent there,
    // and the next try opens another one: its end is no news of this top-up. Its money would be.
    if !is_known_session && !brings_money {
        return Applied::NothingToDo;
    }
    match found.agreement.check(report) {
        Ok(()) => expected_outcome(report, found),
        // Everything but the session is as agreed: the purchase was paid twice.
        Err(mismatch) if found.state == TopupState::Paid && is_another_payment(report, found, &mismatch) => {
            Applied::Surplus
        }
        Err(mismatch) => Applied::Rejected(mismatch),
    }
}

/// What will be done, seen from the state that was read; the statement that does it checks the state once more.
fn expected_outcome(report: &PurchaseReport, found: &Found) -> Applied {
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

pub(crate) fn is_another_payment(report: &PurchaseReport, found: &Found, mismatch: &Mismatch) -> bool {
    let is_another = report.payment.is_some() && report.payment != found.payment;
    mismatch.field == "session" && report.progress == PurchaseProgress::Paid && is_another
}
