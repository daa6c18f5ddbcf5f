//! The commands for the books: reconciliation with Stripe, and the audit.

use std::process::ExitCode;

use secrecy::ExposeSecret;
use topup::app::with_causes;
use topup::books::instance::MigrationState;
use topup::config::{CommandConfig, Config, LogSettings};
use topup::db::Db;
use topup::domain::credit_unit::DisplayDecimals;
use topup::reconcile::report::{CurrencyFees, FeeTruth, Findings, Report};
use topup::reconcile::{self, MAX_SINCE_DAYS, Options, Pace, RunCause};
use topup::startup::{self, Environment, StartError};

use super::{Failure, settings, start_logging, stop_signal};

/// The exit code for wrong settings, the same as for wrong arguments.
const EXIT_USAGE: u8 = 2;
/// How many findings of each kind are printed.
const MAX_PRINTED: usize = 20;

/// The arguments of `topup reconcile`.
#[derive(clap::Args)]
pub struct ReconcileArguments {
    /// How far back: days such as 30d, from 1d to 90d.
    #[arg(long, default_value = "30d", value_parser = parse_days)]
    since: i64,
    /// Look only: write nothing to the books, and say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Print the report as JSON; with --adopt the purchases, like `POST /admin/adoptions`.
    #[arg(long)]
    json: bool,
    /// Instead of comparing, show the paid purchases that these books do not know, such as after a restore; with `all`,
    /// take in those that this installation sold, with the id of a checkout session or top-up this one.
    #[arg(long, value_name = "ID|all", num_args = 0..=1, default_missing_value = super::adopt::SHOW)]
    adopt: Vec<String>,
    /// With `--adopt ID`: also if it is not proved that this installation sold it, at today's price. Look first who did.
    #[arg(long, requires = "adopt")]
    unverified: bool,
}

fn parse_days(text: &str) -> Result<i64, String> {
    let days = text.strip_suffix('d').and_then(|number| number.parse::<i64>().ok());
    days.filter(|days| (1..=MAX_SINCE_DAYS).contains(days))
        .ok_or_else(|| format!("must be days such as 30d, from 1d to {MAX_SINCE_DAYS}d"))
}

/// Prints why the command cannot start.
fn unusable(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("topup: {}", with_causes(error));
    ExitCode::from(EXIT_USAGE)
}

