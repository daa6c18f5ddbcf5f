//! `topup webhooks`: the endpoint, and failed deliveries. Works beside a running service.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;
use topup::access::operator::Operator;
use topup::config::{CommandConfig, LogSettings};
use topup::http::admin::shapes::accepted_event;
use topup::http::admin::webhook_events::{
    FailedWebhookDelivery, FailedWebhookEvent, FailedWebhookEvents, ReplayedWebhookEvent,
};
use topup::inbox::accept_payment::{AcceptError, accept_payment};
use topup::inbox::failed_deliveries::{self, Closed, Replayed, is_close_reason};
use topup::inbox::failed_events::{FailureCursor, FailureFilter, FailureState};
use topup::purchases::payment::acceptances::Accepted;
use topup::startup::{Environment, command};
use topup::system::SystemClock;

use super::text::{print_json, printable};
use super::webhook_setup::{self, SetupArguments};
use super::{Failure, connect_migrated, settings, start_logging};

#[derive(Subcommand)]
pub(crate) enum WebhooksCommand {
    /// Create the webhook endpoint at Stripe, or repair it: enabled, and subscribed to all and only the handled events.
    /// Other endpoints are not touched. Prints the signing secret of a new endpoint, once.
    Setup(SetupArguments),
    /// List events with a failed delivery, newest first.
    Failed {
        /// Include resolved and closed events.
        #[arg(long)]
        all: bool,
        /// The most events to list.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
        /// Continue after the page with this `nextCursor`.
        #[arg(long)]
        cursor: Option<String>,
        /// Print JSON, like `GET /admin/webhook-events`.
        #[arg(long)]
        json: bool,
    },
    /// Show one of them with its payload, which contains personal data.
    Show {
        /// Stripe's event id.
        event_id: String,
        /// Print JSON, like `GET /admin/webhook-events/{id}`.
        #[arg(long)]
        json: bool,
    },
    /// Retry failed events as if Stripe delivered them now. Safe at any time: no event credits twice.
    Replay(Replay),
    /// Close a failure that will never have an effect, so that it is no longer listed as open.
    Close {
        /// Stripe's event id.
        event_id: String,
        /// The reason, for the records.
        #[arg(long)]
        reason: String,
        /// Print JSON, like `POST /admin/webhook-events/{id}/close`.
        #[arg(long)]
        json: bool,
    },
    /// Credit a top-up whose payment was rejected only for its amount, if at least the agreed amount is left without
    /// tax.
    Accept {
        /// Stripe's event id.
        event_id: String,
        /// The reason, for the records.
        #[arg(long, value_parser = parse_reason)]
        reason: String,
        /// Print JSON, like `POST /admin/webhook-events/{id}/accept`.
        #[arg(long)]
        json: bool,
    },
    /// Erase payloads older than `WEBHOOK_PAYLOAD_DAYS`. A running service does this every hour.
    Purge {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ReplayArguments {
    /// Stripe's event id.
    event_id: Option<String>,
    /// All transient failures, oldest first.
    #[arg(long)]
    all: bool,
}

#[derive(Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    which: ReplayArguments,
    /// Print JSON, like `POST /admin/webhook-events/{id}/replay`; with --all a list of that.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(command: WebhooksCommand) -> Result<ExitCode, Failure> {
    match command {
        WebhooksCommand::Setup(arguments) => webhook_setup::run(arguments).await,
        WebhooksCommand::Failed { all, limit, cursor, json } => list(all, limit, cursor.as_deref(), json).await,
        WebhooksCommand::Close { event_id, reason, json } => close(&event_id, &reason, json).await,
        WebhooksCommand::Show { event_id, json } => show(&event_id, json).await,
        WebhooksCommand::Replay(Replay { which, json }) => match which.event_id {
            Some(event_id) => replay(&event_id, json).await,
            None => replay_all(json).await,
        },
        WebhooksCommand::Accept { event_id, reason, json } => accept(&event_id, &reason, json).await,
        WebhooksCommand::Purge { json } => purge(json).await,
    }
}

async fn list(all: bool, limit: i64, cursor: Option<&str>, json: bool) -> Result<ExitCode, Failure> {
    let after = match cursor {
        None => FailureCursor::NEWEST,
        Some(cursor) => FailureCursor::parse(cursor).ok_or("--cursor must be the nextCursor of an earlier page")?,
    };
    let database = connect_migrated().await?;
    let filter = FailureFilter { state: (!all).then_some(FailureState::Open), kind: None };
    // Reads one more than requested, to tell whether there is another page.
    let events = database.failed_events(filter, &after, limit.saturating_add(1)).await?;
    database.close().await;
    let page = FailedWebhookEvents::new(events, limit)?;
    if json {
        print_json(&page)?;
        return Ok(ExitCode::SUCCESS);
    }
    if page.data().is_empty() {
        eprintln!("No failed deliveries.");
    }
    for event in page.data() {
        println!("{}", line(event));
    }
    Ok(ExitCode::SUCCESS)
}

async fn close(event_id: &str, reason: &str, json: bool) -> Result<ExitCode, Failure> {
    if !is_close_reason(reason) {
        return Err("--reason must be 1 to 500 printable characters".into());
    }
    let database = connect_migrated().await?;
    let closed = failed_deliveries::close(&database, &SystemClock, event_id, "command line", reason).await?;
    let now = database.failed_event(event_id).await?;
    database.close().await;
    match closed {
        None => Ok(unknown(event_id)),
        Some(Closed::Done) => {
            if let Some(now) = now.filter(|_| json) {
                print_json(&FailedWebhookEvent::try_from(now.event)?)?;
                return Ok(ExitCode::SUCCESS);
            }
            println!("{} is closed.", printable(event_id));
            Ok(ExitCode::SUCCESS)
        }
        Some(Closed::NotOpen) => {
            eprintln!("topup: {} is not open: it was closed or resolved before", printable(event_id));
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn show(event_id: &str, json: bool) -> Result<ExitCode, Failure> {
    let database = connect_migrated().await?;
    let delivery = database.failed_event(event_id).await?;
    database.close().await;
    let Some(delivery) = delivery else { return Ok(unknown(event_id)) };
    let delivery = FailedWebhookDelivery::try_from(delivery)?;
    if json {
        print_json(&delivery)?;
        return Ok(ExitCode::SUCCESS);
    }
    let event = &delivery.event;
    println!("{}", line(event));
    println!("first failed {}, last failed {}", event.first_failed_at, event.last_failed_at);
    if let Some(resolved_at) = &event.resolved_at {
        println!("resolved {resolved_at}");
    }
    if let (Some(closed_at), Some(by), Some(reason)) = (&event.closed_at, &event.closed_by, &event.close_reason) {
        println!("{}", printable(&format!("closed {closed_at} by {by}: {reason}")));
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
    // A replay logs the same as a delivery; here the outcome is printed instead.
    start_logging(&LogSettings { filter: "error".to_owned(), json: false })?;
    Ok(command::connect(config, Environment::default()).await?)
}

async fn replay(event_id: &str, json: bool) -> Result<ExitCode, Failure> {
    let app = connect_with_stripe().await?;
    let replayed = failed_deliveries::replay(&app, event_id).await?;
    let now = app.db.failed_event(event_id).await?;
    app.db.close().await;
    let (Some(replayed), Some(now)) = (replayed, now) else { return Ok(unknown(event_id)) };
    if json {
        print_json(&ReplayedWebhookEvent::new(&replayed, now.event)?)?;
    } else {
        println!("{}", told(event_id, &replayed));
    }
    Ok(if replayed.is_resolved() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn parse_reason(text: &str) -> Result<String, String> {
    is_close_reason(text).then(|| text.to_owned()).ok_or_else(|| "must be 1 to 500 printable characters".to_owned())
}

async fn accept(event_id: &str, reason: &str, json: bool) -> Result<ExitCode, Failure> {
    let app = connect_with_stripe().await?;
    let operator = Operator { name: "command line".to_owned(), account: None };
    let accepted = accept_payment(&app, event_id, &operator, reason).await;
    let decimals = app.pricing.decimals();
    app.db.close().await;
    match accepted {
        Ok(accepted) if json => {
            print_json(&accepted_event(accepted)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(accepted) => {
            let Accepted { topup_id, outcome, credits, accepted_by, .. } = accepted;
            let credits = decimals.format(credits);
            let told = format!("{event_id}  {outcome}  {topup_id}  {credits} credits, accepted by {accepted_by}");
            println!("{}", printable(&told));
            Ok(ExitCode::SUCCESS)
        }
        Err(AcceptError::Unknown) => Ok(unknown(event_id)),
        Err(AcceptError::Store(error)) => Err(error.into()),
        Err(error) => {
            eprintln!("topup: {}", printable(&error.to_string()));
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn replay_all(json: bool) -> Result<ExitCode, Failure> {
    let app = connect_with_stripe().await?;
    let (mut resolved, mut left, mut ended) = (0_u64, 0_u64, Vec::new());
    failed_deliveries::replay_all(&app, |event_id, replayed| {
        let counter = if replayed.is_resolved() { &mut resolved } else { &mut left };
        *counter = counter.saturating_add(1);
        if json {
            ended.push((event_id.to_owned(), replayed.outcome(), replayed.detail()));
        } else {
            println!("{}", told(event_id, replayed));
        }
    })
    .await?;
    let mut data = Vec::new();
    for (event_id, outcome, detail) in ended {
        let event = app.db.failed_event(&event_id).await?.map(|now| FailedWebhookEvent::try_from(now.event));
        let Some(event) = event.transpose()? else { continue };
        data.push(ReplayedWebhookEvent { outcome: outcome.to_owned(), detail, event });
    }
    let open = app.db.open_failures().await?;
    app.db.close().await;
    if json {
        print_json(&json!({ "data": data }))?;
    }
    eprintln!("{resolved} resolved, {left} still failing; {} open that a person has to look at", open.permanent);
    Ok(if left == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn purge(json: bool) -> Result<ExitCode, Failure> {
    let days = CommandConfig::load_payload_days(&settings()?)?;
    let database = connect_migrated().await?;
    let erased = failed_deliveries::erase_old_payloads(&database, &SystemClock, days).await?;
    database.close().await;
    if json {
        print_json(&json!({ "erased": erased, "olderThanDays": days }))?;
        return Ok(ExitCode::SUCCESS);
    }
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
