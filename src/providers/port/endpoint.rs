//! The account that takes the money, and the endpoints to which the provider delivers its events.

use async_trait::async_trait;
use secrecy::SecretString;

use super::{ProviderError, Unsupported};
use crate::domain::ids::{EventId, TopupId};

/// What the provider lets the account do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderAccount {
    /// The account's id at the provider.
    pub id: String,
    /// Whether it may take payments. Test payments may work all the same.
    pub takes_payments: bool,
    /// Whether the provider pays out what was taken.
    pub pays_out: bool,
}

/// An endpoint of the account, compared with what this version needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryEndpoint {
    /// Its id at the provider.
    pub id: String,
    /// Where events are delivered.
    pub url: String,
    /// Whether events are delivered at all.
    pub is_enabled: bool,
    /// The handled types of events that it is not subscribed to.
    pub missing_types: Vec<String>,
    /// The types that it is subscribed to although nothing here handles them; `*` for all.
    pub extra_types: Vec<String>,
    /// The version in which its events are written; `None` for the account's default.
    pub api_version: Option<String>,
    /// How that version relates to those that this program is tested with.
    pub version_fit: VersionFit,
}

/// How a version of the provider's API relates to those that this program is tested with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionFit {
    /// It lies between the oldest and the newest of them, or is not known.
    Tested,
    /// It is older than the oldest.
    Older,
    /// It is newer than the newest.
    Newer,
}

/// A new endpoint, with the secret that signs its deliveries. The provider shows the secret only now.
#[derive(Debug, Clone)]
pub struct CreatedEndpoint {
    /// The endpoint.
    pub endpoint: DeliveryEndpoint,
    /// The secret.
    pub secret: SecretString,
}

/// An event about a top-up that some endpoint of the account has not accepted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndeliveredEvent {
    /// The event.
    pub event: EventId,
    /// Its type.
    pub event_type: String,
    /// When it happened, in milliseconds since 1970.
    pub created_ms: i64,
    /// The top-up.
    pub topup: TopupId,
}

/// Whether the provider computes tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaxSetup {
    /// Whether its settings are complete.
    pub is_active: bool,
    /// In how many places the account is registered; at most 100 are counted.
    pub registrations: usize,
}

/// Tells what the account may do.
#[async_trait]
pub trait AccountOps: Send + Sync {
    /// The account that the API key belongs to.
    async fn read_account(&self) -> Result<ProviderAccount, ProviderError>;

    /// Whether it computes tax.
    async fn read_tax_setup(&self) -> Result<TaxSetup, ProviderError>;
}

/// Manages the endpoints to which events are delivered.
#[async_trait]
pub trait EndpointOps: Send + Sync {
    /// All endpoints of the account, newest first, in the mode of the API key.
    async fn list_endpoints(&self) -> Result<Vec<DeliveryEndpoint>, ProviderError>;

    /// Creates an endpoint that gets all handled types of events and no others. The same key creates it once.
    async fn create_endpoint(&self, url: &str, key: &str) -> Result<CreatedEndpoint, ProviderError>;

    /// Enables an endpoint and subscribes it to all handled types of events and no others. Its URL, version and secret
    /// stay.
    async fn repair_endpoint(&self, id: &str, key: &str) -> Result<DeliveryEndpoint, ProviderError>;

    /// The latest events about top-ups since a time (seconds since 1970) that some endpoint has not accepted yet.
    async fn undelivered_events(&self, since_seconds: i64) -> Result<Vec<UndeliveredEvent>, ProviderError>;

    /// When an event happened, in milliseconds since 1970.
    async fn event_time_ms(&self, event: &EventId) -> Result<i64, ProviderError>;
}

#[async_trait]
impl AccountOps for Unsupported {
    async fn read_account(&self) -> Result<ProviderAccount, ProviderError> {
        Err(ProviderError::Unsupported("to tell what the account may do"))
    }

    async fn read_tax_setup(&self) -> Result<TaxSetup, ProviderError> {
        Err(ProviderError::Unsupported("to tell whether it computes tax"))
    }
}

const NO_ENDPOINTS: ProviderError = ProviderError::Unsupported("to manage endpoints");

#[async_trait]
impl EndpointOps for Unsupported {
    async fn list_endpoints(&self) -> Result<Vec<DeliveryEndpoint>, ProviderError> {
        Err(NO_ENDPOINTS)
    }

    async fn create_endpoint(&self, _: &str, _: &str) -> Result<CreatedEndpoint, ProviderError> {
        Err(NO_ENDPOINTS)
    }

    async fn repair_endpoint(&self, _: &str, _: &str) -> Result<DeliveryEndpoint, ProviderError> {
        Err(NO_ENDPOINTS)
    }

    async fn undelivered_events(&self, _: i64) -> Result<Vec<UndeliveredEvent>, ProviderError> {
        Err(ProviderError::Unsupported("to tell what was not delivered"))
    }

    async fn event_time_ms(&self, _: &EventId) -> Result<i64, ProviderError> {
        Err(ProviderError::Unsupported("to tell when an event happened"))
    }
}
