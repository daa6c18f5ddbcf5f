//! The issuer's key set: fetched when needed, cached, refreshed when keys rotate.
//!
//! A set is refreshed in the background before it is too old, so that tokens of a busy service never wait. Invariants:
//! at most one fetch runs at a time, and all callers that need it wait for it together. A fetch runs in its own task,
//! so a caller that disconnects interrupts nothing. Tokens with unknown key ids cause at most one fetch a minute. While
//! fetches fail, the last good set is used for a day. Tokens cannot influence where keys come from.

pub(crate) mod fetch;
mod key_set;
pub mod probe;

use std::error::Error;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jsonwebtoken::Algorithm;
use tokio::sync::Mutex;
use url::Url;

pub use self::fetch::KeySetError;
use self::fetch::{FetchLimits, Fetcher};
use self::key_set::{KeySet, Lookup};
use crate::http::auth::verification::{TokenError, VerificationKey};
use crate::ports::Clock;

/// The age at which a set is refreshed in the background while tokens are still checked with it.
const YOUNG_MS: i64 = 8 * 60 * 1000;
/// The age at which tokens wait for a newer set. A withdrawn key may be accepted for this long.
const FRESH_MS: i64 = 10 * 60 * 1000;
/// How long a set is used after its last successful fetch while later ones fail.
const USABLE_MS: i64 = 24 * 60 * 60 * 1000;
/// The minimum time between two fetches caused by unknown key ids.
const UNKNOWN_KEY_INTERVAL_MS: i64 = 60 * 1000;
/// The minimum time between a failed fetch and the next one for a missing or old set.
const RETRY_INTERVAL_MS: i64 = 5 * 1000;

/// The cached key set of one issuer.
pub(crate) struct KeySetCache {
    shared: Arc<Shared>,
    /// Locked while a fetch runs.
    flight: Arc<Mutex<()>>,
}

struct Shared {
    fetcher: Fetcher,
    algorithms: Vec<Algorithm>,
    clock: Arc<dyn Clock>,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    stored: Option<Stored>,
    /// How many fetches have ended. A waiting caller uses it to tell whether another caller's fetch was enough.
    flights: u64,
    failure: Option<Failure>,
    unknown_key_fetch_ms: Option<i64>,
}

struct Stored {
    keys: Arc<KeySet>,
    fetched_ms: i64,
}

/// The last fetch, if it failed.
struct Failure {
    at_ms: i64,
    error: Arc<KeySetError>,
}

/// Why a new set is needed.
#[derive(Clone, Copy)]
enum Need {
    MissingOrOld,
    UnknownKey,
}

/// A set, and the number of fetches at that time.
struct Current {
    keys: Arc<KeySet>,
    flights: u64,
    /// Whether it was fetched for this look-up, so that fetching again would not help.
    just_fetched: bool,
}

impl KeySetCache {
    /// Creates an empty cache, without fetching.
    pub(crate) fn new(url: Url, algorithms: Vec<Algorithm>, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let fetcher = Fetcher::new(url, &FetchLimits::default())?;
        Ok(Self {
            shared: Arc::new(Shared { fetcher, algorithms, clock, state: RwLock::default() }),
            flight: Arc::default(),
        })
    }

    /// The keys that may have signed a token with this algorithm and key id; never empty.
    pub(crate) async fn find(
        &self,
        algorithm: Algorithm,
        key_id: Option<&str>,
    ) -> Result<Vec<Arc<VerificationKey>>, TokenError> {
        let current = self.current().await?;
        let mut lookup = current.keys.find(algorithm, key_id);
        if matches!(lookup, Lookup::UnknownKeyId) && !current.just_fetched {
            self.refresh(Need::UnknownKey, current.flights).await;
            if let Some(keys) = self.shared.usable() {
                lookup = keys.find(algorithm, key_id);
            }
        }
        match lookup {
            Lookup::Found(keys) => Ok(keys),
            Lookup::OtherAlgorithm => Err(TokenError::AlgorithmNotAllowed),
            Lookup::UnknownKeyId | Lookup::NoKey => Err(TokenError::UnknownKey),
        }
    }

