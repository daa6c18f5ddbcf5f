//! An export's memory does not grow with its rows.
//!
//! `EXPORT_ROWS` sets the number of rows. Measured with a million and a debug build: 53 MiB on SQLite and 43 MiB on
//! PostgreSQL.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::on_both_databases;
use crate::support::Backend;
use crate::support::app::settings;
use crate::support::database::TestDatabase;
use crate::support::process::topup;

const USUAL_ROWS: u64 = 20_000;
const MOST_KIB: u64 = 64 * 1024;

/// Entries of 100 accounts, with ids and times as the service writes them: one each second since 2026-01-01.
fn fill(rows: u64, hex: &str) -> String {
    format!(
        "INSERT INTO accounts (id, balance, entries, updated_at) WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL \
         SELECT n + 1 FROM counted WHERE n < 99) SELECT 'user_' || n, {each}, {each}, 1 FROM counted; \
         INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at) \
         WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n < {last}) \
         SELECT 'user_' || (n % 100), n / 100 + 1, 'entry_' || {hex} || '00000000000000000000', 'adjustment', 1, \
         n / 100 + 1, 'adjustment_' || n, 1767225600000 + n * 1000 FROM counted",
        each = rows / 100,
        last = rows - 1,
    )
}

/// The most memory that a process has used so far, as the system counts it.
fn peak_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}

on_both_databases! {
    async fn an_export_of_many_rows_stays_within_64_mebibytes(backend: Backend) {
        let rows = std::env::var("EXPORT_ROWS").map_or(USUAL_ROWS, |text| text.parse().expect("a number"));
        let database = TestDatabase::migrated(backend).await;
        match backend {
            Backend::Sqlite => {
                let mut other = SqliteConnection::connect(&database.url).await.expect("connects");
                let fill = AssertSqlSafe(fill(rows, "printf('%012x', 1767225600000 + n * 1000)"));
                other.execute(sqlx::raw_sql(fill)).await.expect("filled");
                other.close().await.expect("closes");
            }
            Backend::Postgres => {
                let mut other = PgConnection::connect(&database.url).await.expect("connects");
                let fill = AssertSqlSafe(fill(rows, "lpad(to_hex(1767225600000 + n::BIGINT * 1000), 12, '0')"));
                other.execute(sqlx::raw_sql(fill)).await.expect("filled");
                other.close().await.expect("closes");
            }
        }
        let mut command = topup(&settings(&database.url, "http://127.0.0.1:9", &[]));
        command.args(["export", "ledger", "--format", "jsonl"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("topup runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        // What a pipe and the program's own buffer hold is less than the last 2,000 lines, so it still runs here.
        let almost = lines.by_ref().take(usize::try_from(rows).expect("fits") - 2_000).inspect(|line| assert!(line.is_ok())).count();
        let peak = peak_kib(child.id());
        let count = almost + lines.inspect(|line| assert!(line.is_ok())).count();
        assert!(child.wait().expect("ends").success());
        assert_eq!(u64::try_from(count).ok(), Some(rows));
        println!("{rows} rows: {peak} KiB at most");
        assert!(peak <= MOST_KIB, "{peak} KiB for {rows} rows");
    }
}
