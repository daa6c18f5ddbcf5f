//! Rows in the order of their creation, found by id. Written to the state file as a plain list.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Something with an id that is unique in its table.
pub(crate) trait Row {
    fn id(&self) -> &str;

    /// When it was created, in seconds since 1970; none if lists show it at once in any case.
    fn created(&self) -> Option<i64> {
        None
    }
}

/// Rows of one kind. An id occurs once; a second insert of it replaces the row.
#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: Vec<T>,
    positions: HashMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), positions: HashMap::new() }
    }
}

impl<T: Row> Table<T> {
    pub(crate) fn insert(&mut self, row: T) {
        let known = self.positions.get(row.id()).copied();
        if let Some(old) = known.and_then(|position| self.rows.get_mut(position)) {
            *old = row;
            return;
        }
        self.positions.insert(row.id().to_owned(), self.rows.len());
        self.rows.push(row);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(*self.positions.get(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.rows.get_mut(*self.positions.get(id)?)
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        let position = self.positions.get(id).copied()?;
        let row = self.rows.remove(position);
        self.positions = positions(&self.rows);
        Some(row)
    }
}

fn positions<T: Row>(rows: &[T]) -> HashMap<String, usize> {
    rows.iter().enumerate().map(|(position, row)| (row.id().to_owned(), position)).collect()
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rows.serialize(serializer)
    }
}

impl<'de, T: Row + Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows = Vec::<T>::deserialize(deserializer)?;
        let positions = positions(&rows);
        Ok(Self { rows, positions })
    }
}
