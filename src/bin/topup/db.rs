//! `topup db`: backs up and restores a SQLite database.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use secrecy::ExposeSecret;
use serde_json::json;
use topup::config::Config;
use topup::db::copies::{back_up, restore};
use topup::ports::Clock;
use topup::system::SystemClock;

use super::text::print_json;
use super::{Failure, settings};

/// The commands for the database file.
#[derive(Subcommand)]
pub enum DbCommand {
    /// Copy the database into a new file, even while the service runs.
    Backup {
        /// The file, which must not exist yet.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Replace the database with a backup. The service must be stopped; the previous database is kept beside it.
    Restore {
        /// The backup.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub async fn run(command: DbCommand) -> Result<ExitCode, Failure> {
    let url = Config::load_database_url(&settings()?)?;
    match command {
        DbCommand::Backup { file, json } => {
            back_up(url.expose_secret(), &file).await?;
            if json {
                print_json(&json!({ "file": file.display().to_string() }))?;
                return Ok(ExitCode::SUCCESS);
            }
            println!("Copied the database to {} and checked the copy.", file.display());
        }
        DbCommand::Restore { file, json } => {
            let restored = restore(url.expose_secret(), &file, SystemClock.now_ms()).await?;
            if json {
                let text = |path: &Path| path.display().to_string();
                print_json(&json!({
                    "file": text(&file),
                    "database": text(&restored.database),
                    "databaseBefore": restored.kept.as_deref().map(text),
                    "needsMigration": restored.is_behind,
                }))?;
                return Ok(ExitCode::SUCCESS);
            }
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
