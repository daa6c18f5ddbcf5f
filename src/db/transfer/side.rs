//! One side of a copy: a connection of its own to either database. Its statements are made from the names in the
//! database's own schema, never from data.

use std::str::FromStr;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row, SqliteConnection};

use super::schema::{Column, Shape, quoted};
use crate::database_url::DatabaseUrl;
use crate::db::StoreError;
use crate::db::database::SQLITE_MIGRATIONS;
use crate::db::statement::Value;

const SQLITE_TABLES: &str = "SELECT name, sql LIKE '%AUTOINCREMENT%' FROM sqlite_schema WHERE type = 'table' \
    AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_sqlx_migrations' ORDER BY name";
const SQLITE_COLUMNS: &str = "SELECT name, type = 'INTEGER', pk FROM pragma_table_info($1) ORDER BY cid";
const SQLITE_PARENTS: &str = "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list($1)";
const POSTGRES_TABLES: &str = "SELECT c.relname::TEXT FROM pg_class c \
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname <> '_sqlx_migrations' \
    ORDER BY c.relname";
const POSTGRES_COLUMNS: &str = "SELECT a.attname::TEXT, a.atttypid = 'bigint'::regtype, \
    COALESCE(array_position(i.indkey::SMALLINT[], a.attnum), -1)::BIGINT, a.attidentity <> '' FROM pg_attribute a \
    LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
    WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
const POSTGRES_PARENTS: &str = "SELECT DISTINCT c.relname::TEXT FROM pg_constraint f \
    JOIN pg_class c ON c.oid = f.confrelid WHERE f.conrelid = $1::regclass AND f.contype = 'f'";
/// Sessions of a service have its name.
const POSTGRES_SESSIONS: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND pid <> pg_backend_pid() AND application_name LIKE 'topup%'";
/// A copy takes as long as it takes, but does not wait for others.
const POSTGRES_SETTINGS: &str = "SET statement_timeout = 0; SET lock_timeout = '5s'; \
    SET idle_in_transaction_session_timeout = 0";

