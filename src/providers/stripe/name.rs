//! What this provider is called in the books.

use crate::domain::provider::ProviderName;

/// Its name.
pub const NAME: ProviderName = ProviderName::new("stripe");