    /// The set, fetched if it is missing or old. An old set is returned while another caller's fetch runs.
    async fn current(&self) -> Result<Current, TokenError> {
        let now_ms = self.shared.clock.now_ms();
        let seen_flights = {
            let state = self.shared.read();
            let flights = state.flights;
            let is_fetching = || self.flight.try_lock().is_err();
            match &state.stored {
                Some(stored) if stored.is_fresh(now_ms) || (stored.is_usable(now_ms) && is_fetching()) => {
                    let (keys, is_young) = (Arc::clone(&stored.keys), stored.is_young(now_ms));
                    drop(state);
                    if !is_young {
                        self.refresh_in_background(flights);
                    }
                    return Ok(Current { keys, flights, just_fetched: false });
                }
                _ => flights,
            }
        };
        self.refresh(Need::MissingOrOld, seen_flights).await;
        let state = self.shared.read();
        match &state.stored {
            Some(stored) if stored.is_usable(now_ms) => Ok(Current {
                keys: Arc::clone(&stored.keys),
                flights: state.flights,
                just_fetched: state.flights != seen_flights,
            }),
            _ => Err(TokenError::KeySetUnavailable {
                source: state
                    .failure
                    .as_ref()
                    .map_or_else(|| Arc::new(KeySetError::Interrupted), |failure| Arc::clone(&failure.error)),
            }),
        }
    }

    /// Starts a fetch, unless one is running or the minimum time has not passed.
    fn refresh_in_background(&self, seen_flights: u64) {
        let Ok(flight) = Arc::clone(&self.flight).try_lock_owned() else { return };
        if !self.shared.may_fetch(Need::MissingOrOld, seen_flights) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let _flight = flight;
            shared.fetch().await;
        });
    }

    /// Fetches the set, or waits for a running fetch. Does nothing if the minimum time has not passed.
    async fn refresh(&self, need: Need, seen_flights: u64) {
        let flight = Arc::clone(&self.flight).lock_owned().await;
        if !self.shared.may_fetch(need, seen_flights) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let fetch = tokio::spawn(async move {
            let _flight = flight;
            shared.fetch().await;
        });
        // Fails only if the runtime shuts down; the caller then sees that there is no new set.
        let _interrupted = fetch.await.is_err();
    }
}

impl Shared {
    /// Whether a fetch should start now. Call it only while holding the lock.
    fn may_fetch(&self, need: Need, seen_flights: u64) -> bool {
        let now_ms = self.clock.now_ms();
        let mut state = self.write();
        if state.flights != seen_flights {
            return false;
        }
        match need {
            Need::MissingOrOld => {
                let last_ms = state.failure.as_ref().map(|failure| failure.at_ms);
                has_passed(RETRY_INTERVAL_MS, last_ms, now_ms)
            }
            Need::UnknownKey => {
                let may = has_passed(UNKNOWN_KEY_INTERVAL_MS, state.unknown_key_fetch_ms, now_ms);
                if may {
                    state.unknown_key_fetch_ms = Some(now_ms);
                }
                may
            }
        }
    }

    async fn fetch(&self) {
        let started_ms = self.clock.now_ms();
        let fetched = self.fetcher.fetch().await.and_then(|body| KeySet::read(&body, &self.algorithms));
        let mut state = self.write();
        state.flights = state.flights.wrapping_add(1);
        match fetched {
            Ok(keys) => {
                if keys.is_empty() {
                    tracing::warn!("the issuer's key set has no key that fits the allowed algorithms");
                }
                state.failure = None;
                state.stored = Some(Stored { keys: Arc::new(keys), fetched_ms: started_ms });
            }
            Err(error) => {
                // Without a stored set, the error is returned to the caller, who logs it.
                if state.stored.is_some() {
                    let cause: &(dyn Error + 'static) = &error;
                    tracing::warn!(error = cause, "fetching the issuer's key set failed; the last one is kept");
                }
                state.failure = Some(Failure { at_ms: self.clock.now_ms(), error: Arc::new(error) });
            }
        }
    }

    fn usable(&self) -> Option<Arc<KeySet>> {
        let now_ms = self.clock.now_ms();
        let state = self.read();
        state.stored.as_ref().filter(|stored| stored.is_usable(now_ms)).map(|stored| Arc::clone(&stored.keys))
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stored {
    fn is_young(&self, now_ms: i64) -> bool {
        !has_passed(YOUNG_MS, Some(self.fetched_ms), now_ms)
    }

    fn is_fresh(&self, now_ms: i64) -> bool {
        !has_passed(FRESH_MS, Some(self.fetched_ms), now_ms)
    }

    fn is_usable(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.fetched_ms) < USABLE_MS
    }
}

/// Whether the interval has passed. A clock that was set back counts as passed, because it could block for long.
fn has_passed(interval_ms: i64, since_ms: Option<i64>, now_ms: i64) -> bool {
    since_ms.is_none_or(|since_ms| !(0..interval_ms).contains(&now_ms.saturating_sub(since_ms)))
}

#[cfg(test)]
mod tests;
