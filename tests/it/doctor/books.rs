//! What the books say: late events, failed deliveries, and comparisons that are missing, old, incomplete or not clean.

use futures_util::FutureExt;
use topup::db::Db;
use topup::inbox::failed_events::{self, FailureKind, FailureRecord};
use topup::ports::Clock;
use topup::providers::stripe::name::NAME;
use topup::system::SystemClock;

use super::{buy, command, doctor, lack, serve, world};
use crate::on_both_databases;
use crate::support::closure;

async fn fail(db: &Db, event: &str, kind: FailureKind) {
    let record = FailureRecord {
        provider: NAME,
        event_id: event.to_owned(),
        event_type: "charge.updated".to_owned(),
        kind,
        error: "of the test".to_owned(),
        topup: None,
        payment: None,
        payload: None,
        now_ms: SystemClock.now_ms(),
    };
    let write = closure(move |tx| {
        let record = record.clone();
        async move { failed_events::record(tx, &record).await }.boxed()
    });
    db.write(write).await.expect("records");
}

on_both_databases! {
    async fn an_event_that_came_late_is_found(backend: Backend) {
        let (world, settings) = world(backend).await;
        doctor(&settings).await.says("events.last", "warning", "none has arrived", "webhook endpoint");
        let process = serve(&settings).await;
        buy(&world, "user_1").await;
        world.stripe.idle().await;
        doctor(&settings).await.says("events.last", "ok", "after it happened", "");
        let db = world.database.connect().await;
        db.execute_raw("UPDATE webhook_events SET received_at = received_at + 900000").await.expect("done");
        doctor(&settings).await.says("events.last", "warning", "applied 15 minutes after it happened", "the attempts that failed");
        lack(&world, &["rak_event_read"]).await;
        doctor(&settings).await.says("events.last", "ok", "ago", "");
        lack(&world, &[]).await;
        db.close().await;
        process.terminate();
        assert!(process.ended().await.0);
        world.finish().await;
    }

    async fn failed_deliveries_are_counted_by_what_they_need(backend: Backend) {
        let (world, settings) = world(backend).await;
        doctor(&settings).await.ok("deliveries.failed");
        let db = world.database.connect().await;
        fail(&db, "evt_1", FailureKind::Transient).await;
        doctor(&settings).await.says("deliveries.failed", "warning", "1 that a replay may resolve", "topup webhooks replay --all");
        fail(&db, "evt_2", FailureKind::Permanent).await;
        doctor(&settings).await.says("deliveries.failed", "failed", "1 that a person has to look at, 1 that a replay", "topup webhooks failed");
        db.close().await;
        world.finish().await;
    }

    async fn a_reconciliation_that_is_missing_old_or_not_clean_is_found(backend: Backend) {
        let (world, settings) = world(backend).await;
        doctor(&settings).await.says("reconciliation.last", "warning", "none has been completed", "topup reconcile");
        assert!(command(&settings, &["reconcile", "--dry-run"]).await.0);
        doctor(&settings).await.says("reconciliation.last", "warning", "none has been completed", "topup reconcile");
        assert!(command(&settings, &["reconcile"]).await.0);
        doctor(&settings).await.says("reconciliation.last", "ok", "no difference is left", "");

        let db = world.database.connect().await;
        db.execute_raw("UPDATE reconciliations SET left_over = 3").await.expect("done");
        doctor(&settings).await.says("reconciliation.last", "failed", "3 differences are left", "topup reconcile --dry-run");
        db.execute_raw("UPDATE reconciliations SET left_over = 0, started_at = started_at - 259200000").await.expect("done");
        doctor(&settings).await.says("reconciliation.last", "warning", "3 days ago, longer than it should be", "whether `topup serve` runs");
        let mut rarely = settings.clone();
        rarely.insert("RECONCILE_EVERY_HOURS", "72".to_owned());
        doctor(&rarely).await.ok("reconciliation.last");
        db.close().await;

        lack(&world, &["rak_dispute_read"]).await;
        assert!(!command(&settings, &["reconcile"]).await.0);
        doctor(&settings).await.says("reconciliation.last", "warning", "incomplete: ", "put it right and run `topup reconcile`");
        lack(&world, &[]).await;
        world.finish().await;
    }

    async fn a_reconciliation_that_was_killed_is_found(backend: Backend) {
        let (world, settings) = world(backend).await;
        assert!(command(&settings, &["reconcile"]).await.0);
        let db = world.database.connect().await;
        db.execute_raw("UPDATE reconciliations SET state = 'running', finished_at = NULL").await.expect("done");
        doctor(&settings).await.says("reconciliation.last", "warning", "interrupted", "run `topup reconcile`");
        db.close().await;
        world.finish().await;
    }
}
