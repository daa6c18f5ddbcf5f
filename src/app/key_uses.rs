//! Collects uses of API keys until they are stored.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Uses that have not been stored yet: key id, and time in milliseconds since 1970.
#[derive(Debug, Default)]
pub struct KeyUses(Mutex<HashMap<String, i64>>);

impl KeyUses {
    /// Records that a key was used. Only valid keys are recorded, so the number of keys limits the size.
    pub fn note(&self, id: &str, now_ms: i64) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match uses.get_mut(id) {
            Some(at_ms) => *at_ms = now_ms.max(*at_ms),
            None => drop(uses.insert(id.to_owned(), now_ms)),
        }
    }

    pub(crate) fn take(&self) -> HashMap<String, i64> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
