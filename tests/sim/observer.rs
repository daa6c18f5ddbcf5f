//! Observes the SQLite file from outside the process: whether anything was committed, and whether the tables changed.

use std::collections::BTreeMap;

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Row, SqliteConnection};
use tokio::runtime::Runtime;

/// A hash of each table's content.
pub type Digests = BTreeMap<String, u64>;

/// An observer with its own connection.
pub struct Observer {
    runtime: Runtime,
    connection: Option<SqliteConnection>,
    sql: String,
    version: i64,
    digests: Digests,
    has_news: bool,
}

/// FNV-1a: the same on every machine.
pub fn fnv(seed: u64, bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

impl Observer {
    /// Opens the migrated file.
    pub fn open(file: &std::path::Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let options = SqliteConnectOptions::new().filename(file).read_only(true).disable_statement_logging();
        let (connection, sql) = runtime.block_on(async {
            let mut connection = options.connect().await.expect("opens");
            let sql = digest_sql(&mut connection).await;
            (connection, sql)
        });
        Self { runtime, connection: Some(connection), sql, version: -1, digests: Digests::new(), has_news: false }
    }

    /// Whether anything was committed since the last call.
    pub fn take_news(&mut self) -> bool {
        self.look();
        std::mem::take(&mut self.has_news)
    }

    /// The current content of the tables.
    pub fn look(&mut self) -> &Digests {
        let connection = self.connection.as_mut().expect("open");
        let sql = self.sql.clone();
        let (version, rows) = self.runtime.block_on(async {
            let row = sqlx::query("PRAGMA data_version").fetch_one(&mut *connection).await.expect("a version");
            let version: i64 = row.get(0);
            if version == self.version {
                return (version, None);
            }
            (version, Some(sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await.expect("readable")))
        });
        self.version = version;
        if let Some(rows) = rows {
            self.has_news = true;
            let digest = |row: &SqliteRow| (row.get::<String, _>(0), fnv(0, row.get::<String, _>(1).as_bytes()));
            self.digests = rows.iter().map(digest).collect();
        }
        &self.digests
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        let _context = self.runtime.enter();
        self.connection = None;
    }
}

/// A statement that renders every row of every table as text.
async fn digest_sql(connection: &mut SqliteConnection) -> String {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
                  AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY name";
    let tables = sqlx::query(tables).fetch_all(&mut *connection).await.expect("readable");
    let mut parts = Vec::new();
    for table in tables {
        let table: String = table.get(0);
        let columns = format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid");
        let columns = sqlx::query(AssertSqlSafe(columns)).fetch_all(&mut *connection).await.expect("readable");
        let columns: Vec<String> = columns.iter().map(|column| format!("\"{}\"", column.get::<String, _>(0))).collect();
        parts.push(format!(
            "SELECT '{table}', COALESCE((SELECT group_concat(line, char(10)) FROM \
             (SELECT json_array({}) AS line FROM {table} ORDER BY rowid)), '')",
            columns.join(", ")
        ));
    }
    parts.join(" UNION ALL ")
}
