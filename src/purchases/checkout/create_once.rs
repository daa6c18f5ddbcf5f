//! Creates one object at the provider exactly once: chooses the idempotency key of each call, decides on retries, and
//! decides when the object is known not to exist.
//!
//! Everything that is created at a provider goes through here. What is known about the calls ([`Attempt`]) is stored
//! before the first call and before each new key; the caller stores it again at the end.

use std::time::Duration;

use async_trait::async_trait;

use crate::app::{App, with_causes};
use crate::db::StoreError;
use crate::domain::attempt::{Attempt, Step};
use crate::providers::port::ProviderError;

/// The most calls to the provider for one object per run.
const MAX_TRIES: u32 = 4;
/// The most reads of the provider's lists per run: they can be long.
const MAX_LOOKS: u32 = 3;

/// An object to create.
#[async_trait]
pub(crate) trait Creation: Send {
    /// The provider's object.
    type Created: Send;

    /// Our id of the object, for the idempotency key and the log.
    fn id(&self) -> &str;

    /// Creates the object. With the same key it is created once, however often this is called.
    async fn call(&self, app: &App, key: &str) -> Result<Self::Created, ProviderError>;

    /// Looks for the object in the provider's lists.
    async fn look(&self, app: &App, attempt: &Attempt) -> Result<Option<Self::Created>, ProviderError>;

    /// Whether the provider would no longer accept the stored request; a new key allows changing it.
    fn is_stale(&self, now_ms: i64) -> bool;

    /// Whether this refusal can mean that an earlier call already created the object.
    fn may_be_ours(&self, error: &ProviderError) -> bool;

    /// Stores the next key before it is used. Returns `false` if another process has taken over.
    async fn next_key(&mut self, app: &App, mark_ms: i64, next: &Attempt) -> Result<bool, StoreError>;
}

/// One process's work on one object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    /// What is known about the calls; the caller stores it if the object was not created.
    pub(crate) attempt: Attempt,
    /// The row's `unknown_since`. If the row has another value, another process has taken over.
    pub(crate) mark_ms: i64,
    /// When another process may take over.
    pub(crate) lease_until_ms: i64,
}

impl Work {
    /// Resumes from the row's state before this process wrote `mark_ms` into it.
    pub(crate) fn resumed(mut attempt: Attempt, mark_ms: i64, lease_until_ms: i64) -> Self {
        attempt.believe(mark_ms);
        Self { attempt, mark_ms, lease_until_ms }
    }

    /// Whether an earlier call may have succeeded.
    pub(crate) const fn may_be_done(&self) -> bool {
        self.attempt.unknown_since_ms.is_some()
    }
}

/// Why the object was not created, as far as is known.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The provider refused, and no earlier call succeeded either.
    Refused(ProviderError),
    /// The result is not known or not final: the same request has to be retried.
    Unfinished(Trouble),
}

/// Why a retry is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The provider failed or cannot be reached.
    Unavailable,
    /// The provider limits our requests.
    Limited,
    /// The provider did not answer in time.
    TooSlow,
    /// An earlier call may have succeeded, and the provider cannot tell yet.
    Unsettled,
    /// Our own database failed between two calls.
    StoreFailed,
}

/// What an error says about its own call. It says nothing about earlier calls.
enum Meaning {
    /// Nothing was done, and a retry would be refused again.
    Refused,
    /// Nothing was done for now.
    Busy,
    /// The call may have succeeded.
    Unknown,
    /// The call may have succeeded, and the provider replays the failure for the key.
    Failed,
}

fn meaning(error: &ProviderError) -> Meaning {
    match error {
        ProviderError::Refused(_)
        | ProviderError::Unknown(_)
        | ProviderError::AmountTooSmall(_)
        | ProviderError::Unsupported(_) => Meaning::Refused,
        // An earlier call with the key is still running at the provider.
        ProviderError::Limited(failure) if failure.code == "idempotency_key_in_use" => Meaning::Unknown,
        ProviderError::Limited(_) => Meaning::Busy,
        ProviderError::Failed(_) => Meaning::Failed,
        ProviderError::Unreachable(_) | ProviderError::TimedOut => Meaning::Unknown,
    }
}

const fn trouble(error: &ProviderError) -> Trouble {
    match error {
        ProviderError::Failed(_) | ProviderError::Unreachable(_) => Trouble::Unavailable,
        ProviderError::Limited(_) => Trouble::Limited,
        ProviderError::TimedOut => Trouble::TooSlow,
        ProviderError::Refused(_)
        | ProviderError::Unknown(_)
        | ProviderError::AmountTooSmall(_)
        | ProviderError::Unsupported(_) => Trouble::Unsettled,
    }
}

/// The result of looking in the provider's lists.
enum Lookup<M> {
    /// The object exists.
    Found(M),
    /// The object does not exist, and no earlier call can still create it.
    NotThere,
    /// The object may exist.
    Unknown,
}

impl<M> Lookup<M> {
    fn found(self) -> Option<M> {
        match self {
            Self::Found(made) => Some(made),
            Self::NotThere | Self::Unknown => None,
        }
    }
}

/// Calls and looks until the object is created, is known not to exist, or time runs out. Afterwards `work` holds what
/// is known.
pub(crate) async fn create_once<C: Creation>(
    app: &App,
    creation: &mut C,
    work: &mut Work,
) -> Result<C::Created, Failure> {
    // When time runs out, the latest problem is reported; "too slow" only if there was no other.
    let mut last = None;
    let tries = Tries { app, creation, work, last: &mut last, looks: 0 }.run();
    match tokio::time::timeout(app.checkout.budget, tries).await {
        Ok(result) => result,
        Err(_) => Err(Failure::Unfinished(last.unwrap_or(Trouble::TooSlow))),
    }
}

