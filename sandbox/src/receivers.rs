//! How the receivers of webhooks behave: which endpoints answer, which do not, and since when.
//!
//! It holds what this process has seen, so a restart begins without it. The page that leads a customer back to the shop
//! does not wait for an endpoint that is known to be silent; the page of controls shows it.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::{
    State,
    event::{AttemptResult, Target},
};

/// What is known of all endpoints, by their ids.
#[derive(Default)]
pub(crate) struct Receivers {
    seen: HashMap<String, Receiver>,
    standby: HashSet<String>,
}

/// What is known of one endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct Receiver {
    /// The deliveries whose attempt is under way, and when each attempt began.
    waiting: BTreeMap<u64, i64>,
    /// Whether the last attempt got an answer of any kind; `None` before the first one has ended.
    pub(crate) answers: Option<bool>,
    /// Absent when the last attempt was answered with 2xx.
    pub(crate) trouble: Option<Trouble>,
}

/// Attempts at an endpoint that fail one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    /// When the first of them began.
    pub(crate) since_ms: i64,
    /// How the last of them failed.
    pub(crate) error: String,
}

impl Receiver {
    /// When the oldest attempt that is under way began.
    pub(crate) fn waiting_since_ms(&self) -> Option<i64> {
        self.waiting.values().min().copied()
    }

    fn fails(&mut self, began_ms: i64, error: String) {
        let since_ms = self.trouble.as_ref().map_or(began_ms, |trouble| trouble.since_ms);
        self.trouble = Some(Trouble { since_ms, error });
    }
}

impl Receivers {
    /// What is known of an endpoint; `None` if nothing was sent to it.
    pub(crate) fn of(&self, endpoint: &str) -> Option<&Receiver> {
        self.seen.get(endpoint)
    }

    /// How many attempts at an endpoint are under way.
    pub(crate) fn running(&self, endpoint: &str) -> usize {
        self.of(endpoint).map_or(0, |receiver| receiver.waiting.len())
    }

    /// Until it takes a webhook, an endpoint on standby gets each webhook once, and misses it if that fails.
    pub(crate) fn put_on_standby(&mut self, endpoint: &str) {
        self.standby.insert(endpoint.to_owned());
    }

    pub(crate) fn is_on_standby(&self, endpoint: &str) -> bool {
        self.standby.contains(endpoint)
    }

    /// Notes that an attempt at a delivery begins.
    pub(crate) fn began(&mut self, endpoint: &str, delivery: u64, now_ms: i64) {
        self.seen.entry(endpoint.to_owned()).or_default().waiting.insert(delivery, now_ms);
    }

    /// Notes how an attempt ended; `failure` is what the page of controls shows of a failed one.
    pub(crate) fn ended(&mut self, endpoint: &str, delivery: u64, result: AttemptResult, now_ms: i64, failure: String) {
        let receiver = self.seen.entry(endpoint.to_owned()).or_default();
        let began_ms = receiver.waiting.remove(&delivery).unwrap_or(now_ms);
        receiver.answers = Some(result != AttemptResult::Unreachable);
        if result == AttemptResult::Delivered {
            receiver.trouble = None;
            self.standby.remove(endpoint);
        } else {
            receiver.fails(began_ms, failure);
        }
    }

    /// Whether the page of a paid checkout can lead back to the shop: of the endpoints that get this event, none is
    /// left that can be expected to answer soon. That is one that answered the last time, or a new one while no other
    /// endpoint has answered either.
    pub(crate) fn is_heard(&self, state: &State, event: &str) -> bool {
        let Some(event) = state.events.get(event) else {
            return true;
        };
        let any_answered = event.targets.iter().any(|target| target.answered);
        event.targets.iter().all(|target| target.answered || !self.is_expected_to_answer(state, target, any_answered))
    }

    fn is_expected_to_answer(&self, state: &State, target: &Target, any_answered: bool) -> bool {
        let endpoint = &target.endpoint;
        if state.endpoints.get(endpoint).is_none() || self.is_on_standby(endpoint) {
            return false;
        }
        self.of(endpoint).and_then(|receiver| receiver.answers).unwrap_or(!any_answered)
    }

    /// Notes which endpoints have let a customer wait in vain for their answer to this event.
    pub(crate) fn note_silence(&mut self, state: &State, event: &str) {
        let Some(event) = state.events.get(event) else {
            return;
        };
        for target in event.targets.iter().filter(|target| !target.answered) {
            self.is_silent(&target.endpoint);
        }
    }

    /// Notes that somebody has waited for an answer of this endpoint long enough.
    fn is_silent(&mut self, endpoint: &str) {
        if let Some(receiver) = self.seen.get_mut(endpoint)
            && let Some(since_ms) = receiver.waiting_since_ms()
        {
            receiver.answers = Some(false);
            receiver.fails(since_ms, "no answer yet".to_owned());
        }
    }
}
