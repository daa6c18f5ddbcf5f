//! Finds out whether an event concerns a top-up in this database.

use crate::app::App;
use crate::db::StoreError;
use crate::domain::ids::TopupId;
use crate::providers::event::{EventSubject, WebhookError};
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
use crate::purchases::reversal::apply_reversal;
use crate::purchases::reversal::inquiry::Inquiry;

/// Handles an unreadable event: an error if it concerns us or names no subject, otherwise foreign.
pub(crate) async fn not_understood(
    inquiry: &Inquiry<'_>,
    error: WebhookError,
) -> Result<EventOutcome, ApplyEventError> {
    if let WebhookError::Unreadable { subject: Some(subject), .. } = &error
        && owner_of(inquiry, subject).await?.is_none()
    {
        return Ok(EventOutcome::Foreign("it cannot be read, and is not ours"));
    }
    Err(ApplyEventError::NotUnderstood(error))
}

/// The top-up in this database that a subject refers to.
async fn owner_of(inquiry: &Inquiry<'_>, subject: &EventSubject) -> Result<Option<TopupId>, ApplyEventError> {
    match subject {
        EventSubject::Topup(topup) => Ok(inquiry.app.db.topup(topup).await?.map(|topup| topup.id)),
        EventSubject::Payment(payment) => apply_reversal::owner(inquiry, payment).await,
    }
}

/// The top-up in this database that a subject refers to, without asking the provider.
pub(crate) async fn known_owner_of(app: &App, subject: &EventSubject) -> Result<Option<TopupId>, StoreError> {
    match subject {
        EventSubject::Topup(topup) => Ok(app.db.topup(topup).await?.map(|topup| topup.id)),
        EventSubject::Payment(payment) => apply_reversal::known_owner(app, payment).await,
    }
}
