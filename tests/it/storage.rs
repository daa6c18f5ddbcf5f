//! Failures of the disk and the database server: full, read-only, removed, replaced, disconnected, damaged. Nothing is
//! acknowledged that a restart would lose, `ready` reports the failure, and a temporary failure needs no restart.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use topup::db::Db;

use crate::support::app::http_client;
use crate::support::process::{Process, topup};
use crate::support::serve::World;
use crate::support::{Backend, TestApp, until};

fn file_of(url: &str) -> PathBuf {
    url.strip_prefix("sqlite://").expect("a file").into()
}

fn beside(file: &Path, end: &str) -> PathBuf {
    format!("{}{end}", file.display()).into()
}

async fn ready(url: &str) -> u16 {
    let answer = http_client().get(format!("{url}/health/ready")).send().await.expect("answers");
    answer.status().as_u16()
}

/// Starts `topup serve` so that exceeding the file size limit is an error and does not kill it.
async fn serve_with_small_files_allowed(world: &World) -> Process {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" serve"]).arg(topup(&world.settings()).get_program());
    command.env_clear().envs(world.settings()).current_dir(std::env::temp_dir());
    let mut process = Process::start(command);
    process.error_line("\"serving\"").await;
    process
}

/// Limits the size of files that the process may write, like a full disk.
fn limit_files(process: &Process, bytes: &str) {
    let limit = ["--pid", &process.id().to_string(), &format!("--fsize={bytes}:unlimited")].map(str::to_owned);
    let done =
        Command::new("prlimit").args(limit).status().expect("prlimit is not installed: apt-get install util-linux");
    assert!(done.success(), "the limit of the process cannot be changed");
}

async fn buy(world: &World, key: &str) -> String {
    let (status, body) = world.try_checkout("user_1", key).await.expect("an answer");
    assert_eq!(status, 200, "{body}");
    body["id"].as_str().expect("an id").to_owned()
}

/// Known mistake 28.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_writes_only_as_long_as_it_is_full() {
    let world = World::new(Backend::Sqlite).await;
    let process = serve_with_small_files_allowed(&world).await;
    let (first, second) = (buy(&world, "one").await, buy(&world, "two").await);
    world.stripe.pay(&first, "pm_card_visa").await;
    until("the first credits", async || (world.credits("user_1").await == Some(250)).then_some(())).await;
    assert_eq!(ready(&world.url()).await, 200);
    limit_files(&process, "1");
    let (status, body) = world.try_checkout("user_1", "three").await.expect("an answer");
    assert!(status >= 500, "{body}");
    assert_eq!(ready(&world.url()).await, 503);
    world.stripe.pay(&second, "pm_card_visa").await;
    assert_eq!(ready(&world.url()).await, 503);
    assert_eq!(world.credits("user_1").await, Some(250));
    limit_files(&process, "unlimited");
    until("it is ready", async || (ready(&world.url()).await == 200).then_some(())).await;
    until("the second credits", async || (world.credits("user_1").await == Some(500)).then_some(())).await;
    buy(&world, "three").await;
    process.terminate();
    assert!(process.ended().await.0);
    world.finish().await;
}

/// Known mistake 28. SQLite ends the transaction by itself here, which the driver does not notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_sqlite_ended_leaves_no_connection_behind() {
    let app = TestApp::start(Backend::Sqlite).await;
    let (_, event) = app.pay_session("user_1", 250).await;
    for _ in 0..3 {
        app.app.db.execute_raw("PRAGMA max_page_count = 1").await.expect("done");
        app.app.db.execute_raw("CREATE TABLE filler AS SELECT zeroblob(9000000) AS zeros").await.unwrap_err();
        let mut refused = 0;
        until("a checkout", async || {
            let answer = app.checkout("user_1", 250).await;
            refused += i32::from(answer.status != 200);
            (answer.status == 200).then_some(())
        })
        .await;
        assert!(refused < 3, "the connection was kept");
    }
    app.deliver(&event).await.expect(200);
    assert_eq!(app.credits("user_1").await, 250);
    app.finish().await;
}

/// Known mistake 28.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_on_a_read_only_server_are_left_when_it_takes_writes_again() {
    let app = TestApp::start(Backend::Postgres).await;
    let (_, event) = app.pay_session("user_1", 250).await;
    let (_, late) = app.pay_session("user_2", 250).await;
    let mut other = PgConnection::connect(&app.database.url).await.expect("connects");
    let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut other).await.expect("a name");
    let alter = async |other: &mut PgConnection, what: &str| {
        let sql = format!("ALTER DATABASE {name} {what}");
        other.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.expect("altered");
    };
    let hang_up = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    alter(&mut other, "SET default_transaction_read_only = on").await;
    other.execute(hang_up).await.expect("hung up");
    until("all sessions are read-only", async || {
        let answer = app.deliver(&event).await;
        assert!(answer.status >= 500, "{}", answer.body);
        (ready(&app.url).await == 503).then_some(())
    })
    .await;
    for _ in 0..20 {
        app.deliver(&event).await.expect(503);
    }
    // As a promoted server does: new sessions are writable, existing ones stay read-only.
    alter(&mut other, "SET default_transaction_read_only = off").await;
    until("it is ready", async || (ready(&app.url).await == 200).then_some(())).await;
    app.deliver(&late).await.expect(200);
    app.deliver(&event).await.expect(200);
    app.checkout("user_1", 250).await.expect(200);
    assert_eq!((app.credits("user_1").await, app.credits("user_2").await), (250, 250));
    other.close().await.expect("closes");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_removed_or_replaced_takes_no_writes_until_it_is_back() {
    let app = TestApp::start(Backend::Sqlite).await;
    let (_, event) = app.pay_session("user_1", 250).await;
    let file = file_of(&app.database.url);
    let away = beside(&file, ".away");
    std::fs::rename(&file, &away).expect("moved");
    for replaced in [false, true] {
        if replaced {
            std::fs::copy(&away, &file).expect("copied");
        }
        app.deliver(&event).await.expect(503);
        app.checkout("user_1", 250).await.expect(503);
        assert_eq!(ready(&app.url).await, 503, "replaced: {replaced}");
    }
    std::fs::rename(&away, &file).expect("moved back");
    until("it is ready", async || (ready(&app.url).await == 200).then_some(())).await;
    app.deliver(&event).await.expect(200);
    assert_eq!(app.credits("user_1").await, 250);
    app.finish().await;
}

