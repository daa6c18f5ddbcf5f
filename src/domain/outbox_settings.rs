//! The settings of messages to the product.

use ipnet::IpNet;
use secrecy::SecretString;

/// What the product is told, and how.
#[derive(Debug, Clone, Default)]
pub struct OutboxSettings {
    /// An account is low when fewer credits are available, unless it has a threshold of its own; `None`: never.
    pub low_balance_credits: Option<i64>,
    /// The key that the endpoints' secrets are derived from; `None`: one that is kept in the database.
    pub signing_key: Option<SecretString>,
    /// Networks that endpoints may be in although they are not public, and then also without TLS.
    pub allowed_networks: Vec<IpNet>,
}