/// A connection.
pub(crate) enum Side {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Side {
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url)?.create_if_missing(false).foreign_keys(true);
            let options = options.pragma("secure_delete", "ON").pragma("temp_store", "MEMORY");
            return Ok(Self::Sqlite(options.disable_statement_logging().connect().await?));
        }
        let url = DatabaseUrl::parse(url).map_err(|_| StoreError::UnknownDatabase)?;
        let options = PgConnectOptions::from_str(url.address())?.application_name("topup db copy");
        let mut connection = options.extra_float_digits(None).disable_statement_logging().connect().await?;
        connection.execute(sqlx::raw_sql(POSTGRES_SETTINGS)).await?;
        Ok(Self::Postgres(connection))
    }

    /// A database in memory as migrations leave it.
    pub(crate) async fn fresh() -> Result<Self, StoreError> {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await?;
        SQLITE_MIGRATIONS.run(&mut connection).await?;
        Ok(Self::Sqlite(connection))
    }

    /// Ends the connection, and with it a transaction that was not committed.
    pub(crate) async fn close(&mut self) {
        let ended = match self {
            Self::Sqlite(connection) => connection.execute(sqlx::raw_sql("ROLLBACK")).await.map(drop),
            Self::Postgres(connection) => connection.execute(sqlx::raw_sql("ROLLBACK")).await.map(drop),
        };
        // There may be none.
        drop(ended);
    }

    /// Every table except the record of migrations.
    pub(crate) async fn shapes(&mut self) -> Result<Vec<Shape>, StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite_shapes(connection).await,
            Self::Postgres(connection) => postgres_shapes(connection).await,
        }
    }

    /// Whether a service is connected, as far as the database itself can tell.
    pub(crate) async fn has_other_sessions(&mut self) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(false),
            Self::Postgres(connection) => {
                let count: i64 = sqlx::query_scalar(POSTGRES_SESSIONS).fetch_one(connection).await?;
                Ok(count > 0)
            }
        }
    }

    /// Begins a transaction in which everything stays as it is: nobody else can write until it ends.
    pub(crate) async fn begin_reading(&mut self, shapes: &[Shape]) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => connection.execute(sqlx::raw_sql("BEGIN IMMEDIATE")).await.map(drop)?,
            Self::Postgres(connection) => {
                let names = shapes.iter().map(Shape::quoted).collect::<Vec<_>>().join(", ");
                let begin = format!("BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE {names} IN SHARE MODE");
                connection.execute(sqlx::raw_sql(AssertSqlSafe(begin))).await.map(drop)?;
            }
        }
        Ok(())
    }

    /// Begins a transaction that nobody else writes beside.
    pub(crate) async fn begin_writing(&mut self, shapes: &[Shape]) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => connection.execute(sqlx::raw_sql("BEGIN IMMEDIATE")).await.map(drop)?,
            Self::Postgres(connection) => {
                let names = shapes.iter().map(Shape::quoted).collect::<Vec<_>>().join(", ");
                let begin = format!("BEGIN; LOCK TABLE {names} IN EXCLUSIVE MODE");
                connection.execute(sqlx::raw_sql(AssertSqlSafe(begin))).await.map(drop)?;
            }
        }
        Ok(())
    }

    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        self.run("COMMIT".to_owned()).await
    }

    async fn run(&mut self, sql: String) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.map(drop)?,
            Self::Postgres(connection) => connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.map(drop)?,
        }
        Ok(())
    }

    async fn number(&mut self, sql: String) -> Result<Option<i64>, StoreError> {
        let sql = AssertSqlSafe(sql);
        Ok(match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_optional(connection).await?,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_optional(connection).await?,
        })
    }

    pub(crate) async fn count(&mut self, shape: &Shape) -> Result<i64, StoreError> {
        Ok(self.number(format!("SELECT COUNT(*) FROM {}", shape.quoted())).await?.unwrap_or(0))
    }

    /// Removes all rows of a table.
    pub(crate) async fn clear(&mut self, shape: &Shape) -> Result<(), StoreError> {
        self.run(format!("DELETE FROM {}", shape.quoted())).await
    }

    /// The rows after a key, in the order of keys.
    pub(crate) async fn page(
        &mut self,
        shape: &Shape,
        after: Option<&Vec<Value>>,
        limit: i64,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        let (names, key, table) = (shape.names(), shape.key_names(), shape.quoted());
        let places: Vec<String> = (1..=shape.key.len()).map(|place| format!("${place}")).collect();
        let after_key = after.map_or_else(String::new, |_| format!("WHERE ({key}) > ({})", places.join(", ")));
        let sql = AssertSqlSafe(format!("SELECT {names} FROM {table} {after_key} ORDER BY {key} LIMIT {limit}"));
        match self {
            Self::Sqlite(connection) => {
                let mut bound = SqliteArguments::default();
                for value in after.into_iter().flatten() {
                    bind_sqlite(&mut bound, value)?;
                }
                let rows = sqlx::query_with(sql, bound).fetch_all(connection).await?;
                rows.iter().map(|row| sqlite_row(shape, row)).collect()
            }
            Self::Postgres(connection) => {
                let mut bound = PgArguments::default();
                for value in after.into_iter().flatten() {
                    match value {
                        Value::Int(number) => bound.add(*number),
                        Value::Text(text) => bound.add(text.as_deref()),
                        Value::Ints(_) | Value::Texts(_) => return Err(StoreError::corrupt("a list in", &shape.name)),
                    }
                    .map_err(sqlx::Error::Encode)?;
                }
                let rows = sqlx::query_with(sql, bound).fetch_all(connection).await?;
                rows.iter().map(|row| postgres_row(shape, row)).collect()
            }
        }
    }

    /// Inserts rows.
    pub(crate) async fn insert(&mut self, shape: &Shape, rows: &[Vec<Value>]) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => insert_sqlite(connection, shape, rows).await,
            Self::Postgres(connection) => insert_postgres(connection, shape, rows).await,
        }
    }

    /// The last number that the database gave out for a table that it counts.
    pub(crate) async fn counter(&mut self, shape: &Shape) -> Result<i64, StoreError> {
        let column = shape.counter.as_deref().map(quoted).unwrap_or_default();
        let table = shape.quoted();
        let (given, name) = match self {
            Self::Sqlite(_) => (format!("SELECT seq FROM sqlite_sequence WHERE name = '{}'", shape.name), column),
            Self::Postgres(_) => {
                let sequence = format!("pg_get_serial_sequence('{table}', '{}')", column.trim_matches('"'));
                (format!("SELECT COALESCE(pg_sequence_last_value({sequence}::regclass), 0)"), column)
            }
        };
        let given = self.number(given).await?.unwrap_or(0);
        let highest = self.number(format!("SELECT COALESCE(MAX({name}), 0) FROM {table}")).await?.unwrap_or(0);
        Ok(given.max(highest))
    }

    /// Makes the database go on counting after a number.
    pub(crate) async fn set_counter(&mut self, shape: &Shape, last: i64) -> Result<(), StoreError> {
        let (name, column) = (&shape.name, shape.counter.as_deref().unwrap_or_default());
        let (next, table) = (last.saturating_add(1), shape.quoted());
        let sql = match self {
            Self::Sqlite(_) => format!(
                "DELETE FROM sqlite_sequence WHERE name = '{name}'; \
                 INSERT INTO sqlite_sequence (name, seq) VALUES ('{name}', {last})"
            ),
            Self::Postgres(_) => format!("SELECT setval(pg_get_serial_sequence('{table}', '{column}'), {next}, false)"),
        };
        self.run(sql).await
    }
}

