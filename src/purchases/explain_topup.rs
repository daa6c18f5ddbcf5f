//! Everything known about one top-up, from the database only.

use crate::access::operator::Operator;
use crate::app::App;
use crate::books::ledger::LedgerEntry;
use crate::db::StoreError;
use crate::domain::ids::TopupId;
use crate::inbox::failed_events::FailedEvent;
use crate::purchases::fraud::fraud_signals::StoredSignal;
use crate::purchases::payment::payments::Payment;
use crate::purchases::refund::refund_requests::RefundRequest;
use crate::purchases::reversal::reversals::Reversal;
use crate::purchases::topup_history::{DecidedEvent, StoredFeePolicy};
use crate::purchases::topups::Topup;

/// A top-up with its whole history. The parts are read one after the other, so one may be newer than another while
/// events arrive.
#[derive(Debug)]
pub struct Explanation {
    /// The top-up.
    pub topup: Topup,
    /// The fee policy it was created with.
    pub fees: StoredFeePolicy,
    /// The payments, oldest first.
    pub payments: Vec<Payment>,
    /// The refunds and disputes, oldest first.
    pub reversals: Vec<Reversal>,
    /// Warnings of fraud and reviews, oldest first.
    pub signals: Vec<StoredSignal>,
    /// The refunds requested through this service, oldest first.
    pub requests: Vec<RefundRequest>,
    /// The decided events, oldest first.
    pub events: Vec<DecidedEvent>,
    /// The failed deliveries that can be attributed to it.
    pub failures: Vec<FailedEvent>,
    /// Its ledger entries.
    pub entries: Vec<LedgerEntry>,
}

/// Explains a top-up. `None` if it does not exist or the operator may not see it.
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
        signals: app.db.fraud_signals_of(id).await?,
        requests: app.db.refund_requests_of(id).await?,
        events: app.db.events_of(id).await?,
        failures: app.db.failed_events_of(id).await?,
        entries: app.db.entries_of(id).await?,
    }))
}