/// The credits that a fresh connection reads from the file, as after a restart.
async fn credits_in_the_file(file: &Path) -> i64 {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("copy.db");
    std::fs::copy(file, &copy).expect("copied");
    std::fs::copy(beside(file, "-wal"), beside(&copy, "-wal")).ok();
    let mut other = SqliteConnection::connect(&format!("sqlite://{}", copy.display())).await.expect("opens");
    let sum = sqlx::query_scalar("SELECT COALESCE(SUM(balance), 0) FROM accounts").fetch_one(&mut other).await;
    sum.expect("readable")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_after_the_log_was_removed_replaced_or_emptied_is_in_the_file() {
    type Harm = fn(&Path);
    let harms: [(&str, Harm); 3] = [
        ("removed", |log| std::fs::remove_file(log).expect("removed")),
        ("replaced", |log| {
            std::fs::rename(log, beside(log, ".away")).expect("moved");
            std::fs::write(log, "").expect("written");
        }),
        ("emptied", |log| std::fs::File::create(log).map(drop).expect("emptied")),
    ];
    let app = TestApp::start(Backend::Sqlite).await;
    let file = file_of(&app.database.url);
    for (number, (what, harm)) in harms.into_iter().enumerate() {
        let account = format!("user_{number}");
        let (_, event) = app.pay_session(&account, 250).await;
        let mut other = SqliteConnection::connect(&app.database.url).await.expect("connects");
        // So that truncating the log loses nothing that the next purchase needs.
        other.execute("PRAGMA wal_checkpoint(PASSIVE)").await.expect("done");
        other.close().await.expect("closes");
        harm(&beside(&file, "-wal"));
        assert_eq!(ready(&app.url).await, 503, "{what}");
        until("it is acknowledged", async || (app.deliver(&event).await.status == 200).then_some(())).await;
        assert_eq!(app.credits(&account).await, 250, "{what}");
        assert_eq!(credits_in_the_file(&file).await, 250 * (i64::try_from(number).expect("few") + 1), "{what}");
        until("it is ready", async || (ready(&app.url).await == 200).then_some(())).await;
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_whose_end_was_cut_off_takes_no_more_writes() {
    let app = TestApp::start(Backend::Sqlite).await;
    let (_, event) = app.pay_session("user_1", 250).await;
    let log = beside(&file_of(&app.database.url), "-wal");
    let whole = std::fs::read(&log).expect("readable");
    let file = std::fs::OpenOptions::new().write(true).open(&log).expect("opens");
    file.set_len(u64::try_from(whole.len()).expect("small") / 2).expect("cut");
    assert_eq!(ready(&app.url).await, 503);
    app.deliver(&event).await.expect(503);
    assert_eq!(ready(&app.url).await, 503);
    std::fs::write(&log, &whole).expect("written");
    until("it is ready", async || (ready(&app.url).await == 200).then_some(())).await;
    app.deliver(&event).await.expect(200);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_page_stops_all_writes() {
    let app = TestApp::start(Backend::Sqlite).await;
    let (_, event) = app.pay_session("user_1", 250).await;
    let (_, other) = app.pay_session("user_2", 250).await;
    app.deliver(&event).await.expect(200);
    let file = file_of(&app.database.url);
    let mut sqlite = SqliteConnection::connect(&app.database.url).await.expect("connects");
    sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.expect("done");
    let page: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'topups'")
        .fetch_one(&mut sqlite)
        .await
        .expect("a page");
    sqlite.close().await.expect("closes");
    let copy = std::fs::read(&file).expect("readable");
    let mut harmed = std::fs::OpenOptions::new().write(true).open(&file).expect("opens");
    harmed.seek(SeekFrom::Start(u64::try_from(page - 1).expect("a page") * 4096)).expect("is there");
    harmed.write_all(&[0xff; 4096]).expect("written");
    until("it is noticed", async || {
        app.get_as("user_1", "/credits").await;
        app.deliver(&other).await;
        (ready(&app.url).await == 503).then_some(())
    })
    .await;
    app.deliver(&other).await.expect(503);
    std::fs::write(&file, copy).expect("written");
    assert_eq!(ready(&app.url).await, 503, "only a start looks at all of it again");
    drop(harmed);
    let db = Db::connect(&app.database.url, false).await.expect("connects");
    assert_eq!(db.broken_rules().await.expect("readable"), Vec::<&str>::new());
    db.close().await;
    app.finish().await;
}
