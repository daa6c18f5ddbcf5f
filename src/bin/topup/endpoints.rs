//! `topup endpoints`: where the product is told of events. Works beside a running service.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use secrecy::ExposeSecret;
use serde_json::json;
use topup::config::CommandConfig;
use topup::db::Db;
use topup::domain::ids::EndpointId;
use topup::domain::outbox_settings::OutboxSettings;
use topup::domain::timestamp;
use topup::http::admin::endpoints::views::{
    Endpoint, EndpointDeliveries, EndpointDeliveryDetails, EndpointTest, EndpointWithSecret, Endpoints, Resent,
};
use topup::messages::event_type::EventType;
use topup::outbox::change_endpoint::{self, Context, EndpointChange, WithSecret};
use topup::outbox::queues::DeliveryState;
use topup::outbox::resend::{self, Which};
use topup::ports::Clock;
use topup::system::{SystemClock, SystemIds};

use super::text::{print_json, printable};
use super::{Failure, connect_migrated, settings};

#[derive(Subcommand)]
pub(crate) enum EndpointsCommand {
    /// Create an endpoint and show its secret once.
    Add {
        /// The address, such as `https://app.example.com/webhooks/topup`.
        url: String,
        #[command(flatten)]
        about: About,
        /// Print JSON, like `POST /admin/endpoints`.
        #[arg(long)]
        json: bool,
    },
    /// List all endpoints.
    List {
        /// Print JSON, like `GET /admin/endpoints`.
        #[arg(long)]
        json: bool,
    },
    /// Change an endpoint, disable it, or activate it again.
    Change {
        /// The endpoint's id.
        id: String,
        /// The new address.
        #[arg(long)]
        url: Option<String>,
        #[command(flatten)]
        about: About,
        /// Whether it gets messages.
        #[arg(long)]
        state: Option<State>,
        /// Print JSON, like `PATCH /admin/endpoints/{id}`.
        #[arg(long)]
        json: bool,
    },
    /// Delete an endpoint. What waits for it is not delivered any more.
    Delete {
        /// The endpoint's id.
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Replace an endpoint's secret, and show the new one once. For 24 hours both sign.
    Rotate {
        /// The endpoint's id.
        id: String,
        /// Print JSON, like `POST /admin/endpoints/{id}/rotate`.
        #[arg(long)]
        json: bool,
    },
    /// Send a test to an endpoint. A running service delivers it.
    Test {
        /// The endpoint's id.
        id: String,
        /// Print JSON, like `POST /admin/endpoints/{id}/test`.
        #[arg(long)]
        json: bool,
    },
    /// List the deliveries to an endpoint, newest message first.
    Deliveries {
        /// The endpoint's id.
        id: String,
        /// Only those in this state: waiting, done or failed.
        #[arg(long, value_parser = parse_state)]
        state: Option<DeliveryState>,
        /// The most deliveries to list.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
        /// Continue after the page with this `nextCursor`.
        #[arg(long)]
        cursor: Option<i64>,
        /// Print JSON, like `GET /admin/endpoints/{id}/deliveries`.
        #[arg(long)]
        json: bool,
    },
    /// Show a message and the attempts to deliver it.
    Show {
        /// The endpoint's id.
        id: String,
        /// The message's id.
        message_id: String,
        /// Print JSON, like `GET /admin/endpoints/{id}/deliveries/{messageId}`.
        #[arg(long)]
        json: bool,
    },
    /// Send a message once more, or those of a period.
    Resend(ResendArguments),
}

#[derive(Args)]
pub(crate) struct About {
    /// The types of messages, separated by commas; by default all.
    #[arg(long, value_delimiter = ',', value_parser = parse_type)]
    types: Option<Vec<EventType>>,
    /// What it is for.
    #[arg(long, value_parser = parse_description)]
    description: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum State {
    Active,
    Disabled,
}

#[derive(Args)]
pub(crate) struct ResendArguments {
    /// The endpoint's id.
    id: String,
    /// The message's id.
    #[arg(conflicts_with_all = ["from", "to", "all"], required_unless_present = "from")]
    message_id: Option<String>,
    /// The first moment of a period, such as 2026-11-21T00:00:00Z.
    #[arg(long, value_parser = parse_time)]
    from: Option<i64>,
    /// The last moment of the period; by default now.
    #[arg(long, value_parser = parse_time, requires = "from")]
    to: Option<i64>,
    /// Also what the endpoint has got already.
    #[arg(long, requires = "from")]
    all: bool,
    /// Print JSON, like `POST /admin/endpoints/{id}/resend`.
    #[arg(long)]
    json: bool,
}

fn parse_type(text: &str) -> Result<EventType, String> {
    EventType::parse(text).ok_or_else(|| format!("must be one of {}", EventType::ALL.map(EventType::as_str).join(", ")))
}

fn parse_state(text: &str) -> Result<DeliveryState, String> {
    DeliveryState::parse(text).ok_or_else(|| "must be waiting, done or failed".to_owned())
}

fn parse_description(text: &str) -> Result<String, String> {
    let is_right =
        text.chars().count() <= change_endpoint::MAX_DESCRIPTION_CHARACTERS && !text.chars().any(char::is_control);
    is_right.then(|| text.to_owned()).ok_or_else(|| "must be at most 200 printable characters".to_owned())
}

fn parse_time(text: &str) -> Result<i64, String> {
    timestamp::parse(text).ok_or_else(|| "must be a time such as 2026-11-21T00:00:00Z".to_owned())
}

/// What the commands work with.
struct Parts {
    db: Db,
    settings: OutboxSettings,
}

impl Parts {
    async fn connect() -> Result<Self, Failure> {
        let outbox = CommandConfig::load_outbox(&settings()?)?;
        Ok(Self { db: connect_migrated().await?, settings: outbox })
    }

