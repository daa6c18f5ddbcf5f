//! `topup db`: backs up and restores a SQLite database.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use secrecy::ExposeSecret;
use topup::config::Config;
use topup::db::copies::{back_up, restore};
use topup::ports::Clock;
use topup::system::SystemClock;

use super::{Failure, settings};

/// The commands for the database file.
#[derive(Subcommand)]
pub enum DbCommand {
    /// Copy the database into a new file, even while the service runs.
    Backup {
        /// The file, which must not exist yet.
        file: PathBuf,
    },
    /// Replace the database with a backup. The service must be stopped; the previous database is kept beside it.
    Restore {
        /// The backup.
        file: PathBuf,
    },
}

/// Runs the command.
pub async fn run(command: DbCommand) -> Result<ExitCode, Failure> {
    let url = Config::load_database_url(&settings()?)?;
    match command {
        DbCommand::Backup { file } => {
            back_up(url.expose_secret(), &file).await?;
            println!("Copied the database to {} and checked the copy.", file.display());
        }
        DbCommand::Restore { file } => {
            let restored = restore(url.expose_secret(), &file, SystemClock.now_ms()).await?;
            println!("Restored {} from {}.", restored.database.display(), file.display());
            if let Some(kept) = restored.kept {
                println!("The database from before is {}.", kept.display());
            }
            if restored.is_behind {
                println!("The backup is of an older version: run `topup migrate`.");
            }
            println!("What happened since the backup is unknown here: run `topup audit`, then `topup reconcile`.");
        }
    }
    Ok(ExitCode::SUCCESS)
}
