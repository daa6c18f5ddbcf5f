//! Reconciliation: compares this database with the provider, and applies what is missing by the ordinary code path.
//!
//! Invariant: no run depends on state left by another, so a run can stop anywhere and be repeated. Reports are applied
//! by the same functions as webhooks. Contradictions to the agreement are reported and not applied. A dry run writes
//! only its own row.

mod asker;
mod checkouts;
pub mod comparison;
mod fees;
mod invoice_money_back;
pub mod lost;
mod money_back;
pub mod reconciliations;
pub mod report;
mod same_reversal;
pub mod schedule;
mod subscriptions;
mod unsettled_refunds;

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::time::Duration;

use crate::app::{App, with_causes};
use crate::db::{StoreError, Tx, Write, leases};
use crate::domain::ids::{PaymentId, ReconciliationId, SessionId, TopupId};
use crate::domain::timestamp::DAY_MS;
use crate::providers::port::{ProviderError, Resource};
use crate::reconcile::asker::Asker;
pub use crate::reconcile::asker::Pace;
use crate::reconcile::reconciliations::{Ending, NewRun};
pub use crate::reconcile::reconciliations::{Obstacle, Run, RunCause};
use crate::reconcile::report::{Findings, Report};

/// How long a run counts as alive without renewing its lease.
const LEASE: Duration = Duration::from_mins(1);
/// How often a run renews its lease.
const RENEW_EVERY: Duration = Duration::from_secs(20);
/// The longest period to compare, in days.
pub const MAX_SINCE_DAYS: i64 = 90;
/// The most objects to fetch one by one in a run.
const MAX_SINGLE_QUESTIONS: u64 = 2_000;
/// The most of our rows to read at once.
const ROWS: i64 = 200;

/// The settings of a run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Who started it.
    pub cause: RunCause,
    /// Whether to report only, without applying anything.
    pub dry_run: bool,
    /// The length of the compared period, in days.
    pub since_days: i64,
    /// The pace of requests to the provider.
    pub pace: Pace,
}

/// A finished run.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The run's id.
    pub id: String,
    /// The findings.
    pub report: Report,
    /// Why the run is incomplete: a list could not be read to its end. Everything else was compared and applied. `None`
    /// if complete.
    pub incomplete: Option<String>,
    /// The kind of reason.
    pub obstacle: Option<Obstacle>,
}

impl Ended {
    /// Whether everything was compared and nothing is left over.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.report.left_over == 0 && self.incomplete.is_none()
    }
}

/// Why a run did not finish.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The run was stopped. What it has applied stays.
    #[error("the comparison was stopped before its end; run it again")]
    Stopped,
    /// Another process took over, because this one did not renew its lease in time.
    #[error("another process took the comparison over")]
    TakenOver,
    /// The report cannot be stored.
    #[error("the report cannot be written down")]
    Report(#[from] serde_json::Error),
}

/// Compares, applies what is missing, and stores the report. Stops early when `stop` completes.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn reconcile(
    app: &App,
    options: Options,
    stop: impl Future<Output = ()> + Send,
) -> Result<Ended, ReconcileError> {
    let run = new_run(app, options);
    // The lease is named after this run, so no other process can hold it.
    app.db.write(StartRun { run: run.clone() }).await?;
    carry_out(app, options, run, stop).await
}

fn new_run(app: &App, options: Options) -> NewRun {
    NewRun {
        id: ReconciliationId::from_bits(app.ids.id_bits()).as_str().to_owned(),
        cause: options.cause,
        dry_run: options.dry_run,
        since_ms: app.clock.now_ms().saturating_sub(options.since_days.saturating_mul(DAY_MS)).max(0),
        lease_ms: i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX),
    }
}

