//! `topup topups`: single top-ups. Works beside a running service.

use std::process::ExitCode;

use clap::Subcommand;
use topup::access::operator::Operator;
use topup::config::{CommandConfig, LogSettings};
use topup::domain::ids::TopupId;
use topup::purchases::check_topup::check_topup;
use topup::startup::{Environment, command};

use super::{Failure, settings, start_logging};

#[derive(Subcommand)]
pub(crate) enum TopupsCommand {
    /// Ask Stripe for the current state of a top-up and apply it to the books. Use it when a customer has paid and the
    /// webhook has not arrived.
    Check {
        /// The top-up's id, `topup_…`.
        #[arg(value_parser = parse_id)]
        id: TopupId,
    },
}

fn parse_id(text: &str) -> Result<TopupId, String> {
    TopupId::parse(text)
        .map_err(|_| "must be the id of a top-up, such as topup_019a0000000070008000000000000000".to_owned())
}

pub(crate) async fn run(command: TopupsCommand) -> Result<ExitCode, Failure> {
    let TopupsCommand::Check { id } = command;
    let config = CommandConfig::load(&settings()?)?;
    start_logging(&LogSettings { filter: "error".to_owned(), json: false })?;
    let app = command::connect(config, Environment::default()).await?;
    let operator = Operator { name: "topup topups check".to_owned(), account: None };
    let checked = check_topup(&app, &id, &operator).await;
    app.db.close().await;
    let checked = checked?;
    println!("{id}  {}  {}", checked.outcome, super::text::printable(&checked.detail));
    Ok(if checked.outcome == "rejected" { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
