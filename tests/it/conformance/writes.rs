//! The contract of `Db::write`: all or nothing, and repeated if the database requires it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt;
use tokio::sync::Notify;
use topup::db::{Db, StoreError, Tx};
use topup::domain::ids::TopupId;
use topup::purchases::topups;

use crate::on_both_databases;
use crate::support::books::{Books, new_topup};
use crate::support::{Backend as Databases, closure};

/// Writes the first top-up, then ends as `end` says. Returns the outcome and the number of runs.
async fn write_then(
    db: &Db,
    end: impl Fn(u32) -> Result<(), StoreError> + Copy + Send + Sync + 'static,
) -> (Result<(), StoreError>, u32) {
    let runs = Arc::new(AtomicU32::new(0));
    let counter = runs.clone();
    let outcome = db
        .write(closure(move |tx| {
            let run = counter.fetch_add(1, Ordering::SeqCst) + 1;
            async move {
                topups::insert(tx, &new_topup(1)).await?;
                end(run)
            }
            .boxed()
        }))
        .await;
    (outcome, runs.load(Ordering::SeqCst))
}

async fn is_there(db: &Db) -> bool {
    db.topup(&TopupId::from_bits(1)).await.expect("readable").is_some()
}

async fn count(tx: &mut Tx) -> Result<(), StoreError> {
    topups::insert(tx, &new_topup(1)).await
}

on_both_databases! {
    async fn a_write_that_succeeds_runs_once_and_is_there(backend: Backend) {
        let books = Books::open(backend).await;
        let (outcome, runs) = write_then(&books.db, |_| Ok(())).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!((runs, is_there(&books.db).await), (1, true));
        books.finish().await;
    }

    async fn a_closure_that_fails_rolls_everything_back_and_is_not_run_again(backend: Backend) {
        let books = Books::open(backend).await;
        let (outcome, runs) = write_then(&books.db, |_| Err(StoreError::Corrupt("on purpose".to_owned()))).await;
        assert!(matches!(outcome, Err(StoreError::Corrupt(_))), "{outcome:?}");
        assert_eq!((runs, is_there(&books.db).await), (1, false));
        books.finish().await;
    }

    async fn a_statement_that_is_refused_rolls_back_what_came_before_it(backend: Backend) {
        let books = Books::open(backend).await;
        let outcome = books
            .db
            .write(closure(|tx| {
                async move {
                    count(tx).await?;
                    count(tx).await
                }
                .boxed()
            }))
            .await;
        assert!(matches!(outcome, Err(StoreError::Database(_))), "{outcome:?}");
        assert!(!is_there(&books.db).await);
        books.finish().await;
    }

    async fn a_closure_that_was_overtaken_runs_again_from_the_beginning(backend: Backend) {
        let books = Books::open(backend).await;
        // The third run would fail if anything of the first two remained.
        let (outcome, runs) =
            write_then(&books.db, |run| if run < 3 { Err(StoreError::Overtaken) } else { Ok(()) }).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!((runs, is_there(&books.db).await), (3, true));
        books.finish().await;
    }

    async fn a_closure_that_is_overtaken_for_ever_gives_up(backend: Backend) {
        let books = Books::open(backend).await;
        let (outcome, runs) = write_then(&books.db, |_| Err(StoreError::Overtaken)).await;
        assert!(matches!(outcome, Err(StoreError::Overtaken)), "{outcome:?}");
        assert!((2..=20).contains(&runs), "{runs}");
        assert!(!is_there(&books.db).await);
        books.finish().await;
    }

    async fn a_closure_that_panics_leaves_nothing_and_blocks_nobody(backend: Backend) {
        let books = Arc::new(Books::open(backend).await);
        let other = books.clone();
        let write = async move { write_then(&other.db, |_| panic!("on purpose")).await.0 };
        let outcome = tokio::spawn(write).await.expect("the caller does not panic");
        assert!(matches!(outcome, Err(StoreError::Panicked)), "{outcome:?}");
        assert!(!is_there(&books.db).await);
        assert!(write_then(&books.db, |_| Ok(())).await.0.is_ok());
        Arc::into_inner(books).expect("the task has ended").finish().await;
    }

    async fn a_write_that_nobody_waits_for_any_more_leaves_nothing_and_blocks_nobody(backend: Backend) {
        let books = Arc::new(Books::open(backend).await);
        let (other, reached) = (books.clone(), Arc::new(Notify::new()));
        let told = reached.clone();
        let write = tokio::spawn(async move {
            let write = other.db.write(closure(move |tx| {
                let told = told.clone();
                async move {
                    count(tx).await?;
                    told.notify_one();
                    std::future::pending::<Result<(), StoreError>>().await
                }
                .boxed()
            }));
            write.await
        });
        reached.notified().await;
        write.abort();
        assert!(write.await.is_err_and(|error| error.is_cancelled()));
        assert!(!is_there(&books.db).await);
        assert!(write_then(&books.db, |_| Ok(())).await.0.is_ok());
        Arc::into_inner(books).expect("the task has ended").finish().await;
    }
}

/// PostgreSQL reports a conflict between two writes. A sequence counts the runs, because it is never rolled back.
#[tokio::test]
async fn a_serialization_failure_and_a_deadlock_are_run_again_on_postgres() {
    for (sql, code) in [
        (
            "CREATE SEQUENCE tries; CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
          IF nextval('tries') < 3 THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF; RETURN NEW; END $$; \
          CREATE TRIGGER fail BEFORE INSERT ON topups FOR EACH ROW EXECUTE FUNCTION fail()",
            "40001",
        ),
        (
            "CREATE SEQUENCE tries; CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
          IF nextval('tries') < 3 THEN RAISE EXCEPTION USING ERRCODE = '40P01'; END IF; RETURN NEW; END $$; \
          CREATE TRIGGER fail BEFORE INSERT ON topups FOR EACH ROW EXECUTE FUNCTION fail()",
            "40P01",
        ),
    ] {
        let books = Books::open(Databases::Postgres).await;
        books.db.execute_raw(sql).await.expect("done");
        let (outcome, runs) = write_then(&books.db, |_| Ok(())).await;
        assert!(outcome.is_ok(), "{code}: {outcome:?}");
        assert_eq!((runs, is_there(&books.db).await), (3, true), "{code}");
        books.finish().await;
    }
}

#[tokio::test]
async fn a_refusal_that_is_no_conflict_is_not_run_again_on_postgres() {
    let books = Books::open(Databases::Postgres).await;
    let sql = "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; \
        CREATE TRIGGER fail BEFORE INSERT ON topups FOR EACH ROW EXECUTE FUNCTION fail()";
    books.db.execute_raw(sql).await.expect("done");
    let (outcome, runs) = write_then(&books.db, |_| Ok(())).await;
    assert!(matches!(outcome, Err(StoreError::Database(_))), "{outcome:?}");
    assert_eq!(runs, 1);
    books.finish().await;
}
