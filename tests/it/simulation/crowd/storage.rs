//! Storage failures under load: a disk that is full for a while, and a server that fails over.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::Crowd;
use crate::sim::disk::Disk;
use crate::support::Backend;

/// The number of worker steps between failures.
const STEPS_BETWEEN: u64 = 70;
/// How many steps a failure lasts.
const STEPS_OF_FAILURE: u64 = 30;

const HANG_UP: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE datname = current_database() AND application_name LIKE 'topup%'";

/// Fails the storage again and again until the work is done, and leaves it healthy. Returns how often.
pub async fn fail_now_and_then(crowd: Arc<Crowd>, backend: Backend, url: String) -> u64 {
    match backend {
        Backend::Sqlite => fill_the_disk(&crowd).await,
        Backend::Postgres => fail_over(&crowd, &url).await,
    }
}

impl Crowd {
    /// Whether the workers have done this many steps.
    fn has_come_to(&self, step: u64) -> bool {
        self.steps_done.load(Ordering::Acquire) >= step
    }

    fn is_at_work(&self) -> bool {
        !self.work_is_done.load(Ordering::Acquire)
    }
}

/// A connection that failed is dropped, and the next one does not have the limit, so the limit is set again and again.
async fn fill_the_disk(crowd: &Crowd) -> u64 {
    let (mut next, mut times) = (STEPS_BETWEEN, 0);
    let tell = async |disk: Disk| crowd.app.db.execute_raw(disk.pragmas()).await.expect("SQLite takes a pragma");
    while crowd.is_at_work() {
        if !crowd.has_come_to(next) {
            tokio::task::yield_now().await;
            continue;
        }
        times += 1;
        while crowd.is_at_work() && !crowd.has_come_to(next + STEPS_OF_FAILURE) {
            tell(if times % 3 == 0 { Disk::ReadOnly } else { Disk::Full }).await;
            tokio::task::yield_now().await;
        }
        tell(Disk::Fine).await;
        next += STEPS_BETWEEN;
    }
    times
}

/// Disconnects all sessions; every second time the server that answers next is read-only at first.
async fn fail_over(crowd: &Crowd, url: &str) -> u64 {
    let mut server = PgConnection::connect(url).await.expect("connects");
    let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut server).await.expect("a name");
    let run = async |server: &mut PgConnection, sql: String| {
        server.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.expect("the server does it");
    };
    let read_only = |is_on: bool| {
        let word = if is_on { "on" } else { "off" };
        format!("ALTER DATABASE {name} SET default_transaction_read_only = {word}; {HANG_UP}")
    };
    let (mut next, mut times) = (STEPS_BETWEEN, 0);
    while crowd.is_at_work() {
        // A round trip to the server, during which the others continue.
        run(&mut server, "SELECT 1".to_owned()).await;
        if !crowd.has_come_to(next) {
            continue;
        }
        times += 1;
        run(&mut server, read_only(times % 2 == 0)).await;
        while crowd.is_at_work() && !crowd.has_come_to(next + STEPS_OF_FAILURE) {
            run(&mut server, "SELECT 1".to_owned()).await;
        }
        run(&mut server, read_only(false)).await;
        next += STEPS_BETWEEN;
    }
    server.close().await.expect("closes");
    times
}
