//! Storage that fails while many work: a disk that is full for a while, and a server that fails over.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::Crowd;
use crate::sim::disk::Disk;
use crate::support::Backend;

/// After how many things that the workers did the storage fails the next time.
const STEPS_BETWEEN: u64 = 70;
/// For how many of them it fails.
const STEPS_OF_FAILURE: u64 = 15;

const HANG_UP: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE datname = current_database() AND application_name LIKE 'topup%'";

/// Lets the storage fail again and again until the work is done, and leaves it well. Gives how often.
pub async fn fail_now_and_then(crowd: Arc<Crowd>, backend: Backend, url: String) -> u64 {
    match backend {
        Backend::Sqlite => fill_the_disk(&crowd).await,
        Backend::Postgres => fail_over(&crowd, &url).await,
    }
}

impl Crowd {
    /// Whether the workers have come so far; not if they are done.
    fn has_come_to(&self, step: u64) -> bool {
        self.steps_done.load(Ordering::Acquire) >= step
    }

    fn is_at_work(&self) -> bool {
        !self.work_is_done.load(Ordering::Acquire)
    }
}

/// A connection that failed is left, and the next one does not know that the disk is full: it is told again and again.
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

/// All sessions are cut; every second time the server that answers next takes no writes at first.
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
        // An exchange with the server, in which the others get on.
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