/// `topup reconcile`
pub async fn reconcile(arguments: ReconcileArguments) -> Result<ExitCode, Failure> {
    let config = match CommandConfig::load(&settings()?) {
        Ok(config) => config,
        Err(error) => return Ok(unusable(&error)),
    };
    // The report contains what was applied; the log is only for problems.
    let filter = if config.log.filter == "info" { "warn".to_owned() } else { config.log.filter.clone() };
    start_logging(&LogSettings { filter, json: config.log.json })?;
    let app = match startup::command::connect(config, Environment::default()).await {
        Ok(app) => app,
        Err(error) => return Ok(unusable(&error)),
    };
    topup::checkpoints::arm();
    if !arguments.adopt.is_empty() {
        let ReconcileArguments { adopt, since, dry_run, unverified, json } = arguments;
        let wanted = super::adopt::Wanted { names: adopt, since_days: since, unverified, dry_run, json };
        let ended = super::adopt::adopt(&app, wanted).await;
        app.db.close().await;
        return ended;
    }
    let stop = stop_signal()?;
    let options = Options {
        cause: RunCause::Command,
        dry_run: arguments.dry_run,
        since_days: arguments.since,
        pace: Pace::default(),
    };
    let decimals = app.pricing.decimals();
    let ended = reconcile::reconcile(&app, options, stop).await;
    app.db.close().await;
    let ended = ended?;
    if arguments.json {
        super::text::print_json(&ended.report)?;
    } else {
        print_report(&ended.report, decimals);
    }
    if let Some(reason) = &ended.incomplete {
        eprintln!("topup: the comparison is not whole: {reason}");
    }
    Ok(if ended.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_report(report: &Report, decimals: DisplayDecimals) {
    println!(
        "Compared {} checkouts, {} refunds and {} disputes with Stripe in {} requests.",
        report.sessions, report.refunds, report.disputes, report.requests
    );
    for (name, findings) in report.kinds().into_iter().filter(|(_, findings)| findings.count > 0) {
        print_findings(name, findings, report.dry_run);
    }
    if report.missing_credits_sum > 0 {
        println!("{} credits were missing.", decimals.format(report.missing_credits_sum));
    }
    if report.adoptable > 0 {
        println!(
            "{} of them this installation sold: `topup reconcile --adopt` shows and adopts them.",
            report.adoptable
        );
    }
    print_fees(&report.fees);
    match (report.left_over, report.dry_run) {
        (0, _) => println!("Nothing is left: the books are as Stripe's."),
        (left, false) => println!("{left} left that need a person."),
        (left, true) => println!("{left} left; this run only looked and wrote nothing to the books."),
    }
}

fn print_findings(name: &str, findings: &Findings, dry_run: bool) {
    let settled = findings.count.saturating_sub(findings.left);
    let what = match (findings.left, settled) {
        (0, _) => "settled".to_owned(),
        (left, 0) if dry_run => format!("{left} left, nothing was written"),
        (left, _) => format!("{left} left"),
    };
    println!("\n{name}: {} ({what})", findings.count);
    for finding in findings.first.iter().take(MAX_PRINTED) {
        println!("  {}  {}  {}", finding.id, finding.topup_id.as_deref().unwrap_or("-"), finding.detail);
    }
    let printed = u64::try_from(findings.first.len().min(MAX_PRINTED)).unwrap_or(u64::MAX);
    if findings.count > printed {
        println!("  … and {} more", findings.count.saturating_sub(printed));
    }
}

fn print_fees(fees: &FeeTruth) {
    for fees in &fees.currencies {
        let CurrencyFees { currency, charges, expected_minor, real_minor, .. } = fees;
        println!("\nfees in {currency}: {expected_minor} expected, {real_minor} kept by Stripe, of {charges} charges");
        for case in &fees.worst {
            println!(
                "  {}: {} expected, {} kept of {}",
                case.topup_id, case.expected_minor, case.real_minor, case.charge_minor
            );
        }
        match (&fees.fitting_rate_percent, &fees.fitting_fixed_minor, &fees.no_fit) {
            (Some(rate), Some(fixed), _) => println!("  what would have fitted: {rate} % and {fixed}"),
            (_, _, Some(reason)) => println!("  {reason}"),
            _ => {}
        }
    }
    println!(
        "\nfees: {} learned now, {} not known, {} in another currency than their charge\n",
        fees.learned, fees.unknown, fees.in_other_currency
    );
}

/// The arguments of `topup audit`.
#[derive(clap::Args)]
pub struct AuditArguments {
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Also derive every part of every spend again from the order in which grants are spent.
    #[arg(long)]
    replay: bool,
}

/// `topup audit`
pub async fn audit(arguments: AuditArguments) -> Result<ExitCode, Failure> {
    let url = match Config::load_database_url(&settings()?) {
        Ok(url) => url,
        Err(error) => return Ok(unusable(&error)),
    };
    let database = match Db::connect(url.expose_secret(), false).await {
        Ok(database) => database,
        Err(error) => return Ok(unusable(&StartError::Database(error))),
    };
    if database.migration_state().await? != MigrationState::Current {
        return Ok(unusable(&StartError::NotMigrated));
    }
    let report = topup::books::audit::audit(&database, arguments.replay).await;
    database.close().await;
    let report = report?;
    if arguments.json {
        super::text::print_json(&report)?;
    } else {
        println!(
            "Recomputed {} accounts, {} entries, {} top-ups, {} refunds and disputes, {} adjustments, \
            {} spends, {} hours of usage.",
            report.accounts,
            report.entries,
            report.topups,
            report.reversals,
            report.adjustments,
            report.spends,
            report.usage_hours
        );
        for difference in &report.first {
            println!("  {}: {}", difference.id, difference.detail);
        }
        match report.differences {
            0 => println!("Everything holds."),
            count => println!("{count} differences; the first are above."),
        }
        if report.not_replayed > 0 {
            println!(
                "{} accounts changed so often that they could not be replayed; run it again when less is spent.",
                report.not_replayed
            );
        }
    }
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
