//! `topup db`: backs up and restores a SQLite database, and copies everything into another database.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use topup::config::Config;
use topup::db::copies::{back_up, restore};
use topup::exports::copy_database::{audit_at, copy_database};
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
    /// Copy everything into another, empty database, such as from SQLite to PostgreSQL. The service must be stopped. A
    /// copy that is interrupted leaves nothing; run it again.
    Copy {
        /// The database to copy from: sqlite:… or postgres://…
        #[arg(long, value_name = "URL")]
        from: SecretString,
        /// The empty database to copy into: postgres://… or sqlite:…, a new file.
        #[arg(long, value_name = "URL")]
        to: SecretString,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub async fn run(command: DbCommand) -> Result<ExitCode, Failure> {
    if let DbCommand::Copy { from, to, json } = command {
        return copy(&from, &to, json).await;
    }
    let url = Config::load_database_url(&settings()?)?;
    match command {
        DbCommand::Copy { .. } => {}
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

async fn copy(from: &SecretString, to: &SecretString, json: bool) -> Result<ExitCode, Failure> {
    for (name, url) in [("--from", from), ("--to", to)] {
        let known = ["sqlite:", "postgres://", "postgresql://"];
        if !known.iter().any(|beginning| url.expose_secret().starts_with(beginning)) {
            return Err(format!("{name} must be an address that starts with sqlite: or postgres://").into());
        }
    }
    if from.expose_secret() == to.expose_secret() {
        return Err("--from and --to are the same database".into());
    }
    topup::checkpoints::arm();
    let tables = copy_database(from.expose_secret(), to.expose_secret()).await?;
    let (source, target) = (audit_at(from.expose_secret()).await?, audit_at(to.expose_secret()).await?);
    let is_clean = source.is_clean() && target.is_clean();
    if json {
        let rows: serde_json::Map<String, serde_json::Value> =
            tables.iter().map(|table| (table.table.clone(), json!(table.rows))).collect();
        let differences = json!({ "from": source.differences, "to": target.differences });
        print_json(&json!({ "rows": rows, "auditDifferences": differences }))?;
        return Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    for table in tables.iter().filter(|table| table.rows > 0) {
        println!("{:>12} rows of {}", table.rows, table.table);
    }
    println!("Every row was copied and read back.");
    for (name, report) in [("--from", source), ("--to", target)] {
        match report.differences {
            0 => println!("The audit of {name} finds that everything holds."),
            count => println!("The audit of {name} finds {count} differences: run `topup audit` there."),
        }
    }
    if !is_clean {
        return Ok(ExitCode::FAILURE);
    }
    println!("Set DATABASE_URL to the new database and start `topup serve`. Keep the old one, but do not start it.");
    Ok(ExitCode::SUCCESS)
}