async fn sqlite_shapes(connection: &mut SqliteConnection) -> Result<Vec<Shape>, StoreError> {
    let mut shapes = Vec::new();
    for table in sqlx::query(SQLITE_TABLES).fetch_all(&mut *connection).await? {
        let (name, is_counted): (String, bool) = (table.try_get(0)?, table.try_get(1)?);
        let (mut columns, mut key) = (Vec::new(), Vec::new());
        for column in sqlx::query(SQLITE_COLUMNS).bind(name.clone()).fetch_all(&mut *connection).await? {
            let place: i64 = column.try_get(2)?;
            if place > 0 {
                key.push((place, columns.len()));
            }
            columns.push(Column { name: column.try_get(0)?, is_number: column.try_get(1)? });
        }
        let parents = sqlx::query_scalar(SQLITE_PARENTS).bind(name.clone()).fetch_all(&mut *connection).await?;
        shapes.push(shape(name, columns, key, parents, is_counted));
    }
    Ok(shapes)
}

async fn postgres_shapes(connection: &mut PgConnection) -> Result<Vec<Shape>, StoreError> {
    let mut shapes = Vec::new();
    let names: Vec<String> = sqlx::query_scalar(POSTGRES_TABLES).fetch_all(&mut *connection).await?;
    for name in names {
        let (mut columns, mut key, mut is_counted) = (Vec::new(), Vec::new(), false);
        for column in sqlx::query(POSTGRES_COLUMNS).bind(quoted(&name)).fetch_all(&mut *connection).await? {
            let place: i64 = column.try_get(2)?;
            if place >= 0 {
                key.push((place, columns.len()));
            }
            is_counted |= column.try_get::<bool, _>(3)?;
            columns.push(Column { name: column.try_get(0)?, is_number: column.try_get(1)? });
        }
        let parents = sqlx::query_scalar(POSTGRES_PARENTS).bind(quoted(&name)).fetch_all(&mut *connection).await?;
        shapes.push(shape(name, columns, key, parents, is_counted));
    }
    Ok(shapes)
}

