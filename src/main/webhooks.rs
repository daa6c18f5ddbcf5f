//! `topup webhooks`: deliveries that failed. It works beside a running service.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use topup::app::failed_deliveries::{self, Replayed};
use topup::config::{CommandConfig, LogSettings};
use topup::http::webhook_events::{FailedWebhookDelivery, FailedWebhookEvent};
use topup::startup::{Environment, command};
use topup::store::failed_events::{FailureCursor, FailureFilter, FailureState};
use topup::system::SystemClock;

use super::{Failure, connect_migrated, settings, start_logging};

#[derive(Subcommand)]
pub(crate) enum WebhooksCommand {
    /// List events of which a delivery failed, the newest first.
    Failed {
        /// Also those that were put right.
        #[arg(long)]
        all: bool,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
        /// Print JSON, as `GET /admin/webhook-events` does.
        #[arg(long)]
        json: bool,
    },
    /// Show one of them with what came with it, which holds personal data.
    Show {
        /// Stripe's id of the event.
        event_id: String,
        /// Print JSON, as `GET /admin/webhook-events/{id}` does.
        #[arg(long)]
        json: bool,
    },
    /// Try again what failed, as if Stripe delivered it now. It is safe at any time: no event credits twice.
    Replay(ReplayArguments),
    /// Erase the payloads that are older than the setting `WEBHOOK_PAYLOAD_DAYS` says. A running service does it every hour.
    Purge,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ReplayArguments {
    /// Stripe's id of the event.
    event_id: Option<String>,
    /// Everything that failed for now and may succeed, the oldest first.
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(command: WebhooksCommand) -> Result<ExitCode, Failure> {
    match command {
        WebhooksCommand::Failed { all, limit, json } => list(all, limit, json).await,
        WebhooksCommand::Show { event_id, json } => show(&event_id, json).await,
        WebhooksCommand::Replay(ReplayArguments { event_id: Some(event_id), .. }) => replay(&event_id).await,
        WebhooksCommand::Replay(ReplayArguments { event_id: None, .. }) => replay_all().await,
        WebhooksCommand::Purge => purge().await,
    }
}

async fn list(all: bool, limit: i64, json: bool) -> Result<ExitCode, Failure> {
    let database = connect_migrated().await?;
    let filter = FailureFilter { state: (!all).then_some(FailureState::Open), kind: None };
    let events = database.failed_events(filter, &FailureCursor::NEWEST, limit).await?;
    database.close().await;
    let events: Vec<FailedWebhookEvent> = events.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&events)?);
        return Ok(ExitCode::SUCCESS);
    }
    if events.is_empty() {
        eprintln!("No failed deliveries.");
    }
    for event in &events {
        println!("{}", line(event));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(event_id: &str, json: bool) -> Result<ExitCode, Failure> {
    let database = connect_migrated().await?;
    let delivery = database.failed_event(event_id).await?;
    database.close().await;
    let Some(delivery) = delivery else { return Ok(unknown(event_id)) };
    let delivery = FailedWebhookDelivery::try_from(delivery)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&delivery)?);
        return Ok(ExitCode::SUCCESS);
    }
    let event = &delivery.event;
    println!("{}", line(event));
    println!("first failed {}, last failed {}", event.first_failed_at, event.last_failed_at);
    if let Some(resolved_at) = &event.resolved_at {
        println!("resolved {resolved_at}");
    }
    match (&delivery.payload, event.payload_state.as_str()) {
        (Some(payload), _) => println!("{}", printable(payload)),
        (None, "erased") => println!("The payload was erased, because its time was over."),
        (None, _) => println!("The payload was not kept."),
    }
    Ok(ExitCode::SUCCESS)
}

async fn connect_with_stripe() -> Result<topup::app::App, Failure> {
    let config = CommandConfig::load(&settings()?)?;
    // What a replay does is logged as a delivery is; here, what came of it is printed.
    start_logging(&LogSettings { filter: "error".to_owned(), json: false })?;
    Ok(command::connect(config, Environment::default()).await?)
}

async fn replay(event_id: &str) -> Result<ExitCode, Failure> {
    let app = connect_with_stripe().await?;
    let replayed = failed_deliveries::replay(&app, event_id).await?;
    app.db.close().await;
    let Some(replayed) = replayed else { return Ok(unknown(event_id)) };
    println!("{}", told(event_id, &replayed));
    Ok(if replayed.is_resolved() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn replay_all() -> Result<ExitCode, Failure> {
    let app = connect_with_stripe().await?;
    let (mut resolved, mut left) = (0_u64, 0_u64);
    failed_deliveries::replay_all(&app, |event_id, replayed| {
        println!("{}", told(event_id, replayed));
        let counter = if replayed.is_resolved() { &mut resolved } else { &mut left };
        *counter = counter.saturating_add(1);
    })
    .await?;
    let open = app.db.open_failures().await?;
    app.db.close().await;
    eprintln!("{resolved} resolved, {left} still failing; {} open that a person has to look at", open.permanent);
    Ok(if left == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn purge() -> Result<ExitCode, Failure> {
    let days = CommandConfig::load_payload_days(&settings()?)?;
    let database = connect_migrated().await?;
    let erased = failed_deliveries::erase_old_payloads(&database, &SystemClock, days).await?;
    database.close().await;
    println!("Erased the payloads of {erased} failed deliveries, {days} days old or older.");
    Ok(ExitCode::SUCCESS)
}

fn unknown(event_id: &str) -> ExitCode {
    eprintln!("topup: no delivery of {} failed; see `topup webhooks failed --all`", printable(event_id));
    ExitCode::FAILURE
}

fn told(event_id: &str, replayed: &Replayed) -> String {
    printable(&format!("{event_id}  {}  {}", replayed.outcome(), replayed.detail()))
}

fn line(event: &FailedWebhookEvent) -> String {
    let FailedWebhookEvent { id, state, kind, attempts, last_failed_at, event_type, error, .. } = event;
    printable(&format!("{id}  {state}  {kind}  {attempts}x  {last_failed_at}  {event_type}  {error}"))
}

/// Texts that came from outside must not steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    let plain = |character: char| character == '\n' || !character.is_control();
    text.chars().map(|character| if plain(character) { character } else { ' ' }).collect()
}
