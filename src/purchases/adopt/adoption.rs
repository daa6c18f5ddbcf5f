//! Inserts and credits a top-up that the provider knows and this database does not, in one transaction.
//!
//! Invariant: the credits are added by the same code as for a webhook. Refunds and disputes are stored first, so that
//! refunded credits cannot be spent. The operator is recorded. Everything commits together or not at all.

use crate::db::{StoreError, args, statements};
use crate::db::{Tx, Write};
use crate::domain::judge::Applied;
use crate::purchases::payment::apply::{self, ApplyPayment};
use crate::purchases::reversal::reversals::ApplyReversals;
use crate::purchases::reversal::take_back::AppliedReversal;
use crate::purchases::topups::{self, NewTopup};

/// A top-up to adopt. As a write, it adopts the top-up; if the parts contradict each other, it fails and writes
/// nothing.
#[derive(Debug, Clone)]
pub struct Adoption {
    /// The top-up, as agreed.
    pub topup: NewTopup,
    /// When its checkout ended, in milliseconds since 1970.
    pub ended_at_ms: i64,
    /// The provider's report of the payment: paid.
    pub payment: ApplyPayment,
    /// The provider's reports of refunds and disputes.
    pub reversals: Vec<ApplyReversals>,
    /// The operator.
    pub by: String,
}

/// The result of an adoption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adopted {
    /// The top-up is credited.
    Credited {
        /// The account's balance afterwards.
        balance_after: i64,
    },
    /// The top-up is already in the database. Nothing was written.
    AlreadyHere,
}

statements! {
    MARK_ADOPTED = "UPDATE topups SET adopted_at = :now_ms, adopted_by = :by WHERE id = :id";
}

impl Write for Adoption {
    type Output = Adopted;

    async fn run(&self, tx: &mut Tx) -> Result<Adopted, StoreError> {
        let (topup, session) = (&self.topup, &self.payment.report.session);
        if topups::find_agreement(tx, &topup.id).await?.is_some() {
            return Ok(Adopted::AlreadyHere);
        }
        topups::insert(tx, topup).await?;
        if !topups::opened(tx, &topup.id, session, None, self.ended_at_ms, topup.now_ms).await? {
            return Err(StoreError::corrupt("no row after writing top-up", &topup.id));
        }
        let now_ms = self.payment.now_ms;
        tx.execute(&MARK_ADOPTED, &args![id = topup.id.as_str(), now_ms, by = self.by.as_str()]).await?;
        for reversal in &self.reversals {
            match reversal.run(tx).await? {
                AppliedReversal::Waiting => {}
                other => return Err(StoreError::corrupt("a refund or dispute of an adopted purchase", other.as_str())),
            }
        }
        match apply::apply_one(tx, self.payment.clone()).await? {
            Applied::Credited { balance_after, .. } => Ok(Adopted::Credited { balance_after }),
            other => Err(StoreError::corrupt("the payment of an adopted purchase", other.as_str())),
        }
    }
}
