//! Statements and their arguments: one SQL text for both databases.

use std::sync::OnceLock;

use serde::Serialize;

use crate::db::StoreError;

/// An argument of a statement: its name in the text, and its value. Made by [`args!`](crate::db::args).
pub type Argument = (&'static str, Value);

/// One SQL statement that both databases run. In its text, `:name` stands for an argument.
#[derive(Debug)]
pub struct Statement {
    text: &'static str,
    numbered: OnceLock<Numbered>,
}

/// The text with `$1`, `$2` and so on, as the drivers need it.
#[derive(Debug)]
struct Numbered {
    sql: String,
    /// The argument names, in the order of their numbers.
    names: Vec<&'static str>,
}

impl Statement {
    /// Creates a statement from its text.
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        Self { text, numbered: OnceLock::new() }
    }

    /// The text with named arguments.
    #[must_use]
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// The text with numbered arguments.
    #[must_use]
    pub fn sql(&'static self) -> &'static str {
        &self.numbered().sql
    }

    /// The argument names, in the order of their numbers.
    #[must_use]
    pub fn names(&self) -> &[&'static str] {
        &self.numbered().names
    }

    fn numbered(&self) -> &Numbered {
        self.numbered.get_or_init(|| Numbered::new(self.text))
    }

    /// Puts the arguments into the order of their numbers.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when an argument is missing, or one is given that the text does not name.
    pub(crate) fn order<'a>(&self, arguments: &'a [Argument]) -> Result<Vec<&'a Value>, StoreError> {
        let names = self.names();
        let value_of = |name: &&str| arguments.iter().find_map(|(other, value)| (other == name).then_some(value));
        let values: Option<Vec<&Value>> = names.iter().map(value_of).collect();
        values.filter(|values| values.len() == arguments.len()).ok_or_else(|| {
            let given: Vec<&str> = arguments.iter().map(|(name, _)| *name).collect();
            StoreError::Corrupt(format!("arguments {given:?} for {names:?} of {}", self.text))
        })
    }
}

impl Numbered {
    /// Replaces each `:name` outside quotation marks and comments. `::` is a cast.
    fn new(text: &'static str) -> Self {
        let (mut sql, mut names) = (String::with_capacity(text.len()), Vec::new());
        let mut rest = text;
        while let Some(at) = rest.find([':', '\'', '-']) {
            let (before, from) = rest.split_at(at);
            let (token, after) = from.split_at(token_length(from));
            sql.push_str(before);
            rest = after;
            let name = token.strip_prefix(':').filter(|name| !name.is_empty() && !name.starts_with(':'));
            let Some(name) = name else {
                sql.push_str(token);
                continue;
            };
            let number = names.iter().position(|other| *other == name).unwrap_or_else(|| {
                names.push(name);
                names.len().saturating_sub(1)
            });
            sql.push('$');
            sql.push_str(&number.saturating_add(1).to_string());
        }
        sql.push_str(rest);
        Self { sql, names }
    }
}

/// The length of the token at the beginning of a text: a comment, a quoted text, a cast, a name, or one character.
fn token_length(text: &str) -> usize {
    let up_to_and_with =
        |end: &str, nth| text.match_indices(end).nth(nth).map_or(text.len(), |(at, _)| at.saturating_add(1));
    match text.as_bytes() {
        [b'-', b'-', ..] => up_to_and_with("\n", 0),
        [b'\'', ..] => up_to_and_with("'", 1),
        [b':', b':', ..] => 2,
        [b':', name @ ..] => {
            let letters = name.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
            letters.count().saturating_add(1)
        }
        _ => 1,
    }
}

/// A statement over many rows, in a version for each database. Made by `bulk_statement!`.
pub struct BulkStatement {
    /// The version for SQLite, which takes the rows as JSON.
    pub json: JsonStatement,
    /// The version for PostgreSQL, which takes the rows as lists, one for each column: one statement, which commits by
    /// itself.
    pub lists: Statement,
}

/// Several statements, of which one returns rows.
pub struct JsonStatement {
    /// For use within a transaction.
    pub within: Statement,
    /// With its own transaction around it.
    pub with_commit: Statement,
}

/// Defines a bulk statement by the files with its two texts. The one for SQLite does not end with a semicolon.
macro_rules! bulk_statement {
    ($json:literal, $lists:literal) => {
        $crate::db::BulkStatement {
            json: $crate::db::statement::JsonStatement {
                within: $crate::db::Statement::new(include_str!($json)),
                with_commit: $crate::db::Statement::new(concat!(
                    "BEGIN IMMEDIATE;\n",
                    include_str!($json),
                    ";\nCOMMIT"
                )),
            },
            lists: $crate::db::Statement::new(include_str!($lists)),
        }
    };
}
pub(crate) use bulk_statement;

