//! A statement and its arguments: one text for both databases.

use super::StoreError;

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

    pub(super) fn check(&self, values: &[Value]) -> Result<(), StoreError> {
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
pub(super) struct BulkStatement {
    /// For the one that takes rows as JSON, within a transaction. Several statements, of which one gives rows.
    pub(super) json: Statement,
    /// The same with a transaction around it.
    pub(super) json_and_commit: Statement,
    /// For the one that takes rows as lists, one for each column: one statement, which commits by itself.
    pub(super) lists: Statement,
}

/// The rows for one.
pub(super) trait Bulk: Sync {
    /// The statement.
    fn statement(&self) -> &'static BulkStatement;

    /// The rows as its argument in JSON.
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
