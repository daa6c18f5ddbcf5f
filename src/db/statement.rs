//! A statement and its arguments: one text for both databases.

use crate::db::StoreError;

/// One SQL statement that both databases run.
#[derive(Debug)]
pub struct Statement {
    sql: &'static str,
    parameters: usize,
}

impl Statement {
    /// Takes the text and counts its placeholders `$1` to `$99`.
    #[must_use]
    pub const fn new(sql: &'static str) -> Self {
        Self { sql, parameters: highest_placeholder(sql.as_bytes()) }
    }

    /// The text.
    #[must_use]
    pub const fn sql(&self) -> &'static str {
        self.sql
    }

    /// How many arguments it takes.
    #[must_use]
    pub const fn parameters(&self) -> usize {
        self.parameters
    }

    pub(crate) fn check(&self, values: &[Value]) -> Result<(), StoreError> {
        if self.parameters == values.len() {
            Ok(())
        } else {
            Err(StoreError::Corrupt(format!("{} arguments for {}", values.len(), self.sql)))
        }
    }
}

#[expect(clippy::indexing_slicing, reason = "a const fn cannot iterate; every index is checked against the length")]
#[expect(clippy::arithmetic_side_effects, reason = "counts bytes of a text of ours; an overflow would stop the build")]
#[expect(clippy::as_conversions, reason = "a digit widened to usize; const fn has no From")]
const fn highest_placeholder(text: &[u8]) -> usize {
    let (mut highest, mut at) = (0, 0);
    while at < text.len() {
        if text[at] == b'$' {
            let mut number = 0;
            while at + 1 < text.len() && text[at + 1].is_ascii_digit() {
                at += 1;
                number = number * 10 + (text[at] - b'0') as usize;
            }
            if number > highest {
                highest = number;
            }
        }
        at += 1;
    }
    highest
}

/// A statement over many rows, which the databases want in different words.
pub struct BulkStatement {
    /// For the one that takes rows as JSON, if it has one.
    pub json: Option<JsonStatement>,
    /// For the one that takes rows as lists, one for each column: one statement, which commits by itself.
    pub lists: Statement,
}

/// Several statements, of which one gives rows.
pub struct JsonStatement {
    /// Within a transaction.
    pub within: Statement,
    /// With a transaction around it.
    pub with_commit: Statement,
}

/// The rows for one.
pub trait Bulk: Sync {
    /// The statement.
    fn statement(&self) -> &'static BulkStatement;

    /// Whether there is none.
    fn is_empty(&self) -> bool;

    /// The rows as its argument in JSON, for a statement that takes it.
    ///
    /// # Errors
    /// When they cannot be written so, or the statement takes none.
    fn as_json(&self) -> Result<Vec<Value>, StoreError> {
        Err(StoreError::corrupt("no JSON for", self.statement().lists.sql()))
    }

    /// The rows as its arguments in lists.
    fn as_lists(&self) -> Vec<Value>;
}

/// An argument of a statement.
#[derive(Debug, Clone)]
pub enum Value {
    /// An integer, or NULL.
    Int(Option<i64>),
    /// A text, or NULL.
    Text(Option<String>),
    /// Integers, for a database that knows lists.
    Ints(Vec<i64>),
    /// Texts or NULLs, for a database that knows lists.
    Texts(Vec<Option<String>>),
}

impl Value {
    /// One column of rows, as texts.
    pub(crate) fn texts<R>(rows: &[R], of: impl Fn(&R) -> Option<&str>) -> Self {
        Self::Texts(rows.iter().map(|row| of(row).map(str::to_owned)).collect())
    }

    /// One column of rows, as integers.
    pub(crate) fn ints<R>(rows: &[R], of: impl Fn(&R) -> i64) -> Self {
        Self::Ints(rows.iter().map(of).collect())
    }
}

/// The number of a row, counted from zero, that a bulk statement did.
#[derive(Debug, sqlx::FromRow)]
pub struct Done {
    number: i64,
}

/// What of a group a bulk statement can do, in the statement's order; each with the place of its command in the group.
#[derive(Debug)]
pub struct Picked<T> {
    rows: Vec<T>,
    places: Vec<usize>,
}

impl<T> FromIterator<(T, usize)> for Picked<T> {
    fn from_iter<I: IntoIterator<Item = (T, usize)>>(rows: I) -> Self {
        let (rows, places) = rows.into_iter().unzip();
        Self { rows, places }
    }
}

impl<T> Picked<T> {
    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[T] {
        &self.rows
    }

    /// The row with this number, as the database gives it, and its place in the group.
    #[must_use]
    pub fn row(&self, number: i64) -> Option<(&T, usize)> {
        let number = usize::try_from(number).ok()?;
        self.rows.get(number).zip(self.places.get(number).copied())
    }

    /// For each of the group's `count` commands: the outcome if its row was done, `None` if it has to be done alone.
    pub fn outcomes<O: Clone>(&self, count: usize, done: &[Done], outcome: &O) -> Vec<Option<O>> {
        let mut outcomes = vec![None; count];
        for (_, place) in done.iter().filter_map(|done| self.row(done.number)) {
            if let Some(slot) = outcomes.get_mut(place) {
                *slot = Some(outcome.clone());
            }
        }
        outcomes
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_counted_by_the_highest() {
        for (sql, count) in [("SELECT 1", 0), ("SELECT $1, $2, $1", 2), ("VALUES ($10, $9)", 10)] {
            assert_eq!(Statement::new(sql).parameters, count, "{sql}");
        }
    }

    #[test]
    fn a_missing_argument_is_an_error_and_not_a_null() {
        assert!(Statement::new("SELECT $1, $2").check(&[Value::from(1)]).is_err());
    }
}
