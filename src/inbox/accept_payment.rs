//! An operator accepts a payment that differs from what was agreed, and leaves us at least that: the customer gets the
//! credits.
//!
//! What always holds: only the amount may differ, and only upwards, tax apart; the operator's word is written down with the
//! credits, in one transaction; the payment is applied by the very code that applies every other, with all its guards, so
//! that accepting it again, beside a delivery or after another one, credits nothing twice.

use crate::access::operator::Operator;
use crate::app::App;
use crate::db::StoreError;
use crate::domain::checkout::{Mismatch, PurchaseReport};
use crate::domain::ids::{EventId, LedgerEntryId};
use crate::inbox::failed_events::FailedDelivery;
use crate::providers::event::ProviderEvent;
use crate::providers::port::ProviderError;
use crate::purchases::payment::acceptances::{self, Acceptance, Accepted};
use crate::purchases::payment::apply::ApplyPayment;

/// Why an event is not accepted. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// No delivery of it failed.
    #[error("no delivery of that event failed")]
    Unknown,
    /// What came with it is not kept (any more), and Stripe does not show it.
    #[error(
        "its payload is not kept (any more), and Stripe does not show the event to this key (any more); give the credits \
         by an adjustment"
    )]
    PayloadErased,
    /// It is not about money that came for a purchase.
    #[error("it does not say that a top-up was paid, so there is nothing to accept; replay it instead")]
    NotAPayment,
    /// The purchase is not in this database.
    #[error("its top-up is not in this database")]
    Foreign,
    /// More than the amount differs, or it leaves us less than was agreed.
    #[error("it cannot be accepted: {0}")]
    NotEnough(Mismatch),
    /// The amount is the one that was agreed.
    #[error("its amount is the one that was agreed, so there is nothing to accept; replay it instead")]
    NothingDiffers,
    /// Stripe cannot be asked what it stands for.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Accepts a failed event and credits its purchase, in one transaction.
///
/// # Errors
/// See [`AcceptError`].
pub async fn accept_payment(
    app: &App,
    event_id: &str,
    operator: &Operator,
    reason: &str,
) -> Result<Accepted, AcceptError> {
    let failed = app.db.failed_event(event_id).await?.ok_or(AcceptError::Unknown)?;
    if let Some(accepted) = app.db.accepted(&failed.event.provider, event_id).await? {
        return Ok(accepted);
    }
    let report = payment_of(app, failed).await?;
    let acceptance = Acceptance {
        event_id: event_id.to_owned(),
        reason: reason.to_owned(),
        accepted_by: operator.name.clone(),
        command: ApplyPayment {
            report,
            entry: LedgerEntryId::from_bits(app.ids.id_bits()),
            reversal_entry: LedgerEntryId::from_bits(app.ids.id_bits()),
            now_ms: app.clock.now_ms(),
        },
    };
    match app.db.write(acceptance).await? {
        acceptances::Outcome::Accepted(accepted) => {
            let Accepted { topup_id, credits, accepted_by, outcome, .. } = &accepted;
            tracing::info!(event_id, topup_id, credits, accepted_by, outcome, "payment accepted by hand");
            Ok(accepted)
        }
        acceptances::Outcome::Foreign => Err(AcceptError::Foreign),
        acceptances::Outcome::NothingDiffers => Err(AcceptError::NothingDiffers),
        acceptances::Outcome::Rejected(mismatch) => Err(AcceptError::NotEnough(mismatch)),
    }
}

/// The payment that an event reports, if the money is there. Stripe is asked for an event whose payload was thin or is not
/// kept.
async fn payment_of(app: &App, failed: FailedDelivery) -> Result<PurchaseReport, AcceptError> {
    let kept = failed.payload.map(|payload| app.provider.webhooks.read_verified(payload.as_bytes()));
    let (event, session) = match kept {
        Some(Ok(ProviderEvent::Announced(thin))) if thin.context.is_none() => (thin.event, thin.session),
        Some(read) => return paid(read.ok()),
        None => {
            let id = EventId::parse(app.provider.name, failed.event.provider_event_id)
                .map_err(|_| AcceptError::PayloadErased)?;
            ((id, failed.event.event_type), None)
        }
    };
    match app.provider.events.read_event(&event.0).await {
        Ok(body) => paid(app.provider.webhooks.read_verified(body.as_bytes()).ok()),
        // The key may not read events, the event is older than the provider keeps it, or the provider keeps none.
        Err(ProviderError::Refused(_) | ProviderError::Unknown(_) | ProviderError::Unsupported(_)) => {
            let session = session.ok_or(AcceptError::PayloadErased)?;
            let report = app.provider.checkouts.read_checkout(&session).await?.ok_or(AcceptError::Foreign)?;
            paid(Some(ProviderEvent::purchase(PurchaseReport { event: Some(event), ..report })))
        }
        Err(error) => Err(error.into()),
    }
}

fn paid(event: Option<ProviderEvent>) -> Result<PurchaseReport, AcceptError> {
    match event {
        Some(ProviderEvent::PurchasePaid(report)) if report.event.is_some() => Ok(*report),
        _ => Err(AcceptError::NotAPayment),
    }
}
