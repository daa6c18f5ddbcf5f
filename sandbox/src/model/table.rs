//! Rows in creation order, with a lookup by id. Saved in the state file as a plain list.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::tracked::Notes;

/// An object whose id is unique in its table.
pub(crate) trait Row {
    fn id(&self) -> &str;

    /// The creation time in seconds since 1970; `None` if lists always show it at once.
    fn created(&self) -> Option<i64> {
        None
    }
}

/// The rows of one kind. Ids are unique: inserting an id again replaces its row.
#[derive(Debug)]
pub(crate) struct Table<T> {
    /// Keyed by a growing number, so that removing a row does not move the others.
    rows: BTreeMap<u64, T>,
    numbers: HashMap<String, u64>,
    next_number: u64,
    /// Rows that were added or mutably borrowed since the last save.
    changed: Notes<String>,
    /// Rows that were removed since the last save.
    removed: Notes<String>,
}

/// The changes of a table since the last save. Removals are applied before rows.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, bound(deserialize = "T: Deserialize<'de>"))]
pub(crate) struct TableChange<T> {
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    removed: BTreeSet<String>,
    /// Oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rows: Vec<T>,
}

impl<T> Default for TableChange<T> {
    fn default() -> Self {
        Self { removed: BTreeSet::new(), rows: Vec::new() }
    }
}

impl<T> TableChange<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.rows.is_empty()
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            numbers: HashMap::new(),
            next_number: 0,
            changed: Notes::default(),
            removed: Notes::default(),
        }
    }
}

impl<T: Row> Table<T> {
    pub(crate) fn insert(&mut self, row: T) {
        self.changed.note(|| row.id().to_owned());
        if let Some(number) = self.numbers.get(row.id()) {
            self.rows.insert(*number, row);
            return;
        }
        self.numbers.insert(row.id().to_owned(), self.next_number);
        self.rows.insert(self.next_number, row);
        self.next_number = self.next_number.saturating_add(1);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(self.numbers.get(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let row = self.rows.get_mut(self.numbers.get(id)?)?;
        self.changed.note(|| id.to_owned());
        Some(row)
    }

    /// The oldest row.
    pub(crate) fn first(&self) -> Option<&T> {
        self.rows.first_key_value().map(|(_, row)| row)
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + Clone {
        self.rows.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        let row = self.rows.remove(&self.numbers.remove(id)?)?;
        self.removed.note(|| id.to_owned());
        Some(row)
    }

    /// Removes the rows that match the condition, oldest first. Returns how many.
    pub(crate) fn remove_if(&mut self, mut goes: impl FnMut(&T) -> bool) -> usize {
        let ids: Vec<String> = self.iter().filter(|row| goes(row)).map(|row| row.id().to_owned()).collect();
        for id in &ids {
            self.remove(id);
        }
        ids.len()
    }

    /// Starts noting changes.
    pub(crate) fn begin_notes(&mut self) {
        self.changed.begin();
        self.removed.begin();
    }
}

impl<T: Row + Clone> Table<T> {
    /// The changes since the last call.
    pub(crate) fn take_change(&mut self) -> TableChange<T> {
        let numbers: BTreeSet<u64> =
            self.changed.take().iter().filter_map(|id| self.numbers.get(id).copied()).collect();
        let rows = numbers.iter().filter_map(|number| self.rows.get(number).cloned()).collect();
        TableChange { removed: self.removed.take(), rows }
    }

    pub(crate) fn apply(&mut self, change: TableChange<T>) {
        for id in &change.removed {
            self.remove(id);
        }
        for row in change.rows {
            self.insert(row);
        }
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.values())
    }
}

impl<'de, T: Row + Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Self::default();
        for row in Vec::<T>::deserialize(deserializer)? {
            table.insert(row);
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Thing {
        id: String,
        size: u32,
    }

    impl Row for Thing {
        fn id(&self) -> &str {
            &self.id
        }
    }

    fn thing(id: &str, size: u32) -> Thing {
        Thing { id: id.to_owned(), size }
    }

    fn ids(table: &Table<Thing>) -> Vec<&str> {
        table.iter().map(|thing| thing.id.as_str()).collect()
    }

    #[test]
    fn a_change_brings_a_copy_to_the_same_rows_in_the_same_order() {
        let mut table = Table::default();
        for id in ["a", "b", "c"] {
            table.insert(thing(id, 1));
        }
        table.begin_notes();
        let mut copy: Table<Thing> = serde_json::from_value(serde_json::to_value(&table).expect("JSON")).expect("rows");
        if let Some(thing) = table.get_mut("b") {
            thing.size = 2;
        }
        table.remove("a");
        table.insert(thing("a", 3));
        table.insert(thing("d", 4));
        table.remove("c");
        let change = serde_json::to_value(table.take_change()).expect("JSON");
        copy.apply(serde_json::from_value(change).expect("a change"));
        assert_eq!(ids(&copy), ["b", "a", "d"]);
        assert!(copy.iter().eq(table.iter()));
        assert!(table.take_change().is_empty(), "it was taken");
    }

    #[test]
    fn nothing_is_noted_for_nobody() {
        let mut table = Table::default();
        table.insert(thing("a", 1));
        table.remove("a");
        assert!(table.take_change().is_empty());
    }
}
