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

    /// The rows as its argument in JSON.
    ///
    /// # Errors
    /// When they cannot be written so.
    fn as_json(&self) -> Result<Vec<Value>, StoreError>;

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
    /// The number.
    pub number: i64,
}

impl Done {
    /// For each of `count` rows, whether it was done.
    pub(crate) fn marks(done: &[Self], count: usize) -> Vec<bool> {
        let mut marks = vec![false; count];
        for row in done {
            if let Some(mark) = usize::try_from(row.number).ok().and_then(|number| marks.get_mut(number)) {
                *mark = true;
            }
        }
        marks
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
