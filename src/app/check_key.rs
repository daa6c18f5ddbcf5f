//! Checks the provider's API key once when the service starts, so that an operator learns about a rejected key or a
//! missing permission before a customer does.
//!
//! Invariants: each part of the provider's API is read once, cheaply, all in parallel, within [`CHECK_TIME`]. An
//! unreachable provider says nothing about the key. Reading does not show whether the key may write.

use std::time::Duration;

use futures_util::future::join_all;

use super::App;
use crate::providers::port::{ProviderError, Resource};

/// The time limit for all calls together.
pub const CHECK_TIME: Duration = Duration::from_secs(5);

/// A missing permission: a part of the provider's API that the key may not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// The part.
    pub resource: Resource,
    /// The provider's name for the permission, if its answer contains it.
    pub permission: Option<String>,
}

/// The result of the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyVerdict {
    /// The key may read everything that it needs to.
    Good,
    /// The provider rejects the key.
    Rejected,
    /// The key may not read these parts.
    Lacks(Vec<Lack>),
    /// The provider did not answer; contains the reason, for the log.
    Unknown(String),
}

/// Checks what the key may read.
pub async fn check_key(app: &App) -> KeyVerdict {
    if !app.provider.capabilities.access {
        return KeyVerdict::Unknown("the payment provider does not tell".to_owned());
    }
    let ask = |resource: Resource| async move {
        let asked = tokio::time::timeout(CHECK_TIME, app.provider.access.can_read(resource)).await;
        (resource, asked.unwrap_or(Err(ProviderError::TimedOut)))
    };
    let of_cards = if app.recurring.saves_cards { Resource::OF_CARDS.as_slice() } else { &[] };
    let needed = Resource::NEEDED.iter().chain(of_cards).copied();
    verdict(join_all(needed.map(ask)).await)
}

/// A definite problem takes precedence over an unanswered call.
fn verdict(answers: Vec<(Resource, Result<(), ProviderError>)>) -> KeyVerdict {
    let (mut lacks, mut unknown) = (Vec::new(), None);
    for (resource, answer) in answers {
        match answer {
            Ok(()) => {}
            Err(error) if error.is_unknown_key() => return KeyVerdict::Rejected,
            Err(error) if error.is_missing_permission() => {
                lacks.push(Lack { resource, permission: error.missing_permission().map(str::to_owned) });
            }
            Err(error) => unknown = Some(error.to_string()),
        }
    }
    match unknown {
        _ if !lacks.is_empty() => KeyVerdict::Lacks(lacks),
        Some(reason) => KeyVerdict::Unknown(reason),
        None => KeyVerdict::Good,
    }
}
