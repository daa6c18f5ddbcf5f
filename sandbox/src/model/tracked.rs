//! Collections that track which of their entries changed since the last save.
//!
//! Invariants: nothing is noted before the first full save, so a sandbox without a state file does not collect notes
//! that are never used.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

/// The keys of changed entries.
#[derive(Debug)]
pub(crate) struct Notes<K>(Option<BTreeSet<K>>);

impl<K> Default for Notes<K> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K: Ord> Notes<K> {
    /// Starts noting changes, with an empty list.
    pub(crate) fn begin(&mut self) {
        self.0 = Some(BTreeSet::new());
    }

    /// Notes a change, if noting has started.
    pub(crate) fn note(&mut self, key: impl FnOnce() -> K) {
        if let Some(keys) = &mut self.0 {
            keys.insert(key());
        }
    }

    /// The notes since the last call.
    pub(crate) fn take(&mut self) -> BTreeSet<K> {
        self.0.as_mut().map(std::mem::take).unwrap_or_default()
    }
}

/// A sorted map with the read methods of a [`BTreeMap`].
#[derive(Debug)]
pub(crate) struct Tracked<K, V> {
    map: BTreeMap<K, V>,
    changed: Notes<K>,
}

/// A sorted set.
pub(crate) type TrackedSet<K> = Tracked<K, ()>;

/// The changes of a map since the last save.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, bound(deserialize = "K: Deserialize<'de>, V: Deserialize<'de>"))]
pub(crate) struct MapChange<K, V> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    removed: Vec<K>,
    /// Added or replaced.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    set: Vec<(K, V)>,
}

impl<K, V> Default for MapChange<K, V> {
    fn default() -> Self {
        Self { removed: Vec::new(), set: Vec::new() }
    }
}

impl<K, V> MapChange<K, V> {
    pub(crate) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.set.is_empty()
    }
}

impl<K, V> Default for Tracked<K, V> {
    fn default() -> Self {
        Self { map: BTreeMap::new(), changed: Notes::default() }
    }
}

impl<K, V> Deref for Tracked<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.map
    }
}

impl<K: Ord + Clone, V> Tracked<K, V> {
    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.changed.note(|| key.clone());
        self.map.insert(key, value);
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let value = self.map.get_mut(key)?;
        self.changed.note(|| key.clone());
        Some(value)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let removed = self.map.remove(key)?;
        self.changed.note(|| key.clone());
        Some(removed)
    }

    /// Keeps only the entries that match.
    pub(crate) fn retain(&mut self, keep: impl Fn(&K, &V) -> bool) {
        let lost: Vec<K> =
            self.map.iter().filter(|(key, value)| !keep(key, value)).map(|(key, _)| key.clone()).collect();
        for key in lost {
            self.remove(&key);
        }
    }

    pub(crate) fn begin_notes(&mut self) {
        self.changed.begin();
    }
}

impl<K: Ord + Clone, V: Clone> Tracked<K, V> {
    /// The changes since the last call.
    pub(crate) fn take_change(&mut self) -> MapChange<K, V> {
        let mut change = MapChange::default();
        for key in self.changed.take() {
            match self.map.get(&key).cloned() {
                Some(value) => change.set.push((key, value)),
                None => change.removed.push(key),
            }
        }
        change
    }

    pub(crate) fn apply(&mut self, change: MapChange<K, V>) {
        for key in &change.removed {
            self.remove(key);
        }
        for (key, value) in change.set {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Tracked<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self { map: entries.into_iter().collect(), changed: Notes::default() }
    }
}

impl<K: Serialize, V: Serialize> Serialize for Tracked<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.map.serialize(serializer)
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for Tracked<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(|map| Self { map, changed: Notes::default() })
    }
}

/// Serializes a set as a list, because the keys of a JSON object must be strings.
pub(crate) mod as_list {
    use super::{Deserialize, DeserializeOwned, Deserializer, Serialize, Serializer, TrackedSet};

    pub(crate) fn serialize<K: Serialize, S: Serializer>(
        set: &TrackedSet<K>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(set.keys())
    }

    pub(crate) fn deserialize<'de, K: DeserializeOwned + Ord, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<TrackedSet<K>, D::Error> {
        Vec::<K>::deserialize(deserializer).map(|keys| keys.into_iter().map(|key| (key, ())).collect())
    }
}

/// Serializes a map as a list of pairs, for the same reason.
pub(crate) mod as_pairs {
    use super::{Deserialize, DeserializeOwned, Deserializer, Serialize, Serializer, Tracked};

    pub(crate) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &Tracked<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.iter())
    }

    pub(crate) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<Tracked<K, V>, D::Error>
    where
        K: DeserializeOwned + Ord,
        V: DeserializeOwned,
        D: Deserializer<'de>,
    {
        Vec::<(K, V)>::deserialize(deserializer).map(|pairs| pairs.into_iter().collect())
    }
}
