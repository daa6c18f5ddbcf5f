//! Applies an early fraud warning or a review: finds the top-up of its payment, and stores it.

use crate::domain::ids::LedgerEntryId;
use crate::providers::event::FraudSignalled;
use crate::purchases::fraud::fraud_signals::{AppliedSignal, RecordSignal};
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
use crate::purchases::reversal::apply_reversal::owner;
use crate::purchases::reversal::inquiry::Inquiry;

/// Applies a warning or a review.
///
/// # Errors
/// When the provider cannot be asked which top-up the payment belongs to, or the database fails.
pub(crate) async fn apply_signal(
    inquiry: &Inquiry<'_>,
    signalled: FraudSignalled,
) -> Result<EventOutcome, ApplyEventError> {
    let FraudSignalled { event, livemode, signal } = signalled;
    let app = inquiry.app;
    let Some(topup) = owner(inquiry, &signal.payment).await? else {
        return Ok(EventOutcome::Foreign("the payment is not ours"));
    };
    let command = RecordSignal {
        event,
        livemode,
        topup: topup.clone(),
        signal: signal.clone(),
        blocks: app.freeze_on_fraud_warning,
        entry: LedgerEntryId::from_bits(app.ids.id_bits()),
        now_ms: app.clock.now_ms(),
    };
    Ok(match app.db.write(command).await? {
        AppliedSignal::Recorded(blocked) => {
            let (id, payment, kind) = (&signal.id, &signal.payment, signal.kind.as_str());
            if signal.is_open {
                tracing::warn!(%id, kind, %topup, %payment, blocked, "a payment may be fraud; look at it in the console");
            }
            EventOutcome::Decided("fraud_signal")
        }
        AppliedSignal::Duplicate => EventOutcome::Decided("duplicate"),
        AppliedSignal::Foreign => EventOutcome::Foreign("another environment's top-up"),
        AppliedSignal::Rejected(mismatch) => EventOutcome::Rejected(mismatch),
    })
}
