//! Leases taken with wrong clocks, answers that stay, and keys that expire.

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use topup::db::Db;
use topup::domain::ids::TopupId;
use topup::ports::Clock;
use topup::purchases::idempotency::{self, IdempotencyKey, KeyState, StoredAnswer};
use topup::purchases::purge_keys::purge_old_keys;
use topup::purchases::topups;

use crate::on_both_databases;
use crate::support::books::{Books, new_topup};
use crate::support::closure;

fn key(name: &str) -> IdempotencyKey {
    IdempotencyKey { scope: "one".to_owned(), key: name.to_owned(), request_hash: "a".to_owned() }
}

/// Claims a key for the first top-up, with a lease of one second.
async fn claim(db: &Db, name: &'static str, now_ms: i64) -> KeyState {
    let claimed = db.write(closure(move |tx| {
        async move { idempotency::claim(tx, &key(name), &TopupId::from_bits(1), now_ms + 1_000, now_ms).await }.boxed()
    }));
    claimed.await.expect("claims")
}

/// A clock a little more than a day ahead of the keys.
struct NextDay;

impl Clock for NextDay {
    fn now_ms(&self) -> i64 {
        86_400_000 + 500
    }
}

on_both_databases! {
    async fn the_background_purges_all_keys_of_yesterday_and_none_of_today(backend: Backend) {
        let books = Books::open(backend).await;
        books.insert(new_topup(1)).await;
        let written = books.db.write(closure(|tx| {
            async move {
                for number in 0..250 {
                    let key = key(&format!("key-{number}"));
                    idempotency::claim(tx, &key, &TopupId::from_bits(1), number, number).await?;
                }
                idempotency::claim(tx, &key("young"), &TopupId::from_bits(1), 1_000, 600).await.map(drop)
            }
            .boxed()
        }));
        written.await.expect("writes");
        let purged = purge_old_keys(&books.db, &NextDay, &CancellationToken::new()).await.expect("purges");
        assert_eq!(purged, 250);
        assert!(matches!(claim(&books.db, "key-249", 700).await, KeyState::Fresh));
        assert!(matches!(claim(&books.db, "young", 700).await, KeyState::Running(_)));
        books.finish().await;
    }

    async fn a_key_held_by_a_clock_that_was_far_ahead_is_not_blocked(backend: Backend) {
        let books = Books::open(backend).await;
        books.insert(new_topup(1)).await;
        assert!(matches!(claim(&books.db, "key", 3_600_000).await, KeyState::Fresh));
        assert!(matches!(claim(&books.db, "key", 0).await, KeyState::Resumed(_)));
        // A small clock difference does not end a lease.
        assert!(matches!(claim(&books.db, "key", -500).await, KeyState::Running(_)));
        books.finish().await;
    }

    async fn stripe_may_be_asked_though_a_clock_was_far_ahead_when_it_was_asked_last(backend: Backend) {
        let books = Books::open(backend).await;
        books.insert(new_topup(1)).await;
        let ask = async |now_ms: i64| {
            let asked = books.db.write(closure(move |tx| {
                async move { topups::claim_check(tx, &TopupId::from_bits(1), now_ms, now_ms - 5_000).await }.boxed()
            }));
            asked.await.expect("writes")
        };
        assert!(ask(3_600_000).await);
        assert!(ask(10_000).await);
        assert!(!ask(9_000).await, "clocks that differ a little ask once");
        books.finish().await;
    }

    async fn the_first_answer_of_a_key_stays(backend: Backend) {
        let books = Books::open(backend).await;
        books.insert(new_topup(1)).await;
        claim(&books.db, "key", 0).await;
        for (status, code) in [(200, None), (409, Some("session_ended"))] {
            let answer = StoredAnswer { status, code: code.map(str::to_owned) };
            let stored = books.db.write(closure(move |tx| {
                let answer = answer.clone();
                async move { idempotency::answer(tx, &key("key"), &answer).await }.boxed()
            }));
            stored.await.expect("writes");
        }
        let state = claim(&books.db, "key", 10).await;
        assert!(matches!(&state, KeyState::Answered(_, answer) if answer.status == 200), "{state:?}");
        books.finish().await;
    }

    async fn a_key_of_yesterday_is_forgotten_and_no_other_with_it(backend: Backend) {
        let books = Books::open(backend).await;
        books.insert(new_topup(1)).await;
        let many = (0..150).map(|number| format!("key-{number}")).collect::<Vec<_>>();
        let written = books.db.write(closure(move |tx| {
            let many = many.clone();
            async move {
                for name in &many {
                    idempotency::claim(tx, &key(name), &TopupId::from_bits(1), 1, 0).await?;
                }
                idempotency::claim(tx, &key("mine"), &TopupId::from_bits(1), 2, 1).await.map(drop)
            }
            .boxed()
        }));
        written.await.expect("writes");
        let forgotten = books.db.write(closure(|tx| {
            async move { idempotency::forget(tx, &key("mine"), 1_000, 2_000).await }.boxed()
        }));
        forgotten.await.expect("writes");
        assert!(matches!(claim(&books.db, "mine", 2_000).await, KeyState::Fresh), "the caller's own one");
        assert!(matches!(claim(&books.db, "key-0", 2_000).await, KeyState::Resumed(_)), "a checkout purges no others");
        books.finish().await;
    }
}
