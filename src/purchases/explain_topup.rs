//! Everything that is known of one purchase. Nothing is asked of Stripe.

use crate::access::operator::Operator;
use crate::app::App;
use crate::books::ledger::LedgerEntry;
use crate::db::StoreError;
use crate::domain::ids::TopupId;
use crate::inbox::failed_events::FailedEvent;
use crate::purchases::payment::payments::Payment;
use crate::purchases::refund::refund_requests::RefundRequest;
use crate::purchases::reversal::reversals::Reversal;
use crate::purchases::topup_history::{DecidedEvent, StoredFeePolicy};
use crate::purchases::topups::Topup;

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
