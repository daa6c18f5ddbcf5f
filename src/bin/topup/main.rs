//! The command line: reads arguments and settings, calls the library, and prints.

mod accounts;
mod adopt;
mod books;
mod db;
mod doctor;
mod endpoints;
mod plans;
mod text;
mod topups;
mod webhook_setup;

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use secrecy::ExposeSecret;
use topup::access::api_keys::{self, Scope};
use topup::access::key_rows::ApiKeyRow;
use topup::books::instance::MigrationState;
use topup::config::{Config, LogSettings, Source};
use topup::db::Db;
use topup::domain::account::AccountId;
#[cfg(feature = "dev")]
use topup::domain::redirect::AllowedOrigin;
use topup::providers::stripe::event::EVENT_TYPES;
use topup::startup::{Application, Environment, StartError, listen};
use topup::system::{SystemClock, SystemIds};
use tracing_subscriber::EnvFilter;

mod webhooks;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Sell prepaid credits in your app: Stripe checkout, exactly-once crediting and the books, in one binary.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Try it: a Stripe sandbox, the service and a demo page; no settings, no network, no money.
    #[cfg(feature = "dev")]
    Dev {
        /// Delete the data of earlier runs first.
        #[arg(long)]
        fresh: bool,
        /// The folder that holds all data.
        #[arg(long, value_name = "FOLDER", default_value = ".topup-dev")]
        data_dir: std::path::PathBuf,
        /// The port of the service and the demo page; 0 takes a free one.
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// The port of the Stripe sandbox; 0 takes a free one.
        #[arg(long, default_value_t = 12111)]
        sandbox_port: u16,
        /// The port of the service that the printed .env starts beside it; by default the next one, 0 takes a free one.
        #[arg(long)]
        serve_port: Option<u16>,
        /// A page of yours that may call the service and to which customers return; may be repeated.
        #[arg(long = "origin", value_name = "URL", value_parser = AllowedOrigin::parse)]
        origins: Vec<AllowedOrigin>,
    },
    /// Run the service for real. Settings come from the environment and .env; see .env.example.
    Serve,
    /// Create the database, or migrate it to this version.
    Migrate,
    /// Look for what keeps money from arriving, and say the way out. Writes nothing. Exits with 1 if something failed.
    Doctor(doctor::DoctorArguments),
    /// Compare the books with Stripe's and apply what is missing. Exits with 0 only if no difference is left.
    Reconcile(books::ReconcileArguments),
    /// Plans that are sold by subscription.
    #[command(subcommand)]
    Plans(plans::PlansCommand),
    /// Single top-ups.
    #[command(subcommand)]
    Topups(topups::TopupsCommand),
    /// Recompute every balance and every top-up from the books. Exits with 1 if there is a difference.
    Audit(books::AuditArguments),
    /// Backups of a SQLite database.
    #[command(subcommand)]
    Db(db::DbCommand),
    /// Accounts: a list with search, and erasing personal data.
    #[command(subcommand)]
    Accounts(accounts::AccountsCommand),
    /// API keys for servers.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Where your server is told of events, and what was sent there.
    #[command(subcommand)]
    Endpoints(endpoints::EndpointsCommand),
    /// The webhook endpoint at Stripe, and failed deliveries.
    #[command(subcommand)]
    Webhooks(webhooks::WebhooksCommand),
    /// Print the API's OpenAPI document.
    Openapi,
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Create a key and show it once.
    Create {
        /// What the key is for, such as the name of the server that has it.
        #[arg(long)]
        name: String,
        /// Its scopes: checkout, read, spend, support or admin; repeat the option, or separate them with commas.
        #[arg(long = "scope", required = true, value_delimiter = ',', value_parser = parse_scope)]
        scopes: Vec<Scope>,
        /// The only account it may act for; without it, any account that a request names.
        #[arg(long, value_parser = parse_account)]
        account: Option<AccountId>,
    },
    /// Show all keys, without their secrets.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key, immediately and permanently.
    Revoke {
        /// The key's id, from `topup keys list`.
        id: String,
    },
}

