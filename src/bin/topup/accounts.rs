//! `topup accounts`: what concerns single accounts.

use std::process::ExitCode;

use clap::Subcommand;
use topup::console::payers::erase_account;
use topup::domain::account::AccountId;
use topup::ports::Clock;
use topup::system::SystemClock;

use super::{Failure, connect_migrated, parse_account};

#[derive(Subcommand)]
pub(super) enum AccountsCommand {
    /// Erase the personal data of an account's payers, for good: e-mail, name, card, address of the request, and the payloads
    /// of its failed deliveries. The books stay.
    Erase {
        /// The account's id.
        #[arg(value_parser = parse_account)]
        id: AccountId,
    },
}

pub(super) async fn run(command: AccountsCommand) -> Result<ExitCode, Failure> {
    let AccountsCommand::Erase { id } = command;
    let database = connect_migrated().await?;
    let topups = erase_account(&database, &id, SystemClock.now_ms()).await?;
    database.close().await;
    println!("Erased the personal data of {topups} top-ups of {id}. The books are as before.");
    Ok(ExitCode::SUCCESS)
}
