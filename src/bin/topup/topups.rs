//! `topup topups`: single top-ups. Works beside a running service.

use std::process::ExitCode;

use clap::Subcommand;
use topup::access::operator::Operator;
use topup::config::{CommandConfig, LogSettings};
use topup::domain::ids::TopupId;
use topup::http::admin::shapes::topup_check;
use topup::purchases::check_topup::check_topup;
use topup::purchases::explain_topup::explain_topup;
use topup::startup::{Environment, command};

use super::text::{print_json, printable};
use super::{Failure, settings, start_logging};

#[derive(Subcommand)]
pub(crate) enum TopupsCommand {
    /// Ask Stripe for the current state of a top-up and apply it to the books. Use it when a customer has paid and the
    /// webhook has not arrived.
    Check {
        /// The top-up's id, `topup_…`.
        #[arg(value_parser = parse_id)]
        id: TopupId,
        /// Print JSON, like `POST /admin/topups/{id}/check`.
        #[arg(long)]
        json: bool,
    },
}

fn parse_id(text: &str) -> Result<TopupId, String> {
    TopupId::parse(text)
        .map_err(|_| "must be the id of a top-up, such as topup_019a0000000070008000000000000000".to_owned())
}

pub(crate) async fn run(command: TopupsCommand) -> Result<ExitCode, Failure> {
    let TopupsCommand::Check { id, json } = command;
    let config = CommandConfig::load(&settings()?)?;
    start_logging(&LogSettings { filter: "error".to_owned(), json: false })?;
    let app = command::connect(config, Environment::default()).await?;
    let operator = Operator { name: "topup topups check".to_owned(), account: None };
    let work = async {
        let checked = check_topup(&app, &id, &operator).await?;
        Ok::<_, Failure>((checked, explain_topup(&app, &id, &operator).await?))
    };
    let done = work.await;
    app.db.close().await;
    let (checked, explained) = done?;
    let is_rejected = checked.outcome == "rejected";
    match explained.filter(|_| json) {
        Some(explained) => print_json(&topup_check(checked, explained)?)?,
        None => println!("{id}  {}  {}", checked.outcome, printable(&checked.detail)),
    }
    Ok(if is_rejected { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