/// The rows for a bulk statement.
pub trait Bulk: Sync {
    /// The statement.
    fn statement(&self) -> &'static BulkStatement;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool;

    /// The rows as the argument of the version for SQLite.
    ///
    /// # Errors
    /// When they cannot be serialized.
    fn as_json(&self) -> Result<Vec<Argument>, StoreError>;

    /// The rows as the arguments of the version for PostgreSQL.
    fn as_lists(&self) -> Vec<Argument>;
}

/// An argument of a statement.
#[derive(Debug, Clone)]
pub enum Value {
    /// An integer, or NULL.
    Int(Option<i64>),
    /// A text, or NULL.
    Text(Option<String>),
    /// Integers, for a database with lists.
    Ints(Vec<i64>),
    /// Texts or NULLs, for a database with lists.
    Texts(Vec<Option<String>>),
}

impl Value {
    /// One column of rows as texts.
    pub(crate) fn texts<R>(rows: &[R], of: impl Fn(&R) -> Option<&str>) -> Self {
        Self::Texts(rows.iter().map(|row| of(row).map(str::to_owned)).collect())
    }

    /// One column of rows as integers.
    pub(crate) fn ints<R>(rows: &[R], of: impl Fn(&R) -> i64) -> Self {
        Self::Ints(rows.iter().map(of).collect())
    }
}

/// The number, counted from zero, of a row that a bulk statement handled.
#[derive(Debug, sqlx::FromRow)]
pub struct Done {
    number: i64,
}

/// The rows of a group that the bulk statement handles, in its order, each with the position of its command in the
/// group.
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

    /// The row with this number, as returned by the database, and its position in the group.
    #[must_use]
    pub fn row(&self, number: i64) -> Option<(&T, usize)> {
        let number = usize::try_from(number).ok()?;
        self.rows.get(number).zip(self.places.get(number).copied())
    }

    /// For each of the group's `count` commands: the outcome if its row was handled, `None` if it has to run
    /// individually.
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

impl<T: Serialize> Picked<T> {
    /// The rows as the argument `rows`, a JSON array.
    pub(crate) fn as_json(&self) -> Result<Vec<Argument>, StoreError> {
        let text = serde_json::to_string(&self.rows).map_err(|error| StoreError::corrupt("a set of rows", error))?;
        Ok(args![rows = text.as_str()].into())
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

/// The arguments of a statement by name: `args![account = account.as_str(), now_ms]`.
#[macro_export]
macro_rules! args {
    ($($name:ident $(= $value:expr)?),* $(,)?) => {
        [$((stringify!($name), $crate::db::args!(@value $name $(, $value)?))),*]
    };
    (@value $name:ident) => { $crate::db::statement::Value::from($name) };
    (@value $name:ident, $value:expr) => { $crate::db::statement::Value::from($value) };
}
pub use args;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_numbers_in_the_order_of_their_first_use() {
        for (text, sql, names) in [
            ("SELECT 1", "SELECT 1", &[][..]),
            ("VALUES (:a, :b_2, :a)", "VALUES ($1, $2, $1)", &["a", "b_2"]),
            (
                "SELECT :a::TEXT[], b::BIGINT, ':no' || ': ' || :b",
                "SELECT $1::TEXT[], b::BIGINT, ':no' || ': ' || $2",
                &["a", "b"],
            ),
            ("-- It's so: :no\nSELECT 1 - :a", "-- It's so: :no\nSELECT 1 - $1", &["a"]),
            ("SELECT ':", "SELECT ':", &[]),
        ] {
            let numbered = Numbered::new(text);
            assert_eq!((numbered.sql.as_str(), &numbered.names[..]), (sql, names));
        }
    }

    #[test]
    fn a_missing_or_unknown_argument_is_an_error_and_not_a_null() {
        let statement = Statement::new("SELECT :a, :b");
        assert!(
            statement.order(&args![b = 2, a = 1]).is_ok_and(|values| matches!(values[..], [Value::Int(Some(1)), _]))
        );
        for arguments in [&args![a = 1][..], &args![a = 1, b = 2, c = 3], &args![a = 1, c = 3], &args![a = 1, a = 1]] {
            assert!(matches!(statement.order(arguments), Err(StoreError::Corrupt(_))), "{arguments:?}");
        }
    }
}
