//! Payments that an operator accepted although the amount differs from the agreement: who, why, and the amount charged.
//!
//! Invariant: an acceptance and its credits are written in one transaction, and an event is accepted once.

use crate::db::{Db, Tx, Write, args};
use crate::db::{StoreError, statements};
use crate::domain::checkout::Mismatch;
use crate::domain::judge::Applied;
use crate::purchases::payment::apply::{self, ApplyPayment};
use crate::purchases::topups;

/// An operator's acceptance of an event. As a write, it stores the acceptance and applies the payment.
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// The event's id, from its recorded failure.
    pub event_id: String,
    /// The operator's reason.
    pub reason: String,
    /// The operator.
    pub accepted_by: String,
    /// The payment that the event reports.
    pub command: ApplyPayment,
}

/// An accepted event.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Accepted {
    /// The provider's event id.
    pub provider_event_id: String,
    /// The provider's name.
    pub provider: String,
    /// The top-up.
    pub topup_id: String,
    /// The outcome: `credited`, or why nothing more had to be credited.
    pub outcome: String,
    /// The credits of the top-up.
    pub credits: i64,
    /// The agreed amount, in minor units.
    pub agreed_amount: i64,
    /// The charged amount, in minor units.
    pub charged_amount: i64,
    /// The tax in it, in minor units.
    pub tax_amount: i64,
    /// The operator's reason.
    pub reason: String,
    /// The operator.
    pub accepted_by: String,
    /// When it was accepted, in milliseconds since 1970.
    pub accepted_at: i64,
}

/// The result of an acceptance.
#[derive(Debug)]
pub enum Outcome {
    /// The event is accepted, now or before.
    Accepted(Accepted),
    /// The top-up is not in this database.
    Foreign,
    /// The amount equals the agreed one. Nothing was written.
    NothingDiffers,
    /// The payment cannot be accepted. Nothing was written.
    Rejected(Mismatch),
}

statements! {
    /// Later events of the payment, and the reconciliation, compare with this amount besides the agreed one.
    ACCEPT_AMOUNT = "UPDATE topups SET accepted_amount = :charged, updated_at = :now_ms WHERE id = :topup";
    INSERT = "INSERT INTO accepted_events (provider_event_id, provider, topup_id, outcome, credits, agreed_amount, \
        charged_amount, \
        tax_amount, reason, accepted_by, accepted_at) VALUES (:event, :provider, :topup, :outcome, :credits, \
        :agreed_amount, :charged_amount, :tax_amount, :reason, :accepted_by, :accepted_at)";
    FIND = "SELECT provider_event_id, provider, topup_id, outcome, credits, agreed_amount, charged_amount, \
        tax_amount, reason, \
        accepted_by, accepted_at FROM accepted_events WHERE provider_event_id = :event AND provider = :provider";
}

impl Db {
    /// The acceptance of an event, if it was accepted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accepted(&self, provider: &str, event_id: &str) -> Result<Option<Accepted>, StoreError> {
        self.read_optional(&FIND, &args![event = event_id, provider]).await
    }
}

impl Write for Acceptance {
    type Output = Outcome;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome, StoreError> {
        let (report, now_ms) = (&self.command.report, self.command.now_ms);
        let provider = report.session.provider().as_str();
        // The row lock serialises two acceptances of the same event, so that the second sees the first.
        let Some(found) = topups::lock_agreement(tx, &report.topup).await? else { return Ok(Outcome::Foreign) };
        if let Some(accepted) =
            tx.fetch_optional::<Accepted>(&FIND, &args![event = self.event_id.as_str(), provider]).await?
        {
            return Ok(Outcome::Accepted(accepted));
        }
        let charged = match found.agreement.check_leaves_enough(report) {
            Ok(Some(charged)) => charged,
            Ok(None) => return Ok(Outcome::NothingDiffers),
            Err(mismatch) => return Ok(Outcome::Rejected(mismatch)),
        };
        tx.execute(&ACCEPT_AMOUNT, &args![topup = report.topup.as_str(), charged, now_ms]).await?;
        let outcome = match apply::apply_one(tx, self.command.clone()).await? {
            Applied::Rejected(mismatch) => {
                return Err(StoreError::corrupt("an amount that was just accepted", &mismatch));
            }
            Applied::Foreign => return Err(StoreError::corrupt("no longer there: top-up", &report.topup)),
            applied => applied,
        };
        let accepted = Accepted {
            provider_event_id: self.event_id.clone(),
            provider: provider.to_owned(),
            topup_id: report.topup.as_str().to_owned(),
            outcome: outcome.as_str().to_owned(),
            credits: found.agreement.credits,
            agreed_amount: found.agreement.total_amount_minor,
            charged_amount: charged,
            tax_amount: report.amount_tax_minor.unwrap_or(0),
            reason: self.reason.clone(),
            accepted_by: self.accepted_by.clone(),
            accepted_at: now_ms,
        };
        let values = args![
            event = accepted.provider_event_id.as_str(),
            provider,
            topup = accepted.topup_id.as_str(),
            outcome = accepted.outcome.as_str(),
            credits = accepted.credits,
            agreed_amount = accepted.agreed_amount,
            charged_amount = accepted.charged_amount,
            tax_amount = accepted.tax_amount,
            reason = accepted.reason.as_str(),
            accepted_by = accepted.accepted_by.as_str(),
            accepted_at = accepted.accepted_at
        ];
        tx.execute(&INSERT, &values).await?;
        Ok(Outcome::Accepted(accepted))
    }
}
