//! `topup doctor`: looks for what keeps money from arriving. Writes nothing, and works whatever is broken.

use std::path::Path;
use std::process::ExitCode;

use topup::config::{LogSettings, Source};
use topup::doctor::{Finding, FindingState, Limits, Surroundings, examine, unreadable_settings};
use topup::http::auth::jwks::probe::FetchedKeySets;
use topup::system::SystemClock;

use super::text::{print_json, printable};
use super::{Failure, start_logging};

#[derive(clap::Args)]
pub(crate) struct DoctorArguments {
    /// Print the findings as a JSON list of objects with id, state (ok, warning, failed), title, detail and wayOut.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: DoctorArguments) -> Result<ExitCode, Failure> {
    // What would be logged is among the findings.
    start_logging(&LogSettings { filter: "off".to_owned(), json: false })?;
    let findings = match Source::from_environment(Path::new(".")) {
        Ok(source) => {
            let (clock, key_sets, limits) = (&SystemClock, &FetchedKeySets, Limits::default());
            examine(&Surroundings { source: &source, clock, key_sets, limits }).await
        }
        Err(error) => unreadable_settings(&error),
    };
    if arguments.json {
        print_json(&findings)?;
    } else {
        print(&findings);
    }
    let is_sick = findings.iter().any(|finding| finding.state == FindingState::Failed);
    Ok(if is_sick { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(findings: &[Finding]) {
    for Finding { state, title, detail, way_out, .. } in findings {
        println!("{} {}", state.sign(), printable(&format!("{title}: {detail}")));
        if let Some(way_out) = way_out {
            println!("    → {}", printable(way_out));
        }
    }
    let count = |state| findings.iter().filter(|finding| finding.state == state).count();
    let (failed, warnings) = (count(FindingState::Failed), count(FindingState::Warning));
    println!("\n{} checks: {failed} failed, {warnings} to look at.", findings.len());
}
