//! Thin events: fetches the event that a thin event stands for, and applies it like any other.
//!
//! Invariant: a thin event and the snapshot of the same change have the same id, so whichever arrives second is a
//! duplicate. A thin event credits a top-up even if the API key may not read events.

use crate::db::StoreError;
use crate::domain::checkout::{Mismatch, PurchaseReport};
use crate::domain::ids::SessionId;
use crate::providers::event::{ProviderEvent, ThinEvent, WebhookError};
use crate::providers::port::ProviderError;
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
use crate::purchases::payment::apply_report::apply;
use crate::purchases::reversal::inquiry::Inquiry;

const OF_ANOTHER_ACCOUNT: EventOutcome = EventOutcome::Foreign("a connected account's event");
const UNKNOWN: EventOutcome = EventOutcome::Foreign("Stripe does not know what the thin event names");

/// The result of resolving a thin event.
pub(crate) enum ThinOutcome {
    /// The event is decided.
    Decided(EventOutcome),
    /// The event that it stands for, still to be applied.
    StandsFor(Result<ProviderEvent, WebhookError>),
}

impl From<EventOutcome> for ThinOutcome {
    fn from(outcome: EventOutcome) -> Self {
        Self::Decided(outcome)
    }
}

/// Fetches the event that a thin event stands for, or applies the current state of its checkout session.
///
/// # Errors
/// When the provider cannot be asked, or the database fails.
pub(crate) async fn resolve_thin(inquiry: &Inquiry<'_>, thin: ThinEvent) -> Result<ThinOutcome, ApplyEventError> {
    let app = inquiry.app;
    if app.db.is_decided(&thin.event.0).await? {
        return Ok(EventOutcome::Decided("duplicate").into());
    }
    if let Some(account) = thin.context {
        let is_ours = is_known(inquiry, thin.session.as_ref()).await?;
        let rejected = || EventOutcome::Rejected(Mismatch::other_account(account));
        return Ok(if is_ours { rejected() } else { OF_ANOTHER_ACCOUNT }.into());
    }
    let refused = if thin.has_snapshot {
        match inquiry.ask(app.provider.events.read_event(&thin.event.0)).await {
            Ok(body) => {
                return Ok(match app.provider.webhooks.read_verified(body.as_bytes()) {
                    Ok(ProviderEvent::Announced(_)) => UNKNOWN.into(),
                    read => ThinOutcome::StandsFor(read),
                });
            }
            // The API key may not read events, or the provider no longer keeps the event.
            Err(ApplyEventError::Provider(
                error @ (ProviderError::Refused(_) | ProviderError::Unknown(_) | ProviderError::Unsupported(_)),
            )) => Some(error),
            Err(error) => return Err(error),
        }
    } else {
        None
    };
    match (thin.session.clone(), refused) {
        (Some(session), _) => Ok(apply_session(inquiry, thin, &session).await?.into()),
        (None, Some(error @ (ProviderError::Refused(_) | ProviderError::Unsupported(_)))) => Err(error.into()),
        (None, _) => Ok(UNKNOWN.into()),
    }
}

/// Applies the session's current state under the event's id.
async fn apply_session(
    inquiry: &Inquiry<'_>,
    thin: ThinEvent,
    session: &SessionId,
) -> Result<EventOutcome, ApplyEventError> {
    let report = match inquiry.ask(inquiry.app.provider.checkouts.read_checkout(session)).await {
        Ok(Some(report)) => report,
        Ok(None) => return Ok(EventOutcome::Foreign("no top-up of ours")),
        Err(ApplyEventError::Provider(ProviderError::Unknown(_))) if !is_known(inquiry, Some(session)).await? => {
            return Ok(UNKNOWN);
        }
        Err(error) => return Err(error),
    };
    let report = PurchaseReport { event: Some(thin.event), ..report };
    Ok(apply(inquiry.app, report).await?.into())
}

async fn is_known(inquiry: &Inquiry<'_>, session: Option<&SessionId>) -> Result<bool, StoreError> {
    let Some(session) = session else { return Ok(false) };
    Ok(inquiry.app.db.topup_by_session(session).await?.is_some())
}