/// Carries out a started run and stores its end in every case.
async fn carry_out(
    app: &App,
    options: Options,
    run: NewRun,
    stop: impl Future<Output = ()> + Send,
) -> Result<Ended, ReconcileError> {
    tracing::info!(run = run.id, cause = run.cause.as_str(), dry_run = run.dry_run, "comparing with Stripe's books");
    let result = tokio::select! {
        compared = compare(app, options, &run) => compared.map_err(ReconcileError::from),
        error = keep_lease(app, &run) => Err(error),
        () = stop => Err(ReconcileError::Stopped),
    };
    let ending = match &result {
        Ok((report, incomplete)) => Ending {
            left_over: Some(i64::try_from(report.left_over).unwrap_or(i64::MAX)),
            report: Some(serde_json::to_string(report)?),
            error: incomplete.as_ref().map(|(_, reason)| reason.clone()),
            obstacle: incomplete.as_ref().map(|(obstacle, _)| *obstacle),
        },
        Err(error) => Ending { left_over: None, report: None, error: Some(with_causes(error)), obstacle: None },
    };
    let before = app.db.last_obstacle(&run.id).await?;
    let is_ours = app.db.write(FinishRun { run: run.clone(), ending }).await?;
    let (report, incomplete) = result?;
    if !is_ours {
        return Err(ReconcileError::TakenOver);
    }
    tracing::info!(run = run.id, left_over = report.left_over, "compared with Stripe's books");
    let (obstacle, incomplete) = incomplete.unzip();
    if let (Some(obstacle), Some(reason)) = (obstacle, &incomplete) {
        let (run, see) = (&run.id, "GET /admin/reconciliations/latest");
        // A warning is logged once: the same obstacle affects every run until it is removed.
        if before.is(obstacle, reason) {
            tracing::info!(run, obstacle = obstacle.as_str(), "the comparison is still not whole");
        } else {
            tracing::warn!(
                run,
                obstacle = obstacle.as_str(),
                reason,
                see,
                "the comparison with Stripe's books is not whole"
            );
        }
    }
    Ok(Ended { id: run.id, report, incomplete, obstacle })
}

/// Renews the lease until another process holds it.
async fn keep_lease(app: &App, run: &NewRun) -> ReconcileError {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        match app.db.write(RenewLease { run: run.clone() }).await {
            Ok(true) => {}
            Ok(false) => return ReconcileError::TakenOver,
            // The lease is still valid for a while; the end of the run checks whether it was kept.
            Err(error) => tracing::warn!(run = run.id, error = with_causes(&error), "the lease cannot be renewed"),
        }
    }
}

/// Starts a run. Returns `false` if another process holds its lease.
struct StartRun {
    run: NewRun,
}

impl Write for StartRun {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        reconciliations::start(tx, &self.run).await
    }
}

/// Renews the lease of a run. Returns `false` if another process holds it.
struct RenewLease {
    run: NewRun,
}

impl Write for RenewLease {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        leases::renew(tx, self.run.lease(), &self.run.id, self.run.lease_ms).await
    }
}

/// Ends a run and releases its lease. Returns `false` if another process holds it.
struct FinishRun {
    run: NewRun,
    ending: Ending,
}

impl Write for FinishRun {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        reconciliations::finish(tx, &self.run, &self.ending).await
    }
}

type Compared = (Report, Option<(Obstacle, String)>);

async fn compare(app: &App, options: Options, run: &NewRun) -> Result<Compared, StoreError> {
    let mut comparison = Comparison {
        app,
        asker: Asker::new(options.pace),
        report: Report { dry_run: options.dry_run, ..Report::default() },
        dry_run: options.dry_run,
        since_ms: run.since_ms,
        until_ms: app.clock.now_ms(),
        incomplete: None,
        checkouts_are_listed: false,
        refused: HashSet::new(),
        max_pages: options.pace.pages,
        single_questions: 0,
        sessions_seen: HashSet::new(),
        reversals_seen: HashSet::new(),
        subscriptions_seen: HashSet::new(),
        of_invoices: HashMap::new(),
        payments_seen: HashMap::new(),
        owners: HashMap::new(),
    };
    let capabilities = app.provider.capabilities;
    if capabilities.lists {
        comparison.listed_checkouts().await?;
        comparison.listed_charges().await?;
        comparison.listed_refunds().await?;
        comparison.listed_disputes().await?;
    }
    comparison.open_reversals().await?;
    comparison.unsettled_refunds().await?;
    comparison.unfinished_topups().await?;
    if capabilities.payments {
        comparison.learn_fees().await?;
    }
    comparison.topups_of_the_period().await?;
    comparison.surplus_payments().await?;
    comparison.subscriptions().await?;
    comparison.report.requests = comparison.asker.requests;
    comparison.report.close();
    Ok((comparison.report, comparison.incomplete))
}

