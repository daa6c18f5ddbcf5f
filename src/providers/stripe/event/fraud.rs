//! Parses early fraud warnings (Radar) and reviews. Like refunds, they name only their payment.

use serde::Deserialize;

use crate::domain::fraud::{FraudKind, FraudSignal};
use crate::domain::ids::{FraudSignalId, PaymentId};
use crate::domain::reversal::word;
use crate::providers::event::{FraudSignalled, ProviderEvent};
use crate::providers::stripe::event::{Head, from_object};
use crate::providers::stripe::name::NAME;

#[derive(Deserialize)]
struct EarlyFraudWarning {
    id: String,
    #[serde(default)]
    actionable: Option<bool>,
    #[serde(default)]
    fraud_type: Option<String>,
    #[serde(default)]
    created: Option<i64>,
}

#[derive(Deserialize)]
struct Review {
    id: String,
    #[serde(default)]
    open: Option<bool>,
    #[serde(default)]
    opened_reason: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    closed_reason: Option<String>,
    #[serde(default)]
    created: Option<i64>,
}

/// A warning that is no longer actionable was answered by a refund or a dispute.
pub(super) fn warning(object: &str, payment: PaymentId, head: Head) -> Result<ProviderEvent, String> {
    let warning: EarlyFraudWarning = from_object(object)?;
    let signal = FraudSignal {
        id: FraudSignalId::parse(NAME, warning.id).map_err(|error| error.to_string())?,
        kind: FraudKind::EarlyWarning,
        payment,
        reason: warning.fraud_type.as_deref().map(word),
        is_open: warning.actionable.unwrap_or(true),
        ended: None,
        occurred_at_ms: occurred_at_ms(warning.created)?,
    };
    Ok(ProviderEvent::FraudSignalled(FraudSignalled { event: head.event, livemode: head.livemode, signal }))
}

/// `reason` is the current one: that of opening, then that of closing. The event's type decides whether it is open.
pub(super) fn review(object: &str, payment: PaymentId, head: Head) -> Result<ProviderEvent, String> {
    let review: Review = from_object(object)?;
    let is_open = head.event.1 == "review.opened" && review.open.unwrap_or(true);
    let ended = review.closed_reason.or_else(|| if is_open { None } else { review.reason.clone() });
    let reason = review.opened_reason.or(if is_open { review.reason } else { None });
    let signal = FraudSignal {
        id: FraudSignalId::parse(NAME, review.id).map_err(|error| error.to_string())?,
        kind: FraudKind::Review,
        payment,
        reason: reason.as_deref().map(word),
        is_open,
        ended: ended.as_deref().map(word).filter(|_| !is_open),
        occurred_at_ms: occurred_at_ms(review.created)?,
    };
    Ok(ProviderEvent::FraudSignalled(FraudSignalled { event: head.event, livemode: head.livemode, signal }))
}

fn occurred_at_ms(created: Option<i64>) -> Result<i64, String> {
    created.and_then(|seconds| seconds.checked_mul(1_000)).ok_or_else(|| "data.object.created is missing".to_owned())
}
