//! The command line: reads arguments and settings, calls the library, and prints.

mod accounts;
mod adopt;
mod books;
mod db;
mod disputes;
mod doctor;
mod endpoints;
mod export;
mod keys;
mod logging;
mod plans;
mod report;
mod shell;
mod text;
mod topups;
mod webhook_setup;
mod webhooks;

#[cfg(test)]
mod tree_tests;

use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use secrecy::ExposeSecret;
use topup::books::instance::MigrationState;
use topup::config::{Config, Source};
use topup::db::Db;
use topup::domain::account::AccountId;
#[cfg(feature = "dev")]
use topup::domain::redirect::AllowedOrigin;
use topup::providers::stripe::event::EVENT_TYPES;
use topup::startup::{Application, Environment, StartError, listen};

use logging::start_logging;
use shell::Shell;

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
    /// Write the books as tables: CSV or lines of JSON.
    #[command(subcommand)]
    Export(export::ExportCommand),
    /// Reports for accounting.
    #[command(subcommand)]
    Report(report::ReportCommand),
    /// What can be sent to the bank about a dispute.
    #[command(subcommand)]
    Disputes(disputes::DisputesCommand),
    /// Backups of a SQLite database, and the way to another database.
    #[command(subcommand)]
    Db(db::DbCommand),
    /// Accounts: a list with search, and erasing personal data.
    #[command(subcommand)]
    Accounts(accounts::AccountsCommand),
    /// API keys for servers.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Where your server is told of events, and what was sent there.
    #[command(subcommand)]
    Endpoints(endpoints::EndpointsCommand),
    /// The webhook endpoint at Stripe, and failed deliveries.
    #[command(subcommand)]
    Webhooks(webhooks::WebhooksCommand),
    /// Print the API's OpenAPI document.
    Openapi,
    /// Print a script for a shell's completion of commands and options.
    #[command(after_help = "bash: topup completions bash > ~/.local/share/bash-completion/completions/topup\n\
        zsh:  topup completions zsh > _topup, in a folder of $fpath\n\
        fish: topup completions fish > ~/.config/fish/completions/topup.fish")]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the man page; or write it, with a page for each command, into a folder.
    Man {
        /// The folder, which is made if it is not there.
        #[arg(long, value_name = "FOLDER")]
        output: Option<std::path::PathBuf>,
    },
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
        Command::Export(command) => return export::run(command).await,
        Command::Report(command) => return report::run(command).await,
        Command::Disputes(command) => return disputes::run(command).await,
        Command::Db(command) => return db::run(command).await,
        Command::Accounts(command) => return accounts::run(command).await,
        Command::Keys(command) => return keys::run(command).await,
        Command::Endpoints(command) => return endpoints::run(command).await,
        Command::Webhooks(command) => return webhooks::run(command).await,
        Command::Openapi => print!("{}", topup::http::documentation::document_json()?),
        Command::Completions { shell } => shell::completions(Arguments::command(), shell)?,
        Command::Man { output } => shell::man(&Arguments::command(), output.as_deref())?,
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
    migrated(connect(false).await?).await
}

/// Connects to look only.
async fn connect_to_read() -> Result<Db, Failure> {
    let url = Config::load_database_url(&settings()?)?;
    let database = Db::connect_to_read(url.expose_secret()).await.map_err(StartError::Database)?;
    migrated(database).await
}

async fn migrated(database: Db) -> Result<Db, Failure> {
    let hint = "the database is not at this version's state; run `topup migrate`";
    if database.migration_state().await? != MigrationState::Current {
        return Err(hint.into());
    }
    Ok(database)
}

async fn serve() -> Result<(), Failure> {
    let config = Config::load(&Source::from_environment(Path::new("."))?)?;
    let traces = logging::start(&config.log, config.traces.as_ref())?;
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
    let ended = application.run_until_stopped(stop).await;
    traces.stop().await;
    Ok(ended?)
}

#[cfg(feature = "dev")]
async fn dev(options: topup::dev::DevOptions) -> Result<(), Failure> {
    let filter = std::env::var("LOG").unwrap_or_else(|_| "warn,topup=info".to_owned());
    let filter = topup::config::parse_log_filter(&filter).map_err(|message| format!("LOG: {message}"))?;
    start_logging(&topup::config::LogSettings { filter, json: false })?;
    let stop = stop_signal()?;
    let dev = topup::dev::Dev::start(options, Environment::default()).await?;
    print!("{}", dev.welcome());
    Ok(dev.run_until_stopped(stop).await?)
}

fn parse_account(text: &str) -> Result<AccountId, String> {
    AccountId::parse(text).map_err(|error| error.to_string())
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