    fn context(&self) -> Context<'_> {
        Context { db: &self.db, clock: &SystemClock, ids: &SystemIds, settings: &self.settings }
    }
}

pub(crate) async fn run(command: EndpointsCommand) -> Result<ExitCode, Failure> {
    let parts = Parts::connect().await?;
    let done = match command {
        EndpointsCommand::Add { url, about, json } => add(&parts, url, about, json).await,
        EndpointsCommand::List { json } => list(&parts, json).await,
        EndpointsCommand::Change { id, url, about, state, json } => {
            let About { types, description } = about;
            let is_active = state.map(|state| state == State::Active);
            change(&parts, &id, EndpointChange { url, types, description, is_active }, json).await
        }
        EndpointsCommand::Delete { id, json } => delete(&parts, &id, json).await,
        EndpointsCommand::Rotate { id, json } => rotate(&parts, &id, json).await,
        EndpointsCommand::Test { id, json } => test(&parts, &id, json).await,
        EndpointsCommand::Deliveries { id, state, limit, cursor, json } => {
            deliveries(&parts, &id, state, (cursor.unwrap_or(i64::MAX), limit), json).await
        }
        EndpointsCommand::Show { id, message_id, json } => show(&parts, &id, &message_id, json).await,
        EndpointsCommand::Resend(arguments) => resend_messages(&parts, arguments).await,
    };
    parts.db.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

fn endpoint_id(text: &str) -> Result<EndpointId, Failure> {
    EndpointId::parse(text).map_err(|_| "there is no such endpoint; see `topup endpoints list`".into())
}

/// Only the secret goes to standard output, so that it can be redirected to a file or a secret store.
fn print_secret(what: &str, made: WithSecret, json: bool) -> Result<(), Failure> {
    let secret = made.secret.expose_secret().to_owned();
    let endpoint = Endpoint::new(made.endpoint, SystemClock.now_ms())?;
    if json {
        return print_json(&EndpointWithSecret::new(endpoint, secret));
    }
    eprintln!("{what} {}\nThe secret is shown this once:", printable(&endpoint.line()));
    println!("{secret}");
    Ok(())
}

async fn add(parts: &Parts, url: String, about: About, json: bool) -> Result<(), Failure> {
    let new = EndpointChange {
        url: Some(url),
        types: about.types,
        description: about.description,
        ..EndpointChange::default()
    };
    print_secret("Made", change_endpoint::create(parts.context(), new).await?, json)
}

async fn list(parts: &Parts, json: bool) -> Result<(), Failure> {
    let now_ms = SystemClock.now_ms();
    let stored = parts.db.endpoints().await?.into_iter();
    let data = stored.map(|endpoint| Endpoint::new(endpoint, now_ms)).collect::<Result<Vec<_>, _>>()?;
    if json {
        return print_json(&Endpoints { data });
    }
    if data.is_empty() {
        eprintln!("No endpoints.");
    }
    for endpoint in &data {
        println!("{}", printable(&endpoint.line()));
    }
    Ok(())
}

async fn change(parts: &Parts, id: &str, change: EndpointChange, json: bool) -> Result<(), Failure> {
    let changed = change_endpoint::change(parts.context(), &endpoint_id(id)?, change).await?;
    let endpoint = Endpoint::new(changed, SystemClock.now_ms())?;
    if json {
        return print_json(&endpoint);
    }
    println!("{}", printable(&endpoint.line()));
    Ok(())
}

async fn delete(parts: &Parts, id: &str, json: bool) -> Result<(), Failure> {
    change_endpoint::delete(parts.context(), &endpoint_id(id)?).await?;
    if json {
        return print_json(&json!({ "id": id, "state": "deleted" }));
    }
    println!("Deleted {id}.");
    Ok(())
}

async fn rotate(parts: &Parts, id: &str, json: bool) -> Result<(), Failure> {
    print_secret("Rotated", change_endpoint::rotate(parts.context(), &endpoint_id(id)?).await?, json)
}

async fn test(parts: &Parts, id: &str, json: bool) -> Result<(), Failure> {
    let message_id = change_endpoint::test(parts.context(), &endpoint_id(id)?).await?;
    if json {
        return print_json(&EndpointTest { message_id });
    }
    println!("{message_id} is on its way; see `topup endpoints show {id} {message_id}`.");
    Ok(())
}

async fn deliveries(
    parts: &Parts,
    id: &str,
    state: Option<DeliveryState>,
    (below, limit): (i64, i64),
    json: bool,
) -> Result<(), Failure> {
    // One more than fits, to tell whether there is another page.
    let rows = parts.db.deliveries(&endpoint_id(id)?, state, below, limit.saturating_add(1)).await?;
    let page = EndpointDeliveries::new(rows, limit)?;
    if json {
        return print_json(&page);
    }
    if page.data().is_empty() {
        eprintln!("No deliveries.");
    }
    for delivery in page.data() {
        println!("{}", printable(&delivery.line()));
    }
    Ok(())
}

async fn show(parts: &Parts, id: &str, message_id: &str, json: bool) -> Result<(), Failure> {
    let id = endpoint_id(id)?;
    let delivery = parts.db.delivery(&id, message_id).await?.ok_or("the endpoint has no such message")?;
    let payload = parts.db.message_payload(delivery.number).await?.unwrap_or_default();
    let attempts = parts.db.delivery_attempts(&id, delivery.number).await?;
    let details = EndpointDeliveryDetails::new(delivery, &payload, attempts)?;
    if json {
        return print_json(&details);
    }
    for line in details.lines() {
        println!("{}", printable(&line));
    }
    println!("{}", printable(&payload));
    Ok(())
}

async fn resend_messages(parts: &Parts, arguments: ResendArguments) -> Result<(), Failure> {
    let id = endpoint_id(&arguments.id)?;
    let messages = match (arguments.message_id, arguments.from) {
        (Some(message), _) => {
            if !resend::resend(parts.context(), &id, &message).await? {
                return Err("there is no such message".into());
            }
            1
        }
        (None, from) => {
            let which = if arguments.all { Which::All } else { Which::Missed };
            let period = (from.unwrap_or_default(), arguments.to.unwrap_or_else(|| SystemClock.now_ms()));
            resend::resend_period(parts.context(), &id, period, which).await?
        }
    };
    if arguments.json {
        return print_json(&Resent { messages });
    }
    println!("{messages} on the way.");
    Ok(())
}
