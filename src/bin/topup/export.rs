//! `topup export`: the books as tables for spreadsheets and other programs. Works beside a running service.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use topup::domain::account::AccountId;
use topup::domain::timestamp::rfc3339;
use topup::exports::cell::Format;
use topup::exports::export::{Export, ExportError, Table, write_export};
use topup::exports::range::{TimeRange, settled_before_ms};
use topup::ports::Clock;
use topup::system::SystemClock;

use super::{Failure, connect_to_read, parse_account};

#[derive(Subcommand)]
pub(crate) enum ExportCommand {
    /// Ledger entries: every change of a balance.
    Ledger(ExportArguments),
    /// Top-ups, by the time at which they were opened.
    Topups(ExportArguments),
    /// Payments at Stripe, by the time at which they were first recorded, with their fees.
    Payments(ExportArguments),
    /// Refunds, by the time at which they were first recorded.
    Refunds(ExportArguments),
    /// Disputes, by the time at which they were first recorded.
    Disputes(ExportArguments),
}

#[derive(Args)]
pub(crate) struct ExportArguments {
    /// The beginning: a day such as 2026-11-01 (in UTC) or a time such as 2026-11-01T09:00:00Z. Default: everything.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    from: Option<i64>,
    /// The end, which is not included. Default, and at most: five minutes ago, because later rows may still be written.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    to: Option<i64>,
    /// The form of the rows.
    #[arg(long, value_enum, default_value_t = FormatName::Csv)]
    format: FormatName,
    /// Only rows of this account.
    #[arg(long, value_name = "ID", value_parser = parse_account)]
    account: Option<AccountId>,
    /// Write into this new file, which only you can read, instead of to standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatName {
    /// Comma-separated values with a line of names, for spreadsheets.
    Csv,
    /// One JSON object in each line.
    Jsonl,
}

/// A day or a time, as milliseconds since 1970.
fn parse_time(text: &str) -> Result<i64, String> {
    let day = (text.len() == 10).then(|| format!("{text}T00:00:00Z"));
    let time = OffsetDateTime::parse(day.as_deref().unwrap_or(text), &Rfc3339).ok();
    let nanoseconds = time.map(OffsetDateTime::unix_timestamp_nanos);
    nanoseconds
        .and_then(|nanoseconds| i64::try_from(nanoseconds.div_euclid(1_000_000)).ok())
        .ok_or_else(|| "must be a day such as 2026-11-01 or a time such as 2026-11-01T09:00:00Z".to_owned())
}

pub(crate) async fn run(command: ExportCommand) -> Result<ExitCode, Failure> {
    let (table, arguments) = match command {
        ExportCommand::Ledger(arguments) => (Table::Ledger, arguments),
        ExportCommand::Topups(arguments) => (Table::Topups, arguments),
        ExportCommand::Payments(arguments) => (Table::Payments, arguments),
        ExportCommand::Refunds(arguments) => (Table::Refunds, arguments),
        ExportCommand::Disputes(arguments) => (Table::Disputes, arguments),
    };
    let range = range(&arguments)?;
    let format = match arguments.format {
        FormatName::Csv => Format::Csv,
        FormatName::Jsonl => Format::JsonLines,
    };
    let export = Export { table, range, account: arguments.account, format };
    let database = connect_to_read().await?;
    let written = match &arguments.output {
        None => write_export(&database, &export, &mut BufWriter::new(io::stdout())).await,
        Some(path) => {
            let mut file = NewFile::create(path)?;
            let written = write_export(&database, &export, &mut file.writer).await;
            if written.is_ok() {
                file.finish(path)?;
            }
            written
        }
    };
    database.close().await;
    match written {
        Ok(rows) => {
            let to = rfc3339(range.to_ms).unwrap_or_default();
            eprintln!("Wrote {rows} rows of before {to}.");
            Ok(ExitCode::SUCCESS)
        }
        // The reader has seen enough.
        Err(ExportError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error.into()),
    }
}

fn range(arguments: &ExportArguments) -> Result<TimeRange, Failure> {
    let settled_ms = settled_before_ms(SystemClock.now_ms());
    let from_ms = arguments.from.unwrap_or(0);
    let to_ms = arguments.to.unwrap_or(settled_ms);
    if to_ms <= from_ms {
        return Err(match arguments.to {
            Some(_) => "--to must be later than --from".into(),
            None => "--from must be earlier than five minutes ago: later rows may still be written".into(),
        });
    }
    if to_ms > settled_ms {
        if settled_ms <= from_ms {
            return Err("--from must be earlier than five minutes ago: later rows may still be written".into());
        }
        let end = rfc3339(settled_ms).unwrap_or_default();
        eprintln!("topup: note: ends at {end} instead of --to, because later rows may still be written");
    }
    Ok(TimeRange { from_ms, to_ms: to_ms.min(settled_ms) })
}

/// A file that has its name only when it is whole.
pub(crate) struct NewFile {
    /// Where its content goes.
    pub(crate) writer: BufWriter<File>,
    unfinished: PathBuf,
}

impl NewFile {
    /// Creates a file that only its owner can read.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let cannot = |error: io::Error| format!("--output {}: {error}", path.display());
        if path.symlink_metadata().is_ok() {
            return Err(format!("--output {} exists already; choose another name", path.display()).into());
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".unfinished-{}", std::process::id()));
        let unfinished = path.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&unfinished).map_err(cannot)?;
        Ok(Self { writer: BufWriter::new(file), unfinished })
    }

    /// Gives it its name.
    pub(crate) fn finish(mut self, path: &Path) -> Result<(), Failure> {
        self.writer.flush()?;
        self.writer.get_ref().sync_all()?;
        // Unlike a renaming, this does not replace a file that has come meanwhile.
        if fs::hard_link(&self.unfinished, path).is_err() {
            if path.symlink_metadata().is_ok() {
                return Err(format!("--output {} exists already; choose another name", path.display()).into());
            }
            fs::rename(&self.unfinished, path)?;
        }
        Ok(())
    }
}

/// What is not whole is removed.
impl Drop for NewFile {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.unfinished));
    }
}
