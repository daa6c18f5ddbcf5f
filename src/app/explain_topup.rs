//! Everything that is known of one purchase. Nothing is asked of Stripe.

use super::App;
use super::operator::Operator;
use crate::domain::ids::TopupId;
use crate::store::StoreError;
use crate::store::failed_events::FailedEvent;
use crate::store::ledger::LedgerEntry;
use crate::store::payments::Payment;
use crate::store::refund_requests::RefundRequest;
use crate::store::reversals::Reversal;
use crate::store::topup_history::{DecidedEvent, StoredFeePolicy};
use crate::store::topups::Topup;

/// A purchase with all that happened to it. The parts are read one after the other: while news come in, one may be
/// ahead of another.
#[derive(Debug)]
pub struct Explanation {
    /// The purchase.
    pub topup: Topup,
    /// How its fee came about.
    pub fees: StoredFeePolicy,
    /// The payments, oldest first.
    pub payments: Vec<Payment>,
    /// The refunds and disputes, oldest first.
    pub reversals: Vec<Reversal>,
    /// The refunds that somebody asked for here, oldest first.
    pub requests: Vec<RefundRequest>,
    /// The decided events, oldest first.
    pub events: Vec<DecidedEvent>,
    /// The deliveries without an effect, as far as it can be told that they are about it.
    pub failures: Vec<FailedEvent>,
    /// The lines of the books.
    pub entries: Vec<LedgerEntry>,
}

/// Explains a purchase; `None` if there is none that the operator may know of.
///
/// # Errors
/// When the database fails.
pub async fn explain_topup(app: &App, id: &TopupId, operator: &Operator) -> Result<Option<Explanation>, StoreError> {
    let topup = app.db.topup(id).await?.filter(|topup| operator.may_act_for(&topup.account));
    let (Some(topup), Some(fees)) = (topup, app.db.fee_policy_of(id).await?) else { return Ok(None) };
    Ok(Some(Explanation {
        topup,
        fees,
        payments: app.db.payments_of(id).await?,
        reversals: app.db.reversals_of(id).await?,
        requests: app.db.refund_requests_of(id).await?,
        events: app.db.events_of(id).await?,
        failures: app.db.failed_events_of(id).await?,
        entries: app.db.entries_of(id).await?,
    }))
}
