//! What the books say: the last event, failed deliveries, and the last comparison with Stripe's books.

use crate::app::with_causes;
use crate::config::UsableSettings;
use crate::db::{Db, StoreError};
use crate::doctor::ago::{ago, length};
use crate::doctor::finding::{About, Finding};
use crate::doctor::webhooks::Deliveries;
use crate::doctor::{Limits, in_time};
use crate::inbox::failed_events::OpenFailures;
use crate::ports::Clock;
use crate::reconcile::Run;

const LAST_EVENT: About = ("events.last", "Last event");
const FAILED: About = ("deliveries.failed", "Failed deliveries");
const SCHEDULE: About = ("reconciliation.schedule", "Reconciliation schedule");
const RECONCILIATION: About = ("reconciliation.last", "Last reconciliation");

/// Stripe usually delivers within seconds.
const LATE_MS: i64 = 5 * 60_000;
const HOUR_MS: i64 = 3_600_000;
/// A reconciliation that nobody schedules should still run about daily.
const USUAL_HOURS: i64 = 24;
/// Dry runs and runs in progress are passed over.
const RUNS: i64 = 20;

pub(super) async fn findings(
    settings: &UsableSettings,
    db: Option<&Db>,
    deliveries: &Deliveries,
    clock: &dyn Clock,
    limits: Limits,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let now_ms = clock.now_ms();
    if deliveries.is_known {
        findings.push(last_event(deliveries, now_ms));
    }
    if let Some(db) = db {
        let failures = in_time(limits, db.open_failures()).await.unwrap_or(Err(StoreError::TimedOut));
        findings.push(failures.map_or_else(|error| unreadable(FAILED, &error), failed_deliveries));
    }
    if settings.reconcile_every_hours == Some(0) {
        let detail = "RECONCILE_EVERY_HOURS=0: events that never arrive are not brought in";
        let way_out = "set RECONCILE_EVERY_HOURS, or run `topup reconcile` on a schedule of your own";
        findings.push(Finding::warning(SCHEDULE, detail, way_out));
    }
    if let Some(db) = db {
        let runs = in_time(limits, db.reconciliations(RUNS)).await.unwrap_or(Err(StoreError::TimedOut));
        let every_hours = settings.reconcile_every_hours.unwrap_or(USUAL_HOURS);
        findings.push(runs.map_or_else(
            |error| unreadable(RECONCILIATION, &error),
            |runs| reconciliation(&runs, every_hours, now_ms),
        ));
    }
    findings
}

fn unreadable(about: About, error: &StoreError) -> Finding {
    Finding::failed(about, with_causes(error), "look at the database; `topup audit` checks the books")
}

fn last_event(deliveries: &Deliveries, now_ms: i64) -> Finding {
    let Some(last) = &deliveries.last else {
        let way_out = "nothing, if nothing was bought yet; else see the findings about the webhook endpoint";
        return Finding::warning(LAST_EVENT, "none has arrived about the newest purchases", way_out);
    };
    let came = format!("{}, {}", last.event_type, ago(last.received_at, now_ms));
    let Some(happened_ms) = deliveries.last_happened_ms else { return Finding::ok(LAST_EVENT, came) };
    let delay_ms = last.received_at.saturating_sub(happened_ms);
    let detail = format!("{came}, applied {} after it happened", length(delay_ms));
    if delay_ms <= LATE_MS {
        return Finding::ok(LAST_EVENT, detail);
    }
    let way_out =
        "look in Stripe's dashboard (Webhooks, the endpoint) at the attempts that failed before, and at the log";
    Finding::warning(LAST_EVENT, detail, way_out)
}

fn failed_deliveries(open: OpenFailures) -> Finding {
    let OpenFailures { transient, permanent } = open;
    if permanent > 0 {
        let detail = format!("{permanent} that a person has to look at, {transient} that a replay may resolve");
        let way_out =
            "`topup webhooks failed` lists them with their reasons; `topup webhooks accept` or `close` ends one";
        return Finding::failed(FAILED, detail, way_out);
    }
    if transient > 0 {
        let detail = format!("{transient} that a replay may resolve");
        return Finding::warning(FAILED, detail, "`topup webhooks replay --all` applies them");
    }
    Finding::ok(FAILED, "none is open")
}

fn reconciliation(runs: &[Run], every_hours: i64, now_ms: i64) -> Finding {
    let run_it = "run `topup reconcile`";
    let Some(run) = runs.iter().find(|run| run.dry_run == 0 && run.state != "running") else {
        let way_out = format!("{run_it}, or leave `topup serve` running, which does it by itself");
        return Finding::warning(RECONCILIATION, "none has been completed yet", way_out);
    };
    let when = ago(run.started_at, now_ms);
    if run.state == "interrupted" {
        return Finding::warning(RECONCILIATION, format!("{when}, interrupted"), run_it);
    }
    if let Some(reason) = &run.error {
        return Finding::warning(
            RECONCILIATION,
            format!("{when}, incomplete: {reason}"),
            format!("put it right and {run_it}"),
        );
    }
    let left = run.left_over.unwrap_or_default();
    if left > 0 {
        let detail = format!("{when}, {left} differences are left that need a person");
        let way_out = "`topup reconcile --dry-run` shows them; docs/reconciliation.md says what each means";
        return Finding::failed(RECONCILIATION, detail, way_out);
    }
    let hours = if every_hours == 0 { USUAL_HOURS } else { every_hours };
    let patience_ms = hours.saturating_mul(2).saturating_mul(HOUR_MS);
    if now_ms.saturating_sub(run.started_at) > patience_ms {
        let way_out = format!("{run_it}, and look whether `topup serve` runs");
        return Finding::warning(RECONCILIATION, format!("{when}, longer than it should be"), way_out);
    }
    Finding::ok(RECONCILIATION, format!("{when}, no difference is left"))
}
