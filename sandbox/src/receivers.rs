//! The observed behavior of webhook receivers: which endpoints answer, which do not, and since when.
//!
//! The observations are not saved, so a restart clears them. The page that returns a customer to the shop does not wait
//! for an endpoint known to be silent; the page of controls shows it.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::{
    State,
    event::{AttemptResult, Target},
};

/// The observations of all endpoints, by endpoint id.
#[derive(Default)]
pub(crate) struct Receivers {
    seen: HashMap<String, Receiver>,
    standby: HashSet<String>,
}

/// The observations of one endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct Receiver {
    /// The deliveries with an attempt in flight, and when each attempt started.
    waiting: BTreeMap<u64, i64>,
    /// Whether the last attempt got an answer of any status; `None` before the first attempt has ended.
    pub(crate) answers: Option<bool>,
    /// `None` if the last attempt was answered with 2xx.
    pub(crate) trouble: Option<Trouble>,
}

/// Consecutive failed attempts at an endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    /// When the first of them started.
    pub(crate) since_ms: i64,
    /// The error of the last one.
    pub(crate) error: String,
}

impl Receiver {
    /// When the oldest attempt in flight started.
    pub(crate) fn waiting_since_ms(&self) -> Option<i64> {
        self.waiting.values().min().copied()
    }

    fn fails(&mut self, began_ms: i64, error: String) {
        let since_ms = self.trouble.as_ref().map_or(began_ms, |trouble| trouble.since_ms);
        self.trouble = Some(Trouble { since_ms, error });
    }
}

impl Receivers {
    /// The observations of an endpoint; `None` if nothing was sent to it.
    pub(crate) fn of(&self, endpoint: &str) -> Option<&Receiver> {
        self.seen.get(endpoint)
    }

    /// The number of attempts at an endpoint in flight.
    pub(crate) fn running(&self, endpoint: &str) -> usize {
        self.of(endpoint).map_or(0, |receiver| receiver.waiting.len())
    }

    /// Puts an endpoint on standby: until it accepts a webhook, each delivery is attempted once and dropped if that
    /// fails.
    pub(crate) fn put_on_standby(&mut self, endpoint: &str) {
        self.standby.insert(endpoint.to_owned());
    }

    pub(crate) fn is_on_standby(&self, endpoint: &str) -> bool {
        self.standby.contains(endpoint)
    }

    /// Records the start of an attempt.
    pub(crate) fn began(&mut self, endpoint: &str, delivery: u64, now_ms: i64) {
        self.seen.entry(endpoint.to_owned()).or_default().waiting.insert(delivery, now_ms);
    }

    /// Records the end of an attempt; `failure` is the error that the page of controls shows.
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

    /// Whether the page of a paid checkout can return to the shop: no endpoint subscribed to this event is left that is
    /// expected to answer soon. Expected to answer are endpoints that answered the last time, and new ones as long as
    /// no other endpoint has answered.
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

    /// Marks the endpoints that did not answer this event while a customer waited as silent.
    pub(crate) fn note_silence(&mut self, state: &State, event: &str) {
        let Some(event) = state.events.get(event) else {
            return;
        };
        for target in event.targets.iter().filter(|target| !target.answered) {
            self.is_silent(&target.endpoint);
        }
    }

    /// Marks an endpoint as silent after a customer has waited long enough.
    fn is_silent(&mut self, endpoint: &str) {
        if let Some(receiver) = self.seen.get_mut(endpoint)
            && let Some(since_ms) = receiver.waiting_since_ms()
        {
            receiver.answers = Some(false);
            receiver.fails(since_ms, "no answer yet".to_owned());
        }
    }
}
