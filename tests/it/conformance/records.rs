//! Everything around the books: idempotency keys, API keys, failed deliveries, the purpose of a database, pagination.

use futures_util::FutureExt;
use futures_util::future::join_all;
use topup::access::key_rows::{self, ApiKeyRow};
use topup::books::instance::{self, Instance};
use topup::db::{Db, StoreError};
use topup::domain::attempt::Attempt;
use topup::domain::checkout::{PurchaseProgress, TopupState};
use topup::domain::ids::TopupId;
use topup::inbox::failed_events::{self, FailureCursor, FailureFilter, FailureKind, FailureRecord};
use topup::providers::stripe::name::NAME as STRIPE;
use topup::purchases::checkout::topup_attempts;
use topup::purchases::idempotency::{self, IdempotencyKey, KeyState, StoredAnswer};
use topup::purchases::topups;

use crate::on_both_databases;
use crate::support::books::{Books, NOW_MS, account_id, new_topup, news, topup_of};
use crate::support::closure;

/// Runs store functions in one transaction.
macro_rules! in_a_write {
    ($db:expr, |$tx:ident| $body:expr) => {
        $db.write(closure(move |$tx| async move { $body.await }.boxed())).await
    };
}

fn key(scope: &str, name: &str, hash: &str) -> IdempotencyKey {
    IdempotencyKey { scope: scope.to_owned(), key: name.to_owned(), request_hash: hash.to_owned() }
}

/// Claims `key` in the scope `one` for a top-up, with a lease of one second.
async fn claim(db: &Db, hash: &'static str, topup: u128, now_ms: i64) -> KeyState {
    let claimed = in_a_write!(db, |tx| async {
        idempotency::claim(tx, &key("one", "key", hash), &TopupId::from_bits(topup), now_ms + 1_000, now_ms).await
    });
    claimed.expect("claims")
}

fn failure(event: &str, kind: FailureKind, error: &str, now_ms: i64) -> FailureRecord {
    let event_type = "checkout.session.completed".to_owned();
    let (error, payload) = (error.to_owned(), Some("{}".to_owned()));
    FailureRecord {
        provider: STRIPE,
        event_id: event.to_owned(),
        event_type,
        kind,
        error,
        topup: None,
        payment: None,
        payload,
        now_ms,
    }
}