struct Tries<'t, C> {
    app: &'t App,
    creation: &'t mut C,
    work: &'t mut Work,
    last: &'t mut Option<Trouble>,
    looks: u32,
}

impl<C: Creation> Tries<'_, C> {
    async fn run(mut self) -> Result<C::Created, Failure> {
        for number in 0..MAX_TRIES {
            if number > 0 {
                tokio::time::sleep(pause(self.app, number)).await;
            }
            let now_ms = self.app.clock.now_ms();
            // A process that was suspended must not call with a key that another process has abandoned.
            if now_ms >= self.work.lease_until_ms {
                break;
            }
            if self.work.attempt.step(now_ms) == Step::Look {
                match self.look(now_ms).await {
                    Lookup::Found(made) => return Ok(made),
                    Lookup::Unknown if self.looks >= MAX_LOOKS => break,
                    Lookup::Unknown => continue,
                    Lookup::NotThere => {}
                }
            }
            let is_stale = !self.work.may_be_done() && self.creation.is_stale(now_ms);
            if is_stale || self.work.attempt.step(now_ms) == Step::NextKey {
                self.next_key(now_ms).await?;
            }
            if let Some(made) = self.call(now_ms).await? {
                return Ok(made);
            }
        }
        Err(Failure::Unfinished(self.last.unwrap_or(Trouble::TooSlow)))
    }

    /// Makes one call. `None` means retry.
    async fn call(&mut self, now_ms: i64) -> Result<Option<C::Created>, Failure> {
        let key = format!("{}-{}", self.creation.id(), self.work.attempt.key);
        let before = self.work.attempt.calling(now_ms);
        let error = match self.creation.call(self.app, &key).await {
            Ok(made) => return Ok(Some(made)),
            Err(error) => error,
        };
        tracing::warn!(key, %error, "Stripe did not do what was asked");
        let attempt = &mut self.work.attempt;
        match meaning(&error) {
            Meaning::Busy => attempt.unknown_since_ms = before,
            Meaning::Unknown => attempt.unknown_since_ms = Some(self.app.clock.now_ms()),
            Meaning::Failed => {
                let failed_ms = self.app.clock.now_ms();
                attempt.unknown_since_ms = Some(failed_ms);
                attempt.failed();
                *self.last = Some(trouble(&error));
                return Ok(self.look(failed_ms).await.found());
            }
            Meaning::Refused => {
                attempt.unknown_since_ms = before;
                return self.refused(error, now_ms).await;
            }
        }
        *self.last = Some(trouble(&error));
        Ok(None)
    }

    /// A refusal proves nothing about earlier calls, so the provider's lists are searched for what they may have
    /// created.
    async fn refused(&mut self, error: ProviderError, now_ms: i64) -> Result<Option<C::Created>, Failure> {
        if self.work.may_be_done() || self.creation.may_be_ours(&error) {
            match self.look(now_ms).await {
                Lookup::Found(made) => return Ok(Some(made)),
                Lookup::Unknown => {
                    *self.last = Some(Trouble::Unsettled);
                    return Ok(None);
                }
                Lookup::NotThere => {}
            }
        }
        self.work.attempt.refused();
        if self.creation.is_stale(now_ms) {
            // The request had to be repeated unchanged while it might have succeeded. It did not, so it is now renewed.
            *self.last = Some(Trouble::Unavailable);
            return Ok(None);
        }
        Err(Failure::Refused(error))
    }

    /// Looks for what earlier calls may have created. Absence is proven only after the quiet period.
    async fn look(&mut self, now_ms: i64) -> Lookup<C::Created> {
        if self.looks >= MAX_LOOKS {
            return Lookup::Unknown;
        }
        self.looks = self.looks.saturating_add(1);
        match self.creation.look(self.app, &self.work.attempt).await {
            Ok(Some(made)) => Lookup::Found(made),
            Ok(None) if self.work.attempt.absence_proves(now_ms) => {
                self.work.attempt.unknown_since_ms = None;
                Lookup::NotThere
            }
            Ok(None) => {
                self.last.get_or_insert(Trouble::Unsettled);
                Lookup::Unknown
            }
            Err(error) => {
                tracing::warn!(id = self.creation.id(), %error, "Stripe does not say whether an earlier call was done");
                *self.last = Some(trouble(&error));
                Lookup::Unknown
            }
        }
    }

    async fn next_key(&mut self, now_ms: i64) -> Result<(), Failure> {
        let next = self.work.attempt.next(now_ms);
        match self.creation.next_key(self.app, self.work.mark_ms, &next).await {
            Ok(true) => {
                (self.work.attempt, self.work.mark_ms) = (next, now_ms);
                self.work.attempt.unknown_since_ms = None;
                Ok(())
            }
            // Another process took over while this one was stuck, and will finish the work.
            Ok(false) => Err(Failure::Unfinished(Trouble::Unavailable)),
            Err(error) => {
                let id = self.creation.id();
                tracing::error!(id, error = with_causes(&error), "the next idempotency key cannot be stored");
                Err(Failure::Unfinished(Trouble::StoreFailed))
            }
        }
    }
}

/// Exponential backoff with jitter: half of the pause is random, so that callers do not retry in step.
fn pause(app: &App, number: u32) -> Duration {
    let longest = app.checkout.first_pause.saturating_mul(1_u32.checked_shl(number).unwrap_or(u32::MAX));
    let random = u32::try_from(app.ids.id_bits() & 0xffff).unwrap_or(0);
    (longest / 2).saturating_add(longest.saturating_mul(random) / 0x1_0000 / 2)
}
