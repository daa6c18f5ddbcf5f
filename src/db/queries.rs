//! Binds statements and their arguments for each driver.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, FromRow, Postgres, Sqlite};

use crate::db::StoreError;
use crate::db::session::Route;
use crate::db::statement::{Argument, Statement, Value};

/// A row type that both databases can fill. `#[derive(sqlx::FromRow)]` makes one.
pub trait Record: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T> Record for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

fn sqlite_arguments(statement: &'static Statement, arguments: &[Argument]) -> Result<SqliteArguments, StoreError> {
    let mut bound = SqliteArguments::default();
    for value in statement.order(arguments)? {
        match value {
            Value::Int(value) => bound.add(*value),
            Value::Text(value) => bound.add(value.clone()),
            Value::Ints(_) | Value::Texts(_) => return Err(StoreError::corrupt("no lists for", statement.sql())),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(bound)
}

fn postgres_arguments(statement: &'static Statement, arguments: &[Argument]) -> Result<PgArguments, StoreError> {
    let mut bound = PgArguments::default();
    for value in statement.order(arguments)? {
        match value {
            Value::Int(value) => bound.add(*value),
            Value::Text(value) => bound.add(value.as_deref()),
            Value::Ints(values) => bound.add(values.as_slice()),
            Value::Texts(values) => bound.add(values.as_slice()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(bound)
}

pub(crate) fn sqlite_query<'q>(
    statement: &'static Statement,
    arguments: &[Argument],
) -> Result<Query<'q, Sqlite, SqliteArguments>, StoreError> {
    Ok(sqlx::query_with(statement.sql(), sqlite_arguments(statement, arguments)?))
}

pub(crate) fn postgres_query<'q>(
    route: Route,
    statement: &'static Statement,
    arguments: &[Argument],
) -> Result<Query<'q, Postgres, PgArguments>, StoreError> {
    let query = sqlx::query_with(statement.sql(), postgres_arguments(statement, arguments)?);
    Ok(query.persistent(route.keeps_statements()))
}

pub(crate) fn sqlite_rows<'q, T: Record>(
    statement: &'static Statement,
    arguments: &[Argument],
) -> Result<QueryAs<'q, Sqlite, T, SqliteArguments>, StoreError> {
    Ok(sqlx::query_as_with(statement.sql(), sqlite_arguments(statement, arguments)?))
}

pub(crate) fn postgres_rows<'q, T: Record>(
    route: Route,
    statement: &'static Statement,
    arguments: &[Argument],
) -> Result<QueryAs<'q, Postgres, T, PgArguments>, StoreError> {
    let query = sqlx::query_as_with(statement.sql(), postgres_arguments(statement, arguments)?);
    Ok(query.persistent(route.keeps_statements()))
}
