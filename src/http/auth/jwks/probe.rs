//! Looks at the issuer's key set once, for `topup doctor`.

use async_trait::async_trait;

use super::fetch::{FetchLimits, Fetcher};
use super::key_set::KeySet;
use crate::app::with_causes;
use crate::config::jwt::{JwtKey, JwtSettings};
use crate::doctor::KeySetProbe;

/// Fetches key sets as a running service does.
#[derive(Debug, Clone, Copy)]
pub struct FetchedKeySets;

#[async_trait]
impl KeySetProbe for FetchedKeySets {
    async fn usable_keys(&self, settings: &JwtSettings) -> Option<Result<usize, String>> {
        let url = settings.keys.iter().find_map(|key| match key {
            JwtKey::Jwks { url } => Some(url.clone()),
            JwtKey::Secret(_) | JwtKey::PublicKeyPem { .. } => None,
        })?;
        let fetched = async {
            let fetcher = Fetcher::new(url, &FetchLimits::default()).map_err(|error| with_causes(&error))?;
            let body = fetcher.fetch().await.map_err(|error| with_causes(&error))?;
            KeySet::read(&body, &settings.algorithms).map_err(|error| with_causes(&error))
        };
        Some(fetched.await.map(|keys| keys.len()))
    }
}
