//! Measures the service on both databases, and the yardsticks in the same run. Started by `scripts/bench`.
//!
//! Invariants: everything listens only on loopback or a private socket, all started processes end with this one, and
//! all files are in a temporary folder. After each run the books are compared with the deliveries; a difference is an
//! error, because a fast but wrong service is worthless.
#![deny(clippy::self_named_module_files)]

mod as_sent;
mod audit;
mod bar;
mod bars;
mod books;
mod charges;
mod clock;
mod event;
mod failure;
mod hostile;
mod http;
mod large;
mod latency;
mod load;
mod machine;
mod names;
mod new_database;
mod observed;
mod postgres;
mod purchase;
mod recording;
mod recurring;
mod renewal;
mod report;
mod results;
mod rounds;
mod service;
mod spending;
mod statistics;
mod stripe;
mod target;
mod template;
mod token;
mod yardstick;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use audit::Audit;
use clock::wall_clock_ms;
use event::Mix;
use failure::Failure;
use large::Large;
use machine::Machine;
use names::{CONNECTIONS, POSTGRES, SQLITE};
use observed::Observed;
use postgres::{PgBouncer, Postgres};
use recording::Recording;
use recurring::Recurring;
use renewal::Renewal;
use report::Report;
use results::Results;
use rounds::{Bench, say};
use service::Program;
use spending::requests::Payers;
use spending::rounds::Spending;
use spending::size::{self, Size};
use stripe::Stripe;
use target::Target;
use yardstick::pgbench::Pgbench;
use yardstick::sqlite::BareLoop;

const STARTS: u32 = 5;
const ROUNDS: u32 = 3;

