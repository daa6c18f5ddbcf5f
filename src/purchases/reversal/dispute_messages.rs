//! The messages about a dispute: that it was opened, and how it ended.

use serde_json::json;

use crate::db::{StoreError, Tx};
use crate::domain::ids::{PaymentId, TopupId};
use crate::domain::reversal::DisputeReport;
use crate::messages::event_type::EventType;
use crate::messages::message::{self, NewMessage};

/// The statuses in which a dispute is decided.
const DECIDED: [&str; 4] = ["won", "lost", "warning_closed", "prevented"];

/// Writes what is new. Each message has its id from the dispute, so a report that comes again writes none.
pub(crate) async fn write(
    tx: &mut Tx,
    topup: &TopupId,
    account: &str,
    payment: &PaymentId,
    dispute: &DisputeReport,
    is_new: bool,
    now_ms: i64,
) -> Result<(), StoreError> {
    let facts = json!({
        "disputeId": dispute.id.as_str(),
        "topupId": topup.as_str(),
        "paymentId": payment.as_str(),
        "status": dispute.status,
        "reason": dispute.reason,
        "amount": dispute.amount_minor,
        "currency": dispute.currency,
    });
    let (id, status) = (dispute.id.as_str(), dispute.status.as_str());
    let new =
        |event, distinction| NewMessage { event, distinction, account, cause: id, facts: Some(facts.clone()), now_ms };
    if is_new {
        message::write(tx, &new(EventType::DisputeOpened, id)).await?;
    }
    if DECIDED.contains(&status) {
        message::write(tx, &new(EventType::DisputeClosed, &format!("{id}-{status}"))).await?;
    }
    Ok(())
}
