//! What a page is rendered from: the sandbox's data at one moment, and what the browser asked for.

use std::collections::{BTreeMap, BTreeSet};

use url::form_urlencoded;

use crate::{
    engine::Core,
    model::{State, event::Delivery, payment::Charge, payment::PaymentIntent, session::Session},
    outage::{self, Outage},
};

/// The path and query of a request for a page.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) path: String,
    query: Vec<(String, String)>,
}

impl Asked {
    pub(crate) fn new(path: &str, query: &str) -> Self {
        let query = form_urlencoded::parse(query.as_bytes()).into_owned();
        Self { path: path.to_owned(), query: query.filter(|(_, value)| !value.is_empty()).collect() }
    }

    /// Reads a path of this site as forms carry it. `None` if it leads elsewhere.
    pub(crate) fn parse(target: &str) -> Option<Self> {
        let is_local = target.starts_with('/')
            && !target.starts_with("//")
            && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        is_local.then(|| Self::new(path, query))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Path and query without what the last form did, and with these parameters set.
    pub(crate) fn with(&self, set: &[(&str, &str)]) -> String {
        let mut query: BTreeMap<&str, &str> =
            self.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        query.remove("done");
        query.remove("of");
        for (name, value) in set {
            query.insert(name, value);
        }
        query.retain(|_, value| !value.is_empty());
        if query.is_empty() {
            return self.path.clone();
        }
        format!("{}?{}", self.path, form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish())
    }
}

/// The data of a page.
pub(crate) struct View<'a> {
    pub(crate) core: &'a Core,
    pub(crate) outage: Option<Outage>,
    /// The sandbox's time in milliseconds since 1970.
    pub(crate) now_ms: i64,
    pub(crate) base_url: &'a str,
    /// The number of changes so far, with which the page asks for news.
    pub(crate) changes: u64,
    pub(crate) asked: &'a Asked,
    /// Why the last form was refused.
    pub(crate) mistake: Option<&'a str>,
    /// The events with deliveries that are not done.
    pending: BTreeSet<&'a str>,
}

impl<'a> View<'a> {
    pub(crate) fn new(
        core: &'a mut Core,
        base_url: &'a str,
        changes: u64,
        asked: &'a Asked,
        mistake: Option<&'a str>,
    ) -> Self {
        let now_ms = core.now_ms();
        let outage = outage::current(&mut core.outage, now_ms).cloned();
        let core: &Core = core;
        let pending = core.state.deliveries.values().map(|delivery| delivery.event.as_str()).collect();
        Self { core, outage, now_ms, base_url, changes, asked, mistake, pending }
    }

    pub(crate) fn state(&self) -> &'a State {
        &self.core.state
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.now_ms.div_euclid(1_000)
    }

    /// How far the sandbox's clock is ahead of the machine's.
    pub(crate) fn ahead_seconds(&self) -> i64 {
        self.state().clock_offset_ms.div_euclid(1_000)
    }

    /// Whether deliveries of an event are not done.
    pub(crate) fn is_pending(&self, event: &str) -> bool {
        self.pending.contains(event)
    }

    /// The deliveries of an event that are not done, with their numbers.
    pub(crate) fn deliveries_of(&self, event: &str) -> Vec<(u64, &'a Delivery)> {
        let all = self.state().deliveries.iter();
        all.filter(|(_, delivery)| delivery.event == event).map(|(number, delivery)| (*number, delivery)).collect()
    }

    pub(crate) fn intent(&self, id: Option<&str>) -> Option<&'a PaymentIntent> {
        id.and_then(|id| self.state().payment_intents.get(id))
    }

    pub(crate) fn session_of(&self, intent: &PaymentIntent) -> Option<&'a Session> {
        intent.session.as_deref().and_then(|id| self.state().sessions.get(id))
    }

    pub(crate) fn charge(&self, id: Option<&str>) -> Option<&'a Charge> {
        id.and_then(|id| self.state().charges.get(id))
    }

    /// The page of an object, if the sandbox has the object and a page for it.
    pub(crate) fn link(&self, id: &str) -> Option<String> {
        let state = self.state();
        let payment = |id: &str| format!("/payments/{id}");
        if state.sessions.get(id).is_some() {
            return Some(payment(id));
        }
        if let Some(intent) = state.payment_intents.get(id) {
            return Some(payment(intent.session.as_deref().unwrap_or(id)));
        }
        if let Some(charge) = state.charges.get(id) {
            return self.link(&charge.payment_intent);
        }
        if let Some(setup) = state.setup_intents.get(id) {
            return setup.session.as_deref().or(setup.customer.as_deref()).and_then(|id| self.link(id));
        }
        if let Some(method) = state.payment_methods.get(id) {
            return method.customer.as_deref().and_then(|id| self.link(id));
        }
        let known = [
            ("customers", state.customers.get(id).is_some_and(|customer| !customer.deleted)),
            ("refunds", state.refunds.get(id).is_some()),
            ("disputes", state.disputes.get(id).is_some()),
            ("events", state.events.get(id).is_some()),
        ];
        known.into_iter().find(|(_, is_known)| *is_known).map(|(list, _)| format!("/{list}/{id}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Asked;

    #[test]
    fn forms_lead_back_to_pages_of_this_site_only() {
        for foreign in ["http://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x", "", "/a b", "/\n"]
        {
            assert!(Asked::parse(foreign).is_none(), "{foreign:?}");
        }
        let asked = Asked::parse("/events?type=charge.%2A&done=resend&of=evt_1&before=").expect("a path");
        assert_eq!(asked.get("type"), Some("charge.*"));
        assert_eq!(asked.get("before"), None);
        assert_eq!(asked.with(&[]), "/events?type=charge.*");
        assert_eq!(asked.with(&[("before", "evt_2"), ("type", "")]), "/events?before=evt_2");
    }
}
