//! `topup db copy`: everything arrives, in either direction; a process that dies leaves nothing; what must not be copied
//! or overwritten is refused.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};
use topup::books::audit::audit;

use super::uncopied::{contents, filled};
use crate::sim::World;
use crate::support::Backend;
use crate::support::database::TestDatabase;
use crate::support::process::{Process, Settings, run, topup};
use crate::support::{serve, until};

fn copy<'u>(from: &'u str, to: &'u str) -> [&'u str; 6] {
    ["db", "copy", "--from", from, "--to", to]
}

/// A copy of the database that a run of the simulator leaves.
async fn simulated(seed: u64, steps: u64) -> TestDatabase {
    let folder = std::thread::spawn(move || World::new(seed, false).database_after(steps)).join().expect("no panic");
    let folder = folder.expect("nothing is wrong");
    let database = TestDatabase::empty(Backend::Sqlite).await;
    let file = format!("sqlite://{}", folder.path().join("topup.db").display());
    let mut other = SqliteConnection::connect(&file).await.expect("connects");
    let vacuum = format!("VACUUM INTO '{}'", database.url.trim_start_matches("sqlite://"));
    other.execute(sqlx::raw_sql(AssertSqlSafe(vacuum))).await.expect("copies");
    other.close().await.expect("closes");
    database
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulator_s_database_is_copied_to_postgresql_and_passes_the_audit_on_both_sides() {
    for seed in [1, 5] {
        let source = simulated(seed, 120).await;
        let target = TestDatabase::empty(Backend::Postgres).await;
        let (well, said, errors) = run(&Settings::new(), &copy(&source.url, &target.url));
        assert!(well, "{said}{errors}");
        for words in [
            "rows of topups",
            "The audit of --from finds that everything holds",
            "The audit of --to finds that everything",
        ] {
            assert!(said.contains(words), "{said}");
        }
        for database in [&source, &target] {
            let db = database.connect().await;
            let report = audit(&db, true).await.expect("readable");
            assert!(report.is_clean() && report.topups > 0 && report.entries > 0, "{report:?}");
            assert_eq!(db.broken_rules().await.expect("readable"), Vec::<&str>::new());
            db.close().await;
        }
        assert_eq!(contents(&source.url).await, contents(&target.url).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_and_back_again_everything_is_as_it_was() {
    let source = filled(Backend::Sqlite).await;
    let there = TestDatabase::empty(Backend::Postgres).await;
    let back = TestDatabase::empty(Backend::Sqlite).await;
    for (from, to) in [(&source, &there), (&there, &back)] {
        let (_, said, errors) = run(&Settings::new(), &copy(&from.url, &to.url));
        assert!(said.contains("Every row was copied and read back."), "{said}{errors}");
    }
    let before = contents(&source.url).await;
    assert_eq!(contents(&there.url).await, before);
    assert_eq!(contents(&back.url).await, before);
    let mode = std::fs::metadata(back.url.trim_start_matches("sqlite://")).expect("there").permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o077, 0, "others can read it");
}

/// How many rows are copied at once.
const PAGE: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_dies_anywhere_leaves_nothing_and_can_be_repeated() {
    let source = filled(Backend::Sqlite).await;
    let before = contents(&source.url).await;
    // One before each page that is copied, one before each table is read back, one around the commit.
    let pages: usize = before.values().map(|rows| rows.len().div_ceil(PAGE)).sum();
    let commit = pages + before.len() + 1;
    let places = (1..commit).step_by(17).chain([commit - 1, commit, commit + 1]);
    for backend in [Backend::Postgres, Backend::Sqlite] {
        let target = TestDatabase::empty(backend).await;
        for number in places.clone() {
            let mut command = topup(&Settings::new());
            command.args(copy(&source.url, &target.url)).env("TOPUP_PAUSE_AT_CHECKPOINT", number.to_string());
            let mut process = Process::start(command);
            let place = process.paused().await;
            process.kill();
            let found = contents(&target.url).await;
            if number > commit {
                assert!(place.ends_with("committed") && found == before, "{place}");
                continue;
            }
            assert_eq!(place.ends_with("commit"), number == commit, "{place} is number {number}");
            // What migrations themselves insert.
            let rows: usize = found.values().map(Vec::len).sum();
            assert_eq!(rows, 2, "{place}: {found:?}");
        }
        let (well, _, errors) = run(&Settings::new(), &copy(&source.url, &target.url));
        assert!(!well && errors.contains("has data already"), "{errors}");
        assert_eq!(contents(&target.url).await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_in_use_is_not_copied() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let world = serve::World::new(backend).await;
        let target = TestDatabase::empty(Backend::Postgres).await;
        let mut process = world.serve(None).await;
        let (well, said, errors) = run(&Settings::new(), &copy(&world.database.url, &target.url));
        assert!(!well && errors.contains("stop `topup serve`"), "{said}{errors}");
        process.kill();
        // PostgreSQL notices a little later that the service's sessions are gone.
        let arguments = copy(&world.database.url, &target.url);
        until("a copy", async || run(&Settings::new(), &arguments).0.then_some(())).await;
        // The copy is a database that the service starts on.
        let mut settings = world.settings();
        settings.insert("DATABASE_URL", target.url.clone());
        let process = Process::serve(&settings, None).await;
        process.terminate();
        assert!(process.ended().await.0);
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_copied_is_named() {
    let source = filled(Backend::Sqlite).await;
    let empty = TestDatabase::empty(Backend::Postgres).await;
    let taken = TestDatabase::migrated(Backend::Postgres).await;
    let db = taken.connect().await;
    db.execute_raw("INSERT INTO webhook_refusals (provider, refusals, last_at) VALUES ('stripe', 1, 1)")
        .await
        .expect("done");
    db.close().await;
    let older = TestDatabase::migrated(Backend::Sqlite).await;
    let db = older.connect().await;
    db.execute_raw("UPDATE _sqlx_migrations SET success = FALSE").await.expect("done");
    db.close().await;
    for (from, to, words) in [
        (source.url.as_str(), taken.url.as_str(), "has data already (in webhook_refusals)"),
        (older.url.as_str(), empty.url.as_str(), "is not at this version's state; run `topup migrate`"),
        ("topup.db", empty.url.as_str(), "--from must be an address that starts with"),
        (source.url.as_str(), "mysql://x", "--to must be an address that starts with"),
        ("sqlite:///nowhere/at/all.db", empty.url.as_str(), "--from"),
        (source.url.as_str(), "postgres://nobody@127.0.0.1:1/none", "--to"),
        (source.url.as_str(), source.url.as_str(), "--from and --to are the same database"),
    ] {
        let (well, said, errors) = run(&Settings::new(), &copy(from, to));
        assert!(!well && errors.contains(words), "{from} to {to}: {said}{errors}");
    }
    assert!(Path::new(source.url.trim_start_matches("sqlite://")).exists());
}
