//! Caches API keys that were valid moments ago, so that not every request needs the database.
//!
//! A key's scopes never change, but a revocation must take effect everywhere within ten seconds. So a cached key is
//! valid for eight seconds after its look-up began. Invalid keys are not cached, because anyone can make up any number
//! of them. Few look-ups run at once, so that made-up keys leave the database to others.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Semaphore;

use crate::access::api_keys::{self, ApiKey, KeyHash};
use crate::db::{Db, StoreError};

/// How long a cached key is valid. With the duration of a request, less than the ten seconds allowed after a
/// revocation.
const BELIEVED_MS: i64 = 8_000;
/// The most keys cached. With more keys in use, the database is asked more often.
const MAX_KEYS: usize = 10_000;
/// How many keys are looked up at once.
const MAX_LOOKUPS: usize = 4;

struct Known {
    key: Arc<ApiKey>,
    asked_at_ms: i64,
}

impl Known {
    /// A time in the future was recorded by a clock that was ahead.
    const fn is_fresh(&self, now_ms: i64) -> bool {
        self.asked_at_ms <= now_ms && now_ms.saturating_sub(self.asked_at_ms) < BELIEVED_MS
    }
}

/// The keys cached in this process.
pub struct KnownKeys {
    keys: RwLock<HashMap<KeyHash, Known>>,
    lookups: Semaphore,
}

impl Default for KnownKeys {
    fn default() -> Self {
        Self { keys: RwLock::default(), lookups: Semaphore::new(MAX_LOOKUPS) }
    }
}

impl KnownKeys {
    /// The key with this hash, if it was valid moments ago.
    #[must_use]
    pub fn recall(&self, hash: &KeyHash, now_ms: i64) -> Option<Arc<ApiKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(hash).filter(|known| known.is_fresh(now_ms)).map(|known| known.key.clone())
    }

    /// Looks a key up and caches it if it is valid; `None` if it is not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn look_up(&self, db: &Db, hash: KeyHash, now_ms: i64) -> Result<Option<Arc<ApiKey>>, StoreError> {
        let found = {
            // The semaphore is never closed.
            let _place = self.lookups.acquire().await;
            api_keys::find(db, &hash).await?
        };
        let Some(key) = found.map(Arc::new) else {
            self.keys.write().unwrap_or_else(PoisonError::into_inner).remove(&hash);
            return Ok(None);
        };
        self.remember(hash, Known { key: key.clone(), asked_at_ms: now_ms }, now_ms);
        Ok(Some(key))
    }

    fn remember(&self, hash: KeyHash, known: Known, now_ms: i64) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MAX_KEYS && !keys.contains_key(&hash) {
            keys.retain(|_, known| known.is_fresh(now_ms));
            if keys.len() >= MAX_KEYS {
                return;
            }
        }
        keys.insert(hash, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(asked_at_ms: i64) -> Known {
        let key = ApiKey { id: "key_1".to_owned(), name: String::new(), scopes: Vec::new(), account: None };
        Known { key: Arc::new(key), asked_at_ms }
    }

    #[test]
    fn a_key_is_believed_for_eight_seconds_after_its_look_up_began() {
        let keys = KnownKeys::default();
        let hash = KeyHash::of("topup_sk_1");
        keys.remember(hash, known(1_000), 1_500);
        for (now_ms, is_believed) in [(999, false), (1_000, true), (8_999, true), (9_000, false)] {
            assert_eq!(keys.recall(&hash, now_ms).is_some(), is_believed, "{now_ms}");
        }
        assert!(keys.recall(&KeyHash::of("topup_sk_2"), 1_000).is_none());
    }

    #[test]
    fn a_bounded_number_is_remembered_and_stale_ones_make_room() {
        let keys = KnownKeys::default();
        let hash = |number: usize| KeyHash::of(&number.to_string());
        for number in 0..MAX_KEYS + 10 {
            keys.remember(hash(number), known(0), 0);
        }
        let count = || keys.keys.read().expect("no panic").len();
        assert_eq!(count(), MAX_KEYS);
        keys.remember(hash(MAX_KEYS + 1), known(BELIEVED_MS), BELIEVED_MS);
        assert_eq!(count(), 1);
    }
}
