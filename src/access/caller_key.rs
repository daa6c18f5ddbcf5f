//! Callers' idempotency keys: their scope, and which requests count as equal.
//!
//! A key is scoped to the object of the request, not to the caller's credentials: after an API key was rotated, a
//! repeated request is still recognised.

use sha2::{Digest, Sha256};

use crate::domain::account::AccountId;
use crate::domain::ids::{HoldId, SpendId, TopupId};

/// A caller's idempotency key and its scope.
#[derive(Debug, Clone)]
pub struct CallerKey {
    /// The scope: the operation and its object.
    pub scope: String,
    /// The key.
    pub key: String,
}

impl CallerKey {
    /// The key of a checkout, scoped to the buying account.
    #[must_use]
    pub fn of_checkout(account: &AccountId, key: String) -> Self {
        Self { scope: format!("checkout:{account}"), key }
    }

    /// The key of a checkout for a subscription, scoped to the account.
    #[must_use]
    pub fn of_subscription(account: &AccountId, key: String) -> Self {
        Self { scope: format!("subscribe:{account}"), key }
    }

    /// The key of the checkout with which a customer confirms a payment: one for each time that it is asked for.
    #[must_use]
    pub fn of_recovery(account: &AccountId, changes: i64) -> Self {
        Self { scope: format!("recovery:{account}"), key: changes.to_string() }
    }

    /// The key of an adjustment, scoped to the adjusted account.
    #[must_use]
    pub fn of_adjustment(account: &AccountId, key: String) -> Self {
        Self { scope: format!("adjustment:{account}"), key }
    }

    /// The key of a debit, scoped to the account.
    #[must_use]
    pub fn of_debit(account: &AccountId, key: String) -> Self {
        Self { scope: format!("debit:{account}"), key }
    }

    /// The key of a hold, scoped to the account.
    #[must_use]
    pub fn of_hold(account: &AccountId, key: String) -> Self {
        Self { scope: format!("hold:{account}"), key }
    }

    /// The key of a capture: a hold is captured once.
    #[must_use]
    pub fn of_capture(hold: &HoldId) -> Self {
        Self { scope: "capture".to_owned(), key: hold.to_string() }
    }

    /// The key of a promotion, scoped to the account.
    #[must_use]
    pub fn of_promotion(account: &AccountId, key: String) -> Self {
        Self { scope: format!("promotion:{account}"), key }
    }

    /// The key of a refund of a spend, scoped to the spend.
    #[must_use]
    pub fn of_spend_refund(spend: &SpendId, key: String) -> Self {
        Self { scope: format!("spend_refund:{spend}"), key }
    }

    /// The key of a refund, scoped to the refunded top-up.
    #[must_use]
    pub fn of_refund(topup: &TopupId, key: String) -> Self {
        Self { scope: format!("refund:{topup}"), key }
    }
}

/// A hash of the parts that identify a request. Each part is preceded by its length, so that different requests differ.
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
