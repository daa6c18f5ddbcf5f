//! `topup plans`: applies plans and shows them. Works beside a running service.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use topup::config::{CommandConfig, LogSettings};
use topup::plans::apply_plans::{PlanChange, apply_plans};
use topup::plans::plan_file::read_plans;
use topup::plans::plan_rows::AppliedPlan;
use topup::startup::{Environment, command};

use super::{Failure, settings, start_logging};

#[derive(Subcommand)]
pub(crate) enum PlansCommand {
    /// Make the products and prices of a file's plans at Stripe, and store the plans. Says first what will change.
    Apply {
        /// The file, such as plans.toml; docs/subscriptions.md explains it.
        file: PathBuf,
        /// Only say what would change.
        #[arg(long)]
        dry_run: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show all plans.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(command: PlansCommand) -> Result<ExitCode, Failure> {
    match command {
        PlansCommand::Apply { file, dry_run, json } => apply(&file, dry_run, json).await,
        PlansCommand::List { json } => list(json).await,
    }
}

async fn apply(file: &std::path::Path, dry_run: bool, json: bool) -> Result<ExitCode, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    // Mistakes in the file are told before anything is asked of the database or of Stripe.
    let plans = read_plans(&text).map_err(|error| format!("{} is not right:\n{error}", file.display()))?;
    let config = CommandConfig::load(&settings()?)?;
    start_logging(&LogSettings { filter: "error".to_owned(), json: false })?;
    let app = command::connect(config, Environment::default()).await?;
    let changes = apply_plans(&app, &plans, true).await;
    if !json && let Ok(changes) = &changes {
        say_changes(changes, plans.len());
    }
    let result = match &changes {
        Ok(changes) if !dry_run && !changes.is_empty() => apply_plans(&app, &plans, false).await.map(drop),
        _ => Ok(()),
    };
    let stored = app.db.plans(app.provider.name).await;
    app.db.close().await;
    let changes = changes?;
    result?;
    let stored = stored?;
    if json {
        let change = |change: &PlanChange| serde_json::json!({ "planId": change.plan, "change": change.change });
        let changes: Vec<_> = changes.iter().map(change).collect();
        let data: Vec<_> = stored.iter().map(plan_json).collect();
        let answer = serde_json::json!({ "dryRun": dry_run, "changes": changes, "data": data });
        println!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(ExitCode::SUCCESS);
    }
    if !changes.is_empty() {
        println!("{}", if dry_run { "Nothing was changed (--dry-run)." } else { "Applied." });
    }
    for other in stored.iter().filter(|stored| plans.iter().all(|plan| plan.id != stored.plan.id)) {
        let sold = if other.plan.is_active { "sold" } else { "not sold" };
        println!(
            "{}: not in the file, and stays as it is ({sold}); set active = false to stop selling it",
            other.plan.id
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn say_changes(changes: &[PlanChange], plans: usize) {
    if changes.is_empty() {
        println!("Nothing to change: {plans} plans are as the file says.");
    }
    for change in changes {
        println!("{}: {}", change.plan, change.change);
    }
}

async fn list(json: bool) -> Result<ExitCode, Failure> {
    let database = super::connect_migrated().await?;
    let plans = database.plans(topup::providers::stripe::name::NAME).await;
    database.close().await;
    let plans = plans?;
    if json {
        let list: Vec<_> = plans.iter().map(plan_json).collect();
        println!("{}", serde_json::to_string_pretty(&serde_json::json!({ "data": list }))?);
        return Ok(ExitCode::SUCCESS);
    }
    for applied in &plans {
        let plan = &applied.plan;
        let prices: Vec<String> =
            applied.prices.iter().map(|price| format!("{} {}", price.amount_minor, price.currency)).collect();
        let state = if plan.is_active { "sold" } else { "not sold" };
        println!(
            "{}  {state}  {} credits each {}  {}  rollover {}  {}",
            plan.id,
            plan.credits_per_period,
            plan.interval,
            prices.join(", "),
            plan.rollover,
            plan.name
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn plan_json(applied: &AppliedPlan) -> serde_json::Value {
    let plan = &applied.plan;
    let price = |price: &topup::plans::plan_rows::PlanPrice| {
        serde_json::json!({
            "currency": price.currency.as_str(),
            "amount": price.amount_minor,
            "feeAmount": price.fee_minor,
            "priceId": price.id.as_str(),
        })
    };
    serde_json::json!({
        "id": plan.id.as_str(),
        "name": plan.name,
        "interval": plan.interval.unit.as_str(),
        "intervalCount": plan.interval.count,
        "creditsPerPeriod": plan.credits_per_period,
        "rollover": plan.rollover.as_str(),
        "rolloverCap": plan.rollover.cap(),
        "trialDays": plan.trial_days,
        "trialCredits": plan.trial_credits,
        "active": plan.is_active,
        "productId": applied.product,
        "prices": applied.prices.iter().map(price).collect::<Vec<_>>(),
    })
}
