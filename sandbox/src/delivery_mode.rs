//! Fault injection for webhook deliveries: hold, shuffle, drop, duplicate, or render in another API version.
//!
//! A mode applies to the first automatic delivery of an event. A delivery requested by hand can be held too, but is
//! otherwise sent as requested. A restart resets the mode and then sends the held deliveries.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{api, error::ApiError, version};

/// The current mode. The default changes nothing.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct DeliveryMode {
    pub(crate) hold: Hold,
    /// Delivers one at a time, in an order derived from the seed.
    pub(crate) shuffle: bool,
    /// How many deliveries to drop without an attempt.
    pub(crate) drop_next: u32,
    /// The event type to drop; any type when unset.
    pub(crate) drop_type: Option<String>,
    /// Sends every delivery twice.
    pub(crate) duplicate: bool,
    /// Overrides the endpoints' own API versions.
    pub(crate) api_version: Option<String>,
}

/// Which deliveries are held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Hold {
    /// Everything or nothing.
    All(bool),
    /// These types; `*` stands for anything.
    Types(Vec<String>),
}

impl Default for Hold {
    fn default() -> Self {
        Self::All(false)
    }
}

/// A change of the mode. Members that are left out keep their value.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Change {
    hold: Option<Hold>,
    shuffle: Option<bool>,
    drop_next: Option<u32>,
    drop_type: Option<Value>,
    duplicate: Option<bool>,
    #[serde(deserialize_with = "present")]
    api_version: Option<Value>,
}

/// Distinguishes `null`, which clears a value, from a missing member.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl DeliveryMode {
    pub(crate) fn holds(&self, kind: &str) -> bool {
        match &self.hold {
            Hold::All(all) => *all,
            Hold::Types(types) => types.iter().any(|pattern| api::matches(pattern, kind)),
        }
    }

    /// Whether to drop this delivery; counts it if so.
    pub(crate) fn takes_for_dropping(&mut self, kind: &str) -> bool {
        let fits = self.drop_type.as_deref().is_none_or(|pattern| api::matches(pattern, kind));
        if self.drop_next == 0 || !fits {
            return false;
        }
        self.drop_next = self.drop_next.saturating_sub(1);
        if self.drop_next == 0 {
            self.drop_type = None;
        }
        true
    }

    /// Applies all members of the body, or none if one of them is invalid.
    pub(crate) fn change(&mut self, body: &Value) -> Result<(), ApiError> {
        let change = Change::deserialize(body).map_err(|error| ApiError::invalid(error.to_string()))?;
        let mut changed = self.clone();
        if let Some(hold) = change.hold {
            changed.hold = hold;
        }
        changed.shuffle = change.shuffle.unwrap_or(changed.shuffle);
        changed.duplicate = change.duplicate.unwrap_or(changed.duplicate);
        if let Some(times) = change.drop_next {
            changed.drop_next = times;
            changed.drop_type = None;
        }
        if let Some(kind) = change.drop_type {
            changed.drop_type = text(&kind, "drop_type")?;
        }
        if let Some(api_version) = change.api_version {
            changed.api_version = text(&api_version, "api_version")?;
        }
        if let Some(api_version) = &changed.api_version {
            version::check(api_version)?;
        }
        *self = changed;
        Ok(())
    }
}

fn text(value: &Value, name: &str) -> Result<Option<String>, ApiError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(ApiError::invalid(format!("`{name}` must be a text or null"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::DeliveryMode;

    #[test]
    fn a_change_leaves_alone_what_it_does_not_name() {
        let mut mode = DeliveryMode::default();
        mode.change(&json!({ "hold": ["charge.*"], "api_version": "2022-11-15" })).expect("a mode");
        mode.change(&json!({ "shuffle": true })).expect("a mode");
        assert!(mode.holds("charge.refunded") && !mode.holds("payment_intent.succeeded"));
        assert_eq!(mode.api_version.as_deref(), Some("2022-11-15"));
        mode.change(&json!({ "hold": true, "api_version": null })).expect("a mode");
        assert!(mode.holds("payment_intent.succeeded") && mode.shuffle);
        assert_eq!(mode.api_version, None);
    }

    #[test]
    fn a_wrong_change_changes_nothing() {
        let mut mode = DeliveryMode::default();
        for wrong in [
            json!({ "hold": "x" }),
            json!({ "shuffel": true }),
            json!({ "shuffle": true, "api_version": "new" }),
            json!(1),
        ] {
            assert!(mode.change(&wrong).is_err(), "{wrong}");
        }
        assert!(!mode.shuffle);
    }

    #[test]
    fn only_so_many_of_the_type_are_dropped() {
        let mut mode = DeliveryMode::default();
        mode.change(&json!({ "drop_next": 1, "drop_type": "charge.*" })).expect("a mode");
        let dropped: Vec<bool> =
            ["payment_intent.created", "charge.succeeded", "charge.updated"].map(|k| mode.takes_for_dropping(k)).into();
        assert_eq!(dropped, [false, true, false]);
        mode.change(&json!({ "drop_next": 1 })).expect("a mode");
        assert!(mode.takes_for_dropping("payment_intent.created"), "the type was for the first one only");
    }
}