fn parse_scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| format!("must be one of {}", Scope::ALL.map(Scope::as_str).join(", ")))
}

fn parse_account(text: &str) -> Result<AccountId, String> {
    AccountId::parse(text).map_err(|error| error.to_string())
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("topup: {}", topup::app::with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        #[cfg(feature = "dev")]
        Command::Dev { fresh, data_dir, port, sandbox_port, serve_port, origins } => {
            dev(topup::dev::DevOptions { folder: data_dir, fresh, port, sandbox_port, serve_port, origins }).await?;
        }
        Command::Serve => serve().await?,
        Command::Migrate => {
            let database = connect(true).await?;
            database.migrate_and_close().await?;
            println!("The database is at this version's state.");
        }
        Command::Doctor(arguments) => return doctor::run(arguments).await,
        Command::Reconcile(arguments) => return books::reconcile(arguments).await,
        Command::Plans(command) => return plans::run(command).await,
        Command::Topups(command) => return topups::run(command).await,
        Command::Audit(arguments) => return books::audit(arguments).await,
        Command::Db(command) => return db::run(command).await,
        Command::Accounts(command) => return accounts::run(command).await,
        Command::Keys(command) => return keys(command).await,
        Command::Endpoints(command) => return endpoints::run(command).await,
        Command::Webhooks(command) => return webhooks::run(command).await,
        Command::Openapi => print!("{}", topup::http::documentation::document_json()?),
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the settings of a command, and prints warnings about them.
fn settings() -> Result<Source, Failure> {
    let source = Source::from_environment(Path::new("."))?;
    for warning in source.warnings() {
        eprintln!("topup: warning: {warning}");
    }
    Ok(source)
}

async fn connect(create: bool) -> Result<Db, Failure> {
    let url = Config::load_database_url(&settings()?)?;
    Db::connect(url.expose_secret(), create).await.map_err(|error| StartError::Database(error).into())
}

async fn connect_migrated() -> Result<Db, Failure> {
    let database = connect(false).await?;
    let hint = "the database is not at this version's state; run `topup migrate`";
    if database.migration_state().await? != MigrationState::Current {
        return Err(hint.into());
    }
    Ok(database)
}

async fn serve() -> Result<(), Failure> {
    let config = Config::load(&Source::from_environment(Path::new("."))?)?;
    start_logging(&config.log)?;
    let (address, livemode, public_url) = (config.bind_address, config.stripe.livemode, config.public_url.clone());
    let warnings = config.warnings.clone();
    let application = Application::build(config, listen(address)?, Environment::default()).await?;
    for warning in &warnings {
        tracing::warn!(warning, "about the settings");
    }
    application.check_key().await?;
    let stop = stop_signal()?;
    if let Some(address) = application.metrics_address() {
        tracing::info!(metrics = format!("http://{address}/metrics"), "measurements for Prometheus");
    }
    tracing::info!(address = %application.address(), livemode, docs = format!("{public_url}/docs"), "serving");
    tracing::info!(
        url = format!("{public_url}/webhooks/stripe"),
        events = EVENT_TYPES.join(","),
        "Stripe's webhook endpoint must have this address and subscribe to these events"
    );
    topup::checkpoints::arm();
    Ok(application.run_until_stopped(stop).await?)
}

#[cfg(feature = "dev")]
async fn dev(options: topup::dev::DevOptions) -> Result<(), Failure> {
    let filter = std::env::var("LOG").unwrap_or_else(|_| "warn,topup=info".to_owned());
    let filter = topup::config::parse_log_filter(&filter).map_err(|message| format!("LOG: {message}"))?;
    start_logging(&LogSettings { filter, json: false })?;
    let stop = stop_signal()?;
    let dev = topup::dev::Dev::start(options, Environment::default()).await?;
    print!("{}", dev.welcome());
    Ok(dev.run_until_stopped(stop).await?)
}

async fn keys(command: KeysCommand) -> Result<ExitCode, Failure> {
    let database = connect_migrated().await?;
    match command {
        KeysCommand::Create { name, scopes, account } => {
            let key = api_keys::create(&database, &SystemIds, &SystemClock, &name, &scopes, account.as_ref()).await?;
            // Only the secret goes to standard output, so that it can be redirected to a file or a secret store.
            eprintln!("Made {} for {name}. The key is shown this once:", key.id);
            println!("{}", key.secret.expose_secret());
        }
        KeysCommand::List { json } => {
            let uses = database.api_key_uses().await?;
            let last_use = |id: &str| uses.iter().find(|each| each.id == id).and_then(|each| each.last_used_at);
            let keys = database.api_keys().await?;
            if json {
                let list: Vec<_> = keys.iter().map(|key| key_json(key, last_use(&key.id))).collect();
                println!("{}", serde_json::to_string_pretty(&serde_json::json!({ "data": list }))?);
            }
            for key in keys.iter().filter(|_| !json) {
                let account = key.account_id.as_deref().unwrap_or("any account");
                let state = if key.revoked_at.is_some() { "revoked" } else { "active" };
                let last = last_use(&key.id).map_or_else(|| "never".to_owned(), day_and_time);
                let (created, scopes) = (day_and_time(key.created_at), key.scopes.replace(' ', ","));
                println!("{}  {state}  {scopes}  {account}  created {created}  last used {last}  {}", key.id, key.name);
            }
        }
        KeysCommand::Revoke { id } => {
            if !api_keys::revoke(&database, &SystemClock, &id).await? {
                eprintln!("topup: there is no active key {id}; see `topup keys list`");
                return Ok(ExitCode::FAILURE);
            }
            println!("Revoked {id}.");
        }
    }
    database.close().await;
    Ok(ExitCode::SUCCESS)
}

/// A key without its secret, with the API's kinds of names.
fn key_json(key: &ApiKeyRow, last_used_at: Option<i64>) -> serde_json::Value {
    serde_json::json!({
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes.split(' ').collect::<Vec<_>>(),
        "accountId": key.account_id,
        "createdAt": day_and_time(key.created_at),
        "lastUsedAt": last_used_at.map(day_and_time),
        "revokedAt": key.revoked_at.map(day_and_time),
    })
}

/// A time in UTC such as `2026-11-21T12:01:00Z`, in whole seconds.
fn day_and_time(ms: i64) -> String {
    let time = time::OffsetDateTime::from_unix_timestamp(ms.div_euclid(1_000));
    let format = &time::format_description::well_known::Rfc3339;
    time.ok().and_then(|time| time.format(format).ok()).unwrap_or_else(|| format!("{ms} ms"))
}

fn start_logging(settings: &LogSettings) -> Result<(), Failure> {
    // The web server logs requests that are not HTTP as errors, and anyone can send them.
    let filter = format!("actix_http=off,{}", settings.filter);
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(filter)?)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    if settings.json {
        subscriber.json().flatten_event(true).with_current_span(true).with_span_list(false).init();
    } else {
        subscriber.with_target(false).init();
    }
    Ok(())
}

/// Completes when the process is told to stop: SIGTERM or Ctrl-C. The second signal ends the process at once: committed
/// work is safe, and Stripe or the caller repeats the rest.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tokio::spawn(async move {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                stop_at_once();
            });
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        drop(tokio::signal::ctrl_c().await);
        tokio::spawn(async {
            drop(tokio::signal::ctrl_c().await);
            stop_at_once();
        });
    })
}

fn stop_at_once() {
    tracing::warn!("told to stop a second time: stopping at once, without waiting for what is running");
    std::process::exit(1);
}
