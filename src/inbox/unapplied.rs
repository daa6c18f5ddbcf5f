//! Deliveries that are signed and cannot be taken: too late, or at a path where nothing takes them.
//!
//! What always holds: nothing of them is applied here. One of our types about a purchase of this database is listed under
//! the failed deliveries, from where it can be replayed; all others leave no row.

use crate::app::App;
use crate::db::StoreError;
use crate::inbox::apply_event::{Name, Origin, or_digest, record_failure};
use crate::inbox::failed_events::FailureKind;
use crate::inbox::owner::known_owner_of;
use crate::providers::event::{ProviderEvent, WebhookError};

/// Why a delivery cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// Its signature is of another time.
    Untimely {
        /// How far that is ahead of this server's clock, in seconds; negative when it is behind.
        ahead_seconds: i64,
    },
    /// It came to a path where no deliveries are taken.
    Path {
        /// The path.
        path: String,
        /// Where deliveries are taken.
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

/// What such a delivery is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unapplied {
    /// It is not Stripe's.
    NotSigned,
    /// It is Stripe's, and has no effect in any case: decided before, or nothing of ours.
    NoMatter,
    /// It is Stripe's and about a purchase of this database; it is listed under the failed deliveries.
    Listed {
        /// Under this id.
        event_id: String,
        /// Its type.
        event_type: String,
    },
}

/// Finds out what a delivery is that cannot be taken, and lists it if it concerns us.
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
