//! Stripe: API calls (`gateway/`, the only user of async-stripe's requests, sent by `transport/`), webhook signatures
//! (`signature.rs`), events (`event/`), and the objects in events and responses (`objects/`).

pub mod clock;
pub mod event;
pub mod gateway;
pub mod name;
mod objects;
pub mod signature;
pub mod transport;

use crate::domain::ids::TopupId;
use crate::domain::payer::Payer;
use crate::providers::event::{ProviderEvent, WebhookError, WebhookReader};
use crate::providers::stripe::signature::SignatureVerifier;

/// Verifies and parses Stripe's webhook deliveries.
#[derive(Debug)]
pub struct StripeWebhooks {
    verifier: SignatureVerifier,
}

impl StripeWebhooks {
    /// Creates a reader that verifies with `verifier`.
    #[must_use]
    pub const fn new(verifier: SignatureVerifier) -> Self {
        Self { verifier }
    }
}

impl WebhookReader for StripeWebhooks {
    fn check_header(&self, header: Option<&str>, now_ms: i64) -> Result<(), WebhookError> {
        SignatureVerifier::check_header(header, now_ms).map(drop)
    }

    fn read(&self, header: Option<&str>, body: &[u8], now_ms: i64) -> Result<ProviderEvent, WebhookError> {
        self.verifier.verify(header, body, now_ms)?;
        event::read(body)
    }

    fn read_untimely(&self, header: Option<&str>, body: &[u8]) -> Result<ProviderEvent, WebhookError> {
        self.verifier.verify_untimely(header, body)?;
        event::read(body)
    }

    fn payer_in(&self, body: &[u8]) -> Option<(TopupId, Payer)> {
        event::payer::read(body)
    }

    fn read_verified(&self, body: &[u8]) -> Result<ProviderEvent, WebhookError> {
        event::read(body)
    }

    fn known_type(&self, event_type: &str) -> &'static str {
        event::EVENT_TYPES.into_iter().find(|known| *known == event_type).unwrap_or("other")
    }
}

/// Parses deliveries that were verified when they arrived, and rejects new ones: for commands, which have no webhook
/// secret.
#[derive(Debug, Clone, Copy)]
pub struct StoredDeliveries;

const TAKES_NONE: WebhookError = WebhookError::Signature("no deliveries are taken here");

impl WebhookReader for StoredDeliveries {
    fn check_header(&self, _: Option<&str>, _: i64) -> Result<(), WebhookError> {
        Err(TAKES_NONE)
    }

    fn read(&self, _: Option<&str>, _: &[u8], _: i64) -> Result<ProviderEvent, WebhookError> {
        Err(TAKES_NONE)
    }

    fn read_untimely(&self, _: Option<&str>, _: &[u8]) -> Result<ProviderEvent, WebhookError> {
        Err(TAKES_NONE)
    }

    fn read_verified(&self, body: &[u8]) -> Result<ProviderEvent, WebhookError> {
        event::read(body)
    }
}
