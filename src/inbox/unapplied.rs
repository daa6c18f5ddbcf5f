//! Deliveries with a valid signature that cannot be accepted: too late, or sent to a wrong path.
//!
//! Invariant: they are not applied here. A delivery of a handled type about a top-up in this database is listed as a
//! failed delivery, from where it can be replayed; all others leave no row.

use crate::app::App;
use crate::db::StoreError;
use crate::inbox::apply_event::{Name, Origin, or_digest, record_failure};
use crate::inbox::failed_events::FailureKind;
use crate::inbox::owner::known_owner_of;
use crate::providers::event::{ProviderEvent, WebhookError};

/// Why a delivery cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// Its signature's time is too far off.
    Untimely {
        /// How far that time is ahead of this server's clock, in seconds; negative if it is behind.
        ahead_seconds: i64,
    },
    /// It was sent to a path that does not accept deliveries.
    Path {
        /// That path.
        path: String,
        /// The right path.
        right: String,
    },
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Untimely { ahead_seconds } if *ahead_seconds < 0 => {
                let seconds = ahead_seconds.saturating_abs();
                write!(formatter, "it came {seconds} s after it was signed, by this server's clock: ")?;
                write!(formatter, "if the clock is right, something held the delivery back")
            }
            Self::Untimely { ahead_seconds } => {
                write!(formatter, "it was signed {ahead_seconds} s ahead of this server's clock: set the clock")
            }
            Self::Path { path, right } => {
                write!(
                    formatter,
                    "it came to {path}, where no deliveries are taken: the endpoint's URL must be {right}"
                )
            }
        }
    }
}

/// The classification of an unaccepted delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unapplied {
    /// The provider did not sign it.
    NotSigned,
    /// The provider signed it, but it would have no effect: decided before, or it does not concern us.
    NoMatter,
    /// The provider signed it, and it is about a top-up in this database; it is listed as a failed delivery.
    Listed {
        /// The id in the list.
        event_id: String,
        /// The event's type.
        event_type: String,
    },
}

/// Classifies a delivery that cannot be accepted, and lists it if it concerns us.
///
/// # Errors
/// When the database fails.
pub async fn note_unapplied(
    app: &App,
    header: Option<&str>,
    body: &[u8],
    obstacle: &Obstacle,
) -> Result<Unapplied, StoreError> {
    let name = match app.provider.webhooks.read_untimely(header, body) {
        Ok(ProviderEvent::Announced(thin)) => {
            let session = match &thin.session {
                Some(session) => app.db.topup_by_session(session).await?,
                None => None,
            };
            if session.is_none() {
                return Ok(Unapplied::NoMatter);
            }
            Name { event_id: thin.event.0.as_str().to_owned(), event_type: thin.event.1, subject: None }
        }
        Ok(event) => match Name::of(&event) {
            Some(name) if concerns_us(app, &name).await? => name,
            _ => return Ok(Unapplied::NoMatter),
        },
        Err(WebhookError::Unreadable { event_id, event_type, subject, .. }) => {
            let name = Name { event_id: or_digest(&event_id, body), event_type, subject };
            if !concerns_us(app, &name).await? {
                return Ok(Unapplied::NoMatter);
            }
            name
        }
        Err(_) => return Ok(Unapplied::NotSigned),
    };
    if app.db.is_decided_event(app.provider.name, &name.event_id).await? {
        return Ok(Unapplied::NoMatter);
    }
    let reason = format!("{obstacle}; `topup webhooks replay` applies it");
    record_failure(app, &name, FailureKind::Transient, &reason, Origin::Provider(body)).await?;
    Ok(Unapplied::Listed { event_id: name.event_id, event_type: name.event_type })
}

async fn concerns_us(app: &App, name: &Name) -> Result<bool, StoreError> {
    match &name.subject {
        Some(subject) => Ok(known_owner_of(app, subject).await?.is_some()),
        None => Ok(false),
    }
}