/// Only the key's one column is ever counted by the database.
fn shape(
    name: String,
    columns: Vec<Column>,
    mut key: Vec<(i64, usize)>,
    parents: Vec<String>,
    is_counted: bool,
) -> Shape {
    key.sort_unstable();
    let key: Vec<usize> = key.into_iter().map(|(_, place)| place).collect();
    let counted = key.first().filter(|_| is_counted).and_then(|place| columns.get(*place));
    let number = counted.map(|column| column.name.clone());
    Shape { name, columns, key, parents, counter: number }
}

fn sqlite_row(shape: &Shape, row: &SqliteRow) -> Result<Vec<Value>, StoreError> {
    let value = |(place, column): (usize, &Column)| -> Result<Value, StoreError> {
        Ok(if column.is_number { Value::Int(row.try_get(place)?) } else { Value::Text(row.try_get(place)?) })
    };
    shape.columns.iter().enumerate().map(value).collect()
}

fn postgres_row(shape: &Shape, row: &PgRow) -> Result<Vec<Value>, StoreError> {
    let value = |(place, column): (usize, &Column)| -> Result<Value, StoreError> {
        Ok(if column.is_number { Value::Int(row.try_get(place)?) } else { Value::Text(row.try_get(place)?) })
    };
    shape.columns.iter().enumerate().map(value).collect()
}

fn bind_sqlite(bound: &mut SqliteArguments, value: &Value) -> Result<(), StoreError> {
    match value {
        Value::Int(number) => bound.add(*number),
        Value::Text(text) => bound.add(text.clone()),
        Value::Ints(_) | Value::Texts(_) => return Err(StoreError::corrupt("a list for", "SQLite")),
    }
    .map_err(sqlx::Error::Encode)?;
    Ok(())
}

/// SQLite takes at most 32,766 arguments.
const SQLITE_ROWS: usize = 100;

async fn insert_sqlite(
    connection: &mut SqliteConnection,
    shape: &Shape,
    rows: &[Vec<Value>],
) -> Result<(), StoreError> {
    let row = format!("({})", vec!["?"; shape.columns.len()].join(", "));
    for rows in rows.chunks(SQLITE_ROWS) {
        let mut bound = SqliteArguments::default();
        for value in rows.iter().flatten() {
            bind_sqlite(&mut bound, value)?;
        }
        let values = vec![row.as_str(); rows.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES {values}", shape.quoted(), shape.names());
        sqlx::query_with(AssertSqlSafe(sql), bound).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn insert_postgres(connection: &mut PgConnection, shape: &Shape, rows: &[Vec<Value>]) -> Result<(), StoreError> {
    let (mut bound, mut lists) = (PgArguments::default(), Vec::new());
    for (place, column) in shape.columns.iter().enumerate() {
        let values = rows.iter().map(|row| row.get(place));
        let number = place.saturating_add(1);
        if column.is_number {
            lists.push(format!("${number}::BIGINT[]"));
            let number = |value: Option<&Value>| if let Some(Value::Int(number)) = value { *number } else { None };
            bound.add(values.map(number).collect::<Vec<Option<i64>>>())
        } else {
            lists.push(format!("${number}::TEXT[]"));
            let text = |value: Option<&Value>| if let Some(Value::Text(text)) = value { text.clone() } else { None };
            bound.add(values.map(text).collect::<Vec<Option<String>>>())
        }
        .map_err(sqlx::Error::Encode)?;
    }
    let (table, names, lists) = (shape.quoted(), shape.names(), lists.join(", "));
    let sql = format!("INSERT INTO {table} ({names}) SELECT * FROM UNNEST({lists})");
    sqlx::query_with(AssertSqlSafe(sql), bound).execute(connection).await?;
    Ok(())
}