/// A run in progress.
struct Comparison<'a> {
    app: &'a App,
    asker: Asker,
    report: Report,
    dry_run: bool,
    since_ms: i64,
    until_ms: i64,
    /// The first list that could not be read to its end, and why.
    incomplete: Option<(Obstacle, String)>,
    /// Whether all checkout sessions of the period were listed; only then an unlisted one counts as missing.
    checkouts_are_listed: bool,
    /// The lists that the API key may not read. Their objects are not fetched one by one either.
    refused: HashSet<&'static str>,
    /// The most pages to read of one list.
    max_pages: usize,
    single_questions: u64,
    sessions_seen: HashSet<SessionId>,
    reversals_seen: HashSet<String>,
    subscriptions_seen: HashSet<String>,
    /// Whether a payment that belongs to no top-up is for an invoice.
    of_invoices: HashMap<PaymentId, bool>,
    /// Payments of listed checkout sessions that are not stored here.
    payments_seen: HashMap<PaymentId, TopupId>,
    /// Payments whose top-up the provider was asked for.
    owners: HashMap<PaymentId, Option<TopupId>>,
}

impl Comparison<'_> {
    /// In seconds, as in the provider's API. Rounded down: comparing twice is better than not at all.
    const fn since_seconds(&self) -> i64 {
        self.since_ms.div_euclid(1_000)
    }

    /// Handles a list that failed. What was read of it counts, and the other parts are still compared.
    fn list_failed(&mut self, list: &'static str, resource: Resource, error: &ProviderError) {
        let (obstacle, reason) = if error.is_missing_permission() {
            self.refused.insert(list);
            let stripes_name = error.missing_permission().unwrap_or("unknown to us");
            let add = resource.permission();
            let reason = format!(
                "STRIPE_SECRET_KEY may not read the list of {list}; add the permission {add} ({stripes_name}) to the key in \
                 Stripe's dashboard"
            );
            (Obstacle::MissingPermission, reason)
        } else {
            (Obstacle::ProviderFailed, format!("the list of {list} could not be read to its end: {error}"))
        };
        self.stopped_by(list, obstacle, reason);
    }

    fn list_too_long(&mut self, list: &'static str) {
        let pages = self.max_pages;
        let reason = format!(
            "the list of {list} has more than {pages} pages, and its older part was not read; lower RECONCILE_SINCE_DAYS \
             (or --since)"
        );
        self.stopped_by(list, Obstacle::TooMany, reason);
    }

    fn stopped_by(&mut self, list: &str, obstacle: Obstacle, reason: String) {
        tracing::debug!(list, obstacle = obstacle.as_str(), reason, "a list of Stripe's is not read to its end");
        self.report.not_asked.add_left(list, None, reason.clone());
        match &mut self.incomplete {
            None => self.incomplete = Some((obstacle, reason)),
            // The operator is told all missing permissions at once.
            Some((Obstacle::MissingPermission, said)) if obstacle == Obstacle::MissingPermission => {
                said.push_str("; ");
                said.push_str(&reason);
            }
            Some(_) => {}
        }
    }

    /// Whether one more object may be fetched individually. If not, the reason is reported once.
    fn may_ask(&mut self) -> bool {
        self.single_questions = self.single_questions.saturating_add(1);
        if self.asker.has_given_up() {
            let what = "Stripe failed several times in a row; what was not asked yet is not asked";
            self.incomplete.get_or_insert_with(|| (Obstacle::ProviderFailed, what.to_owned()));
            return false;
        }
        if self.single_questions <= MAX_SINGLE_QUESTIONS {
            return true;
        }
        if self.single_questions == MAX_SINGLE_QUESTIONS.saturating_add(1) {
            let detail = format!("only {MAX_SINGLE_QUESTIONS} things are asked for one by one in a run");
            self.report.not_asked.add_left("questions", None, detail);
        }
        false
    }

    fn add_applied(dry_run: bool, findings: &mut Findings, id: &str, topup: &TopupId, detail: String) {
        // A dry run leaves the finding unsettled.
        if dry_run {
            findings.add_left(id, Some(topup.as_str()), detail);
        } else {
            findings.add_settled(id, Some(topup.as_str()), detail);
        }
    }
}
