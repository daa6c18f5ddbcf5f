//! Reconciliation with Stripe: missing events are found and applied, contradictions are reported.

mod lasting;
mod lifecycle;
mod lists;
mod missing;
mod money_back;
mod process;
mod said_once;

use std::time::Duration;

use topup::app::App;
use topup::reconcile::report::Findings;
use topup::reconcile::{Ended, Options, Pace, RunCause, reconcile};

use crate::support::TestApp;

/// As fast as possible.
pub const NO_PAUSE: Pace = Pace { interval: Duration::ZERO, backoff: Duration::ZERO, tries: 4, pages: 2_000 };

/// The usual options.
pub fn options() -> Options {
    Options { cause: RunCause::Command, dry_run: false, since_days: 30, pace: NO_PAUSE }
}

/// Reconciles; the run must finish.
pub async fn compare(app: &App) -> Ended {
    compare_with(app, options()).await
}

/// Reconciles; the run must finish.
pub async fn compare_with(app: &App, options: Options) -> Ended {
    reconcile(app, options, std::future::pending()).await.expect("an end")
}

/// The ids of the findings.
pub fn ids(findings: &Findings) -> Vec<&str> {
    findings.first.iter().map(|finding| finding.id.as_str()).collect()
}

/// A second reconciliation finds nothing new.
pub async fn nothing_is_left(app: &TestApp) {
    let ended = compare(&app.app).await;
    assert!(ended.is_clean(), "{:#?}", ended.report);
    let report = ended.report;
    for (name, findings) in report.kinds() {
        assert_eq!(findings.count, 0, "{name}: {findings:?}");
    }
}
