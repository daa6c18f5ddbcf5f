//! The database: missing, empty, unreachable, of another use, not durable, full, open to others.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use topup::config::Source;
use topup::db::Db;
use topup::doctor::{FindingState, Limits, Surroundings, examine};
use topup::http::auth::jwks::probe::FetchedKeySets;
use topup::system::SystemClock;

use super::{doctor, settings, world};
use crate::on_both_databases;
use crate::support::database::TestDatabase;
use crate::support::serve::World;
use crate::support::{Backend, Options, TestApp};

on_both_databases! {
    async fn before_the_first_migration_it_says_so(backend: Backend) {
        let world = World::new(backend).await;
        let database = TestDatabase::empty(backend).await;
        let mut settings = settings(&world);
        settings.insert("DATABASE_URL", database.url.clone());
        let report = doctor(&settings).await;
        match backend {
            Backend::Sqlite => report.says("database.reachable", "failed", "there is no such file", "topup migrate"),
            Backend::Postgres => report.says("database.migrations", "failed", "lacks migrations", "topup migrate"),
        }
        report.ok("stripe.key");
        world.finish().await;
    }

    async fn a_database_of_a_newer_version_needs_that_version(backend: Backend) {
        let (world, settings) = world(backend).await;
        let db = world.database.connect().await;
        db.execute_raw(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
            SELECT 999999, description, success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1",
        )
        .await
        .expect("done");
        doctor(&settings).await.says("database.migrations", "failed", "a newer version", "use the newer topup");
        db.execute_raw("DELETE FROM _sqlx_migrations WHERE version = 999999").await.expect("done");
        db.close().await;
        world.finish().await;
    }

    async fn a_database_of_another_use_is_not_mixed_up(backend: Backend) {
        let app = TestApp::start(backend).await;
        let changes = [("CREDIT_UNIT_CREDITS", "100".to_owned())];
        let other = crate::support::app::settings(&app.database.url, &app.stripe.url, &changes);
        let way_out = "change the setting, or use another DATABASE_URL";
        doctor(&other).await.says("database.use", "failed", "credits of CREDIT_UNIT_CREDITS=1, but CREDIT_UNIT_CREDITS is 100", way_out);
        doctor(&crate::support::app::settings(&app.database.url, &app.stripe.url, &[])).await.ok("database.use");
        app.finish().await;
    }

    async fn looking_writes_nothing(backend: Backend) {
        let database = TestDatabase::migrated(backend).await;
        let db = Db::connect_to_read(&database.url).await.expect("connects");
        assert!(db.open_failures().await.is_ok(), "it reads");
        db.execute_raw("INSERT INTO leases (name, holder, lease_until) VALUES ('a', 'b', 1)").await.expect_err("it may not write");
        db.close().await;
        let db = database.connect().await;
        assert_eq!(db.broken_rules().await.expect("readable"), Vec::<&str>::new());
        db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_the_only_trouble_with_the_database() {
    let (world, mut settings) = world(Backend::Sqlite).await;
    settings.insert("DATABASE_URL", "postgres://topup:hunter2@127.0.0.1:9/topup".to_owned());
    let report = doctor(&settings).await;
    report.says("database.reachable", "failed", "the PostgreSQL server at 127.0.0.1:9", "start the server");
    for id in ["database.migrations", "database.durability", "events.last", "reconciliation.last", "webhook.secret"] {
        assert!(report.all(id).is_empty(), "{id}");
    }
    report.ok("webhook.endpoint");
    assert!(!format!("{:?}", report.findings).contains("hunter2"));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_database_is_named() {
    let (world, mut settings) = world(Backend::Sqlite).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("topup.db");
    std::fs::write(&file, "not a database, but long enough to look at: ".repeat(100)).expect("written");
    settings.insert("DATABASE_URL", format!("sqlite://{}", file.display()));
    doctor(&settings).await.says("database.reachable", "failed", "is not a SQLite database", "DATABASE_URL");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_do_not_wait_for_the_disk_are_found() {
    let (world, settings) = world(Backend::Postgres).await;
    // The server of the tests does not wait for its disk.
    doctor(&settings).await.says("database.durability", "failed", "off: fsync. ", "switch on fsync at the server");
    let mut other = PgConnection::connect(&world.database.url).await.expect("connects");
    let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut other).await.expect("a name");
    let alter = format!("ALTER DATABASE \"{name}\" SET synchronous_commit = off");
    other.execute(sqlx::raw_sql(AssertSqlSafe(alter))).await.expect("done");
    other.close().await.expect("closes");
    let (detail, way_out) = ("off: fsync, synchronous_commit. ", "switch on fsync, synchronous_commit at the server");
    doctor(&settings).await.says("database.durability", "failed", detail, way_out);
    world.finish().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_in_memory_is_lost_with_the_machine() {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    let url = format!("sqlite://{}", folder.path().join("topup.db").display());
    let db = Db::connect(&url, true).await.expect("connects");
    db.migrate_and_close().await.expect("migrates");
    let (world, mut settings) = world(Backend::Sqlite).await;
    settings.insert("DATABASE_URL", url);
    doctor(&settings).await.says("database.durability", "warning", "lies in memory", "move the file to a disk");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_in_between_is_named_unless_it_is_declared() {
    let app = TestApp::start_with(Backend::Postgres, Options { pooler: true, ..Options::default() }).await;
    let url = app.pooler_url.clone().expect("a pooler");
    let settings = crate::support::app::settings(&url, &app.stripe.url, &[]);
    doctor(&settings).await.says("database.pooler", "warning", "a pooler is in between", "pgbouncer=true");
    let declared = crate::support::app::settings(&format!("{url}&pgbouncer=true"), &app.stripe.url, &[]);
    doctor(&declared).await.ok("database.pooler");
    let direct = crate::support::app::settings(&app.database.url, &app.stripe.url, &[]);
    doctor(&direct).await.says("database.pooler", "ok", "there is none", "");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_differs_from_the_servers_is_found() {
    let (world, mut settings) = world(Backend::Postgres).await;
    doctor(&settings).await.ok("database.clock");
    for (offset_ms, state, direction) in [("60000", "warning", "ahead of"), ("-600000", "failed", "behind")] {
        settings.insert("TOPUP_CLOCK_OFFSET_MS", offset_ms.to_owned());
        let report = doctor(&settings).await;
        report.says("database.clock", state, direction, "set both clocks");
        report.says("stripe.clock", state, direction, "set this machine's clock");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_nearly_full_is_found() {
    let (world, settings) = world(Backend::Sqlite).await;
    let source: Source = settings.into_iter().collect();
    let space = async |least_free_bytes: u64, low_free_bytes: u64| {
        let limits = Limits { least_free_bytes, low_free_bytes, check: Duration::from_secs(30) };
        let surroundings = Surroundings { source: &source, clock: &SystemClock, key_sets: &FetchedKeySets, limits };
        let findings = examine(&surroundings).await;
        findings.into_iter().find(|finding| finding.id == "database.space").expect("a finding")
    };
    assert_eq!(space(0, 0).await.state, FindingState::Ok);
    for (least, low, state) in [(u64::MAX, u64::MAX, FindingState::Failed), (0, u64::MAX, FindingState::Warning)] {
        let finding = space(least, low).await;
        assert_eq!(finding.state, state, "{finding:?}");
        assert!(finding.detail.contains("MiB are left"), "{finding:?}");
        assert!(finding.way_out.is_some_and(|way_out| way_out.contains("make room")));
    }
    world.finish().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_others_can_read_is_found() {
    use std::os::unix::fs::PermissionsExt;
    let (world, settings) = world(Backend::Sqlite).await;
    doctor(&settings).await.ok("database.privacy");
    let file = world.database.url.trim_start_matches("sqlite://").to_owned();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("set");
    doctor(&settings).await.says("database.privacy", "warning", "other users of this machine", "chmod 600");
    world.finish().await;
}