on_both_databases! {
    async fn an_idempotency_key_is_held_resumed_and_answered(backend: Backend) {
        let books = Books::open(backend).await;
        let db = &books.db;
        for number in 1..=3 {
            books.insert(new_topup(number)).await;
        }
        let first = TopupId::from_bits(1);
        assert!(matches!(claim(db, "a", 1, 0).await, KeyState::Fresh));
        assert!(matches!(claim(db, "a", 2, 999).await, KeyState::Running(_)), "the lease holds");
        assert!(matches!(claim(db, "b", 2, 5_000).await, KeyState::OtherRequest), "also after the lease");
        // The holder crashed: its lease ended at 1000, and the next one holds the key until 2000.
        assert!(matches!(claim(db, "a", 2, 1_000).await, KeyState::Resumed(topup) if topup == first));
        assert!(matches!(claim(db, "a", 3, 1_500).await, KeyState::Running(_)), "the new lease holds");
        in_a_write!(db, |tx| async { idempotency::release(tx, &key("one", "key", "a")).await }).expect("releases");
        assert!(matches!(claim(db, "a", 3, 1_501).await, KeyState::Resumed(topup) if topup == first));
        let answer = StoredAnswer { status: 502, code: Some("provider_refused".to_owned()) };
        let given = answer.clone();
        db.write(closure(move |tx| {
            let given = given.clone();
            async move { idempotency::answer(tx, &key("one", "key", "a"), &given).await }.boxed()
        }))
        .await
        .expect("answers");
        for now_ms in [1_502, 1_000_000] {
            let state = claim(db, "a", 3, now_ms).await;
            assert!(
                matches!(&state, KeyState::Answered(topup, stored) if *topup == first && *stored == answer),
                "{state:?}"
            );
        }
        assert!(matches!(claim(db, "b", 3, 1_000_000).await, KeyState::OtherRequest));
        in_a_write!(db, |tx| async { idempotency::release(tx, &key("one", "key", "a")).await })
            .expect("releases nothing");
        assert!(matches!(claim(db, "a", 3, 1_000_000).await, KeyState::Answered(..)), "an answer is not let go of");
        books.finish().await;
    }

    async fn the_same_key_of_two_scopes_is_two_keys(backend: Backend) {
        let books = Books::open(backend).await;
        books.insert(new_topup(1)).await;
        for (scope, name) in [("one", "key"), ("two", "key"), ("one", "KEY"), ("onek", "ey")] {
            let state = books
                .db
                .write(closure(move |tx| {
                    async move {
                idempotency::claim(tx, &key(scope, name, "a"), &TopupId::from_bits(1), 1_000, 0).await
            }.boxed()
                }))
                .await
                .expect("claims");
            assert!(matches!(state, KeyState::Fresh), "{scope} {name}");
        }
        books.finish().await;
    }

    async fn a_key_claimed_by_many_at_once_is_held_by_one(backend: Backend) {
        // Known mistake 18.
        let books = Books::open(backend).await;
        books.insert(new_topup(1)).await;
        let states = join_all((0..16).map(|_| claim(&books.db, "a", 1, 0))).await;
        assert_eq!(states.iter().filter(|state| matches!(state, KeyState::Fresh)).count(), 1, "{states:?}");
        assert_eq!(states.iter().filter(|state| matches!(state, KeyState::Running(_))).count(), 15, "{states:?}");
        // The lease ends for all of them at the same time: again only one continues.
        let states = join_all((0..16).map(|_| claim(&books.db, "a", 1, 5_000))).await;
        assert_eq!(states.iter().filter(|state| matches!(state, KeyState::Resumed(_))).count(), 1, "{states:?}");
        books.finish().await;
    }

    async fn old_keys_are_forgotten_unless_they_are_held(backend: Backend) {
        let books = Books::open(backend).await;
        let db = &books.db;
        books.insert(new_topup(1)).await;
        assert!(matches!(claim(db, "a", 1, 10_000).await, KeyState::Fresh));
        for (before_ms, now_ms, why) in [(10_000, 20_000, "young"), (10_001, 10_999, "held")] {
            in_a_write!(db, |tx| async { idempotency::forget(tx, &key("one", "key", "a"), before_ms, now_ms).await }).expect("forgets");
            assert!(matches!(claim(db, "b", 1, now_ms).await, KeyState::OtherRequest), "{why}");
        }
        in_a_write!(db, |tx| async { idempotency::forget(tx, &key("one", "key", "a"), 10_001, 11_000).await }).expect("forgets");
        assert!(matches!(claim(db, "b", 1, 11_000).await, KeyState::Fresh));
        books.finish().await;
    }

    async fn a_database_remembers_what_it_was_first_used_for(backend: Backend) {
        // Known mistake 22.
        let books = Books::open(backend).await;
        let test = Instance {
            livemode: false,
            provider: "stripe".to_owned(),
            credit_unit_credits: 10_000,
            credit_display_decimals: 6,
        };
        let live = Instance {
            livemode: true,
            provider: "acme".to_owned(),
            credit_unit_credits: 1,
            credit_display_decimals: 0,
        };
        for wanted in [test.clone(), live, test.clone()] {
            let remembered: Result<Instance, StoreError> = books
                .db
                .write(closure(move |tx| {
                    let wanted = wanted.clone();
                    async move { instance::remember(tx, &wanted, NOW_MS).await }.boxed()
                }))
                .await;
            assert_eq!(remembered.expect("remembers"), test);
        }
        books.finish().await;
    }

    async fn an_api_key_is_found_by_its_hash_until_it_is_revoked(backend: Backend) {
        let books = Books::open(backend).await;
        let db = &books.db;
        let row = |id: &str, account: Option<&str>, created_at| ApiKeyRow {
            id: id.to_owned(),
            name: "backend".to_owned(),
            scopes: "checkout read".to_owned(),
            account_id: account.map(str::to_owned),
            created_at,
            revoked_at: None,
        };
        let (bound, unbound) = (row("key_b", Some("user_1"), 2), row("key_a", None, 1));
        for (row, hash) in [(bound.clone(), "hash_b"), (unbound.clone(), "hash_a")] {
            db.write(closure(move |tx| {
                let row = row.clone();
                async move { key_rows::insert(tx, &row, hash).await }.boxed()
            }))
            .await
            .expect("is written");
        }
        let twin = row("key_c", None, 3);
        let refused = db
            .write(closure(move |tx| {
                let twin = twin.clone();
                async move { key_rows::insert(tx, &twin, "hash_a").await }.boxed()
            }))
            .await;
        assert!(refused.is_err(), "a second key with the same hash");
        assert_eq!(db.api_keys().await.expect("readable"), [unbound.clone(), bound.clone()], "oldest first");
        assert_eq!(db.api_key_by_hash("hash_b").await.expect("readable"), Some(bound));
        assert_eq!(db.api_key_by_hash("HASH_A").await.expect("readable"), None);
        for (id, revoked) in [("key_a", true), ("key_a", false), ("key_none", false)] {
            assert_eq!(in_a_write!(db, |tx| key_rows::revoke(tx, id, 9)).expect("runs"), revoked, "{id}");
        }
        assert_eq!(db.api_key_by_hash("hash_a").await.expect("readable"), None);
        assert_eq!(db.api_keys().await.expect("readable")[0], ApiKeyRow { revoked_at: Some(9), ..unbound });
        books.finish().await;
    }

    async fn failures_of_one_event_are_counted_and_the_last_one_is_told(backend: Backend) {
        use FailureKind::{Permanent, Transient};
        let books = Books::open(backend).await;
        let db = &books.db;
        for (event, kind, error, now_ms) in
            [("evt_1", Transient, "first", 1), ("evt_2", Permanent, "other", 2), ("evt_1", Permanent, "last", 3)]
        {
            in_a_write!(db, |tx| failed_events::record(tx, &failure(event, kind, error, now_ms)))
                .expect("records");
        }
        let page = async |limit| {
            let page = db.failed_events(FailureFilter::default(), &FailureCursor::NEWEST, limit).await;
            page.expect("readable")
        };
        let failed = page(10).await;
        let failed: Vec<_> = failed
            .iter()
            .map(|row| (row.provider_event_id.as_str(), row.kind.as_str(), row.error.as_str(), row.attempts))
            .collect();
        assert_eq!(failed, [("evt_2", "permanent", "other", 1), ("evt_1", "permanent", "last", 2)], "newest first");
        assert_eq!(page(1).await.len(), 1);
        books.finish().await;
    }

    async fn a_failure_is_recorded_whatever_its_text_is(backend: Backend) {
        // PostgreSQL refuses a text with a zero byte; a failed record would make Stripe retry forever.
        let books = Books::open(backend).await;
        let db = &books.db;
        let error = format!("metadata.credits is 2\u{0}5 {}", "x".repeat(100_000));
        db.write(closure(move |tx| {
            let error = error.clone();
            async move { failed_events::record(tx, &failure("evt_1", FailureKind::Permanent, &error, 1)).await }.boxed()
        }))
        .await
        .expect("records");
        let stored = db.failed_event("evt_1").await.expect("readable").expect("a record").event.error;
        assert!(stored.starts_with("metadata.credits is 2") && stored.len() < 10_000, "{} bytes", stored.len());
        books.finish().await;
    }

    async fn an_account_that_never_had_anything_reads_as_zeros(backend: Backend) {
        let books = Books::open(backend).await;
        let balance = books.db.balance(&account_id("nobody")).await.expect("readable");
        assert_eq!((balance.remaining_credits, balance.total_credits, balance.used_credits), (0, 0, 0));
        assert_eq!(balance.updated_at_ms, None);
        assert!(books.db.entries(&account_id("nobody"), i64::MAX, 10).await.expect("readable").is_empty());
        books.finish().await;
    }

    async fn entries_are_read_in_pages_newest_first(backend: Backend) {
        let books = Books::open(backend).await;
        for number in 1..=5 {
            let report = books.opened(number).await;
            books.apply(report).await.expect("applied");
        }
        let other = books.opened_as(topup_of(6, "user_2", 7)).await;
        books.apply(other).await.expect("applied");
        for (below, limit, expected) in [
            (i64::MAX, 2, vec![5, 4]),
            (4, 2, vec![3, 2]),
            (2, 2, vec![1]),
            (1, 2, vec![]),
            (i64::MAX, 100, vec![5, 4, 3, 2, 1]),
        ] {
            let page = books.db.entries(&account_id("user_1"), below, limit).await.expect("readable");
            let sequences: Vec<i64> = page.iter().map(|entry| entry.sequence).collect();
            assert_eq!(sequences, expected, "below {below}");
        }
        books.finish().await;
    }

    async fn stripes_answer_never_undoes_what_an_event_said_before_it(backend: Backend) {
        let books = Books::open(backend).await;
        for (number, progress, state) in [
            (1, PurchaseProgress::Paid, TopupState::Paid),
            (2, PurchaseProgress::Processing, TopupState::Processing),
            // A session that was not stored yet was shown to nobody: that it ended is no news, asking Stripe is.
            (3, PurchaseProgress::Expired, TopupState::Open),
        ] {
            let new = new_topup(number);
            books.insert(new.clone()).await;
            let report = crate::support::books::paid_report(&new);
            books.apply(news(&report, &format!("evt_{number}"), progress)).await.expect("applied");
            let (id, session) = (report.topup.clone(), report.session.clone());
            let stored = books
                .db
                .write(closure(move |tx| {
                    let (id, session) = (id.clone(), session.clone());
                    async move { topups::opened(tx, &id, &session, Some("https://page"), 7, NOW_MS).await }.boxed()
                }))
                .await
                .expect("writes");
            let topup = books.topup(&report.topup).await;
            assert_eq!(
                (stored, topup.state, topup.session, topup.expires_at_ms),
                (true, state, Some(report.session), 7)
            );
        }
        books.finish().await;
    }

    async fn a_purchase_keeps_its_first_session(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        let id = report.topup.clone();
        let stored = books
            .db
            .write(closure(move |tx| {
                let id = id.clone();
                async move {
                    let other = topup::domain::ids::SessionId::parse(STRIPE, "cs_test_other").expect("an id");
                    topups::opened(tx, &id, &other, None, NOW_MS, NOW_MS).await
                }
                .boxed()
            }))
            .await
            .expect("writes");
        assert_eq!((stored, books.topup(&report.topup).await.session), (false, Some(report.session)));
        books.finish().await;
    }

    async fn a_refusal_ends_a_purchase_only_before_it_has_a_session(backend: Backend) {
        let books = Books::open(backend).await;
        books.insert(new_topup(1)).await;
        books.opened(2).await;
        for (number, state) in [(1, TopupState::Failed), (2, TopupState::Open)] {
            in_a_write!(books.db, |tx| async {
                topups::refused(tx, &TopupId::from_bits(number), "provider_refused", NOW_MS).await
            })
            .expect("writes");
            assert_eq!(books.state(&TopupId::from_bits(number)).await, state);
        }
        books.finish().await;
    }

    async fn the_next_key_is_taken_by_the_process_that_has_the_purchase(backend: Backend) {
        let books = Books::open(backend).await;
        books.insert(new_topup(1)).await;
        books.opened(2).await;
        let next = async |number: u128, mark_ms: i64| {
            in_a_write!(books.db, |tx| async {
                let mut request = new_topup(number).request;
                request.expires_at_seconds += 60;
                let next = Attempt::first(NOW_MS).next(NOW_MS + 5);
                topup_attempts::next_key(tx, &TopupId::from_bits(number), mark_ms, &next, &request).await
            })
            .expect("writes")
        };
        assert!(next(1, NOW_MS).await);
        assert!(!next(1, NOW_MS).await, "somebody else has moved on");
        let topup = books.topup(&TopupId::from_bits(1)).await;
        assert_eq!((topup.attempt, topup.expires_at_ms), (Attempt::first(0).next(NOW_MS + 5), NOW_MS + 3_660_000));
        assert_eq!(topup.request().expect("readable").expires_at_seconds, NOW_MS / 1_000 + 3_660);
        assert!(!next(2, NOW_MS).await, "it has a session");
        books.finish().await;
    }

    async fn what_an_overtaken_process_knows_of_its_calls_is_not_written_over_the_next_ones(backend: Backend) {
        let books = Books::open(backend).await;
        books.insert(new_topup(1)).await;
        let id = TopupId::from_bits(1);
        let keep = async |mark_ms: i64, unknown_since_ms: Option<i64>| {
            let attempt = Attempt { unknown_since_ms, key_failures: 1, ..Attempt::first(NOW_MS) };
            in_a_write!(books.db, |tx| async {
                topup_attempts::keep_attempt(tx, &TopupId::from_bits(1), mark_ms, &attempt, NOW_MS).await
            })
            .expect("writes");
            books.topup(&id).await.attempt
        };
        in_a_write!(books.db, |tx| async { topup_attempts::mark_unknown(tx, &TopupId::from_bits(1), NOW_MS + 9).await })
            .expect("writes");
        let marked = Attempt { unknown_since_ms: Some(NOW_MS + 9), ..Attempt::first(NOW_MS) };
        assert_eq!(keep(NOW_MS, None).await, marked, "written by the process before");
        let known = Attempt { unknown_since_ms: None, key_failures: 1, ..Attempt::first(NOW_MS) };
        assert_eq!(keep(NOW_MS + 9, None).await, known);
        books.finish().await;
    }

    async fn old_keys_are_purged_in_batches_by_many_at_once_beside_checkouts(backend: Backend) {
        let books = Books::open(backend).await;
        let db = &books.db;
        books.insert(new_topup(1)).await;
        let claimed = async |number: usize, now_ms: i64| {
            let name = format!("key-{number}");
            db.write(closure(move |tx| {
                let name = name.clone();
                async move {
                    let key = key("one", &name, "a");
                    idempotency::forget(tx, &key, now_ms - 10_000, now_ms).await?;
                    idempotency::claim(tx, &key, &TopupId::from_bits(1), now_ms + 1_000, now_ms).await
                }
                .boxed()
            }))
            .await
            .expect("claims")
        };
        for number in 0..40 {
            assert!(matches!(claimed(number, 0).await, KeyState::Fresh));
        }
        assert!(matches!(claimed(40, 19_500).await, KeyState::Fresh), "a young one");
        assert!(matches!(db.purge_idempotency_keys(10_000, 500, 100).await, Ok(0)), "all of them are held");
        assert!(matches!(db.purge_idempotency_keys(10_000, 20_000, 7).await, Ok(7)), "not more than was asked for");
        let purge = || async { db.purge_idempotency_keys(10_000, 20_000, 100).await.expect("purges") };
        let (purged, states) = tokio::join!(join_all((0..8).map(|_| purge())), join_all((7..40).map(|number| claimed(number, 20_000))));
        assert!(purged.iter().all(|found| *found <= 33), "{purged:?}");
        assert!(states.iter().all(|state| matches!(state, KeyState::Fresh)), "an old key counts as new: {states:?}");
        while purge().await > 0 {}
        for number in 7..40 {
            assert!(matches!(claimed(number, 20_001).await, KeyState::Running(_)), "{number}: its new holder keeps it");
        }
        assert!(matches!(claimed(40, 20_001).await, KeyState::Running(_) | KeyState::Resumed(_)), "the young one stays");
        books.finish().await;
    }

    async fn the_right_to_ask_stripe_is_given_to_one_in_each_interval(backend: Backend) {
        let books = Books::open(backend).await;
        books.opened(1).await;
        let claim = async |now_ms: i64| {
            in_a_write!(books.db, |tx| async {
                topups::claim_check(tx, &TopupId::from_bits(1), now_ms, now_ms - 5_000).await
            })
            .expect("writes")
        };
        let claims = join_all((0..16).map(|_| claim(NOW_MS))).await;
        assert_eq!(claims.into_iter().filter(|claimed| *claimed).count(), 1);
        assert!(!claim(NOW_MS + 4_999).await);
        assert!(claim(NOW_MS + 5_000).await);
        books.finish().await;
    }
}
