//! Is the key good for what the service does with it? Asked once when the service starts, so that an operator hears of a
//! key that is not accepted, or that lacks a permission, before a customer does.
//!
//! What always holds: each part of the provider's API is read once and cheaply, all at the same time, within
//! [`CHECK_TIME`]. That the provider cannot be reached says nothing about the key. Whether the key may write is not known
//! from reading.

use std::time::Duration;

use futures_util::future::join_all;

use super::App;
use crate::providers::port::{ProviderError, Resource};

/// How long all questions may take together.
pub const CHECK_TIME: Duration = Duration::from_secs(5);

/// A part of the provider's API that the key may not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// Which part.
    pub resource: Resource,
    /// The provider's own name of the permission, if its answer has it.
    pub permission: Option<String>,
}

/// What is known of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyVerdict {
    /// It may read everything that it has to.
    Good,
    /// The provider does not accept it at all.
    Rejected,
    /// It may not read these.
    Lacks(Vec<Lack>),
    /// The provider did not say; why, for the log.
    Unknown(String),
}

/// Asks what the key may read.
pub async fn check_key(app: &App) -> KeyVerdict {
    if !app.provider.capabilities.access {
        return KeyVerdict::Unknown("the payment provider does not tell".to_owned());
    }
    let ask = |resource: Resource| async move {
        let asked = tokio::time::timeout(CHECK_TIME, app.provider.access.can_read(resource)).await;
        (resource, asked.unwrap_or(Err(ProviderError::TimedOut)))
    };
    verdict(join_all(Resource::ALL.map(ask)).await)
}

/// What is surely wrong counts more than what could not be asked.
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
