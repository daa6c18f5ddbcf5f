//! `topup disputes`: what can be sent to the bank about a dispute. Works beside a running service.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use topup::console::evidence::dispute_evidence;
use topup::domain::credit_unit::DisplayDecimals;

use super::export::NewFile;
use super::{Failure, connect_to_read};

#[derive(Subcommand)]
pub(crate) enum DisputesCommand {
    /// Collect what is known of a disputed purchase, in the terms of Stripe's fields for evidence.
    Evidence {
        /// The dispute's id at Stripe (dp_… or du_…), or the top-up's.
        id: String,
        /// Write into this new file, which only you can read, instead of to standard output.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Write JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(command: DisputesCommand) -> Result<ExitCode, Failure> {
    let DisputesCommand::Evidence { id, output, json } = command;
    let database = connect_to_read().await?;
    let decimals = database.instance().await?.map_or(0, |instance| instance.credit_display_decimals);
    let decimals = DisplayDecimals::new(decimals).unwrap_or_default();
    let evidence = dispute_evidence(&database, &id, decimals).await;
    database.close().await;
    let Some(evidence) = evidence? else {
        let way_out = "see `topup export disputes`, or run `topup reconcile` if it is new";
        return Err(format!("there is no dispute {id} here; {way_out}").into());
    };
    let text = if json { serde_json::to_string_pretty(&evidence)? + "\n" } else { evidence.text() };
    match output {
        None => print!("{}", super::text::printable(&text)),
        Some(path) => {
            let mut file = NewFile::create(&path)?;
            file.writer.write_all(text.as_bytes())?;
            file.finish(&path)?;
            eprintln!("Wrote the evidence for {} to {}.", evidence.dispute_id, path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}
