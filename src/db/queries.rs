//! Statements with their values, as each of the drivers takes them.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, FromRow, Postgres, Sqlite};

use crate::db::StoreError;
use crate::db::session::Route;
use crate::db::statement::{Statement, Value};

/// A row type that both databases can fill; `#[derive(sqlx::FromRow)]` makes one.
pub trait Record: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T> Record for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

fn sqlite_arguments(statement: &Statement, values: &[Value]) -> Result<SqliteArguments, StoreError> {
    statement.check(values)?;
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Value::Int(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(value.clone()),
            Value::Ints(_) | Value::Texts(_) => return Err(StoreError::corrupt("no lists for", statement.sql())),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn postgres_arguments(statement: &Statement, values: &[Value]) -> Result<PgArguments, StoreError> {
    statement.check(values)?;
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Int(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(value.as_deref()),
            Value::Ints(values) => arguments.add(values.as_slice()),
            Value::Texts(values) => arguments.add(values.as_slice()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

pub(crate) fn sqlite_query<'q>(
    statement: &Statement,
    values: &[Value],
) -> Result<Query<'q, Sqlite, SqliteArguments>, StoreError> {
    Ok(sqlx::query_with(statement.sql(), sqlite_arguments(statement, values)?))
}

pub(crate) fn postgres_query<'q>(
    route: Route,
    statement: &Statement,
    values: &[Value],
) -> Result<Query<'q, Postgres, PgArguments>, StoreError> {
    let query = sqlx::query_with(statement.sql(), postgres_arguments(statement, values)?);
    Ok(query.persistent(route.keeps_statements()))
}

pub(crate) fn sqlite_rows<'q, T: Record>(
    statement: &Statement,
    values: &[Value],
) -> Result<QueryAs<'q, Sqlite, T, SqliteArguments>, StoreError> {
    Ok(sqlx::query_as_with(statement.sql(), sqlite_arguments(statement, values)?))
}

pub(crate) fn postgres_rows<'q, T: Record>(
    route: Route,
    statement: &Statement,
    values: &[Value],
) -> Result<QueryAs<'q, Postgres, T, PgArguments>, StoreError> {
    let query = sqlx::query_as_with(statement.sql(), postgres_arguments(statement, values)?);
    Ok(query.persistent(route.keeps_statements()))
}
