//! The SQL statements and the migrations: the same on both databases.

use std::path::Path;

use topup::books::instance::MigrationState;
use topup::catalogue::all_statements;
use topup::db::Db;

use crate::on_both_databases;
use crate::support::books::Books;
use crate::support::database::TestDatabase;

fn migrations(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the migrations")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

#[test]
fn migrations_have_the_same_numbers_and_names_on_both_sides() {
    let names = migrations("sqlite");
    assert!(!names.is_empty() && names.iter().all(|name| name.contains('_')), "{names:?}");
    assert_eq!(names, migrations("postgres"));
}

on_both_databases! {
    async fn every_statement_prepares_on_both(backend: Backend) {
        let books = Books::open(backend).await;
        let mut count = 0;
        for statement in all_statements() {
            let prepared = books.db.prepare(statement).await;
            assert!(prepared.is_ok(), "{}: {prepared:?}", statement.sql());
            count += 1;
        }
        assert!(count > 25, "the list of statements is not all of them: {count}");
        books.finish().await;
    }

    async fn a_database_is_migrated_when_it_has_exactly_our_migrations(backend: Backend) {
        let database = TestDatabase::empty(backend).await;
        let db = Db::connect(&database.url, true).await.expect("connects");
        assert_eq!(db.migration_state().await.expect("readable"), MigrationState::Behind, "an empty database");
        db.migrate().await.expect("migrates");
        assert_eq!(db.migration_state().await.expect("readable"), MigrationState::Current, "a migrated database");
        db.migrate().await.expect("migrating again changes nothing");
        assert_eq!(db.migration_state().await.expect("readable"), MigrationState::Current, "migrated twice");
        assert_eq!(db.known_migrations().len(), migrations("sqlite").len());
        db.execute_raw(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
            SELECT 999999, description, success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1",
        )
        .await
        .expect("done");
        assert_eq!(db.migration_state().await.expect("readable"), MigrationState::Ahead, "a newer version's database");
        db.migrate().await.expect_err("an older version must not touch it");
        db.execute_raw("DELETE FROM _sqlx_migrations WHERE version = 999999").await.expect("done");
        assert_eq!(db.migration_state().await.expect("readable"), MigrationState::Current);
        db.execute_raw("UPDATE _sqlx_migrations SET success = FALSE WHERE version = 1").await.expect("done");
        assert_eq!(db.migration_state().await.expect("readable"), MigrationState::Behind, "failed half-way");
        db.close().await;
    }
}
