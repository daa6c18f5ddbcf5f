//! Backups of a SQLite database, and what happens when one is restored the right way and the wrong way.

use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::support::Backend;
use crate::support::process::run;
use crate::support::serve::World;
use crate::support::until;

fn file_of(url: &str) -> PathBuf {
    url.strip_prefix("sqlite://").expect("a file").into()
}

fn beside(file: &Path, end: &str) -> PathBuf {
    format!("{}{end}", file.display()).into()
}

async fn buy(world: &World, key: &str, credits: i64) {
    let (status, body) = world.try_checkout("user_1", key).await.expect("an answer");
    assert_eq!(status, 200, "{body}");
    world.stripe.pay(body["id"].as_str().expect("an id"), "pm_card_visa").await;
    until("the credits", async || (world.credits("user_1").await == Some(credits)).then_some(())).await;
}

/// Whether only its owner can read it.
fn is_private(file: &Path) -> bool {
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).expect("there").permissions());
    mode.is_multiple_of(0o100)
}

/// Overwrites the beginning of a page of an index, which nothing reads when the file is opened.
fn damage_an_index(content: &mut [u8]) {
    let index = content.chunks_mut(4096).rfind(|page| page[0] == 0x0a).expect("an index");
    index[..64].fill(0xff);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_running_service_is_put_back_whole_and_nothing_of_the_old_log_with_it() {
    let world = World::new(Backend::Sqlite).await;
    let file = file_of(&world.database.url);
    let copy = beside(&file, ".backup");
    let copy_name = copy.to_str().expect("text");
    let mut process = world.serve(None).await;
    buy(&world, "one", 250).await;
    assert!(["", "-wal", "-shm"].iter().all(|end| is_private(&beside(&file, end))), "the files are readable");
    let (well, said, errors) = run(&world.settings(), &["db", "backup", copy_name]);
    assert!(well, "{said}{errors}");
    assert!(is_private(&copy) && !beside(&copy, ".unfinished").exists());
    let (well, _, errors) = run(&world.settings(), &["db", "backup", copy_name]);
    assert!(!well && errors.contains("exists already"), "{errors}");
    buy(&world, "two", 500).await;
    let (well, _, errors) = run(&world.settings(), &["db", "restore", copy_name]);
    assert!(!well && errors.contains("stop `topup serve` first"), "{errors}");
    assert_eq!(world.credits("user_1").await, Some(500));
    process.kill();
    let (well, said, errors) = run(&world.settings(), &["db", "restore", copy_name]);
    assert!(well, "{said}{errors}");
    assert!(!beside(&file, "-wal").exists() && is_private(&file));
    let kept = said.lines().find_map(|line| line.strip_prefix("The database from before is ")).expect("its name");
    let kept = PathBuf::from(kept.trim_end_matches('.'));
    assert!(kept.exists() && beside(&kept, "-wal").exists());
    let process = world.serve(None).await;
    assert_eq!(world.credits("user_1").await, Some(250));
    process.terminate();
    assert!(process.ended().await.0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_put_beside_the_log_of_another_is_refused_with_the_way_out() {
    let world = World::new(Backend::Sqlite).await;
    let file = file_of(&world.database.url);
    let copy = beside(&file, ".backup");
    std::fs::copy(&file, &copy).expect("copied");
    let mut process = world.serve(None).await;
    buy(&world, "one", 250).await;
    process.kill();
    let whole = beside(&file, ".whole");
    std::fs::rename(&file, &whole).expect("moved");
    std::fs::copy(&copy, &file).expect("copied");
    let other = beside(&file, ".other");
    let backup = ["db", "backup", other.to_str().expect("text")];
    for command in [&backup[..], &["serve"], &["migrate"]] {
        let (well, _, errors) = run(&world.settings(), command);
        assert!(!well && errors.contains("topup db restore"), "{command:?}: {errors}");
    }
    assert!(!other.exists() && !beside(&other, ".unfinished").exists());
    // The database and its log belong together; moving them and back is no reason to refuse them.
    std::fs::rename(&whole, &file).expect("moved back");
    std::fs::OpenOptions::new()
        .append(true)
        .open(beside(&file, "-wal"))
        .and_then(|log| log.set_modified(std::time::SystemTime::UNIX_EPOCH))
        .expect("touched");
    let process = world.serve(None).await;
    assert_eq!(world.credits("user_1").await, Some(250));
    process.terminate();
    assert!(process.ended().await.0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_opened_or_restored_is_named_with_its_path_and_cause() {
    let world = World::new(Backend::Sqlite).await;
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("text"), "this is no database".repeat(500)).expect("written");
    for (name, reason) in [
        ("none/topup.db", "there is no folder"),
        ("", "it is a folder"),
        ("topup.db", "there is no such file"),
        ("text", "it is not a SQLite database"),
    ] {
        let mut settings = world.settings();
        settings.insert("DATABASE_URL", format!("sqlite://{}", at(name).display()));
        let (well, _, errors) = run(&settings, &["serve"]);
        assert!(!well && errors.contains(reason) && errors.contains(folder.path().to_str().expect("text")), "{errors}");
    }
    let (well, _, errors) = run(&world.settings(), &["db", "restore", at("text").to_str().expect("text")]);
    assert!(!well && errors.contains("cannot use"), "{errors}");
    let mut settings = world.settings();
    settings.insert("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none".to_owned());
    let (well, _, errors) = run(&settings, &["serve"]);
    assert!(!well && errors.contains("the PostgreSQL server at 127.0.0.1:1") && errors.contains("refused"), "{errors}");
    let (well, _, errors) = run(&settings, &["db", "backup", "x"]);
    assert!(!well && errors.contains("pg_dump"), "{errors}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_refused_at_the_start() {
    let world = World::new(Backend::Sqlite).await;
    let file = file_of(&world.database.url);
    let content = std::fs::read(&file).expect("readable");
    let mut damaged = content.clone();
    damage_an_index(&mut damaged);
    std::fs::write(&file, &damaged).expect("written");
    for command in ["serve", "migrate"] {
        let (well, _, errors) = run(&world.settings(), &[command]);
        assert!(!well && errors.contains("the database is damaged"), "{command}: {errors}");
    }
    std::fs::write(&file, &content).expect("written");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_whole_backup_of_this_version_is_not_put_back() {
    let world = World::new(Backend::Sqlite).await;
    let file = file_of(&world.database.url);
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let backup = at("backup");
    assert!(run(&world.settings(), &["db", "backup", backup.to_str().expect("text")]).0);
    let content = std::fs::read(&backup).expect("readable");
    let mut damaged = content.clone();
    damage_an_index(&mut damaged);
    std::fs::write(at("damaged"), damaged).expect("written");
    std::fs::write(at("half"), &content).expect("written");
    std::fs::write(at("half-wal"), "the rest").expect("written");
    for (name, sql) in [
        ("foreign", "CREATE TABLE things (id INTEGER)"),
        (
            "newer",
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
            VALUES (9999, 'later', 1, x'00', 0)",
        ),
        ("older", "DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)"),
    ] {
        if name != "foreign" {
            std::fs::write(at(name), &content).expect("written");
        }
        let options = SqliteConnectOptions::new().filename(at(name)).create_if_missing(true);
        let mut database = options.connect().await.expect("connects");
        sqlx::raw_sql(sql).execute(&mut database).await.expect("done");
        database.close().await.expect("closes");
    }
    let before = std::fs::read(&file).expect("readable");
    for (name, reason) in [
        ("damaged", "is damaged"),
        ("half", "has a log beside it"),
        ("foreign", "is not a database of topup"),
        ("newer", "was made by a newer version"),
    ] {
        let (well, _, errors) = run(&world.settings(), &["db", "restore", at(name).to_str().expect("text")]);
        assert!(!well && errors.contains(reason), "{name}: {errors}");
        assert!(std::fs::read(&file).expect("readable") == before && !beside(&file, ".restoring").exists(), "{name}");
    }
    let (well, said, errors) = run(&world.settings(), &["db", "restore", at("older").to_str().expect("text")]);
    assert!(well && said.contains("run `topup migrate`"), "{said}{errors}");
    assert!(run(&world.settings(), &["db", "restore", backup.to_str().expect("text")]).0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_commands_with_the_same_file_one_is_refused_and_leftovers_of_a_death_are_not_in_the_way() {
    let world = World::new(Backend::Sqlite).await;
    let file = file_of(&world.database.url);
    let copy = beside(&file, ".backup");
    let copy_name = copy.to_str().expect("text");
    // What a process leaves behind when it dies in the middle.
    std::fs::write(beside(&copy, ".unfinished"), "half").expect("written");
    std::fs::write(beside(&file, ".restoring"), "half").expect("written");
    let locked = |path: &Path| {
        let file = std::fs::File::open(path).expect("there");
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).expect("locked");
        file
    };
    let held = locked(&beside(&copy, ".unfinished"));
    let (well, _, errors) = run(&world.settings(), &["db", "backup", copy_name]);
    assert!(!well && errors.contains("is at work") && !copy.exists(), "{errors}");
    assert_eq!(std::fs::read(beside(&copy, ".unfinished")).expect("there"), b"half");
    drop(held);
    assert!(run(&world.settings(), &["db", "backup", copy_name]).0 && !beside(&copy, ".unfinished").exists());
    let held = locked(&beside(&file, ".restoring"));
    let (well, _, errors) = run(&world.settings(), &["db", "restore", copy_name]);
    assert!(!well && errors.contains("is at work") && file.exists(), "{errors}");
    drop(held);
    assert!(run(&world.settings(), &["db", "restore", copy_name]).0 && !beside(&file, ".restoring").exists());
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_keeps_the_log_of_a_database_that_was_moved_aside_and_undoes_what_cannot_be_finished() {
    let world = World::new(Backend::Sqlite).await;
    let file = file_of(&world.database.url);
    let copy = beside(&file, ".backup");
    let copy_name = copy.to_str().expect("text");
    assert!(run(&world.settings(), &["db", "backup", copy_name]).0);
    let mut process = world.serve(None).await;
    buy(&world, "one", 250).await;
    process.kill();
    // A folder in its place cannot be removed like a file.
    std::fs::remove_file(beside(&file, "-shm")).expect("removed");
    std::fs::create_dir_all(beside(&file, "-shm").join("x")).expect("made");
    let (database, log) = (std::fs::read(&file).expect("there"), std::fs::read(beside(&file, "-wal")).expect("there"));
    let (well, _, errors) = run(&world.settings(), &["db", "restore", copy_name]);
    assert!(!well && errors.contains("-shm"), "{errors}");
    assert_eq!(std::fs::read(&file).expect("there"), database);
    assert_eq!(std::fs::read(beside(&file, "-wal")).expect("there"), log);
    std::fs::remove_dir_all(beside(&file, "-shm")).expect("removed");

    std::fs::rename(&file, beside(&file, ".bad")).expect("moved");
    let (well, said, errors) = run(&world.settings(), &["db", "restore", copy_name]);
    assert!(well, "{said}{errors}");
    let kept = said.lines().find_map(|line| line.strip_prefix("The database from before is ")).expect("its name");
    assert_eq!(std::fs::read(beside(Path::new(kept.trim_end_matches('.')), "-wal")).expect("kept"), log);
    assert!(!beside(&file, "-wal").exists());
    world.finish().await;
}
