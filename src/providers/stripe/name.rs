//! This provider's name in the database.

use crate::domain::provider::ProviderName;

/// The provider's name.
pub const NAME: ProviderName = ProviderName::new("stripe");