/// Measures the service on both databases, and the yardsticks it is compared with.
#[derive(Debug, Parser)]
struct Arguments {
    /// Run one short round, to check that everything works. Not for publishing.
    #[arg(long)]
    quick: bool,
    /// Also measure databases with 1 and 10 million ledger entries, and with 10 million spends. Slow, and needs 25 GB
    /// in the temporary folder.
    #[arg(long)]
    large: bool,
    /// Measure only this. Can be given several times.
    #[arg(long, value_name = "NAME")]
    only: Vec<Part>,
    /// Only deliveries of this mix; of debits, only those of many accounts or of one.
    #[arg(long, value_name = "NAME")]
    mix: Option<Mix>,
    /// Only deliveries and debits with this number of connections.
    #[arg(long, value_name = "COUNT")]
    connections: Option<usize>,
    /// Only the service on this database.
    #[arg(long, value_name = "NAME")]
    database: Option<Database>,
    /// Connect the service to PostgreSQL through this `PgBouncer` (1.21 or later), in transaction mode.
    #[arg(long, value_name = "PROGRAM")]
    pgbouncer: Option<PathBuf>,
    /// A PostgreSQL setting, such as `shared_buffers=1GB`, instead of the default. Can be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    postgres_setting: Vec<String>,
    /// How often to measure each row. Default: 3 times, 7 times for large databases, once with `--quick`.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// The service's LOG setting.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log: String,
    /// Write all results to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The release binary of the service.
    #[arg(long, value_name = "FILE", default_value = "target/release/topup")]
    binary: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Deliveries of every mix, with every number of connections.
    Deliveries,
    /// Checkouts.
    Checkouts,
    /// Balance reads while deliveries run.
    Reads,
    /// Deliveries at half of the maximum load.
    HalfLoad,
    /// Deliveries while another account's row is held, on PostgreSQL.
    HeldRow,
    /// Deliveries on databases analysed while their tables were empty, or never, on PostgreSQL.
    Statistics,
    /// Deliveries as Stripe sends them: charges and fees besides sessions, expired sessions, refunds.
    AsSent,
    /// Balance reads with an API key and with a customer's token.
    Credentials,
    /// Valid deliveries beside hostile connections.
    Hostile,
    /// Start and memory.
    Start,
    /// Debits of many accounts, of one, of accounts with many grants or holds, and at half of the maximum load.
    Debits,
    /// Holds that are captured.
    Holds,
    /// Debits beside those that an empty account is asked for in vain.
    Refusals,
    /// Debits in batches.
    Batches,
    /// Deliveries with and without metrics.
    Metrics,
    /// How long it takes until a saved card is charged for an account that ran low.
    Charges,
    /// Renewals of 10,000 subscriptions at one time, and debits that cross the threshold of an automatic top-up.
    Recurring,
    /// The measurements of deliveries that `--large` adds.
    Large,
    /// The measurements of debits that `--large` adds.
    LargeSpends,
    /// An audit of an account with five million entries, and the start-up on a file of 1 GiB. Only on request.
    Audit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Database {
    Postgres,
    Sqlite,
}

impl Arguments {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// How often to measure each row.
    fn rounds(&self, usual: u32) -> u32 {
        self.rounds.unwrap_or(if self.quick { 1 } else { usual })
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let result = match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => tokio::select! {
            result = Box::pin(run(Arguments::parse())) => result,
            _ = interrupt.recv() => Err("interrupted".into()),
            _ = terminate.recv() => Err("told to stop".into()),
        },
        (Err(error), _) | (_, Err(error)) => Err(error.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let folder = tempfile::Builder::new().prefix("topup-bench-").tempdir()?;
    let result = measure(arguments, folder.path()).await;
    if result.is_err() {
        let log = std::fs::read_to_string(folder.path().join(service::LOG)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains("webhook refused")).collect();
        eprintln!("{}", lines.get(lines.len().saturating_sub(10)..).unwrap_or_default().join("\n"));
    }
    result
}

async fn measure(arguments: Arguments, folder: &Path) -> Result<(), Failure> {
    let wants = |part| arguments.wants(part);
    let postgres = Postgres::start(&std::env::temp_dir(), &arguments.postgres_setting).await?;
    let machine = Machine::describe(folder, &postgres.url("postgres"), &arguments.postgres_setting).await?;
    let recording = Recording::make(wall_clock_ms())?;
    let renewal = Renewal::record(wall_clock_ms())?;
    let stripe = Stripe::start(recording.clone(), renewal.clone())?;
    let binary = arguments.binary.canonicalize()?;
    let mut results = Results::default();
    results.add_figure("size of the release binary", "", "KiB", std::fs::metadata(&binary)?.len() / 1_024);
    let program = Program {
        binary,
        folder: folder.to_owned(),
        stripe: stripe.address,
        log: arguments.log.clone(),
        settings: Vec::new(),
    };
    let mut targets = Vec::new();
    let sqlite_url = format!("sqlite:{}", folder.join("topup.db").display());
    let pgbouncer = match &arguments.pgbouncer {
        Some(program) => Some(PgBouncer::start(program, &postgres).await?),
        None => None,
    };
    let databases =
        [(Database::Postgres, POSTGRES, postgres.create("topup").await?), (Database::Sqlite, SQLITE, sqlite_url)];
    for (database, name, url) in databases {
        if arguments.database.is_some_and(|only| only != database) {
            continue;
        }
        let pooled = pgbouncer.as_ref().filter(|_| database == Database::Postgres).map(|pooler| pooler.url("topup"));
        targets.push(start(&program, name, url, pooled, &mut results).await?);
    }
    let mut bench = Bench {
        targets,
        pgbench: Pgbench::prepare(&postgres, folder).await?,
        bare: BareLoop::prepare(folder)?,
        stripe,
        results,
        rounds: arguments.rounds(ROUNDS),
        duration: if arguments.quick { Duration::from_millis(700) } else { Duration::from_millis(1_500) },
    };
    say("warming up");
    for target in &mut bench.targets {
        target.warm_up().await?;
    }
    if wants(Part::Deliveries) {
        let mixes = arguments.mix.map_or(Mix::ALL.to_vec(), |mix| vec![mix]);
        let connections = arguments.connections.map_or(CONNECTIONS.to_vec(), |count| vec![count]);
        bench.deliveries(&mixes, &connections).await?;
    } else if wants(Part::HalfLoad) {
        bench.deliveries(&[Mix::ManyAccounts], &[32, 64]).await?;
    }
    if wants(Part::HalfLoad) {
        bench.half_load().await?;
    }
    if wants(Part::HeldRow) {
        bench.held_row().await?;
    }
    if wants(Part::AsSent) {
        bench.as_sent(&recording, arguments.connections.unwrap_or(32)).await?;
    }
    if wants(Part::Credentials) {
        bench.credentials().await?;
    }
    if wants(Part::Reads) {
        bench.reads().await?;
    }
    if wants(Part::Checkouts) {
        bench.checkouts().await?;
    }
    others(&arguments, &mut bench, &program, &postgres, folder).await?;
    spend(&arguments, &mut bench, &program, &postgres, folder).await?;
    if wants(Part::Recurring) {
        let rounds = bench.rounds;
        let recurring = Recurring { program: &program, postgres: &postgres, folder, renewal: &renewal, rounds };
        for database in bench.targets.iter().map(|target| target.name).collect::<Vec<_>>() {
            recurring.run(database, &mut bench.results).await?;
        }
    }
    for database in bench.targets.iter().map(|target| target.name).collect::<Vec<_>>() {
        if wants(Part::Metrics) {
            let (rounds, duration) = (bench.rounds, bench.duration);
            let observed = Observed { program: &program, postgres: &postgres, folder, rounds, duration };
            observed.run(database, &mut bench.results).await?;
        }
        if wants(Part::Charges) {
            let url = new_database::create(database, "charges", &postgres, folder).await?;
            charges::run(&program, (&recording, &renewal), database, url, &mut bench.results).await?;
        }
    }
    for target in &bench.targets {
        prove(&program, &target.url).await?;
    }
    finish(bench, machine, arguments.json.as_deref())
}

/// The measurements that use their own databases and services.
async fn others(
    arguments: &Arguments,
    bench: &mut Bench,
    program: &Program,
    postgres: &Postgres,
    folder: &Path,
) -> Result<(), Failure> {
    let databases: Vec<&'static str> = bench.targets.iter().map(|target| target.name).collect();
    let (results, duration) = (&mut bench.results, bench.duration);
    if arguments.wants(Part::Statistics) && databases.contains(&POSTGRES) {
        statistics::run(program, postgres, bench.rounds, duration, results).await?;
    }
    for database in databases {
        if arguments.wants(Part::Hostile) {
            let url = new_database::create(database, "hostile", postgres, folder).await?;
            hostile::run(program, database, url, bench.rounds, results).await?;
        }
        if arguments.large || arguments.only.contains(&Part::Large) {
            let sizes = if arguments.quick { large::QUICK_SIZES } else { large::SIZES };
            let rounds = arguments.rounds(large::ROUNDS);
            Large { program, postgres, folder, sizes, rounds, duration }.run(database, results).await?;
        }
        if arguments.large || arguments.only.contains(&Part::LargeSpends) {
            let sizes = if arguments.quick { size::QUICK_SIZES } else { size::SIZES };
            let rounds = arguments.rounds(large::ROUNDS);
            Size { program, postgres, folder, sizes, rounds, duration }.run(database, results).await?;
        }
        if arguments.only.contains(&Part::Audit) {
            let entries = if arguments.quick { audit::QUICK_ENTRIES } else { audit::ENTRIES };
            let rounds = arguments.rounds(1);
            Audit { program, postgres, folder, entries, rounds, duration }.run(database, results).await?;
        }
    }
    Ok(())
}

/// The measurements of spending.
async fn spend(
    arguments: &Arguments,
    bench: &mut Bench,
    program: &Program,
    postgres: &Postgres,
    folder: &Path,
) -> Result<(), Failure> {
    let wants = |part| arguments.wants(part);
    if ![Part::Debits, Part::Holds, Part::Refusals, Part::Batches].into_iter().any(wants) {
        return Ok(());
    }
    let databases: Vec<&'static str> = bench.targets.iter().map(|target| target.name).collect();
    let mut spending = Spending::start(program, &databases, postgres, folder).await?;
    if wants(Part::Debits) {
        let payers = match arguments.mix {
            None => vec![Payers::Many, Payers::HOT],
            Some(Mix::OneAccount) => vec![Payers::HOT],
            Some(_) => vec![Payers::Many],
        };
        let connections = arguments.connections.map_or(CONNECTIONS.to_vec(), |count| vec![count]);
        spending.debits(bench, &payers, &connections).await?;
        if arguments.mix.is_none() && arguments.connections.is_none() {
            spending.half_load(bench).await?;
            spending.crowded_accounts(bench).await?;
            if databases.contains(&POSTGRES) {
                let (rounds, duration) = (bench.rounds, bench.duration);
                spending::analysed::run(program, postgres, rounds, duration, &mut bench.results).await?;
            }
        }
    }
    if wants(Part::Holds) {
        spending.holds(bench).await?;
    }
    if wants(Part::Refusals) {
        spending.refusals(bench).await?;
    }
    if wants(Part::Batches) {
        spending.batches(bench).await?;
    }
    spending.prove(program).await
}

/// Starts the service several times and returns the last one.
async fn start(
    program: &Program,
    name: &'static str,
    url: String,
    pooled: Option<String>,
    results: &mut Results,
) -> Result<Target, Failure> {
    let mut target = Target::start(program, name, url).await?;
    if let Some(pooled) = pooled {
        target.service_url = pooled;
    }
    for _ in 0..STARTS {
        target.service = program.serve(&target.service_url).await?;
        let started_us = u64::try_from(target.service.started_in.as_micros())?;
        results.add_figure("start to ready", name, "µs", started_us);
        results.add_figure("memory when idle", name, "KiB", target.service.memory()?.now_kib);
    }
    Ok(target)
}

/// Runs the service's own `audit` on its books, if it has that command.
async fn prove(program: &Program, url: &str) -> Result<(), Failure> {
    if program.run(url, &["--help"]).await?.contains("\n  audit") {
        say("auditing the books");
        program.run(url, &["audit"]).await?;
    }
    Ok(())
}

fn finish(mut bench: Bench, machine: Machine, json: Option<&Path>) -> Result<(), Failure> {
    for target in &bench.targets {
        let peak = target.service.memory()?.peak_kib;
        bench.results.add_figure("memory at the end, at most", target.name, "KiB", peak);
    }
    let report = Report { machine, results: bench.results };
    print!("{}", report.markdown());
    if let Some(file) = json {
        std::fs::write(file, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}
