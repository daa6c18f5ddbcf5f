//! Runs the simulator: `cargo run --release --example simulate -- --seed 7 --steps 500 --trace`, or many seeds:
//! `--seeds 1..200`. The same seed and steps give the same run, whose hash is printed.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a simulation fails loudly")]

#[path = "../tests/sim/mod.rs"]
mod sim;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use sim::World;

#[derive(Parser)]
struct Arguments {
    /// One run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Many runs, such as 1..200, both included.
    #[arg(long, value_parser = range)]
    seeds: Option<(u64, u64)>,
    /// How many things happen in a run, before it becomes quiet.
    #[arg(long, default_value_t = 300)]
    steps: u64,
    /// Only purchases: no plans, subscriptions, saved cards and auto top-up.
    #[arg(long)]
    without_recurring: bool,
    /// Prints everything that happens, and the service's warnings.
    #[arg(long)]
    trace: bool,
}

fn range(text: &str) -> Result<(u64, u64), String> {
    let (first, last) = text.split_once("..").ok_or("a range looks like 1..200")?;
    let number = |text: &str| text.parse().map_err(|_| format!("{text} is no number"));
    Ok((number(first)?, number(last)?))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.trace {
        tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).without_time().init();
    }
    let (first, last) = arguments.seeds.unwrap_or((arguments.seed, arguments.seed));
    let (started, mut counts, mut hash) = (Instant::now(), BTreeMap::<&str, u64>::new(), 0);
    for seed in first..=last {
        let world = if arguments.without_recurring { World::new } else { World::with_recurring_money };
        match world(seed, arguments.trace).run(arguments.steps) {
            Ok(report) => {
                hash = report.trace_hash;
                for (what, count) in report.counts {
                    *counts.entry(what).or_default() += count;
                }
            }
            Err(violation) => {
                eprintln!("{violation}");
                return ExitCode::FAILURE;
            }
        }
    }
    let runs = last - first + 1;
    println!("{runs} runs of {} steps in {:.1?}; hash of the last {hash:016x}", arguments.steps, started.elapsed());
    for (what, count) in counts {
        println!("{count:>9} {what}");
    }
    ExitCode::SUCCESS
}
