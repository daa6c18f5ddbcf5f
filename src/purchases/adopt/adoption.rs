//! A purchase that Stripe knows and these books do not: written down and credited in one transaction.
//!
//! What always holds: the credits come by the same code as a webhook's; refunds and disputes are there before them, so
//! that nobody spends what was given back; whoever adopted is written down; all of it commits or nothing.

use crate::db::{StoreError, args, statements};
use crate::db::{Tx, Write};
use crate::domain::judge::Applied;
use crate::purchases::payment::apply::{self, ApplyPayment};
use crate::purchases::reversal::reversals::{AppliedReversal, ApplyReversals};
use crate::purchases::topups::{self, NewTopup};

/// A purchase about to be taken in. As a write, it takes the purchase in; if its parts contradict each other, it fails and
/// nothing is written.
#[derive(Debug, Clone)]
pub struct Adoption {
    /// The purchase, as it was agreed.
    pub topup: NewTopup,
    /// When its checkout ended, in milliseconds since 1970.
    pub ended_at_ms: i64,
    /// What Stripe says of its payment: paid.
    pub payment: ApplyPayment,
    /// What Stripe says of its refunds and disputes.
    pub reversals: Vec<ApplyReversals>,
    /// Who takes it in.
    pub by: String,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adopted {
    /// It is in the books now.
    Credited {
        /// What the account has now.
        balance_after: i64,
    },
    /// The purchase is in the books already. Nothing was written.
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
