//! The callers' idempotency keys: whose they are, and which requests are the same.

use sha2::{Digest, Sha256};

/// A caller's idempotency key and the caller that it belongs to.
#[derive(Debug, Clone)]
pub struct CallerKey {
    /// Who calls: a customer's account, or an API key's id.
    pub caller: String,
    /// The key.
    pub key: String,
}

/// What makes two requests the same. Each part is preceded by its length, so that no two requests look alike.
pub(super) fn request_hash(parts: &[&str]) -> String {
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
