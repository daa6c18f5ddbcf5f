//! Creating one thing at the provider, once: which idempotency key each call has, when it is repeated, and when what was
//! asked for is known not to exist.
//!
//! Everything that is created at a provider goes through here. What is known about the calls
//! ([`Attempt`]) is stored before the first one and before each new key; the caller stores it again when this ends.

use std::time::Duration;

use async_trait::async_trait;

use crate::app::{App, with_causes};
use crate::db::StoreError;
use crate::domain::attempt::{Attempt, Step};
use crate::providers::port::ProviderError;

/// How often the provider is called or asked for one thing in one go.
const MAX_TRIES: u32 = 4;
/// How often its lists are read for one thing in one go: they can be long.
const MAX_LOOKS: u32 = 3;

/// What is to be created.
#[async_trait]
pub(crate) trait Creation: Send {
    /// What the provider gives.
    type Created: Send;

    /// Our id of it, for the idempotency key and the log.
    fn id(&self) -> &str;

    /// Creates it. The same key creates it once, however often this is called.
    async fn call(&self, app: &App, key: &str) -> Result<Self::Created, ProviderError>;

    /// Looks for it in the provider's lists.
    async fn look(&self, app: &App, attempt: &Attempt) -> Result<Option<Self::Created>, ProviderError>;

    /// Whether the request as it was written can no longer be made; a new key may change it.
    fn is_stale(&self, now_ms: i64) -> bool;

    /// Whether a refusal can mean that the very thing was created before.
    fn may_be_ours(&self, error: &ProviderError) -> bool;

    /// Stores the next key before it is used. `false` when another process has moved on meanwhile.
    async fn next_key(&mut self, app: &App, mark_ms: i64, next: &Attempt) -> Result<bool, StoreError>;
}

/// The work of one process on one creation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    /// What is known; stored by the caller when the work ends without success.
    pub(crate) attempt: Attempt,
    /// Since when the row says that it is unknown. A row that says something else was taken over by another process.
    pub(crate) mark_ms: i64,
    /// Until when no other process takes over.
    pub(crate) lease_until_ms: i64,
}

impl Work {
    /// Begins with what the row said before this process wrote `mark_ms` into it.
    pub(crate) fn resumed(mut attempt: Attempt, mark_ms: i64, lease_until_ms: i64) -> Self {
        attempt.believe(mark_ms);
        Self { attempt, mark_ms, lease_until_ms }
    }

    /// Whether an earlier call may have been done.
    pub(crate) const fn may_be_done(&self) -> bool {
        self.attempt.unknown_since_ms.is_some()
    }
}

/// Why nothing was created, as far as is known.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The provider refused, and no earlier call was done either.
    Refused(ProviderError),
    /// The same request has to be repeated.
    Unfinished(Trouble),
}

/// Why it has to be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The provider failed or cannot be reached.
    Unavailable,
    /// It wants us to wait.
    Limited,
    /// It did not answer in time.
    TooSlow,
    /// An earlier call may have been done, and the provider does not say yet.
    Unsettled,
    /// Our own database failed between two calls.
    StoreFailed,
}

/// What a failed call says about itself. It says nothing about earlier ones.
enum Meaning {
    /// It did nothing and would be refused again.
    Refused,
    /// It did nothing for now.
    Busy,
    /// It may have been done.
    Unknown,
    /// It may have been done, and the provider repeats the failure under the key.
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

/// What the provider's lists say.
enum Lookup<M> {
    /// It was created.
    Found(M),
    /// It was not, and will not be.
    NotThere,
    /// It may have been.
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

/// Calls and looks until it is created, known not to be, or the time is over. `work` says afterwards what is known.
pub(crate) async fn create_once<C: Creation>(
    app: &App,
    creation: &mut C,
    work: &mut Work,
) -> Result<C::Created, Failure> {
    // When the time is over, what went wrong last is told; "too slow" only if nothing else is known.
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
            // A process that stood still must not call with a key that another one has left behind.
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

    /// One call. `None`: to be tried again.
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

    /// A refusal proves nothing about an earlier call: the provider is asked for what that one may have created.
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
            // It had to be sent as it was written while it might have been done. It was not: it is written anew.
            *self.last = Some(Trouble::Unavailable);
            return Ok(None);
        }
        Err(Failure::Refused(error))
    }

    /// Looks for what earlier calls may have created. That it is not there is known after the quiet time only.
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
            // Another process took over while this one was stuck: it goes on, this one gives up.
            Ok(false) => Err(Failure::Unfinished(Trouble::Unavailable)),
            Err(error) => {
                let id = self.creation.id();
                tracing::error!(id, error = with_causes(&error), "the next idempotency key cannot be stored");
                Err(Failure::Unfinished(Trouble::StoreFailed))
            }
        }
    }
}

/// Doubles with each try; half of it is random, so that many callers do not come back together.
fn pause(app: &App, number: u32) -> Duration {
    let longest = app.checkout.first_pause.saturating_mul(1_u32.checked_shl(number).unwrap_or(u32::MAX));
    let random = u32::try_from(app.ids.id_bits() & 0xffff).unwrap_or(0);
    (longest / 2).saturating_add(longest.saturating_mul(random) / 0x1_0000 / 2)
}
