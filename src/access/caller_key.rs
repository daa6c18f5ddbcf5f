//! The callers' idempotency keys: what they belong to, and which requests are the same.
//!
//! A key belongs to what is acted on, not to the credential it came with: after an API key was rotated, the repetition of
//! a request is still a repetition.

use sha2::{Digest, Sha256};

use crate::domain::account::AccountId;
use crate::domain::ids::TopupId;

/// A caller's idempotency key and what it belongs to.
#[derive(Debug, Clone)]
pub struct CallerKey {
    /// What is acted on.
    pub scope: String,
    /// The key.
    pub key: String,
}

impl CallerKey {
    /// The key of a checkout: it belongs to the account that buys.
    #[must_use]
    pub fn of_checkout(account: &AccountId, key: String) -> Self {
        Self { scope: format!("checkout:{account}"), key }
    }

    /// The key of an adjustment: it belongs to the account that is adjusted.
    #[must_use]
    pub fn of_adjustment(account: &AccountId, key: String) -> Self {
        Self { scope: format!("adjustment:{account}"), key }
    }

    /// The key of a refund: it belongs to the top-up that is refunded.
    #[must_use]
    pub fn of_refund(topup: &TopupId, key: String) -> Self {
        Self { scope: format!("refund:{topup}"), key }
    }
}

/// What makes two requests the same. Each part is preceded by its length, so that no two requests look alike.
pub(crate) fn request_hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_string());
        hasher.update(":");
        hasher.update(part);
    }
    hex::encode(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_whose_parts_are_divided_otherwise_are_not_the_same() {
        let hashes = [request_hash(&["1", "23"]), request_hash(&["12", "3"]), request_hash(&["1", "2", "3"])];
        assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2] && hashes[0] != hashes[2]);
        assert_eq!(request_hash(&["1", "23"]), hashes[0]);
    }
}
