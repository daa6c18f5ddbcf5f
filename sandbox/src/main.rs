//! The sandbox's command line: starts it, prints how to use it, stops it on Ctrl-C or SIGTERM; or triggers an event.
#![forbid(unsafe_code)]
#![deny(clippy::self_named_module_files)]

mod trigger_command;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use stripe_sandbox::{Config, Sandbox, TEST_CARDS};
use tracing_subscriber::EnvFilter;
use trigger_command::Trigger;

/// A stateful stand-in for Stripe's API that runs offline. No money moves.
#[derive(Debug, Parser)]
#[command(name = "stripe-sandbox", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The port to listen on, on 127.0.0.1.
    #[arg(long, default_value_t = 12111)]
    port: u16,
    /// The API key that clients must send.
    #[arg(long, default_value = "sk_test_sandbox")]
    secret_key: String,
    /// Where to send webhooks.
    #[arg(long, requires = "webhook_secret")]
    webhook_url: Option<String>,
    /// The signing secret of the webhooks, whsec_…
    #[arg(long, requires = "webhook_url")]
    webhook_secret: Option<String>,
    /// Send thin payloads, which only name what happened.
    #[arg(long, requires = "webhook_url")]
    webhook_thin: bool,
    /// Keep the state in this file between runs.
    #[arg(long)]
    state_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Trigger(Trigger),
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let mut arguments = Arguments::parse();
    let (result, failure) = match arguments.command.take() {
        Some(Command::Trigger(trigger)) => (trigger.run().await, "Cannot trigger it"),
        None => (run(arguments).await, "Cannot start"),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", sentence(failure, error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    // Install the handlers before printing: a reader of the greeting may stop the sandbox at once.
    let stop = Stop::new()?;
    let key = arguments.secret_key.clone();
    let sandbox = Sandbox::start(config(arguments)).await?;
    print!("{}", greeting(&sandbox.url(), &key));
    stop.wait().await;
    sandbox.stop().await;
    Ok(())
}

fn config(arguments: Arguments) -> Config {
    let mut config = Config::local(arguments.secret_key);
    config.bind = SocketAddr::from(([127, 0, 0, 1], arguments.port));
    config.state_file = arguments.state_file;
    match (arguments.webhook_url, arguments.webhook_secret) {
        (Some(url), Some(secret)) if arguments.webhook_thin => config.with_thin_webhook(url, secret),
        (Some(url), Some(secret)) => config.with_webhook(url, secret),
        _ => config,
    }
}

/// An error with its causes, as one sentence.
fn sentence(failure: &str, error: &dyn std::error::Error) -> String {
    let mut text = format!("{failure}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text.push('.');
    text
}

fn greeting(url: &str, key: &str) -> String {
    let mut text = format!(
        "Stripe sandbox — no money moves\n\n  Base URL    {url}\n  Secret key  {key}\n\n\
         Point a Stripe client at it, for example in Node:\n  \
         new Stripe('{key}', {{ host: '127.0.0.1', port: {port}, protocol: 'http' }})\n\
         or with curl:\n  curl {url}/v1/checkout/sessions -u {key}:\n\n\
         Test cards (any future expiry, any CVC):\n",
        port = url.rsplit(':').next().unwrap_or_default(),
    );
    let cards = TEST_CARDS.iter().take(14).map(|card| format!("  {:<18}{}\n", card.number, card.what));
    text.extend(cards);
    text.push_str("\nStop with Ctrl-C.\n");
    text
}

/// The signals that stop the program. They are caught once this exists.
#[cfg(unix)]
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stop {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Stop;

#[cfg(not(unix))]
impl Stop {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn wait(self) {
        tokio::signal::ctrl_c().await.ok();
    }
}
